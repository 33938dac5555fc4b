/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of verdicts: a claim a line, on the kernels for which it holds. */
#ifndef VERDICTS_H
#define VERDICTS_H

#include "sample.h"
#include "tap.h"

/**
 * struct verdict - one claim
 * @claim: the sentence.
 * @on: of which kernels: K(V6_12), CODED, SILENT, DRAINING, ALL.
 * @s: the fault.
 * @outcome: enum cowtrace_outcome.
 * @reason: enum cowtrace_reason.
 * @adds: evidence that the classification adds to that of the fault. A copy or a
 *	reuse of one PTE rests on the return code where there is one; that is not
 *	written down here.
 */
struct verdict {
	const char	*claim;
	uint32_t	on;
	struct sample	s;
	uint8_t		outcome, reason;
	uint16_t	adds;
};

#define RET		COWTRACE_EV_RET
#define DRAINED		COWTRACE_EV_DRAINED
#define SHIFTED		COWTRACE_EV_SHIFTED
#define TRIED		COWTRACE_EV_TRIED

#define ADDS_(a, b, c, ...)	((a) | (b) | (c))
#define IS(o, r, ...)							\
	COWTRACE_OUTCOME_##o, COWTRACE_REASON_##r, ADDS_(__VA_ARGS__ __VA_OPT__(,) 0, 0, 0, 0)

static inline bool done_by_code(const struct verdict *v, uint32_t traits)
{
	return (traits & COWTRACE_TRAIT_RET_WRITE) && v->s.path == COWTRACE_PATH_PTE &&
	       !v->s.flags &&
	       (v->outcome == COWTRACE_OUTCOME_COPY || v->outcome == COWTRACE_OUTCOME_REUSE);
}

static inline void check_verdicts(const struct verdict *verdicts, size_t nr)
{
	size_t i, k;

	for (i = 0; i < nr; i++) {
		const struct verdict *want = &verdicts[i];
		bool good = true;

		for (k = 0; k < NR_KERNELS; k++) {
			struct cowtrace_record r = record_of(&want->s, kernels[k].traits);
			struct cowtrace_verdict v;
			uint16_t evidence = r.evidence | want->adds;

			if (!(want->on & K(k)))
				continue;
			if (done_by_code(want, kernels[k].traits))
				evidence |= COWTRACE_EV_RET;
			v = cowtrace_classify(&r, kernels[k].traits);
			if (v.outcome == want->outcome && v.reason == want->reason &&
			    v.evidence == evidence)
				continue;
			good = false;
			note("%s: outcome %u reason %u evidence %#x instead of %u, %u and %#x",
			     kernels[k].name, v.outcome, v.reason, v.evidence, want->outcome,
			     want->reason, evidence);
		}
		ok(good, "%s", want->claim);
	}
}

#endif /* VERDICTS_H */
