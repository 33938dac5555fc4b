/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the report on KSM. */
#ifndef COWTRACE_REPORT_KSM_H
#define COWTRACE_REPORT_KSM_H

#include "group.h"
#include "ksm.h"
#include "page.h"

struct json_object;

/* The section, and the member "ksm" of "groups" in the JSON form: see cowtrace(1). */
void ksm_text(struct page *p);
struct json_object *ksm_json(const struct ct_report *r);

/* Could the module read what ksmd keeps of each page? */
bool ksm_items_known(const struct ct_report *r);

/* What is listed, the most merges first: places in the ledger's list. */
enum ksm_list { KSM_PROCESSES, KSM_PAGES };
/* Return: to be freed; NULL for none, or without memory. */
size_t *ksm_sorted(const struct ct_ksm *k, enum ksm_list list);

/* --- explain_ksm.c ----------------------------------------------------------------- */

void ksm_explain(FILE *out, const struct ct_group_event *event, const struct ct_state *state);
struct json_object *ksm_explain_json(const struct ct_group_event *event,
				     const struct ct_state *state);

#endif /* COWTRACE_REPORT_KSM_H */
