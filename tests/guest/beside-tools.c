// SPDX-License-Identifier: GPL-2.0
#include "beside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"
#include "outside.h"

#define TRACING		"/sys/kernel/tracing"
#define BPFTRACE	"/usr/libexec/cowtrace/beside.bpftrace"

static char text[1 << 21];

static const char *tracing_path(const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), TRACING "/%s", file);
	return path;
}

static void tracing_write(const char *file, const char *value)
{
	int err = file_write(tracing_path(file), value);

	need(!err, "writing '%s' to %s: %s", value, file, strerror(-err));
}

static void tracing_append(const char *file, const char *line)
{
	int err = file_append(tracing_path(file), line);

	need(!err, "appending '%s' to %s: %s", line, file, strerror(-err));
}

/* The trace and the filter are emptied by being opened, whatever is written. */
static void tracing_empty(const char *file)
{
	int fd = open(tracing_path(file), O_WRONLY | O_TRUNC | O_CLOEXEC);

	need(fd >= 0, "emptying %s: %s", file, strerror(errno));
	close(fd);
}

static void trace_clear(void)
{
	tracing_empty("trace");
}

/* Tasks stand in it as NAME-ID. The name is <...> when the kernel has not kept it. */
static char *trace_text(void)
{
	ssize_t len = file_read(TRACING "/trace", text, sizeof(text));

	need(len > 0 && (size_t)len < sizeof(text) - 1, "trace: %zd bytes", len);
	return text;
}

static const char *here(void)
{
	return NULL;
}

/* function_graph patches return addresses by itself. */

static void graph_start(void)
{
	tracing_write("options/funcgraph-proc", "1");
	tracing_write("options/funcgraph-tail", "1");
	tracing_write("set_ftrace_filter", "do_wp_page");
	tracing_append("set_ftrace_filter", "ptep_clear_flush");
	tracing_write("current_tracer", "function_graph");
}

static void graph_stop(void)
{
	tracing_write("current_tracer", "nop");
	tracing_empty("set_ftrace_filter");
}

/* The next line of the trace that is of the task, NULL at its end. */
static char *line_of(char **rest, pid_t pid)
{
	char task[16], *line;

	snprintf(task, sizeof(task), "-%d ", pid);
	do
		line = strsep(rest, "\n");
	while (line && !strstr(line, task));
	return line;
}

/* A call within which nothing was traced is one line, else it has a line at each end. */
static struct seen graph_seen(pid_t pid)
{
	struct seen s = { 0 };
	char *line, *rest = trace_text();

	while ((line = line_of(&rest, pid))) {
		s.calls += !!strstr(line, "do_wp_page()");
		s.returns += strstr(line, "do_wp_page();") || strstr(line, "} /* do_wp_page */");
		s.copies += !!strstr(line, "ptep_clear_flush()");
		s.copied += strstr(line, "ptep_clear_flush();") ||
			    strstr(line, "} /* ptep_clear_flush */");
	}
	return s;
}

/* Trace events, a kprobe and a kretprobe on each function, or an fprobe for each. */

static struct seen events_seen(pid_t pid)
{
	struct seen s = { 0 };
	char *line, *rest = trace_text();

	while ((line = line_of(&rest, pid))) {
		s.calls += !!strstr(line, ": call: ");
		s.returns += !!strstr(line, ": return: ");
		s.copies += !!strstr(line, ": copy: ");
		s.copied += !!strstr(line, ": copied: ");
	}
	return s;
}

static void events_enable(void)
{
	tracing_write("events/beside/filter", "comm == \"" BURST "\"");
	tracing_write("events/beside/enable", "1");
}

static void kprobes_start(void)
{
	tracing_append("kprobe_events", "p:beside/call do_wp_page\n");
	tracing_append("kprobe_events", "r:beside/return do_wp_page\n");
	tracing_append("kprobe_events", "p:beside/copy ptep_clear_flush\n");
	tracing_append("kprobe_events", "r:beside/copied ptep_clear_flush\n");
	events_enable();
}

static void kprobes_stop(void)
{
	tracing_write("events/beside/enable", "0");
	tracing_append("kprobe_events", "-:beside/call\n-:beside/return\n");
	tracing_append("kprobe_events", "-:beside/copy\n-:beside/copied\n");
}

static long long kprobes_calls(void)
{
	long long hits, misses;

	need(kprobe_profile("call", &hits, &misses), "no event in kprobe_profile");
	return hits + misses;
}

static const char *fprobes_missing(void)
{
	return file_has(TRACING "/README", "<group>/]<event>] <fn-name>") ||
	       file_has(TRACING "/README", "f[:") ? NULL : "no fprobe events in this kernel";
}

static void fprobes_start(void)
{
	tracing_append("dynamic_events", "f:beside/call do_wp_page\n");
	tracing_append("dynamic_events", "f:beside/return do_wp_page%return\n");
	tracing_append("dynamic_events", "f:beside/copy ptep_clear_flush\n");
	tracing_append("dynamic_events", "f:beside/copied ptep_clear_flush%return\n");
	events_enable();
}

static void fprobes_stop(void)
{
	tracing_write("events/beside/enable", "0");
	tracing_append("dynamic_events", "-:beside/call\n-:beside/return\n");
	tracing_append("dynamic_events", "-:beside/copy\n-:beside/copied\n");
}

/* bpftrace, compiled beforehand: to load its compiler takes half a minute in a guest. */

static pid_t bpftrace;
static int terminal;
static size_t printed;

static const char *bpftrace_missing(void)
{
	return access(BPFTRACE, X_OK) ? "bpftrace compiles for root alone" : NULL;
}

/* What it has printed, until @end or its end. */
static bool bpftrace_reads(const char *end)
{
	uint64_t deadline = now_ns() + slowness() * HANG_NS;
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	ssize_t got;

	while (now_ns() < deadline) {
		if (poll(&p, 1, 100) <= 0)
			continue;
		got = read(terminal, text + printed, sizeof(text) - 1 - printed);
		if (got <= 0)
			return !end;
		printed += got;
		text[printed] = '\0';
		if (end && strstr(text, end))
			return true;
	}
	return false;
}

/* Its output is buffered unless it goes to a terminal. */
static void bpftrace_start(void)
{
	const char *name;
	int other;

	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	need(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal), "no terminal: %s",
	     strerror(errno));
	name = ptsname(terminal);
	bpftrace = fork();
	need(bpftrace >= 0, "fork: %s", strerror(errno));
	if (!bpftrace) {
		other = open(name, O_RDWR | O_NOCTTY);
		if (other < 0 || dup2(other, 1) < 0 || dup2(other, 2) < 0)
			_exit(126);
		execl(BPFTRACE, BPFTRACE, NULL);
		_exit(127);
	}
	printed = 0;
	need(bpftrace_reads("ready"), "bpftrace does not start: %s", text);
}

static void bpftrace_stop(void)
{
	int status;

	kill(bpftrace, SIGINT);
	need(bpftrace_reads(NULL), "bpftrace does not end: %s", text);
	status = child_wait(bpftrace);
	close(terminal);
	need(!status, "bpftrace: %#x", status);
}

static struct seen bpftrace_seen(pid_t pid)
{
	struct seen s = { 0 };
	unsigned int n;
	char name[16];
	char *lines = strdup(text), *rest = lines, *line;
	int task;

	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "@%15[a-z][%d]: %u", name, &task, &n) != 3 || task != pid)
			continue;
		if (!strcmp(name, "calls"))
			s.calls = n;
		else if (!strcmp(name, "returns"))
			s.returns = n;
		else if (!strcmp(name, "copies"))
			s.copies = n;
		else if (!strcmp(name, "copied"))
			s.copied = n;
	}
	free(lines);
	return s;
}

const struct tool tool_bpftrace = {
	"bpftrace", bpftrace_missing, bpftrace_start, bpftrace_stop, NULL, bpftrace_seen, NULL,
};

const struct tool tool_graph = {
	"graph", here, graph_start, graph_stop, trace_clear, graph_seen, NULL,
};

const struct tool tool_kprobes = {
	"kprobes", here, kprobes_start, kprobes_stop, trace_clear, events_seen, kprobes_calls,
};

const struct tool tool_fprobes = {
	"fprobes", fprobes_missing, fprobes_start, fprobes_stop, trace_clear, events_seen, NULL,
};
