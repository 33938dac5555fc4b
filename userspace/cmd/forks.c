// SPDX-License-Identifier: GPL-2.0
#include "forks.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "command.h"
#include "confine.h"
#include "meta.h"

uint32_t ct_fork_pid(const struct ct_forks *f, uint32_t process)
{
	return ct_processes_get(f->processes, process)->tgid;
}

const char *ct_fork_parent_name(const struct ct_forks *f, const struct ct_fork *fork)
{
	return ct_processes_name(f->processes, fork->parent, fork->start) ?: "?";
}

const char *ct_fork_exec_name(const struct ct_forks *f, const struct ct_fork *fork)
{
	return fork->how == CT_FORK_EXEC ?
	       ct_processes_name(f->processes, fork->child, fork->end) : NULL;
}

uint64_t ct_fork_shared(const struct ct_forks *f, const struct ct_fork *fork)
{
	return ct_processes_get(f->processes, fork->child)->anon_bytes;
}

/* A trace that does not say so is taken at its word. */
bool ct_forks_seen(const struct ct_report *r)
{
	struct json_object *events = ct_meta_member(r->meta, "sideband", "events");

	return !events || json_object_get_boolean(events);
}

const char *ct_fork_end_name(enum ct_fork_end how)
{
	static const char * const names[] = {
		[CT_FORK_ALIVE] = "alive", [CT_FORK_EXIT] = "exit", [CT_FORK_EXEC] = "exec",
	};

	return names[how];
}

/*
 * The elements of an array of @n that belong to @fork, the first member of each;
 * they stand together, in the order of forks.
 */
static const void *part_of(const void *array, size_t n, size_t size, uint32_t fork, size_t *nr)
{
	const char *at = array, *first = NULL;
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (*(const uint32_t *)(at + mid * size) < fork)
			low = mid + 1;
		else
			high = mid;
	}
	if (n)
		first = at + low * size;
	for (*nr = 0; low + *nr < n; ++*nr)
		if (*(const uint32_t *)(first + *nr * size) != fork)
			break;
	return first;
}

const struct ct_fork_reason *ct_fork_reasons(const struct ct_forks *f, uint32_t fork, size_t *nr)
{
	return part_of(f->reasons, f->nr_reasons, sizeof(*f->reasons), fork, nr);
}

const struct ct_fork_site *ct_fork_sites(const struct ct_forks *f, uint32_t fork, size_t *nr)
{
	return part_of(f->by_site, f->nr_by_site, sizeof(*f->by_site), fork, nr);
}

static bool wanted(const struct ct_forks *f, const struct ct_fork *fork,
		   const struct ct_forks_opts *opts)
{
	if (opts->child && ct_fork_pid(f, fork->child) != opts->child)
		return false;
	if (opts->parent && ct_fork_pid(f, fork->parent) != opts->parent)
		return false;
	return !opts->comm || !strcmp(ct_fork_parent_name(f, fork), opts->comm);
}

/* The greater first, 0 for the same. */
static int greater(uint64_t x, uint64_t y)
{
	return (x < y) - (x > y);
}

static int fork_order(const void *a, const void *b, void *arg)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct ct_forks_view *v = arg;
	const struct ct_count *x = &v->f->list[i].total, *y = &v->f->list[k].total;
	int order = 0;

	switch (v->opts->sort) {
	case CT_FORK_SORT_COPIES:
		order = ct_count_order(x, y);
		break;
	case CT_FORK_SORT_BYTES:
		order = greater(x->bytes, y->bytes);
		break;
	case CT_FORK_SORT_TIME:
		order = greater(x->ns, y->ns);
		break;
	default:
		break;
	}
	return order ?: (i > k) - (i < k);
}

static void enter(struct ct_forks_view *v, uint32_t number)
{
	const struct ct_fork *fork = &v->f->list[number];
	uint64_t shared = ct_fork_shared(v->f, fork);

	v->chosen[v->nr++] = number;
	ct_count_merge(&v->sum, &fork->total);
	ct_count_merge(&v->unsettled, &fork->unsettled);
	if (shared == UINT64_MAX)
		return;
	v->shared = ct_add(v->shared, shared);
	v->of_shared = ct_add(v->of_shared, fork->total.bytes);
	v->nr_shared++;
}

int ct_forks_choose(struct ct_forks_view *v, struct ct_error *err)
{
	const struct ct_forks *f = v->f;
	uint32_t i;

	v->chosen = calloc(f->nr ?: 1, sizeof(*v->chosen));
	if (!v->chosen)
		return ct_error_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < f->nr; i++) {
		if (wanted(f, &f->list[i], v->opts))
			enter(v, i);
		else
			ct_count_merge(&v->rest, &f->list[i].total);
	}
	if (!v->nr && (v->opts->child || v->opts->parent || v->opts->comm))
		return ct_error_set(err, -ENOENT,
				    "none of the %zu forks in this trace is such a one: cowtrace forks without --child, --parent and --comm lists them",
				    f->nr);
	qsort_r(v->chosen, v->nr, sizeof(*v->chosen), fork_order, v);
	return 0;
}

static int print(FILE *out, struct ct_report *r, const void *arg, struct ct_error *err)
{
	struct ct_forks_view v = { .r = r, .opts = arg };
	struct ct_processes *processes = NULL;
	struct ct_forks *f = NULL;
	int ret;

	ret = ct_processes_load(r->reader, &processes, err);
	if (!ret)
		ret = ct_forks_make(r->reader, processes, &f, err);
	v.f = f;
	if (!ret)
		ct_sample_forks(&r->sample, f);
	if (!ret)
		ret = ct_forks_choose(&v, err);
	if (!ret)
		ret = (v.opts->report.json ? ct_forks_json : ct_forks_text)(out, &v);
	free(v.chosen);
	ct_forks_free(f);
	ct_processes_free(processes);
	return ret;
}

int ct_forks_print(FILE *out, const char *trace_path, const struct ct_forks_opts *opts)
{
	return ct_report_on(out, trace_path, print, opts);
}

enum { KEY_COMM = CT_REPORT_KEY_JSON + 1 };

static const struct argp_option options[] = {
	{ "child", 'c', "PID", 0, "only the fork that made this child, with all details", 0 },
	{ "parent", 'p', "PID", 0, "only forks of this process", 0 },
	{ "comm", KEY_COMM, "NAME", 0, "only forks of processes of this name", 0 },
	{ "sort", 's', "KEY", 0, "copies (default), bytes, time or start", 0 },
	{ "top", 't', "N", 0, "rows of the tables of forks and code sites (default 10)", 0 },
	{ "json", CT_REPORT_KEY_JSON, NULL, 0, "print one JSON object with every table, all rows",
	  0 },
	{ 0 },
};

struct args {
	struct ct_forks_opts opts;
	const char	*trace;
};

static error_t set_sort(const struct argp_state *state, const char *name,
			struct ct_forks_opts *opts)
{
	static const char * const names[] = {
#define SORT_(id, n, s)	(n),
		CT_FORK_SORTS(SORT_)
	};
	size_t i;

	for (i = 0; i < CT_NR_FORK_SORTS; i++) {
		if (strcmp(names[i], name))
			continue;
		opts->sort = i;
		return 0;
	}
	argp_error(state, "--sort is copies, bytes, time or start, not \"%s\"", name);
	return EINVAL;
}

static error_t set_pid(const struct argp_state *state, const char *text, uint32_t *to)
{
	unsigned long long n;

	if (ct_parse_number(text, 1, INT32_MAX, &n)) {
		argp_error(state, "\"%s\" is no number from 1 to %u", text, INT32_MAX);
		return EINVAL;
	}
	*to = n;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case KEY_COMM:
		args->opts.comm = arg;
		return 0;
	case 'c':
		return set_pid(state, arg, &args->opts.child);
	case 'p':
		return set_pid(state, arg, &args->opts.parent);
	case 's':
		return set_sort(state, arg, &args->opts);
	default:
		return ct_report_option(key, arg, state, &args->opts.report, &args->trace);
	}
}

int ct_cmd_forks(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[TRACE]",
		.doc = "Say what each fork() in a trace caused: which of the pages that it shared had "
		       "to be copied until the child called exec or exited, by parent and by child, "
		       "what that cost, which code wrote, and where all other copies came from.\v"
		       "TRACE is " DEFAULT_TRACE " if not given, - for standard input. It may come "
		       "from another machine or kernel. Each copy counts to exactly one fork, or to a "
		       "cause that is none: the man page has the rule.\n\n"
		       "Exit status:\n" CT_REPORT_STATUS_LINES,
	};
	struct args args = { .trace = NULL };

	argp_err_exit_status = CT_REPORT_FAILED;
	args.opts.report.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (argp_parse(&argp, argc, argv, 0, NULL, &args))
		return CT_REPORT_FAILED;
	return ct_confined_report(stdout, args.trace ?: DEFAULT_TRACE, print, &args.opts);
}
