/* SPDX-License-Identifier: GPL-2.0 */
/* The report on a trace: what `cowtrace report` and the end of `cowtrace run` print. */
#ifndef COWTRACE_REPORT_H
#define COWTRACE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

/**
 * struct ct_report_opts - how a report is printed
 * @json: print one JSON object instead of text.
 * @top: rows of the tables of processes and code sites; 0 for the default, which
 *	is 10 in text and all in JSON.
 * @color: use terminal colours in text.
 * @in_vain_ns: a merge of KSM that an access broke earlier was in vain; 0 for the default,
 *	CT_KSM_IN_VAIN.
 */
struct ct_report_opts {
	bool		json;
	unsigned int	top;
	bool		color;
	unsigned long long in_vain_ns;
};

/*
 * What ct_report_print() returns, and the exit status of `cowtrace report`.
 * X(id, value, sentence)
 */
#define CT_REPORT_STATUSES(X)						\
	X(OK,		0, "the whole trace was reported")		\
	X(DAMAGED,	1, "the trace is damaged or cut off; what is whole was reported") \
	X(FAILED,	2, "nothing could be reported, or the command line is wrong")

#define CT_REPORT_ENUM_(id, v, s)	CT_REPORT_##id = (v),
enum ct_report_status { CT_REPORT_STATUSES(CT_REPORT_ENUM_) };

/**
 * ct_report_print() - read a whole trace and print the report on it
 * @out: where the report goes. Errors go to standard error, one line each.
 * @trace_path: trace file, "-" for standard input.
 * @opts: how.
 *
 * Return: enum ct_report_status.
 */
int ct_report_print(FILE *out, const char *trace_path, const struct ct_report_opts *opts);

#endif /* COWTRACE_REPORT_H */
