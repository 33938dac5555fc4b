// SPDX-License-Identifier: GPL-2.0
/* The table of predictions and observations as text and as JSON. */
#include <string.h>

#include "json.h"
#include "verify_table.h"
#include "verify_names.h"
#include "version.h"

static const char *const sentences[] = {
#define SENTENCE_(id, n, s)	s,
	CT_VERIFY_VERDICTS(SENTENCE_)
}, *const questions[] = {
	CT_VERIFY_QUESTIONS(SENTENCE_)
};

static void print_counts(FILE *out, const char *from, const char *to, uint64_t classes,
			 const uint64_t *count)
{
	size_t v;

	fprintf(out, "%-8s %-21s %7llu", from, to, (unsigned long long)classes);
	for (v = 0; v < CT_NR_VERIFY_VERDICTS; v++)
		fprintf(out, " %*llu", (int)strlen(ct_verify_verdict_name(v)),
			(unsigned long long)count[v]);
	fputc('\n', out);
}

static void print_head(FILE *out)
{
	size_t v;

	fprintf(out, "%-8s %-21s %7s", "samples", "policy", "classes");
	for (v = 0; v < CT_NR_VERIFY_VERDICTS; v++)
		fprintf(out, " %s", ct_verify_verdict_name(v));
	fputc('\n', out);
}

static const char *policy_of(const struct ct_verify_pair *p, char *to, size_t size)
{
	snprintf(to, size, "%s %s", p->to->label, ct_verify_policy_name(p->policy));
	return to;
}

static void print_pairs(FILE *out, const struct ct_verify_table *t, size_t first, size_t end)
{
	char policy[64];
	size_t i;

	for (i = first; i < end; i++) {
		const struct ct_verify_pair *p = &t->pair[i];

		print_counts(out, p->from->label, policy_of(p, policy, sizeof(policy)),
			     p->nr_classes, p->count);
	}
}

static uint64_t sum(const uint64_t *count)
{
	uint64_t n = 0;
	size_t v;

	for (v = 0; v < CT_NR_VERIFY_VERDICTS; v++)
		n += count[v];
	return n;
}

/* The pairs from @first on that ask the same. */
static size_t end_of(const struct ct_verify_table *t, size_t first)
{
	size_t end = first;

	while (end < t->nr_pairs && t->pair[end].question == t->pair[first].question)
		end++;
	return end;
}

static void print_table(FILE *out, const struct ct_verify_table *t)
{
	size_t self = t->different + t->nr_runs, i;

	print_head(out);
	print_pairs(out, t, 0, t->different);
	print_counts(out, "all", "of these", sum(t->count), t->count);
	fprintf(out, "\nEach kernel by its own policy\n");
	print_pairs(out, t, t->different, self);
	for (i = self; i < t->nr_pairs; i = end_of(t, i)) {
		fprintf(out, "\n%s\n", questions[t->pair[i].question]);
		print_pairs(out, t, i, end_of(t, i));
	}
}

/* --- classes -------------------------------------------------------------------- */

static void print_prediction(FILE *out, const struct ct_verify_class *c)
{
	if (!c->has_record)
		fprintf(out, "nothing to predict from");
	else if (c->predicted.answer == COWTRACE_ANSWER_UNDETERMINED)
		fprintf(out, "undetermined for %s", ct_verify_cause_name(c->predicted.cause));
	else if (c->predicted.answer == COWTRACE_ANSWER_NONE)
		fprintf(out, "not asked");
	else
		fprintf(out, "%s at %s", ct_verify_answer_name(c->predicted.answer),
			ct_verify_test(c->predicted.step));
}

static void print_class(FILE *out, const struct ct_verify_pair *p, const struct ct_verify_class *c)
{
	char text[512];

	fprintf(out, "  %-5s %-5s %s/%s", p->from->label, p->to->label, c->experiment, c->step);
	if (!ct_verify_path_name(c->path)) {
		fprintf(out, ": absent\n");
		return;
	}
	fprintf(out, ", %s, %llu: ", ct_verify_path_name(c->path), (unsigned long long)c->faults);
	print_prediction(out, c);
	fprintf(out, "; %s", ct_verify_seen_name(c->seen));
	if (c->from)
		fprintf(out, "; %u:%u", c->from->cpu, c->from->seq);
	if (c->to && p->from != p->to)
		fprintf(out, c->from ? " and %u:%u" : "; there %u:%u", c->to->cpu, c->to->seq);
	fputc('\n', out);
	if (c->verdict != CT_VERIFY_WRONG && c->verdict != CT_VERIFY_OTHER_STATE)
		return;
	if (c->to && *ct_verify_differences(c->from, c->to, text, sizeof(text)))
		fprintf(out, "        %s and %s found: %s\n", p->from->label, p->to->label, text);
}

static void print_verdict(FILE *out, const struct ct_verify_table *t, enum ct_verify_verdict v)
{
	bool said = false;
	size_t i, k;

	for (i = 0; i < t->nr_pairs; i++)
		for (k = 0; k < t->pair[i].nr_classes; k++) {
			const struct ct_verify_class *c = &t->pair[i].class[k];

			if (c->verdict != v)
				continue;
			if (!said)
				fprintf(out, "\n%s: %s\n", ct_verify_verdict_name(v), sentences[v]);
			said = true;
			print_class(out, &t->pair[i], c);
		}
}

static void print_causes(FILE *out, const struct ct_verify_table *t)
{
	static const char *const causes[] = {
#define CAUSE_(id, v, n, s)	s,
		COWTRACE_CAUSES(CAUSE_)
	};
	bool seen[COWTRACE_NR_CAUSES] = { false };
	size_t i, k;

	for (i = 0; i < t->nr_pairs; i++)
		for (k = 0; k < t->pair[i].nr_classes; k++)
			if (t->pair[i].class[k].verdict == CT_VERIFY_UNDETERMINED)
				seen[t->pair[i].class[k].predicted.cause] = true;
	for (i = 0; i < COWTRACE_NR_CAUSES; i++)
		if (seen[i])
			fprintf(out, "  %s: %s\n", ct_verify_cause_name(i), causes[i]);
}

static void print_runs(FILE *out, const struct ct_verify_table *t)
{
	size_t i;

	for (i = 0; i < t->nr_runs; i++)
		fprintf(out, "%s is %s, traced by %s\n", t->run[i].label, t->run[i].kernel,
			t->run[i].backend);
}

static void print_left_out(FILE *out, const struct ct_verify_run *run)
{
	const char *last = "";
	size_t i;

	for (i = 0; i < run->nr_steps; i++) {
		if (!run->step[i].race || !strcmp(run->step[i].experiment, last))
			continue;
		fprintf(out, "%s%s", *last ? ", " : "left out, because several write at once: ",
			run->step[i].experiment);
		last = run->step[i].experiment;
	}
	if (*last)
		fputc('\n', out);
}

void ct_verify_text(FILE *out, const struct ct_verify_table *t, bool why)
{
	uint64_t compared = ct_verify_compared(t->count);
	size_t v;

	fprintf(out, "What the policy of a kernel predicts from samples of another, against what it did\n\n");
	print_table(out, t);
	for (v = 0; v < CT_NR_VERIFY_VERDICTS; v++)
		if (why || v == CT_VERIFY_WRONG || v == CT_VERIFY_UNDETERMINED ||
		    v == CT_VERIFY_OTHER_STATE) {
			print_verdict(out, t, v);
			if (v == CT_VERIFY_UNDETERMINED)
				print_causes(out, t);
		}
	fputc('\n', out);
	print_left_out(out, &t->run[0]);
	print_runs(out, t);
	fprintf(out, "%llu wrong; %llu of %llu classes undetermined, at most %d %% may be: %s\n",
		(unsigned long long)t->wrong, (unsigned long long)t->count[CT_VERIFY_UNDETERMINED],
		(unsigned long long)compared, CT_VERIFY_LIMIT,
		t->passed ? "passed" : "failed");
}

/* --- JSON ----------------------------------------------------------------------- */

static struct json_object *counts(const uint64_t *count)
{
	struct json_object *o = json_object_new_object();
	size_t v;

	for (v = 0; v < CT_NR_VERIFY_VERDICTS; v++)
		add_number(o, ct_verify_verdict_name(v), count[v]);
	return o;
}

static void add_place(struct json_object *o, const char *name, const struct cowtrace_record *r)
{
	char text[32];

	if (r)
		snprintf(text, sizeof(text), "%u:%u", r->cpu, r->seq);
	add_text(o, name, r ? text : NULL);
}

static struct json_object *class_json(const struct ct_verify_class *c)
{
	struct json_object *o = json_object_new_object();
	bool absent = c->verdict == CT_VERIFY_ABSENT;
	char text[512];

	add_text(o, "experiment", c->experiment);
	add_text(o, "step", c->step);
	add_text(o, "path", ct_verify_path_name(c->path));
	add_text(o, "verdict", ct_verify_verdict_name(c->verdict));
	add_text(o, "predicted",
		 c->has_record ? ct_verify_answer_name(c->predicted.answer) : NULL);
	add_text(o, "test", c->has_record ? ct_verify_test(c->predicted.step) : NULL);
	add_text(o, "cause", c->has_record ? ct_verify_cause_name(c->predicted.cause) : NULL);
	add_text(o, "observed", absent ? NULL : ct_verify_seen_name(c->seen));
	add_number(o, "faults", c->faults);
	add_place(o, "from", c->from);
	add_place(o, "to", c->to);
	add_text(o, "differences", c->from && c->to ?
		 ct_verify_differences(c->from, c->to, text, sizeof(text)) : NULL);
	return o;
}

static struct json_object *pair_json(const struct ct_verify_pair *p)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	add_text(o, "from", p->from->label);
	add_text(o, "to", p->to->label);
	add_text(o, "policy", ct_verify_policy_name(p->policy));
	add_text(o, "question", ct_verify_question_name(p->question));
	add(o, "count", counts(p->count));
	for (i = 0; i < p->nr_classes; i++)
		json_object_array_add(list, class_json(&p->class[i]));
	add(o, "classes", list);
	return o;
}

static struct json_object *run_json(const struct ct_verify_run *run)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "label", run->label);
	add_text(o, "kernel", run->kernel);
	add_text(o, "backend", run->backend);
	return o;
}

int ct_verify_json(FILE *out, const struct ct_verify_table *t)
{
	struct json_object *o = json_object_new_object(), *runs = json_object_new_array();
	struct json_object *pairs = json_object_new_array(), *words = json_object_new_object();
	size_t i;

	add_text(o, "version", CT_VERIFY_VERSION);
	add_text(o, "cowtrace", COWTRACE_VERSION);
	for (i = 0; i < t->nr_runs; i++)
		json_object_array_add(runs, run_json(&t->run[i]));
	add(o, "runs", runs);
	add(o, "count", counts(t->count));
	add_number(o, "compared", ct_verify_compared(t->count));
	add_number(o, "wrong", t->wrong);
	add(o, "passed", json_object_new_boolean(t->passed));
	for (i = 0; i < CT_NR_VERIFY_VERDICTS; i++)
		add_text(words, ct_verify_verdict_name(i), sentences[i]);
	add(o, "verdicts", words);
	for (i = 0; i < t->nr_pairs; i++)
		json_object_array_add(pairs, pair_json(&t->pair[i]));
	add(o, "pairs", pairs);
	return json_print(out, o);
}
