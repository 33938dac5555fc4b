/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace: where each fault went, as both backends count it in "stats". */
#ifndef COWTRACE_COUNTERS_H
#define COWTRACE_COUNTERS_H

/* X(name, sentence): the stages, in the order of the identities. */
#define COWTRACE_COUNTERS(X)						\
	X(entries,	  "faults that the probes saw, on all paths")	\
	X(pmd_entries,	  "of these, calls of do_huge_pmd_wp_page(), not part of any sum") \
	X(hugetlb_entries, "of these, calls of hugetlb_wp(), not part of any sum") \
	X(proofs,	  "calls that the module provoked itself, beside entries") \
	X(filtered_entry, "rejected by a filter at entry")		\
	X(sampled_out,	  "left out by sample_every")			\
	X(nested,	  "entered while this CPU was inside a handler") \
	X(unread,	  "whose arguments were not understood")	\
	X(handed_on,	  "sampled, and waiting for their exit")	\
	X(exits,	  "exits that came")				\
	X(recorded,	  "handed to a reader's buffer or to the tracepoint") \
	X(counted,	  "counted without a record, in the mode counts") \
	X(filtered_exit,  "rejected by a filter at exit")		\
	X(dropped_full,	  "lost: the buffer was full")			\
	X(events_dropped, "lines lost to the events file, not part of any sum") \
	X(stale_exits,	  "exits of an earlier session, not part of any sum") \
	X(wp_copy_hits,	  "calls that the witnesses saw, not part of any sum") \
	X(wp_reuse_hits,  "likewise")					\
	X(pmd_reuse_hits, "likewise")					\
	X(pmd_copy_hits,  "likewise")					\
	X(hugetlb_copy_hits, "likewise")				\
	X(witness_lost,	  "faults that the witness could not settle, not part of any sum")

#endif /* COWTRACE_COUNTERS_H */
