// SPDX-License-Identifier: GPL-2.0
/* A run of experiments, as cowtrace experiment run --json -o TRACE has left it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json_read.h"
#include "ledger.h"
#include "past.h"
#include "process.h"
#include "reader_parts.h"
#include "verify.h"

/* Greater numbers are damage: experiments are small. */
#define BYTES_MAX	(1ull << 36)
#define PAGES_MAX	(1ull << 20)
#define STEPS_MAX	10000

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

static uint64_t number_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_int) ?
	       json_object_get_uint64(v) : 0;
}

static struct json_object *list_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_array) ?
	       v : NULL;
}

static void word(char *to, size_t size, struct json_object *o, const char *name)
{
	snprintf(to, size, "%s", text_of(o, name));
}

/* Return: 0, -EINVAL, -ENOMEM. */
static int load_part(struct ct_verify_step *s, struct json_object *part)
{
	word(s->area, sizeof(s->area), part, "area");
	s->tgid = number_of(part, "tgid");
	s->base = number_of(part, "base");
	s->bytes = number_of(part, "bytes");
	s->grain = number_of(part, "grain");
	s->unit = number_of(part, "unit");
	if (!s->grain || !s->unit || s->bytes > BYTES_MAX || s->bytes < s->grain ||
	    s->bytes / s->grain > PAGES_MAX)
		return -EINVAL;
	s->page = calloc(s->bytes / s->grain, sizeof(*s->page));
	s->done = s->page;
	return s->page ? 0 : -ENOMEM;
}

static int load_step(struct ct_verify_run *run, struct json_object *experiment,
		     struct json_object *step)
{
	struct json_object *parts = list_of(step, "parts");
	struct ct_verify_step *s;

	if (run->nr_steps == STEPS_MAX)
		return -EINVAL;
	s = realloc(run->step, (run->nr_steps + 1) * sizeof(*s));
	if (!s)
		return -ENOMEM;
	run->step = s;
	s += run->nr_steps++;
	memset(s, 0, sizeof(*s));
	word(s->experiment, sizeof(s->experiment), experiment, "name");
	word(s->name, sizeof(s->name), step, "name");
	if (!parts || !json_object_array_length(parts))
		return 0;
	s->race = json_object_array_length(parts) > 1;
	s->began = number_of(step, "began_ns");
	s->ended = number_of(step, "ended_ns");
	return load_part(s, json_object_array_get_idx(parts, 0));
}

static int load_steps(struct ct_verify_run *run, struct json_object *o)
{
	struct json_object *list = list_of(o, "experiments"), *steps;
	size_t e, s;
	int ret = 0;

	for (e = 0; e < json_object_array_length(list); e++) {
		struct json_object *experiment = json_object_array_get_idx(list, e);

		steps = list_of(experiment, "steps");
		for (s = 0; !ret && steps && s < json_object_array_length(steps); s++)
			ret = load_step(run, experiment, json_object_array_get_idx(steps, s));
	}
	return ret;
}

static int add_fault(struct ct_verify_step *s, const struct cowtrace_record *r, int8_t exclusive)
{
	struct ct_verify_fault **at = &s->page[(r->address - s->base) / s->grain], *f;

	/* They come in the order in which they ended. */
	while (*at && (*at)->record.time_ns <= r->time_ns)
		at = &(*at)->next;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct ct_verify_fault) { *r, exclusive, *at };
	*at = f;
	return 0;
}

int ct_verify_add(struct ct_verify_run *run, const struct cowtrace_record *r, int8_t exclusive)
{
	size_t i;

	for (i = 0; i < run->nr_steps; i++) {
		struct ct_verify_step *s = &run->step[i];

		if (s->done && r->tgid == s->tgid && r->time_ns >= s->began &&
		    r->time_ns <= s->ended && r->address >= s->base &&
		    (r->address - s->base) / s->grain < s->bytes / s->grain)
			return add_fault(s, r, exclusive);
	}
	return 0;
}

/* What tells of pages on a kernel without PageAnonExclusive. */
struct history {
	struct ct_processes	*processes;
	struct ct_forks		*forks;
	struct ct_past		*past;
};

static int open_history(struct ct_reader *reader, struct history *h, struct ct_error *err)
{
	const struct ct_schema *schema = ct_reader_schema(reader);
	int ret;

	if (schema->traits & COWTRACE_TRAIT_EXCLUSIVE)
		return 0;
	ret = ct_processes_load(reader, &h->processes, err);
	/* Without all forks it says nothing. */
	if (ret || !ct_processes_nr(h->processes) || ct_processes_lost(h->processes))
		return ret;
	h->forks = ct_forks_new(h->processes, schema->page_size);
	if (h->forks)
		h->past = ct_past_new(h->forks, true);
	return h->past ? 0 : ct_error_set(err, -ENOMEM, "no memory for the past of pages");
}

static void close_history(struct history *h)
{
	ct_past_free(h->past);
	ct_forks_free(h->forks);
	ct_processes_free(h->processes);
}

static int read_faults(struct ct_reader *reader, struct ct_verify_run *run, struct history *h)
{
	struct ct_event event;
	int ret = 0;

	while (!ret && ct_reader_next(reader, &event)) {
		const struct cowtrace_record *r = event.record;
		int exclusive = COWTRACE_NOT_KNOWN;

		if (h->past)
			exclusive = ct_past_take(h->past, r,
						 ct_processes_find(h->processes, r->tgid,
								   r->time_ns));
		ret = ct_verify_add(run, r, exclusive);
	}
	return ret;
}

static int load_trace(struct ct_verify_files *files, struct ct_verify_run *run,
		      struct ct_error *err)
{
	const char *path = files->trace_path;
	struct history history = { NULL };
	const struct ct_trace_info *info;
	struct ct_reader *reader;
	int ret = ct_reader_open_fd(files->trace, path, &reader, err);

	files->trace = -1;
	if (ret)
		return ret;
	run->traits = ct_reader_schema(reader)->traits;
	ret = open_history(reader, &history, err);
	if (!ret && read_faults(reader, run, &history))
		ret = ct_error_set(err, -ENOMEM, "no memory for the faults of %s", path);
	info = ct_reader_info(reader);
	if (!ret && (info->lost || info->damages || !info->ended))
		ret = ct_error_set(err, -EINVAL,
				   "%s is not whole (%llu records lost, %llu damaged parts): what is missing cannot be compared, record it again",
				   path, (unsigned long long)info->lost,
				   (unsigned long long)info->damages);
	close_history(&history);
	ct_reader_close(reader);
	return ret;
}

/* Return: 0 or a negative errno. @o is to be put. */
static int parse(const struct ct_verify_files *files, struct json_object **o, struct ct_error *err)
{
	const char *path = files->path;
	int ret = ct_json_text(files->text, files->length, o);

	if (ret)
		return ct_error_set(err, ret, "no memory for %s", path);
	if (!*o)
		return ct_error_set(err, -EINVAL,
				    "cannot read %s: is it the output of cowtrace experiment run --json?",
				    path);
	if (!list_of(*o, "experiments") || strncmp(text_of(*o, "version"), "1.", 2))
		return ct_error_set(err, -EINVAL,
				    "%s is no output of cowtrace experiment run --json, or of a newer version",
				    path);
	if (!*text_of(*o, "trace"))
		return ct_error_set(err, -EINVAL,
				    "%s names no trace: run the experiments with --json and -o TRACE",
				    path);
	if (number_of(*o, "lost"))
		return ct_error_set(err, -EINVAL,
				    "%s lacks %llu records: what is missing cannot be compared, run it again",
				    path, (unsigned long long)number_of(*o, "lost"));
	return 0;
}

int ct_verify_trace(const struct ct_verify_files *files, char *name, size_t size,
		    struct ct_error *err)
{
	struct json_object *o = NULL;
	int ret = parse(files, &o, err);

	if (!ret)
		word(name, size, o, "trace");
	json_object_put(o);
	return ret;
}

int ct_verify_parse(struct ct_verify_files *files, struct ct_verify_run *run,
		    struct ct_error *err)
{
	struct json_object *o = NULL;
	int ret;

	memset(run, 0, sizeof(*run));
	ret = parse(files, &o, err);
	if (!ret) {
		word(run->label, sizeof(run->label), o, "generation");
		word(run->kernel, sizeof(run->kernel), o, "kernel");
		word(run->backend, sizeof(run->backend), o, "backend");
		ret = load_steps(run, o);
		if (ret)
			ct_error_set(err, ret, ret == -ENOMEM ? "no memory for %s" :
				     "%s: where an experiment touched memory cannot be read",
				     files->path);
	}
	json_object_put(o);
	return ret ?: load_trace(files, run, err);
}

int ct_verify_load(const char *path, struct ct_verify_run *run, struct ct_error *err)
{
	struct ct_verify_files files;
	char name[CT_VERIFY_NAME];
	int ret;

	memset(run, 0, sizeof(*run));
	ret = ct_verify_open(path, &files, err);
	if (!ret)
		ret = ct_verify_trace(&files, name, sizeof(name), err);
	if (!ret)
		ret = ct_verify_open_trace(&files, name, err);
	if (!ret)
		ret = ct_verify_parse(&files, run, err);
	ct_verify_close(&files);
	return ret;
}

void ct_verify_free(struct ct_verify_run *run)
{
	size_t i;
	uint64_t p;

	for (i = 0; i < run->nr_steps; i++) {
		const struct ct_verify_step *s = &run->step[i];

		for (p = 0; s->page && p < s->bytes / s->grain; p++)
			while (s->page[p]) {
				struct ct_verify_fault *f = s->page[p];

				s->page[p] = f->next;
				free(f);
			}
		free(s->page);
	}
	free(run->step);
}
