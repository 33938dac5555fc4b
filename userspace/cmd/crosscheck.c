// SPDX-License-Identifier: GPL-2.0
/* cowtrace crosscheck: module and BPF on the same faults, held against each other. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bpf/bpf.h"
#include "command.h"
#include "crosscheck_parts.h"
#include "options.h"

/* A record that has no partner after so long was seen by one side only. */
#define LATE_NS		2000000000ull

struct command {
	struct crosscheck	c;
	struct ct_traced	traced;
	const char		*output;
	unsigned long long	list;
	bool			json, quiet;
};

enum { KEY_JSON = 0x200, KEY_BTF, KEY_DURATION, KEY_LIST, KEY_BUFFER, KEY_WITNESS };

static const struct argp_option options[] = {
	{ "btf", KEY_BTF, "FILE", 0,
	  "the kernel's types for BPF, where it has no /sys/kernel/btf/vmlinux", 1 },
	{ "duration", KEY_DURATION, "SECONDS", 0, "end after that time", 1 },
	{ "list", KEY_LIST, "N", 0,
	  "show N faults in which only racing fields differ, and N that one side saw alone (default 1000); "
	  "others are all shown", 1 },
	{ "buffer-kb", KEY_BUFFER, "N", 0,
	  "kernel buffer of each CPU and side in KiB, a power of two from 64 to 65536 (default 4096)",
	  1 },
	{ "witness", KEY_WITNESS, "MODE", 0,
	  "probe what copies and reuses call: auto where the outcome needs it (default), on or off",
	  1 },
	{ "output", 'o', "FILE", 0, "print to FILE instead of standard output", 1 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 1 },
	{ "quiet", 'q', NULL, 0, "no live line", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct command *m = state->input;
	unsigned long long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &m->traced;
		return 0;
	case KEY_BTF:
		ct_bpf_set_btf(arg);
		return 0;
	case KEY_DURATION:
		if (ct_parse_seconds(arg, &m->c.duration_ns))
			ct_usage(state, "\"%s\" is no time in seconds", arg);
		return 0;
	case KEY_LIST:
		if (ct_parse_number(arg, 0, 100000, &m->list))
			ct_usage(state, "\"%s\" is no number from 0 to 100000", arg);
		return 0;
	case KEY_BUFFER:
		if (ct_parse_number(arg, 64, 65536, &n))
			ct_usage(state, "\"%s\" is no number from 64 to 65536", arg);
		m->c.buffer_kb = arg;
		return 0;
	case KEY_WITNESS:
		if (strcmp(arg, "auto") && strcmp(arg, "on") && strcmp(arg, "off"))
			ct_usage(state, "--witness is auto, on or off, not \"%s\"", arg);
		m->c.witness = arg;
		return 0;
	case 'o':
		m->output = arg;
		return 0;
	case KEY_JSON:
		m->json = true;
		return 0;
	case 'q':
		m->quiet = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &ct_traced_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Trace the same write-protect faults by the module and by BPF at once, and list "
	       "every fault on which they differ.\v"
	       "Outcome and page frames must not differ, nor what stays as it is while a fault lasts. "
	       "Counts and states of the page (references, lists, lock, writeback) may change between "
	       "the two samples: those are counted apart. What only one of the two saw stands "
	       "beside what the other says that it missed. Exit status 0: where both saw a fault they "
	       "agree; 1: they do not, or there was none, or it could not be done. That of CMD is told, "
	       "and not passed on.",
	.children = children,
};

/* Before anything runs: what it took must not be for nothing. */
static int open_output(const struct command *m, FILE **out, struct ct_error *err)
{
	*out = m->output && strcmp(m->output, "-") ? fopen(m->output, "we") : stdout;
	return *out ? 0 : ct_error_set(err, -errno, "cannot write to %s: %s: name another file",
				       m->output, strerror(errno));
}

static bool print(const struct command *m, FILE *out)
{
	int ret = m->json ? crosscheck_json(out, &m->c) : crosscheck_text(out, &m->c);

	if ((out == stdout ? fflush(out) : fclose(out)) || ret) {
		fprintf(stderr,
			"cowtrace: %s is incomplete: make room, or choose another file by -o\n",
			m->output ?: "the output");
		return false;
	}
	return true;
}

static void tell_command(const struct crosscheck *c)
{
	if (c->ran && WIFSIGNALED(c->status))
		fprintf(stderr, "cowtrace: %s was killed by signal %d\n", c->argv[0],
			WTERMSIG(c->status));
	else if (c->ran && WEXITSTATUS(c->status))
		fprintf(stderr, "cowtrace: %s ended with status %d\n", c->argv[0],
			WEXITSTATUS(c->status));
}

int ct_cmd_crosscheck(int argc, char **argv)
{
	static struct command m = {
		.c = { .buffer_kb = "4096", .process = -1, .child = { .gate = -1, .answer = -1 } },
		.list = 1000,
	};
	const struct ct_cross *x = &m.c.cross;
	struct ct_error err;
	bool printed = false;
	FILE *out;
	int ret;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &m);
	m.c.pid = m.traced.pid;
	m.c.argv = m.traced.argv;
	m.c.cross.list_max = m.list;
	m.c.cross.late_ns = LATE_NS;
	m.c.progress = !m.quiet && isatty(STDERR_FILENO);
	ret = open_output(&m, &out, &err);
	if (!ret)
		ret = crosscheck_trace(&m.c, &err);
	if (ret) {
		ct_complain(&err);
	} else {
		tell_command(&m.c);
		printed = print(&m, out);
		if (!x->pairs)
			fprintf(stderr,
				"cowtrace: no fault was seen by both: nothing was compared\n");
	}
	crosscheck_close(&m.c);
	ct_cross_free(&m.c.cross);
	if (m.c.exec_error)
		return m.c.exec_error == -ENOENT ? CT_EXIT_NOCMD : CT_EXIT_NOEXEC;
	return !printed || !x->pairs || x->worst[CT_CROSS_VERDICT] || x->worst[CT_CROSS_FIXED] ?
	       CT_EXIT_FAIL : CT_EXIT_OK;
}
