/* SPDX-License-Identifier: GPL-2.0 */
/* The report on what policies answer, as the kernel has counted it by outcome and reason. */
#ifndef COWTRACE_REPORT_POLICIES_H
#define COWTRACE_REPORT_POLICIES_H

#include "page.h"

/* Nothing where policies were not asked or no fault is for them to decide. */
void policies_text(struct page *p);

/* An array, NULL where they were not asked. */
struct json_object *policies_json(const struct ct_report *r);

#endif /* COWTRACE_REPORT_POLICIES_H */
