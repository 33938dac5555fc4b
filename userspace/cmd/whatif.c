// SPDX-License-Identifier: GPL-2.0
/* cowtrace whatif: what other policies would have decided about the faults of a trace. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "confine.h"
#include "ledger.h"
#include "meta.h"
#include "past.h"
#include "whatif_view.h"

#define NAME_MAX_	15

/**
 * struct asked - policies that the command line names
 * @own: those of the user.
 * @names: of these, to be freed.
 * @nr: number of them.
 */
struct asked {
	struct ct_whatif_own own[CT_WHATIF_OWN_MAX];
	char		*names[CT_WHATIF_OWN_MAX];
	size_t		nr;
};

/* --- policies of the user ---------------------------------------------------- */

static bool good_name(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!islower(name[i]) && !isdigit(name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	return n && n <= NAME_MAX_;
}

static int parse_expression(struct asked *a, const char *text, struct ct_error *err)
{
	struct ct_expression_error *why = calloc(1, sizeof(*why));
	int ret;

	if (!why)
		return ct_error_set(err, -ENOMEM, "out of memory");
	ret = ct_expression_parse(text, &a->own[a->nr].expression, why);
	if (ret) {
		/* What is wrong takes several lines. */
		fprintf(stderr, "cowtrace: policy %s: %s\n", a->names[a->nr], why->text);
		ct_error_set(err, ret, "policy %s cannot be asked: see above, cowtrace whatif --names lists what it can name",
			     a->names[a->nr]);
	}
	free(why);
	return ret;
}

/* NAME=EXPRESSION or NAME=@FILE */
static int add_own(struct asked *a, const char *arg, const char *equals, struct ct_error *err)
{
	char *text = NULL;
	int ret;

	if (!good_name(arg, equals - arg))
		return ct_error_set(err, -EINVAL,
				    "\"%.*s\" is no name for a policy: up to %d of a-z 0-9 - _",
				    (int)(equals - arg), arg, NAME_MAX_);
	if (a->nr == CT_WHATIF_OWN_MAX)
		return ct_error_set(err, -E2BIG, "more than %d policies of your own: ask about the others in a second run",
				    CT_WHATIF_OWN_MAX);
	a->names[a->nr] = strndup(arg, equals - arg);
	if (!a->names[a->nr])
		return ct_error_set(err, -ENOMEM, "out of memory");
	a->own[a->nr].name = a->names[a->nr];
	if (equals[1] == '@') {
		ret = ct_expression_read_file(equals + 2, &text, err);
		if (ret) {
			free(a->names[a->nr]);
			return ret;
		}
	}
	ret = parse_expression(a, text ?: equals + 1, err);
	free(text);
	if (ret)
		free(a->names[a->nr]);
	else
		a->nr++;
	return ret;
}

static void free_asked(struct asked *a)
{
	while (a->nr--) {
		ct_expression_free(a->own[a->nr].expression);
		free(a->names[a->nr]);
	}
}

static bool taken(const struct asked *a, size_t nr, const char *name)
{
	const struct ct_whatif none = { 0 };
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(a->own[i].name, name))
			return true;
	return ct_whatif_find(&none, name) != SIZE_MAX || !strcmp(name, "all");
}

static int read_own(const struct ct_whatif_opts *opts, struct asked *a, struct ct_error *err)
{
	size_t i;

	for (i = 0; i < opts->nr; i++) {
		const char *equals = strchr(opts->policy[i], '=');
		int ret = equals ? add_own(a, opts->policy[i], equals, err) : 0;

		if (ret)
			return ret;
		if (equals && taken(a, a->nr - 1, a->own[a->nr - 1].name))
			return ct_error_set(err, -EINVAL, "there is a policy %s already: give yours another name",
					    a->own[a->nr - 1].name);
	}
	return 0;
}

/* --- what is asked for ------------------------------------------------------- */

static int find_policy(const struct ct_whatif *w, const char *name, size_t *policy,
		       struct ct_error *err)
{
	char names[512] = "";
	size_t i;

	*policy = ct_whatif_find(w, name);
	if (*policy != SIZE_MAX)
		return 0;
	for (i = 0; i < ct_whatif_nr(w); i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", ct_whatif_name(w, i));
	return ct_error_set(err, -EINVAL, "there is no policy \"%s\": give one of %s, or one of your own as --policy NAME=EXPRESSION",
			    name, names);
}

static int choose(struct ct_whatif_view *v, struct ct_error *err)
{
	const struct ct_whatif_opts *opts = v->opts;
	bool chosen[CT_WHATIF_POLICIES] = { false }, named = false;
	size_t i, policy;

	for (i = 0; i < opts->nr; i++) {
		if (strchr(opts->policy[i], '=') || !strcmp(opts->policy[i], "all"))
			continue;
		if (find_policy(v->w, opts->policy[i], &policy, err))
			return err->code;
		chosen[policy] = true;
		named = true;
	}
	for (i = 0; i < opts->nr; i++)
		named = named && strcmp(opts->policy[i], "all");
	/* One of the user's own is asked about in any case. */
	for (i = 0; i < ct_whatif_nr(v->w); i++)
		if (chosen[i] || !named || i >= COWTRACE_NR_POLICIES)
			v->chosen[v->nr++] = i;
	v->diff[0] = SIZE_MAX;
	v->diff[1] = SIZE_MAX;
	v->against = SIZE_MAX;
	if (opts->diff[0] && (find_policy(v->w, opts->diff[0], &v->diff[0], err) ||
			      find_policy(v->w, opts->diff[1], &v->diff[1], err)))
		return err->code;
	if (opts->against && find_policy(v->w, opts->against, &v->against, err))
		return err->code;
	return 0;
}

/* --- reading ----------------------------------------------------------------- */

static bool filtered(const struct ct_report *r, const char *name)
{
	const char *text = ct_meta_text(r->meta, "settings", name);

	return !text || strcmp(text, "any");
}

/* Is there a record of each fault of the processes that were traced? */
static bool whole(const struct ct_report *r)
{
	static const char * const nothing[] = { "filtered_exit", "sampled_out" };
	const struct ct_loss *loss;
	uint64_t n = 0;
	size_t i;

	if (!ct_state_text(&r->state, "lost") || !ct_state_text(&r->state, "stats"))
		return false;
	for (loss = ct_losses; loss->name; loss++)
		if (ct_state_number(&r->state, loss->file, loss->name, &n) && n)
			return false;
	for (i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		if (ct_state_number(&r->state, "stats", nothing[i], &n) && n)
			return false;
	/* By process is as good as none; by thread, name or user is not. */
	return !ct_state_number(&r->state, "stats", "filtered_entry", &n) || !n ||
	       !(filtered(r, "filter/pid") || filtered(r, "filter/uid") ||
		 filtered(r, "filter/comm"));
}

int ct_whatif_begin_past(struct ct_whatif *w, const struct ct_report *r,
			 struct ct_forks **forks, const char **untold)
{
	if (w->traits & COWTRACE_TRAIT_EXCLUSIVE)
		return 0;
	if (!ct_processes_nr(w->table)) {
		*untold = "the recorder had no events of processes: cowtrace doctor says why";
		return 0;
	}
	if (ct_processes_lost(w->table)) {
		*untold = "events of processes were lost, forks may be missing";
		return 0;
	}
	*forks = ct_forks_new(w->table, w->page_size);
	if (*forks)
		w->past = ct_past_new(*forks, whole(r));
	return w->past ? 0 : -ENOMEM;
}

static int take_all(struct ct_whatif *w, struct ct_reader *reader)
{
	struct ct_event event;
	int ret = 0;

	while (!ret && ct_reader_next(reader, &event)) {
		if (event.lost && w->past)
			ct_past_lost(w->past);
		ret = ct_whatif_take(w, event.record);
	}
	return ret;
}

static int show(FILE *out, struct ct_whatif_view *v, struct ct_error *err)
{
	struct ct_whatif_sum *sum = malloc(sizeof(*sum));
	int ret;

	if (!sum)
		return ct_error_set(err, -ENOMEM, "out of memory");
	ct_whatif_sum(v->w, sum);
	v->sum = sum;
	ret = (v->opts->report.json ? ct_whatif_json : ct_whatif_text)(out, v);
	free(sum);
	return ret == -ENOMEM ? ct_error_set(err, ret, "out of memory") : ret;
}

static int print_with(FILE *out, struct ct_report *r, const struct ct_whatif_opts *opts,
		      struct asked *a, struct ct_error *err)
{
	struct ct_whatif_view v = { .r = r, .opts = opts };
	struct ct_processes *table = NULL;
	struct ct_forks *forks = NULL;
	struct ct_whatif *w = NULL;
	int ret;

	ret = ct_processes_load(r->reader, &table, err);
	if (ret)
		return ret;
	w = ct_whatif_new(r->schema, table, a->own, a->nr);
	v.w = w;
	ret = w ? 0 : -ENOMEM;
	if (!ret && choose(&v, err))
		ret = err->code;
	else if (!ret)
		ret = ct_whatif_begin_past(w, r, &forks, &v.untold) ?: take_all(w, r->reader);
	if (!ret) {
		ct_sample_whatif(&r->sample, w);
		ret = show(out, &v, err);
	} else if (!err->code) {
		ct_error_set(err, ret, "out of memory");
	}
	ct_whatif_free(w);
	ct_forks_free(forks);
	ct_processes_free(table);
	return ret;
}

struct question {
	const struct ct_whatif_opts *opts;
	struct asked	asked;
};

static int print(FILE *out, struct ct_report *r, const void *arg, struct ct_error *err)
{
	const struct question *q = arg;
	struct asked asked = q->asked;

	return print_with(out, r, q->opts, &asked, err);
}

/* Policies first: who reads a trace may not be allowed to read their files. */
static int answer(FILE *out, const char *trace_path, const struct ct_whatif_opts *opts,
		  int (*on)(FILE *out, const char *path, ct_report_fn *print, const void *arg))
{
	struct question q = { .opts = opts };
	struct ct_error err = { 0 };
	int status = CT_REPORT_FAILED;

	if (read_own(opts, &q.asked, &err))
		ct_complain(&err);
	else
		status = on(out, trace_path, print, &q);
	free_asked(&q.asked);
	return status;
}

int ct_whatif_print(FILE *out, const char *trace_path, const struct ct_whatif_opts *opts)
{
	return answer(out, trace_path, opts, ct_report_on);
}

/* --- command line ------------------------------------------------------------ */

enum { KEY_DIFF = CT_REPORT_KEY_JSON + 1, KEY_AGAINST, KEY_NAMES, KEY_VERIFY };

static const struct argp_option options[] = {
	{ "policy", 'p', "NAME", 0,
	  "show this policy, all (default), or one of your own: NAME=EXPRESSION or NAME=@FILE; may "
	  "be given several times", 0 },
	{ "diff", KEY_DIFF, "A B", 0, "list where two policies disagree", 0 },
	{ "against", KEY_AGAINST, "NAME", 0,
	  "copies that this kernel made and that policy would not, by the kernel's reason: with "
	  "minimal, what it would be worth to avoid them", 0 },
	{ "names", KEY_NAMES, NULL, 0, "list what an expression can name, and end", 0 },
	{ "verify", KEY_VERIFY, NULL, 0,
	  "hold predictions for kernels against what they did in the same experiments: takes runs "
	  "of these, not TRACE; --verify --help explains it", 0 },
	{ "top", 't', "N", 0, "rows of the tables of patterns (default 10)", 0 },
	{ "json", CT_REPORT_KEY_JSON, NULL, 0, "print one JSON object with every table, all rows",
	  0 },
	{ 0 },
};

struct args {
	struct ct_whatif_opts opts;
	const char	*trace;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 'p':
		if (args->opts.nr == CT_WHATIF_ARGS)
			argp_error(state, "--policy was given more than %d times", CT_WHATIF_ARGS);
		args->opts.policy[args->opts.nr++] = arg;
		return 0;
	case KEY_DIFF:
		if (state->next >= state->argc)
			argp_error(state, "--diff needs two policies, A and B");
		args->opts.diff[0] = arg;
		args->opts.diff[1] = state->argv[state->next++];
		return 0;
	case KEY_AGAINST:
		args->opts.against = arg;
		return 0;
	case KEY_NAMES:
		ct_expression_names(stdout);
		exit(fflush(stdout) ? CT_REPORT_FAILED : CT_REPORT_OK);
	case KEY_VERIFY:
		argp_error(state, "--verify is not to be shortened");
		return 0;
	case ARGP_KEY_END:
		if (args->opts.diff[0] && args->opts.against)
			argp_error(state, "--diff and --against are two questions: ask one at a time");
		return 0;
	default:
		return ct_report_option(key, arg, state, &args->opts.report, &args->trace);
	}
}

/* --verify has arguments of its own. Return: their number without it, 0 if it is not there. */
static int verify_arguments(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (strcmp(argv[i], "--verify"))
			continue;
		memmove(&argv[i], &argv[i + 1], (argc - i) * sizeof(*argv));
		return argc - 1;
	}
	return 0;
}

int ct_cmd_whatif(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[TRACE]",
		.doc = "Say, fault by fault, what each generation of the kernel's reuse logic would have "
		       "decided: copies and reuses, bytes and time against what happened, where the "
		       "policies differ, and what the trace does not settle.\v"
		       "TRACE is " DEFAULT_TRACE " if not given, - for standard input. Policies are "
		       "mapcount (until 5.8), refcount (5.9 to 5.17), swapcache (5.18), exclusive (5.19 "
		       "to 6.14), large-exclusive (6.15 on), minimal (a copy only where another user "
		       "could see the write), and expressions like "
		       "'refcount == 1 + swapcache && !ksm', true for a reuse.\n\n"
		       "Exit status:\n" CT_REPORT_STATUS_LINES,
	};
	struct args args = { .trace = NULL };
	int verify = verify_arguments(argc, argv);

	if (verify)
		return ct_cmd_whatif_verify(verify, argv);
	argp_err_exit_status = CT_REPORT_FAILED;
	args.opts.report.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (argp_parse(&argp, argc, argv, 0, NULL, &args))
		return CT_REPORT_FAILED;
	return answer(stdout, args.trace ?: DEFAULT_TRACE, &args.opts, ct_confined_report);
}
