// SPDX-License-Identifier: GPL-2.0
#include "experiment_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

_Static_assert(CT_EXP_ESTIMATES == CT_NR_ESTIMATES, "an answer has a number for each estimate");

bool ct_exp_scan_parse(char *text, struct ct_exp_scan *scan)
{
	char *counts = strchr(text, ':'), *word;
	bool given = counts;
	unsigned int i;
	uint64_t n;

	if (counts)
		*counts++ = '\0';
	if (!*text || strlen(text) >= sizeof(scan->verdict) ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789")])
		return false;
	strcpy(scan->verdict, text);
	for (i = 0; i < CT_EXP_ESTIMATES; i++) {
		word = given ? strsep(&counts, "/") : "*";
		if (!word)
			return false;
		if (!strcmp(word, "*"))
			scan->shared[i] = CT_EXP_ANY;
		else if (!strcmp(word, "-"))
			scan->shared[i] = -1;
		else if (ct_number(word, &n) && n <= 512)
			scan->shared[i] = n;
		else
			return false;
	}
	return !counts;
}

static bool matches(const struct ct_exp_scan *wanted, const struct ct_khuge_scan *scan)
{
	unsigned int i;

	for (i = 0; i < CT_EXP_ESTIMATES; i++)
		if (wanted->shared[i] != CT_EXP_ANY && wanted->shared[i] != scan->shared[i])
			return false;
	return !strcmp(wanted->verdict, scan->verdict);
}

bool ct_exp_scan_matches(const struct ct_exp_answer *answer, const struct ct_khuge_scan *scan)
{
	unsigned int i;

	for (i = 0; i < answer->n; i++)
		if (matches(&answer->scan[i], scan))
			return true;
	return false;
}

char *ct_exp_scan_text(const struct ct_khuge_scan *scan, char *to, size_t size)
{
	size_t used = snprintf(to, size, "%s", scan->verdict);
	unsigned int i;

	for (i = 0; i < CT_EXP_ESTIMATES && used < size; i++) {
		if (scan->shared[i] < 0)
			used += snprintf(to + used, size - used, "%c-", i ? '/' : ':');
		else
			used += snprintf(to + used, size - used, "%c%lld", i ? '/' : ':',
					 (long long)scan->shared[i]);
	}
	return to;
}

bool ct_exp_is_scan(const struct ct_experiment *e, const struct ct_exp_step *step)
{
	return e->op[step->first].verb == CT_EXP_VERB_COLLAPSE;
}
