// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a long trace of short real ones, as if the same load had run again and
 * again on the same machine, without a loss.
 *
 * usage: multiply RECORDS OUT TRACE...
 *
 * The records of the traces, which must be of one kernel, follow each other as
 * often as it takes, the last time cut short. CPUs stay; sequence numbers are
 * counted anew; each round is moved in time to begin after the one before it
 * ended. The side-band is moved along, so that each round forks and ends its
 * processes again, by the same numbers; what was there before the tracing began
 * is told once. The module's own counters are those of one run: left out.
 *
 * Records and schema are written in the layout that the module has today, also
 * when those of the traces are older.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "generate.h"
#include "map.h"
#include "reader.h"
#include "sideband_memory.h"
#include "writer.h"

#define CPUS_MAX	1024u
/* As the recorder does: records of a chunk. */
#define CHUNK_RECORDS	((512u << 10) / sizeof(struct cowtrace_record))
/* Between two rounds. */
#define PAUSE_NS	1000000u

struct chunk {
	uint32_t	cpu;
	struct bytes	data;
};

struct input {
	struct cowtrace_record *records;
	uint32_t	*cpus;
	size_t		nr;
	struct chunk	*sideband;
	size_t		nr_sideband;
	struct bytes	meta;
	uint64_t	begin;
	uint64_t	end;
};

struct stream {
	uint32_t	seq;
	size_t		filled;
	struct cowtrace_record *records;
};

struct output {
	struct ct_writer *writer;
	struct stream	streams[CPUS_MAX];
	uint64_t	left;
};

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	fputs("multiply: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *need(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

static void widen(struct input *in, uint64_t begin, uint64_t end)
{
	if (begin < in->begin)
		in->begin = begin;
	if (end > in->end)
		in->end = end;
}

static int take_sideband(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct input *in = arg;

	in->sideband = need(ct_grow(in->sideband, in->nr_sideband, sizeof(*in->sideband)));
	in->sideband[in->nr_sideband] = (struct chunk){ .cpu = cpu };
	append_bytes(&in->sideband[in->nr_sideband++].data, data, length);
	return 0;
}

static int take_meta(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct input *in = arg;

	(void)cpu;
	if (!in->meta.size)
		append_bytes(&in->meta, data, length);
	return 0;
}

static void load(struct input *in, const char *path, struct ct_reader **reader)
{
	const struct ct_trace_info *info;
	struct ct_error err = { 0 };
	struct ct_event event;

	if (ct_reader_open(path, reader, &err))
		die("%s", err.text);
	in->begin = UINT64_MAX;
	while (ct_reader_next(*reader, &event)) {
		const struct cowtrace_record *r = event.record;

		in->records = need(ct_grow(in->records, in->nr, sizeof(*in->records)));
		in->cpus = need(ct_grow(in->cpus, in->nr, sizeof(*in->cpus)));
		in->records[in->nr] = *r;
		in->cpus[in->nr++] = event.cpu;
		if (event.cpu >= CPUS_MAX)
			die("%s: CPU %u is beyond the %u that are dealt with", path, event.cpu,
			    CPUS_MAX);
		widen(in, r->time_ns, ct_add(r->time_ns, r->duration_ns));
	}
	info = ct_reader_info(*reader);
	if (!in->nr || info->damages)
		die("%s has no records or is damaged", path);
	if (ct_reader_chunks(*reader, CT_CHUNK_SIDEBAND, take_sideband, in) ||
	    ct_reader_chunks(*reader, CT_CHUNK_META, take_meta, in))
		die("out of memory");
}

/* Where the time of a record stands, as sample_type of the recorder has it. */
static uint64_t *time_of(uint8_t *record, uint32_t type, uint16_t size)
{
	size_t at = type == PERF_RECORD_SAMPLE ? sizeof(struct perf_event_header) :
						 size - sizeof(struct ct_sideband_id);

	return (uint64_t *)(record + at + offsetof(struct ct_sideband_id, time));
}

/* One record is shown to @fn: @time is where its times stand, @nr of them. */
typedef void sideband_fn(void *arg, bool before, uint64_t **time, unsigned int nr,
			 const void *record, uint16_t size);

static void each_record(struct chunk *chunk, sideband_fn *fn, void *arg)
{
	size_t at = 0;

	while (at + sizeof(struct perf_event_header) <= chunk->data.size) {
		uint8_t *record = (uint8_t *)chunk->data.data + at;
		uint32_t type = ct_le32(record);
		uint16_t size = ct_le16(record + 6);
		/* What was there before is written as of no CPU. */
		bool before = chunk->cpu == UINT32_MAX && type != CT_RECORD_MEMORY;
		uint64_t *time[2];
		unsigned int nr = 1;

		if (size < sizeof(struct perf_event_header) + sizeof(struct ct_sideband_id) ||
		    size % 8 || size > chunk->data.size - at)
			die("the side-band is none that cowtrace record wrote");
		time[0] = time_of(record, type, size);
		if (type == PERF_RECORD_FORK || type == PERF_RECORD_EXIT)
			time[nr++] = (uint64_t *)(record + 24);
		fn(arg, before, time, nr, record, size);
		at += size;
	}
}

static void widen_by(void *arg, bool before, uint64_t **time, unsigned int nr,
		     const void *record, uint16_t size)
{
	(void)record;
	(void)size;
	while (!before && nr--)
		widen(arg, *time[nr], *time[nr]);
}

struct move {
	uint64_t	by;
	bool		first;
	struct bytes	out;
};

static void move_it(void *arg, bool before, uint64_t **time, unsigned int nr,
		    const void *record, uint16_t size)
{
	struct move *m = arg;
	uint64_t old[2];
	unsigned int i;

	if (before && !m->first)
		return;
	for (i = 0; i < nr; i++) {
		old[i] = *time[i];
		*time[i] += m->by;
	}
	append_bytes(&m->out, record, size);
	for (i = 0; i < nr; i++)
		*time[i] = old[i];
}

static void put(struct output *out, uint32_t type, uint32_t cpu, const void *data, size_t size)
{
	int err = ct_writer_chunk(out->writer, type, cpu, data, size);

	if (err)
		die("cannot write: %s", strerror(-err));
}

static void put_sideband(struct output *out, struct input *in, uint64_t by, bool first)
{
	size_t i;

	for (i = 0; i < in->nr_sideband; i++) {
		struct move m = { .by = by, .first = first };

		each_record(&in->sideband[i], move_it, &m);
		if (m.out.size)
			put(out, CT_CHUNK_SIDEBAND, in->sideband[i].cpu, m.out.data, m.out.size);
		free(m.out.data);
	}
}

static void flush(struct output *out, uint32_t cpu)
{
	struct stream *s = &out->streams[cpu];

	if (s->filled)
		put(out, CT_CHUNK_RECORDS, cpu, s->records, s->filled * sizeof(*s->records));
	s->filled = 0;
}

static void put_records(struct output *out, const struct input *in, uint64_t by)
{
	size_t i;

	for (i = 0; i < in->nr && out->left; i++, out->left--) {
		struct stream *s = &out->streams[in->cpus[i]];
		struct cowtrace_record *r;

		if (!s->records)
			s->records = need(calloc(CHUNK_RECORDS, sizeof(*s->records)));
		r = &s->records[s->filled++];
		*r = in->records[i];
		r->seq = ++s->seq;
		r->time_ns += by;
		if (s->filled == CHUNK_RECORDS)
			flush(out, in->cpus[i]);
	}
}

static void multiply(struct output *out, struct input *inputs, int nr)
{
	uint64_t now = inputs[0].begin;
	bool first;
	int i;

	for (first = true; out->left; first = false) {
		for (i = 0; i < nr && out->left; i++) {
			struct input *in = &inputs[i];

			/* By going round 2^64 back in time, if need be. */
			put_sideband(out, in, now - in->begin, first);
			put_records(out, in, now - in->begin);
			now += in->end - in->begin + PAUSE_NS;
		}
	}
}

/* Writes what stands at the beginning of the trace. */
static void begin(struct output *out, const char *path, const struct ct_schema *schema,
		  const struct input *in)
{
	char *text = schema_text_of(schema);
	int err = ct_writer_open(path, &out->writer);

	if (err)
		die("cannot write %s: %s", path, strerror(-err));
	if (in->meta.size)
		put(out, CT_CHUNK_META, UINT32_MAX, in->meta.data, in->meta.size);
	put(out, CT_CHUNK_SCHEMA, UINT32_MAX, text, strlen(text));
	free(text);
}

int main(int argc, char **argv)
{
	static struct output out;
	int nr = argc - 3, i, err;
	struct ct_reader **readers;
	struct input *inputs;
	uint32_t cpu;
	size_t k;

	out.left = argc > 3 ? strtoull(argv[1], NULL, 10) : 0;
	if (!out.left) {
		fprintf(stderr, "usage: multiply RECORDS OUT TRACE...\n");
		return 2;
	}
	inputs = need(calloc(nr, sizeof(*inputs)));
	readers = need(calloc(nr, sizeof(struct ct_reader *)));
	for (i = 0; i < nr; i++) {
		const struct ct_schema *s, *s0;

		load(&inputs[i], argv[3 + i], &readers[i]);
		s = ct_reader_schema(readers[i]);
		s0 = ct_reader_schema(readers[0]);
		if (s->traits != s0->traits || s->page_size != s0->page_size ||
		    strcmp(s->kernel ?: "", s0->kernel ?: ""))
			die("%s is of another kernel than %s", argv[3 + i], argv[3]);
		for (k = 0; k < inputs[i].nr_sideband; k++)
			each_record(&inputs[i].sideband[k], widen_by, &inputs[i]);
	}
	begin(&out, argv[2], ct_reader_schema(readers[0]), &inputs[0]);
	multiply(&out, inputs, nr);
	for (cpu = 0; cpu < CPUS_MAX; cpu++) {
		flush(&out, cpu);
		free(out.streams[cpu].records);
	}
	err = ct_writer_close(out.writer);
	if (err)
		die("cannot write %s: %s", argv[2], strerror(-err));
	for (i = 0; i < nr; i++) {
		for (k = 0; k < inputs[i].nr_sideband; k++)
			free(inputs[i].sideband[k].data.data);
		free(inputs[i].sideband);
		free(inputs[i].meta.data);
		free(inputs[i].records);
		free(inputs[i].cpus);
		ct_reader_close(readers[i]);
	}
	free(inputs);
	free(readers);
	return 0;
}
