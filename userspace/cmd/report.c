// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "confine.h"
#include "format.h"
#include "json_read.h"
#include "replace.h"
#include "report_html.h"
#include "report_parts.h"

#define META_MAX	(4u << 20)

const struct ct_loss ct_losses[] = {
	{ "lost", "full", "records that did not fit into a buffer",
	  "use a larger --buffer-kb, or a filter" },
	{ "lost", "missed_no_instance", "faults not seen, too many tasks slept in one", NULL },
	{ "lost", "missed_recursion", "faults not seen, another probe was running", NULL },
	{ "lost", "missed_witness", "copies perhaps not witnessed",
	  "outcomes raced and unknown may be copies" },
	{ "stats", "unread", "faults whose arguments were not understood",
	  "this kernel passes them otherwise than the module expects: report it" },
	{ "lost", "skipped_exits", "faults seen to begin and not to end", NULL },
	{ "lost", "asleep", "faults that had not ended when tracing did", NULL },
	{ "lost", "disarmed", "if 1, the probes were without effect at the end",
	  "somebody disarmed kprobes or switched ftrace off" },
	{ "lost", "disarmed_checks", "checks that found the probes without effect",
	  "somebody disarmed kprobes or switched ftrace off" },
	{ 0 }
};

const struct ct_loss ct_stack_losses[] = {
	{ "stacks", "stacks_lost", "user stacks that did not fit into a buffer",
	  "copy less by --stacks=BYTES, or fewer by --stacks-every" },
	{ "stacks", "stacks_bad", "user stacks that perf wrote in a form that is not known",
	  "report it" },
	{ 0 }
};

const struct ct_loss ct_left_out[] = {
	{ "stats", "filtered_entry", "faults of other processes", NULL },
	{ "stats", "filtered_exit", "faults of other outcomes, reasons or durations", NULL },
	{ "stats", "sampled_out", "faults not sampled", "what is said above is estimated from the others" },
	{ 0 }
};

const char *ct_report_word(const struct ct_report *r, const char *vocab, uint32_t value)
{
	const struct ct_word *word = ct_schema_word(r->schema, vocab, value);
	static char unknown[16];

	if (word)
		return word->name;
	snprintf(unknown, sizeof(unknown), "?%u", value);
	return unknown;
}

const char *ct_report_sentence(const struct ct_report *r, const char *vocab, uint32_t value)
{
	const struct ct_word *word = ct_schema_word(r->schema, vocab, value);

	return word ? word->sentence : "";
}

const char *ct_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

bool ct_report_running(const struct ct_report *report)
{
	const char *stats = ct_state_text(&report->state, "stats");

	return stats && strstr(stats, "state running\n");
}

static int take_meta(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct ct_report *r = arg;

	(void)cpu;
	return r->meta || length > META_MAX ? 0 : ct_json_text(data, length, &r->meta);
}

static int load(struct ct_report *r, struct ct_error *err)
{
	int ret;

	ret = ct_reader_open(r->path, &r->reader, err);
	if (ret)
		return ret;
	r->schema = ct_reader_schema(r->reader);
	r->info = ct_reader_info(r->reader);
	ret = ct_state_load(r->reader, &r->state);
	if (!ret)
		ret = ct_reader_chunks(r->reader, CT_CHUNK_META, take_meta, r);
	ct_sample_read(&r->sample, &r->state, r->meta);
	return ret ? ct_error_set(err, ret, "out of memory") : 0;
}

int ct_report_on(FILE *out, const char *trace_path, ct_report_fn *print, const void *arg)
{
	struct ct_report r = { .path = trace_path };
	struct ct_error err = { 0 };
	int status = CT_REPORT_OK;
	int ret;

	ret = load(&r, &err);
	if (!ret) {
		ret = print(out, &r, arg, &err);
		if (!err.code && (ret || fflush(out)))
			ret = ct_error_set(&err, -EIO, "cannot write what was asked for: %s",
					   strerror(errno));
		if (r.info->damages || !r.info->ended)
			status = CT_REPORT_DAMAGED;
	}
	if (ret) {
		ct_complain(&err);
		status = CT_REPORT_FAILED;
	}
	json_object_put(r.meta);
	ct_state_free(&r.state);
	ct_summary_free(r.summary);
	ct_reader_close(r.reader);
	return status;
}

/* Someone forgot to name the file, and would lose the trace. A pipe is not even looked into. */
static bool is_trace(const char *path)
{
	char magic[sizeof(CT_FILE_MAGIC) - 1];
	struct stat st;
	FILE *f = !stat(path, &st) && S_ISREG(st.st_mode) ? fopen(path, "r") : NULL;
	bool is = f && fread(magic, sizeof(magic), 1, f) == 1 &&
		  !memcmp(magic, CT_FILE_MAGIC, sizeof(magic));

	if (f)
		fclose(f);
	return is;
}

int ct_report_into(const char *path, const char *trace_path, ct_report_fn *print, const void *arg)
{
	struct ct_replace *file;
	struct ct_error err;
	int status, ret;
	FILE *out;

	ret = is_trace(path) ? ct_error_set(&err, -EEXIST,
					    "%s is a trace: it would be lost; name the file to write first, then the trace",
					    path) :
			       ct_replace_open(path, &file, &out, &err);
	if (!ret) {
		status = ct_confined_report(out, trace_path, print, arg);
		ret = ct_replace_end(file, status != CT_REPORT_FAILED, &err);
	}
	if (!ret)
		return status;
	ct_complain(&err);
	return CT_REPORT_FAILED;
}

int ct_report_count(struct ct_report *r, const char *counts, struct ct_error *err)
{
	uint64_t elapsed = 0;
	int ret;

	ct_state_number(&r->state, "session", "elapsed_ns", &elapsed);
	ret = ct_summary_count(r->reader, counts, elapsed, &r->summary, err);
	if (!ret)
		ct_sample_summary(&r->sample, r->summary);
	return ret;
}

static int print(FILE *out, struct ct_report *r, const void *arg, struct ct_error *err)
{
	const char *counts = ct_state_text(&r->state, "counts");
	const struct ct_report_opts *opts = arg;
	int ret;

	ret = counts ? ct_report_count(r, counts, err) :
		       ct_summary_make(r->reader, &r->summary, err);
	if (ret)
		return ret;
	if (!counts)
		ct_sample_summary(&r->sample, r->summary);
	r->opts = opts;
	return (opts->json ? ct_report_json : ct_report_text)(out, r, opts);
}

int ct_report_print(FILE *out, const char *trace_path, const struct ct_report_opts *opts)
{
	return ct_report_on(out, trace_path, print, opts);
}

enum { KEY_IN_VAIN = 0x200, KEY_HTML };

static const struct argp_option options[] = {
	{ "json", CT_REPORT_KEY_JSON, NULL, 0, "print one JSON object with every table, all rows",
	  0 },
	{ "html", KEY_HTML, "FILE", 0,
	  "write one page of HTML with charts, that needs no network and no script; - for "
	  "standard output", 0 },
	{ "top", 't', "N", 0, "rows of the tables of processes and code sites (default 10)", 0 },
	{ "in-vain", KEY_IN_VAIN, "SECONDS", 0,
	  "KSM: a merge that an access broke earlier was in vain (default 1)", 0 },
	{ 0 },
};

struct args {
	struct ct_report_opts opts;
	const char	*trace;
	const char	*html;
};

error_t ct_report_option(int key, char *arg, struct argp_state *state,
			 struct ct_report_opts *opts, const char **trace)
{
	unsigned long long n;

	switch (key) {
	case CT_REPORT_KEY_JSON:
		opts->json = true;
		return 0;
	case 't':
		if (ct_parse_number(arg, 1, 1000000, &n))
			argp_error(state, "\"%s\" is no number from 1 to 1000000", arg);
		opts->top = n;
		return 0;
	case ARGP_KEY_ARG:
		if (*trace)
			argp_error(state, "one TRACE at a time, not also \"%s\"", arg);
		*trace = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	if (key == KEY_IN_VAIN) {
		if (ct_parse_seconds(arg, &args->opts.in_vain_ns))
			argp_error(state, "\"%s\" is no number of seconds above 0", arg);
		return 0;
	}
	if (key == KEY_HTML) {
		args->html = arg;
		return 0;
	}
	if (key == ARGP_KEY_END && args->html && args->opts.json)
		argp_error(state, "--html and --json are two forms: ask for one at a time");
	return ct_report_option(key, arg, state, &args->opts, &args->trace);
}

int ct_cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[TRACE]",
		.doc = "Say what a trace holds: how many write-protect faults, which reused the "
		       "page and which copied it, why, who held it, what it cost, where it came "
		       "from, and what was lost.\v"
		       "TRACE is " DEFAULT_TRACE " if not given, - for standard input. It may come "
		       "from another machine or kernel.\n\n"
		       "Exit status:\n" CT_REPORT_STATUS_LINES,
	};
	struct args args = { .trace = NULL };

	argp_err_exit_status = CT_REPORT_FAILED;
	args.opts.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (argp_parse(&argp, argc, argv, 0, NULL, &args))
		return CT_REPORT_FAILED;
	if (args.html)
		return ct_report_html_file(args.html, args.trace ?: DEFAULT_TRACE, &args.opts);
	return ct_confined_report(stdout, args.trace ?: DEFAULT_TRACE, print, &args.opts);
}
