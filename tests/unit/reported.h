/* SPDX-License-Identifier: GPL-2.0 */
/* The report on a trace, in memory. */
#ifndef REPORTED_H
#define REPORTED_H

#include <stdio.h>

#include "report.h"

/**
 * report() - what `cowtrace report` prints
 * @path: the trace.
 * @json: as --json.
 * @status: receives its exit status.
 * Return: text to be freed.
 */
static inline char *report(const char *path, bool json, int *status)
{
	struct ct_report_opts opts = { .json = json };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	*status = ct_report_print(f, path, &opts);
	fclose(f);
	return text;
}

#endif /* REPORTED_H */
