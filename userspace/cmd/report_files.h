/* SPDX-License-Identifier: GPL-2.0 */
/* The group files in the report. */
#ifndef COWTRACE_REPORT_FILES_H
#define COWTRACE_REPORT_FILES_H

#include "page.h"

void files_text(struct page *p);
struct json_object *files_json(const struct ct_report *r);

#endif /* COWTRACE_REPORT_FILES_H */
