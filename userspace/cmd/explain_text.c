// SPDX-License-Identifier: GPL-2.0
#include "explain_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "explain.h"
#include "units.h"

#define COLUMNS	96

/* Lines of whole words; those after the first are indented by @indent. */
static void wrap(FILE *out, unsigned int indent, unsigned int column, const char *text)
{
	while (*text) {
		size_t bytes = strcspn(text, " ");
		char word[1024];
		size_t width;

		snprintf(word, sizeof(word), "%.*s", (int)bytes, text);
		width = ct_text_width(word);
		if (column > indent && column + 1 + width > COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fputs(word, out);
		column += width;
		text += bytes;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* "  Rests on  ..." */
static void labelled(FILE *out, const char *label, const char *text)
{
	fprintf(out, "     %-8s ", label);
	wrap(out, 14, 14, text);
}

static void print_notes(FILE *out, const char *label, const struct ct_notes *notes)
{
	for (size_t i = 0; i < notes->nr; i++)
		labelled(out, i ? "" : label, notes->text[i]);
}

/* What belongs together: one line, as long as it may be. */
static void print_joined(FILE *out, const char *label, const struct ct_notes *notes)
{
	char text[1024];
	size_t n = 0;

	for (size_t i = 0; i < notes->nr && n < sizeof(text); i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%s", i ? "; " : "", notes->text[i]);
	labelled(out, label, text);
}

static bool is_told(enum ct_step_state state)
{
	return state != CT_STEP_SKIPPED && state != CT_STEP_NOT_REACHED;
}

static void print_steps(FILE *out, const struct ct_explanation *e)
{
	const char *function = "";

	for (size_t i = 0; i < e->walk.steps.nr; i++) {
		const struct ct_step *step = &e->walk.steps.steps[i];
		char text[512];

		if (!is_told(e->walk.state[i]))
			continue;
		if (strcmp(function, step->function)) {
			function = step->function;
			fprintf(out, "     in %s():\n", function);
		}
		snprintf(text, sizeof(text), "%s%s%s", step->test, e->found[i][0] ? "  -- " : "",
			 e->found[i]);
		fprintf(out, "       %-8s ", ct_step_state_name(e->walk.state[i]));
		wrap(out, 18, 16, text);
	}
}

static void print_explanation(FILE *out, const struct ct_explanation *e)
{
	char text[sizeof(e->verdict) + 2];

	snprintf(text, sizeof(text), "%s.", e->verdict);
	fputs("     ", out);
	wrap(out, 5, 5, text);
	print_steps(out, e);
	if (e->end[0])
		labelled(out, "then", e->end);
	if (!strstr(e->verdict, e->arithmetic))
		labelled(out, "held by", e->arithmetic);
	print_joined(out, "rests on", &e->rests);
	print_notes(out, "doubt", &e->doubts);
	print_notes(out, "next", &e->next);
}

static int ended(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}

static const char *word(const struct ct_schema *schema, const char *vocab, uint32_t value)
{
	const struct ct_word *w = ct_schema_word(schema, vocab, value);

	return w ? w->name : "?";
}

/* --- patterns ---------------------------------------------------------------- */

static void print_flagged(FILE *out, const struct ct_schema *schema, const struct ct_pattern *p)
{
	static const uint16_t flags[] = { COWTRACE_EV_UNSTABLE, COWTRACE_EV_SHIFTED };
	char text[128], count[CT_UNIT_TEXT];

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		uint64_t n = p->flagged[__builtin_ctz(flags[i])];

		if (!n)
			continue;
		snprintf(text, sizeof(text), "%s of these faults %s flagged %s",
			 ct_format_count(count, n), n == 1 ? "is" : "are",
			 word(schema, "evidence", flags[i]));
		labelled(out, "all", text);
	}
	if (p->min_refs != p->max_refs && p->example.present & COWTRACE_HAS_PAGE) {
		snprintf(text, sizeof(text), "the refcounts of these faults go from %d to %d",
			 p->min_refs, p->max_refs);
		labelled(out, "all", text);
	}
}

static void print_pattern(FILE *out, const struct ct_schema *schema,
			  const struct ct_patterns *all, size_t i)
{
	const struct ct_pattern *p = &all->patterns[i];
	char count[CT_UNIT_TEXT], share[CT_UNIT_TEXT], bytes[CT_UNIT_TEXT], time[CT_UNIT_TEXT];
	struct ct_explanation e;

	ct_explain(&p->example, schema->traits, schema->kernel, schema->page_size, &e);
	fprintf(out, "\n%3zu. %s fault%s (%s): %s", i + 1, ct_format_count(count, p->faults),
		p->faults == 1 ? "" : "s", ct_format_share(share, p->faults, all->faults),
		word(schema, "outcome", p->example.outcome));
	if (p->example.reason)
		fprintf(out, " %s", word(schema, "reason", p->example.reason));
	fprintf(out, ", %s, %s", word(schema, "kind", p->example.kind),
		word(schema, "origin", p->example.origin));
	if (p->bytes)
		fprintf(out, ", %s copied", ct_format_bytes(bytes, p->bytes));
	fprintf(out, ", %s; like fault %u:%u\n", ct_format_ns(time, p->ns), p->example.cpu,
		p->example.seq);
	print_explanation(out, &e);
	print_flagged(out, schema, p);
}

int ct_explain_patterns_text(FILE *out, const struct ct_schema *schema,
			     const struct ct_patterns *all, size_t top)
{
	char count[CT_UNIT_TEXT], bytes[CT_UNIT_TEXT], time[CT_UNIT_TEXT];

	if (!all->nr) {
		fputs("There is no such fault in this trace.\n", out);
		return ended(out);
	}
	fprintf(out, "%s fault%s in %zu pattern%s, %s copied, %s",
		ct_format_count(count, all->faults), all->faults == 1 ? "" : "s", all->nr,
		all->nr == 1 ? "" : "s", ct_format_bytes(bytes, all->bytes),
		ct_format_ns(time, all->ns));
	if (schema->kernel)
		fprintf(out, ", on %s", schema->kernel);
	fputs(all->nr > top ? "; the first of them:\n" : "\n", out);
	for (size_t i = 0; i < all->nr && i < top; i++)
		print_pattern(out, schema, all, i);
	return ended(out);
}

/* --- one access -------------------------------------------------------------- */

/* "main, called by _start": one line, as long as it may be. */
static void print_stack(FILE *out, const struct ct_access *a)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	if (!a->stack)
		return;
	f = open_memstream(&text, &size);
	if (!f)
		return;
	for (size_t i = 0; i < a->nr_stack; i++)
		fprintf(f, "%s%s", i ? ", called by " : "", a->stack[i]);
	if (a->stack_end)
		fprintf(f, ", called by %s", a->stack_end);
	fclose(f);
	labelled(out, "code", text);
	free(text);
}

int ct_explain_access_text(FILE *out, const struct ct_schema *schema,
			   const struct ct_access *a)
{
	for (size_t i = 0; i < a->nr; i++) {
		const struct cowtrace_record *r = &a->records[i];
		char comm[4 * COWTRACE_COMM_LEN], time[CT_UNIT_TEXT];
		struct ct_explanation e;

		ct_explain(r, schema->traits, schema->kernel, schema->page_size, &e);
		ct_clean_text(comm, sizeof(comm), r->comm, sizeof(r->comm));
		fprintf(out, "%sfault %u:%u%s: %s-%u at 0x%" PRIx64 " (%s, %s), %s\n",
			i ? "\n" : "", r->cpu, r->seq,
			i == a->asked ? "" : i ? ", the rest of the same access" :
						 ", where the same access began",
			comm, r->pid, (uint64_t)r->address, word(schema, "path", r->path),
			word(schema, "origin", r->origin), ct_format_ns(time, r->duration_ns));
		print_explanation(out, &e);
		if (i == a->asked)
			print_stack(out, a);
	}
	return ended(out);
}
