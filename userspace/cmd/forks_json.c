// SPDX-License-Identifier: GPL-2.0
/* The ledger for programs: all numbers in ns, bytes and counts. */
#include "forks.h"
#include "json.h"

static struct json_object *count(const struct ct_count *c)
{
	struct json_object *o = json_object_new_object();

	add_count(o, c);
	return o;
}

/* A flag that is null where it is not known. */
static struct json_object *known(bool flag)
{
	return flag ? json_object_new_boolean(true) : NULL;
}

static struct json_object *reasons(const struct ct_forks_view *v, uint32_t fork)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_fork_reason *it;
	size_t n;

	for (it = ct_fork_reasons(v->f, fork, &n); n--; it++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "outcome", ct_report_word(v->r, "outcome", it->outcome));
		add_text(o, "reason", ct_report_word(v->r, "reason", it->reason));
		add_count(o, &it->count);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *sites(const struct ct_forks_view *v, uint32_t fork)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_fork_site *it;
	size_t n, top = v->opts->report.top;

	it = ct_fork_sites(v->f, fork, &n);
	for (n = top && top < n ? top : n; n--; it++)
		json_object_array_add(rows, json_site(v->f->processes, &v->f->sites.list[it->site],
						      &it->count));
	return rows;
}

static struct json_object *one_fork(const struct ct_forks_view *v, uint32_t number)
{
	const struct ct_fork *fork = &v->f->list[number];
	struct json_object *o = json_object_new_object();
	uint64_t shared = ct_fork_shared(v->f, fork);

	add_number(o, "parent", ct_fork_pid(v->f, fork->parent));
	add_text(o, "parent_comm", ct_fork_parent_name(v->f, fork));
	add_number(o, "child", ct_fork_pid(v->f, fork->child));
	add_number(o, "start_ns", fork->start);
	add(o, "end_ns", fork->how == CT_FORK_ALIVE ? NULL : json_object_new_uint64(fork->end));
	add_text(o, "until", ct_fork_end_name(fork->how));
	add_text(o, "exec", ct_fork_exec_name(v->f, fork));
	add(o, "copies_memory", known(fork->known));
	add(o, "shared_bytes", shared == UINT64_MAX ? NULL : json_object_new_uint64(shared));
	add(o, "total", count(&fork->total));
	add(o, "by_parent", count(&fork->by_parent));
	add(o, "by_child", count(&fork->by_child));
	add(o, "after", count(&fork->after));
	add(o, "unsettled", count(&fork->unsettled));
	add(o, "reasons", reasons(v, number));
	add(o, "sites", sites(v, number));
	return o;
}

static struct json_object *causes(const struct ct_forks *f)
{
	struct json_object *rows = json_object_new_array();
	int i;

	for (i = 0; i < CT_NR_FORK_CAUSES; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "cause", ct_fork_cause_name(i));
		add_text(o, "sentence", ct_fork_cause_sentence(i));
		add_count(o, &f->causes[i]);
		json_object_array_add(rows, o);
	}
	return rows;
}

int ct_forks_json(FILE *out, const struct ct_forks_view *v)
{
	struct json_object *o = json_object_new_object(), *forks = json_object_new_array();
	size_t i, top = v->opts->report.top;

	for (i = 0; i < v->nr && (!top || i < top); i++)
		json_object_array_add(forks, one_fork(v, v->chosen[i]));
	add_text(o, "ledger", CT_LEDGER_VERSION);
	add(o, "trace", json_trace(v->r));
	add(o, "faults", count(&v->f->total));
	add(o, "nr_forks", ct_forks_seen(v->r) ? json_object_new_uint64(v->f->nr) : NULL);
	add_number(o, "nr_chosen", v->nr);
	add_number(o, "nr_sharing", v->f->sharing);
	add(o, "chosen", count(&v->sum));
	add(o, "other", count(&v->rest));
	add(o, "causes", causes(v->f));
	add(o, "forks", forks);
	add(o, "lost", json_lost(v->r, v->f->processes));
	add(o, "damage", json_damage(v->r->info));
	return json_print(out, o);
}
