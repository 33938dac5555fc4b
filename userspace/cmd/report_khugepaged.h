/* SPDX-License-Identifier: GPL-2.0 */
/* The group khugepaged in the report, and its events explained; cowtrace(1) describes the JSON. */
#ifndef COWTRACE_REPORT_KHUGEPAGED_H
#define COWTRACE_REPORT_KHUGEPAGED_H

#include "group_view.h"
#include "khugepaged.h"

void khugepaged_text(struct page *p);
struct json_object *khugepaged_json(const struct ct_report *r);

void khugepaged_explain(FILE *out, const struct ct_group_event *event,
			const struct ct_state *state);
struct json_object *khugepaged_explain_json(const struct ct_group_event *event,
					    const struct ct_state *state);

/* One scan, a member of "list" and what explain --json prints. */
struct json_object *khugepaged_scan_json(const struct ct_khuge_scan *scan);

#endif /* COWTRACE_REPORT_KHUGEPAGED_H */
