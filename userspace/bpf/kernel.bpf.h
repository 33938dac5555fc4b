/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs read of the kernel, field by field, for every kernel from 5.10 on:
 * CO-RE finds each where the running kernel has it. A field that moved, or changed its
 * type, has one declaration a form, told apart by what stands behind "___", which the
 * kernel's own names do not have.
 *
 * Not one kernel's vmlinux.h: that has no form but its own, and wants a kernel with BTF
 * where this is built.
 */
#ifndef COW_BPF_KERNEL_H
#define COW_BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct { int counter; } atomic_t;
typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
typedef struct { unsigned long val; } swp_entry_t;
/* Until 6.17 plain flags, then these. */
typedef struct { unsigned long f; } memdesc_flags_t;
typedef struct { unsigned long bits[16]; } nodemask_t;
typedef struct { unsigned int val; } kuid_t;

struct cred {
	kuid_t	uid;
};

struct mm_struct {
	atomic_t	mm_users;
};

struct signal_struct {
	atomic_t	live;
};

struct task_struct {
	void			*stack;
	unsigned int		flags;
	struct mm_struct	*mm;
	int			pid;
	int			tgid;
	unsigned long		nvcsw;
	unsigned long		nivcsw;
	unsigned long		min_flt;
	unsigned long		maj_flt;
	const struct cred	*cred;
	char			comm[16];
	struct signal_struct	*signal;
};

struct vm_area_struct {
	struct mm_struct	*vm_mm;
	unsigned long		vm_flags;
};

/* An integer until 5.12, then an enumeration. */
struct vm_fault___int {
	unsigned int	flags;
};

enum fault_flag { FAULT_FLAG_WRITE___any };
struct vm_fault___enum {
	enum fault_flag	flags;
};

struct vm_fault {
	struct vm_area_struct	*vma;
	unsigned long		address;
	unsigned long		real_address;
	pmd_t			*pmd;
	pte_t			orig_pte;
	pmd_t			orig_pmd;
	pte_t			*pte;
};

struct address_space;

struct page___flat {
	unsigned long	flags;
};

struct page___desc {
	memdesc_flags_t	flags;
};

struct page {
	struct address_space	*mapping;
	unsigned long		private;
	unsigned long		compound_head;
	/* From 7.0 on: a mask in place of the address, where pages are a power of two. */
	unsigned long		compound_info;
	/* Of the second page of a compound one, until 6.2. */
	unsigned char		compound_order;
	atomic_t		compound_mapcount;
	/* Of the third, until 5.17. */
	atomic_t		hpage_pinned_refcount;
	atomic_t		_mapcount;
	atomic_t		_refcount;
};

struct folio {
	swp_entry_t	swap;
	/* Its lowest byte is the order from 6.6 on. */
	unsigned long	_flags_1;
	unsigned char	_folio_order;
	atomic_t	_large_mapcount;
	atomic_t	_entire_mapcount;
	atomic_t	_pincount;
	unsigned long	_mm_ids;
};

struct swap_info_struct {
	unsigned char	*swap_map;
};

#pragma clang attribute pop

/* Numbers are those of the running kernel; only the names count here. */
enum pageflags {
	PG_locked___any,
	PG_writeback___any,
	PG_dirty___any,
	PG_lru___any,
	PG_head___any,
	PG_private___any,
	PG_swapbacked___any,
	PG_mlocked___any,
	PG_swapcache___any,
	PG_anon_exclusive___any,
	PG_double_map___any,
};

enum vm_event_item { PGREUSE___any };
enum bpf_func_id___any { BPF_FUNC_task_pt_regs___any };

#define FLAG(name)	(1ul << bpf_core_enum_value(enum pageflags, name##___any))
#define HAS_FLAG(name)	bpf_core_enum_value_exists(enum pageflags, name##___any)

/* Variables of the kernel, by their addresses. */
extern const void vmemmap_base __ksym;
extern const void page_offset_base __ksym;
extern const void vm_event_states __ksym;
extern const void __per_cpu_offset __ksym;
extern const void physical_mask __ksym __weak;
extern const void swap_info __ksym __weak;
/* A function of its own since shadow stacks, 6.6 (161e393c0f63). */
extern const void pte_mkwrite __ksym __weak;
/* A variable of one name until 6.16, of the other since. */
extern const void zero_pfn __ksym __weak;
extern const void zero_page_pfn __ksym __weak;

#define SIZE_OF_PAGE	64ul
#define PAGE_BITS	12

/* Reads of memory that may have gone give 0. @from by itself must not be relocated. */
#define READ(from, field) ({							\
	typeof(from) from_ = (from);						\
	typeof(from_->field) value_ = 0;					\
	bpf_core_read(&value_, sizeof(value_), &from_->field);			\
	value_;									\
})

static __always_inline __u64 read_at(const void *address)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), address);
	return value;
}

static __always_inline int read_count(const void *address)
{
	int value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), address);
	return value;
}

#define READ_ATOMIC(from, field) ({						\
	typeof(from) at_ = (from);						\
	read_count(__builtin_preserve_access_index(&at_->field));		\
})

#endif /* COW_BPF_KERNEL_H */
