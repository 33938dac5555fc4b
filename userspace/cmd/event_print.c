// SPDX-License-Identifier: GPL-2.0
#include "event_print.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include <cowtrace/decision.h>

#include "bytes.h"

/* --- text ------------------------------------------------------------------- */

static void put_word(FILE *out, const struct ct_fault *f, const char *vocab, uint32_t value)
{
	const struct ct_word *word = ct_schema_word(f->schema, vocab, value);

	if (word)
		fputs(word->name, out);
	else
		fprintf(out, "?%" PRIu32, value);
}

/* Names of the bits as one word, "-" when there is none. */
static void put_flags(FILE *out, const struct ct_fault *f, const char *vocab, uint32_t value)
{
	const char *before = "";
	uint32_t bit;

	if (!value)
		fputc('-', out);
	for (bit = 1; bit; bit <<= 1) {
		if (!(value & bit))
			continue;
		fputs(before, out);
		put_word(out, f, vocab, bit);
		before = "|";
	}
}

static void put_decision(FILE *out, const struct ct_fault *f)
{
	struct cowtrace_decision d = cowtrace_decision(f->record, f->schema->traits);

	if (d.test && d.measured)
		fprintf(out, " (%s %d %s %d)", d.test, d.value, d.value > d.limit ? ">" : "<=",
			d.limit);
	else if (d.test)
		fprintf(out, " (%s)", d.test);
}

static void put_part(FILE *out, const char *name, int32_t references)
{
	if (references)
		fprintf(out, " %s=%d", name, references);
}

static void put_holders(FILE *out, const struct ct_fault *f)
{
	struct cowtrace_holders h = cowtrace_holders(f->record, f->schema->traits);

	if (!h.known) {
		fputs(" refs=-", out);
		return;
	}
	fprintf(out, " refs=%d", h.total);
	put_part(out, "mappings", h.mappings);
	put_part(out, "swapcache", h.swapcache);
	put_part(out, "pagecache", h.pagecache);
	put_part(out, "lru", h.lru);
	put_part(out, "pins", h.pins);
	put_part(out, "fault", h.fault);
	put_part(out, "unattributed", h.unattributed);
	put_part(out, "order", f->record->order);
}

/* Only where they are asked for: of a page in the swap cache, of one of a large folio. */
static void put_counts(FILE *out, const struct cowtrace_record *r)
{
	if (r->present & COWTRACE_HAS_SWAPCOUNT)
		fprintf(out, " swapcount=%u", r->swapcount);
	else if (r->state & COWTRACE_PG_SWAPCACHE)
		fputs(" swapcount=-", out);
	if (r->present & COWTRACE_HAS_MAPPED_HERE)
		fprintf(out, " mapped_here=%u", r->mapped_here);
}

static void put_frames(FILE *out, const struct cowtrace_record *r)
{
	fprintf(out, " pfn=0x%" PRIx64, (uint64_t)r->pfn);
	if (r->present & COWTRACE_HAS_NEW_PFN)
		fprintf(out, " new_pfn=0x%" PRIx64, (uint64_t)r->new_pfn);
	else
		fputs(" new_pfn=-", out);
}

void ct_fault_text(FILE *out, const struct ct_fault *f)
{
	const struct cowtrace_record *r = f->record;
	char comm[4 * COWTRACE_COMM_LEN];

	ct_clean_text(comm, sizeof(comm), r->comm, sizeof(r->comm));
	fprintf(out, "%" PRIu64 ".%06u [%03u] %s-%u ", (uint64_t)r->time_ns / 1000000000,
		(unsigned int)(r->time_ns % 1000000000 / 1000), r->cpu, comm, r->pid);
	put_word(out, f, "outcome", r->outcome);
	if (r->reason) {
		fputc(' ', out);
		put_word(out, f, "reason", r->reason);
	}
	put_decision(out, f);
	if (r->path != COWTRACE_PATH_PTE) {
		fputs(" path=", out);
		put_word(out, f, "path", r->path);
	}
	fputs(" kind=", out);
	put_word(out, f, "kind", r->kind);
	fputs(" origin=", out);
	put_word(out, f, "origin", r->origin);
	fprintf(out, " addr=0x%" PRIx64, (uint64_t)r->address);
	if (r->present & COWTRACE_HAS_IP)
		fprintf(out, " ip=0x%" PRIx64, (uint64_t)r->ip);
	else
		fputs(" ip=-", out);
	put_holders(out, f);
	put_counts(out, r);
	put_frames(out, r);
	fprintf(out, " ns=%u state=", r->duration_ns);
	put_flags(out, f, "state", r->state);
	fputs(" evidence=", out);
	put_flags(out, f, "evidence", r->evidence);
	/* 0: the record was no part of a stream. */
	if (r->seq)
		fprintf(out, " fault=%u:%u", r->cpu, r->seq);
	if (f->split)
		fprintf(out, " continues=%u:%u", f->split->cpu, f->split->seq);
	fputc('\n', out);
}

/* --- JSON ------------------------------------------------------------------- */

/* What the schema has no word for is "?N". */
static struct json_object *word_value(const struct ct_fault *f, const struct ct_field *field,
				      uint64_t value)
{
	const struct ct_word *w = NULL;
	char unknown[32];

	if (field->vocab && value <= UINT32_MAX)
		w = ct_schema_word(f->schema, field->vocab, value);
	if (w)
		return json_object_new_string(w->name);
	snprintf(unknown, sizeof(unknown), "?%" PRIu64, value);
	return json_object_new_string(unknown);
}

static struct json_object *flags_value(const struct ct_fault *f, const struct ct_field *field,
				       uint64_t value)
{
	struct json_object *list = json_object_new_array();

	for (; value; value &= value - 1)
		json_object_array_add(list, word_value(f, field, value & -value));
	return list;
}

static struct json_object *field_value(const struct ct_fault *f, const struct ct_field *field)
{
	char text[256];
	uint64_t value;

	if (field->type == CT_TYPE_TEXT) {
		ct_clean_text(text, sizeof(text), (const char *)f->raw + field->offset,
			      field->size);
		return json_object_new_string(text);
	}
	value = ct_field_number(field, f->raw);
	if (!strcmp(field->format, "flags"))
		return flags_value(f, field, value);
	if (!strcmp(field->format, "enum"))
		return word_value(f, field, value);
	if (!strcmp(field->format, "hex")) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
		return json_object_new_string(text);
	}
	if (field->type == CT_TYPE_SIGNED)
		return json_object_new_int64(value);
	return json_object_new_uint64(value);
}

static struct json_object *decision_value(const struct ct_fault *f)
{
	struct cowtrace_decision d = cowtrace_decision(f->record, f->schema->traits);
	struct json_object *o;

	if (!d.test)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "test", json_object_new_string(d.test));
	json_object_object_add(o, "value", d.measured ? json_object_new_int(d.value) : NULL);
	json_object_object_add(o, "limit", d.measured ? json_object_new_int(d.limit) : NULL);
	return o;
}

/* A field that is absent has no value: null. */
void ct_fault_json(FILE *out, const struct ct_fault *f)
{
	const struct ct_field *present = ct_schema_field(f->schema, "present");
	uint64_t given = present ? ct_field_number(present, f->raw) : UINT64_MAX;
	struct json_object *o = json_object_new_object(), *split;

	for (size_t i = 0; i < f->schema->nr_fields; i++) {
		const struct ct_field *field = &f->schema->fields[i];
		bool absent = field->present_bit && !(given & field->present_bit);

		json_object_object_add(o, field->name, absent ? NULL : field_value(f, field));
	}
	json_object_object_add(o, "decision", decision_value(f));
	if (f->split) {
		split = json_object_new_object();
		json_object_object_add(split, "cpu", json_object_new_uint64(f->split->cpu));
		json_object_object_add(split, "seq", json_object_new_uint64(f->split->seq));
		json_object_object_add(o, "continues", split);
	}
	fprintf(out, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}
