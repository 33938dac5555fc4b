/* SPDX-License-Identifier: GPL-2.0 */
/* Words of the table of predictions, for text and JSON alike. */
#ifndef COWTRACE_VERIFY_NAMES_H
#define COWTRACE_VERIFY_NAMES_H

#include <stddef.h>

#include <cowtrace/policy.h>

#include "verify.h"

#define CT_VERIFY_NAME_(id, n, ...)	n,
#define CT_POLICY_NAME_(id, v, n, ...)	n,
#define CT_STEP_NAME_(id, v, test, where) test,

static inline const char *ct_verify_seen_name(enum ct_verify_seen seen)
{
	static const char *const names[] = { CT_VERIFY_SEEN(CT_VERIFY_NAME_) };

	return names[seen];
}

static inline const char *ct_verify_question_name(enum ct_verify_question question)
{
	static const char *const names[] = { CT_VERIFY_QUESTIONS(CT_VERIFY_NAME_) };

	return names[question];
}

static inline const char *ct_verify_policy_name(enum cowtrace_policy policy)
{
	static const char *const names[] = { COWTRACE_POLICIES(CT_POLICY_NAME_) };

	return names[policy];
}

static inline const char *ct_verify_answer_name(enum cowtrace_answer answer)
{
	static const char *const names[] = { COWTRACE_ANSWERS(CT_POLICY_NAME_) };

	return names[answer];
}

static inline const char *ct_verify_cause_name(enum cowtrace_cause cause)
{
	static const char *const names[] = { COWTRACE_CAUSES(CT_POLICY_NAME_) };

	return names[cause];
}

/* NULL for a step that was not done. */
static inline const char *ct_verify_path_name(unsigned int path)
{
	static const char *const names[] = { COWTRACE_PATHS(CT_POLICY_NAME_) };

	return path < sizeof(names) / sizeof(*names) ? names[path] : NULL;
}

/* The test that decided, in the kernel's words. */
static inline const char *ct_verify_test(enum cowtrace_policy_step step)
{
	static const char *const names[] = { COWTRACE_POLICY_STEPS(CT_STEP_NAME_) };

	return names[step];
}

#endif /* COWTRACE_VERIFY_NAMES_H */
