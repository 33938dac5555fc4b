/* SPDX-License-Identifier: GPL-2.0 */
/* Faults for the tests of classify.h: the kernels, a short way to write a sample down. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/classify.h>

/* Which kernel decides how. */
enum { V5_10, V6_1, V6_12, V7_2, NR_KERNELS };

static const struct {
	const char	*name;
	uint32_t	traits;
} kernels[] = {
	[V5_10]	= { "5.10", COWTRACE_TRAIT_RET_WRITE },
	[V6_1]	= { "6.1", COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE },
	[V6_12]	= { "6.12", COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST |
			    COWTRACE_TRAIT_LARGE_COPY },
	[V7_2]	= { "7.2", COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST |
			   COWTRACE_TRAIT_LARGE_EXCLUSIVE },
};

#define K(v)		(1u << (v))
#define CODED		(K(V5_10) | K(V6_1))
#define SILENT		(K(V6_12) | K(V7_2))
#define DRAINING	(K(V6_1) | SILENT)
#define ALL		(CODED | SILENT)

#define ANON		COWTRACE_PG_ANON
#define KSM		(COWTRACE_PG_ANON | COWTRACE_PG_KSM)
#define LRU		COWTRACE_PG_LRU
#define SWAP		COWTRACE_PG_SWAPCACHE
#define WB		COWTRACE_PG_WRITEBACK
#define LOCKED		COWTRACE_PG_LOCKED
#define EXCL		COWTRACE_PG_EXCLUSIVE
#define MMS		COWTRACE_PG_MM_SHARED
#define UFFD_BIT	COWTRACE_PTE_UFFD_WP
#define ASYNC		COWTRACE_EXIT_UFFD_ASYNC
#define NOW_LRU		COWTRACE_EXIT_LRU

#define READ		1
#define W		COWTRACE_VM_WRITE
#define SHARED		(COWTRACE_VM_WRITE | COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE)
#define MAYSHARE	(COWTRACE_VM_WRITE | COWTRACE_VM_MAYSHARE)
#define UFFD		COWTRACE_VM_UFFD_WP

/* What stands in the PTE at exit. */
enum pte {
	UNREAD,		/* not read */
	GONE,		/* read, and not present any more */
	SAME_RO,	/* the same page, read-only */
	SAME_RW,	/* the same page, writable and dirty */
	SAME_DIRTY,	/* the same page, dirty and read-only: FOLL_FORCE */
	OTHER_RW,	/* another page, writable */
	OTHER_RO,	/* another page, read-only */
	SAME_EXCL,	/* the same page, read-only, now PageAnonExclusive */
	SAME_RW_EXCL,	/* the same page, writable, now PageAnonExclusive */
	OTHER_EXCL,	/* another page, read-only and PageAnonExclusive */
};

#define WITNESS		(COWTRACE_EV_WITNESS | COWTRACE_EV_WATCHED)
#define WATCHED		COWTRACE_EV_WATCHED
#define ALONE		COWTRACE_EV_ALONE
/* The kernel's own count says that this fault reused the page, or that it did not. */
#define COUNTED		(COWTRACE_EV_COUNTED | COWTRACE_EV_REUSED)
#define COUNTED_NOT	COWTRACE_EV_COUNTED
/* A witness of huge pages saw the reuse. */
#define REUSED		COWTRACE_EV_REUSED

/* How many users its swap slot has. */
#define SLOT(users)	.slot = (users) + 1

/* What a kernel returns when it did it: VM_FAULT_WRITE where there is one. */
#define DONE		0x80000000u

struct sample {
	uint8_t		kind, path;
	/* What is 0 is as usual: writable, one reference, one mapping. */
	bool		plain;
	uint64_t	vm;
	uint32_t	state;
	int32_t		refs, maps;
	uint8_t		order;
	int32_t		folio_maps;
	uint32_t	pins;
	/* Users of its swap slot, and one; 0: not counted. */
	uint16_t	slot;
	uint32_t	flags, ret;
	enum pte	pte;
	uint32_t	evidence;
};

static inline struct cowtrace_record record_of(const struct sample *s, uint32_t traits)
{
	struct cowtrace_record r = {
		.type = COWTRACE_TYPE_FAULT,
		.magic = COWTRACE_RECORD_MAGIC,
		.vm_flags = s->vm,
		.pfn = 0x1000,
		.fault_flags = s->flags,
		.ret = s->ret,
		.refcount = s->refs,
		.mapcount = s->maps,
		.folio_mapcount = s->order ? s->folio_maps : s->maps,
		.state = s->state,
		.evidence = s->evidence,
		.kind = s->kind,
		.path = s->path,
		.order = s->order,
		.present = COWTRACE_HAS_PAGE | COWTRACE_HAS_FOLIO_MAPCOUNT,
	};
	static const struct {
		uint32_t	state;
		uint64_t	pfn;
	} exits[] = {
		[SAME_RO]	= { 0, 0x1000 },
		[SAME_RW]	= { COWTRACE_EXIT_WRITE | COWTRACE_EXIT_DIRTY, 0x1000 },
		[SAME_DIRTY]	= { COWTRACE_EXIT_DIRTY, 0x1000 },
		[OTHER_RW]	= { COWTRACE_EXIT_WRITE | COWTRACE_EXIT_DIRTY, 0x2000 },
		[OTHER_RO]	= { 0, 0x2000 },
		[SAME_EXCL]	= { COWTRACE_EXIT_EXCLUSIVE, 0x1000 },
		[SAME_RW_EXCL]	= { COWTRACE_EXIT_WRITE | COWTRACE_EXIT_EXCLUSIVE, 0x1000 },
		[OTHER_EXCL]	= { COWTRACE_EXIT_EXCLUSIVE, 0x2000 },
	};

	if (s->plain) {
		r.vm_flags = s->vm ?: W;
		r.refcount = s->refs ?: 1;
		r.mapcount = s->maps ?: 1;
		r.folio_mapcount = s->order ? s->folio_maps : r.mapcount;
	}
	if (s->ret & DONE)
		r.ret = traits & COWTRACE_TRAIT_RET_WRITE ? COWTRACE_FAULT_WRITE : 0;
	if (s->kind == COWTRACE_KIND_SPECIAL)
		r.present = 0;
	/* Until 6.1 no module can count what maps a large folio page by page. */
	if (s->order && s->path == COWTRACE_PATH_PTE && (traits & COWTRACE_TRAIT_RET_WRITE)) {
		r.folio_mapcount = 0;
		r.present &= ~COWTRACE_HAS_FOLIO_MAPCOUNT;
	}
	if (s->pins) {
		r.pincount = s->pins;
		r.present |= COWTRACE_HAS_PINCOUNT;
	}
	if (s->slot) {
		r.swapcount = s->slot - 1;
		r.present |= COWTRACE_HAS_SWAPCOUNT;
	}
	if (s->pte != UNREAD)
		r.evidence |= COWTRACE_EV_PTE;
	if (s->pte > GONE) {
		r.state |= COWTRACE_EXIT_PRESENT | exits[s->pte].state;
		r.new_pfn = exits[s->pte].pfn;
		r.present |= COWTRACE_HAS_NEW_PFN;
	}
	return r;
}

#define A(...)	{ COWTRACE_KIND_ANON, .plain = true, __VA_ARGS__ }
#define B(k, ...) { COWTRACE_KIND_##k, .plain = true, __VA_ARGS__ }
#define UNSHARE	.flags = COWTRACE_FAULT_FLAG_UNSHARE
/* Done, seen to have copied or to have reused. */
#define COPIED	.ret = DONE, .pte = OTHER_RW, .evidence = WITNESS | COUNTED_NOT
#define KEPT	.ret = DONE, .pte = SAME_RW, .evidence = WATCHED | COUNTED

#endif /* SAMPLE_H */
