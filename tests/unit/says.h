/* SPDX-License-Identifier: GPL-2.0 */
/* Asks expressions about faults. */
#ifndef SAYS_H
#define SAYS_H

#include <cowtrace/facts.h>

#include "expression.h"
#include "generate.h"
#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static inline struct ct_expression *parsed(const char *text)
{
	static struct ct_expression_error err;
	struct ct_expression *e;

	if (!ct_expression_parse(text, &e, &err))
		return e;
	note("%s", err.text);
	return NULL;
}

/* @exclusive: what the trace's history says, COWTRACE_NOT_KNOWN if it says nothing. */
static inline int answer(const struct ct_expression *e, const struct cowtrace_record *r,
			 uint32_t traits, int exclusive, const char **cause)
{
	struct cowtrace_facts f = cowtrace_facts(r, traits);

	if (f.exclusive == COWTRACE_NOT_KNOWN)
		f.exclusive = exclusive;
	return ct_expression_eval(e, &f, cause);
}

/* What @text says of a fault; a text that is refused says nothing that could be expected. */
static inline int says(const char *text, const struct cowtrace_record *r, uint32_t traits,
		       int exclusive, const char **cause)
{
	struct ct_expression *e = parsed(text);
	int truth = e ? answer(e, r, traits, exclusive, cause) : -1;

	ct_expression_free(e);
	return truth;
}

/* Every field and presence bit is as the dice fall, but what the reader holds constant. */
static inline struct cowtrace_record random_record(struct random_state *dice)
{
	struct cowtrace_record r;

	for (size_t i = 0; i < sizeof(r); i++)
		((unsigned char *)&r)[i] = next_random(dice);
	r.order = below(dice, 11);
	r.refcount = below(dice, 6);
	r.mapcount = below(dice, 4);
	r.folio_mapcount = below(dice, 9);
	r.kind = below(dice, COWTRACE_NR_KINDS);
	r.path = below(dice, COWTRACE_NR_PATHS);
	r.origin = below(dice, COWTRACE_NR_ORIGINS);
	/* Expressions take 63 bits of an address; no kernel gives more to users. */
	r.address >>= 1;
	r.ip >>= 1;
	r.vm_flags >>= 1;
	r.pfn >>= 1;
	r.time_ns >>= 1;
	return r;
}

#endif /* SAYS_H */
