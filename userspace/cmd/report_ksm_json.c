// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdlib.h>

#include "json.h"
#include "report_ksm.h"

static struct json_object *vain(const struct ct_ksm_vain *v)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "merges", v->merges);
	add_number(o, "merge_ns", v->merge_ns);
	add_number(o, "copy_ns", v->copy_ns);
	add(o, "example", v->example ? json_object_new_int64(v->example) : NULL);
	return o;
}

static struct json_object *merges(const struct ct_ksm *k)
{
	struct json_object *o = json_object_new_object();
	int i;

	add_number(o, "all", ct_ksm_merges(k));
	for (i = 0; i < CT_NR_KSM_HOWS; i++)
		add_number(o, ct_ksm_how_words[i], k->how[i]);
	add_number(o, "time_ns", k->merge_ns);
	return o;
}

/* Powers of two of which there are some: [at least ns, merges]. */
static struct json_object *lives(const struct ct_ksm_ended *e)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < CT_KSM_LIVES; i++) {
		struct json_object *it;

		if (!e->lives[i])
			continue;
		it = json_object_new_object();
		add_number(it, "at_least_ns", 1ull << i);
		add_number(it, "merges", e->lives[i]);
		json_object_array_add(list, it);
	}
	return list;
}

static struct json_object *ends(const struct ct_ksm *k)
{
	struct json_object *o = json_object_new_object();
	int i;

	for (i = 0; i < CT_NR_KSM_ENDS; i++) {
		struct json_object *it = json_object_new_object();

		add_number(it, "merges", k->ended[i].merges);
		if (i < CT_KSM_COPIES) {
			add_number(it, "others", k->ended[i].others);
			add_number(it, "copy_ns", k->ended[i].copy_ns);
		}
		add(it, "lasted", lives(&k->ended[i]));
		json_object_object_add(o, ct_ksm_end_words[i], it);
	}
	return o;
}

static struct json_object *copies(const struct ct_ksm *k)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "all", k->copies);
	add_number(o, "one_user", k->one_user);
	add_number(o, "one_reference", k->one_reference);
	add(o, "one_user_example",
	    k->one_user_example ? json_object_new_int64(k->one_user_example) : NULL);
	add_number(o, "raced", k->raced);
	add_number(o, "oom", k->oom);
	add_number(o, "retried", k->retried);
	return o;
}

static struct json_object *zero(const struct ct_ksm *k, const struct ct_state *state)
{
	struct json_object *o = json_object_new_object();
	uint64_t told = 0;

	ct_group_stat(state, "ksm", "zero_told", &told);
	add_number(o, "merges", k->zero.merges);
	add_number(o, "merge_ns", k->zero.merge_ns);
	add(o, "copies", told ? json_object_new_int64(k->zero.copies) : NULL);
	add_number(o, "exits", k->zero.exits);
	add(o, "unseen", told ? json_object_new_int64(k->zero.unseen) : NULL);
	add(o, "still", told ? json_object_new_int64(k->zero.live) : NULL);
	return o;
}

static struct json_object *process(const struct ct_ksm_process *p)
{
	struct json_object *o = json_object_new_object(), *ended = json_object_new_object();
	int i;

	add(o, "tgid", p->tgid ? json_object_new_int64(p->tgid) : NULL);
	add_text(o, "comm", p->name);
	add_number(o, "merges", p->merges);
	for (i = 0; i < CT_NR_KSM_ENDS; i++)
		add_number(ended, ct_ksm_end_words[i], p->ended[i]);
	add(o, "ended", ended);
	add_number(o, "others", p->others);
	add_number(o, "one_user", p->one_user);
	add(o, "in_vain", vain(&p->vain));
	return o;
}

static struct json_object *content(const struct ct_ksm_page *p)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "pfn", p->pfn);
	add_number(o, "merges", p->merges);
	add_number(o, "still", p->live);
	add_number(o, "most_users", p->most);
	add_number(o, "copies", p->copies);
	add_number(o, "in_vain", p->vain);
	return o;
}

static struct json_object *listed(const struct ct_ksm *k, enum ksm_list list, size_t top)
{
	size_t i, nr = list == KSM_PAGES ? k->nr_pages : k->nr_processes;
	struct json_object *o = json_object_new_array();
	size_t *order = ksm_sorted(k, list);

	for (i = 0; order && i < nr && (!top || i < top); i++)
		json_object_array_add(o, list == KSM_PAGES ? content(&k->pages[order[i]]) :
					 process(&k->processes[order[i]]));
	free(order);
	return o;
}

struct json_object *ksm_json(const struct ct_report *r)
{
	struct json_object *o = json_object_new_object(), *it;
	struct ct_ksm *k;

	if (ct_ksm_load(r->reader, r->opts->in_vain_ns ?: CT_KSM_IN_VAIN, &k))
		return o;
	add_number(o, "events", k->info.events);
	add_number(o, "lost", k->info.lost);
	add_number(o, "bad", k->info.bad);
	add(o, "items_known", json_object_new_boolean(ksm_items_known(r)));
	add(o, "merges", merges(k));
	add(o, "ended", ends(k));
	add_number(o, "still", k->live);
	add(o, "copies", copies(k));
	it = vain(&k->vain);
	add_number(it, "within_ns", k->in_vain);
	add(o, "in_vain", it);
	add(o, "zero", zero(k, &r->state));
	add(o, "processes", listed(k, KSM_PROCESSES, r->opts->top));
	add(o, "contents", listed(k, KSM_PAGES, r->opts->top));
	ct_ksm_free(k);
	return o;
}
