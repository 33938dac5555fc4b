/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the report on what outcomes and reasons were seen to rest on. */
#ifndef COWTRACE_REPORT_EVIDENCE_H
#define COWTRACE_REPORT_EVIDENCE_H

#include "page.h"

/* Who held the pages of those that are a @member; nothing where that is not known of any. */
void holders_text(struct page *p, const char *title_, bool (*member)(const struct ct_pair *));

/* The flags that say how far a verdict or a reason can be relied on. */
void evidence_text(struct page *p);

/* Faults whose outcome is not known, or raced. */
void doubts_text(struct page *p);

#endif /* COWTRACE_REPORT_EVIDENCE_H */
