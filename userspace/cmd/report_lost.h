/* SPDX-License-Identifier: GPL-2.0 */
/* What is missing in a trace, line by line, for all forms of the report. */
#ifndef COWTRACE_REPORT_LOST_H
#define COWTRACE_REPORT_LOST_H

#include "report_parts.h"

enum ct_lost_unit { CT_LOST_COUNT, CT_LOST_BYTES, CT_LOST_STATEMENT };

/**
 * struct ct_lost - one line
 * @n: how much; nothing for CT_LOST_STATEMENT.
 * @unit: of what.
 * @what: what it means.
 * @next: what to do about it, NULL for nothing.
 */
struct ct_lost {
	uint64_t	n;
	enum ct_lost_unit unit;
	const char	*what;
	const char	*next;
};

/* Is shown a line, valid during the call. */
typedef void ct_lost_fn(void *arg, const struct ct_lost *lost);

/**
 * ct_report_lost() - what is missing in a trace, once all its records were read
 * @r: the trace.
 * @processes: its processes.
 * @fn: is shown each line; may be NULL.
 * @arg: for @fn.
 * Return: whether there was one: false says that nothing is missing.
 */
bool ct_report_lost(const struct ct_report *r, const struct ct_processes *processes,
		    ct_lost_fn *fn, void *arg);

/* The same of what was left out because somebody asked for it. */
bool ct_report_left_out(const struct ct_report *r, ct_lost_fn *fn, void *arg);

#endif /* COWTRACE_REPORT_LOST_H */
