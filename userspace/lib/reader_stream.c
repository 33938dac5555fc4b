// SPDX-License-Identifier: GPL-2.0
#include "reader_parts.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "progress.h"

/* All streams together read so much ahead. */
#define STREAM_BUDGET		(8u << 20)
#define STREAM_BUFFER_MAX	(512u << 10)
/* More records than that between two chunks are rather damage. */
#define STEP_PLAUSIBLE		(1 << 24)

/* Reads a chunk through the buffer, where it stays if it fits. */
static bool chunk_whole(struct ct_reader *r, struct stream *s, const struct chunk *c)
{
	uint32_t done, n;
	uint32_t crc = 0;

	for (done = 0; done < c->length; done += n) {
		n = c->length - done < r->buffer_size ? c->length - done : r->buffer_size;
		if (ct_read_at(r->fd, s->buffer, n, c->offset + done) != n)
			return false;
		crc = libdeflate_crc32(crc, s->buffer, n);
	}
	return crc == c->crc;
}

/* Checks a chunk that the walk over all chunks left unchecked. */
static bool check_chunk(struct ct_reader *r, struct stream *s, struct chunk *c)
{
	c->checked = true;
	if (chunk_whole(r, s, c))
		return true;
	ct_reader_damage(r, CT_DAMAGE_PAYLOAD, c->offset - CHUNK_HEADER,
			 ct_chunk_size(c->length), CT_CHUNK_RECORDS, s->info.cpu);
	r->info.chunks--;
	r->info.record_bytes -= c->length;
	c->length = 0;
	return false;
}

/* Numbers the chunks by their first records; false where they seem out of order. */
static bool number_chunks(struct ct_reader *r, struct stream *s, const struct ct_field *seq)
{
	uint32_t first = 0, last = 0;
	bool ordered = true;
	uint8_t raw[4];
	int64_t step;
	size_t i;

	for (i = 0; i < s->nr_chunks; i++) {
		struct chunk *c = &s->chunks[i];

		if (c->length >= r->schema->record_size &&
		    ct_read_at(r->fd, raw, sizeof(raw), c->offset + seq->offset) == sizeof(raw))
			first = ct_le32(raw);
		/* The number wraps at 2^32: distances are signed. */
		step = i ? (int32_t)(first - last) : (int64_t)first;
		c->seq = i ? c[-1].seq + step : step;
		ordered &= !i || (step >= 0 && step < STEP_PLAUSIBLE);
		last = first;
	}
	return ordered;
}

static int by_seq(const void *a, const void *b)
{
	const struct chunk *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->offset < y->offset ? -1 : 1;
}

/* Chunks that damage moved about go back into the order of their sequence. */
static void order_chunks(struct ct_reader *r, struct stream *s)
{
	const struct ct_field *seq = ct_schema_field(r->schema, "seq");
	size_t i, whole = 0;

	if (number_chunks(r, s, seq))
		return;
	/* What is out of order may be a number in a damaged chunk: leave these out. */
	for (i = 0; i < s->nr_chunks; i++)
		if (s->chunks[i].checked || check_chunk(r, s, &s->chunks[i]))
			s->chunks[whole++] = s->chunks[i];
	s->nr_chunks = whole;
	number_chunks(r, s, seq);
	if (whole)
		qsort(s->chunks, whole, sizeof(*s->chunks), by_seq);
}

static int by_cpu(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;

	return x->info.cpu < y->info.cpu ? -1 : 1;
}

int ct_reader_streams(struct ct_reader *r, struct ct_error *err)
{
	uint32_t record = r->schema->record_size;
	uint32_t size = STREAM_BUFFER_MAX;
	size_t i;

	r->magic_offset = ct_schema_field(r->schema, "magic")->offset;
	r->type_offset = ct_schema_field(r->schema, "type")->offset;
	if (r->longest < size)
		size = r->longest;
	if (r->nr_streams && STREAM_BUDGET / r->nr_streams < size)
		size = STREAM_BUDGET / r->nr_streams;
	r->buffer_size = size < record ? record : size / record * record;
	/* qsort() takes no NULL */
	if (r->nr_streams)
		qsort(r->streams, r->nr_streams, sizeof(*r->streams), by_cpu);
	r->heap = calloc(r->nr_streams + 1, sizeof(*r->heap));
	if (!r->heap)
		return ct_error_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < r->nr_streams; i++) {
		struct stream *s = &r->streams[i];

		s->buffer = malloc(r->buffer_size);
		if (!s->buffer)
			return ct_error_set(err, -ENOMEM, "out of memory");
		order_chunks(r, s);
	}
	return 0;
}

static void record_damage(struct ct_reader *r, const struct stream *s, uint64_t offset,
			  uint64_t bytes)
{
	if (!r->counted_records)
		ct_reader_damage(r, CT_DAMAGE_RECORD, offset, bytes, CT_CHUNK_RECORDS, s->info.cpu);
}

/* The next bytes of the stream into its buffer; false at its end. */
static bool refill(struct ct_reader *r, struct stream *s)
{
	uint32_t record = r->schema->record_size;

	for (; s->chunk < s->nr_chunks; s->chunk++, s->done = 0) {
		struct chunk *c = &s->chunks[s->chunk];
		bool held = !c->checked && c->length <= r->buffer_size;
		uint32_t left, want;

		if (!c->checked && !check_chunk(r, s, c))
			continue;
		left = c->length - s->done;
		want = left < r->buffer_size ? left / record * record : r->buffer_size;
		if (want) {
			s->used = 0;
			s->filled = held ? want :
				    ct_read_at(r->fd, s->buffer, want, c->offset + s->done) /
				    record * record;
			s->done += s->filled;
			r->taken += s->filled;
			ct_progress("reading the trace", r->taken, r->info.record_bytes);
			if (s->filled)
				return true;
			/* The file became shorter since it was checked. */
			left = c->length - s->done;
		}
		if (left)
			record_damage(r, s, c->offset + s->done, left);
	}
	return false;
}

/* Is the record in order? Counts what its sequence number says is missing. */
static bool follows(struct ct_reader *r, struct stream *s)
{
	int32_t step = s->record.seq - s->last_seq;

	s->lost_before = 0;
	if (!s->started) {
		s->started = true;
		s->info.first_seq = s->record.seq;
	} else if (step <= 0) {
		s->info.repeated++;
		r->info.repeated++;
		return false;
	} else if (step > 1) {
		s->lost_before = step - 1;
		s->info.gaps++;
		s->info.lost += s->lost_before;
		r->info.gaps++;
		r->info.lost += s->lost_before;
	}
	s->last_seq = s->record.seq;
	return true;
}

bool ct_stream_advance(struct ct_reader *r, struct stream *s)
{
	uint32_t record = r->schema->record_size;
	uint64_t end;

	for (;;) {
		if (s->used == s->filled && !refill(r, s))
			return false;
		s->raw = s->buffer + s->used;
		s->used += record;
		if (s->raw[r->magic_offset] != COWTRACE_RECORD_MAGIC) {
			record_damage(r, s, s->chunks[s->chunk].offset + s->done -
					    (s->filled - s->used) - record, record);
			continue;
		}
		/* Types of later versions. */
		if (s->raw[r->type_offset] != COWTRACE_TYPE_FAULT)
			continue;
		ct_schema_decode(r->schema, s->raw, &s->record);
		if (!follows(r, s))
			continue;
		end = ct_add(s->record.time_ns, s->record.duration_ns);
		if (end > s->key)
			s->key = end;
		s->info.records++;
		return true;
	}
}

void ct_stream_rewind(struct stream *s)
{
	s->chunk = 0;
	s->done = 0;
	s->filled = 0;
	s->used = 0;
	s->started = false;
	s->key = 0;
	s->info = (struct ct_cpu_info){ .cpu = s->info.cpu };
}
