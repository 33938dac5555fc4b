// SPDX-License-Identifier: GPL-2.0
/* Both backends at once: switched on, read in turns, switched off. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "clock.h"
#include "crosscheck_parts.h"

/* How often both are read when nothing is left. */
#define PERIOD_NS	10000000
#define PROGRESS_NS	250000000
/*
 * From the switch to the first fault that both must have seen whole, and from the last to
 * the switch: a CPU that an interrupt, or a hypervisor, takes between the two handlers of
 * one fault gets on.
 */
#define SETTLE_NS	200000000
/* Turns of reading both before anything else is looked at. */
#define TURNS		64
/* Of one CPU in a turn. */
#define CHUNK		(64u << 10)
/* Reads after which a stream that has not ended is given up, PERIOD_NS apart. */
#define LAST_READS	500

const char *const crosscheck_names[2] = { "module", "bpf" };
static const enum ct_backend backends[2] = { CT_BACKEND_MODULE, CT_BACKEND_BPF };

static volatile sig_atomic_t signals, last_signal;

static void on_signal(int number)
{
	last_signal = number;
	signals++;
}

static void pause_for(long ns)
{
	struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

/* --- on and off ----------------------------------------------------------------------- */

static int assign(struct crosscheck_side *s, const char *name, const char *value,
		  struct ct_error *err)
{
	char text[64];

	snprintf(text, sizeof(text), "%s=%s", name, value);
	return ct_settings_assign(s->settings, text, err);
}

static int open_side(struct crosscheck *c, int i, struct ct_error *err)
{
	struct crosscheck_side *s = &c->side[i];
	char *text;
	int ret;

	ret = ct_backend_open(backends[i], &s->source, err);
	if (ret) {
		s->source = NULL;
		return ret;
	}
	ret = s->source->claim(s->source, err);
	if (!ret)
		ret = s->source->get(s->source, "schema", &text, err);
	if (ret)
		return ret;
	ret = ct_schema_parse(text, strlen(text), &s->schema, err);
	free(text);
	if (!ret)
		ret = ct_settings_save(&s->settings, s->source, err);
	if (!ret)
		ret = ct_settings_clear(s->settings, err);
	if (!ret)
		ret = assign(s, "buffer_kb", c->buffer_kb, err);
	if (!ret && c->witness)
		ret = assign(s, "witness", c->witness, err);
	if (!ret)
		ret = assign(s, "mode", "records", err);
	if (!ret)
		ret = s->source->set(s->source, "reset", "1", err);
	return ret;
}

static int open_streams(struct crosscheck_side *s, struct ct_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int fd;

	s->fds = calloc(cpus, sizeof(*s->fds));
	if (!s->fds)
		return ct_error_set(err, -ENOMEM, "no memory for the streams of records");
	for (long cpu = 0; cpu < cpus; cpu++) {
		fd = s->source->open_cpu(s->source, cpu, err);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		s->fds[s->nr_fds++] = fd;
	}
	return 0;
}

static void switch_off(struct crosscheck_side *s)
{
	struct ct_error ignored;

	s->source->set(s->source, "enabled", "0", &ignored);
}

static void close_side(struct crosscheck_side *s)
{
	/* What failed half way is still on, and its settings could not be put back. */
	if (s->settings)
		switch_off(s);
	while (s->nr_fds)
		if (s->fds[--s->nr_fds] >= 0)
			close(s->fds[s->nr_fds]);
	free(s->fds);
	ct_settings_restore(s->settings);
	ct_schema_free(s->schema);
	if (s->source)
		s->source->close(s->source);
	free(s->lost);
}

void crosscheck_close(struct crosscheck *c)
{
	for (int i = 0; i < 2; i++)
		close_side(&c->side[i]);
	if (c->pid && c->process >= 0)
		close(c->process);
}

static int take_target(struct crosscheck *c, struct ct_error *err)
{
	pid_t *pids;
	size_t n;
	int ret = c->pid ? ct_target_watch(c->pid, &c->process, err) : 0;

	for (int i = 0; !ret && i < 2; i++) {
		struct ct_settings *settings = c->side[i].settings;

		if (c->argv)
			ret = ct_settings_add_process(settings, c->child.pid, err);
		if (!c->pid)
			continue;
		ret = ct_target_add(settings, c->pid, &pids, &n, err);
		if (!ret)
			free(pids);
	}
	return ret;
}

static int prepare(struct crosscheck *c, struct ct_error *err)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct ct_dispositions before;
	int ret = 0;

	sigprocmask(SIG_SETMASK, NULL, &before.mask);
	sigaction(SIGPIPE, NULL, &before.pipe);
	sigaction(SIGCHLD, NULL, &before.child);
	/* From here on settings are to be put back. */
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; !ret && i < 2; i++)
		ret = open_side(c, i, err);
	if (!ret && c->argv)
		ret = ct_child_fork(&c->child, c->argv, &before, err);
	if (!ret)
		ret = take_target(c, err);
	for (int i = 0; !ret && i < 2; i++)
		ret = open_streams(&c->side[i], err);
	/* The module last: whoever waits for its file knows that both watch. */
	for (int i = 1; !ret && i >= 0; i--)
		ret = c->side[i].source->set(c->side[i].source, "enabled", "1", err);
	return ret;
}

/* --- reading ---------------------------------------------------------------------------- */

/* What came of one CPU's stream. Return: bytes of it, or a negative errno. */
static ssize_t read_stream(struct crosscheck *c, int i, int *fd, struct ct_error *err)
{
	static char data[CHUNK];
	struct crosscheck_side *s = &c->side[i];
	size_t size = s->schema->record_size;
	ssize_t n = s->source->read_cpu(s->source, *fd, data, CHUNK - CHUNK % size);
	struct cowtrace_record r;

	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return ct_error_set(err, n, "reading the records of %s failed: %s",
				    crosscheck_names[i], strerror(-n));
	for (ssize_t at = 0; at + (ssize_t)size <= n; at += size) {
		ct_schema_decode(s->schema, data + at, &r);
		s->records++;
		if (ct_cross_add(&c->cross, i, &r))
			return ct_error_set(err, -ENOMEM, "no memory for the records");
	}
	if (!n) {
		close(*fd);
		*fd = -1;
	}
	return n;
}

/*
 * Some of each stream of a side. When none had any, all that had been written before is
 * known. Return: bytes, or a negative errno.
 */
static ssize_t read_side(struct crosscheck *c, int i, struct ct_error *err)
{
	struct crosscheck_side *s = &c->side[i];
	uint64_t before = ct_now_ns();
	ssize_t n, all = 0;

	for (size_t k = 0; k < s->nr_fds; k++) {
		if (s->fds[k] < 0)
			continue;
		n = read_stream(c, i, &s->fds[k], err);
		if (n < 0)
			return n;
		all += n;
	}
	if (!all && ct_cross_known(&c->cross, i, before))
		return ct_error_set(err, -ENOMEM, "no memory for the list of faults");
	return all;
}

/* In turns, so that neither falls behind. Return: 0 when nothing is left, or as above. */
static ssize_t read_both(struct crosscheck *c, struct ct_error *err)
{
	ssize_t a = 1, b = 1;

	for (int turn = 0; (a || b) && turn < TURNS; turn++) {
		a = read_side(c, 0, err);
		b = a < 0 ? 0 : read_side(c, 1, err);
		if (a < 0 || b < 0)
			return a < 0 ? a : b;
	}
	return a + b;
}

static size_t nr_ended(const struct crosscheck_side *s)
{
	size_t n = 0;

	for (size_t k = 0; k < s->nr_fds; k++)
		n += s->fds[k] < 0;
	return n;
}

static bool streams_ended(const struct crosscheck *c)
{
	return nr_ended(&c->side[0]) == c->side[0].nr_fds &&
	       nr_ended(&c->side[1]) == c->side[1].nr_fds;
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool ended(struct crosscheck *c, uint64_t now)
{
	struct pollfd process = { .fd = c->process, .events = POLLIN };
	static int passed_on;

	if (c->argv && waitpid(c->child.pid, &c->status, WNOHANG) == c->child.pid) {
		c->ran = true;
		return true;
	}
	if (c->pid && poll(&process, 1, 0) > 0)
		return true;
	if (c->duration_ns && now - c->cross.begin_ns >= c->duration_ns)
		return true;
	if (c->argv && signals && !passed_on) {
		passed_on = 1;
		kill(c->child.pid, last_signal);
	}
	return signals > (c->argv ? 1 : 0);
}

static void show_progress(const struct crosscheck *c, uint64_t now)
{
	static uint64_t shown;
	const struct ct_cross *x = &c->cross;
	uint64_t differ, alone;

	if (!c->progress || now - shown < PROGRESS_NS)
		return;
	shown = now;
	differ = x->worst[CT_CROSS_VERDICT] + x->worst[CT_CROSS_FIXED] +
		 x->worst[CT_CROSS_RACING];
	alone = x->alone[0] + x->alone[1];
	fprintf(stderr, "\r%.1f s  %llu faults seen by both  %llu differ  %llu alone\033[K",
		(now - x->begin_ns) / 1e9, (unsigned long long)x->pairs,
		(unsigned long long)differ, (unsigned long long)alone);
}

static int watch(struct crosscheck *c, struct ct_error *err)
{
	uint64_t now;
	ssize_t n;

	/* A command has no faults before it is released. */
	if (!c->argv)
		pause_for(SETTLE_NS);
	c->cross.begin_ns = ct_now_ns();
	if (c->argv) {
		c->exec_error = ct_child_release(&c->child);
		if (c->exec_error)
			return ct_error_set(err, c->exec_error, "cannot execute %s: %s", c->argv[0],
					    strerror(-c->exec_error));
	}
	do {
		n = read_both(c, err);
		if (!n)
			pause_for(PERIOD_NS);
		now = ct_now_ns();
		show_progress(c, now);
	} while (n >= 0 && !nr_ended(&c->side[0]) && !nr_ended(&c->side[1]) && !ended(c, now));
	if (c->progress)
		fputs("\r\033[K", stderr);
	if (n >= 0 && (nr_ended(&c->side[0]) || nr_ended(&c->side[1])))
		return ct_error_set(err, -ECANCELED,
				    "somebody else switched tracing off: nothing was compared since");
	c->cross.end_ns = now;
	c->elapsed_ns = now - c->cross.begin_ns;
	return n < 0 ? n : 0;
}

/* Switch both off, read what is left, and ask what they missed. */
static int finish(struct crosscheck *c, struct ct_error *err)
{
	struct ct_error ignored;
	ssize_t n = 0;

	pause_for(SETTLE_NS);
	for (int i = 0; i < 2; i++)
		switch_off(&c->side[i]);
	for (int reads = 0; reads < LAST_READS && !streams_ended(c); reads++) {
		n = read_both(c, err);
		if (n < 0)
			return n;
		if (!n)
			pause_for(PERIOD_NS);
	}
	for (int i = 0; i < 2; i++)
		if (ct_cross_known(&c->cross, i, UINT64_MAX))
			return ct_error_set(err, -ENOMEM, "no memory for the list of faults");
	for (int i = 0; i < 2; i++)
		if (c->side[i].source->get(c->side[i].source, "lost", &c->side[i].lost, &ignored))
			c->side[i].lost = NULL;
	return 0;
}

int crosscheck_trace(struct crosscheck *c, struct ct_error *err)
{
	int ret = prepare(c, err);

	if (!ret)
		ret = watch(c, err);
	if (!ret)
		ret = finish(c, err);
	if (c->child.pid > 0 && c->child.gate >= 0)
		ct_child_abandon(&c->child);
	return ret;
}
