/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel must answer when khugepaged scans a range: VERDICT[:PRECISE/LIKELY/MAYBE],
 * the PTEs that each estimate calls shared; "-" is not known, "*" any.
 */
#ifndef COWTRACE_EXPERIMENT_SCAN_H
#define COWTRACE_EXPERIMENT_SCAN_H

#include "experiment.h"
#include "khugepaged.h"

/**
 * ct_exp_scan_parse() - read an answer
 * @text: the answer; changed.
 * @scan: filled in.
 * Return: whether it is one.
 */
bool ct_exp_scan_parse(char *text, struct ct_exp_scan *scan);

/* Does an answer allow that scan? */
bool ct_exp_scan_matches(const struct ct_exp_answer *answer, const struct ct_khuge_scan *scan);

/* A scan as an answer is written. Returns @to. */
char *ct_exp_scan_text(const struct ct_khuge_scan *scan, char *to, size_t size);

/* Is a step about a scan? */
bool ct_exp_is_scan(const struct ct_experiment *e, const struct ct_exp_step *step);

#endif /* COWTRACE_EXPERIMENT_SCAN_H */
