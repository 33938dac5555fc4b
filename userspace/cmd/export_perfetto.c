// SPDX-License-Identifier: GPL-2.0
/*
 * A Perfetto trace, for ui.perfetto.dev: each thread is a track, each fault a slice on
 * it; forks and events of groups are instants, copied bytes are counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/classify.h>
#include <cowtrace/decision.h>

#include "bytes.h"
#include "export_perfetto_parts.h"

/* All names of a field of flags, joined. */
#define FLAGS_MAX	2048

/* --- faults -------------------------------------------------------------------------- */

/* Is it in the name and the place of the slice? */
static bool is_drawn(const struct ct_field *field)
{
	static const char *const drawn[] = {
		"type", "magic", "pid", "tgid", "outcome", "reason", "present",
	};

	for (size_t i = 0; i < sizeof(drawn) / sizeof(*drawn); i++)
		if (!strcmp(drawn[i], field->name))
			return true;
	return false;
}

static const char *joined(const struct ct_column *c, uint64_t value, char *to)
{
	char unknown[CT_UNKNOWN_WORD];
	size_t n = 0;

	*to = '\0';
	for (; value && n < FLAGS_MAX; value &= value - 1)
		n += snprintf(to + n, FLAGS_MAX - n, "%s%s", n ? "|" : "",
			      ct_column_flag(c, value & -value, unknown));
	return to;
}

static uint64_t string_of(struct px *x, size_t i, uint64_t value)
{
	const struct ct_column *c = &x->columns->list[i];
	uint64_t known = ct_perfetto_known(&x->p, CT_PERFETTO_VALUES, i, value);
	char text[FLAGS_MAX];

	if (known)
		return known;
	return ct_perfetto_string(&x->p, CT_PERFETTO_VALUES, i, value,
				  c->kind == CT_COLUMN_FLAGS ? joined(c, value, text) :
							       ct_column_word(c, value, text));
}

/* Strings come before the event that names them. */
static void find_values(struct px *x, const struct ct_event *event, uint64_t given)
{
	for (size_t i = 0; i < x->columns->nr; i++) {
		const struct ct_column *c = &x->columns->list[i];
		struct px_arg *a = &x->args[i];

		if (!a->key || !ct_column_given(c, given) || c->kind == CT_COLUMN_TEXT)
			continue;
		a->value = ct_field_number(c->field, event->raw);
		if (c->kind == CT_COLUMN_FLAGS || c->kind == CT_COLUMN_WORD)
			a->string = string_of(x, i, a->value);
	}
}

static void put_value(struct px *x, const struct ct_column *c, const struct px_arg *a,
		      const void *raw)
{
	char text[256];

	switch (c->kind) {
	case CT_COLUMN_TEXT:
		ct_clean_text(text, sizeof(text), (const char *)raw + c->field->offset,
			      c->field->size);
		ct_perfetto_arg_text(&x->p, c->field->name, text);
		break;
	case CT_COLUMN_SIGNED:
		ct_perfetto_arg(&x->p, a->key, CT_PERFETTO_SIGNED, a->value);
		break;
	case CT_COLUMN_UNSIGNED:
		ct_perfetto_arg(&x->p, a->key, CT_PERFETTO_UNSIGNED, a->value);
		break;
	case CT_COLUMN_HEX:
		ct_perfetto_arg(&x->p, a->key, CT_PERFETTO_POINTER, a->value);
		break;
	default:
		/* Of too many strings only the first are written. */
		ct_perfetto_arg(&x->p, a->key,
				a->string ? CT_PERFETTO_INTERNED : CT_PERFETTO_POINTER,
				a->string ?: a->value);
	}
}

static void put_values(struct px *x, const struct ct_event *event, uint64_t given)
{
	for (size_t i = 0; i < x->columns->nr; i++)
		if (x->args[i].key && ct_column_given(&x->columns->list[i], given))
			put_value(x, &x->columns->list[i], &x->args[i], event->raw);
}

static uint64_t flow_of(uint32_t cpu, uint32_t seq)
{
	return (uint64_t)cpu << 32 | seq;
}

/* OUTCOME:REASON, as a string that is written once. */
static uint64_t name_of(struct px *x, const struct cowtrace_record *r, char *text, size_t size)
{
	const struct ct_report *report = x->export->report;
	uint64_t known = ct_perfetto_known(&x->p, CT_PERFETTO_NAMES, r->outcome, r->reason);
	const char *word;
	size_t n;

	if (known)
		return known;
	word = ct_report_word(report, "outcome", r->outcome);
	ct_clean_text(text, size / 2, word, strlen(word));
	n = strlen(text);
	if (r->reason) {
		word = ct_report_word(report, "reason", r->reason);
		text[n++] = ':';
		ct_clean_text(text + n, size - n, word, strlen(word));
	}
	return ct_perfetto_string(&x->p, CT_PERFETTO_NAMES, r->outcome, r->reason, text);
}

static void put_fault(struct px *x, const struct ct_event *event, const struct ct_split *split,
		      struct px_thread *thread)
{
	const struct ct_schema *schema = x->export->report->schema;
	const struct cowtrace_record *r = event->record;
	struct cowtrace_decision d = cowtrace_decision(r, schema->traits);
	uint64_t given = ct_columns_given(x->columns, event->raw), name, test = 0;
	uint64_t begin = r->time_ns > thread->end ? r->time_ns : thread->end;
	uint64_t end = ct_add(r->time_ns, r->duration_ns);
	struct ct_perfetto_event e;
	char text[128];

	thread->end = end > begin ? end : begin;
	name = name_of(x, r, text, sizeof(text));
	if (d.test)
		test = ct_perfetto_string(&x->p, CT_PERFETTO_VALUES, UINT32_MAX,
					  (uintptr_t)d.test, d.test);
	find_values(x, event, given);
	e = ct_perfetto_event(&x->p, begin, CT_PERFETTO_BEGIN, thread->track);
	ct_perfetto_name(&x->p, name, text);
	put_values(x, event, given);
	ct_perfetto_arg(&x->p, x->bytes_key, CT_PERFETTO_UNSIGNED,
			(uint64_t)cowtrace_copied_pages(r) * schema->page_size);
	if (test)
		ct_perfetto_arg(&x->p, x->decision_key, CT_PERFETTO_INTERNED, test);
	if (r->outcome == COWTRACE_OUTCOME_SPLIT)
		ct_perfetto_flow(&x->p, flow_of(r->cpu, r->seq), false);
	if (split)
		ct_perfetto_flow(&x->p, flow_of(split->cpu, split->seq), true);
	ct_perfetto_event_end(&x->p, e);
	e = ct_perfetto_event(&x->p, thread->end, CT_PERFETTO_END, thread->track);
	ct_perfetto_event_end(&x->p, e);
}

/* One fault: to the counters, and if it is one of those that are drawn, onto its track. */
static int take(struct px *x, const struct ct_event *event, const struct ct_split *split,
		bool drawn)
{
	const struct cowtrace_record *r = event->record;
	uint32_t process = ct_processes_find(x->processes, r->tgid, r->time_ns);
	char comm[4 * COWTRACE_COMM_LEN];
	struct px_thread *thread;
	struct px_owner *o;

	ct_clean_text(comm, sizeof(comm), r->comm, sizeof(r->comm));
	o = px_owner(x, process, r->tgid, r->time_ns, r->pid == r->tgid ? comm : NULL);
	if (!o)
		return -ENOMEM;
	px_count(x, o, r);
	if (event->lost)
		px_lost(x, event);
	if (!drawn)
		return 0;
	thread = px_thread(x, o, r->pid, comm);
	if (!thread)
		return -ENOMEM;
	put_fault(x, event, split, thread);
	return 0;
}

/* --- the whole ------------------------------------------------------------------------ */

static int name_args(struct px *x)
{
	size_t i;

	x->columns = ct_columns_new(x->export->report->schema);
	if (!x->columns)
		return -ENOMEM;
	x->args = calloc(x->columns->nr, sizeof(*x->args));
	for (i = 0; x->args && i < x->columns->nr; i++) {
		const char *name = x->columns->list[i].field->name;

		if (!is_drawn(x->columns->list[i].field))
			x->args[i].key = ct_perfetto_string(&x->p, CT_PERFETTO_KEYS, 0, i, name);
	}
	x->bytes_key = ct_perfetto_string(&x->p, CT_PERFETTO_KEYS, 1, 0, "bytes_copied");
	x->decision_key = ct_perfetto_string(&x->p, CT_PERFETTO_KEYS, 1, 1, "decision");
	return x->args ? 0 : -ENOMEM;
}

static void make_tracks(struct px *x)
{
	const struct ct_report *report = x->export->report;
	const char *kernel = report->schema->kernel ?: "?";
	char clean[128], name[512];

	ct_clean_text(clean, sizeof(clean), kernel, strlen(kernel));
	snprintf(name, sizeof(name), "missing (%s%s%s)", x->export->host ?: "",
		 x->export->host ? ", " : "", clean);
	x->lost = ct_perfetto_track(&x->p, name);
	x->copied.rate = ct_perfetto_bytes(&x->p, 0, "copied bytes a second");
	x->copied.track = ct_perfetto_bytes(&x->p, 0, "copied bytes");
}

/* How many faults there are for each that is drawn. */
static uint64_t thinned(const struct ct_export *e)
{
	const struct ct_report *r = e->report;
	uint64_t nr = r->info->record_bytes / r->schema->record_size;

	return nr > e->max ? (nr + e->max - 1) / e->max : 1;
}

static int draw(struct px *x, uint64_t every)
{
	uint64_t n = 0, last = 0;
	const struct ct_split *split;
	struct ct_event event;
	int ret = 0;

	while (!ret && ct_export_next(x->export, &event, &split)) {
		if (!n && every > 1)
			px_note(x, event.record->time_ns, x->lost,
				"not each fault is drawn, counters have all", "one_of", every);
		ret = take(x, &event, split, !(n++ % every));
		last = ct_add(event.record->time_ns, event.record->duration_ns);
	}
	if (ret)
		return ret;
	px_count_end(x);
	px_lost_end(x, last);
	if (every > 1)
		fprintf(stderr,
			"cowtrace: one fault of %llu is drawn, %llu of %llu: the counters have all; choose by -p, --comm or -f, or give a greater --max\n",
			(unsigned long long)every, (unsigned long long)((n + every - 1) / every),
			(unsigned long long)n);
	return 0;
}

int ct_export_perfetto(struct ct_export *e, struct ct_error *err)
{
	struct px *x = calloc(1, sizeof(*x));
	uint64_t wall = 0;
	bool dated = ct_export_wall(e, &wall);
	int ret;

	if (!x)
		return ct_error_set(err, -ENOMEM, "out of memory");
	x->export = e;
	x->p.out.file = e->out;
	/* Any time will do: it is the same difference. */
	ct_perfetto_begin(&x->p, dated, wall, 1);
	ret = name_args(x);
	if (!ret)
		ret = ct_processes_load(e->report->reader, &x->processes, err);
	if (!ret) {
		ct_reader_rewind(e->report->reader);
		make_tracks(x);
		ret = px_beside(x);
	}
	if (!ret)
		ret = draw(x, thinned(e));
	if (ret)
		ct_error_set(err, ret, "out of memory");
	ct_perfetto_end(&x->p);
	ct_processes_free(x->processes);
	ct_columns_free(x->columns);
	ct_map_free(&x->owner_of);
	ct_map_free(&x->thread_of);
	free(x->owners);
	free(x->threads);
	free(x->args);
	free(x);
	return ret;
}
