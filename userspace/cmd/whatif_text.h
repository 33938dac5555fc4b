/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the text of whatif. Those that return a number: 0 or -ENOMEM. */
#ifndef COWTRACE_WHATIF_TEXT_H
#define COWTRACE_WHATIF_TEXT_H

#include <stdlib.h>

#include "page.h"
#include "whatif_view.h"

/* The table of the policies, what is to be said of it, and what is open. */
void ct_whatif_policies(struct page *p, const struct ct_whatif_view *v);
void ct_whatif_notes(struct page *p, const struct ct_whatif_view *v);
void ct_whatif_open(struct page *p, const struct ct_whatif_view *v);

/* The policy of the running kernel against what happened. */
int ct_whatif_self(struct page *p, const struct ct_whatif_view *v);

/* Patterns in which policies differ, and what mapcount would have let through. */
int ct_whatif_patterns(struct page *p, const struct ct_whatif_view *v);

/* --diff and --against. */
int ct_whatif_diff(struct page *p, const struct ct_whatif_view *v);
int ct_whatif_against(struct page *p, const struct ct_whatif_view *v);

/* Numbers with their sign; "-" for 0. */
void ct_whatif_signed_bytes(struct page *p, int width, int64_t n);
void ct_whatif_signed_ns(struct page *p, int width, int64_t n);

#endif /* COWTRACE_WHATIF_TEXT_H */
