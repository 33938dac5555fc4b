/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Patterns of faults whose truth is known: what a record says against what the
 * kernel says elsewhere (pagemap, kpagecount, kpageflags, vmstat) and against
 * what the program did. Each runs in a process of its own, alone in the trace,
 * and is judged by the records of its pages.
 */
#ifndef COWTEST_TRUTH_H
#define COWTEST_TRUTH_H

#include "hold-client.h"
#include "lib.h"

/* Pages of most patterns. */
#define N	16

/* Who held a page, by all that is known but the record. */
struct held {
	int	total, mappings, swapcache, pagecache, lru, pins, others;
};

/* What the kernel counts: see count_before(). */
struct kernel_counts {
	long long pgreuse, thp_split_pmd, thp_fault_alloc, hugetlb_free;
};

/* What a pattern hands from its process to the judge; @n pages where not N. */
struct shared {
	uint32_t	tgid, tid, count[N];
	int		n;
	struct kernel_counts counts[2];
	/* When counts[0] began to be read, and when counts[1] was. */
	uint64_t	reading_ns, read_ns;
	uint64_t	pfn[N], new_pfn[N], mapcount[N], before_ns, after_ns;
	bool		ready;
	char		*page[N];
	struct held	held[N];
	char		why_not[128];
};

extern struct shared *sh;
/* Of this kernel: COWTRACE_TRAIT_*. */
extern uint32_t traits;

/**
 * struct pattern - faults and their truth
 * @name: of the claims that are not named otherwise.
 * @run: in a process of its own, while faults are recorded. Sets sh->ready, or
 *	sh->why_not where the kernel has no such thing.
 * @judge: the records.
 */
struct pattern {
	const char	*name;
	void		(*run)(void *unused);
	void		(*judge)(const struct trace *t);
};

/* Load the module, run and judge all. */
void truth_run(const struct pattern *patterns, size_t nr);
/*
 * The same while the kernel gives huge pages as @thp says: madvise to those alone
 * who ask; never also ends khugepaged, which empties the LRU batches of all CPUs
 * each time it scans. For madvise it would go on with what it knows already.
 */
void truth_run_thp(const char *thp, const struct pattern *patterns, size_t nr);

/* --- for what runs ------------------------------------------------------ */

/* Return: @good; else note @why_not, for which the pattern is skipped. */
bool given(bool good, const char *why_not);
/* These are the pages: @mem and what follows. */
void begin(char *mem);
/* To begin with: pages that were written, on LRU lists and in no batch. */
char *fresh_pages(void);
/*
 * The same in the swap cache, mapped by this process alone, their slots free but
 * for the cache; and merged by KSM. NULL, with sh->why_not, where there is none.
 */
char *pages_in_swap_cache(void);
char *pages_of_ksm(void);
/* What the kernel says of the pages before and after they are written. */
void note_before(void);
void note_after(void);
/* Write all pages, between the two. */
void write_pages(void);
/* A thread that writes the first page, and whose id is then sh->tid. */
void *write_first(void *mem);
void read_pages(void);
void read_one(const char *at);
/* Map @path privately or shared, N pages of it. */
char *map_file(const char *path, int flags);
/* Swap the pages out, however long it takes; false, with sh->why_not, when there is no swap. */
bool page_out(char *mem);
/*
 * Write-protect all memory, as soft-dirty tracking does. @mem was written before;
 * sets sh->why_not in a kernel without soft-dirty bits.
 */
void track_writes(const char *mem);

/* Hold the first @n pages of the pattern by @hold: see hold-client.h. */
void hold_pages(int hold, enum hold_kind kind, int n, uint32_t arg);
/* Put them into a pipe, which has a plain reference to each. */
void pipe_pages(char *mem, size_t pages);
/* Register them as a fixed buffer of io_uring, which pins them. */
void uring_pages(char *mem, size_t pages);

/* Write a setting of a control group: fails the suite. */
void group_set(const char *group, const char *file, const char *value);

/* --- for the judge ------------------------------------------------------ */

/* The only record of page @i; NULL when there is none or more. */
const struct cowtrace_record *only(const struct trace *t, int i);
/* The record number @nth, from 0, of page @i, in the order of time. */
const struct cowtrace_record *nth(const struct trace *t, int i, unsigned int nth);
/* All records of the pages. */
size_t records(const struct trace *t);
bool is(const struct cowtrace_record *r, int outcome, int reason, int kind, int origin);
/* The first of @n pages whose only record is not as it must be; @n for none. */
int bad_page(const struct trace *t, int n, int outcome, int reason, int kind, int origin);
/* Both pfns of the record are those that pagemap had for page @i. */
bool pfn_agrees(const struct cowtrace_record *r, int i);
/* Those of each page's only record are. */
bool pfns_agree(const struct trace *t);

#define IS(r, o, why, k, from)						\
	is(r, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, COWTRACE_KIND_##k, \
	   COWTRACE_ORIGIN_##from)

/* Check that the first n pages have that record and no other. */
#define FIRST(t, n, name, claim, o, why, k, from)			\
do {									\
	int bad_ = bad_page(t, n, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, \
			    COWTRACE_KIND_##k, COWTRACE_ORIGIN_##from);	\
									\
	check(bad_ == (n), name, claim, "page %d: %s", bad_,		\
	      record_text(bad_ < (n) ? only(t, bad_) : NULL));		\
} while (0)

#define ALL(t, name, claim, o, why, k, from)				\
	FIRST(t, N, name, claim, o, why, k, from)

/* Check one record. */
#define THAT(r, name, claim, o, why, k, from)				\
	check(IS(r, o, why, k, from), name, claim, "%s", record_text(r))

#endif /* COWTEST_TRUTH_H */
