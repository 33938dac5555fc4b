/* SPDX-License-Identifier: GPL-2.0 */
/*
 * group_ksm: pages that ksmd merges (group_ksm.c), how they are broken again
 * (group_ksm_break.c), and both as lines (group_ksm_print.c).
 */
#ifndef COW_GROUP_KSM_PARTS_H
#define COW_GROUP_KSM_PARTS_H

#include <linux/atomic.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "compat/compat.h"
#include "groups.h"

/* What is counted, and the name of each in the group's stats. */
#define KSM_COUNTS(X)								\
	X(FIRST, "merged_first")	/* pages made KSM pages */		\
	X(JOINED, "merged_joined")	/* PTEs given one instead of their own */	\
	X(INHERITED, "inherited")	/* PTEs that fork had given one */	\
	X(GAVE_UP, "gave_up")		/* neither */				\
	X(ZERO_MERGED, "zero_merged")	/* PTEs given the zero page */		\
	X(WRITE, "broken_write")	/* copied because somebody wrote */	\
	X(UNSHARE, "broken_unshare")	/* ... pinned it for reading */		\
	X(REMOTE, "broken_remote")	/* ... wrote by ptrace or /proc/PID/mem */	\
	X(UNMERGE, "broken_unmerge")	/* ... asked for MADV_UNMERGEABLE */	\
	X(OFF, "broken_off")		/* ... wrote 2 to ksm/run */		\
	X(UNDONE, "broken_undone")	/* ksmd found no second page after all */	\
	X(ZERO_BROKEN, "zero_broken")	/* zero pages of KSM copied, by whatever */	\
	X(ONE_USER, "one_user")		/* copies of a page mapped once */	\
	X(ONE_HOLD, "one_reference")	/* ... and referenced once */		\
	X(RACED, "raced")		/* somebody else broke it meanwhile */	\
	X(OOM, "oom")			/* no memory for the copy */		\
	X(RETRIED, "retried")		/* the fault has to begin again */	\
	X(UNWITNESSED, "unwitnessed")	/* copies known by the PTE alone */	\
	X(UNMARKED, "unmarked")		/* calls whose breaks got no cause */	\
	X(ADDED, "items_added")		/* into the stable tree */		\
	X(REMOVED, "items_removed")	/* out of it */				\
	X(EXITS, "exits")		/* of processes that KSM looked at */

enum ksm_count {
#define KSM_COUNT(id, name)	KSM_##id,
	KSM_COUNTS(KSM_COUNT)
#undef KSM_COUNT
	KSM_NR_COUNTS
};

/* Words of events. */
enum ksm_type { KSM_EV_MERGE, KSM_EV_ZERO, KSM_EV_BREAK, KSM_EV_REMOVE, KSM_EV_EXIT };

/**
 * struct ksm_event - one event
 * @head: what all events have.
 * @mm: of the page table; only its identity counts.
 * @address: of the page in it.
 * @pfn: of the KSM page, 0 for the zero page.
 * @ns: that it took, as far as it takes any.
 * @users: PTEs that map the KSM page: after a merge, before a break.
 * @refs: references to it before a break.
 * @owner: process that @mm belongs to, 0 for none.
 * @what: enum ksm_count: how it was merged, or why it was broken.
 * @result: of a break: KSM_NR_COUNTS for a copy, else what it was instead.
 * @dead: of a removal: nobody used @mm any more. ksmd may come by before __ksm_exit()
 *	is called, which then is not.
 * @name: of the owner.
 */
struct ksm_event {
	struct cow_event	head;
	const struct mm_struct	*mm;
	unsigned long		address;
	u64			pfn;
	u64			ns;
	s32			users;
	s32			refs;
	u32			owner;
	u16			what;
	u16			result;
	bool			dead;
	char			name[TASK_COMM_LEN];
};

/* --- group_ksm_event.c ---------------------------------------------------------- */

void ksm_counts_clear(void);
void ksm_count(enum ksm_count what);
s64 ksm_counted(enum ksm_count what);

/* Fill in whose page table it is, and put the event into the log. */
void ksm_event(struct ksm_event *e);

/* --- group_ksm_break.c ---------------------------------------------------------- */

/* Forget all tasks. Context: nothing runs. */
void ksm_break_clear(void);

/**
 * struct ksm_break - a fault on a KSM page, while it lasts
 * @mm: it happens in.
 * @pmd: where its page table hangs.
 * @address: of the page.
 * @pfn: of the KSM page.
 * @began: ktime_get_mono_fast_ns() at entry.
 * @place: of the task among those at it, negative for none.
 * @users: see struct ksm_event.
 * @refs: likewise.
 * @cause: enum ksm_count.
 * @zero: it is the zero page.
 */
struct ksm_break {
	const struct mm_struct	*mm;
	const pmd_t		*pmd;
	unsigned long		address;
	u64			pfn;
	u64			began;
	int			place;
	s32			users;
	s32			refs;
	u16			cause;
	bool			zero;
};

/* Only where the kernel marks it can a zero page of KSM be told from any other. */
#ifdef COW_HAVE_KSM_ZERO_PTE
#define ksm_zero_told	1
#else
#define ksm_zero_told	0
#define is_ksm_zero_pte(pte)	false
#endif

bool ksm_wp_enter(void *data, struct pt_regs *regs);
void ksm_wp_leave(void *data, struct pt_regs *regs);
void ksm_flush_hit(struct pt_regs *regs);

/* What breaks pages for another cause than an access: which one stands in @data. */
bool ksm_madvise_enter(void *data, struct pt_regs *regs);
bool ksm_del_vmas_enter(void *data, struct pt_regs *regs);
bool ksm_run_enter(void *data, struct pt_regs *regs);
bool ksm_undo_enter(void *data, struct pt_regs *regs);
void ksm_cause_leave(void *data, struct pt_regs *regs);

/* --- group_ksm_print.c ---------------------------------------------------------- */

/* By enum ksm_count. */
extern const char * const ksm_count_names[];

/* Once before the first event. */
void ksm_print_init(void);
size_t ksm_print(char *buf, size_t size, const void *event);

#endif /* COW_GROUP_KSM_PARTS_H */
