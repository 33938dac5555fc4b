/* SPDX-License-Identifier: GPL-2.0 */
/* The task that faults: who it is, whether it is wanted, and its place among the faults. */
#ifndef COW_BPF_TASK_H
#define COW_BPF_TASK_H

#include <linux/ptrace.h>

#include "state.bpf.h"

static __always_inline __u32 tid_of_current(void)
{
	return bpf_get_current_pid_tgid();
}

static __always_inline __u32 switches_of(struct task_struct *task)
{
	return READ(task, nvcsw) + READ(task, nivcsw);
}

static __always_inline __u64 faults_of(struct task_struct *task)
{
	return READ(task, min_flt) + READ(task, maj_flt);
}

static __always_inline __u64 pgreuse(void)
{
	__u64 offset = read_at((const char *)&__per_cpu_offset + bpf_get_smp_processor_id() * 8);

	return read_at((const char *)&vm_event_states + offset +
		       bpf_core_enum_value(enum vm_event_item, PGREUSE___any) * 8);
}

/* Registers at the entry from user space: ptrace's, at the top of the stack. */
static __always_inline __u64 user_regs(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___any, BPF_FUNC_task_pt_regs___any))
		return (__u64)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	/* Kernels without that helper (until 5.14) put no padding there. */
	return (__u64)READ(task, stack) + (4 << PAGE_BITS) - sizeof(struct pt_regs);
}

static __always_inline void sample_ip(struct cowtrace_record *r, struct task_struct *task)
{
	__u64 regs;
	__u16 cs = 0;

	if (READ(task, flags) & COWTRACE_PF_KTHREAD)
		return;
	regs = user_regs(task);
	bpf_probe_read_kernel(&cs, sizeof(cs),
			      (void *)(regs + __builtin_offsetof(struct pt_regs, cs)));
	if ((cs & 3) != 3)
		return;
	r->ip = read_at((void *)(regs + __builtin_offsetof(struct pt_regs, rip)));
	r->present |= COWTRACE_HAS_IP;
}

static __always_inline bool wants_comm(struct task_struct *task)
{
	char comm[COWTRACE_COMM_LEN] = {};

	bpf_core_read(comm, sizeof(comm), &task->comm);
#pragma unroll
	for (int i = 0; i < COWTRACE_COMM_LEN; i++) {
		if (comm[i] != settings.comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

/* Where it stands whether a process is traced. */
static __always_inline __u8 *member(__u32 tgid)
{
	__u32 page = tgid / COW_BPF_PAGE;
	struct pids *p = bpf_map_lookup_elem(&members, &page);

	return p ? &p->is_member[tgid % COW_BPF_PAGE] : NULL;
}

static __always_inline bool is_member(__u32 tgid)
{
	__u8 *m = member(tgid);

	return m && *m;
}

static __always_inline bool wants_task(void)
{
	__u64 ids = bpf_get_current_pid_tgid();
	__u32 tgid = ids >> 32;

	if (settings.by_tree && !is_member(tgid))
		return false;
	if (settings.pid != COW_BPF_ANY && settings.pid != (__u32)ids)
		return false;
	if (settings.tgid != COW_BPF_ANY && settings.tgid != tgid)
		return false;
	if (settings.uid != COW_BPF_ANY && settings.uid != (__u32)bpf_get_current_uid_gid())
		return false;
	return !settings.by_comm || wants_comm((void *)bpf_get_current_task());
}

/* A place for a fault that begins, or NULL. */
static __always_inline struct inflight *place_for(__u64 id, struct cow_bpf_counters *c)
{
	struct place at = { tid_of_current(), 0 };
	struct inflight *f;

	if (bpf_map_update_elem(&inflight, &at, &nothing, BPF_NOEXIST)) {
		f = bpf_map_lookup_elem(&inflight, &at);
		if (!f)
			goto full;
		if (f->id == id) {
			/* The same cannot begin twice: its exit was not shown. */
			COUNT(c, skipped_exits);
		} else {
			/* A fault inside a fault: page_mkwrite() of a file system. */
			f->inner = 1;
			at.depth = 1;
		}
		if (bpf_map_update_elem(&inflight, &at, &nothing, BPF_ANY))
			goto full;
	}
	f = bpf_map_lookup_elem(&inflight, &at);
	if (f) {
		f->id = id;
		return f;
	}
full:
	COUNT(c, no_instance);
	return NULL;
}

/* The fault of this task that is @id, or, of 0, the innermost of the path. */
static __always_inline struct inflight *find(struct place *at, __u64 id, __u8 path)
{
	struct inflight *f, *inner;

	at->tid = tid_of_current();
	at->depth = 0;
	f = bpf_map_lookup_elem(&inflight, at);
	if (!f)
		return NULL;
	if (f->inner) {
		at->depth = 1;
		inner = bpf_map_lookup_elem(&inflight, at);
		if (inner && inner->r.path == path && (!id || inner->id == id))
			return inner;
		at->depth = 0;
	}
	return f->r.path == path && (!id || f->id == id) ? f : NULL;
}

static __always_inline void forget(struct place *at)
{
	struct place outer = *at;
	struct inflight *f;

	bpf_map_delete_elem(&inflight, at);
	if (!at->depth)
		return;
	outer.depth = 0;
	f = bpf_map_lookup_elem(&inflight, &outer);
	if (f)
		f->inner = 0;
}

#endif /* COW_BPF_TASK_H */
