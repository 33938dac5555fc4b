// SPDX-License-Identifier: GPL-2.0
/* cowtrace events: faults as they come. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backend.h"
#include "capture_settings.h"
#include "clock.h"
#include "command.h"
#include "confine.h"
#include "event_print.h"
#include "merge.h"
#include "options.h"
#include "progress.h"
#include "reader.h"

/* The module wakes readers of its text rarely: how long a line may wait for us. */
#define PERIOD_MS	50
#define ROOM		(64u << 10)

struct events {
	struct ct_options	options;
	bool			json;
	struct ct_source	*source;
	struct ct_settings	*settings;
	const char		*trace;
	const struct ct_schema	*schema;
	struct ct_schema	*own_schema;
	struct ct_splits	splits;
	int			signals;
	uint64_t		end_ns;
	bool			ours;
	/* Records of all CPUs; of somebody else's session, the module's text. */
	struct ct_merge		*merge;
	int			text;
	char			data[ROOM];
};

enum { KEY_JSON = 0x200 };

static const struct argp_option options[] = {
	{ "json", KEY_JSON, NULL, 0, "print one JSON object a fault", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct events *e = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->options;
		state->child_inputs[1] = &e->options;
		return 0;
	case KEY_JSON:
		e->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (e->trace)
			ct_usage(state, "one TRACE at a time, not also \"%s\"", arg);
		e->trace = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ &ct_options_argp, 0, NULL, 0 }, { &ct_who_argp, 0, NULL, 1 }, { 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[TRACE]",
	.doc = "Print write-protect faults, one line each: those of a trace, - for standard input, or "
	       "without one as they come.\v"
	       "Without a TRACE it switches tracing on and off again. While somebody else is tracing it reads along, "
	       "with the filters that they have set; --json then has to wait, because binary records "
	       "have one reader.",
	.children = children,
};

static void print_fault(struct events *e, const struct cowtrace_record *r, const void *raw)
{
	struct ct_fault fault = { e->schema, r, raw, NULL };
	struct ct_split split;

	if (ct_splits_take(&e->splits, r, &split))
		fault.split = &split;
	(e->json ? ct_fault_json : ct_fault_text)(stdout, &fault);
}

/* --- a trace ---------------------------------------------------------------- */

static int print_trace(void *arg, struct ct_error *err)
{
	const struct ct_trace_info *info;
	struct events *e = arg;
	struct ct_reader *reader;
	struct ct_event event;
	int ret;

	if (e->options.nr_settings || e->options.duration_ns)
		return ct_error_set(err, -EINVAL,
				    "a trace is printed as it was recorded: give filters and the like to cowtrace record");
	/* Its lines show how far it is, in whatever pager they end. */
	ct_progress_stop();
	ret = ct_reader_open(e->trace, &reader, err);
	if (ret)
		return ret;
	e->schema = ct_reader_schema(reader);
	while (!ferror(stdout) && ct_reader_next(reader, &event))
		print_fault(e, event.record, event.raw);
	info = ct_reader_info(reader);
	if (!e->options.quiet && info->lost)
		fprintf(stderr, "cowtrace: %llu faults are missing in the trace: cowtrace report says why\n",
			(unsigned long long)info->lost);
	if (info->damages || !info->ended)
		ret = ct_error_set(err, -EIO,
				   "the trace is damaged or cut off, what is whole was printed: cowtrace report says where");
	ct_reader_close(reader);
	return ret;
}

/* --- as they come ----------------------------------------------------------- */

/* The module's own text, a line a fault. Returns whether it has ended. */
static bool read_text(struct events *e, struct ct_error *err)
{
	ssize_t n;

	while ((n = e->source->read_cpu(e->source, e->text, e->data, sizeof(e->data))) > 0)
		fwrite(e->data, 1, n, stdout);
	if (n < 0 && n != -EAGAIN)
		ct_error_set(err, n, "reading the events failed: %s", strerror(-n));
	return !n;
}

/* Prints all that is known. Returns whether all has ended. */
static bool read_all(struct events *e, struct ct_error *err)
{
	struct cowtrace_record record;
	const void *raw;
	bool any;

	if (!e->merge)
		return read_text(e, err);
	do {
		any = false;
		if (ct_merge_read(e->merge, err))
			break;
		while ((raw = ct_merge_next(e->merge, &record))) {
			print_fault(e, &record, raw);
			any = true;
		}
	} while (any && !ferror(stdout));
	return ct_merge_ended(e->merge);
}

/* Returns whether to go on. */
static bool pause_for_more(struct events *e)
{
	struct pollfd fds[] = {
		{ .fd = e->signals, .events = POLLIN },
		/* A pipe whose reader is gone raises POLLERR, also while nothing is written. */
		{ .fd = STDOUT_FILENO },
	};
	uint64_t now = ct_now_ns();
	int timeout = PERIOD_MS;

	if (e->end_ns && now >= e->end_ns)
		return false;
	if (e->end_ns && e->end_ns - now < PERIOD_MS * 1000000ull)
		timeout = (e->end_ns - now) / 1000000 + 1;
	return !poll(fds, sizeof(fds) / sizeof(*fds), timeout);
}

static int follow(struct events *e, struct ct_error *err)
{
	struct ct_error ignored;
	bool ended = false;

	err->code = 0;
	while (!ended && !err->code) {
		ended = read_all(e, err);
		/* A reader that went away (head, less) is an end as any other. */
		if (fflush(stdout))
			break;
		if (!ended && !pause_for_more(e))
			break;
	}
	if (e->ours) {
		e->source->set(e->source, "enabled", "0", &ignored);
		if (!ended && !ferror(stdout)) {
			read_all(e, err);
			fflush(stdout);
		}
	}
	return err->code;
}

static void tell_losses(struct events *e)
{
	struct ct_error ignored;
	unsigned long long n = 0;
	char *text, *at;

	if (e->source->get(e->source, "lost", &text, &ignored))
		return;
	at = strstr(text, e->merge ? "full " : "events_full ");
	if (at && sscanf(at, "%*s %llu", &n) == 1 && n)
		fprintf(stderr,
			"cowtrace: %llu faults not printed, they came faster than they were read: narrow them down by --filter, or use cowtrace record\n",
			n);
	free(text);
}

/* Somebody else is tracing: their filters stand, and their binary records are theirs. */
static int read_along(struct events *e, struct ct_error *err)
{
	if (e->json || e->options.nr_settings)
		return ct_error_set(err, -EBUSY,
				    "somebody else is tracing, so filters and --json are theirs: run cowtrace events without them, or end that trace");
	e->text = e->source->open_lines(e->source, "events", err);
	return e->text < 0 ? e->text : 0;
}

static int trace(struct events *e, struct ct_error *err)
{
	char *text;
	int ret;

	ret = e->source->get(e->source, "schema", &text, err);
	if (ret)
		return ret;
	ret = ct_schema_parse(text, strlen(text), &e->own_schema, err);
	free(text);
	e->schema = e->own_schema;
	if (!ret)
		ret = ct_settings_save(&e->settings, e->source, err);
	if (!ret)
		ret = ct_settings_clear(e->settings, err);
	for (size_t i = 0; !ret && i < e->options.nr_settings; i++)
		ret = ct_settings_assign(e->settings, e->options.settings[i], err);
	if (!ret)
		ret = e->source->set(e->source, "reset", "1", err);
	if (!ret)
		ret = ct_merge_open(e->source, e->schema, &e->merge, err);
	if (!ret)
		ret = e->source->set(e->source, "enabled", "1", err);
	e->ours = !ret;
	return ret;
}

static int take_signals(struct events *e, struct ct_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	e->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return e->signals < 0 ? ct_error_set(err, -errno, "cannot take signals: %s",
					     strerror(errno)) : 0;
}

static int run(struct events *e, struct ct_error *err)
{
	int ret;

	ret = e->source->claim(e->source, err);
	ret = ret == -EBUSY ? read_along(e, err) : ret ? ret : trace(e, err);
	if (!ret) {
		if (e->options.duration_ns)
			e->end_ns = ct_now_ns() + e->options.duration_ns;
		ret = follow(e, err);
		if (!e->options.quiet)
			tell_losses(e);
	}
	ct_merge_close(e->merge);
	if (e->text >= 0)
		close(e->text);
	ct_settings_restore(e->settings);
	ct_schema_free(e->own_schema);
	e->source->close(e->source);
	return ret;
}

static int follow_source(struct events *e, struct ct_error *err)
{
	int ret = take_signals(e, err);

	if (!ret)
		ret = ct_backend_open(e->options.backend, &e->source, err);
	return ret ? ret : run(e, err);
}

static int print_live(struct events *e)
{
	struct ct_error err;

	if (!follow_source(e, &err))
		return CT_EXIT_OK;
	ct_complain(&err);
	return CT_EXIT_FAIL;
}

int ct_cmd_events(int argc, char **argv)
{
	struct events e = { .text = -1 };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &e);
	status = e.trace ? ct_confined(print_trace, &e) : print_live(&e);
	ct_options_free(&e.options);
	return status;
}
