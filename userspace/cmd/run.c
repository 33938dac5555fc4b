// SPDX-License-Identifier: GPL-2.0
/* cowtrace run: trace a command and print the verdict at its end. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "options.h"
#include "report.h"
#include "temporary.h"

struct run {
	struct ct_options	options;
	struct ct_session_opts	session;
	const char		*report;
	const char		*json;
	FILE			*report_out;
	FILE			*json_out;
	enum { CHEAPEST, COUNTS, RECORDS } mode;
	const char		*needs_records;
	char			temporary[PATH_MAX];
};

enum { KEY_REPORT = 0x200, KEY_JSON, KEY_WAIT, KEY_COUNTS, KEY_RECORDS, KEY_POLICIES };

static const struct argp_option options[] = {
	{ "counts", KEY_COUNTS, NULL, 0,
	  "count faults in the kernel, the default: costs least, and answers how many, why, how "
	  "long and whose", 1 },
	{ "records", KEY_RECORDS, NULL, 0,
	  "record each fault: adds who held the pages, code sites, kinds, origins and contention", 1 },
	{ "policies", KEY_POLICIES, NULL, 0,
	  "count what each generation of the kernel's logic would have decided, by outcome and reason",
	  1 },
	{ "output", 'o', "FILE", 0, "keep the trace in FILE; takes --records", 1 },
	{ "output-report", KEY_REPORT, "FILE", 0,
	  "print the report to FILE instead of standard error, - for standard output", 1 },
	{ "json", KEY_JSON, "FILE", 0,
	  "print the report as JSON to FILE, - for standard output; text only with --output-report",
	  1 },
	{ "wait-children", KEY_WAIT, NULL, 0, CT_WAIT_CHILDREN, 1 },
	{ 0 },
};

/* Left out, it would be the "--" before CMD. */
static const char *file_of(const char *option, const char *arg, const struct argp_state *state)
{
	if (!strcmp(arg, "--"))
		ct_usage(state, "%s needs a FILE before the --", option);
	return arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->options;
		return 0;
	case 'o':
		if (!strcmp(arg, "-"))
			ct_usage(state, "the trace cannot go to standard output, which is CMD's: give a file");
		r->session.output = file_of("--output", arg, state);
		r->needs_records = "--output";
		return 0;
	case KEY_COUNTS:
	case KEY_RECORDS:
		if (r->mode != CHEAPEST && r->mode != (key == KEY_COUNTS ? COUNTS : RECORDS))
			ct_usage(state, "--counts and --records are two ways: choose one");
		r->mode = key == KEY_COUNTS ? COUNTS : RECORDS;
		return 0;
	case KEY_POLICIES:
		r->session.policies = true;
		return 0;
	case KEY_REPORT:
		r->report = file_of("--output-report", arg, state);
		return 0;
	case KEY_JSON:
		r->json = file_of("--json", arg, state);
		return 0;
	case KEY_WAIT:
		r->session.wait_children = true;
		return 0;
	case ARGP_KEY_ARGS:
		r->session.argv = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		/* A buffer is for records too. */
		if (!r->needs_records && ct_options_has(&r->options, "buffer_kb"))
			r->needs_records = "--buffer-kb";
		if (r->options.groups)
			r->needs_records = "--group";
		if (r->needs_records && r->mode == COUNTS)
			ct_usage(state, "%s is for records, and --counts makes none",
				 r->needs_records);
		if (r->session.policies && (r->needs_records || r->mode == RECORDS))
			ct_usage(state, "--policies counts, and %s makes records: keep these by -o, and ask cowtrace whatif",
				 r->needs_records ?: "--records");
		return 0;
	case ARGP_KEY_NO_ARGS:
		ct_usage(state, "give a command after --");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &ct_options_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "-- CMD [ARG...]",
	.doc = "Trace CMD and its children, and print at its end how many write-protect faults copied "
	       "a page, how many reused it, and why.\v"
	       "Faults are counted in the kernel, unless --records, -o or --buffer-kb asks for "
	       "records, or the backend is bpf, which always records: the verdict is the same, and each fault costs CMD less. "
	       "CMD keeps its standard input, output and error, and its exit status is passed on. "
	       "Tracing ends when CMD itself ends; --wait-children waits for what it left behind.",
	.children = children,
};

static int make_temporary(struct run *r, struct ct_error *err)
{
	int fd = ct_temporary_open(r->temporary, sizeof(r->temporary));

	if (fd < 0) {
		ct_error_set(err, fd, "cannot create %s: %s: set TMPDIR, or name a file by -o",
			     r->temporary, strerror(-fd));
		return fd;
	}
	r->session.output = r->temporary;
	return 0;
}

/* Before CMD runs: what it took must not be for nothing. */
static int open_report(FILE **out, const char *path, struct ct_error *err)
{
	*out = !path ? stderr : strcmp(path, "-") ? fopen(path, "we") : stdout;
	return *out ? 0 : ct_error_set(err, -errno,
				       "cannot write the report to %s: %s: name another file",
				       path, strerror(errno));
}

/* Returns whether it was printed. */
static bool print_report(const char *trace, FILE *out, bool json)
{
	struct ct_report_opts opts = { .json = json };
	bool ok;

	opts.color = !json && isatty(fileno(out));
	ok = ct_report_print(out, trace, &opts) != CT_REPORT_FAILED;
	if (fflush(out))
		ok = false;
	if (out != stderr && out != stdout && fclose(out))
		ok = false;
	if (!ok)
		fprintf(stderr, "cowtrace: the report is incomplete\n");
	return ok;
}

static int tell_end(const struct run *r, const struct ct_session_result *result)
{
	bool ok;

	ok = !ct_tell_losses(result, *r->temporary ? "the trace" : r->session.output);
	if (result->exec_error)
		return CT_EXIT_OWN;
	if (r->report || !r->json)
		ok &= print_report(r->session.output, r->report_out, false);
	if (r->json)
		ok &= print_report(r->session.output, r->json_out, true);
	return ok ? CT_EXIT_OK : CT_EXIT_OWN;
}

int ct_cmd_run(int argc, char **argv)
{
	struct ct_session_result result = { 0 };
	struct run r = { .session.target = CT_TARGET_COMMAND };
	int status = CT_EXIT_OWN;
	struct ct_error err;
	int ret;

	argp_err_exit_status = CT_EXIT_OWN;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &r);
	r.session.command_line = argv;
	ct_options_session(&r.options, &r.session);
	r.session.counts = r.mode != RECORDS && !r.needs_records;
	r.session.or_records = r.mode == CHEAPEST && !r.session.policies;
	ret = open_report(&r.report_out, r.report, &err) ?:
	      open_report(&r.json_out, r.json, &err);
	if (!ret && !r.session.output)
		ret = make_temporary(&r, &err);
	if (!ret)
		ret = ct_session_run(&r.session, &result, &err);
	if (ret)
		ct_complain(&err);
	else
		status = tell_end(&r, &result);
	ct_options_free(&r.options);
	return ct_exit_as_command(&result, r.session.argv, status);
}
