/* SPDX-License-Identifier: GPL-2.0 */
/* What the formats of `cowtrace export` are made from; export.c has the table of them. */
#ifndef COWTRACE_EXPORT_H
#define COWTRACE_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "match.h"
#include "report_parts.h"
#include "splits.h"

/* What a line of folded stacks adds up of its faults. X(id, name) */
#define CT_WEIGHTS(X)		\
	X(FAULTS,	"faults")	\
	X(BYTES,	"bytes")	\
	X(NS,		"ns")

#define CT_WEIGHT_ENUM_(id, name)	CT_WEIGHT_##id,
enum ct_weight { CT_WEIGHTS(CT_WEIGHT_ENUM_) CT_NR_WEIGHTS };

/**
 * struct ct_export - a trace that is turned into another format
 * @out: where it goes; the caller of the format looks at its errors.
 * @report: the trace, whose records were not read yet; its summary is NULL.
 * @match: the faults that are asked for.
 * @host: name of the traced machine, clean; NULL when nothing tells.
 * @header: --header.
 * @processes: --processes: so many of them, 0 for none.
 * @max: --max: faults that are drawn.
 * @live: what the module has counted until now, and no trace.
 * @weight: --weight: faults, bytes copied or nanoseconds.
 * @splits: for ct_export_next().
 * @split: of the last record.
 */
struct ct_export {
	FILE		*out;
	struct ct_report *report;
	struct ct_match	match;
	const char	*host;
	bool		header;
	unsigned int	processes;
	uint64_t	max;
	bool		live;
	enum ct_weight	weight;
	struct ct_splits splits;
	struct ct_split	split;
};

/**
 * typedef ct_export_fn - write the whole of a trace in one format
 * @export: the trace. Records come from ct_export_next().
 * @err: filled in on failure, but not when writing failed.
 * Return: 0 or a negative errno.
 */
typedef int ct_export_fn(struct ct_export *export, struct ct_error *err);

/**
 * ct_export_next() - the next record that is asked for
 * @export: the trace.
 * @event: filled in, valid until the next call.
 * @split: receives the split that the record goes on with, NULL for none.
 * Return: false at the end, and when nothing can be written any more.
 */
bool ct_export_next(struct ct_export *export, struct ct_event *event,
		    const struct ct_split **split);

/**
 * ct_export_wall() - what the clock of the wall shows
 * @export: the trace.
 * @ns: receives what it was ahead of CLOCK_MONOTONIC when tracing began.
 * Return: false when the trace does not tell.
 */
bool ct_export_wall(const struct ct_export *export, uint64_t *ns);

/* A line for each fault. */
ct_export_fn ct_export_jsonl;
ct_export_fn ct_export_csv;
/* A line for each chain of functions. */
ct_export_fn ct_export_folded;

/* Slices on the tracks of threads. */
ct_export_fn ct_export_perfetto;

/* Metrics of all faults. */
ct_export_fn ct_export_prometheus;

#endif /* COWTRACE_EXPORT_H */
