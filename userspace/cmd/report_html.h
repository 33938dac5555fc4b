/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report as one page of HTML that needs nothing else: no script, no other file. It
 * stays below 2 MiB for any trace: tables have a limited number of rows and texts of
 * bytes, and the time line of bins.
 */
#ifndef COWTRACE_REPORT_HTML_H
#define COWTRACE_REPORT_HTML_H

#include "report.h"

/**
 * ct_report_html() - read a whole trace and print the report on it as HTML
 * @out: where it goes. Errors go to standard error, one line each.
 * @trace_path: trace file, "-" for standard input.
 * @opts: rows of the tables.
 * Return: enum ct_report_status.
 */
int ct_report_html(FILE *out, const char *trace_path, const struct ct_report_opts *opts);

/**
 * ct_report_html_file() - the same into a file, which is there as a whole or not at all
 * @path: of the file, "-" for standard output.
 * @trace_path: as above.
 * @opts: as above.
 * Return: enum ct_report_status.
 */
int ct_report_html_file(const char *path, const char *trace_path,
			const struct ct_report_opts *opts);

#endif /* COWTRACE_REPORT_HTML_H */
