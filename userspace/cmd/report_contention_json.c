// SPDX-License-Identifier: GPL-2.0
#include "report_contention.h"

#include "contention.h"

static struct json_object *meetings(const struct ct_contention *c)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < CT_NR_MEETINGS; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "meeting", ct_meeting_names[i]);
		add_text(o, "sentence", ct_meeting_sentences[i]);
		add_number(o, "groups", c->meetings[i].groups);
		add_number(o, "faults", c->meetings[i].faults);
		add_number(o, "time_ns", c->meetings[i].ns);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *lost_races(const struct ct_contention *c, uint64_t page_size)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "faults", c->raced);
	add_number(o, "time_ns", c->raced_ns);
	add_number(o, "winner_seen", c->raced_seen);
	add_number(o, "winner_shown", c->raced_shown);
	add_number(o, "copies_thrown_away", c->thrown);
	add_number(o, "bytes_thrown_away", c->thrown * page_size);
	add_number(o, "thrown_away_time_ns", c->thrown_ns);
	add_number(o, "undecided", c->undecided);
	return o;
}

static struct json_object *last_copies(const struct ct_contention *c, uint64_t page_size)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "copies", c->last_copies);
	add_number(o, "bytes", c->last_copies * page_size);
	add_number(o, "time_ns", c->last_ns);
	return o;
}

static void add_words(const struct ct_report *r, struct json_object *o, uint8_t path,
		      uint8_t outcome, uint8_t reason)
{
	add_text(o, "path", ct_report_word(r, "path", path));
	add_text(o, "outcome", ct_report_word(r, "outcome", outcome));
	add_text(o, "reason", ct_report_word(r, "reason", reason));
}

static struct json_object *page_lock(const struct ct_report *r)
{
	const struct ct_contention *c = r->summary->contention;
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	for (i = 0; i < c->nr_locked; i++) {
		struct json_object *row = json_object_new_object();

		add_words(r, row, c->locked[i].path, c->locked[i].outcome, c->locked[i].reason);
		add_number(row, "faults", c->locked[i].faults);
		add_number(row, "met", c->locked[i].met);
		add_number(row, "time_ns", c->locked[i].ns);
		json_object_array_add(list, row);
	}
	add_number(o, "faults", c->lock_asked);
	add_number(o, "locked", c->lock_held);
	add_number(o, "copies", c->locked_copies);
	add_number(o, "copy_time_ns", c->locked_ns);
	add_number(o, "holder_perhaps_seen", c->holder_seen);
	add(o, "outcomes", list);
	return o;
}

static struct json_object *durations(const struct ct_histogram *h)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "faults", h->count);
	add_number(o, "sum_ns", h->sum);
	add_number(o, "p50_ns", ct_histogram_percentile(h, 50));
	add_number(o, "p99_ns", ct_histogram_percentile(h, 99));
	add_number(o, "max_ns", h->max);
	return o;
}

static struct json_object *kinds(const struct ct_report *r)
{
	const struct ct_contention *c = r->summary->contention;
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < c->nr_kinds; i++) {
		const struct ct_met_kind *k = &c->kinds[i];
		struct json_object *o = json_object_new_object();

		add_words(r, o, k->path, k->outcome, k->reason);
		add_text(o, "kind", ct_report_word(r, "kind", k->kind));
		add(o, "met", k->met.count ? durations(&k->met) : NULL);
		add(o, "alone", k->alone.count ? durations(&k->alone) : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *process(const struct ct_summary *s, uint32_t number)
{
	const struct ct_process_count *it = &s->by_process[s->process_at[number]];
	struct json_object *o = json_object_new_object();

	add_number(o, "pid", it->tgid);
	add_text(o, "comm", it->comm);
	return o;
}

static size_t rows_of(const struct ct_report_opts *opts, size_t n)
{
	return opts->top && opts->top < n ? opts->top : n;
}

static struct json_object *pairs(const struct ct_summary *s, const struct ct_report_opts *opts)
{
	const struct ct_contention *c = s->contention;
	struct json_object *list = json_object_new_array();
	size_t i, n = rows_of(opts, c->nr_pairs);

	for (i = 0; i < n; i++) {
		const struct ct_met_pair *it = &c->pairs[i];
		struct json_object *o = json_object_new_object(), *both = json_object_new_array();

		json_object_array_add(both, process(s, it->a));
		if (it->b != it->a)
			json_object_array_add(both, process(s, it->b));
		add(o, "processes", both);
		add_number(o, "pairs", it->pairs);
		add_number(o, "both_copied", it->both_copied);
		add_number(o, "one_reused", it->one_reused);
		add_number(o, "one_lost", it->one_lost);
		json_object_array_add(list, o);
	}
	return list;
}

static void add_place(struct json_object *o, const struct ct_met_place *it)
{
	add_number(o, "faults", it->faults);
	add_number(o, "copies", it->copies);
	add_number(o, "raced", it->raced);
	add_number(o, "time_ns", it->ns);
}

static struct json_object *pages(const struct ct_summary *s, const struct ct_report_opts *opts)
{
	const struct ct_contention *c = s->contention;
	struct json_object *list = json_object_new_array();
	size_t i, n = rows_of(opts, c->nr_pages);

	for (i = 0; i < n; i++) {
		struct json_object *o = process(s, c->pages[i].process);

		add_number(o, "address", c->pages[i].address);
		add_place(o, &c->pages[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *sites(const struct ct_summary *s, const struct ct_report_opts *opts)
{
	const struct ct_contention *c = s->contention;
	struct json_object *list = json_object_new_array();
	size_t i, n = rows_of(opts, c->nr_sites);

	for (i = 0; i < n; i++) {
		const struct ct_site *site = &s->sites.list[c->sites[i].site];
		struct json_object *o = json_object_new_object();

		if (site->object == CT_MAP_NONE) {
			add_number(o, "address", site->offset);
		} else {
			add_text(o, "object",
				 ct_processes_object(s->processes, site->object)->path);
			add_number(o, "file_offset", site->offset);
			add_text(o, "symbol", site->symbol);
		}
		add_place(o, &c->sites[i]);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *contention_json(const struct ct_report *r, const struct ct_report_opts *opts)
{
	const struct ct_contention *c = r->summary->contention;
	struct json_object *o = json_object_new_object();

	add_number(o, "groups", c->groups);
	add_number(o, "one_entry", c->one_entry);
	add_number(o, "faults", c->faults);
	add_number(o, "time_ns", c->ns);
	add_number(o, "largest", c->largest);
	add_number(o, "touching", c->touching);
	add_number(o, "early", c->early);
	add_number(o, "crowded", c->crowded);
	add_number(o, "beside_copy", c->beside_copy);
	add(o, "meetings", meetings(c));
	add(o, "lost", lost_races(c, r->schema->page_size));
	add(o, "last_copies", last_copies(c, r->schema->page_size));
	add(o, "page_lock", page_lock(r));
	add(o, "kinds", kinds(r));
	add(o, "pairs", pairs(r->summary, opts));
	add(o, "pages", pages(r->summary, opts));
	add_number(o, "pages_missing", c->pages_missing);
	add(o, "sites", sites(r->summary, opts));
	return o;
}
