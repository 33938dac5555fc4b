// SPDX-License-Identifier: GPL-2.0
#include "json.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

/* Out of memory: json-c lets a null stand for what it could not make. */
void add(struct json_object *to, const char *name, struct json_object *value)
{
	json_object_object_add(to, name, value);
}

void add_number(struct json_object *to, const char *name, uint64_t n)
{
	add(to, name, json_object_new_uint64(n));
}

void add_text(struct json_object *to, const char *name, const char *text)
{
	add(to, name, text ? json_object_new_string(text) : NULL);
}

void add_count(struct json_object *o, const struct ct_count *c)
{
	add_number(o, "faults", c->faults);
	add_number(o, "copies", c->copies);
	add_number(o, "reuses", c->reuses);
	add_number(o, "splits", c->splits);
	add_number(o, "bytes_copied", c->bytes);
	add_number(o, "time_ns", c->ns);
	add_number(o, "copy_time_ns", c->copy_ns);
}

static struct json_object *sampling(const struct ct_sample *s)
{
	struct json_object *o = json_object_new_object();

	add(o, "every", s->every ? json_object_new_uint64(s->every) : NULL);
	add(o, "recorded", s->all ? json_object_new_uint64(s->recorded) : NULL);
	add(o, "all", s->all ? json_object_new_uint64(s->all) : NULL);
	add(o, "factor", json_object_new_double(s->factor));
	add(o, "changed", json_object_new_boolean(s->changed));
	return o;
}

struct json_object *json_trace(const struct ct_report *r)
{
	struct json_object *o = json_object_new_object(), *cpus = json_object_new_array();
	const struct ct_schema *s = r->schema;
	const struct ct_cpu_info *cpu;
	char path[4096], version[32];
	size_t i;

	ct_clean_text(path, sizeof(path), r->path, strlen(r->path));
	snprintf(version, sizeof(version), "%u.%u", s->major, s->minor);
	add_text(o, "file", path);
	add_number(o, "bytes", r->info->size);
	add(o, "ended", json_object_new_boolean(r->info->ended));
	add_text(o, "schema", version);
	add_text(o, "module", s->module);
	add_text(o, "kernel", s->kernel);
	add_text(o, "backend", s->backend);
	add_number(o, "page_size", s->page_size);
	add_number(o, "traits", s->traits);
	for (i = 0; (cpu = ct_reader_cpu(r->reader, i)); i++) {
		struct json_object *c = json_object_new_object();

		add_number(c, "cpu", cpu->cpu);
		add_number(c, "records", cpu->records);
		add_number(c, "first_seq", cpu->first_seq);
		add_number(c, "gaps", cpu->gaps);
		add_number(c, "lost", cpu->lost);
		add_number(c, "repeated", cpu->repeated);
		json_object_array_add(cpus, c);
	}
	add(o, "cpus", cpus);
	add(o, "meta", json_object_get(r->meta));
	add(o, "sampling", ct_sampled(&r->sample) ? sampling(&r->sample) : NULL);
	return o;
}

void add_error(struct json_object *to, const struct ct_sample *sample, uint64_t faults)
{
	if (ct_sampled(sample))
		add(to, "standard_error", json_object_new_double(ct_sample_error(sample, faults)));
}

struct json_object *json_site(const struct ct_processes *processes, const struct ct_site *it,
			      const struct ct_count *count)
{
	struct json_object *o = json_object_new_object();
	const struct ct_object *object;
	char id[2 * CT_BUILD_ID_MAX + 1] = "";
	uint32_t i;

	if (it->object == CT_MAP_NONE) {
		add_number(o, "address", it->offset);
		add_count(o, count);
		return o;
	}
	object = ct_processes_object(processes, it->object);
	for (i = 0; i < object->build_id_size; i++)
		snprintf(id + 2 * i, 3, "%02x", object->build_id[i]);
	add_text(o, "object", object->path);
	add_text(o, "build_id", *id ? id : NULL);
	add_number(o, "file_offset", it->offset);
	add_text(o, "symbol", it->symbol);
	if (it->symbol)
		add_number(o, "symbol_offset", it->past);
	add_count(o, count);
	return o;
}

static struct json_object *numbers(const struct ct_report *r, const struct ct_loss *loss)
{
	struct json_object *o = json_object_new_object();
	uint64_t n;

	for (; loss->name; loss++)
		if (ct_state_number(&r->state, loss->file, loss->name, &n))
			add_number(o, loss->name, n);
	return o;
}

struct json_object *json_lost(const struct ct_report *r, const struct ct_processes *processes)
{
	struct json_object *o = json_object_new_object();

	/* null: the trace does not say, which is not the same as nothing. */
	add(o, "module", ct_state_text(&r->state, "lost") ? numbers(r, ct_losses) : NULL);
	add(o, "stacks", ct_state_text(&r->state, "stacks") ? numbers(r, ct_stack_losses) : NULL);
	add(o, "left_out", ct_state_text(&r->state, "stats") ? numbers(r, ct_left_out) : NULL);
	add_number(o, "sequence_gaps", r->info->gaps);
	add_number(o, "sequence_lost", r->info->lost);
	add_number(o, "repeated", r->info->repeated);
	add_number(o, "sideband_lost", ct_processes_lost(processes));
	add_number(o, "sideband_bad", ct_processes_bad(processes));
	return o;
}

struct json_object *json_damage(const struct ct_trace_info *info)
{
	struct json_object *o = json_object_new_object(), *parts = json_object_new_array();
	size_t i;

	add_number(o, "places", info->damages);
	add_number(o, "bytes", info->damaged_bytes);
	for (i = 0; i < info->damages && i < CT_DAMAGE_LISTED; i++) {
		const struct ct_damage *d = &info->listed[i];
		struct json_object *part = json_object_new_object();

		add_text(part, "what", ct_damage_sentence(d->kind));
		add_number(part, "offset", d->offset);
		add_number(part, "bytes", d->bytes);
		if (d->cpu != UINT32_MAX)
			add_number(part, "cpu", d->cpu);
		json_object_array_add(parts, part);
	}
	add(o, "parts", parts);
	return o;
}

int json_print(FILE *out, struct json_object *o)
{
	const char *text;
	int err;

	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
	err = !text || fputs(text, out) == EOF || fputc('\n', out) == EOF ? -EIO : 0;
	json_object_put(o);
	return err;
}
