/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger of KSM: each PTE that ksmd merged, and what ended that. Made from the events
 * of the group ksm, which the module has in the order in which they happened.
 */
#ifndef COWTRACE_KSM_H
#define COWTRACE_KSM_H

#include <stdbool.h>
#include <stdint.h>

#include "group.h"
#include "map.h"
#include "reader.h"

/* X(name, word, sentence): how a PTE came to a KSM page. The words are the module's. */
#define CT_KSM_HOWS(X)								\
	X(FIRST,	"first",	"the first of a content: its page became the KSM page") \
	X(JOINED,	"joined",	"its page was freed, it maps the KSM page") \
	X(INHERITED,	"inherited",	"fork had given it the KSM page, ksmd found it")

/*
 * X(name, word, sentence): what ended it. Up to CT_KSM_UNDONE the words are the module's,
 * and the end is a copy.
 */
#define CT_KSM_ENDS(X)								\
	X(WRITE,	"write",	"copied for a write")			\
	X(UNSHARE,	"unshare",	"copied for a read-only pin")		\
	X(REMOTE,	"remote",	"copied for a write by ptrace, /proc/PID/mem or the like") \
	X(UNMERGE,	"unmerge",	"copied for MADV_UNMERGEABLE, mremap() or PR_SET_MEMORY_MERGE") \
	X(OFF,		"off",		"copied because KSM was switched off (2 in ksm/run)") \
	X(UNDONE,	"undone",	"copied by ksmd, which found no second page after all") \
	X(EXIT,		"exit",		"its process ended or called exec()")	\
	X(GONE,		"unmapped",	"unmapped, discarded or swapped out; ksmd found out later")

#define CT_KSM_HOW_(name, word, sentence)	CT_KSM_##name,
enum ct_ksm_how { CT_KSM_HOWS(CT_KSM_HOW_) CT_NR_KSM_HOWS };
enum ct_ksm_end { CT_KSM_ENDS(CT_KSM_HOW_) CT_NR_KSM_ENDS };

extern const char * const ct_ksm_how_words[CT_NR_KSM_HOWS];
extern const char * const ct_ksm_how_sentences[CT_NR_KSM_HOWS];
extern const char * const ct_ksm_end_words[CT_NR_KSM_ENDS];
extern const char * const ct_ksm_end_sentences[CT_NR_KSM_ENDS];

/* Ends that are copies, and of these the ones that some access asked for. */
#define CT_KSM_COPIES		CT_KSM_EXIT
#define CT_KSM_ACCESSES		CT_KSM_UNMERGE

/* A merge that lasts less, ns, was in vain, unless the user says otherwise. */
#define CT_KSM_IN_VAIN		1000000000ull
#define CT_KSM_LIVES		64

/**
 * struct ct_ksm_ended - merges with the same end
 * @merges: of which the trace has the beginning.
 * @others: ends of which it does not: merged before it, or shared by a fork that ksmd had
 *	not noticed.
 * @copy_ns: time of the copies, both.
 * @lives: @merges by how long they lasted, floor(log2(ns)); for CT_KSM_GONE at most that.
 */
struct ct_ksm_ended {
	uint64_t	merges;
	uint64_t	others;
	uint64_t	copy_ns;
	uint64_t	lives[CT_KSM_LIVES];
};

/**
 * struct ct_ksm_vain - merges that an access broke before they had lasted long enough
 * @merges: how many.
 * @merge_ns: what ksmd took for them.
 * @copy_ns: what their copies took.
 * @example: number of the event of the last of these copies, 0 for none.
 */
struct ct_ksm_vain {
	uint64_t	merges;
	uint64_t	merge_ns;
	uint64_t	copy_ns;
	uint32_t	example;
};

/**
 * struct ct_ksm_process - one process
 * @tgid: its number; 0 where the kernel did not know whose page tables they were.
 * @name: at its first event.
 * @merges: PTEs of it that were merged.
 * @ended: of these, by end.
 * @others: copies of merges that the trace does not have.
 * @one_user: copies of a page that nobody else mapped.
 * @vain: merges in vain.
 */
struct ct_ksm_process {
	uint32_t	tgid;
	char		name[20];
	uint64_t	merges;
	uint64_t	ended[CT_NR_KSM_ENDS];
	uint64_t	others;
	uint64_t	one_user;
	struct ct_ksm_vain vain;
};

/**
 * struct ct_ksm_page - one content, which is one KSM page
 * @pfn: of it.
 * @merges: PTEs that were merged into it.
 * @live: of these, which still are at the end of the trace.
 * @most: PTEs that mapped it at the same time, as far as events tell.
 * @copies: of it.
 * @vain: of @merges, in vain.
 */
struct ct_ksm_page {
	uint64_t	pfn;
	uint64_t	merges;
	uint64_t	live;
	uint64_t	most;
	uint64_t	copies;
	uint64_t	vain;
};

/**
 * struct ct_ksm_zero - PTEs that were given the zero page
 * @merges: how many.
 * @merge_ns: what ksmd took for them.
 * @copies: of them, as far as the kernel tells.
 * @exits: processes that ended took these with them.
 * @unseen: merged again before an end was seen: unmapped, or copied where no kernel tells.
 * @live: the rest, at the end of the trace; on a kernel that does not tell, at most.
 */
struct ct_ksm_zero {
	uint64_t	merges;
	uint64_t	merge_ns;
	uint64_t	copies;
	uint64_t	exits;
	uint64_t	unseen;
	uint64_t	live;
};

/**
 * struct ct_ksm - the ledger
 * @in_vain: a merge that lasts less, ns, was in vain.
 * @how: merges by how.
 * @merge_ns: what ksmd took for them.
 * @ended: by end.
 * @live: merges that last at the end of the trace.
 * @copies: of KSM pages, whatever for.
 * @one_user: of these, of a page that nobody else mapped.
 * @one_reference: of these, of a page that nobody else referred to either.
 * @one_user_example: number of the event of the last of @one_user, 0 for none.
 * @raced: faults whose PTE somebody else had changed.
 * @oom: faults without memory for the copy.
 * @retried: faults that had to begin again.
 * @vain: merges in vain.
 * @zero: what was merged into the zero page.
 * @processes: in the order of their first event.
 * @nr_processes: how many.
 * @pages: likewise.
 * @nr_pages: how many.
 * @info: what the trace has of the group.
 * @books: what is looked up.
 */
struct ct_ksm {
	uint64_t		in_vain;
	uint64_t		how[CT_NR_KSM_HOWS];
	uint64_t		merge_ns;
	struct ct_ksm_ended	ended[CT_NR_KSM_ENDS];
	uint64_t		live;
	uint64_t		copies;
	uint64_t		one_user;
	uint64_t		one_reference;
	uint32_t		one_user_example;
	uint64_t		raced;
	uint64_t		oom;
	uint64_t		retried;
	struct ct_ksm_vain	vain;
	struct ct_ksm_zero	zero;
	struct ct_ksm_process	*processes;
	size_t			nr_processes;
	struct ct_ksm_page	*pages;
	size_t			nr_pages;
	struct ct_group_info	info;
	struct ct_ksm_books	*books;
};

/**
 * ct_ksm_load() - make the ledger of a trace
 * @reader: the trace.
 * @in_vain: see struct ct_ksm, ns.
 * @ksm: receives the ledger, to be freed by ct_ksm_free().
 * Return: 0 or -ENOMEM.
 */
int ct_ksm_load(struct ct_reader *reader, uint64_t in_vain, struct ct_ksm **ksm);

/* The same event by event. Return: NULL without memory; 0 or -ENOMEM. */
struct ct_ksm *ct_ksm_new(uint64_t in_vain);
int ct_ksm_take(struct ct_ksm *ksm, const struct ct_group_event *event);

void ct_ksm_free(struct ct_ksm *ksm);

/* All merges, and all of them that ended. merges - ended = live, always. */
uint64_t ct_ksm_merges(const struct ct_ksm *ksm);
uint64_t ct_ksm_ended(const struct ct_ksm *ksm);

#endif /* COWTRACE_KSM_H */
