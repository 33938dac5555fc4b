/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the report on faults that met others at one page frame. */
#ifndef COWTRACE_REPORT_CONTENTION_H
#define COWTRACE_REPORT_CONTENTION_H

#include "json.h"
#include "page.h"

/* Did faults meet others, or find their page locked? */
bool contention_any(const struct ct_contention *c);

/* What they did to each other, in sentences and without tables. */
void contention_said(struct page *p);

/* One line where no faults met and none found its page locked. */
void contention_text(struct page *p);

/* The member "contention" of the JSON form; cowtrace(1) describes it. */
struct json_object *contention_json(const struct ct_report *r,
				    const struct ct_report_opts *opts);

#endif /* COWTRACE_REPORT_CONTENTION_H */
