// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture_meta.h"
#include "capture_session.h"
#include "capture_settings.h"
#include "capture_target.h"
#include "clock.h"
#include "schema.h"
#include "state.h"

#define SECOND_NS	1000000000ull
/* Four lines of progress a second. */
#define PROGRESS_NS	(SECOND_NS / 4)

/* What is open, in the order in which it is opened; close_session() goes back. */
struct session {
	const struct ct_session_opts	*opts;
	struct ct_session_result	*result;
	struct ct_source		*source;
	struct ct_settings		*settings;
	struct ct_sideband		*sideband;
	struct ct_groups		*groups;
	struct ct_capture_stacks	*stacks;
	struct ct_writer		*writer;
	struct ct_capture		*capture;
	struct ct_child			child;
	struct ct_dispositions		before;
	int				signals;
	int				process;
	bool				counts;
	bool				running;
	bool				forwarded;
	bool				leave;
	uint64_t			start_ns;
	uint64_t			next_progress;
	uint64_t			shown_records;
	uint64_t			shown_ns;
};

/* --- signals ---------------------------------------------------------------- */

static int take_signals(struct session *s, struct ct_error *err)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, &s->before.mask);
	/* A reader of our output that goes away must not keep us from tidying up. */
	sigaction(SIGPIPE, &ignore, &s->before.pipe);
	/* Ignored SIGCHLD, as some parents leave it, would lose the command's status. */
	sigaction(SIGCHLD, &standard, &s->before.child);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return ct_error_set(err, -errno, "cannot take signals: %s", strerror(errno));
	return 0;
}

static void give_signals_back(struct session *s)
{
	struct signalfd_siginfo ignored;

	/* What was sent meanwhile has been obeyed: it must not strike now. */
	while (s->signals >= 0 && read(s->signals, &ignored, sizeof(ignored)) > 0)
		;
	if (s->signals >= 0)
		close(s->signals);
	sigaction(SIGPIPE, &s->before.pipe, NULL);
	sigaction(SIGCHLD, &s->before.child, NULL);
	sigprocmask(SIG_SETMASK, &s->before.mask, NULL);
}

static void reap(struct session *s)
{
	bool wait_children = s->opts->wait_children;
	int status;
	pid_t pid;

	while ((pid = waitpid(wait_children ? -1 : s->child.pid, &status, WNOHANG)) > 0) {
		if (pid != s->child.pid)
			continue;
		s->result->ran = true;
		s->result->status = status;
		if (!wait_children) {
			s->running = false;
			return;
		}
	}
	/* We adopt what the command left behind: no child left means that all have ended. */
	if (pid < 0 && errno == ECHILD)
		s->running = false;
}

/* A signal that asks for the end. One from the terminal has reached the command too. */
static void end_request(struct session *s, const struct signalfd_siginfo *info)
{
	bool sent_to_us = info->ssi_code <= 0;

	if (s->opts->target != CT_TARGET_COMMAND) {
		s->running = false;
		return;
	}
	if (!sent_to_us)
		return;
	if (s->forwarded) {
		s->running = false;
		s->leave = true;
		return;
	}
	s->forwarded = true;
	kill(s->child.pid, info->ssi_signo);
}

static void read_signals(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			end_request(s, &info);
		else if (s->child.pid > 0)
			reap(s);
	}
}

/* --- trace ------------------------------------------------------------------ */

static int trace_error(struct session *s, int code, struct ct_error *err)
{
	return ct_error_set(err, code, "cannot write the trace to %s: %s: choose another file by -o",
			    s->opts->output, strerror(-code));
}

static int write_sideband(void *arg, uint32_t cpu, const void *data, size_t size)
{
	return ct_writer_chunk(arg, CT_CHUNK_SIDEBAND, cpu, data, size);
}

/* Chunks that stand before all records. */
static int write_head(struct session *s, const char *schema, const pid_t *pids, size_t n,
		      bool events, struct ct_error *err)
{
	int ret;

	ret = ct_meta_write(s->writer, s->opts, s->source, s->settings, pids ? pids[0] : 0,
			    events);
	if (!ret)
		ret = ct_writer_chunk(s->writer, CT_CHUNK_SCHEMA, UINT32_MAX, schema,
				      strlen(schema));
	if (!ret && s->sideband)
		ret = ct_sideband_synthesize(s->sideband, pids, n, write_sideband, s->writer);
	return ret ? trace_error(s, ret, err) : 0;
}

static void write_state(struct session *s, const char *what)
{
	struct ct_error ignored;
	char *text;

	if (s->source->get(s->source, what, &text, &ignored))
		return;
	/* The writer keeps its first error and gives it at close. */
	ct_writer_state(s->writer, what, text);
	free(text);
}

static void read_lost(struct session *s)
{
	struct ct_session_result *r = s->result;
	char *text, *line, *rest;
	struct ct_error ignored;

	r->nr_lost = 0;
	if (s->source->get(s->source, "lost", &text, &ignored))
		return;
	for (rest = text; (line = strsep(&rest, "\n")) && r->nr_lost < CT_NR_LOST;) {
		struct ct_lost *l = &r->lost[r->nr_lost];
		unsigned long long count;

		if (sscanf(line, "%31s %llu", l->name, &count) != 2)
			continue;
		l->count = count;
		r->nr_lost++;
	}
	free(text);
}

uint64_t ct_session_lost(const struct ct_session_result *r, const char *name)
{
	for (size_t i = 0; i < r->nr_lost; i++)
		if (!strcmp(r->lost[i].name, name))
			return r->lost[i].count;
	return 0;
}

/* --- progress --------------------------------------------------------------- */

/* Of the stats and not of lost: that would provoke a fault each time. */
static uint64_t counter(struct session *s, const char *name)
{
	struct ct_error ignored;
	uint64_t count = 0;
	char *text;

	if (s->source->get(s->source, "stats", &text, &ignored))
		return 0;
	ct_text_number(text, name, &count);
	free(text);
	return count;
}

static void show_progress(struct session *s, uint64_t now)
{
	double seconds = (now - s->start_ns) / 1e9;
	struct ct_capture_stats stats = { 0 };
	double rate;

	if (!s->opts->progress || now < s->next_progress)
		return;
	if (s->capture)
		ct_capture_stats(s->capture, &stats);
	else
		stats.records = counter(s, "counted");
	rate = (stats.records - s->shown_records) * 1e9 / (now - s->shown_ns);
	if (s->capture)
		fprintf(stderr, "\r%.1f s  %llu records  %.1f MB  %.0f/s  lost %llu\033[K", seconds,
			(unsigned long long)stats.records, stats.bytes / 1e6, rate,
			(unsigned long long)counter(s, "dropped_full"));
	else
		fprintf(stderr, "\r%.1f s  %llu faults counted  %.0f/s\033[K", seconds,
			(unsigned long long)stats.records, rate);
	s->shown_records = stats.records;
	s->shown_ns = now;
	s->next_progress = now + PROGRESS_NS;
}

static void clear_progress(struct session *s)
{
	if (s->opts->progress && s->next_progress)
		fputs("\r\033[K", stderr);
}

/* --- the recording itself --------------------------------------------------- */

/* After what was asked for: a report on counts has durations and processes. */
static int set_mode(struct session *s, struct ct_error *err)
{
	const char *const counting[] = {
		"durations=1", "processes=1", s->opts->policies ? "policies=1" : "policies=0",
		"mode=counts",
	};
	int ret = 0;

	if (!s->counts)
		return ct_settings_assign(s->settings, "mode=records", err);
	for (size_t i = 0; !ret && i < sizeof(counting) / sizeof(*counting); i++)
		ret = ct_settings_assign(s->settings, counting[i], err);
	return ret;
}

static int prepare_settings(struct session *s, struct ct_error *err)
{
	int ret;

	ret = ct_settings_save(&s->settings, s->source, err);
	if (!ret)
		ret = ct_settings_clear(s->settings, err);
	for (size_t i = 0; !ret && i < s->opts->nr_settings; i++)
		ret = ct_settings_assign(s->settings, s->opts->settings[i], err);
	if (!ret)
		ret = set_mode(s, err);
	/* Counters from zero, so that the sums of this trace hold for this trace. */
	if (!ret)
		ret = s->source->set(s->source, "reset", "1", err);
	return ret;
}

static int prepare(struct session *s, struct ct_error *err)
{
	const struct ct_session_opts *opts = s->opts;
	struct ct_schema *schema = NULL;
	struct ct_error no_events;
	pid_t *pids = NULL;
	char *text = NULL;
	bool events;
	size_t n = 0;
	int ret;

	ret = s->source->get(s->source, "schema", &text, err);
	if (!ret)
		ret = ct_schema_parse(text, strlen(text), &schema, err);
	if (!ret)
		ret = prepare_settings(s, err);
	if (!ret && opts->target == CT_TARGET_PROCESS)
		ret = ct_target_watch(s->opts->pid, &s->process, err);
	if (!ret)
		ret = ct_groups_open(&s->groups, s->source, opts->groups, err);
	if (ret)
		goto out;
	ret = ct_writer_open(opts->output, &s->writer);
	if (ret) {
		trace_error(s, ret, err);
		goto out;
	}
	/* Before the fork and before /proc is read: nothing may fall in between. */
	events = !s->counts && !ct_sideband_open(&s->sideband, &no_events);
	if (!events && !s->counts)
		fprintf(stderr, "cowtrace: %s\n", no_events.text);

	if (opts->target == CT_TARGET_COMMAND) {
		ret = ct_child_fork(&s->child, opts->argv, &s->before, err);
		if (!ret)
			ret = ct_settings_add_process(s->settings, s->child.pid, err);
	} else if (opts->target == CT_TARGET_PROCESS) {
		ret = ct_target_add(s->settings, s->opts->pid, &pids, &n, err);
	}
	if (ret)
		goto out;
	ret = write_head(s, text, s->child.pid ? &s->child.pid : pids, s->child.pid ? 1 : n,
			 events, err);
	/* After the settings: the module takes none while its event is open. */
	if (!ret && opts->stacks && strcmp(s->source->name, "module"))
		ret = ct_error_set(err, -EOPNOTSUPP,
				   "--stacks needs the module: they are copied at its tracepoint");
	if (!ret && opts->stacks)
		ret = ct_capture_stacks_open(&s->stacks, opts->stacks, opts->stacks_every, err);
	if (!ret && !s->counts)
		ret = ct_capture_open(&s->capture, s->source, s->sideband, s->groups,
				      s->stacks, s->writer, schema->record_size, err);
out:
	free(pids);
	free(text);
	ct_schema_free(schema);
	return ret;
}

static int poll_timeout(const struct session *s, uint64_t now)
{
	/* Whoever counts has nothing to fetch meanwhile. */
	int period = s->capture ? CT_CAPTURE_PERIOD_MS :
				  s->opts->progress ? PROGRESS_NS / 1000000 : 3600 * 1000;
	uint64_t end = s->start_ns + s->opts->duration_ns;

	if (!s->opts->duration_ns || end >= now + period * 1000000ull)
		return period;
	return end > now ? (end - now) / 1000000 + 1 : 0;
}

/* The trace has come to an end that nobody asked for. */
static bool broken(struct session *s)
{
	struct ct_capture_stats stats;

	if (!s->capture)
		return false;
	ct_capture_stats(s->capture, &stats);
	return stats.write_error || stats.read_error || stats.ended;
}

static void record(struct session *s)
{
	struct pollfd fds[] = {
		{ .fd = s->capture ? ct_capture_fd(s->capture) : -1, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->process, .events = POLLIN },
	};
	uint64_t now = ct_now_ns();
	bool more = false;

	while (s->running && !broken(s)) {
		poll(fds, sizeof(fds) / sizeof(*fds), more ? 0 : poll_timeout(s, now));
		more = s->capture && ct_capture_pump(s->capture);
		read_signals(s);
		if (fds[2].revents)
			s->running = false;
		now = ct_now_ns();
		if (s->opts->duration_ns && now - s->start_ns >= s->opts->duration_ns)
			s->running = false;
		show_progress(s, now);
	}
	clear_progress(s);
}

static int start(struct session *s, struct ct_error *err)
{
	int ret;

	if (s->opts->wait_children)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	ret = s->capture ? ct_capture_start(s->capture, err) :
			   s->source->set(s->source, "enabled", "1", err);
	if (ret)
		return ret;
	s->start_ns = s->shown_ns = ct_now_ns();
	s->next_progress = s->start_ns + PROGRESS_NS;
	s->running = true;
	if (s->child.pid)
		s->result->exec_error = ct_child_release(&s->child);
	if (s->result->exec_error) {
		waitpid(s->child.pid, NULL, 0);
		s->running = false;
	}
	return 0;
}

/* Switch counting off, and see whether somebody else did before. */
static int stop_counting(struct session *s, struct ct_error *err)
{
	char *enabled;
	int ret;

	ret = s->source->get(s->source, "enabled", &enabled, err);
	if (ret)
		return ret;
	s->result->capture.ended = *enabled == '0';
	free(enabled);
	return s->source->set(s->source, "enabled", "0", err);
}

/* For how long there was counting stands nowhere else in a trace without records. */
static void write_counts(struct session *s)
{
	char text[64];

	write_state(s, "counts");
	snprintf(text, sizeof(text), "elapsed_ns %llu\n",
		 (unsigned long long)s->result->elapsed_ns);
	ct_writer_state(s->writer, "session", text);
}

static int finish(struct session *s, struct ct_error *err)
{
	int ret;

	s->result->elapsed_ns = ct_now_ns() - s->start_ns;
	ret = s->capture ? ct_capture_stop(s->capture, err) : stop_counting(s, err);
	if (!s->capture)
		write_counts(s);
	write_state(s, "stats");
	write_state(s, "lost");
	write_state(s, "probes");
	ct_groups_state(s->groups, s->writer);
	read_lost(s);
	if (s->sideband)
		s->result->sideband_lost = ct_sideband_lost(s->sideband);
	if (s->stacks) {
		s->result->stacks_lost = ct_capture_stacks_lost(s->stacks);
		ct_capture_stacks_state(s->stacks, s->writer);
	}
	if (s->capture)
		ct_capture_stats(s->capture, &s->result->capture);
	return ret;
}

/* The trace is complete only when the writer has said so at its close. */
static void close_writer(struct session *s)
{
	int ret;

	if (!s->writer)
		return;
	ret = ct_writer_close(s->writer);
	if (ret && !s->result->capture.write_error)
		s->result->capture.write_error = ret;
	s->writer = NULL;
}

static void close_trace(struct session *s)
{
	if (s->child.pid && s->child.gate >= 0)
		ct_child_abandon(&s->child);
	ct_capture_free(s->capture);
	ct_groups_close(s->groups);
	ct_capture_stacks_close(s->stacks);
	close_writer(s);
	ct_sideband_close(s->sideband);
	ct_settings_restore(s->settings);
	s->source->close(s->source);
	if (s->process >= 0)
		close(s->process);
}

/* The trace is over, but a command that goes on still has to give its status. */
static void wait_for_command(struct session *s)
{
	struct pollfd fd = { .fd = s->signals, .events = POLLIN };

	if (!s->child.pid || s->result->exec_error || s->result->ran)
		return;
	if (!s->leave)
		fprintf(stderr, "cowtrace: the trace ends here, %s goes on\n", s->opts->argv[0]);
	while (!s->result->ran && !s->leave) {
		poll(&fd, 1, -1);
		read_signals(s);
	}
	s->result->left = !s->result->ran;
	if (s->result->left)
		fprintf(stderr, "cowtrace: %s is left running, without trace\n", s->opts->argv[0]);
}

static int run(struct session *s, struct ct_error *err)
{
	int ret;

	ret = s->source->claim(s->source, err);
	if (!ret)
		ret = prepare(s, err);
	if (!ret)
		ret = start(s, err);
	if (ret)
		return ret;
	record(s);
	return finish(s, err);
}

int ct_session_run(const struct ct_session_opts *opts, struct ct_session_result *result,
		   struct ct_error *err)
{
	struct session s = {
		.opts = opts,
		.result = result,
		.child.gate = -1,
		.signals = -1,
		.process = -1,
	};
	int ret;

	memset(result, 0, sizeof(*result));
	/* First of all: from the first change on, a signal must lead back through the end. */
	ret = take_signals(&s, err);
	if (!ret)
		ret = opts->open(opts->backend, &s.source, err);
	if (!ret) {
		/* The module counts, the other backend records. */
		s.counts = opts->counts && (!opts->or_records || !strcmp(s.source->name, "module"));
		ret = run(&s, err);
		close_trace(&s);
		wait_for_command(&s);
	}
	give_signals_back(&s);
	return ret;
}
