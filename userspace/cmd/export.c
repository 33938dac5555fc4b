// SPDX-License-Identifier: GPL-2.0
/* cowtrace export: a trace in the formats of other tools. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "command.h"
#include "confine.h"
#include "export.h"
#include "live.h"
#include "meta.h"
#include "options.h"
#include "progress.h"

/* No name of a machine is longer: HOST_NAME_MAX, and room for a domain. */
#define HOST_MAX	256

/* What a browser opens in some seconds: some 200 MB. */
#define DEFAULT_MAX	1000000

/**
 * struct format - one format
 * @name: as --format takes it.
 * @sentence: what it is, for the help.
 * @run: writes it.
 * @counts: of a trace of counts too, and without one of what the module counts.
 */
static const struct format {
	const char	*name;
	const char	*sentence;
	ct_export_fn	*run;
	bool		counts;
} formats[] = {
	{ "jsonl", "one JSON object a fault, for jq and DuckDB", ct_export_jsonl, false },
	{ "csv", "one line a fault below a line of names, for DuckDB, ClickHouse",
	  ct_export_csv, false },
	{ "perfetto", "tracks of threads with their faults, for ui.perfetto.dev",
	  ct_export_perfetto, false },
	{ "prometheus", "metrics of a trace or of the running module, for node_exporter",
	  ct_export_prometheus, true },
	{ "folded", "functions that led to the faults, for flamegraph.pl, inferno and speedscope; "
	  "whole with cowtrace record --stacks", ct_export_folded, false },
};

#define NR_FORMATS	(sizeof(formats) / sizeof(*formats))

struct args {
	const struct format *format;
	const char	*trace;
	const char	*output;
	const char	*host;
	bool		header;
	unsigned int	processes;
	uint64_t	max;
	enum ct_weight	weight;
	struct ct_options filters;
};

enum { KEY_FORMAT = 0x200, KEY_HOST, KEY_HEADER, KEY_MAX, KEY_PROCESSES, KEY_WEIGHT };

static const struct argp_option options[] = {
	{ "format", KEY_FORMAT, "FORMAT", 0, "one of those below", 0 },
	{ "output", 'o', "FILE", 0,
	  "write into FILE, which appears when it is finished and whole (default: standard output)",
	  0 },
	{ "host", KEY_HOST, "NAME", 0,
	  "call the traced machine so (default: as it called itself)", 0 },
	{ "header", KEY_HEADER, NULL, 0,
	  "jsonl: begin with an object that tells of the trace: kernel, settings, loss", 0 },
	{ "max", KEY_MAX, "N", 0,
	  "perfetto: draw N faults at most, evenly chosen (default 1000000)", 0 },
	{ "processes", KEY_PROCESSES, "N", 0,
	  "prometheus: also the N processes with the most copies (default: none)", 0 },
	{ "weight", KEY_WEIGHT, "WHAT", 0,
	  "folded: add up faults (default), bytes copied, or ns", 0 },
	{ 0 },
};

static const struct format *find_format(const char *name, const struct argp_state *state)
{
	for (size_t i = 0; i < NR_FORMATS; i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	ct_usage(state, "there is no format \"%s\"", name);
}

static enum ct_weight find_weight(const char *name, const struct argp_state *state)
{
#define NAME(id, name)	name,
	static const char * const names[] = { CT_WEIGHTS(NAME) };

	for (size_t i = 0; i < CT_NR_WEIGHTS; i++)
		if (!strcmp(names[i], name))
			return i;
	ct_usage(state, "--weight is faults, bytes or ns, not \"%s\"", name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	unsigned long long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->filters;
		return 0;
	case KEY_FORMAT:
		a->format = find_format(arg, state);
		return 0;
	case 'o':
		a->output = arg;
		return 0;
	case KEY_HOST:
		a->host = arg;
		return 0;
	case KEY_WEIGHT:
		a->weight = find_weight(arg, state);
		return 0;
	case KEY_HEADER:
		a->header = true;
		return 0;
	case KEY_MAX:
		if (ct_parse_number(arg, 1, UINT32_MAX, &n))
			ct_usage(state, "\"%s\" is no number from 1 to %u", arg, UINT32_MAX);
		a->max = n;
		return 0;
	case KEY_PROCESSES:
		if (ct_parse_number(arg, 1, 1000, &n))
			ct_usage(state, "\"%s\" is no number from 1 to 1000", arg);
		a->processes = n;
		return 0;
	case ARGP_KEY_ARG:
		if (a->trace)
			ct_usage(state, "one TRACE at a time, not also \"%s\"", arg);
		a->trace = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->format)
			ct_usage(state, "say what to make by --format");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The table of formats, in the help. */
static char *help_filter(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t size;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&all, &size);
	if (!f)
		return (char *)text;
	fputs("Formats:\n", f);
	for (size_t i = 0; i < NR_FORMATS; i++)
		fprintf(f, "  %-12s%s\n", formats[i].name, formats[i].sentence);
	fprintf(f, "\n%s", text);
	fclose(f);
	return all;
}

static const struct argp_child children[] = { { &ct_match_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "--format FORMAT [TRACE]",
	.doc = "Write a trace in the format of another tool.\v"
	       "TRACE is " DEFAULT_TRACE " if not given, - for standard input; without one prometheus "
	       "asks the module what it has counted until now, and changes nothing.\n\n"
	       "Exit status:\n" CT_REPORT_STATUS_LINES,
	.help_filter = help_filter,
	.children = children,
};

bool ct_export_next(struct ct_export *e, struct ct_event *event, const struct ct_split **split)
{
	while (!ferror(e->out) && ct_reader_next(e->report->reader, event)) {
		/* A split is looked for among all records, whatever is asked for. */
		*split = ct_splits_take(&e->splits, event->record, &e->split) ? &e->split : NULL;
		if (ct_match_fits(&e->match, event->record))
			return true;
	}
	return false;
}

static bool start_time(const struct ct_report *report, const char *clock, uint64_t *ns)
{
	*ns = json_object_get_int64(ct_meta_member(report->meta, "start", clock));
	return *ns;
}

bool ct_export_wall(const struct ct_export *e, uint64_t *ns)
{
	uint64_t realtime, monotonic;

	if (!start_time(e->report, "realtime_ns", &realtime) ||
	    !start_time(e->report, "monotonic_ns", &monotonic))
		return false;
	*ns = realtime - monotonic;
	return true;
}

/* The name that the traced machine gave itself. */
static const char *host_of(const struct ct_report *r, char *buf, size_t size)
{
	const char *text = ct_meta_text(r->meta, "kernel", "host");

	if (!text)
		return NULL;
	ct_clean_text(buf, size, text, strlen(text));
	return buf;
}

/* One line for each thing that is missing. */
static void tell_losses(const struct ct_report *r)
{
	unsigned long long n;
	uint64_t value;

	ct_progress_erase();
	for (const struct ct_loss *loss = ct_losses; loss->name; loss++) {
		if (!ct_state_number(&r->state, loss->file, loss->name, &value) || !value ||
		    !strcmp(loss->name, "disarmed"))
			continue;
		n = value;
		fprintf(stderr, "cowtrace: not in the trace: %llu %s\n", n, loss->sentence);
	}
	n = r->info->lost;
	if (n)
		fprintf(stderr,
			"cowtrace: not in the trace: %llu records that its numbers tell of\n", n);
	if (ct_sampled(&r->sample))
		fprintf(stderr, "cowtrace: not each fault was recorded: one stands for %.6g\n",
			r->sample.factor);
	if (r->info->damages || !r->info->ended)
		fputs("cowtrace: the trace is damaged or cut off, what is whole was exported: cowtrace report says where\n",
		      stderr);
}

static int export(FILE *out, struct ct_report *report, const void *arg, struct ct_error *err)
{
	static struct ct_export e;
	const struct args *a = arg;
	static char host[HOST_MAX];
	int ret = 0;

	e = (struct ct_export){
		.out = out, .report = report, .header = a->header, .processes = a->processes,
		.max = a->max, .weight = a->weight,
		.live = a->format->counts && !a->trace,
	};
	if (a->host)
		ct_clean_text(host, sizeof(host), a->host, strlen(a->host));
	e.host = a->host ? host : host_of(report, host, sizeof(host));
	if (ct_state_text(&report->state, "counts") && !a->format->counts)
		return ct_error_set(err, -EINVAL,
				    "%s has counts and no records, of which %s is made: record with cowtrace record, or run --records",
				    report->path, a->format->name);
	if (ct_state_text(&report->state, "counts") && a->filters.nr_settings)
		return ct_error_set(err, -EINVAL,
				    "what was counted cannot be chosen from: filter when it is counted, by cowtrace/filter in debugfs");
	for (size_t i = 0; !ret && i < a->filters.nr_settings; i++)
		ret = ct_match_add(&e.match, report->schema, a->filters.settings[i], err);
	if (!ret)
		ret = a->format->run(&e, err);
	/* A counter that is told each time tells nothing: these are among the metrics. */
	if (!ret && !ferror(out) && !e.live)
		tell_losses(report);
	return ret;
}

static int export_trace(const struct args *a, const char *trace)
{
	return a->output ? ct_report_into(a->output, trace, export, a) :
			   ct_confined_report(stdout, trace, export, a);
}

static int export_live(const struct args *a)
{
	char trace[4096];
	struct ct_error err;

	if (ct_live_trace(trace, sizeof(trace), &err)) {
		ct_complain(&err);
		return CT_REPORT_FAILED;
	}
	return export_trace(a, trace);
}

int ct_cmd_export(int argc, char **argv)
{
	struct args a = { .max = DEFAULT_MAX };
	int status;

	argp_err_exit_status = CT_REPORT_FAILED;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return CT_REPORT_FAILED;
	/* On a terminal its lines show how far it is. */
	if (!a.output && isatty(STDOUT_FILENO))
		ct_progress_stop();
	if (a.format->counts && !a.trace)
		status = export_live(&a);
	else
		status = export_trace(&a, a.trace ?: DEFAULT_TRACE);
	ct_options_free(&a.filters);
	return status;
}
