/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contention: faults of one page frame at the same time, and what they did to
 * each other. Fed with records in the order in which faults ended, in memory
 * that does not grow with them.
 *
 * Two faults meet when both had the same frame at entry and their times overlap
 * by more than an instant. That is all that records show of an overlap: when a
 * fault held which lock within its time, they do not.
 *
 * A frame stands for a page as long as both faults are about pages of one sort;
 * the zero page and memory without struct page are the same frame for all, so
 * there only faults of one page of one process meet. What userfaultfd takes
 * waits for its monitor, not for another fault, and is left out.
 */
#ifndef COWTRACE_CONTENTION_H
#define COWTRACE_CONTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "histogram.h"
#include "map.h"

/* So many faults that ended last may be met by one that is still to come. */
#define CT_CONTENTION_WINDOW	65536u

/* So many pages are counted one by one; see struct ct_contention.pages_missing. */
#define CT_CONTENTION_PAGES	65536u

/*
 * What the faults of a group did to each other. A group may show several.
 * X(id, name, sentence)
 */
#define CT_MEETINGS(X)							\
	X(RACE, "race",							\
	  "one page-table entry: one fault did the work, another found it done") \
	X(RACE_UNSEEN, "race-unseen",					\
	  "a fault lost its page-table entry, to none of the faults seen here") \
	X(DOUBLE_COPY, "double-copy",					\
	  "all who mapped the page copied it: nobody needed the last copy") \
	X(COPY_REUSE, "copy-reuse",					\
	  "one copied, and so another could keep the page")		\
	X(COPIES, "copies",						\
	  "several copied, and the page may have other users")		\
	X(SPLITS, "splits",						\
	  "several split their own mapping of a huge page")		\
	X(LOCKED, "locked",						\
	  "a fault copied because somebody held the page lock")		\
	X(RETRY, "retry",						\
	  "a fault was asked to come again")				\
	X(PLAIN, "plain",						\
	  "nothing of the above")

#define CT_MEETING_ENUM_(id, n, s)	CT_MEETING_##id,
enum ct_meeting { CT_MEETINGS(CT_MEETING_ENUM_) CT_NR_MEETINGS };

extern const char * const ct_meeting_names[CT_NR_MEETINGS];
extern const char * const ct_meeting_sentences[CT_NR_MEETINGS];

/**
 * struct ct_met_count - groups of one kind
 * @groups: how many.
 * @faults: in them.
 * @ns: time of these faults.
 */
struct ct_met_count {
	uint64_t	groups;
	uint64_t	faults;
	uint64_t	ns;
};

/**
 * struct ct_met_kind - faults of one kind, those that met others and those alone
 * @path: enum cowtrace_path, UINT8_MAX for any number of a later schema; so the
 *	three that follow.
 * @kind: of page.
 * @outcome: of the fault.
 * @reason: of it.
 * @met: durations in ns of those that met another.
 * @alone: of those that met none.
 */
struct ct_met_kind {
	uint8_t		path;
	uint8_t		kind;
	uint8_t		outcome;
	uint8_t		reason;
	struct ct_histogram met;
	struct ct_histogram alone;
};

/**
 * struct ct_found_locked - faults that found PG_locked set at entry
 * @path: as in struct ct_met_kind; hugetlb faults hold the lock themselves and
 *	are not among them.
 * @outcome: what became of them.
 * @reason: why.
 * @faults: how many.
 * @met: of them, those that met another fault.
 * @ns: time of them.
 */
struct ct_found_locked {
	uint8_t		path;
	uint8_t		outcome;
	uint8_t		reason;
	uint64_t	faults;
	uint64_t	met;
	uint64_t	ns;
};

/**
 * struct ct_met_pair - two processes, or the threads of one
 * @a: caller's number of one process.
 * @b: of the other, not less than @a.
 * @pairs: two of their faults that met.
 * @both_copied: of these, both copied.
 * @one_reused: one copied, one reused.
 * @one_lost: one lost the page-table entry to the other.
 */
struct ct_met_pair {
	uint32_t	a;
	uint32_t	b;
	uint64_t	pairs;
	uint64_t	both_copied;
	uint64_t	one_reused;
	uint64_t	one_lost;
};

/**
 * struct ct_met_place - faults at one place that met others
 * @process: caller's number of the process; of pages only.
 * @site: caller's number of the code site; of sites only.
 * @address: of the page; of pages only.
 * @faults: that met others.
 * @copies: of them.
 * @raced: of them.
 * @ns: time of them.
 */
struct ct_met_place {
	uint32_t	process;
	uint32_t	site;
	uint64_t	address;
	uint64_t	faults;
	uint64_t	copies;
	uint64_t	raced;
	uint64_t	ns;
};

/**
 * struct ct_contention - what was counted
 * @groups: faults that met, directly or by one that met both.
 * @one_entry: of them, those of one page-table entry: threads.
 * @faults: in groups.
 * @ns: time of these.
 * @largest: faults in the largest group.
 * @meetings: by what the faults did to each other.
 * @touching: pairs that met at one instant alone, or have no time: the clock
 *	does not tell whether they met. In no group for that.
 * @early: faults that began before the window: some that they met may be missing.
 * @crowded: faults that met more than are looked at; likewise.
 * @raced: all faults that lost their page-table entry.
 * @raced_ns: time of them.
 * @raced_seen: of @raced, those that met the fault that did the work.
 * @raced_shown: of these, those whose entry showed the winner's page at exit.
 * @thrown: of @raced, those whose evidence says that they made a page for a copy,
 *	which nobody ever saw.
 * @thrown_ns: time of them.
 * @undecided: of @raced, those in a private mapping that may have mapped theirs.
 * @last_copies: copies that nobody needed, one a group of CT_MEETING_DOUBLE_COPY.
 * @last_ns: time of them.
 * @beside_copy: copies of which nothing explains a reference, and which began
 *	while another fault was copying the page: a copier holds one.
 * @lock_asked: faults that would have seen PG_locked.
 * @lock_held: of them, those that did.
 * @locked_copies: copies for the reason locked: the trylock failed.
 * @locked_ns: time of them.
 * @holder_seen: of @lock_held, those that began within a fault that takes the
 *	lock of its page (huge PMDs, shared mappings): it may have been the holder.
 *	Of the others no fault of that frame was: do_wp_page() locks no private page
 *	but one that nobody else maps, and under the page-table lock.
 * @kinds: by path, kind, outcome, reason; those that met most come first.
 * @nr_kinds: how many.
 * @locked: by path, outcome, reason; the most frequent first.
 * @nr_locked: how many.
 * @pairs: processes that met most come first.
 * @nr_pairs: how many.
 * @sites: code sites whose faults met most come first.
 * @nr_sites: how many.
 * @pages: pages whose faults met most come first.
 * @nr_pages: how many.
 * @pages_missing: at most so many faults of each page are not counted in @pages,
 *	because the table was full and the least of it was dropped.
 */
struct ct_contention {
	uint64_t	groups, one_entry, faults, ns, largest;
	struct ct_met_count meetings[CT_NR_MEETINGS];
	uint64_t	touching, early, crowded;
	uint64_t	raced, raced_ns, raced_seen, raced_shown;
	uint64_t	thrown, thrown_ns, undecided;
	uint64_t	last_copies, last_ns;
	uint64_t	beside_copy;
	uint64_t	lock_asked, lock_held, locked_copies, locked_ns, holder_seen;
	struct ct_met_kind *kinds;
	size_t		nr_kinds;
	struct ct_found_locked *locked;
	size_t		nr_locked;
	struct ct_met_pair *pairs;
	size_t		nr_pairs;
	struct ct_met_place *sites;
	size_t		nr_sites;
	struct ct_met_place *pages;
	size_t		nr_pages;
	uint64_t	pages_missing;
	/* Where a key stands in the tables above. */
	struct ct_map	kind_of, locked_of, pair_of, site_of, page_of;
	struct ct_window *window;
};

/* @page_size: bytes of a page of the traced machine. NULL without memory. */
struct ct_contention *ct_contention_new(uint64_t page_size);

void ct_contention_free(struct ct_contention *contention);

/**
 * ct_contention_take() - look at the next record
 * @contention: the accounting.
 * @record: comes after all whose faults ended before.
 * @process: the caller's number of its process.
 * @site: the caller's number of its code site, CT_MAP_NONE for none.
 * Return: 0 or -ENOMEM.
 */
int ct_contention_take(struct ct_contention *contention, const struct cowtrace_record *record,
		       uint32_t process, uint32_t site);

/* Count what is left and put the tables in order: there are no more records. */
int ct_contention_end(struct ct_contention *contention);

#endif /* COWTRACE_CONTENTION_H */
