// SPDX-License-Identifier: GPL-2.0
/* What the words of experiments are called, and whether a kernel answers as it must. */
#include <cowtrace/vocab.h>

#include "experiment_parse.h"

const char *const ct_exp_kernel_names[CT_EXP_NR_KERNELS] = {
#define KERNEL_(id, n, s)	n,
	CT_EXP_KERNELS(KERNEL_)
};

const struct ct_exp_form ct_exp_forms[CT_EXP_NR_VERBS] = {
#define FORM_(id, n, a, l, g, s)	{ n, a, l, g },
	CT_EXP_VERBS(FORM_)
};

static const struct cowtrace_word outcomes[] = { COWTRACE_OUTCOMES(COWTRACE_WORD_) };
static const struct cowtrace_word reasons[] = { COWTRACE_REASONS(COWTRACE_WORD_) };

enum ct_exp_kernel ct_exp_kernel(uint32_t traits)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE)
		return CT_EXP_KERNEL_7_2;
	if (traits & COWTRACE_TRAIT_SHARED_FIRST)
		return CT_EXP_KERNEL_6_12;
	return traits & COWTRACE_TRAIT_EXCLUSIVE ? CT_EXP_KERNEL_6_1 : CT_EXP_KERNEL_5_10;
}

const char *ct_exp_kernel_name(enum ct_exp_kernel kernel)
{
	return ct_exp_kernel_names[kernel];
}

const char *ct_exp_verb_name(enum ct_exp_verb verb)
{
	return ct_exp_forms[verb].name;
}

/* The lists are in the order of the values. */
const char *ct_exp_outcome(int outcome)
{
	return outcomes[outcome].name;
}

const char *ct_exp_reason(int reason)
{
	return reasons[reason].name;
}

size_t ct_exp_unit(enum ct_exp_kind kind)
{
	switch (kind) {
	case CT_EXP_KIND_THP:
	case CT_EXP_KIND_HUGETLB:
		return 2 << 20;
	case CT_EXP_KIND_MTHP_16K:
		return 16 << 10;
	case CT_EXP_KIND_MTHP_64K:
		return 64 << 10;
	case CT_EXP_KIND_MTHP_512K:
		return 512 << 10;
	default:
		return 4 << 10;
	}
}

static bool sequence_matches(const struct ct_exp_sequence *s, const struct ct_exp_fault *fault,
			     unsigned int n)
{
	unsigned int i;

	if (s->n != n)
		return false;
	for (i = 0; i < n; i++)
		if (s->fault[i].outcome != fault[i].outcome ||
		    (s->fault[i].reason >= 0 && s->fault[i].reason != fault[i].reason))
			return false;
	return true;
}

bool ct_exp_matches(const struct ct_exp_answer *answer, const struct ct_exp_fault *fault,
		    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < answer->n; i++)
		if (sequence_matches(&answer->sequence[i], fault, n))
			return true;
	return false;
}
