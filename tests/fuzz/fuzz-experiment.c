// SPDX-License-Identifier: GPL-2.0
/* Definitions of experiments: parsed, and their answers asked what they allow. */
#include <string.h>

#include "experiment.h"
#include "fuzz.h"

static void ask(const struct ct_exp_answer *answer)
{
	static const struct ct_exp_fault seen[] = { { 1, 0 }, { 2, 3 }, { 0, 0 } };
	unsigned int n;

	for (n = 0; n <= sizeof(seen) / sizeof(*seen); n++)
		ct_exp_matches(answer, seen, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_experiments all = { 0 };
	struct ct_error err;
	size_t e, s, k;

	if (ct_experiments_parse((const char *)data, size, "fuzz.exp", &all, &err))
		MUST(err.code < 0 && *err.text && !strchr(err.text, '\n'));
	for (e = 0; e < all.n; e++)
		for (s = 0; s < all.list[e].nr_steps; s++)
			for (k = 0; k < CT_EXP_NR_KERNELS; k++)
				ask(&all.list[e].step[s].answer[k]);
	ct_experiments_free(&all);
	return 0;
}
