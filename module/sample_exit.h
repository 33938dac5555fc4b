/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sample_exit: what the exit of a fault adds to its entry, for a record. Inlined into
 * the one handler of all exits.
 */
#ifndef COW_SAMPLE_EXIT_H
#define COW_SAMPLE_EXIT_H

#include <linux/cred.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uidgid.h>
#include <cowtrace/record.h>

#include "caller.h"
#include "clock.h"
#include "compat/compat.h"
#include "sample_entry.h"

/**
 * struct left - what the exit adds to the fields of the entry
 * @new_pfn: see struct cowtrace_record, as for the others.
 */
struct left {
	u64	new_pfn;
	u32	state;
	u16	evidence;
	u16	present;
};

static __always_inline void exit_page(struct left *l, u64 old_pfn, u64 pfn, bool write, bool dirty)
{
	l->present |= COWTRACE_HAS_NEW_PFN;
	l->new_pfn = pfn;
	if ((l->state & COWTRACE_PG_ANON) && pfn == old_pfn &&
	    cow_anon_exclusive(pfn_to_page(pfn)))
		l->state |= COWTRACE_EXIT_EXCLUSIVE;
	l->state |= COWTRACE_EXIT_PRESENT | (write ? COWTRACE_EXIT_WRITE : 0) |
		    (dirty ? COWTRACE_EXIT_DIRTY : 0);
}

static __always_inline void exit_pte(struct left *l, u64 old_pfn, pte_t pte)
{
	l->evidence |= COWTRACE_EV_PTE;
	if (pte_present(pte))
		exit_page(l, old_pfn, pte_pfn(pte), pte_write(pte), pte_dirty(pte));
}

/*
 * Page tables may be freed under us from 6.12 on, but only after an RCU grace
 * period, which waits for who has preemption off, as we have; the PMD table stays
 * as long as the mmap or VMA lock is held.
 */
static __always_inline void exit_table(struct left *l, const struct cow_entry *e)
{
	pte_t *slot = cow_pte_slot(READ_ONCE(*(pmd_t *)e->s.slot), e->s.address);

	if (likely(slot))
		exit_pte(l, e->s.pfn, ptep_get(slot));
}

static inline void exit_pmd(struct left *l, u64 old_pfn, pmd_t pmd)
{
	l->evidence |= COWTRACE_EV_PTE;
	if (!pmd_present(pmd))
		return;
	if (pmd_trans_huge(pmd))
		exit_page(l, old_pfn, pmd_pfn(pmd), pmd_write(pmd), pmd_dirty(pmd));
	else
		l->state |= COWTRACE_EXIT_TABLE;
}

static __always_inline void exit_slot(struct left *l, const struct cow_entry *e, unsigned long ret)
{
	if (unlikely(ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_COMPLETED))) {
		/* The lock was dropped: mapping and page tables may be gone. */
		l->evidence |= COWTRACE_EV_UNLOCKED;
		return;
	}
	if (atomic_read(&e->mm->mm_users) != 1)
		l->evidence &= ~COWTRACE_EV_ALONE;
	if (unlikely(e->s.path == COWTRACE_PATH_PMD))
		exit_pmd(l, e->s.pfn, READ_ONCE(*(pmd_t *)e->s.slot));
	else if (unlikely(e->s.path == COWTRACE_PATH_HUGETLB))
		exit_pte(l, e->s.pfn, ptep_get(e->s.slot));
	else
		exit_table(l, e);
}

/*
 * wp_page_reuse() counts in the event pgreuse of its CPU. A task that never left
 * its CPU had it to itself: the difference is its own doing.
 */
static __always_inline void exit_count(struct left *l, const struct cow_entry *e)
{
	u32 reuses = cow_pgreuse() - e->pgreuse;

	if (reuses > 1 || !cow_stayed(e))
		return;
	l->evidence |= reuses ? COWTRACE_EV_COUNTED | COWTRACE_EV_REUSED : COWTRACE_EV_COUNTED;
}

/*
 * The page may have been freed since. Its flags are read bare: what asks for the
 * head of a folio must hold a reference to it.
 */
static __always_inline void exit_flags(struct left *l, u64 pfn)
{
	unsigned long flags = cow_page_flags(pfn_to_page(pfn));

	if (!(l->state & COWTRACE_PG_LRU) && (flags & BIT(PG_lru)))
		l->state |= COWTRACE_EXIT_LRU;
	if (l->state & COWTRACE_PG_SWAPCACHE)
		l->state |= cow_in_swapcache(flags) ? COWTRACE_EXIT_SWAPCACHE :
						      COWTRACE_EXIT_UNCACHED;
}

static __always_inline struct left look_again(const struct cow_entry *e, unsigned long ret)
{
	struct left l = {
		.state		= e->s.state,
		.evidence	= e->s.evidence,
		.present	= e->s.present,
	};

	exit_slot(&l, e, ret);
	if (unlikely(e->s.path != COWTRACE_PATH_PTE))
		return l;
	/* vmf stands on the caller's stack, whatever became of the locks. */
	if (unlikely(l.state & COWTRACE_PTE_UFFD_WP) && !cow_pte_uffd_wp(e->vmf->orig_pte))
		l.state |= COWTRACE_EXIT_UFFD_ASYNC;
	exit_count(&l, e);
	/*
	 * With the lock the page may have gone, and its memory been removed; after the copy, while
	 * the task was off its CPU, too.
	 */
	if ((l.state & COWTRACE_PG_ANON) && !e->s.order && !(l.evidence & COWTRACE_EV_UNLOCKED) &&
	    (likely(cow_stayed(e)) || pfn_to_online_page(e->s.pfn)))
		exit_flags(&l, e->s.pfn);
	return l;
}

/* What entry and record have in common, eight bytes at a time. */
static __always_inline void move_sampled(struct cowtrace_record *r, const struct cow_sampled *s)
{
	enum { FIRST = offsetof(struct cowtrace_record, address) / sizeof(u64) };
	const u64 *from = (const u64 *)s;
	u64 *to = (u64 *)r + FIRST;
	int i;

	BUILD_BUG_ON(sizeof(*r) - FIRST * sizeof(u64) != sizeof(*s));
#define SAME(field)	BUILD_BUG_ON(offsetof(struct cowtrace_record, field) !=		\
				     offsetof(struct cow_sampled, field) + FIRST * sizeof(u64))
	SAME(pfn);
	SAME(fault_flags);
	SAME(refcount);
	SAME(state);
	SAME(path);
	SAME(node);
#pragma GCC unroll 16
	for (i = 0; i < sizeof(*s) / sizeof(u64); i++)
		to[i] = from[i];
}

/* Who it was, and when. */
static __always_inline void stamp(struct cowtrace_record *r)
{
	const struct task_struct *task = current;

	r->cpu = smp_processor_id();
	r->type = COWTRACE_TYPE_FAULT;
	r->magic = COWTRACE_RECORD_MAGIC;
	r->pid = task->pid;
	r->tgid = task->tgid;
	/* Of the initial namespace, where ids are what they are. */
	r->uid = __kuid_val(current_uid());
	/* Another task may rename this one at any time; each byte is then old or new. */
	data_race(memcpy(r->comm, task->comm, sizeof(r->comm)));
	r->comm[sizeof(r->comm) - 1] = '\0';
}

static __always_inline void clock(struct cowtrace_record *r, const struct cow_entry *e)
{
	u64 now, duration = cow_elapsed_ns(e->began, &now);

	r->time_ns = now - duration;
	r->duration_ns = min_t(u64, duration, U32_MAX);
}

/**
 * cow_sample_exit() - make a record of the entry and of what is left at exit
 * @r: filled but for seq, outcome and reason.
 * @e: the entry.
 * @ret: return value of the function.
 * @ret_ip: its return address, for an entry that did not find it.
 * @named: somebody will read the task's names and numbers.
 * @timed: somebody will read the time; 0 if not.
 *
 * Context: preemption off, no ptl but on the hugetlb path; mmap or VMA lock held
 * unless @ret says that it was dropped.
 */
static __always_inline void cow_sample_exit(struct cowtrace_record *r, const struct cow_entry *e,
					    unsigned long ret, unsigned long ret_ip, bool named,
					    bool timed)
{
	struct left l = look_again(e, ret);

	if (timed)
		clock(r, e);
	else
		r->duration_ns = 0;
	move_sampled(r, &e->s);
	if (named)
		stamp(r);
	r->new_pfn = l.new_pfn;
	r->ret = ret;
	r->state = l.state;
	r->evidence = l.evidence;
	r->present = l.present;
	if (unlikely(r->origin == COWTRACE_ORIGIN_UNKNOWN) && r->path == COWTRACE_PATH_PTE)
		r->origin = origin_by(cow_caller(ret_ip), origin_of(e->mm, r->fault_flags));
}

#endif /* COW_SAMPLE_EXIT_H */
