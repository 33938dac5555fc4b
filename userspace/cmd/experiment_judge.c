// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "experiment_parts.h"
#include "schema.h"

/* The faults of one page in one step. */
struct page {
	unsigned int	n;
	uint64_t	time[CT_EXP_FAULTS];
	struct ct_exp_fault fault[CT_EXP_FAULTS];
};

static const char *const verdicts[] = {
#define NAME_(id, n, s)	n,
	CT_VERDICTS(NAME_)
};

const char *ct_verdict_name(enum ct_verdict verdict)
{
	return verdicts[verdict];
}

char *ct_observed_text(const struct ct_observed *o, char *to, size_t size)
{
	size_t used = 0;
	unsigned int i;

	snprintf(to, size, "%s", *o->scan ? o->scan : "none");
	for (i = 0; i < o->n && i < CT_EXP_FAULTS && used < size; i++) {
		const struct ct_exp_fault *f = &o->fault[i];

		used += snprintf(to + used, size - used, "%s%s", i ? "+" : "",
				 ct_exp_outcome(f->outcome));
		if (f->reason != COWTRACE_REASON_NONE && used < size)
			used += snprintf(to + used, size - used, ":%s", ct_exp_reason(f->reason));
	}
	if (o->n > CT_EXP_FAULTS && used < size)
		snprintf(to + used, size - used, "+%u more", o->n - CT_EXP_FAULTS);
	return to;
}

/* Records come in the order in which they ended. */
static void add_fault(struct page *page, const struct cowtrace_record *r)
{
	unsigned int at = page->n < CT_EXP_FAULTS ? page->n : CT_EXP_FAULTS;

	page->n++;
	for (; at && page->time[at - 1] > r->time_ns; at--) {
		if (at == CT_EXP_FAULTS)
			continue;
		page->time[at] = page->time[at - 1];
		page->fault[at] = page->fault[at - 1];
	}
	if (at == CT_EXP_FAULTS)
		return;
	page->time[at] = r->time_ns;
	page->fault[at] = (struct ct_exp_fault) {
		r->outcome < COWTRACE_NR_OUTCOMES ? r->outcome : COWTRACE_OUTCOME_UNKNOWN,
		r->reason < COWTRACE_NR_REASONS ? r->reason : COWTRACE_REASON_NONE,
	};
}

/* Parts of one step share their pages where they share their area. */
static const struct ct_stage_part *first_of_area(const struct ct_exp_step *s,
						 const struct ct_experiment *e,
						 const struct ct_stage_step *log, unsigned int i,
						 unsigned int *before)
{
	unsigned int k;

	*before = 0;
	for (k = 0; k < i; k++) {
		if (e->op[s->first + k].area == e->op[s->first + i].area)
			return &log->part[k];
		*before += log->part[k].count;
	}
	return &log->part[i];
}

static unsigned int pages_of(const struct ct_experiment *e, const struct ct_exp_step *s,
			     const struct ct_stage_step *log)
{
	unsigned int i, before, n = 0;

	for (i = 0; i < s->n; i++)
		if (first_of_area(s, e, log, i, &before) == &log->part[i])
			n += log->part[i].count;
	return n;
}

/* Steps follow one another, so that a record belongs to at most one. */
static bool belongs(const struct ct_stage_part *part, const struct cowtrace_record *r)
{
	return r->tgid == part->tgid && r->address >= part->base &&
	       r->address < part->base + part->bytes;
}

static void sort_record(const struct ct_experiment *e, const struct ct_exp_step *s,
			const struct ct_stage_step *log, struct page *pages,
			struct ct_step_result *result, const struct cowtrace_record *r)
{
	unsigned int i, before;

	for (i = 0; i < s->n; i++) {
		const struct ct_stage_part *part = &log->part[i];

		if (!belongs(part, r))
			continue;
		part = first_of_area(s, e, log, i, &before);
		add_fault(&pages[before + (r->address - part->base) / part->grain], r);
		result->faults++;
		result->ns += r->duration_ns;
		return;
	}
}

static bool same(const struct ct_observed *o, const struct page *page)
{
	unsigned int i;

	if (o->n != page->n)
		return false;
	for (i = 0; i < page->n && i < CT_EXP_FAULTS; i++)
		if (o->fault[i].outcome != page->fault[i].outcome ||
		    o->fault[i].reason != page->fault[i].reason)
			return false;
	return true;
}

static void count_page(struct ct_step_result *result, const struct page *page)
{
	struct ct_observed *o = result->observed;
	unsigned int i;

	for (i = 0; i < result->nr_observed && !same(&o[i], page); i++)
		;
	if (i == CT_OBSERVED)
		i--;
	if (i == result->nr_observed) {
		o[i].n = page->n;
		memcpy(o[i].fault, page->fault, sizeof(o[i].fault));
		result->nr_observed++;
	}
	o[i].pages++;
}

static int by_pages(const void *a, const void *b)
{
	const struct ct_observed *x = a, *y = b;

	return (x->pages < y->pages) - (x->pages > y->pages);
}

/* @code: how the experiment ended. */
static enum ct_verdict judge_step(const struct ct_exp_run *run, const struct ct_exp_step *s,
				  const struct ct_stage_step *log, int code,
				  const struct page *pages, unsigned int n, bool is_scan,
				  struct ct_step_result *result)
{
	const struct ct_exp_answer *answer = &s->answer[run->kernel];
	unsigned int i;

	if (is_scan && log->state == CT_STAGE_DONE)
		return ct_experiments_judge_scan(run, s, &log->part[0], result);
	result->pages = n;
	for (i = 0; i < n; i++) {
		count_page(result, &pages[i]);
		result->unexpected += answer->absent || pages[i].n > CT_EXP_FAULTS ||
				      !ct_exp_matches(answer, pages[i].fault, pages[i].n);
	}
	qsort(result->observed, result->nr_observed, sizeof(*result->observed), by_pages);
	if (log->state != CT_STAGE_DONE)
		return answer->absent && (code == -ENOSYS || code == -EOPNOTSUPP) ?
		       CT_VERDICT_ABSENT : CT_VERDICT_DIFFERENT;
	if (!result->unexpected)
		return CT_VERDICT_EXPECTED;
	return run->lost || !run->exact ? CT_VERDICT_UNKNOWN : CT_VERDICT_DIFFERENT;
}

/* The pages of one step, and what they have seen. */
struct watch {
	const struct ct_experiment	*e;
	const struct ct_exp_step	*s;
	const struct ct_stage_step	*log;
	struct ct_step_result		*result;
	struct page			*pages;
	unsigned int			n;
};

static int watch_step(struct ct_exp_run *run, size_t e, unsigned int s, struct watch *w)
{
	w->e = &run->all->list[e];
	w->s = &w->e->step[s];
	w->log = &run->log[e].step[s];
	w->result = &run->result[e].step[s];
	w->n = w->log->state == CT_STAGE_DONE ? pages_of(w->e, w->s, w->log) : 0;
	w->pages = calloc(w->n + 1, sizeof(*w->pages));
	return w->pages ? 0 : -ENOMEM;
}

/* All steps in one pass; what is missing in the trace is known at its end. */
static void read_trace(struct ct_exp_run *run, const struct watch *watches, size_t nr,
		       struct ct_reader *reader)
{
	struct ct_event event;
	size_t i;

	while (ct_reader_next(reader, &event))
		for (i = 0; i < nr; i++) {
			const struct watch *w = &watches[i];

			if (w->n && event.record->time_ns >= w->log->began &&
			    event.record->time_ns <= w->log->ended)
				sort_record(w->e, w->s, w->log, w->pages, w->result, event.record);
		}
	run->lost += ct_reader_info(reader)->lost;
}

static void judge(struct ct_exp_run *run, size_t e, const struct watch *watches)
{
	const struct ct_stage_log *log = &run->log[e];
	struct ct_exp_result *result = &run->result[e];
	unsigned int s;

	result->verdict = CT_VERDICT_EXPECTED;
	result->text = log->text;
	for (s = 0; s < run->all->list[e].nr_steps; s++) {
		struct ct_step_result *step = &result->step[s];

		step->verdict = judge_step(run, watches[s].s, watches[s].log, log->code,
					   watches[s].pages, watches[s].n,
					   ct_exp_is_scan(&run->all->list[e], watches[s].s), step);
		if (log->state == CT_STAGE_UNSEEN)
			step->verdict = CT_VERDICT_UNSEEN;
		else if (log->step[s].state != CT_STAGE_DONE &&
			 (log->state == CT_STAGE_REFUSED || log->state == CT_STAGE_WAITING))
			step->verdict = CT_VERDICT_SKIPPED;
		if (step->verdict > result->verdict)
			result->verdict = step->verdict;
		run->steps[step->verdict]++;
	}
	/* What failed after the last step, such as to put a setting back. */
	if (log->state == CT_STAGE_FAILED && result->verdict == CT_VERDICT_EXPECTED)
		result->verdict = CT_VERDICT_DIFFERENT;
	run->total[result->verdict]++;
}

/* @watches: room for all steps. */
static int judge_all(struct ct_exp_run *run, struct watch *watches, size_t *nr,
		     struct ct_reader *reader)
{
	const struct watch *next = watches;
	unsigned int s;
	size_t e;
	int ret = 0;

	for (e = 0; e < run->all->n; e++)
		for (s = 0; !ret && s < run->all->list[e].nr_steps; s++)
			ret = watch_step(run, e, s, &watches[(*nr)++]);
	if (ret)
		return ret;
	read_trace(run, watches, *nr, reader);
	ret = ct_experiments_scans(run, reader);
	if (ret)
		return ret;
	for (e = 0; e < run->all->n; e++) {
		judge(run, e, next);
		next += run->all->list[e].nr_steps;
	}
	return 0;
}

/* 6.12 for 6.12.3 and 6.12-rc1, not for 6.1. */
static bool of_series(const char *release, const char *series)
{
	size_t n = strlen(series);

	return !strncmp(release, series, n) && !isdigit((unsigned char)release[n]);
}

int ct_experiments_judge(struct ct_exp_run *run, struct ct_reader *reader, struct ct_error *err)
{
	const struct ct_schema *schema = ct_reader_schema(reader);
	struct watch *watches = calloc(run->all->n * CT_EXP_STEPS + 1, sizeof(*watches));
	size_t nr = 0;
	int ret;

	run->kernel = ct_exp_kernel(schema->traits);
	snprintf(run->release, sizeof(run->release), "%s", schema->kernel ? schema->kernel : "?");
	snprintf(run->backend, sizeof(run->backend), "%s", schema->backend ? schema->backend : "?");
	run->exact = of_series(run->release, ct_exp_kernel_name(run->kernel));
	run->result = calloc(run->all->n + 1, sizeof(*run->result));
	ret = run->result && watches ? judge_all(run, watches, &nr, reader) : -ENOMEM;
	while (nr)
		free(watches[--nr].pages);
	free(watches);
	return ret ? ct_error_set(err, ret, "no memory to judge the experiments") : 0;
}
