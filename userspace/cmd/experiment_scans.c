// SPDX-License-Identifier: GPL-2.0
/* Steps that let khugepaged scan a range: what it did, and what that meant for memory. */
#include <stdio.h>
#include <string.h>

#include "experiment_parts.h"
#include "schema.h"

const char * const ct_consequence_names[] = {
#define NAME_(id, n, s)	n,
	CT_CONSEQUENCES(NAME_)
};

const char * const ct_consequence_sentences[] = {
#define SENTENCE_(id, n, s)	s,
	CT_CONSEQUENCES(SENTENCE_)
};

struct search {
	struct ct_exp_run	*run;
	const struct ct_state	*state;
	uint64_t		page_size;
};

/*
 * The first scan of the range that found a page table decides: what was collapsed is
 * found as a huge page by the next.
 */
static void match(struct ct_exp_run *run, size_t e, unsigned int s, uint64_t time_ns,
		  const struct ct_khuge_scan *scan)
{
	const struct ct_stage_step *log = &run->log[e].step[s];
	struct ct_scan_result *result = &run->result[e].step[s].scan;

	if (!ct_exp_is_scan(&run->all->list[e], &run->all->list[e].step[s]) ||
	    log->state != CT_STAGE_DONE || result->scan.seq || scan->madvise)
		return;
	if (time_ns >= log->began && time_ns <= log->ended && scan->address == log->part[0].base &&
	    scan->owner == log->part[0].tgid && !strcmp(scan->table, "pte"))
		result->scan = *scan;
}

static int take(void *arg, const struct ct_group_event *event)
{
	const struct search *search = arg;
	struct ct_exp_run *run = search->run;
	struct ct_khuge_scan scan;
	unsigned int s;
	size_t e;

	ct_khuge_read(event, search->state, search->page_size, &scan);
	for (e = 0; e < run->all->n; e++)
		for (s = 0; s < run->all->list[e].nr_steps; s++)
			match(run, e, s, event->time_ns, &scan);
	return 0;
}

int ct_experiments_scans(struct ct_exp_run *run, struct ct_reader *reader)
{
	struct ct_group_info info;
	struct ct_state state;
	struct search search = { run, &state, ct_reader_schema(reader)->page_size };
	int ret = ct_state_load(reader, &state);

	if (ret)
		return ret;
	ret = ct_group_walk(reader, CT_KHUGE_GROUP, &info, take, &search);
	run->lost += info.lost;
	ct_state_free(&state);
	return ret;
}

static void weigh(struct ct_scan_result *r, const struct ct_stage_part *part)
{
	bool over = r->shared > r->limit;

	if (over) {
		r->consequence = r->scan.collapsed ? CT_CONSEQUENCE_WASTED : CT_CONSEQUENCE_SAVED;
		r->copied_bytes = (uint64_t)part->shared * 4096;
		r->filled_bytes = (uint64_t)part->none * 4096;
	} else if (!strcmp(r->scan.verdict, "exceed_shared_pte")) {
		r->consequence = CT_CONSEQUENCE_MISSED;
		r->missed_bytes = part->bytes;
	}
}

/* What was read of the whole range must be what /proc/kpagecount says of it. */
static bool agrees(const struct ct_khuge_scan *scan, const struct ct_stage_part *part)
{
	return !scan->before || scan->shared[CT_ESTIMATE_PRECISE] < 0 ||
	       scan->shared[CT_ESTIMATE_PRECISE] == part->shared;
}

enum ct_verdict ct_experiments_judge_scan(const struct ct_exp_run *run,
					  const struct ct_exp_step *step,
					  const struct ct_stage_part *part,
					  struct ct_step_result *result)
{
	const struct ct_exp_answer *answer = &step->answer[run->kernel];
	struct ct_scan_result *r = &result->scan;
	struct ct_observed *o = &result->observed[0];

	result->pages = 1;
	result->nr_observed = 1;
	o->pages = 1;
	if (!r->scan.seq) {
		snprintf(o->scan, sizeof(o->scan), "not scanned");
	} else {
		ct_exp_scan_text(&r->scan, o->scan, sizeof(o->scan));
		r->shared = part->shared;
		r->limit = r->scan.max_shared < 0 ? 0 : r->scan.max_shared;
		weigh(r, part);
	}
	result->unexpected = answer->absent || !ct_exp_scan_matches(answer, &r->scan) ||
			     !agrees(&r->scan, part);
	if (!result->unexpected)
		return CT_VERDICT_EXPECTED;
	return run->lost || !run->exact ? CT_VERDICT_UNKNOWN : CT_VERDICT_DIFFERENT;
}
