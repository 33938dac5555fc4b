// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include <cowtrace/vocab.h>

#include "verify.h"
#include "verify_state.h"

/* X(field, present bit or 0) */
#define NUMBERS(X)							\
	X(path, 0)							\
	X(kind, 0)							\
	X(order, COWTRACE_HAS_PAGE)					\
	X(refcount, COWTRACE_HAS_PAGE)					\
	X(mapcount, COWTRACE_HAS_PAGE)					\
	X(folio_mapcount, COWTRACE_HAS_FOLIO_MAPCOUNT)			\
	X(mapped_here, COWTRACE_HAS_MAPPED_HERE)			\
	X(swapcount, COWTRACE_HAS_SWAPCOUNT)				\
	X(pincount, COWTRACE_HAS_PINCOUNT)

/* States that a policy asks about. */
#define STATES	(COWTRACE_PG_ANON | COWTRACE_PG_KSM | COWTRACE_PG_SWAPCACHE | COWTRACE_PG_LRU |	\
		 COWTRACE_PG_WRITEBACK | COWTRACE_PG_LOCKED | COWTRACE_PG_PINNED)

static bool both(const struct cowtrace_record *a, const struct cowtrace_record *b, uint16_t bit)
{
	return (a->present & b->present & bit) == bit;
}

static uint32_t comparable(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	return (both(a, b, COWTRACE_HAS_PAGE) ? STATES : 0) |
	       (both(a, b, COWTRACE_HAS_EXCLUSIVE) ? COWTRACE_PG_EXCLUSIVE : 0);
}

struct cowtrace_record ct_verify_in_state(const struct cowtrace_record *a,
					  const struct cowtrace_record *b)
{
	uint32_t mask = comparable(a, b);
	struct cowtrace_record r = *a;

#define TAKE_(field, bit)	if (both(a, b, bit)) r.field = b->field;
	NUMBERS(TAKE_)
	r.state = (a->state & ~mask) | (b->state & mask);
	return r;
}

char *ct_verify_differences(const struct cowtrace_record *a, const struct cowtrace_record *b,
			    char *to, size_t size)
{
	static const struct {
		uint32_t	bit;
		const char	*name;
	} states[] = {
#define STATE_(id, v, n, s)	{ 1u << (v), n },
		COWTRACE_STATES(STATE_)
	};
	uint32_t mask = (a->state ^ b->state) & comparable(a, b);
	size_t used = 0, i;

	*to = '\0';
#define SAY_(name, x, y) do {							\
	if (used < size)							\
		used += snprintf(to + used, size - used, "%s%s %lld, %lld",	\
				 used ? "; " : "", name, (long long)(x), (long long)(y)); \
} while (0)
#define NUMBER_(field, bit)							\
	if (both(a, b, bit) && a->field != b->field)				\
		SAY_(#field, a->field, b->field);
	NUMBERS(NUMBER_)
	for (i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (mask & states[i].bit)
			SAY_(states[i].name, !!(a->state & states[i].bit),
			     !!(b->state & states[i].bit));
	return to;
}
