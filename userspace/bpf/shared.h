/* SPDX-License-Identifier: GPL-2.0 */
/* What the BPF programs and their loader share: settings and counters. */
#ifndef COW_BPF_SHARED_H
#define COW_BPF_SHARED_H

#include <linux/types.h>

#include <cowtrace/counters.h>
#include <cowtrace/record.h>

#define COW_BPF_ANY	(~0u)
/* PID_MAX_LIMIT of the kernel, in pages of the map of processes, a byte each. */
#define COW_BPF_PIDS	(4u << 20)
#define COW_BPF_PAGE	4096u

/**
 * struct cow_bpf_settings - what is recorded; read at the entry of each fault
 * @enabled: faults are wanted.
 * @pid: thread id, or COW_BPF_ANY.
 * @tgid: process id, or COW_BPF_ANY.
 * @uid: real user id, or COW_BPF_ANY.
 * @by_comm: @comm must match.
 * @by_tree: the process must be a member.
 * @sample_below: taken is a fault whose random number is lower; COW_BPF_ANY for all.
 * @node_shift: where the node stands in the flags of a page; 0: there is one node.
 * @watched: paths whose witnesses are all attached, a bit each.
 * @callers: calls of do_swap_page() are seen.
 * @hugetlb_vmf: which argument of hugetlb_wp() is its vm_fault, from 1; 0: none.
 * @prover: thread whose faults are counted as proofs and nothing else.
 * @wake_at: bytes in the ring from which on its reader is woken.
 * @comm: command name, padded by NULs.
 */
struct cow_bpf_settings {
	__u32	enabled;
	__u32	pid;
	__u32	tgid;
	__u32	uid;
	__u32	by_comm;
	__u32	by_tree;
	__u32	sample_below;
	__u32	node_shift;
	__u32	watched;
	__u32	callers;
	__u32	hugetlb_vmf;
	__u32	prover;
	__u64	wake_at;
	char	comm[COWTRACE_COMM_LEN];
};

#define COW_BPF_COUNTER_(name, sentence)	__u64	name;

/**
 * struct cow_bpf_counters - one CPU's counters
 * @proofs_witnessed: proofs whose copy the witness saw.
 * @no_instance: faults for which there was no place to keep their entry.
 * @skipped_exits: entries whose exit the kernel did not show.
 *
 * The others are those of the module.
 */
struct cow_bpf_counters {
	COWTRACE_COUNTERS(COW_BPF_COUNTER_)
	__u64	proofs_witnessed;
	__u64	no_instance;
	__u64	skipped_exits;
};

/* Tasks that may be inside a fault at the same time. */
#define COW_BPF_INSTANCES	8192

#endif /* COW_BPF_SHARED_H */
