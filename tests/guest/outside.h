/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts of the same faults that are not the module's: the kernel's own kprobe
 * events and /proc/vmstat. One thing at a time may count: all of this is global.
 */
#ifndef COWTEST_OUTSIDE_H
#define COWTEST_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct outside - one reading
 * @calls: of do_wp_page(), hits and misses of the event.
 * @attempts: to copy, likewise: calls of __delayacct_wpcopy_start(), where the
 *	kernel has it and was booted with delayacct, else of wp_page_copy(); -1
 *	where it has neither.
 * @pgreuse: of /proc/vmstat.
 * @cow_ksm: of /proc/vmstat, -1 without it.
 * @minflt: faults that the kernel counted for this process.
 */
struct outside {
	long long	calls;
	long long	attempts;
	long long	pgreuse;
	long long	cow_ksm;
	long long	minflt;
};

/* Of a kprobe event since it was defined; false without such an event. */
bool kprobe_profile(const char *event, long long *hits, long long *misses);

/* Define the events; fails the suite. */
void outside_init(void);
void outside_exit(void);
/* The function that counts the attempts, NULL without one. */
const char *outside_attempts(void);
/* Does it count the faults of hugetlb pages too? */
bool outside_hugetlb(void);

/**
 * outside_count() - count calls of one process and all that it forks
 * @event: "wp", or "attempt" where there is such a function.
 * @pid: the process, which waits.
 * Return: a descriptor; outside_counted() reads what it counted and closes it.
 */
int outside_count(const char *event, int pid);
long long outside_counted(int fd);
/*
 * Between these two the module traces and the kernel counts. All that may
 * fault must wait before the first and be at rest before the second; what it
 * waits for comes from this process, which takes no write-protect fault in them
 * but those of the module's proofs. They fail the suite when a switch fails.
 */
void outside_begin(struct outside *before);
void outside_end(struct outside *after);

/**
 * struct newpage - do_wp_page() mapped a new page: it copied
 * @time_ns: when, CLOCK_MONOTONIC.
 * @address: of the page.
 * @pid: the thread.
 */
struct newpage {
	uint64_t	time_ns;
	uint64_t	address;
	uint32_t	pid;
};

/**
 * struct newpages - the calls of folio_add_new_anon_rmap()
 * @at: those from inside do_wp_page(), by their return address.
 * @n: how many.
 * @room: for how many there is memory.
 * @others: how many came from elsewhere: memory touched first, swapped in.
 *
 * Until 6.1 the function is page_add_new_anon_rmap() and wp_page_copy() calls it.
 */
struct newpages {
	struct newpage		*at;
	size_t			n, room;
	unsigned long long	others;
};

/* A buffer of @kb a CPU; before outside_begin(). Fails the suite. */
void newpages_open(unsigned int kb);
void newpages_close(void);
/* Append what came since. */
void newpages_take(struct newpages *list);
void newpages_free(struct newpages *list);
/* Calls since newpages_open() that the event saw, and those that it or its buffer lost. */
struct newpages_count {
	long long hits, lost;
};

struct newpages_count newpages_count(void);

#endif /* COWTEST_OUTSIDE_H */
