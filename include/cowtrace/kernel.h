/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace: numbers of the kernel that stored records carry. */
#ifndef COWTRACE_KERNEL_H
#define COWTRACE_KERNEL_H

/*
 * Values of the kernel that a stored record needs. The module asserts that the
 * kernel it is built for has the same (module/compat/values.h).
 */
#define COWTRACE_VM_WRITE		0x00000002ull
#define COWTRACE_VM_SHARED		0x00000008ull
#define COWTRACE_VM_MAYSHARE		0x00000080ull
#define COWTRACE_VM_UFFD_WP		0x00001000ull

#define COWTRACE_FAULT_FLAG_WRITE	0x001u
#define COWTRACE_FAULT_FLAG_USER	0x040u
#define COWTRACE_FAULT_FLAG_REMOTE	0x080u
#define COWTRACE_FAULT_FLAG_UNSHARE	0x400u

#define COWTRACE_FAULT_OOM		0x0001u
#define COWTRACE_FAULT_SIGBUS		0x0002u
#define COWTRACE_FAULT_WRITE		0x0008u	/* until 6.1 */
#define COWTRACE_FAULT_HWPOISON		0x0010u
#define COWTRACE_FAULT_HWPOISON_LARGE	0x0020u
#define COWTRACE_FAULT_SIGSEGV		0x0040u
#define COWTRACE_FAULT_NOPAGE		0x0100u
#define COWTRACE_FAULT_RETRY		0x0400u
#define COWTRACE_FAULT_FALLBACK		0x0800u
#define COWTRACE_FAULT_COMPLETED	0x4000u	/* from 6.1 */

/* Bits of a page-table entry of x86-64: _PAGE_*. */
#define COWTRACE_X86_PRESENT		0x001ull
#define COWTRACE_X86_RW			0x002ull
#define COWTRACE_X86_ACCESSED		0x020ull
#define COWTRACE_X86_DIRTY		0x040ull
#define COWTRACE_X86_PSE		0x080ull
#define COWTRACE_X86_PROTNONE		0x100ull
#define COWTRACE_X86_SPECIAL		0x200ull
#define COWTRACE_X86_UFFD_WP		0x400ull
#define COWTRACE_X86_SOFT_DIRTY		0x800ull
#define COWTRACE_X86_SAVED_DIRTY	(1ull << 58)	/* from 6.6 */

/* What the lowest bits of page->mapping say of an anonymous page. */
#define COWTRACE_MAPPING_ANON		1ul
#define COWTRACE_MAPPING_KSM		3ul

/* Where the type of a swap entry begins, and its byte in swap_info_struct.swap_map. */
#define COWTRACE_SWAP_TYPE_SHIFT	58
#define COWTRACE_SWAP_HAS_CACHE		0x40

#define COWTRACE_PF_KTHREAD		0x00200000u

/* Order of what one PMD maps: HPAGE_PMD_ORDER. */
#define COWTRACE_PMD_ORDER		9

/* References that one FOLL_PIN takes on a small folio: GUP_PIN_COUNTING_BIAS. */
#define COWTRACE_PIN_BIAS		1024

#endif /* COWTRACE_KERNEL_H */
