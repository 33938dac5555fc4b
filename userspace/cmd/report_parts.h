/* SPDX-License-Identifier: GPL-2.0 */
/* What the two forms of the report, text and JSON, are made from. */
#ifndef COWTRACE_REPORT_PARTS_H
#define COWTRACE_REPORT_PARTS_H

#include <argp.h>
#include <stdio.h>

#include <json-c/json.h>

#include "reader.h"
#include "report.h"
#include "sample.h"
#include "schema.h"
#include "state.h"
#include "summary.h"

/* Of the JSON form: greater major when a reader of the old one would misread it. */
#define CT_REPORT_VERSION	"1.6"

/* The trace of a command that was not given one. */
#define DEFAULT_TRACE	"cowtrace.data"

/**
 * struct ct_report - a trace that was read
 * @path: its name.
 * @reader: the trace.
 * @schema: its schema.
 * @info: how whole it is.
 * @summary: its numbers; NULL where somebody else adds them up.
 * @state: the module's counters at its end.
 * @meta: what it says about itself, NULL if nothing.
 * @sample: how it was sampled; all that is printed is an estimate if it was.
 * @opts: how the report is printed; NULL for what is none.
 */
struct ct_report {
	const char	*path;
	struct ct_reader *reader;
	const struct ct_schema *schema;
	const struct ct_trace_info *info;
	struct ct_summary *summary;
	struct ct_state	state;
	struct json_object *meta;
	struct ct_sample sample;
	const struct ct_report_opts *opts;
};

/**
 * typedef ct_report_fn - print what is to be said of a trace
 * @out: where it goes.
 * @report: the trace, whose records were not read yet.
 * @arg: of the caller.
 * @err: filled in on failure, but not when writing failed.
 * Return: 0 or a negative errno.
 */
typedef int ct_report_fn(FILE *out, struct ct_report *report, const void *arg,
			 struct ct_error *err);

/**
 * ct_report_on() - read a trace and print something about it
 * @out: where that goes. Errors go to standard error, one line each.
 * @trace_path: trace file, "-" for standard input.
 * @print: prints it.
 * @arg: for @print.
 * Return: enum ct_report_status.
 */
int ct_report_on(FILE *out, const char *trace_path, ct_report_fn *print, const void *arg);

/**
 * ct_report_into() - the same into a file, which is there as a whole or not at all
 * @path: of the file; a trace is not overwritten.
 * @trace_path: as above.
 * @print: as above.
 * @arg: as above.
 * Return: enum ct_report_status.
 */
int ct_report_into(const char *path, const char *trace_path, ct_report_fn *print,
		   const void *arg);

/**
 * ct_report_count() - the numbers of a trace whose faults were counted, not recorded
 * @report: the trace; is given its summary.
 * @counts: the module's file counts.
 * @err: filled in on failure.
 * Return: as ct_summary_count().
 */
int ct_report_count(struct ct_report *report, const char *counts, struct ct_error *err);

/* --json, of report, forks and whoever else takes ct_report_option(). */
enum { CT_REPORT_KEY_JSON = 0x100 };

/* Exit statuses, a line each, for the help of a command. */
#define CT_REPORT_STATUS_LINE_(id, v, s)	"  " #v "  " s "\n"
#define CT_REPORT_STATUS_LINES	CT_REPORT_STATUSES(CT_REPORT_STATUS_LINE_)

/**
 * ct_report_option() - what all reports take on their command line
 * @key: of argp: CT_REPORT_KEY_JSON, 't' for --top, or the argument TRACE.
 * @arg: of argp.
 * @state: of argp.
 * @opts: json and top are set.
 * @trace: is set.
 * Return: 0, or ARGP_ERR_UNKNOWN for another key.
 */
error_t ct_report_option(int key, char *arg, struct argp_state *state,
			 struct ct_report_opts *opts, const char **trace);

/**
 * struct ct_loss - one cause of loss that the module counts
 * @file: its file, stats or lost.
 * @name: line in it.
 * @sentence: what the number means.
 * @next: what to do about it, NULL for nothing.
 */
struct ct_loss {
	const char	*file;
	const char	*name;
	const char	*sentence;
	const char	*next;
};

/* Ends with an empty one. */
extern const struct ct_loss ct_losses[];

/* The same of the user stacks, without which the faults are whole. Ends with an empty one. */
extern const struct ct_loss ct_stack_losses[];

/* Left out because somebody asked for it. Ends with an empty one. */
extern const struct ct_loss ct_left_out[];

/* Name of a word, "?N" where the schema has none; valid until the next call. */
const char *ct_report_word(const struct ct_report *report, const char *vocab, uint32_t value);

/* The sentence of a word, "" where the schema has none. */
const char *ct_report_sentence(const struct ct_report *report, const char *vocab,
			       uint32_t value);

/* Were faults still counted when the trace was made? */
bool ct_report_running(const struct ct_report *report);

/* Last part of a path. */
const char *ct_base_name(const char *path);

int ct_report_text(FILE *out, const struct ct_report *report,
		   const struct ct_report_opts *opts);
int ct_report_json(FILE *out, const struct ct_report *report,
		   const struct ct_report_opts *opts);

#endif /* COWTRACE_REPORT_PARTS_H */
