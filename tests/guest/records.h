/* SPDX-License-Identifier: GPL-2.0 */
/* The records of faults. */
#ifndef COWTEST_RECORDS_H
#define COWTEST_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <cowtrace/record.h>

#include "stats.h"

struct trace {
	struct cowtrace_record	*r;
	size_t			n, room;
	/* Where the records of each CPU begin; cpu[cpus] is the end. */
	size_t			cpu[MAX_CPUS + 1];
	unsigned int		cpus;
};

/* The file cpuN, not blocking; fails the suite. */
int records_open(unsigned int cpu);
/*
 * Hand what the file holds now to @fn, one by one; fails the suite on anything
 * that is no record of that CPU. Return: how many there were.
 */
size_t records_take(int fd, unsigned int cpu,
		    void (*fn)(const struct cowtrace_record *r, void *arg), void *arg);
/* All that the files cpuN hold now; fails the suite on anything that is no record. */
void trace_read(struct trace *t);
void trace_free(struct trace *t);
/* The only record of that page by that process; NULL when there is none or more. */
const struct cowtrace_record *record_of(const struct trace *t, uint32_t tgid, const void *page);
size_t records_of(const struct trace *t, uint32_t tgid, const void *page);
const char *record_text(const struct cowtrace_record *r);
/*
 * When the fault ended, in ns of CLOCK_MONOTONIC, as it was read during the fault. time_ns
 * is told from it, too early by all that interrupts that. UINT64_MAX for the longest
 * duration, which stands for any longer one.
 */
uint64_t fault_end(const struct cowtrace_record *r);

/* The array @at of @n elements, with room for one more. */
void *with_room(void *at, size_t n, size_t *room, size_t size);

#endif /* COWTEST_RECORDS_H */
