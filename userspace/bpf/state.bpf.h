/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs keep: settings, counters, and the faults that are under way. */
#ifndef COW_BPF_STATE_H
#define COW_BPF_STATE_H

#include "kernel.bpf.h"
#include "page.bpf.h"
#include "shared.h"

struct cow_bpf_settings settings;

enum { SAW_COPY = 1, SAW_REUSE = 2 };

/**
 * struct inflight - a fault between its entry and its exit
 * @r: the record, as far as the entry knows it.
 * @id: of the fault in its task: address of its vm_fault or of its entry.
 * @vmf: 0 on the hugetlb path of kernels that have none there.
 * @slot: address of the PMD; on the hugetlb path of the entry.
 * @pgreuse: reuses that the CPU had counted.
 * @switches: how often the task had left its CPU.
 * @saw: SAW_*, of the witnesses.
 * @inner: another fault of the task began inside this one.
 * @proof: the loader provoked it.
 */
struct inflight {
	struct cowtrace_record r;
	__u64	id;
	__u64	vmf;
	__u64	vma;
	__u64	mm;
	__u64	slot;
	__u64	pgreuse;
	__u32	switches;
	__u8	saw;
	__u8	inner;
	__u8	proof;
};

struct place {
	__u32	tid;
	__u32	depth;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COW_BPF_INSTANCES);
	__type(key, struct place);
	__type(value, struct inflight);
} inflight SEC(".maps");

/* Tasks inside do_swap_page(), by the vm_fault that they have there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COW_BPF_INSTANCES);
	__type(key, __u32);
	__type(value, __u64);
} swapping SEC(".maps");

/* Accesses that have just split their huge PMD. */
struct split {
	__u64	address;
	__u64	faults;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, COW_BPF_INSTANCES);
	__type(key, __u32);
	__type(value, struct split);
} splits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cow_bpf_counters);
} counters SEC(".maps");

/* Which processes are traced, a byte each. */
struct pids {
	__u8	is_member[COW_BPF_PAGE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COW_BPF_PIDS / COW_BPF_PAGE);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct pids);
} members SEC(".maps");

/* Size set by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* In memory, where the verifier forgets what a comparison told of a value. */
struct table {
	__u64	first;
	__u64	end;
	__u64	base;
	__u64	mapped;
	__u64	pte[PTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table);
} tables SEC(".maps");

static const struct inflight nothing;

static __always_inline struct cow_bpf_counters *my_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* Another task may take the CPU in between. */
#define COUNT(c, name)	__sync_fetch_and_add(&(c)->name, 1)

#endif /* COW_BPF_STATE_H */
