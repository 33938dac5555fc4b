// SPDX-License-Identifier: GPL-2.0
/* The report for programs: every table, all numbers in ns, bytes and counts. */
#include "group_view.h"
#include "json.h"
#include "report_contention.h"
#include "report_folios.h"
#include "report_policies.h"

static struct json_object *durations(const struct ct_histogram *h)
{
	struct json_object *o = json_object_new_object(), *buckets = json_object_new_array();
	unsigned int i;

	add_number(o, "sum_ns", h->sum);
	add_number(o, "p50_ns", ct_histogram_percentile(h, 50));
	add_number(o, "p99_ns", ct_histogram_percentile(h, 99));
	add_number(o, "max_ns", h->max);
	for (i = 0; i < CT_HISTOGRAM_BUCKETS; i++) {
		struct json_object *bucket;

		if (!h->bucket[i])
			continue;
		bucket = json_object_new_object();
		add_number(bucket, "up_to_ns", ct_histogram_limit(i));
		add_number(bucket, "faults", h->bucket[i]);
		json_object_array_add(buckets, bucket);
	}
	add(o, "histogram", buckets);
	return o;
}

/* What there is of them: NULL without a clock, the sum alone without powers of two. */
static struct json_object *counted_durations(const struct ct_summary *s,
					     const struct ct_histogram *h)
{
	struct json_object *o;

	if (!s->counts || s->counts->durations)
		return durations(h);
	if (!s->counts->timed)
		return NULL;
	o = json_object_new_object();
	add_number(o, "sum_ns", h->sum);
	return o;
}

/* As add_count(), but without the times that no clock was read for. */
static void add_counted(struct json_object *o, const struct ct_summary *s,
			const struct ct_count *c)
{
	add_count(o, c);
	if (!s->counts || s->counts->timed)
		return;
	add(o, "time_ns", NULL);
	add(o, "copy_time_ns", NULL);
}

/* Of faults that were counted and not recorded. */
static struct json_object *counted_faults(const struct ct_report *r)
{
	struct json_object *o = json_object_new_object();
	const struct ct_summary *s = r->summary;

	add_counted(o, s, &s->total);
	/* For how long is known only to whoever switched it on and off. */
	add(o, "elapsed_ns", s->last_ns ? json_object_new_uint64(s->last_ns) : NULL);
	add(o, "running", json_object_new_boolean(ct_report_running(r)));
	if (!s->counts->by_process)
		return o;
	add_number(o, "processes", s->nr_processes);
	return o;
}

static struct json_object *faults(const struct ct_summary *s)
{
	struct json_object *o = json_object_new_object(), *after = json_object_new_object();

	add_count(after, &s->after_split);
	add_count(o, &s->total);
	add_number(o, "first_ns", s->first_ns);
	add_number(o, "last_ns", s->last_ns);
	add_number(o, "processes", s->nr_processes);
	add_number(o, "sites", s->nr_sites);
	add_number(o, "without_ip", s->no_ip);
	add_number(o, "unstable", ct_summary_flagged(s, COWTRACE_EV_UNSTABLE));
	add_number(o, "shifted", ct_summary_flagged(s, COWTRACE_EV_SHIFTED));
	add(o, "after_split", after);
	return o;
}

static struct json_object *words(const struct ct_report *r, const char *vocab,
				 const struct ct_count *counts,
				 struct ct_histogram * const *times)
{
	struct json_object *rows = json_object_new_array(), *o;
	int i;

	for (i = 0; i < 256; i++) {
		if (!counts[i].faults)
			continue;
		o = json_object_new_object();
		add_text(o, vocab, ct_report_word(r, vocab, i));
		add_text(o, "sentence", ct_report_sentence(r, vocab, i));
		add_counted(o, r->summary, &counts[i]);
		add_error(o, &r->sample, counts[i].faults);
		if (times)
			add(o, "duration", counted_durations(r->summary, times[i]));
		json_object_array_add(rows, o);
	}
	return rows;
}

/* Each flag with the faults that have it. */
static struct json_object *evidence(const struct ct_report *r)
{
	struct json_object *rows = json_object_new_array(), *o;
	int bit;

	for (bit = 0; bit < 16; bit++) {
		if (!r->summary->evidence[bit])
			continue;
		o = json_object_new_object();
		add_text(o, "evidence", ct_report_word(r, "evidence", 1u << bit));
		add_text(o, "sentence", ct_report_sentence(r, "evidence", 1u << bit));
		add_number(o, "faults", r->summary->evidence[bit]);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *doubts(const struct ct_report *r)
{
	struct json_object *rows = json_object_new_array();
	size_t i;

	for (i = 0; i < r->summary->nr_doubts; i++) {
		const struct ct_doubt *d = &r->summary->doubts[i];
		struct json_object *o = json_object_new_object(), *names = json_object_new_array();
		const char *name;
		uint32_t bit;

		for (bit = 1; bit <= d->evidence; bit <<= 1) {
			if (!(d->evidence & bit))
				continue;
			name = ct_report_word(r, "evidence", bit);
			json_object_array_add(names, json_object_new_string(name));
		}
		add_text(o, "outcome", ct_report_word(r, "outcome", d->outcome));
		add_text(o, "path", ct_report_word(r, "path", d->path));
		add(o, "evidence", names);
		add_number(o, "faults", d->faults);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *held(const struct ct_held *h)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "pages", h->known);
	add_number(o, "large", h->large);
	add_number(o, "total", h->total);
	add_number(o, "mappings", h->mappings);
	add_number(o, "swapcache", h->swapcache);
	add_number(o, "pagecache", h->pagecache);
	add_number(o, "lru", h->lru);
	add_number(o, "pins", h->pins);
	add_number(o, "fault", h->fault);
	add_number(o, "unattributed", h->unattributed);
	return o;
}

static struct json_object *reasons(const struct ct_report *r)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_summary *s = r->summary;
	size_t i;

	for (i = 0; i < s->nr_pairs; i++) {
		const struct ct_pair *pair = &s->pairs[i];
		struct json_object *o = json_object_new_object();

		add_text(o, "outcome", ct_report_word(r, "outcome", pair->outcome));
		add_text(o, "reason", ct_report_word(r, "reason", pair->reason));
		add_text(o, "sentence", ct_report_sentence(r, "reason", pair->reason));
		add_number(o, "faults", pair->time.count);
		add_error(o, &r->sample, pair->time.count);
		add_number(o, "bytes_copied", pair->bytes);
		add(o, "duration", counted_durations(s, &pair->time));
		add(o, "held", pair->held.known ? held(&pair->held) : NULL);
		json_object_array_add(rows, o);
	}
	return rows;
}

static size_t rows_of(const struct ct_report_opts *opts, size_t n)
{
	return opts->top && opts->top < n ? opts->top : n;
}

static struct json_object *processes(const struct ct_report *r, const struct ct_report_opts *opts)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_summary *s = r->summary;
	size_t i, n = rows_of(opts, s->nr_processes);

	for (i = 0; i < n; i++) {
		const struct ct_process_count *it = &s->by_process[i];
		struct json_object *o = json_object_new_object();
		uint32_t parent = CT_MAP_NONE;

		add_number(o, "pid", it->tgid);
		add_text(o, "comm", it->comm);
		if (it->process != CT_MAP_NONE) {
			const struct ct_process *p = ct_processes_get(s->processes, it->process);

			parent = p->parent;
			add_number(o, "children", p->children);
			add_number(o, "start_ns", p->start);
		}
		if (parent != CT_MAP_NONE)
			add_number(o, "parent", ct_processes_get(s->processes, parent)->tgid);
		if (s->counts)
			add(o, "at_least", json_object_new_boolean(it->at_least));
		add_counted(o, s, &it->count);
		/* A sum by process is not counted. */
		if (s->counts)
			json_object_object_del(o, "copy_time_ns");
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *others(const struct ct_summary *s)
{
	struct json_object *o = json_object_new_object();

	add_counted(o, s, &s->counts->others);
	json_object_object_del(o, "copy_time_ns");
	return o;
}

static struct json_object *sites(const struct ct_report *r, const struct ct_report_opts *opts)
{
	struct json_object *rows = json_object_new_array();
	const struct ct_summary *s = r->summary;
	size_t i, n = rows_of(opts, s->nr_sites);

	for (i = 0; i < n; i++)
		json_object_array_add(rows, json_site(s->processes, &s->by_site[i].place,
						      &s->by_site[i].count));
	return rows;
}

int ct_report_json(FILE *out, const struct ct_report *r, const struct ct_report_opts *opts)
{
	const struct ct_summary *s = r->summary;
	struct json_object *o = json_object_new_object();

	add_text(o, "report", CT_REPORT_VERSION);
	add(o, "trace", json_trace(r));
	add_text(o, "mode", s->counts ? "counts" : "records");
	add(o, "faults", s->counts ? counted_faults(r) : faults(s));
	add(o, "outcomes", words(r, "outcome", s->outcomes, s->outcome_time));
	add(o, "reasons", reasons(r));
	if (s->counts) {
		add(o, "processes", s->counts->by_process ? processes(r, opts) : NULL);
		add(o, "others", s->counts->by_process ? others(s) : NULL);
		add(o, "policies", policies_json(r));
		add(o, "lost", json_lost(r, s->processes));
		add(o, "damage", json_damage(r->info));
		return json_print(out, o);
	}
	add(o, "origins", words(r, "origin", s->origins, NULL));
	add(o, "kinds", words(r, "kind", s->kinds, NULL));
	add(o, "paths", words(r, "path", s->paths, NULL));
	add(o, "evidence", evidence(r));
	add(o, "doubts", doubts(r));
	add(o, "processes", processes(r, opts));
	add(o, "sites", sites(r, opts));
	add(o, "large_folios", folios_json(r));
	add(o, "groups", groups_json(r));
	add(o, "contention", contention_json(r, opts));
	add(o, "lost", json_lost(r, s->processes));
	add(o, "damage", json_damage(r->info));
	return json_print(out, o);
}
