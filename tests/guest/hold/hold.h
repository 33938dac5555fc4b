/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace-hold: a module for tests alone. It brings pages of the caller into
 * states that no program can time: a held folio lock, a reference held
 * elsewhere, writeback that does not end, a fault that stands still in the
 * middle of a copy. And it maps pages whose driver says what the test wants.
 *
 * All that was taken through an open file is given back when the file is
 * closed, and the module cannot be unloaded before.
 */
#ifndef COWTRACE_HOLD_H
#define COWTRACE_HOLD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HOLD_DEVICE	"/dev/cowtrace-hold"

/**
 * enum hold_kind - how a page is held
 * @HOLD_REFERENCE: hold_request.arg plain references, as vmsplice takes.
 * @HOLD_PIN: one FOLL_PIN for writing.
 * @HOLD_PIN_READ: one FOLL_PIN | FOLL_LONGTERM for reading, as RDMA and VFIO
 *	take. hold_request.frame is not looked at.
 * @HOLD_BIAS: the references of one FOLL_PIN, taken one by one: since 5.19 the
 *	kernel makes a page exclusive before it pins it, and so never copies it.
 * @HOLD_LOCK: the page lock, without a reference as long as the page is mapped.
 * @HOLD_WRITEBACK: the writeback state, without a reference. The page must be in
 *	the swap cache, else EINVAL.
 * @HOLD_HAMMER: a reference, and another that comes or goes after each access to
 *	the count.
 * @HOLD_STALL: nothing, but the next fault that copies the page stops between
 *	its decision and the mapping of the copy until all is given back.
 */
enum hold_kind {
	HOLD_REFERENCE,
	HOLD_PIN,
	HOLD_PIN_READ,
	HOLD_BIAS,
	HOLD_LOCK,
	HOLD_WRITEBACK,
	HOLD_HAMMER,
	HOLD_STALL,
};

/**
 * struct hold_request - hold a page of the caller
 * @address: where the caller maps it.
 * @frame: its page frame number, as pagemap has it. To get it by the
 *	address, for writing, would copy a page that is shared.
 * @kind: enum hold_kind.
 * @arg: what @kind says, else 0.
 */
struct hold_request {
	__u64	address;
	__u64	frame;
	__u32	kind;
	__u32	arg;
};

/**
 * enum hold_answer - what page_mkwrite() or pfn_mkwrite() says once
 * @HOLD_ALLOW: the page may be written, as always when nothing else was set.
 * @HOLD_TRUNCATED: 0, as of a page that was truncated meanwhile.
 * @HOLD_NOPAGE: VM_FAULT_NOPAGE, the access is to be tried again.
 * @HOLD_SIGBUS: VM_FAULT_SIGBUS.
 * @HOLD_POISON: VM_FAULT_HWPOISON.
 */
enum hold_answer {
	HOLD_ALLOW,
	HOLD_TRUNCATED,
	HOLD_NOPAGE,
	HOLD_SIGBUS,
	HOLD_POISON,
};

/* Offsets for mmap() of one page: with struct page, and as a mere frame number. */
#define HOLD_MAP_PAGE	0
#define HOLD_MAP_PFN	4096

#define HOLD_TAKE	_IOW('h', 1, struct hold_request)
/* page_count() of the page frame whose number is the argument. */
#define HOLD_COUNT	_IO('h', 2)
/* Wait until a fault stands still: HOLD_STALL. */
#define HOLD_WAIT	_IO('h', 3)
/* Give all back. */
#define HOLD_RELEASE	_IO('h', 4)
/* The argument is the next answer of the pages mapped from this file. */
#define HOLD_ANSWER	_IO('h', 5)

#endif /* COWTRACE_HOLD_H */
