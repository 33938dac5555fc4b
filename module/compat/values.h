/* SPDX-License-Identifier: GPL-2.0 */
/* values: stored records carry the kernel's own numbers; they must be those of kernel.h. */
#ifndef COW_COMPAT_VALUES_H
#define COW_COMPAT_VALUES_H

#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <cowtrace/kernel.h>

#include "features.h"

static_assert(VM_WRITE == COWTRACE_VM_WRITE);
static_assert(VM_SHARED == COWTRACE_VM_SHARED);
static_assert(VM_MAYSHARE == COWTRACE_VM_MAYSHARE);
static_assert(!VM_UFFD_WP || VM_UFFD_WP == COWTRACE_VM_UFFD_WP);
static_assert(FAULT_FLAG_WRITE == COWTRACE_FAULT_FLAG_WRITE);
static_assert(FAULT_FLAG_USER == COWTRACE_FAULT_FLAG_USER);
static_assert(FAULT_FLAG_REMOTE == COWTRACE_FAULT_FLAG_REMOTE);
#ifdef COW_HAVE_FAULT_FLAG_UNSHARE
static_assert(FAULT_FLAG_UNSHARE == COWTRACE_FAULT_FLAG_UNSHARE);
#endif
static_assert((__force unsigned int)VM_FAULT_OOM == COWTRACE_FAULT_OOM);
static_assert((__force unsigned int)VM_FAULT_SIGBUS == COWTRACE_FAULT_SIGBUS);
#ifdef COW_HAVE_VM_FAULT_WRITE
static_assert((__force unsigned int)VM_FAULT_WRITE == COWTRACE_FAULT_WRITE);
#endif
static_assert((__force unsigned int)VM_FAULT_HWPOISON == COWTRACE_FAULT_HWPOISON);
static_assert((__force unsigned int)VM_FAULT_HWPOISON_LARGE == COWTRACE_FAULT_HWPOISON_LARGE);
static_assert((__force unsigned int)VM_FAULT_SIGSEGV == COWTRACE_FAULT_SIGSEGV);
static_assert((__force unsigned int)VM_FAULT_NOPAGE == COWTRACE_FAULT_NOPAGE);
static_assert((__force unsigned int)VM_FAULT_RETRY == COWTRACE_FAULT_RETRY);
static_assert((__force unsigned int)VM_FAULT_FALLBACK == COWTRACE_FAULT_FALLBACK);
#ifdef COW_HAVE_VM_FAULT_COMPLETED
static_assert((__force unsigned int)VM_FAULT_COMPLETED == COWTRACE_FAULT_COMPLETED);
#endif
static_assert(_PAGE_PRESENT == COWTRACE_X86_PRESENT);
static_assert(_PAGE_RW == COWTRACE_X86_RW);
static_assert(_PAGE_ACCESSED == COWTRACE_X86_ACCESSED);
static_assert(_PAGE_DIRTY == COWTRACE_X86_DIRTY);
static_assert(_PAGE_PSE == COWTRACE_X86_PSE);
static_assert(_PAGE_PROTNONE == COWTRACE_X86_PROTNONE);
static_assert(_PAGE_SPECIAL == COWTRACE_X86_SPECIAL);
static_assert(!_PAGE_UFFD_WP || _PAGE_UFFD_WP == COWTRACE_X86_UFFD_WP);
static_assert(!_PAGE_SOFT_DIRTY || _PAGE_SOFT_DIRTY == COWTRACE_X86_SOFT_DIRTY);
#ifdef _PAGE_SAVED_DIRTY
static_assert(!_PAGE_SAVED_DIRTY || _PAGE_SAVED_DIRTY == COWTRACE_X86_SAVED_DIRTY);
#endif
#ifdef FOLIO_MAPPING_FLAGS
static_assert(FOLIO_MAPPING_ANON == COWTRACE_MAPPING_ANON);
static_assert(FOLIO_MAPPING_KSM == COWTRACE_MAPPING_KSM);
#else
static_assert(PAGE_MAPPING_ANON == COWTRACE_MAPPING_ANON);
static_assert(PAGE_MAPPING_KSM == COWTRACE_MAPPING_KSM);
#endif
#ifdef COW_HAVE_SWAP_MAP
static_assert(SWP_TYPE_SHIFT == COWTRACE_SWAP_TYPE_SHIFT);
static_assert(SWAP_HAS_CACHE == COWTRACE_SWAP_HAS_CACHE);
#endif
static_assert(PF_KTHREAD == COWTRACE_PF_KTHREAD);
static_assert(sizeof(struct page) == 64);
static_assert(PMD_SHIFT - PAGE_SHIFT == COWTRACE_PMD_ORDER);
static_assert(GUP_PIN_COUNTING_BIAS == COWTRACE_PIN_BIAS);

#endif /* COW_COMPAT_VALUES_H */
