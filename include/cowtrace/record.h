/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the record of one write-protect fault.
 *
 * This header is the binary contract between cowtrace.ko, which writes one
 * record a fault into per-CPU relay buffers, and every reader. The same
 * layout is described at run time by the debugfs file "schema", from the
 * lists in vocab.h, so that a reader needs no header of the same age.
 *
 * Source of the sampled values: the kernel's own struct vm_fault, struct
 * page/folio and page table entry, read at the entry and at the exit of the
 * function that handles the fault, enum cowtrace_path:
 * pte: do_wp_page(); the page-table lock is held at entry, not at exit.
 * pmd: do_huge_pmd_wp_page(); no lock at either end, so a page sampled while
 *	its PMD changed is COWTRACE_EV_UNSTABLE.
 * hugetlb: hugetlb_wp(), on 5.10 hugetlb_cow(); the lock is held at both ends.
 * "PTE" below means the PMD or the hugetlb entry on the other two paths.
 */
#ifndef COWTRACE_RECORD_H
#define COWTRACE_RECORD_H

#include <linux/types.h>

/*
 * Raised when a reader of the old layout would misread the new one: a field
 * moved, changed its size or its meaning.
 */
#define COWTRACE_SCHEMA_MAJOR	2
/* Raised when a field, flag or name was added and the old ones stand. */
#define COWTRACE_SCHEMA_MINOR	0

/* First byte that a reader checks in each record. */
#define COWTRACE_RECORD_MAGIC	0xc7

/*
 * The kernel's map has six bits a slot and keeps what goes beyond in other pages,
 * of which only its locks allow to read: SWAP_MAP_MAX + 1.
 */
#define COWTRACE_SWAPCOUNT_MAX	63

/* Length of a command name with its final NUL: TASK_COMM_LEN. */
#define COWTRACE_COMM_LEN	16

/**
 * enum cowtrace_type - what a record describes
 * @COWTRACE_TYPE_FAULT: one call of a function of enum cowtrace_path
 */
enum cowtrace_type {
	COWTRACE_TYPE_FAULT = 1,
};

/**
 * struct cowtrace_record - one write-protect fault
 * @seq: number of this record on its CPU, from 1, wraps at 2^32. It counts
 *	dropped records too, so a gap is a loss of that many records. 0 in the
 *	trace event of a fault that the buffers were not switched on for.
 * @cpu: CPU on which the fault was finished and the record was written.
 * @type: enum cowtrace_type.
 * @magic: COWTRACE_RECORD_MAGIC.
 * @time_ns: entry of the function, CLOCK_MONOTONIC in ns, by
 *	ktime_get_mono_fast_ns().
 * @duration_ns: exit minus entry in ns, sleeping included; stays at 2^32 - 1
 *	when the fault took 4.29 s or longer.
 * @pid: thread id of the faulting task in the initial namespace. For a remote
 *	fault (enum cowtrace_origin) the task that accessed foreign memory.
 * @tgid: process id of the same task.
 * @uid: real user id of the same task in the initial namespace.
 * @comm: command name of the same task at exit, NUL-terminated.
 * @address: faulting user address with its offset in the page
 *	(vm_fault.real_address, on 5.10 vm_fault.address).
 * @ip: user instruction pointer of the faulting task. For an access by the
 *	kernel, the instruction that entered the kernel. Absent for kernel
 *	threads (COWTRACE_HAS_IP).
 * @vm_flags: vm_area_struct.vm_flags at entry (include/linux/mm.h).
 * @pfn: page frame number in the PTE at entry.
 * @new_pfn: page frame number in the PTE as read again at exit. Absent when it
 *	could not be read or is not present (COWTRACE_HAS_NEW_PFN).
 * @fault_flags: vm_fault.flags, FAULT_FLAG_* (include/linux/mm_types.h).
 * @ret: return value of the function, VM_FAULT_*. The size of the page that
 *	VM_FAULT_HWPOISON_LARGE puts above bit 15 is cut off.
 * @swapcount: swap entries in page tables, of any process, that name the swap
 *	slot of this page. 0: the slot has no user but the swap cache. Stays at
 *	COWTRACE_SWAPCOUNT_MAX when there are as many or more. Given on the pte path
 *	for a page in the swap cache, where the kernel keeps these counts in
 *	swap_info_struct.swap_map (COWTRACE_HAS_SWAPCOUNT).
 * @mapped_here: pages of the large folio that the page table of the fault maps,
 *	this one included, each at its own distance from the faulting address.
 *	Given on the pte path when @order is not 0 (COWTRACE_HAS_MAPPED_HERE).
 * @refcount: page_count() of the page's folio at entry, second of two reads
 *	(COWTRACE_EV_UNSTABLE when they differ). Absent without a struct page.
 * @mapcount: how often this page is mapped, PMD mappings included. For KSM
 *	pages the number of PTEs of all processes. Absent without a struct page.
 * @folio_mapcount: mappings of all pages of the folio. Absent where the kernel
 *	gives it to no module: large folios before 6.3.
 * @pincount: FOLL_PIN pins of a large folio, from its own counter. Absent for
 *	small folios, whose pins are GUP_PIN_COUNTING_BIAS references each: see
 *	cowtrace_holders().
 * @state: COWTRACE_PG_*, COWTRACE_PTE_* and COWTRACE_EXIT_*.
 * @evidence: COWTRACE_EV_*, what outcome and reason rest on.
 * @present: COWTRACE_HAS_*, which of the fields that may be absent are given.
 *	A field without its bit is 0 and means nothing.
 * @path: enum cowtrace_path.
 * @origin: enum cowtrace_origin.
 * @kind: enum cowtrace_kind.
 * @outcome: enum cowtrace_outcome.
 * @reason: enum cowtrace_reason.
 * @order: order of the folio: 2^order pages. 0 without a struct page.
 * @node: NUMA node of the page at entry. Absent without a struct page.
 *
 * Two cache lines, so that a record costs two lines of the buffer and a power
 * of two of them fills a sub-buffer without padding. The order puts no padding
 * between fields.
 */
struct cowtrace_record {
	__u32	seq;
	__u16	cpu;
	__u8	type;
	__u8	magic;
	__u64	time_ns;
	__u32	duration_ns;
	__u32	pid;
	__u32	tgid;
	__u32	uid;
	char	comm[COWTRACE_COMM_LEN];
	__u64	address;
	__u64	ip;
	__u64	vm_flags;
	__u64	pfn;
	__u64	new_pfn;
	__u16	fault_flags;
	__u16	ret;
	__u16	swapcount;
	__u16	mapped_here;
	__s32	refcount;
	__s32	mapcount;
	__s32	folio_mapcount;
	__u32	pincount;
	__u32	state;
	__u16	evidence;
	__u16	present;
	__u8	path;
	__u8	origin;
	__u8	kind;
	__u8	outcome;
	__u8	reason;
	__u8	order;
	__u16	node;
};

#ifndef __cplusplus /* which has another word for it */
_Static_assert(sizeof(struct cowtrace_record) == 128, "a record is two cache lines");
#endif

#endif /* COWTRACE_RECORD_H */
