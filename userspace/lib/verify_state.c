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

#define TAKE_(field, bit)	r.field = both(a, b, bit) ? b->field : a->field;
	NUMBERS(TAKE_)
	r.state = (a->state & ~mask) | (b->state & mask);
	return r;
}

/* A text that grows up to the end of its buffer. */
struct text {
	char	*to;
	size_t	size, used;
};

static void say(struct text *t, const char *name, long long a, long long b)
{
	if (a != b && t->used < t->size)
		t->used += snprintf(t->to + t->used, t->size - t->used, "%s%s %lld, %lld",
				    t->used ? "; " : "", name, a, b);
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
	uint32_t mask = comparable(a, b);
	struct text t = { to, size, 0 };
	size_t i;

	*to = '\0';
#define SAY_(field, bit)	say(&t, #field, a->field, both(a, b, bit) ? b->field : a->field);
	NUMBERS(SAY_)
	for (i = 0; i < sizeof(states) / sizeof(*states); i++)
		say(&t, states[i].name, !!(a->state & mask & states[i].bit),
		    !!(b->state & mask & states[i].bit));
	return to;
}
