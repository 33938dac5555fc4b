// SPDX-License-Identifier: GPL-2.0
/* What other policies would have decided, for programs: numbers in ns, bytes and counts. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "past.h"
#include "whatif_view.h"

static const char * const happened[CT_NR_OBSERVED] = { "reuse", "copy", "split" };

static void add_signed(struct json_object *to, const char *name, int64_t n)
{
	add(to, name, json_object_new_int64(n));
}

static struct json_object *change(const struct ct_whatif_change *c)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "faults", c->faults);
	add_signed(o, "bytes", c->bytes);
	add_signed(o, "time_ns", c->ns);
	add_number(o, "unpriced", c->unpriced);
	return o;
}

static struct json_object *answers(const uint64_t *counts)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	for (i = 0; i < CT_NR_ANSWERS; i++)
		add_number(o, ct_whatif_answer_name(i), counts[i]);
	return o;
}

static struct json_object *outcomes(const struct ct_whatif_view *v, const uint64_t *counts)
{
	struct json_object *o = json_object_new_object();
	int i;

	for (i = 0; i < 256; i++)
		if (counts[i])
			add_number(o, ct_report_word(v->r, "outcome", i), counts[i]);
	return o;
}

static struct json_object *observed(const struct ct_whatif_view *v)
{
	struct json_object *o = json_object_new_object();
	int i;

	add_number(o, "faults", v->sum->decided);
	for (i = 0; i < CT_NR_OBSERVED; i++)
		add_number(o, happened[i], v->sum->observed[i]);
	add_number(o, "bytes_copied", v->sum->bytes);
	add_number(o, "time_ns", v->sum->ns);
	add_number(o, "copy_time_ns", v->sum->copy_ns);
	add(o, "not_decided", outcomes(v, v->sum->other));
	add(o, "not_asked", outcomes(v, v->sum->unasked));
	return o;
}

static struct json_object *causes(const struct ct_whatif_view *v, size_t policy)
{
	struct json_object *rows = json_object_new_array();
	int i;

	for (i = 0; i < 256; i++) {
		struct json_object *o;

		if (!v->sum->policy[policy].causes[i])
			continue;
		o = json_object_new_object();
		add_text(o, "cause", ct_whatif_cause(v->w, policy, i));
		add_text(o, "sentence", ct_whatif_cause_sentence(policy, i));
		add_number(o, "faults", v->sum->policy[policy].causes[i]);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *policy(const struct ct_whatif_view *v, size_t number)
{
	const struct ct_whatif_policy_sum *of = &v->sum->policy[number];
	struct json_object *o = json_object_new_object(), *matrix = json_object_new_object();
	int i;

	for (i = 0; i < CT_NR_OBSERVED; i++)
		add(matrix, happened[i], answers(of->cell[i]));
	add_text(o, "name", ct_whatif_name(v->w, number));
	add_text(o, number < COWTRACE_NR_POLICIES ? "sentence" : "expression",
		 ct_whatif_sentence(v->w, number));
	add(o, "own", json_object_new_boolean(number == v->w->kernel));
	add(o, "answers", answers(of->answers));
	add(o, "happened", matrix);
	add_number(o, "bytes_copied", of->bytes);
	add_number(o, "bytes_undetermined", of->open_bytes);
	add(o, "avoided", change(&of->avoided));
	add(o, "added", change(&of->added));
	add_number(o, "as_happened", of->right);
	add_number(o, "otherwise", of->wrong);
	add(o, "undetermined", causes(v, number));
	return o;
}

static struct json_object *prices(const struct ct_whatif_view *v)
{
	struct json_object *rows = json_object_new_array();
	int path, kind, what;

	for (path = 0; path < COWTRACE_NR_PATHS; path++)
		for (kind = 0; kind < COWTRACE_NR_KINDS; kind++)
			for (what = 0; what < CT_NR_OBSERVED; what++) {
				const struct ct_price *it = &v->sum->price[path][kind][what];
				struct json_object *o;

				if (!it->faults)
					continue;
				o = json_object_new_object();
				add_text(o, "path", ct_report_word(v->r, "path", path));
				add_text(o, "kind", ct_report_word(v->r, "kind", kind));
				add_text(o, "happened", happened[what]);
				add_number(o, "faults", it->faults);
				add_number(o, "time_ns", it->ns);
				add_number(o, "mean_ns", it->ns / it->faults);
				json_object_array_add(rows, o);
			}
	return rows;
}

/* --- patterns ---------------------------------------------------------------- */

static struct json_object *said(const struct ct_whatif_view *v, const struct ct_whatif_key *key)
{
	struct json_object *o = json_object_new_object();
	size_t i;

	for (i = 0; i < ct_whatif_nr(v->w); i++) {
		const struct cowtrace_prediction *it = &key->predicted[i];
		struct json_object *one = json_object_new_object();

		add_text(one, "answer", ct_whatif_answer_name(it->answer));
		add_text(one, "reason",
			 it->reason ? ct_report_word(v->r, "reason", it->reason) : NULL);
		add_text(one, "cause", it->answer == COWTRACE_ANSWER_UNDETERMINED ?
				       ct_whatif_cause(v->w, i, it->cause) : NULL);
		add(o, ct_whatif_name(v->w, i), one);
	}
	return o;
}

static struct json_object *processes(const struct ct_whatif_view *v,
				     const struct ct_whatif_pattern *p)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_whatif_share *list[100];
	size_t i, nr = ct_whatif_shares(&v->w->by_process, v->w, p, list, 100);
	char name[CT_NAME_MAX];

	for (i = 0; i < nr && i < 100; i++) {
		const struct ct_whatif_process *it = &v->w->processes[list[i]->what];
		struct json_object *o = json_object_new_object();

		ct_clean_text(name, sizeof(name), it->comm, strnlen(it->comm, sizeof(it->comm)));
		add_text(o, "comm", name);
		add_number(o, "pid", it->tgid);
		add_number(o, "faults", list[i]->faults);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *site(const struct ct_whatif_view *v, const struct ct_whatif_share *it)
{
	const struct ct_site *of = &v->w->sites.list[it->what];
	struct json_object *o = json_object_new_object();
	const struct ct_object *object;

	if (of->object == CT_MAP_NONE) {
		add_number(o, "address", of->offset);
	} else {
		object = ct_processes_object(v->w->table, of->object);
		add_text(o, "object", object->path);
		add_number(o, "file_offset", of->offset);
		add_text(o, "symbol", of->symbol);
		if (of->symbol)
			add_number(o, "symbol_offset", of->past);
	}
	add_number(o, "faults", it->faults);
	return o;
}

static struct json_object *sites(const struct ct_whatif_view *v, const struct ct_whatif_pattern *p)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_whatif_share *list[100];
	size_t i, nr = ct_whatif_shares(&v->w->by_site, v->w, p, list, 100);

	for (i = 0; i < nr && i < 100; i++)
		json_object_array_add(rows, site(v, list[i]));
	return rows;
}

static struct json_object *evidence(const struct ct_whatif_view *v,
				    const struct ct_whatif_pattern *p)
{
	struct json_object *o = json_object_new_object();
	int bit;

	for (bit = 0; bit < 16; bit++)
		if (p->flagged[bit])
			add_number(o, ct_report_word(v->r, "evidence", 1u << bit), p->flagged[bit]);
	return o;
}

static struct json_object *pattern(const struct ct_whatif_view *v,
				   const struct ct_whatif_pattern *p)
{
	struct json_object *o = json_object_new_object(), *like = json_object_new_object();
	const struct ct_whatif_key *key = &p->key;
	char shape[CT_WHATIF_SHAPE_TEXT];

	add_number(o, "faults", p->faults);
	add_number(o, "time_ns", p->ns);
	add_number(o, "bytes_copied", p->copied);
	add_text(o, "outcome", ct_report_word(v->r, "outcome", key->outcome));
	add_text(o, "reason", key->rest ? NULL : ct_report_word(v->r, "reason", key->reason));
	add_text(o, "path", ct_report_word(v->r, "path", key->path));
	add_text(o, "kind", key->rest ? NULL : ct_report_word(v->r, "kind", key->kind));
	add_text(o, "page", ct_whatif_shape_text(key, shape, sizeof(shape)));
	add(o, "exclusive", key->exclusive == COWTRACE_NOT_KNOWN ? NULL :
			    json_object_new_boolean(key->exclusive));
	add(o, "policies", said(v, key));
	add_number(o, "nr_processes", p->processes);
	add(o, "processes", processes(v, p));
	add(o, "sites", sites(v, p));
	add(o, "evidence", evidence(v, p));
	add_number(like, "cpu", p->cpu);
	add_number(like, "seq", p->seq);
	add_number(like, "time_ns", p->time_ns);
	add(o, "example", like);
	return o;
}

/* NULL without memory, which json-c prints as null. */
static struct json_object *patterns(const struct ct_whatif_view *v,
				    bool (*wanted)(const struct ct_whatif_pattern *p,
						   const void *arg))
{
	size_t i, nr, top = v->opts->report.top;
	const struct ct_whatif_pattern **list = ct_whatif_select(v->w, wanted, v, &nr);
	struct json_object *rows;

	if (!list)
		return NULL;
	rows = json_object_new_array();
	for (i = 0; i < nr && (!top || i < top); i++)
		json_object_array_add(rows, pattern(v, list[i]));
	free(list);
	return rows;
}

/* --- questions --------------------------------------------------------------- */

static struct json_object *diff(const struct ct_whatif_view *v)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "a", ct_whatif_name(v->w, v->diff[0]));
	add_text(o, "b", ct_whatif_name(v->w, v->diff[1]));
	add(o, "patterns", patterns(v, ct_whatif_disagree));
	return o;
}

static struct json_object *against(const struct ct_whatif_view *v)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();
	struct ct_whatif_cause_row *list = NULL;
	size_t i, nr = 0;

	if (!ct_whatif_by_reason(v->sum, v->against, &list, &nr))
		for (i = 0; i < nr; i++) {
			struct json_object *row = change(&list[i].change);

			add_text(row, "outcome", ct_report_word(v->r, "outcome", list[i].outcome));
			add_text(row, "reason", ct_report_word(v->r, "reason", list[i].reason));
			add_number(row, "needed", list[i].needed);
			add_number(row, "undetermined", list[i].open);
			json_object_array_add(rows, row);
		}
	free(list);
	add_text(o, "policy", ct_whatif_name(v->w, v->against));
	add(o, "reasons", rows);
	add(o, "patterns", patterns(v, ct_whatif_unneeded));
	return o;
}

static struct json_object *self(const struct ct_whatif_view *v)
{
	const struct ct_whatif_policy_sum *of = &v->sum->policy[v->w->kernel];
	struct json_object *o = json_object_new_object();

	add_text(o, "policy", ct_whatif_name(v->w, v->w->kernel));
	add_number(o, "determined", of->right + of->wrong);
	add_number(o, "right", of->right);
	add_number(o, "undetermined", of->answers[COWTRACE_ANSWER_UNDETERMINED]);
	add(o, "wrong", patterns(v, ct_whatif_surprise));
	return o;
}

static struct json_object *bounds(const struct ct_whatif_view *v)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "faults_of_more_patterns", v->sum->folded);
	add_number(o, "faults_of_more_processes", v->w->by_process.over);
	add_number(o, "faults_of_more_sites", v->w->by_site.over);
	add(o, "pages_forgotten", v->w->past ?
	    json_object_new_uint64(ct_past_forgotten(v->w->past)) : NULL);
	return o;
}

int ct_whatif_json(FILE *out, const struct ct_whatif_view *v)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	for (i = 0; i < v->nr; i++)
		json_object_array_add(list, policy(v, v->chosen[i]));
	add_text(o, "whatif", CT_WHATIF_VERSION);
	add(o, "trace", json_trace(v->r));
	add_number(o, "faults", v->w->total);
	add(o, "happened", observed(v));
	add(o, "policies", list);
	add(o, "prices", prices(v));
	add(o, "self", self(v));
	add(o, "patterns", patterns(v, ct_whatif_differs));
	add(o, "hole", patterns(v, ct_whatif_hole));
	add(o, "diff", v->diff[0] == SIZE_MAX ? NULL : diff(v));
	add(o, "against", v->against == SIZE_MAX ? NULL : against(v));
	add_text(o, "lower_bound", ct_whatif_lower_bound(v->w));
	add_text(o, "exclusive_untold", v->untold);
	add(o, "beyond", bounds(v));
	add(o, "lost", json_lost(v->r, v->w->table));
	add(o, "damage", json_damage(v->r->info));
	return json_print(out, o);
}
