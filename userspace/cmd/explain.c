// SPDX-License-Identifier: GPL-2.0
/* cowtrace explain: patterns of a trace, or one fault, in plain sentences. */
#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "confine.h"
#include "explain_print.h"
#include "explain_stack.h"
#include "group_view.h"
#include "match.h"
#include "options.h"
#include "reader.h"
#include "splits.h"

#define DEFAULT_TRACE	"cowtrace.data"
#define DEFAULT_TOP	5

struct explain {
	const char	*trace;
	/* The fault that is asked for, if one is. */
	bool		one;
	uint32_t	cpu;
	uint32_t	seq;
	/* It is one of this group; NULL for the faults. */
	const struct ct_group_view *group;
	bool		json;
	size_t		top;
	enum ct_pattern_order order;
	struct ct_options filters;
	struct ct_reader *reader;
	const struct ct_schema *schema;
};

enum { KEY_JSON = 0x200, KEY_SORT };

static const struct argp_option options[] = {
	{ "top", 't', "N", 0, "explain the first N patterns (default 5; with --json all)", 0 },
	{ "sort", KEY_SORT, "KEY", 0,
	  "what comes first: most faults (default), most time, or most bytes copied", 0 },
	{ "json", KEY_JSON, NULL, 0, "print one JSON object", 0 },
	{ 0 },
};

/* CPU:SEQ, as cowtrace events prints it, or GROUP:SEQ. */
static bool parse_fault(struct explain *e, const char *text)
{
	const struct ct_group_view *group;
	unsigned long long cpu, seq;
	const char *colon = strchr(text, ':');
	char first[16];

	group = colon ? ct_group_view(text, colon - text) : NULL;
	if (group && !ct_parse_number(colon + 1, 1, UINT32_MAX, &seq)) {
		e->group = group;
		e->seq = seq;
		e->one = true;
		return true;
	}
	if (!colon || colon - text >= (long)sizeof(first))
		return false;
	memcpy(first, text, colon - text);
	first[colon - text] = '\0';
	if (ct_parse_number(first, 0, UINT16_MAX, &cpu) ||
	    ct_parse_number(colon + 1, 1, UINT32_MAX, &seq))
		return false;
	e->cpu = cpu;
	e->seq = seq;
	e->one = true;
	return true;
}

static void parse_argument(struct explain *e, const char *arg, const struct argp_state *state)
{
	bool had_one = e->one;

	if (parse_fault(e, arg)) {
		if (had_one)
			ct_usage(state, "one fault at a time, not also \"%s\"", arg);
		return;
	}
	if (e->trace)
		ct_usage(state, "\"%s\" is no fault of the form CPU:SEQ", arg);
	e->trace = arg;
}

static enum ct_pattern_order parse_order(const char *arg, const struct argp_state *state)
{
	if (!strcmp(arg, "faults"))
		return CT_BY_FAULTS;
	if (!strcmp(arg, "time"))
		return CT_BY_TIME;
	if (strcmp(arg, "bytes"))
		ct_usage(state, "--sort is faults, time or bytes, not \"%s\"", arg);
	return CT_BY_BYTES;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct explain *e = state->input;
	unsigned long long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->filters;
		return 0;
	case 't':
		if (ct_parse_number(arg, 1, 1000000, &n))
			ct_usage(state, "\"%s\" is no number from 1 to 1000000", arg);
		e->top = n;
		return 0;
	case KEY_SORT:
		e->order = parse_order(arg, state);
		return 0;
	case KEY_JSON:
		e->json = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_argument(e, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (e->one && e->filters.nr_settings)
			ct_usage(state, "a filter chooses among patterns, and one fault is asked for");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &ct_match_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[TRACE] [CPU:SEQ|GROUP:SEQ]",
	.doc = "Explain faults in plain sentences: what the kernel did, whether anybody else could "
	       "have seen the write, who held the page, and which step of that kernel decided.\v"
	       "Without CPU:SEQ it explains the most frequent patterns of the trace: faults with the same path, "
	       "outcome, reason, kind of page, origin, size of folio and states that mattered. With CPU:SEQ, the number "
	       "that cowtrace events prints behind fault=, it explains that fault, and the other record of "
	       "its access if a huge page was split. With GROUP:SEQ it explains an event of a group, "
	       "such as khugepaged:1. TRACE is " DEFAULT_TRACE " if not given, - for standard input.",
	.children = children,
};

static int cannot_write(struct ct_error *err)
{
	return ct_error_set(err, -EIO, "cannot write the explanation: %s", strerror(errno));
}

/* --- patterns ---------------------------------------------------------------- */

static int explain_patterns(struct explain *e, struct ct_error *err)
{
	struct ct_patterns patterns = {
		.traits = e->schema->traits, .page_size = e->schema->page_size,
	};
	size_t top = e->top ?: e->json ? SIZE_MAX : DEFAULT_TOP;
	struct ct_match match = { 0 };
	struct ct_event event;
	int ret = 0;

	for (size_t i = 0; !ret && i < e->filters.nr_settings; i++)
		ret = ct_match_add(&match, e->schema, e->filters.settings[i], err);
	if (ret)
		return ret;
	while (!ret && ct_reader_next(e->reader, &event))
		if (ct_match_fits(&match, event.record))
			ret = ct_patterns_add(&patterns, event.record);
	if (ret) {
		ct_error_set(err, ret, "out of memory");
	} else {
		ct_patterns_sort(&patterns, e->order);
		ret = (e->json ? ct_explain_patterns_json : ct_explain_patterns_text)
			(stdout, e->schema, &patterns, top);
		if (ret)
			cannot_write(err);
	}
	ct_patterns_free(&patterns);
	return ret;
}

/* --- one fault --------------------------------------------------------------- */

static bool is_fault(const struct cowtrace_record *r, uint32_t cpu, uint32_t seq)
{
	return r->cpu == cpu && r->seq == seq;
}

/* The fault, and the record that it goes on with. */
static bool find_fault(struct explain *e, struct ct_access *a, struct ct_split *before)
{
	static struct ct_splits splits;
	struct ct_split split;
	struct ct_event event;

	before->pid = 0;
	while (ct_reader_next(e->reader, &event)) {
		bool linked = ct_splits_take(&splits, event.record, &split);

		if (!a->nr && is_fault(event.record, e->cpu, e->seq)) {
			a->records[a->nr++] = *event.record;
			if (linked)
				*before = split;
			if (event.record->outcome != COWTRACE_OUTCOME_SPLIT)
				break;
		} else if (a->nr && linked && split.cpu == e->cpu && split.seq == e->seq) {
			a->records[a->nr++] = *event.record;
			break;
		}
	}
	return a->nr;
}

/* The split that the fault goes on with: it comes first. */
static void find_split(struct explain *e, struct ct_access *a, const struct ct_split *before)
{
	struct ct_event event;

	ct_reader_rewind(e->reader);
	while (ct_reader_next(e->reader, &event)) {
		if (!is_fault(event.record, before->cpu, before->seq))
			continue;
		a->records[1] = a->records[0];
		a->records[0] = *event.record;
		a->asked = 1;
		a->nr = 2;
		return;
	}
}

static int explain_one(struct explain *e, struct ct_error *err)
{
	struct ct_explain_stack stack = { 0 };
	struct ct_access access = { 0 };
	struct ct_split before;
	struct ct_event rest;
	int ret;

	if (!find_fault(e, &access, &before))
		return ct_error_set(err, -ENOENT,
				    "there is no fault %u:%u in the trace: cowtrace events prints the number of each behind fault=",
				    e->cpu, e->seq);
	if (before.pid)
		find_split(e, &access, &before);
	/* Whether the trace is damaged is known at its end. */
	while (ct_reader_next(e->reader, &rest))
		;
	ret = ct_explain_stack_find(&stack, e->reader, &access, err);
	if (!ret && (e->json ? ct_explain_access_json : ct_explain_access_text)
		(stdout, e->schema, &access))
		ret = cannot_write(err);
	ct_explain_stack_free(&stack);
	return ret;
}

static int explain(void *arg, struct ct_error *err)
{
	const struct ct_trace_info *info;
	struct explain *e = arg;
	int ret;

	ret = ct_reader_open(e->trace ?: DEFAULT_TRACE, &e->reader, err);
	if (ret)
		return ret;
	e->schema = ct_reader_schema(e->reader);
	if (e->group)
		ret = ct_group_explain(stdout, e->reader, e->group, e->seq, e->json, err);
	else
		ret = e->one ? explain_one(e, err) : explain_patterns(e, err);
	info = ct_reader_info(e->reader);
	if (!ret && fflush(stdout))
		ret = cannot_write(err);
	if (!ret && (info->damages || !info->ended))
		ret = ct_error_set(err, -EIO,
				   "the trace is damaged or cut off, what is whole was explained: cowtrace report says where");
	ct_reader_close(e->reader);
	return ret;
}

int ct_cmd_explain(int argc, char **argv)
{
	struct explain e = { 0 };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &e);
	status = ct_confined(explain, &e);
	ct_options_free(&e.filters);
	return status;
}
