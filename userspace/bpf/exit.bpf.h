/* SPDX-License-Identifier: GPL-2.0 */
/* The exit of a fault, as module/sample_exit.h, and what its witnesses saw. */
#ifndef COW_BPF_EXIT_H
#define COW_BPF_EXIT_H

#include "task.bpf.h"

static __always_inline void exit_entry(struct cowtrace_record *r, __u64 pfn, __u64 entry)
{
	r->present |= COWTRACE_HAS_NEW_PFN;
	r->new_pfn = pfn;
	if ((r->state & COWTRACE_PG_ANON) && pfn == r->pfn && is_exclusive(flags_of(page_of(pfn))))
		r->state |= COWTRACE_EXIT_EXCLUSIVE;
	r->state |= COWTRACE_EXIT_PRESENT;
	if (entry & COWTRACE_X86_RW)
		r->state |= COWTRACE_EXIT_WRITE;
	if (is_dirty(entry))
		r->state |= COWTRACE_EXIT_DIRTY;
}

static __always_inline void exit_pte(struct cowtrace_record *r, __u64 pte)
{
	r->evidence |= COWTRACE_EV_PTE;
	if (is_present(pte))
		exit_entry(r, pte_frame(pte), pte);
}

/* A program is an RCU reader, so that a page table does not go meanwhile. */
static __always_inline void exit_table(struct cowtrace_record *r, __u64 slot)
{
	__u64 table = table_of(read_at((void *)slot));

	if (table)
		exit_pte(r, read_at((void *)(table + (r->address >> PAGE_BITS) % PTES * 8)));
}

/* wp_page_reuse() counts in the event pgreuse of its CPU, see module/sample_exit.h. */
static __always_inline void exit_count(struct cowtrace_record *r, struct inflight *f)
{
	__u32 reuses = pgreuse() - f->pgreuse;

	if (reuses > 1 || switches_of((void *)bpf_get_current_task()) != f->switches)
		return;
	r->evidence |= reuses ? COWTRACE_EV_COUNTED | COWTRACE_EV_REUSED : COWTRACE_EV_COUNTED;
}

/* The page may have been freed since: its flags are read bare. */
static __always_inline void exit_flags(struct cowtrace_record *r)
{
	unsigned long flags = flags_of(page_of(r->pfn));

	if (!(r->state & COWTRACE_PG_LRU) && (flags & FLAG(PG_lru)))
		r->state |= COWTRACE_EXIT_LRU;
	if (r->state & COWTRACE_PG_SWAPCACHE)
		r->state |= in_swapcache(flags) ? COWTRACE_EXIT_SWAPCACHE :
						  COWTRACE_EXIT_UNCACHED;
}

/* Has the access just split its huge PMD? Notes stand until the next fault of the task. */
static __always_inline void exit_split(struct cowtrace_record *r, struct task_struct *task)
{
	__u32 tid = r->pid;
	struct split *s = bpf_map_lookup_elem(&splits, &tid);

	if (!s)
		return;
	if (s->address == r->address && s->faults == faults_of(task))
		r->state |= COWTRACE_AFTER_SPLIT;
	bpf_map_delete_elem(&splits, &tid);
}

static __always_inline void leave_wp(struct cowtrace_record *r, struct inflight *f,
				     struct task_struct *task)
{
	if (!(r->evidence & COWTRACE_EV_UNLOCKED))
		exit_table(r, f->slot);
	/* vmf stands on the caller's stack, whatever became of the locks. */
	if ((r->state & COWTRACE_PTE_UFFD_WP) &&
	    !(READ((struct vm_fault *)f->vmf, orig_pte.pte) & COWTRACE_X86_UFFD_WP))
		r->state |= COWTRACE_EXIT_UFFD_ASYNC;
	exit_count(r, f);
	if ((r->state & COWTRACE_PG_ANON) && !r->order && !(r->evidence & COWTRACE_EV_UNLOCKED))
		exit_flags(r);
	exit_split(r, task);
}

static __always_inline void leave_pmd(struct cowtrace_record *r, struct inflight *f,
				      struct task_struct *task)
{
	struct split split = {};
	__u32 tid = r->pid;
	__u64 pmd;

	if (!(r->evidence & COWTRACE_EV_UNLOCKED)) {
		pmd = read_at((void *)f->slot);
		r->evidence |= COWTRACE_EV_PTE;
		if (pmd & COWTRACE_X86_PSE)
			exit_entry(r, pmd_frame(pmd), pmd);
		else if (is_present(pmd))
			r->state |= COWTRACE_EXIT_TABLE;
	}
	if (!(r->ret & COWTRACE_FAULT_FALLBACK))
		return;
	/* It was split: this access goes on with a fault of one PTE. */
	split.address = r->address;
	split.faults = faults_of(task);
	bpf_map_update_elem(&splits, &tid, &split, BPF_ANY);
}

static __always_inline void leave_hugetlb(struct cowtrace_record *r, struct inflight *f)
{
	if (!(r->evidence & COWTRACE_EV_UNLOCKED))
		exit_pte(r, read_at((void *)f->slot));
}

static __always_inline void stamp(struct cowtrace_record *r, struct task_struct *task,
				  const struct cow_bpf_counters *c)
{
	__u64 ids = bpf_get_current_pid_tgid();
	__u64 ns = bpf_ktime_get_ns() - r->time_ns;

	r->duration_ns = ns > ~0u ? ~0u : ns;
	r->cpu = bpf_get_smp_processor_id();
	r->type = COWTRACE_TYPE_FAULT;
	r->magic = COWTRACE_RECORD_MAGIC;
	r->pid = ids;
	r->tgid = ids >> 32;
	r->uid = bpf_get_current_uid_gid();
	bpf_core_read(r->comm, sizeof(r->comm), &task->comm);
	r->comm[sizeof(r->comm) - 1] = '\0';
	/* The reader numbers the records; here it learns how many this CPU has lost. */
	r->seq = c->dropped_full;
}

static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= settings.wake_at ?
	       BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* The end of a fault. @id: 0 where a return probe does not know the arguments. */
static __always_inline int leave(__u64 id, __u8 path, __u64 ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cow_bpf_counters *c = my_counters();
	struct cowtrace_record *r;
	struct inflight *f;
	struct place at;

	if (!c)
		return 0;
	f = find(&at, id, path);
	if (!f)
		return 0;
	if (f->proof) {
		COUNT(c, proofs);
		if (f->saw & SAW_COPY)
			COUNT(c, proofs_witnessed);
		forget(&at);
		return 0;
	}
	COUNT(c, exits);
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		COUNT(c, dropped_full);
		forget(&at);
		return 0;
	}
	__builtin_memcpy(r, &f->r, sizeof(*r));
	r->ret = ret;
	stamp(r, task, c);
	if (f->saw & SAW_COPY)
		r->evidence |= COWTRACE_EV_WITNESS;
	/* With the lock mapping and page tables may have gone. */
	if (ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_COMPLETED))
		r->evidence |= COWTRACE_EV_UNLOCKED;
	else if (READ_ATOMIC((struct mm_struct *)f->mm, mm_users) != 1)
		r->evidence &= ~COWTRACE_EV_ALONE;
	if (path == COWTRACE_PATH_PMD)
		leave_pmd(r, f, task);
	else if (path == COWTRACE_PATH_HUGETLB)
		leave_hugetlb(r, f);
	else
		leave_wp(r, f, task);
	if (f->saw & SAW_REUSE)
		r->evidence |= COWTRACE_EV_REUSED;
	forget(&at);
	COUNT(c, recorded);
	bpf_ringbuf_submit(r, wakeup());
	return 0;
}

static __always_inline int testify(__u8 path, __u8 what, __u64 vma, __u64 address)
{
	struct place at;
	struct inflight *f = find(&at, 0, path);
	__u64 bits = PAGE_BITS;

	if (!f)
		return 0;
	if (path == COWTRACE_PATH_PMD)
		bits += COWTRACE_PMD_ORDER;
	else if (path == COWTRACE_PATH_HUGETLB)
		bits += f->r.order & 31;
	/* Inside this fault only the fault itself maps or keeps this page. */
	if (f->vma == vma && !((f->r.address ^ address) >> bits))
		f->saw |= what;
	return 0;
}

#endif /* COW_BPF_EXIT_H */
