// SPDX-License-Identifier: GPL-2.0
/*
 * The policies of the kernels, written as expressions, decide as the policies do:
 * two ways to ask the same, which share nothing but the facts.
 */
#include <cowtrace/policy.h>

#include "says.h"

#define FAULTS	100000

/* What 5.18 asks: that all other references go away. */
#define COUNTED								\
	"!ksm && refcount - drains <= 1 + swapcache && !locked"		\
	" && !(swapcache && (writeback || swapcount))"

static const struct {
	enum cowtrace_policy policy;
	const char	*name;
	const char	*text;
} policies[] = {
	{ COWTRACE_POLICY_MAPCOUNT, "mapcount",
	  "ksm ? refcount == 1 : mapcount + swapcount == 1 && folio_mapcount <= pages" },
	{ COWTRACE_POLICY_REFCOUNT, "refcount", "!ksm && refcount == 1 && !locked" },
	{ COWTRACE_POLICY_SWAPCACHE, "swapcache", COUNTED },
	{ COWTRACE_POLICY_EXCLUSIVE, "exclusive", "exclusive || !order && " COUNTED },
	{ COWTRACE_POLICY_LARGE_EXCLUSIVE, "large-exclusive",
	  "exclusive || (order ? folio_mapcount > 1 && !mm_shared"
	  " && refcount - swapcache * pages == folio_mapcount"
	  " && !(swapcache && (writeback || folio_swapcount)) : " COUNTED ")" },
	{ COWTRACE_POLICY_MINIMAL, "minimal",
	  "mapcount == 1 && swapcount == 0 && (exclusive || !pins && !unattributed)" },
};

static struct random_state dice = { 8 };

/* A write to an anonymous page mapped by a PTE, with counts as a kernel may have them. */
static struct cowtrace_record anonymous(void)
{
	struct cowtrace_record r = plain_record(0, 0);
	uint32_t mms = 1 + below(&dice, 2);
	bool cached = below(&dice, 3) == 0;

	r.state = COWTRACE_PG_ANON;
	r.state |= next_random(&dice) & (COWTRACE_PG_LRU | COWTRACE_PG_LOCKED | COWTRACE_EXIT_LRU);
	r.order = below(&dice, 3) ? 0 : 1 + below(&dice, 3);
	r.mapcount = mms;
	r.folio_mapcount = mms;
	if (r.order) {
		r.mapped_here = 1 + below(&dice, 1u << r.order);
		r.folio_mapcount = mms * r.mapped_here;
		/* Pages beside this one are mapped by another process too. */
		if (mms == 1 && below(&dice, 2)) {
			r.folio_mapcount += 1 + below(&dice, 1u << r.order);
			r.state |= COWTRACE_PG_MM_SHARED;
		}
		r.present |= COWTRACE_HAS_MAPPED_HERE | COWTRACE_HAS_PINCOUNT;
	} else if (!below(&dice, 4)) {
		r.kind = COWTRACE_KIND_KSM;
		r.state |= COWTRACE_PG_KSM;
	}
	if (mms > 1)
		r.state |= r.order ? COWTRACE_PG_MM_SHARED : 0;
	if (cached) {
		r.state |= COWTRACE_PG_SWAPCACHE | (next_random(&dice) & COWTRACE_PG_WRITEBACK);
		r.present |= below(&dice, 4) ? COWTRACE_HAS_SWAPCOUNT : 0;
		r.swapcount = below(&dice, 2);
	}
	r.refcount = r.folio_mapcount + (cached ? 1 << r.order : 0) +
		     (r.state & COWTRACE_PG_LRU ? 0 : 1) + below(&dice, 3);
	r.evidence |= below(&dice, 20) ? 0 : COWTRACE_EV_UNSTABLE;
	r.present |= below(&dice, 4) ? COWTRACE_HAS_EXCLUSIVE : 0;
	if (r.present & COWTRACE_HAS_EXCLUSIVE && r.kind == COWTRACE_KIND_ANON && mms == 1 &&
	    !r.swapcount && !below(&dice, 3))
		r.state |= COWTRACE_PG_EXCLUSIVE;
	return r;
}

int main(void)
{
	/* A kernel that drains, and copies large folios: all facts are known of it. */
	const uint32_t traits = COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_LARGE_COPY;

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct ct_expression *e = parsed(policies[i].text);
		int reuses = 0, copies = 0, wrong = 0;

		for (int n = 0; e && n < FAULTS; n++) {
			struct cowtrace_record r = anonymous();
			struct cowtrace_facts f = cowtrace_facts(&r, traits);
			enum ct_truth truth = ct_expression_eval(e, &f, NULL);
			uint8_t answer;

			cowtrace_ask_kernel(&f, traits);
			answer = cowtrace_predict(policies[i].policy, &f).answer;
			if (truth == CT_UNKNOWN || answer == COWTRACE_ANSWER_UNDETERMINED)
				continue;
			reuses += truth == CT_TRUE;
			copies += truth == CT_FALSE;
			if (answer == (truth ? COWTRACE_ANSWER_REUSE : COWTRACE_ANSWER_COPY))
				continue;
			if (!wrong++)
				note("refcount %d mapcount %d of %d order %u swapcount %d state %#x: %u",
				     r.refcount, r.mapcount, r.folio_mapcount, r.order, r.swapcount,
				     r.state, answer);
		}
		ct_expression_free(e);
		ok(reuses > FAULTS / 200 && copies > FAULTS / 200 && !wrong,
		   "%s is what it is as an expression", policies[i].name);
	}
	return tap_end();
}
