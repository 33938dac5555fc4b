// SPDX-License-Identifier: GPL-2.0
/*
 * Records that no kernel writes, as a damaged trace has them: counts at the ends of their
 * types, bits at random. Sums that leave their type end the test (UBSan).
 */
#include <limits.h>
#include <stdlib.h>

#include "cowtrace/decision.h"
#include "cowtrace/policy.h"
#include "parts.h"
#include "tap.h"

#define RECORDS	500000

static unsigned short seed[] = { 19, 85, 4 };

static __s32 count(void)
{
	static const __s32 ends[] = {
		INT_MIN, INT_MIN + 1, -1, 0, 1, 2, 512, INT_MAX - 1, INT_MAX
	};

	return ends[nrand48(seed) % (sizeof(ends) / sizeof(*ends))];
}

static __u32 bits(void)
{
	return jrand48(seed) & jrand48(seed);
}

static struct cowtrace_record record(void)
{
	return (struct cowtrace_record) {
		.pfn = 1, .new_pfn = bits() & 1, .vm_flags = bits(), .fault_flags = bits(),
		.ret = bits(), .swapcount = bits(), .mapped_here = bits(), .refcount = count(),
		.mapcount = count(), .folio_mapcount = count(), .pincount = count(),
		.state = bits(), .evidence = bits(), .present = ~bits(),
		.path = bits() % (COWTRACE_NR_PATHS + 1), .origin = bits(),
		.kind = bits() % (COWTRACE_NR_KINDS + 1),
		.outcome = bits() % (COWTRACE_NR_OUTCOMES + 1),
		.reason = bits() % (COWTRACE_NR_REASONS + 1),
		.order = bits() & 1 ? nrand48(seed) : bits() & 9,
	};
}

static bool is_answer(struct cowtrace_prediction p)
{
	return p.answer < COWTRACE_NR_ANSWERS && p.reason < COWTRACE_NR_REASONS &&
	       p.cause < COWTRACE_NR_CAUSES;
}

int main(void)
{
	unsigned long classified = 0, added = 0, answered = 0, foreseen = 0, decided = 0;
	int i, p;

	for (i = 0; i < RECORDS; i++) {
		struct cowtrace_record r = record();
		__u32 traits = bits();
		struct cowtrace_verdict verdict = cowtrace_classify(&r, traits);
		struct cowtrace_facts f = cowtrace_facts(&r, traits);
		bool all = true;

		classified += verdict.outcome < COWTRACE_NR_OUTCOMES &&
			      verdict.reason < COWTRACE_NR_REASONS;
		added += !f.holders.known ||
			 (parts_add_up(&f.holders) && !parts_negative(&f.holders));
		for (p = 0; p < COWTRACE_NR_POLICIES; p++)
			all &= is_answer(cowtrace_predict(p, &f));
		answered += all;
		foreseen += is_answer(cowtrace_foresee(&r, traits));
		decided += cowtrace_decision(&r, traits).test || r.reason == COWTRACE_REASON_NONE;
	}
	ok(classified == RECORDS, "each is classified as words of the vocabulary");
	ok(added == RECORDS, "the holders add up to the references, and none is negative");
	ok(answered == RECORDS, "each policy answers with words of the vocabulary");
	ok(foreseen == RECORDS, "so does the kernel's own, asked beforehand");
	ok(decided == RECORDS, "each reason has a test that decided");
	return tap_end();
}
