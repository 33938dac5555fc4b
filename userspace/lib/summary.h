/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a whole trace says, in one pass over its records: the numbers of every
 * table of the report. Memory grows with distinct processes and code sites, not
 * with records.
 */
#ifndef COWTRACE_SUMMARY_H
#define COWTRACE_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "contention.h"
#include "count.h"
#include "counts.h"
#include "error.h"
#include "folios.h"
#include "histogram.h"
#include "map.h"
#include "process.h"
#include "reader.h"
#include "sites.h"

/**
 * struct ct_held - who held the pages of some faults; sums of references
 * @known: faults whose references could be attributed (see cowtrace_holders()).
 * @large: of these, pages of large folios mapped page by page: their counts are
 *	those of the whole folio.
 * @total: page counts.
 * @mappings: of them mappings; the rest likewise.
 */
struct ct_held {
	uint64_t	known;
	uint64_t	large;
	uint64_t	total;
	uint64_t	mappings;
	uint64_t	swapcache;
	uint64_t	pagecache;
	uint64_t	lru;
	uint64_t	pins;
	uint64_t	fault;
	uint64_t	unattributed;
};

/**
 * struct ct_pair - faults of one outcome and reason
 * @outcome: enum cowtrace_outcome, or a number of a later schema.
 * @reason: enum cowtrace_reason, likewise.
 * @bytes: copied.
 * @held: who held the pages; of copies, unshares and splits alone.
 * @time: durations in ns.
 */
struct ct_pair {
	uint8_t		outcome;
	uint8_t		reason;
	uint64_t	bytes;
	struct ct_held	held;
	struct ct_histogram time;
};

/**
 * struct ct_doubt - faults that nothing settled, with the same evidence
 * @outcome: COWTRACE_OUTCOME_UNKNOWN or COWTRACE_OUTCOME_RACED.
 * @path: enum cowtrace_path, or a number of a later schema.
 * @evidence: the bits.
 * @faults: how many.
 */
struct ct_doubt {
	uint8_t		outcome;
	uint8_t		path;
	uint16_t	evidence;
	uint64_t	faults;
};

/**
 * struct ct_process_count - faults of one process
 * @number: by which contention knows it.
 * @process: number in the process table, CT_MAP_NONE if not there.
 * @tgid: process number.
 * @raw_comm: its bytes as the record has them.
 * @comm: name at the last fault.
 * @at_least: some of its faults may stand in struct ct_counts.others instead.
 * @count: the faults.
 */
struct ct_process_count {
	uint32_t	number;
	uint32_t	process;
	uint32_t	tgid;
	char		raw_comm[COWTRACE_COMM_LEN];
	char		comm[CT_NAME_MAX];
	bool		at_least;
	struct ct_count	count;
};

/**
 * struct ct_site_count - faults of one place in the code
 * @place: the place.
 * @count: the faults.
 */
struct ct_site_count {
	struct ct_site	place;
	struct ct_count	count;
};

/**
 * struct ct_summary - the numbers
 * @reader: the trace.
 * @counts: the module counted and recorded nothing: only @total, @outcomes, @pairs and
 *	@by_process are filled, durations by powers of two, each at the end of its own.
 *	NULL for a trace of records.
 * @processes: its processes; loaded by ct_summary_new().
 * @total: all faults.
 * @first_ns: entry of the first fault, CLOCK_MONOTONIC; with @counts, 0.
 * @last_ns: end of the last; with @counts, for how long they were counted.
 * @outcomes: by outcome, indexed by its number.
 * @outcome_time: durations, indexed likewise; NULL where there is none.
 * @origins: by origin, indexed likewise.
 * @kinds: by kind of page.
 * @paths: by path.
 * @pairs: by outcome and reason, the most frequent first.
 * @nr_pairs: number of them.
 * @by_process: by process, the most copies first, then the most faults.
 * @nr_processes: number of them.
 * @by_site: by code site, in the same order.
 * @nr_sites: number of them.
 * @no_ip: faults without an instruction pointer.
 * @after_split: faults of one page that went on with an access after its split.
 * @evidence: faults by evidence, indexed by the number of the bit.
 * @doubts: what is unknown or raced, by its evidence, the most frequent first.
 * @nr_doubts: number of them.
 * @contention: faults that met others; its code sites are those of @sites.
 * @folios: large folios that were copied page by page.
 * @process_at: where in @by_process those stand that @contention numbers.
 */
struct ct_summary {
	struct ct_reader *reader;
	struct ct_counts *counts;
	struct ct_processes *processes;
	struct ct_sites	sites;
	struct ct_count	total;
	uint64_t	first_ns;
	uint64_t	last_ns;
	struct ct_count	outcomes[256];
	struct ct_histogram *outcome_time[256];
	struct ct_count	origins[256];
	struct ct_count	kinds[256];
	struct ct_count	paths[256];
	struct ct_pair	*pairs;
	size_t		nr_pairs;
	struct ct_process_count *by_process;
	size_t		nr_processes;
	struct ct_site_count *by_site;
	size_t		nr_sites;
	uint64_t	no_ip;
	struct ct_count	after_split;
	uint64_t	evidence[16];
	struct ct_doubt	*doubts;
	size_t		nr_doubts;
	struct ct_contention *contention;
	struct ct_folios *folios;
	uint32_t	*process_at;
	/* Where a key stands in the arrays above, while records are read. */
	struct ct_map	pair_of;
	struct ct_map	doubt_of;
	struct ct_map	process_of;
};

/**
 * ct_summary_new() - begin with the numbers of a trace of records
 * @reader: the trace, from its beginning; stays the caller's, and must outlive the summary.
 * @summary: receives the numbers, all 0; to be freed on failure too.
 * @err: filled in on failure.
 * Return: 0 or -ENOMEM.
 */
int ct_summary_new(struct ct_reader *reader, struct ct_summary **summary, struct ct_error *err);

/* The next record of the trace, as ct_reader_next() gives them. Return: 0 or -ENOMEM. */
int ct_summary_take(struct ct_summary *summary, const struct cowtrace_record *record);

/* There are no more: put the tables in order. Return: 0 or -ENOMEM. */
int ct_summary_end(struct ct_summary *summary);

/**
 * ct_summary_make() - all of this: read all records of a trace
 * @reader: the trace; stays the caller's, and must outlive the summary.
 * @summary: receives the numbers.
 * @err: filled in on failure.
 * Return: 0 or -ENOMEM.
 */
int ct_summary_make(struct ct_reader *reader, struct ct_summary **summary,
		    struct ct_error *err);

/**
 * ct_summary_count() - the same of what was counted instead of recorded
 * @reader: a trace without records, for its schema; as above.
 * @text: the module's file counts.
 * @elapsed_ns: for how long it was counted.
 * @summary: receives the numbers.
 * @err: filled in on failure.
 * Return: 0, or as ct_counts_parse().
 */
int ct_summary_count(struct ct_reader *reader, const char *text, uint64_t elapsed_ns,
		     struct ct_summary **summary, struct ct_error *err);

/* Put the tables into the order in which they are shown. */
void ct_summary_sort(struct ct_summary *summary);

/* Faults with a flag of evidence, COWTRACE_EV_*. */
static inline uint64_t ct_summary_flagged(const struct ct_summary *summary, uint16_t flag)
{
	return summary->evidence[__builtin_ctz(flag)];
}

void ct_summary_free(struct ct_summary *summary);

#endif /* COWTRACE_SUMMARY_H */
