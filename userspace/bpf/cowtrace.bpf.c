// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF backend: at entry and exit of each write-protect fault the sample that the
 * module takes. The verdict on it is found by whoever reads the ring, with the functions
 * that the module has.
 *
 * A fault is known by its task, and in the task by the address of its vm_fault: a copy's
 * or a reuse's witness belongs to the fault of the same task, mapping and address. No
 * return address is looked at, so no other tracer can hide one.
 */
#include "entry.bpf.h"
#include "exit.bpf.h"
#include "huge.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Of arguments vma is the one that @first counts from 1, and address follows it. */
#define WITNESS(name, path, what, first)					\
static __always_inline int name##_hit(__u64 vma, __u64 address)			\
{										\
	struct cow_bpf_counters *c = my_counters();				\
										\
	if (c)									\
		COUNT(c, name##_hits);						\
	return testify(path, what, vma, address);				\
}										\
										\
SEC("fentry")									\
int name(__u64 *ctx)								\
{										\
	return name##_hit(ctx[(first) - 1], ctx[first]);			\
}										\
										\
SEC("kprobe")									\
int name##_kprobe(struct pt_regs *ctx)						\
{										\
	return (first) == 1 ? name##_hit(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx)) : \
			      name##_hit(PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)); \
}

SEC("fentry/do_wp_page")
int wp_entry(__u64 *ctx)
{
	return wp_enter(ctx[0]);
}

SEC("fexit/do_wp_page")
int wp_exit(__u64 *ctx)
{
	return leave(ctx[0], COWTRACE_PATH_PTE, ctx[1]);
}

SEC("kprobe/do_wp_page")
int wp_entry_kprobe(struct pt_regs *ctx)
{
	return wp_enter(PT_REGS_PARM1(ctx));
}

SEC("kretprobe/do_wp_page")
int wp_exit_kprobe(struct pt_regs *ctx)
{
	return leave(0, COWTRACE_PATH_PTE, PT_REGS_RC(ctx));
}

WITNESS(wp_copy, COWTRACE_PATH_PTE, SAW_COPY, 2)

WITNESS(wp_reuse, COWTRACE_PATH_PTE, SAW_REUSE, 1)

static __always_inline int swap_begins(__u64 vmf)
{
	__u32 tid = tid_of_current();

	bpf_map_update_elem(&swapping, &tid, &vmf, BPF_ANY);
	return 0;
}

static __always_inline int swap_ends(void)
{
	__u32 tid = tid_of_current();

	bpf_map_delete_elem(&swapping, &tid);
	return 0;
}

SEC("fentry/do_swap_page")
int swap_entry_seen(__u64 *ctx)
{
	return swap_begins(ctx[0]);
}

SEC("fexit/do_swap_page")
int swap_exit_seen(void *ctx)
{
	(void)ctx;
	return swap_ends();
}

SEC("kprobe/do_swap_page")
int swap_entry_kprobe(struct pt_regs *ctx)
{
	return swap_begins(PT_REGS_PARM1(ctx));
}

SEC("kretprobe/do_swap_page")
int swap_exit_kprobe(struct pt_regs *ctx)
{
	(void)ctx;
	return swap_ends();
}

SEC("fentry/do_huge_pmd_wp_page")
int pmd_entry(__u64 *ctx)
{
	return pmd_enter(ctx[0], 0);
}

SEC("fexit/do_huge_pmd_wp_page")
int pmd_exit(__u64 *ctx)
{
	return leave(ctx[0], COWTRACE_PATH_PMD, ctx[1]);
}

SEC("kprobe/do_huge_pmd_wp_page")
int pmd_entry_kprobe(struct pt_regs *ctx)
{
	return pmd_enter(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx));
}

SEC("kretprobe/do_huge_pmd_wp_page")
int pmd_exit_kprobe(struct pt_regs *ctx)
{
	return leave(0, COWTRACE_PATH_PMD, PT_REGS_RC(ctx));
}

WITNESS(pmd_reuse, COWTRACE_PATH_PMD, SAW_REUSE, 1)

WITNESS(pmd_copy, COWTRACE_PATH_PMD, SAW_COPY, 1)

/* By the number of arguments: it is where the return value stands. */
SEC("fentry/hugetlb_wp")
int hugetlb_entry_1(__u64 *ctx)
{
	return hugetlb_enter(ctx[0], 0, 0, 0, 0);
}

SEC("fexit/hugetlb_wp")
int hugetlb_exit_1(__u64 *ctx)
{
	return leave(0, COWTRACE_PATH_HUGETLB, ctx[1]);
}

SEC("fentry/hugetlb_wp")
int hugetlb_entry_2(__u64 *ctx)
{
	return hugetlb_enter(ctx[0], ctx[1], 0, 0, 0);
}

SEC("fexit/hugetlb_wp")
int hugetlb_exit_2(__u64 *ctx)
{
	return leave(0, COWTRACE_PATH_HUGETLB, ctx[2]);
}

SEC("fentry/hugetlb_cow")
int hugetlb_entry_6(__u64 *ctx)
{
	return hugetlb_enter(ctx[0], ctx[1], ctx[2], ctx[3], ctx[4]);
}

SEC("fexit/hugetlb_cow")
int hugetlb_exit_6(__u64 *ctx)
{
	return leave(0, COWTRACE_PATH_HUGETLB, ctx[6]);
}

SEC("kprobe/hugetlb_wp")
int hugetlb_entry_kprobe(struct pt_regs *ctx)
{
	return hugetlb_enter(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx),
			     PT_REGS_PARM4(ctx), PT_REGS_PARM5(ctx));
}

SEC("kretprobe/hugetlb_wp")
int hugetlb_exit_kprobe(struct pt_regs *ctx)
{
	return leave(0, COWTRACE_PATH_HUGETLB, PT_REGS_RC(ctx));
}

WITNESS(hugetlb_copy, COWTRACE_PATH_HUGETLB, SAW_COPY, 2)

/* Called before the child can run, so it never faults outside the tree. */
SEC("raw_tp/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 parent = READ((struct task_struct *)ctx->args[0], tgid);
	__u32 child = READ((struct task_struct *)ctx->args[1], tgid);
	__u8 traced = is_member(parent), *its = member(child);

	if (child != parent && its && *its != traced)
		*its = traced;
	return 0;
}

/* With the last thread the id becomes free for a stranger. */
SEC("raw_tp/sched_process_exit")
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct signal_struct *signal = READ(task, signal);
	__u8 *its = member(READ(task, tgid));

	if (its && *its && !READ_ATOMIC(signal, live))
		*its = 0;
	return 0;
}
