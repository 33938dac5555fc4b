// SPDX-License-Identifier: GPL-2.0
/* cowtrace record: trace into a file. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "options.h"

#define DEFAULT_OUTPUT	"cowtrace.data"

struct record {
	struct ct_options	options;
	struct ct_session_opts	session;
	struct ct_traced	traced;
	bool			json;
};

enum { KEY_JSON = 0x200, KEY_WAIT, KEY_STACKS, KEY_STACKS_EVERY };

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "trace file, - for standard output (default " DEFAULT_OUTPUT ")",
	  1 },
	{ "json", KEY_JSON, NULL, 0, "print the summary as JSON on standard output", 1 },
	{ "wait-children", KEY_WAIT, NULL, 0, CT_WAIT_CHILDREN, 1 },
	{ "stacks", KEY_STACKS, "BYTES", OPTION_ARG_OPTIONAL,
	  "copy BYTES of the user stack with each fault (default 4096, at most 65528), for "
	  "cowtrace export --format folded", 1 },
	{ "stacks-every", KEY_STACKS_EVERY, "N", 0,
	  "copy the stack of one fault in N (default 1: of all)", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record *r = state->input;
	unsigned long long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->options;
		state->child_inputs[1] = &r->traced;
		return 0;
	case KEY_STACKS:
		n = CT_STACKS_BYTES;
		if (arg && (ct_parse_number(arg, 8, CT_STACKS_BYTES_MAX, &n) || n % 8))
			ct_usage(state, "--stacks takes a multiple of 8 from 8 to %u, not \"%s\"",
				 CT_STACKS_BYTES_MAX, arg);
		r->session.stacks = n;
		return 0;
	case KEY_STACKS_EVERY:
		if (ct_parse_number(arg, 1, INT32_MAX, &n))
			ct_usage(state, "\"%s\" is no number from 1 to %d", arg, INT32_MAX);
		r->session.stacks_every = n;
		return 0;
	case 'o':
		r->session.output = arg;
		return 0;
	case KEY_JSON:
		r->json = true;
		return 0;
	case KEY_WAIT:
		r->session.wait_children = true;
		return 0;
	case ARGP_KEY_END:
		if (r->json && !strcmp(r->session.output, "-"))
			ct_usage(state, "--json needs standard output: give the trace a file by -o");
		if (r->session.stacks_every && !r->session.stacks)
			r->session.stacks = CT_STACKS_BYTES;
		if (!r->session.stacks_every)
			r->session.stacks_every = 1;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ &ct_options_argp, 0, NULL, 0 },
	{ &ct_traced_argp, 0, NULL, 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Trace write-protect faults into a file: of the whole system, of a running process and "
	       "its children, or of a command and its children.\v"
	       "SIGINT and SIGTERM end a recording with all data written; for -a and -p that is exit "
	       "status 0. With CMD the status is that of CMD.",
	.children = children,
};

static void print_json(const struct record *r, const struct ct_session_result *result, bool cut)
{
	struct json_object *o = json_object_new_object();
	struct json_object *lost = json_object_new_object();

	for (size_t i = 0; i < result->nr_lost; i++)
		json_object_object_add(lost, result->lost[i].name,
				       json_object_new_uint64(result->lost[i].count));
	json_object_object_add(o, "output", json_object_new_string(r->session.output));
	json_object_object_add(o, "elapsed_ns", json_object_new_uint64(result->elapsed_ns));
	json_object_object_add(o, "records", json_object_new_uint64(result->capture.records));
	json_object_object_add(o, "bytes", json_object_new_uint64(result->capture.bytes));
	json_object_object_add(o, "unwritten", json_object_new_uint64(result->capture.unwritten));
	json_object_object_add(o, "sideband_lost", json_object_new_uint64(result->sideband_lost));
	if (r->session.stacks)
		json_object_object_add(o, "stacks_lost",
				       json_object_new_uint64(result->stacks_lost));
	json_object_object_add(o, "complete", json_object_new_boolean(!cut));
	json_object_object_add(o, "lost", lost);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int tell_end(const struct record *r, const struct ct_session_result *result)
{
	bool command = r->session.argv;
	bool cut;

	if (!r->options.quiet && !result->exec_error)
		fprintf(stderr, "cowtrace: %llu records (%.1f MB) in %.1f s, written to %s\n",
			(unsigned long long)result->capture.records, result->capture.bytes / 1e6,
			result->elapsed_ns / 1e9, r->session.output);
	cut = ct_tell_losses(result, r->session.output);
	if (r->json)
		print_json(r, result, cut);
	if (!cut)
		return CT_EXIT_OK;
	return command ? CT_EXIT_OWN : CT_EXIT_CUT;
}

int ct_cmd_record(int argc, char **argv)
{
	struct record r = { .session.output = DEFAULT_OUTPUT };
	struct ct_session_result result;
	struct ct_error err;
	int status;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &r);
	r.session.argv = r.traced.argv;
	r.session.pid = r.traced.pid;
	r.session.target = r.session.argv ? CT_TARGET_COMMAND :
			   r.session.pid ? CT_TARGET_PROCESS : CT_TARGET_SYSTEM;
	r.session.command_line = argv;
	ct_options_session(&r.options, &r.session);
	if (ct_session_run(&r.session, &result, &err)) {
		ct_complain(&err);
		status = r.session.argv ? CT_EXIT_OWN : CT_EXIT_FAIL;
	} else {
		status = tell_end(&r, &result);
	}
	ct_options_free(&r.options);
	return r.session.argv ? ct_exit_as_command(&result, r.session.argv, status) : status;
}
