/* SPDX-License-Identifier: GPL-2.0 */
/* What the suites thp, large and hugetlb share: huge pages, and counts that are the kernel's. */
#ifndef COWTEST_TRUTH_HUGE_H
#define COWTEST_TRUTH_HUGE_H

#include "truth.h"

#define HUGE	(2ul << 20)
/* Huge pages of most patterns. */
#define FEW	2

/* @n huge pages, each mapped by one PMD, on LRU lists; khugepaged lets them be. */
char *map_thp(int n);
/* Memory that would be mapped by huge pages, untouched. */
char *map_for_thp(int n);
/* These are the @n pages of the pattern: @mem and each @step behind it. */
void begin_at(char *mem, int n, size_t step);

/* Between these two the kernel counts: reuses, splits, huge pages. */
void count_before(void);
void count_after(void);
/* Write the pages that were named, between the two. */
void write_counted(void);
/* Pin @pages small pages from @mem on for reading, and let go, between the two. */
void pin_counted(char *mem, size_t pages);

/* --- for the judge ------------------------------------------------------ */

/* The record number @nth, from 0, of page @i since count_before(). */
const struct cowtrace_record *since(const struct trace *t, int i, unsigned int nth);
/* The same where there is one; NULL when there is none or more. */
const struct cowtrace_record *sole(const struct trace *t, int i);
/* Each count of the kernel grew by as much as the records of that time say. */
void check_counts(const struct trace *t, const char *name);
/* The frames in the sole record of each page are those of pagemap. */
bool frames_agree(const struct trace *t);
/*
 * The first record of the first page has these holders and no others, the total
 * being the kernel's own count; @fault is what the fault itself has taken since.
 */
void check_holders(const struct trace *t, const char *name, const char *claim,
		   struct held want, int fault);

#endif /* COWTEST_TRUTH_HUGE_H */
