/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the report on large folios that are mapped page by page. */
#ifndef COWTRACE_REPORT_FOLIOS_H
#define COWTRACE_REPORT_FOLIOS_H

#include "json.h"
#include "page.h"

/* Nothing where no fault was of a page of one. */
void folios_text(struct page *p);

/* The member "large_folios" of the JSON form; cowtrace(1) describes it. */
struct json_object *folios_json(const struct ct_report *r);

#endif /* COWTRACE_REPORT_FOLIOS_H */
