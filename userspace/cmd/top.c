// SPDX-License-Identifier: GPL-2.0
/* cowtrace top: what the module counts, as it happens. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "keeper.h"
#include "module.h"
#include "module_load.h"
#include "options.h"
#include "top_view.h"

#define SECOND_NS	1000000000ull
/* Of the lines of --batch. */
#define COLUMNS		100

struct command {
	struct ct_options	options;
	enum { SCREEN, BATCH, JSON } form;
	unsigned long long	iterations;
	struct ct_keeper	keeper;
	struct ct_module	module;
	struct ct_schema	*schema;
	struct ct_counts	*counts;
	struct ct_counts	*before;
	struct ct_top		top;
	struct top_view		view;
	char			*lost;
	uint64_t		start_ns;
	uint64_t		look_ns;
	uint64_t		before_ns;
	int			signals;
};

enum { KEY_JSON = 0x200, KEY_VIEW };

static const struct argp_option options[] = {
	{ "delay", 'd', "SECONDS", 0, "from one look to the next (default 1)", 0 },
	{ "iterations", 'n', "N", 0, "end after N intervals", 0 },
	{ "filter", 'f', "NAME=VALUE", 0,
	  "count only matching faults: pid, tgid, uid, comm, outcome, reason, min_duration_ns; "
	  "several of them must all match", 0 },
	{ "batch", 'b', NULL, 0, "print lines, for scripts and files, until it is ended", 1 },
	{ "json", KEY_JSON, NULL, 0, "print an object an interval, a line each", 1 },
	{ "sort", 's', "COLUMN", 0,
	  "order by copies (default), faults, reuses, splits, copied, time or total", 1 },
	{ "view", KEY_VIEW, "TABLES", 0, "show processes, patterns or both (default)", 1 },
	{ "top", 't', "N", 0, "rows of each table (default: what fits, all with --batch)", 1 },
	{ 0 },
};

static void set_key(struct command *c, const char *arg, const struct argp_state *state)
{
	int key = ct_top_key_named(arg);

	if (key < 0)
		ct_usage(state, "there is no order by \"%s\": give copies, faults, reuses, splits, copied, time or total",
			 arg);
	c->view.key = key;
}

static void set_tables(struct command *c, const char *arg, const struct argp_state *state)
{
	static const char *const names[] = { "both", "processes", "patterns" };

	for (size_t i = 0; i < TOP_NR_TABLES; i++)
		if (!strcmp(arg, names[i])) {
			c->view.tables = i;
			return;
		}
	ct_usage(state, "there is no view \"%s\": give processes, patterns or both", arg);
}

static void set_form(struct command *c, int form, const struct argp_state *state)
{
	if (c->form != SCREEN && (int)c->form != form)
		ct_usage(state, "--batch and --json are two forms: choose one");
	c->form = form;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct command *c = state->input;
	unsigned long long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->options;
		return 0;
	case 'd':
		if (ct_parse_seconds(arg, &n) || n < SECOND_NS / 20)
			ct_usage(state, "\"%s\" is no time in seconds, of 0.05 at least", arg);
		c->view.delay_ns = n;
		return 0;
	case 'n':
		if (ct_parse_number(arg, 1, UINT32_MAX, &c->iterations))
			ct_usage(state, "\"%s\" is no number of intervals", arg);
		return 0;
	case 'f':
		return ct_options_filter(&c->options, arg, state);
	case 'b':
		set_form(c, BATCH, state);
		return 0;
	case KEY_JSON:
		set_form(c, JSON, state);
		return 0;
	case 's':
		set_key(c, arg, state);
		return 0;
	case KEY_VIEW:
		set_tables(c, arg, state);
		return 0;
	case 't':
		if (ct_parse_number(arg, 1, UINT32_MAX, &n))
			ct_usage(state, "\"%s\" is no number of rows", arg);
		c->view.rows = n;
		return 0;
	case ARGP_KEY_ARG:
		ct_usage(state, "it takes no argument \"%s\"", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &ct_who_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show live which write-protect faults copy and reuse pages: by whom, why, how many a "
	       "second, how many bytes and how long.\v"
	       "Faults are counted in the kernel while it runs, and none is recorded; how that was set "
	       "before is put back at its end, however it ends. While somebody else "
	       "traces, it reads along, with the filters that they have set.\n\n"
	       "Keys: q quits, h shows all others.",
	.children = children,
};

/* --- looks -------------------------------------------------------------------------- */

static int take_schema(struct command *c, struct ct_error *err)
{
	struct ct_source *source = &c->module.source;
	char *text;
	int ret = source->get(source, "schema", &text, err);

	if (ret)
		return ret;
	ret = ct_schema_parse(text, strlen(text), &c->schema, err);
	free(text);
	c->view.schema = c->schema;
	return ret;
}

static int read_counts(struct command *c, struct ct_counts **counts, struct ct_error *err)
{
	struct ct_source *source = &c->module.source;
	char *text;
	int ret = source->get(source, "counts", &text, err);

	if (!ret) {
		ret = ct_counts_parse(text, c->schema, counts, err);
		free(text);
	}
	return ret;
}

static int read_state(struct command *c, struct ct_error *err)
{
	struct ct_source *source = &c->module.source;
	char *enabled, *lost;
	int ret = source->get(source, "enabled", &enabled, err);

	if (ret)
		return ret;
	c->view.on = *enabled != '0';
	free(enabled);
	/* Asked for this, the module proves that its probes still see faults. */
	ret = source->get(source, "lost", &lost, err);
	if (ret)
		return ret;
	free(c->lost);
	c->lost = lost;
	c->view.lost = lost;
	return 0;
}

/* From the rows of the last look, for whatever the view asks now. */
static int arrange(struct command *c, struct ct_error *err)
{
	ct_top_clear(&c->top);
	if (ct_top_between(&c->top, c->before, c->counts, c->look_ns - c->before_ns))
		return ct_error_set(err, -ENOMEM, "no memory for a table");
	if (*c->view.wanted)
		ct_top_keep(&c->top, c->view.wanted);
	if (c->view.skip >= c->top.nr_processes)
		c->view.skip = 0;
	ct_top_sort(&c->top, c->view.key, c->view.reverse);
	return 0;
}

static int look(struct command *c, struct ct_error *err)
{
	struct ct_counts *counts = NULL;
	int ret = read_state(c, err);

	if (!ret)
		ret = read_counts(c, &counts, err);
	if (ret && !c->keeper.pid && !ct_module_is_loaded())
		return ct_error_set(err, ret,
				    "who traced has ended, and the module is unloaded: start cowtrace top again");
	if (ret)
		return ret;
	ct_counts_free(c->before);
	c->before = c->counts;
	c->before_ns = c->look_ns;
	c->counts = counts;
	c->look_ns = ct_now_ns();
	c->view.time_ns = ct_clock_ns(CLOCK_REALTIME);
	c->view.since_ns = c->keeper.pid ? c->look_ns - c->start_ns : 0;
	c->view.counting = counts->counting;
	return arrange(c, err);
}

/* --- showing ------------------------------------------------------------------------ */

static void print_line(void *arg, enum top_style style, const char *text)
{
	(void)style;
	fprintf(arg, "%s\n", text);
}

/* Returns whether somebody reads it. */
static bool show(struct command *c)
{
	switch (c->form) {
	case SCREEN:
		top_screen_draw(&c->view);
		return true;
	case BATCH:
		top_lines(&c->view, COLUMNS, 0, print_line, stdout);
		putchar('\n');
		return !fflush(stdout);
	default:
		return !top_json(stdout, &c->view) && !fflush(stdout);
	}
}

static int take_signals(struct command *c, struct ct_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? ct_error_set(err, -errno, "cannot take signals: %s",
					     strerror(errno)) : 0;
}

/* Returns whether one of them ends it. */
static bool read_signals(struct command *c)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(c->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGWINCH)
			end = true;
		else if (c->form == SCREEN)
			top_screen_resize();
	}
	return end;
}

static int timeout(const struct command *c)
{
	uint64_t now = ct_now_ns(), next = c->look_ns + c->view.delay_ns;

	if (c->view.paused)
		return -1;
	return next > now ? (next - now + 999999) / 1000000 : 0;
}

/* Obey all keys that wait. Returns whether one of them ends it. */
static bool read_keys(struct command *c, struct ct_error *err)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	enum top_action action;

	while (poll(&input, 1, 0) > 0) {
		action = input.revents & POLLIN ? top_screen_key(&c->view) : TOP_QUIT;
		if (action == TOP_QUIT)
			return true;
		if (action == TOP_DRAW && arrange(c, err))
			return true;
	}
	return false;
}

/* Until the next look is due. Returns whether there is to be one. */
static bool wait_for_next(struct command *c, struct ct_error *err)
{
	struct pollfd fds[] = {
		{ .fd = c->signals, .events = POLLIN },
		{ .fd = c->keeper.pid ? c->keeper.fd : -1 },
		/* Without keys: a pipe whose reader is gone raises POLLERR. */
		{ .fd = c->form == SCREEN ? STDIN_FILENO : STDOUT_FILENO,
		  .events = c->form == SCREEN ? POLLIN : 0 },
	};
	int n;

	while ((n = poll(fds, sizeof(fds) / sizeof(*fds), timeout(c)))) {
		if (n < 0)
			continue;
		if (fds[0].revents && read_signals(c))
			return false;
		if (fds[1].revents) {
			ct_error_set(err, -ESRCH,
				     "cowtrace-keeper, which holds the module, was killed: see whether cowtrace/enabled in debugfs is 0");
			return false;
		}
		if (fds[2].revents && (c->form != SCREEN || read_keys(c, err)))
			return false;
		if (c->form == SCREEN)
			show(c);
	}
	return true;
}

static int follow(struct command *c, struct ct_error *err)
{
	unsigned long long n = 0;
	int ret = look(c, err);

	if (ret)
		return ret;
	if (c->form == SCREEN) {
		ret = top_screen_open(err);
		if (ret)
			return ret;
		show(c);
	}
	err->code = 0;
	while ((!c->iterations || n++ < c->iterations) && wait_for_next(c, err)) {
		ret = look(c, err);
		if (ret || !show(c))
			break;
	}
	top_screen_close();
	return ret ? ret : err->code;
}

/* --- the whole ------------------------------------------------------------------------ */

static void say_limits(struct command *c)
{
	char *to = c->view.limits;
	size_t used = 0;

	for (size_t i = 0; i < c->options.nr_settings && used < sizeof(c->view.limits); i++)
		used += snprintf(to + used, sizeof(c->view.limits) - used, "%s%s", i ? ", " : "",
				 c->options.settings[i]);
}

/* Counting of our own, else what somebody else counts. */
static int take_module(struct command *c, struct ct_error *err)
{
	int ret = ct_keeper_start(&c->keeper, c->options.settings, c->options.nr_settings, err);

	if (ret && ret != -EBUSY)
		return ret;
	if (ret && c->options.nr_settings)
		return ct_error_set(err, ret,
				    "somebody else is tracing, so the filters are theirs: run cowtrace top without any, or end that trace");
	c->start_ns = ct_now_ns();
	c->view.ours = !ret;
	return ct_module_open(&c->module, err);
}

static int run(struct command *c, struct ct_error *err)
{
	int ret;

	/* Before the terminal's: a screen that cannot be is no reason to load anything. */
	ret = c->form == SCREEN ? top_screen_check(err) : 0;
	if (!ret)
		ret = take_signals(c, err);
	if (!ret)
		ret = take_module(c, err);
	if (!ret)
		ret = take_schema(c, err);
	if (!ret)
		ret = follow(c, err);
	/* The keeper cannot unload what we have open. */
	if (c->module.source.name)
		ct_module_close(&c->module);
	ct_keeper_stop(&c->keeper);
	return ret;
}

int ct_cmd_top(int argc, char **argv)
{
	static struct command c = { .view.delay_ns = SECOND_NS, .keeper.fd = -1 };
	struct ct_error err;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &c);
	c.view.top = &c.top;
	say_limits(&c);
	ret = run(&c, &err);
	ct_top_clear(&c.top);
	ct_counts_free(c.counts);
	ct_counts_free(c.before);
	ct_schema_free(c.schema);
	free(c.lost);
	ct_options_free(&c.options);
	if (ret)
		ct_complain(&err);
	return ret ? CT_EXIT_FAIL : CT_EXIT_OK;
}
