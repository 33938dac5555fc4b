/* SPDX-License-Identifier: GPL-2.0 */
/* What cowtrace duplicates prints. */
#ifndef COWTRACE_DUPLICATES_PRINT_H
#define COWTRACE_DUPLICATES_PRINT_H

#include <stdio.h>

#include "duplicates.h"

/**
 * struct ct_dup_scan - what the scan itself has to tell
 * @page_size: bytes.
 * @bytes: of pages that were read.
 * @resident: pages that were in the page cache when their file was looked at.
 * @gone: of these, those that could not be read without I/O.
 * @skipped: files and directories that could not be looked at.
 */
struct ct_dup_scan {
	uint64_t	page_size;
	uint64_t	bytes;
	uint64_t	resident;
	uint64_t	gone;
	uint64_t	skipped;
};

/* Could nothing be looked at, for what skipped says? */
static inline bool ct_dup_nothing(const struct ct_dup_scan *scan)
{
	return scan->skipped && !scan->resident;
}

/* Both return 0, -ENOMEM or -EIO. @top: rows of each table. */
int ct_dup_text(FILE *out, const struct ct_duplicates *d, const struct ct_dup_scan *scan,
		size_t top);
int ct_dup_json(FILE *out, const struct ct_duplicates *d, const struct ct_dup_scan *scan,
		size_t top);

#endif /* COWTRACE_DUPLICATES_PRINT_H */
