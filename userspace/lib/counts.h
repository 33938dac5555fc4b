/* SPDX-License-Identifier: GPL-2.0 */
/* What the module counts instead of recording: its file counts, parsed. */
#ifndef COWTRACE_COUNTS_H
#define COWTRACE_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/vocab.h>

#include "count.h"
#include "error.h"
#include "schema.h"

/* Powers of two that a duration can begin at. */
#define CT_COUNTS_BUCKETS	32

/**
 * struct ct_counted - faults of one outcome and reason
 * @outcome: enum cowtrace_outcome, as the schema of the module numbers them.
 * @reason: enum cowtrace_reason, likewise.
 * @faults: how many.
 * @bytes: copied by them.
 * @ns: sum of their durations; 0 where none was taken (struct ct_counts.timed).
 * @log2: faults that took 2^i ns or more, and less than 2^(i+1); 0 is in the first.
 * @answers: faults to which a policy gives an answer, by both.
 */
struct ct_counted {
	uint8_t		outcome;
	uint8_t		reason;
	uint64_t	faults;
	uint64_t	bytes;
	uint64_t	ns;
	uint64_t	log2[CT_COUNTS_BUCKETS];
	uint64_t	answers[COWTRACE_NR_POLICIES][COWTRACE_NR_ANSWERS];
};

/**
 * struct ct_counted_process - faults of one process
 * @tgid: its number.
 * @at_least: a part of its faults may stand in struct ct_counts.others.
 * @comm: its name, clean.
 * @count: its faults; copy_ns is not known and 0.
 */
struct ct_counted_process {
	uint32_t	tgid;
	bool		at_least;
	char		comm[COWTRACE_COMM_LEN];
	struct ct_count	count;
};

/**
 * struct ct_counts - the whole file
 * @counting: the mode was counts. If not, only @pairs is there.
 * @timed: durations were taken, so sums of ns mean something.
 * @durations: faults are told apart by duration, ct_counted.log2.
 * @by_process: they are told apart by process.
 * @policies: policies were asked, ct_counted.answers.
 * @pairs: by outcome and reason, in the order of the file.
 * @nr_pairs: number of them.
 * @processes: most copies first.
 * @nr_processes: number of them.
 * @others: processes that had to make room for others: with them the processes add up.
 */
struct ct_counts {
	bool		counting;
	bool		timed;
	bool		durations;
	bool		by_process;
	bool		policies;
	struct ct_counted *pairs;
	size_t		nr_pairs;
	struct ct_counted_process *processes;
	size_t		nr_processes;
	struct ct_count	others;
};

/**
 * ct_counts_parse() - parse the file counts
 * @text: of it.
 * @schema: whose words stand in it.
 * @counts: receives the counts, freed by ct_counts_free().
 * @err: filled in on failure; names the line.
 *
 * Lines that begin with a word that is not known are left to later versions.
 *
 * Return: 0, -EINVAL for a line that makes no sense, -ENOMEM.
 */
int ct_counts_parse(const char *text, const struct ct_schema *schema,
		    struct ct_counts **counts, struct ct_error *err);

/**
 * struct ct_counted_policy - what one policy would have decided
 * @copies: copies, and splits of huge pages.
 * @reuses: reuses.
 * @undetermined: the sample does not settle it.
 * @avoided: of what was copied or split, what it would have kept.
 * @added: of what was reused, what it would have copied or split.
 */
struct ct_counted_policy {
	uint64_t	copies;
	uint64_t	reuses;
	uint64_t	undetermined;
	uint64_t	avoided;
	uint64_t	added;
};

/* Did the kernel decide between these, and do policies? Else it is in no sum of them. */
bool ct_counted_decided(const struct ct_counted *pair);

/* Over all pairs that were decided, of @policy. */
struct ct_counted_policy ct_counts_policy(const struct ct_counts *counts,
					  enum cowtrace_policy policy);

/* NULL is allowed. */
void ct_counts_free(struct ct_counts *counts);

#endif /* COWTRACE_COUNTS_H */
