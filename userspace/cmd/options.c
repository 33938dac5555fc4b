// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bpf/bpf.h"
#include "backend.h"
#include "capture_settings.h"
#include "command.h"
#include "options.h"

enum {
	KEY_DURATION = 0x100, KEY_BUFFER, KEY_SAMPLE, KEY_WITNESS, KEY_GROUP, KEY_BACKEND, KEY_BTF,
	KEY_COMM
};

static const struct argp_option options[] = {
	{ "backend", KEY_BACKEND, "NAME", 0,
	  "module, bpf, or auto: the module, and BPF where it is neither loaded nor can be (default)",
	  0 },
	{ "btf", KEY_BTF, "FILE", 0,
	  "the kernel's types for the bpf backend, where it has no /sys/kernel/btf/vmlinux", 0 },
	{ "duration", KEY_DURATION, "SECONDS", 0, "end after that time", 0 },
	{ "buffer-kb", KEY_BUFFER, "N", 0,
	  "kernel buffer of each CPU in KiB, a power of two from 64 to 65536", 0 },
	{ "sample-every", KEY_SAMPLE, "N", 0, "record one fault in N (default 1: all)", 0 },
	{ "witness", KEY_WITNESS, "MODE", 0,
	  "probe what copies and reuses call: auto where the outcome needs it (default), on or off",
	  0 },
	{ "filter", 'f', "NAME=VALUE", 0,
	  "record only matching faults: pid, tgid, uid, comm, outcome, reason, min_duration_ns; "
	  "several of them must all match", 0 },
	{ "group", KEY_GROUP, "NAME[:SECONDS],...", 0,
	  "record events beside the write-protect faults too, of the whole system: khugepaged, "
	  "ksm, files; a group switches itself off after SECONDS, files after 60 otherwise", 0 },
	{ "quiet", 'q', NULL, 0, "no live line and no summary", 0 },
	{ 0 },
};

void ct_usage(const struct argp_state *state, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", state->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s --help lists the options\n", state->name);
	exit(argp_err_exit_status);
}

int ct_options_add(struct ct_options *o, const char *name, const char *value)
{
	if (o->nr_settings == CT_SETTINGS_MAX ||
	    asprintf(&o->settings[o->nr_settings], "%s=%s", name, value) < 0)
		return ENOSPC;
	o->nr_settings++;
	return 0;
}

bool ct_options_has(const struct ct_options *o, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < o->nr_settings; i++)
		if (!strncmp(o->settings[i], name, n) && o->settings[i][n] == '=')
			return true;
	return false;
}

static int add_number(struct argp_state *state, const char *name, const char *arg,
		      unsigned long long min, unsigned long long max)
{
	unsigned long long n;

	if (ct_parse_number(arg, min, max, &n))
		ct_usage(state, "\"%s\" is no number from %llu to %llu", arg, min, max);
	return ct_options_add(state->input, name, arg);
}

static int add_groups(struct ct_options *o, const char *names)
{
	char *all;

	if (asprintf(&all, "%s%s%s", o->groups ?: "", o->groups ? "," : "", names) < 0)
		return ENOMEM;
	free(o->groups);
	o->groups = all;
	return 0;
}

int ct_options_filter(struct ct_options *options, const char *arg,
		      const struct argp_state *state)
{
	const char *equals = strchr(arg, '=');
	char *name;
	int ret;

	if (!equals)
		ct_usage(state, "--filter needs NAME=VALUE, not \"%s\"", arg);
	/* The argument stays as it is: the trace has the command line, read later. */
	name = strndup(arg, equals - arg);
	ret = name ? ct_options_add(options, name, equals + 1) : ENOMEM;
	free(name);
	return ret;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ct_options *o = state->input;

	switch (key) {
	case KEY_DURATION:
		if (ct_parse_seconds(arg, &o->duration_ns))
			ct_usage(state, "\"%s\" is no time in seconds", arg);
		return 0;
	case KEY_BUFFER:
		return add_number(state, "buffer_kb", arg, 64, 65536);
	case KEY_SAMPLE:
		return add_number(state, "sample_every", arg, 1, UINT32_MAX);
	case KEY_WITNESS:
		if (strcmp(arg, "auto") && strcmp(arg, "on") && strcmp(arg, "off"))
			ct_usage(state, "--witness is auto, on or off, not \"%s\"", arg);
		return ct_options_add(o, "witness", arg);
	case KEY_BACKEND:
		if (ct_backend_parse(arg, &o->backend))
			ct_usage(state, "--backend is auto, module or bpf, not \"%s\"", arg);
		return 0;
	case KEY_BTF:
		ct_bpf_set_btf(arg);
		return 0;
	case KEY_GROUP:
		return add_groups(o, arg);
	case 'f':
		if (strchr(arg, '=') && !ct_settings_filter(arg))
			ct_usage(state, "no filter is named \"%.*s\": they are pid, tgid, uid, comm, outcome, reason and min_duration_ns",
				 (int)strcspn(arg, "="), arg);
		return ct_options_filter(o, arg, state);
	case 'q':
		o->quiet = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ct_options_argp = { .options = options, .parser = parse };

static const struct argp_option traced_options[] = {
	{ "all", 'a', NULL, 0, "trace the whole system", 1 },
	{ "pid", 'p', "PID", 0, "trace a running process and its children", 1 },
	{ 0 },
};

static error_t parse_traced(int key, char *arg, struct argp_state *state)
{
	struct ct_traced *traced = state->input;
	unsigned long long pid;

	switch (key) {
	case 'a':
		traced->system = true;
		return 0;
	case 'p':
		if (ct_parse_number(arg, 1, INT32_MAX, &pid))
			ct_usage(state, "\"%s\" is no process id", arg);
		traced->pid = pid;
		return 0;
	case ARGP_KEY_ARGS:
		traced->argv = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		if (traced->system + !!traced->pid + !!traced->argv != 1)
			ct_usage(state, "give one of: -a, -p PID, or -- CMD");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ct_traced_argp = {
	.options = traced_options, .parser = parse_traced, .args_doc = "-a\n-p PID\n-- CMD [ARG...]",
};

static const struct argp_option who_options[] = {
	{ "pid", 'p', "PID", 0, "only faults of this process", 0 },
	{ "comm", KEY_COMM, "NAME", 0, "only faults of tasks of this name", 0 },
	{ 0 },
};

static error_t parse_who(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'p':
		return ct_options_add(state->input, "tgid", arg);
	case KEY_COMM:
		return ct_options_add(state->input, "comm", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ct_who_argp = { .options = who_options, .parser = parse_who };

static const struct argp_option filter_options[] = {
	{ "filter", 'f', "NAME=VALUE", 0,
	  "only matching faults: pid, tgid, uid, comm, outcome, reason, kind, origin, path, "
	  "min_duration_ns; several of them must all match", 0 },
	{ 0 },
};

static error_t parse_filter(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case 'f':
		return ct_options_filter(state->input, arg, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child filter_children[] = { { &ct_who_argp, 0, NULL, 0 }, { 0 } };

const struct argp ct_match_argp = {
	.options = filter_options, .parser = parse_filter, .children = filter_children,
};

void ct_options_session(const struct ct_options *o, struct ct_session_opts *session)
{
	session->open = ct_backend_open;
	session->backend = o->backend;
	session->settings = (const char **)o->settings;
	session->nr_settings = o->nr_settings;
	session->groups = o->groups;
	session->duration_ns = o->duration_ns;
	session->progress = !o->quiet && isatty(STDERR_FILENO);
}

void ct_options_free(struct ct_options *o)
{
	while (o->nr_settings)
		free(o->settings[--o->nr_settings]);
	free(o->groups);
}

/* Causes of loss, by their names in the module's "lost". */
static const struct {
	const char	*cause;
	const char	*sentence;
} losses[] = {
	{ "full", "records lost, the buffers were full: use a larger --buffer-kb" },
	{ "missed_no_instance", "faults missed, more tasks were in the fault at once than the probe can follow: load the module with a larger maxactive" },
	{ "missed_recursion", "faults missed, the kernel was inside another probe: end other tracers" },
	{ "missed_witness", "copies without a witness: their outcome rests on the page table alone" },
	{ "disarmed_checks", "checks found the probes disarmed, faults are missing: leave /proc/sys/kernel/ftrace_enabled and /sys/kernel/debug/kprobes/enabled at 1" },
};

bool ct_tell_losses(const struct ct_session_result *r, const char *output)
{
	const struct ct_capture_stats *c = &r->capture;

	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		uint64_t n = ct_session_lost(r, losses[i].cause);

		if (n)
			fprintf(stderr, "cowtrace: %llu %s\n", (unsigned long long)n,
				losses[i].sentence);
	}
	if (r->sideband_lost)
		fprintf(stderr,
			"cowtrace: %llu records of the side-band lost: some processes have no names or symbols\n",
			(unsigned long long)r->sideband_lost);
	if (r->stacks_lost)
		fprintf(stderr,
			"cowtrace: %llu stacks lost, the kernel's buffers were full: copy less by --stacks=BYTES, or fewer by --stacks-every\n",
			(unsigned long long)r->stacks_lost);
	if (c->write_error)
		fprintf(stderr,
			"cowtrace: %s ends early: %s: %llu records were not written, those before are whole: make room or choose another file by -o\n",
			output, strerror(-c->write_error), (unsigned long long)c->unwritten);
	else if (c->read_error)
		fprintf(stderr, "cowtrace: %s ends early: reading a CPU's records failed: %s\n",
			output, strerror(-c->read_error));
	else if (c->ended)
		fprintf(stderr,
			"cowtrace: %s ends early: somebody else switched tracing off\n", output);
	return c->write_error || c->read_error || c->ended;
}

int ct_exit_as_command(const struct ct_session_result *r, char **argv, int own)
{
	struct rlimit no_core = { 0 };
	sigset_t set;
	int sig;

	if (r->exec_error) {
		fprintf(stderr, "cowtrace: cannot execute %s: %s: %s\n", argv[0],
			strerror(-r->exec_error), r->exec_error == -ENOENT ?
			"give its path, or a name that is in PATH" : "check the file's mode and format");
		return r->exec_error == -ENOENT ? CT_EXIT_NOCMD : CT_EXIT_NOEXEC;
	}
	if (!r->ran)
		return own;
	if (WIFEXITED(r->status))
		return WEXITSTATUS(r->status) ? WEXITSTATUS(r->status) : own;

	/* The command has dumped its core, if it does: ours would only hide it. */
	sig = WTERMSIG(r->status);
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
	fflush(NULL);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	return 128 + sig;
}
