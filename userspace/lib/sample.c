// SPDX-License-Identifier: GPL-2.0
#include "sample.h"

#include <math.h>
#include <stdlib.h>

#include "meta.h"

/* As unlikely as one in two millions. */
#define CHANGED_ERRORS	5

static uint64_t setting(struct json_object *meta)
{
	return strtoull(ct_meta_text(meta, "settings", "sample_every") ?: "", NULL, 10);
}

/* Is the number of those recorded one that such a setting can bring about? */
static bool changed(const struct ct_sample *s)
{
	double p = 1.0 / s->every, off = s->recorded - s->all * p;

	return off * off > CHANGED_ERRORS * CHANGED_ERRORS * s->all * p * (1 - p);
}

void ct_sample_read(struct ct_sample *s, const struct ct_state *state, struct json_object *meta)
{
	uint64_t left_out = 0;

	*s = (struct ct_sample){ .every = setting(meta), .factor = 1 };
	if (ct_state_number(state, "stats", "sampled_out", &left_out) &&
	    ct_state_number(state, "stats", "handed_on", &s->recorded)) {
		s->all = s->recorded + left_out;
		if (s->recorded)
			s->factor = (double)s->all / s->recorded;
		s->changed = s->every && changed(s);
	} else if (s->every > 1) {
		/* A trace without end: what was asked for is all that is known. */
		s->factor = s->every;
	}
}

double ct_sample_error(const struct ct_sample *s, uint64_t estimate)
{
	double others = 1;

	if (s->all)
		others = estimate < s->all ? 1 - (double)estimate / s->all : 0;
	return sqrt(estimate * others * (s->factor - 1));
}

/* --- estimates ----------------------------------------------------------------- */

static void scale(const struct ct_sample *s, uint64_t *n)
{
	double estimate = *n * s->factor;

	/* A damaged trace may have any number. */
	*n = estimate < 0x1p63 ? (uint64_t)(estimate + 0.5) : UINT64_MAX;
}

static void scale_count(const struct ct_sample *s, struct ct_count *c)
{
	scale(s, &c->faults);
	scale(s, &c->copies);
	scale(s, &c->reuses);
	scale(s, &c->splits);
	scale(s, &c->bytes);
	scale(s, &c->ns);
	scale(s, &c->copy_ns);
}

static void scale_time(const struct ct_sample *s, struct ct_histogram *h)
{
	unsigned int i;

	scale(s, &h->count);
	scale(s, &h->sum);
	for (i = 0; i < CT_HISTOGRAM_BUCKETS; i++)
		scale(s, &h->bucket[i]);
}

static void scale_held(const struct ct_sample *s, struct ct_held *held)
{
	scale(s, &held->known);
	scale(s, &held->large);
	scale(s, &held->total);
	scale(s, &held->mappings);
	scale(s, &held->swapcache);
	scale(s, &held->pagecache);
	scale(s, &held->lru);
	scale(s, &held->pins);
	scale(s, &held->fault);
	scale(s, &held->unattributed);
}

static void scale_counts(const struct ct_sample *s, struct ct_counts *c)
{
	scale_count(s, &c->others);
	for (size_t i = 0; i < c->nr_pairs; i++) {
		uint64_t *answer = c->pairs[i].answers[0];

		scale(s, &c->pairs[i].faults);
		for (size_t k = 0; k < COWTRACE_NR_POLICIES * COWTRACE_NR_ANSWERS; k++)
			scale(s, &answer[k]);
	}
}

void ct_sample_summary(const struct ct_sample *s, struct ct_summary *sum)
{
	size_t i;

	if (!ct_sampled(s))
		return;
	scale_count(s, &sum->total);
	scale_count(s, &sum->after_split);
	scale(s, &sum->no_ip);
	for (i = 0; i < 256; i++) {
		scale_count(s, &sum->outcomes[i]);
		scale_count(s, &sum->origins[i]);
		scale_count(s, &sum->kinds[i]);
		scale_count(s, &sum->paths[i]);
		if (sum->outcome_time[i])
			scale_time(s, sum->outcome_time[i]);
	}
	for (i = 0; i < sum->nr_pairs; i++) {
		scale(s, &sum->pairs[i].bytes);
		scale_held(s, &sum->pairs[i].held);
		scale_time(s, &sum->pairs[i].time);
	}
	for (i = 0; i < sum->nr_processes; i++)
		scale_count(s, &sum->by_process[i].count);
	if (sum->counts)
		scale_counts(s, sum->counts);
	for (i = 0; i < sum->nr_sites; i++)
		scale_count(s, &sum->by_site[i].count);
	for (i = 0; i < sum->nr_doubts; i++)
		scale(s, &sum->doubts[i].faults);
	for (i = 0; i < sizeof(sum->evidence) / sizeof(*sum->evidence); i++)
		scale(s, &sum->evidence[i]);
}

void ct_sample_forks(const struct ct_sample *s, struct ct_forks *f)
{
	size_t i;

	if (!ct_sampled(s))
		return;
	scale_count(s, &f->total);
	for (i = 0; i < CT_NR_FORK_CAUSES; i++)
		scale_count(s, &f->causes[i]);
	for (i = 0; i < f->nr; i++) {
		scale_count(s, &f->list[i].total);
		scale_count(s, &f->list[i].by_parent);
		scale_count(s, &f->list[i].by_child);
		scale_count(s, &f->list[i].after);
		scale_count(s, &f->list[i].unsettled);
	}
	for (i = 0; i < f->nr_reasons; i++)
		scale_count(s, &f->reasons[i].count);
	for (i = 0; i < f->nr_by_site; i++)
		scale_count(s, &f->by_site[i].count);
}

static void scale_shares(const struct ct_sample *s, struct ct_whatif_shares *shares)
{
	size_t i;

	scale(s, &shares->over);
	for (i = 0; i < shares->nr; i++)
		scale(s, &shares->list[i].faults);
}

void ct_sample_whatif(const struct ct_sample *s, struct ct_whatif *w)
{
	size_t i, bit;

	if (!ct_sampled(s))
		return;
	scale(s, &w->total);
	scale_shares(s, &w->by_process);
	scale_shares(s, &w->by_site);
	for (i = 0; i < w->nr; i++) {
		struct ct_whatif_pattern *p = &w->list[i];

		scale(s, &p->faults);
		scale(s, &p->ns);
		scale(s, &p->copied);
		scale(s, &p->bytes);
		for (bit = 0; bit < sizeof(p->flagged) / sizeof(*p->flagged); bit++)
			scale(s, &p->flagged[bit]);
	}
}

void ct_sample_timeline(const struct ct_sample *s, struct ct_timeline *t)
{
	size_t i;

	for (i = 0; ct_sampled(s) && i < t->nr; i++)
		scale_count(s, &ct_timeline_bin(t, i)->count);
}
