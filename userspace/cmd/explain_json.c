// SPDX-License-Identifier: GPL-2.0
#include "explain_print.h"

#include <string.h>

#include <cowtrace/decision.h>

#include "bytes.h"
#include "explain.h"
#include "json.h"

static void add_word(struct json_object *o, const struct ct_schema *schema, const char *vocab,
		     uint32_t value)
{
	const struct ct_word *w = ct_schema_word(schema, vocab, value);

	add(o, vocab, w ? json_object_new_string(w->name) : json_object_new_uint64(value));
}

static void add_words(struct json_object *o, const struct ct_schema *schema, const char *name,
		      const char *vocab, uint32_t bits)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t bit = 1; bit; bit <<= 1) {
		const struct ct_word *w = bits & bit ? ct_schema_word(schema, vocab, bit) : NULL;

		if (w)
			json_object_array_add(list, json_object_new_string(w->name));
	}
	add(o, name, list);
}

static void add_notes(struct json_object *o, const char *name, const struct ct_notes *notes)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < notes->nr; i++)
		json_object_array_add(list, json_object_new_string(notes->text[i]));
	add(o, name, list);
}

static struct json_object *steps(const struct ct_explanation *e)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < e->walk.steps.nr; i++) {
		const struct ct_step *step = &e->walk.steps.steps[i];
		struct json_object *o = json_object_new_object();

		add_text(o, "function", step->function);
		add_text(o, "test", step->test);
		add_text(o, "state", ct_step_state_name(e->walk.state[i]));
		add_text(o, "found", e->found[i][0] ? e->found[i] : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *decision(const struct cowtrace_record *r, uint32_t traits)
{
	struct cowtrace_decision d = cowtrace_decision(r, traits);
	struct json_object *o;

	if (!d.test)
		return NULL;
	o = json_object_new_object();
	add_text(o, "test", d.test);
	add(o, "value", d.measured ? json_object_new_int(d.value) : NULL);
	add(o, "limit", d.measured ? json_object_new_int(d.limit) : NULL);
	return o;
}

static struct json_object *holders(const struct cowtrace_record *r, uint32_t traits)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);
	struct json_object *o;

	if (!h.known)
		return NULL;
	o = json_object_new_object();
	add(o, "total", json_object_new_int(h.total));
	add(o, "mappings", json_object_new_int(h.mappings));
	add(o, "swapcache", json_object_new_int(h.swapcache));
	add(o, "pagecache", json_object_new_int(h.pagecache));
	add(o, "lru", json_object_new_int(h.lru));
	add(o, "pins", json_object_new_int(h.pins));
	add(o, "fault", json_object_new_int(h.fault));
	add(o, "unattributed", json_object_new_int(h.unattributed));
	return o;
}

static struct json_object *explanation(const struct ct_schema *schema,
				       const struct cowtrace_record *r)
{
	struct json_object *o = json_object_new_object();
	struct ct_explanation e;
	char text[64];

	ct_explain(r, schema->traits, schema->kernel, schema->page_size, &e);
	snprintf(text, sizeof(text), "%u:%u", r->cpu, r->seq);
	add_text(o, "fault", text);
	ct_clean_text(text, sizeof(text), r->comm, sizeof(r->comm));
	add_text(o, "comm", text);
	add_number(o, "pid", r->pid);
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)r->address);
	add_text(o, "address", text);
	add_number(o, "duration_ns", r->duration_ns);
	add_word(o, schema, "path", r->path);
	add_word(o, schema, "outcome", r->outcome);
	add_word(o, schema, "reason", r->reason);
	add_word(o, schema, "kind", r->kind);
	add_word(o, schema, "origin", r->origin);
	add(o, "order", json_object_new_int(r->order));
	add_text(o, "verdict", e.verdict);
	add_text(o, "needed", ct_need_name(e.need));
	add_text(o, "because", e.because);
	add_text(o, "references", e.arithmetic);
	add(o, "holders", holders(r, schema->traits));
	add(o, "decision", decision(r, schema->traits));
	add(o, "steps", steps(&e));
	add_text(o, "then", e.end[0] ? e.end : NULL);
	add_words(o, schema, "evidence", "evidence", r->evidence);
	add_notes(o, "rests_on", &e.rests);
	add_notes(o, "doubts", &e.doubts);
	add_notes(o, "next", &e.next);
	return o;
}

/* --- what is printed --------------------------------------------------------- */

static struct json_object *begin(const struct ct_schema *schema)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "kernel", schema->kernel);
	add_words(o, schema, "traits", "trait", schema->traits);
	return o;
}

static struct json_object *flagged(const struct ct_schema *schema, const struct ct_pattern *p)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int bit = 0; bit < 16; bit++) {
		const struct ct_word *w = ct_schema_word(schema, "evidence", 1u << bit);

		if (w)
			add_number(o, w->name, p->flagged[bit]);
	}
	return o;
}

static struct json_object *pattern(const struct ct_schema *schema, const struct ct_pattern *p,
				   uint64_t faults)
{
	static const char * const classes[] = {
		[CT_ORDER_PAGE] = "page", [CT_ORDER_PART] = "part", [CT_ORDER_PMD] = "pmd",
		[CT_ORDER_MORE] = "more",
	};
	struct json_object *o = json_object_new_object();
	bool page = p->example.present & COWTRACE_HAS_PAGE;

	add_number(o, "faults", p->faults);
	add(o, "share", json_object_new_double((double)p->faults / faults));
	add_number(o, "bytes_copied", p->bytes);
	add_number(o, "time_ns", p->ns);
	add_word(o, schema, "path", p->example.path);
	add_word(o, schema, "outcome", p->example.outcome);
	add_word(o, schema, "reason", p->example.reason);
	add_word(o, schema, "kind", p->example.kind);
	add_word(o, schema, "origin", p->example.origin);
	add_text(o, "folio", classes[p->order]);
	add_words(o, schema, "states", "state", p->states);
	add_text(o, "needed", ct_need_name(p->need));
	add(o, "least_refcount", page ? json_object_new_int(p->min_refs) : NULL);
	add(o, "greatest_refcount", page ? json_object_new_int(p->max_refs) : NULL);
	add(o, "evidence", flagged(schema, p));
	add(o, "example", explanation(schema, &p->example));
	return o;
}

int ct_explain_patterns_json(FILE *out, const struct ct_schema *schema,
			     const struct ct_patterns *all, size_t top)
{
	struct json_object *o = begin(schema), *list = json_object_new_array();

	add_number(o, "faults", all->faults);
	add_number(o, "bytes_copied", all->bytes);
	add_number(o, "time_ns", all->ns);
	add_number(o, "nr_patterns", all->nr);
	for (size_t i = 0; i < all->nr && i < top; i++)
		json_object_array_add(list, pattern(schema, &all->patterns[i], all->faults));
	add(o, "patterns", list);
	return json_print(out, o);
}

int ct_explain_access_json(FILE *out, const struct ct_schema *schema, const struct ct_access *a)
{
	struct json_object *o = begin(schema), *list = json_object_new_array(), *stack = NULL;

	for (size_t i = 0; i < a->nr; i++)
		json_object_array_add(list, explanation(schema, &a->records[i]));
	add(o, "asked", json_object_new_int(a->asked));
	add(o, "access", list);
	/* null: nothing tells, which is not the same as no functions. */
	if (a->stack)
		stack = json_object_new_array();
	for (size_t i = 0; i < a->nr_stack; i++)
		json_object_array_add(stack, json_object_new_string(a->stack[i]));
	add(o, "stack", stack);
	add(o, "stack_end", a->stack_end ? json_object_new_string(a->stack_end) : NULL);
	return json_print(out, o);
}
