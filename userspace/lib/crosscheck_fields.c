// SPDX-License-Identifier: GPL-2.0
/* What of two records is compared, and what a difference means. */
#include <cowtrace/vocab.h>
#include <string.h>

#include "crosscheck.h"

#define STATE(bits)	((r->state) & (bits))
#define GIVEN(bit, value)	(r->present & (bit) ? (uint64_t)(value) : CT_CROSS_ABSENT)
#define PAGE_BITS_	(COWTRACE_PG_SWAPCACHE | COWTRACE_PG_DIRTY | COWTRACE_PG_PINNED | \
			 COWTRACE_PG_MLOCKED | COWTRACE_PG_PRIVATE | COWTRACE_PG_MM_SHARED)
#define PTE_BITS	(COWTRACE_PTE_DIRTY | COWTRACE_PTE_YOUNG | COWTRACE_PTE_SOFT_DIRTY | \
			 COWTRACE_PTE_UFFD_WP | COWTRACE_PTE_SPECIAL)
#define ANON_BITS	(COWTRACE_PG_ANON | COWTRACE_PG_KSM | COWTRACE_PG_EXCLUSIVE)
#define EXIT_BITS	(COWTRACE_EXIT_UNCACHED | COWTRACE_EXIT_PRESENT | COWTRACE_EXIT_WRITE | \
			 COWTRACE_EXIT_DIRTY | COWTRACE_EXIT_EXCLUSIVE | COWTRACE_EXIT_TABLE | \
			 COWTRACE_EXIT_UFFD_ASYNC | COWTRACE_EXIT_LRU | COWTRACE_EXIT_SWAPCACHE)

/*
 * X(name, vocabulary, class, form, held, value of a record r). The entry is that of the
 * fault itself, which the kernel passes on. A reason follows from counts.
 */
#define FIELDS(X)								\
	X("outcome",	 "outcome", VERDICT, WORD, 0, r->outcome)		\
	X("pfn",	 NULL, VERDICT, HEX, 0, r->pfn)				\
	X("new_pfn",	 NULL, VERDICT, HEX, 0, GIVEN(COWTRACE_HAS_NEW_PFN, r->new_pfn)) \
	X("tgid",	 NULL, FIXED, NUMBER, 0, r->tgid)			\
	X("uid",	 NULL, FIXED, NUMBER, 0, r->uid)			\
	X("ip",		 NULL, FIXED, HEX, 0, GIVEN(COWTRACE_HAS_IP, r->ip))	\
	X("vm_flags",	 NULL, FIXED, HEX, 0, r->vm_flags)			\
	X("fault_flags", NULL, FIXED, HEX, 0, r->fault_flags)			\
	X("ret",	 NULL, FIXED, HEX, 0, r->ret)				\
	X("origin",	 "origin", FIXED, WORD, 0, r->origin)			\
	X("kind",	 "kind", FIXED, WORD, 1, r->kind)			\
	X("order",	 NULL, FIXED, NUMBER, 1, r->order)			\
	X("node",	 NULL, FIXED, NUMBER, 1, r->node)			\
	X("anonymity",	 "state", FIXED, FLAGS, 1, STATE(ANON_BITS))		\
	X("after_split", "state", FIXED, FLAGS, 0, STATE(COWTRACE_AFTER_SPLIT))	\
	X("pte",	 "state", FIXED, FLAGS, 0, STATE(PTE_BITS))		\
	X("reason",	 "reason", RACING, WORD, 0, r->reason)			\
	X("refcount",	 NULL, RACING, NUMBER, 0, GIVEN(COWTRACE_HAS_PAGE, r->refcount)) \
	X("mapcount",	 NULL, RACING, NUMBER, 0, GIVEN(COWTRACE_HAS_PAGE, r->mapcount)) \
	X("folio_mapcount", NULL, RACING, NUMBER, 0,				\
	  GIVEN(COWTRACE_HAS_FOLIO_MAPCOUNT, r->folio_mapcount))		\
	X("pincount",	 NULL, RACING, NUMBER, 0, GIVEN(COWTRACE_HAS_PINCOUNT, r->pincount)) \
	X("swapcount",	 NULL, RACING, NUMBER, 0, GIVEN(COWTRACE_HAS_SWAPCOUNT, r->swapcount)) \
	X("mapped_here", NULL, RACING, NUMBER, 0,				\
	  GIVEN(COWTRACE_HAS_MAPPED_HERE, r->mapped_here))			\
	X("lru",	 "state", RACING, FLAGS, 0, STATE(COWTRACE_PG_LRU))	\
	X("locked",	 "state", RACING, FLAGS, 0, STATE(COWTRACE_PG_LOCKED))	\
	X("writeback",	 "state", RACING, FLAGS, 0, STATE(COWTRACE_PG_WRITEBACK)) \
	X("page_state",	 "state", RACING, FLAGS, 0, STATE(PAGE_BITS_))		\
	X("exit_state",	 "state", RACING, FLAGS, 0, STATE(EXIT_BITS))		\
	X("evidence",	 "evidence", RACING, FLAGS, 0, r->evidence)		\
	X("comm",	 NULL, RACING, NAME, 0, text(r->comm))			\
	X("comm_end",	 NULL, RACING, NAME, 0, text(r->comm + 8))

#define FIELD_(name, vocab, class, form, held, value)			\
	{ name, vocab, CT_CROSS_##class, CT_CROSS_##form, held },
const struct ct_cross_field ct_cross_fields[] = { FIELDS(FIELD_) };
const size_t ct_cross_nr_fields = sizeof(ct_cross_fields) / sizeof(*ct_cross_fields);
_Static_assert(sizeof(ct_cross_fields) / sizeof(*ct_cross_fields) <= CT_CROSS_FIELDS_MAX,
	       "room for each field");
#define NEW_PFN		2

/* What stands behind the NUL is nobody's. */
static uint64_t text(const char *from)
{
	char bytes[8] = "";
	uint64_t value;

	for (size_t i = 0; i < sizeof(bytes) && from[i]; i++)
		bytes[i] = from[i];
	memcpy(&value, bytes, sizeof(value));
	return value;
}

void ct_cross_values(const struct cowtrace_record *r, uint64_t *to)
{
#define VALUE_(name, vocab, class, form, held, value)	(value),
	const uint64_t all[] = { FIELDS(VALUE_) };

	memcpy(to, all, sizeof(all));
}

uint64_t ct_cross_compare(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	uint64_t of_a[CT_CROSS_FIELDS_MAX], of_b[CT_CROSS_FIELDS_MAX], fields = 0;

	ct_cross_values(a, of_a);
	ct_cross_values(b, of_b);
	for (size_t i = 0; i < ct_cross_nr_fields; i++)
		if (of_a[i] != of_b[i])
			fields |= 1ull << i;
	/* One looked when it was there, the other when it had gone: see exit_state. */
	if (of_a[NEW_PFN] == CT_CROSS_ABSENT || of_b[NEW_PFN] == CT_CROSS_ABSENT)
		fields &= ~(1ull << NEW_PFN);
	return fields;
}

enum ct_cross_class ct_cross_class(size_t field, uint8_t path)
{
	const struct ct_cross_field *f = &ct_cross_fields[field];

	return f->held && path == COWTRACE_PATH_PMD ? CT_CROSS_RACING : f->class;
}

enum ct_cross_class ct_cross_worst(uint64_t fields, uint8_t path)
{
	enum ct_cross_class worst = CT_CROSS_NR_CLASSES, class;

	for (size_t i = 0; i < ct_cross_nr_fields; i++) {
		class = ct_cross_class(i, path);
		if ((fields >> i & 1) && class < worst)
			worst = class;
	}
	return worst;
}
