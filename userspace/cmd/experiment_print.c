// SPDX-License-Identifier: GPL-2.0
/* A run of experiments as text and as JSON. */
#include <string.h>

#include "experiment_parts.h"
#include "json.h"
#include "report_khugepaged.h"
#include "units.h"
#include "version.h"

static const char *const sentences[] = {
#define SENTENCE_(id, n, s)	s,
	CT_VERDICTS(SENTENCE_)
};

static void print_observed(FILE *out, const struct ct_step_result *r)
{
	char text[CT_EXP_TEXT], count[CT_UNIT_TEXT];
	unsigned int i;

	for (i = 0; i < r->nr_observed; i++)
		fprintf(out, "%s%s on %s", i ? ", " : "",
			ct_observed_text(&r->observed[i], text, sizeof(text)),
			ct_format_count(count, r->observed[i].pages));
	fprintf(out, " %s%s\n", *r->observed[0].scan ? "range" : "page", r->pages == 1 ? "" : "s");
}

static void print_consequence(FILE *out, const struct ct_scan_result *r)
{
	const char *word = ct_consequence_names[r->consequence];

	fprintf(out, "  %-12s %-9s %u pages that others map, by /proc/kpagecount; max_ptes_shared was %u\n",
		"", "precise", r->shared, r->limit);
	if (r->consequence == CT_CONSEQUENCE_WASTED || r->consequence == CT_CONSEQUENCE_SAVED)
		fprintf(out, "  %-12s %-9s %llu KiB: %llu KiB of copies, %llu KiB where nothing was mapped; %s\n",
			"", word, (unsigned long long)(r->copied_bytes + r->filled_bytes) >> 10,
			(unsigned long long)r->copied_bytes >> 10,
			(unsigned long long)r->filled_bytes >> 10,
			ct_consequence_sentences[r->consequence]);
	else if (r->consequence == CT_CONSEQUENCE_MISSED)
		fprintf(out, "  %-12s %-9s %llu KiB without a huge page: %s\n", "", word,
			(unsigned long long)r->missed_bytes >> 10,
			ct_consequence_sentences[r->consequence]);
}

static void print_step(FILE *out, const struct ct_exp_run *run, const struct ct_exp_step *s,
		       const struct ct_step_result *r)
{
	const struct ct_exp_answer *answer = &s->answer[run->kernel];

	if (r->verdict == CT_VERDICT_SKIPPED || r->verdict == CT_VERDICT_ABSENT ||
	    r->verdict == CT_VERDICT_UNSEEN)
		return;
	fprintf(out, "  %-12s %-9s ", s->name, ct_verdict_name(r->verdict));
	if (r->pages)
		print_observed(out, r);
	else
		fprintf(out, "was not reached\n");
	if (r->verdict != CT_VERDICT_EXPECTED)
		fprintf(out, "  %-12s %-9s %s\n", "", "must be", answer->text);
	fprintf(out, "  %-12s %-9s %s\n", "", "because", answer->why);
	if (r->scan.scan.seq)
		print_consequence(out, &r->scan);
}

static const char *absent_why(const struct ct_exp_run *run, size_t e)
{
	const struct ct_experiment *exp = &run->all->list[e];
	unsigned int s;

	for (s = 0; s < exp->nr_steps; s++)
		if (run->result[e].step[s].verdict == CT_VERDICT_ABSENT)
			return exp->step[s].answer[run->kernel].why;
	return "";
}

static void print_experiment(FILE *out, const struct ct_exp_run *run, size_t e)
{
	const struct ct_experiment *exp = &run->all->list[e];
	const struct ct_exp_result *r = &run->result[e];
	unsigned int s;

	fprintf(out, "%s: %s\n", exp->name, exp->title);
	for (s = 0; s < exp->nr_steps; s++)
		print_step(out, run, &exp->step[s], &r->step[s]);
	if (r->verdict == CT_VERDICT_SKIPPED)
		fprintf(out, "  skipped: %s\n", *r->text ? r->text : "the run was interrupted");
	else if (r->verdict == CT_VERDICT_UNSEEN)
		fprintf(out, "  unseen: %s\n", r->text);
	else if (r->verdict == CT_VERDICT_ABSENT)
		fprintf(out, "  absent: %s (%s)\n", absent_why(run, e), r->text);
	else if (*r->text)
		fprintf(out, "  failed: %s\n", r->text);
	fputc('\n', out);
}

static void print_total(FILE *out, const uint64_t *total, const char *what)
{
	char count[CT_UNIT_TEXT];
	bool first = true;
	unsigned int v;

	for (v = 0; v < CT_NR_VERDICTS; v++) {
		if (!total[v] && v != CT_VERDICT_EXPECTED)
			continue;
		fprintf(out, "%s%s%s %s", first ? "" : ", ", ct_format_count(count, total[v]),
			first ? what : "", v == CT_VERDICT_EXPECTED ? "as expected" :
			ct_verdict_name(v));
		first = false;
	}
	fputc('\n', out);
}

void ct_experiments_text(FILE *out, const struct ct_exp_run *run)
{
	size_t e;

	fprintf(out, "Kernel %s by %s, which must answer as %s\n", run->release, run->backend,
		ct_exp_kernel_name(run->kernel));
	if (!run->exact)
		fprintf(out, "That is the nearest by its traits; where it differs, the kernel's age may be why.\n");
	fputc('\n', out);
	for (e = 0; e < run->all->n; e++)
		print_experiment(out, run, e);
	if (run->lost)
		fprintf(out, "The trace lacks %llu records: let less else run, or give it larger buffers.\n",
			(unsigned long long)run->lost);
	print_total(out, run->total, " experiments");
	print_total(out, run->steps, " steps");
}

/* --- JSON --------------------------------------------------------------------- */

static struct json_object *observed(const struct ct_observed *o)
{
	struct json_object *j = json_object_new_object(), *faults = json_object_new_array();
	char text[CT_EXP_TEXT];
	unsigned int i;

	add_text(j, "text", ct_observed_text(o, text, sizeof(text)));
	add_number(j, "pages", o->pages);
	for (i = 0; i < o->n && i < CT_EXP_FAULTS; i++) {
		struct json_object *f = json_object_new_object();

		add_text(f, "outcome", ct_exp_outcome(o->fault[i].outcome));
		add_text(f, "reason", ct_exp_reason(o->fault[i].reason));
		json_object_array_add(faults, f);
	}
	add(j, "faults", faults);
	return j;
}

/* By which the faults of the step are found in the trace. */
static struct json_object *part(const struct ct_experiment *e, const struct ct_exp_op *op,
				const struct ct_stage_part *p)
{
	struct json_object *j = json_object_new_object();

	add_text(j, "area", e->area[op->area].name);
	add_number(j, "tgid", p->tgid);
	add_number(j, "base", p->base);
	add_number(j, "bytes", p->bytes);
	add_number(j, "grain", p->grain);
	add_number(j, "unit", ct_exp_unit(e->area[op->area].kind));
	return j;
}

static struct json_object *parts(const struct ct_experiment *e, const struct ct_exp_step *s,
				 const struct ct_stage_step *log)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < s->n; i++)
		json_object_array_add(list, part(e, &e->op[s->first + i], &log->part[i]));
	return list;
}

/* What khugepaged did, and what the stage counted before. */
static struct json_object *scan(const struct ct_scan_result *r)
{
	struct json_object *j = khugepaged_scan_json(&r->scan);

	add_number(j, "kpagecount_shared", r->shared);
	add_text(j, "consequence", ct_consequence_names[r->consequence]);
	add_number(j, "copied_kib", r->copied_bytes >> 10);
	add_number(j, "filled_kib", r->filled_bytes >> 10);
	add_number(j, "missed_kib", r->missed_bytes >> 10);
	return j;
}

static struct json_object *step(const struct ct_exp_run *run, size_t e, unsigned int number)
{
	const struct ct_experiment *exp = &run->all->list[e];
	const struct ct_exp_step *s = &exp->step[number];
	const struct ct_step_result *r = &run->result[e].step[number];
	const struct ct_stage_step *log = &run->log[e].step[number];
	struct json_object *j = json_object_new_object(), *list = json_object_new_array();
	unsigned int i;

	add_text(j, "name", s->name);
	add_text(j, "verdict", ct_verdict_name(r->verdict));
	add_text(j, "expected", s->answer[run->kernel].text);
	add_text(j, "why", s->answer[run->kernel].why);
	add_number(j, "pages", r->pages);
	add_number(j, "unexpected_pages", r->unexpected);
	add_number(j, "faults", r->faults);
	add_number(j, "time_ns", r->ns);
	for (i = 0; i < r->nr_observed; i++)
		json_object_array_add(list, observed(&r->observed[i]));
	add(j, "observed", list);
	if (r->scan.scan.seq)
		add(j, "scan", scan(&r->scan));
	if (log->state == CT_STAGE_DONE) {
		add_number(j, "began_ns", log->began);
		add_number(j, "ended_ns", log->ended);
		add(j, "parts", parts(exp, s, log));
	}
	return j;
}

static struct json_object *experiment(const struct ct_exp_run *run, size_t e)
{
	const struct ct_experiment *exp = &run->all->list[e];
	const struct ct_exp_result *r = &run->result[e];
	struct json_object *j = json_object_new_object(), *steps = json_object_new_array();
	unsigned int s;

	add_text(j, "name", exp->name);
	add_text(j, "title", exp->title);
	add_text(j, "verdict", ct_verdict_name(r->verdict));
	if (*r->text)
		add_text(j, "text", r->text);
	for (s = 0; s < exp->nr_steps; s++)
		json_object_array_add(steps, step(run, e, s));
	add(j, "steps", steps);
	return j;
}

static struct json_object *totals(const uint64_t *total)
{
	struct json_object *j = json_object_new_object();
	unsigned int v;

	for (v = 0; v < CT_NR_VERDICTS; v++)
		add_number(j, ct_verdict_name(v), total[v]);
	return j;
}

int ct_experiments_json(FILE *out, const struct ct_exp_run *run)
{
	struct json_object *j = json_object_new_object(), *list = json_object_new_array();
	struct json_object *words = json_object_new_object();
	unsigned int v;
	size_t e;

	add_text(j, "version", CT_EXP_VERSION);
	add_text(j, "cowtrace", COWTRACE_VERSION);
	add_text(j, "kernel", run->release);
	add_text(j, "generation", ct_exp_kernel_name(run->kernel));
	add(j, "exact", json_object_new_boolean(run->exact));
	add_text(j, "backend", run->backend);
	add_number(j, "lost", run->lost);
	add_text(j, "trace", run->trace);
	add(j, "experiments_total", totals(run->total));
	add(j, "steps_total", totals(run->steps));
	for (v = 0; v < CT_NR_VERDICTS; v++)
		add_text(words, ct_verdict_name(v), sentences[v]);
	add(j, "verdicts", words);
	for (e = 0; e < run->all->n; e++)
		json_object_array_add(list, experiment(run, e));
	add(j, "experiments", list);
	return json_print(out, j);
}
