// SPDX-License-Identifier: GPL-2.0
#include "reader_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "progress.h"

static const char * const damage_sentences[] = {
	[CT_DAMAGE_HEADER]	= "the file header is damaged",
	[CT_DAMAGE_LOST_CHUNK]	= "bytes that belong to no chunk",
	[CT_DAMAGE_PAYLOAD]	= "a chunk with a wrong checksum",
	[CT_DAMAGE_CUT]		= "a chunk cut off by the end of the file",
	[CT_DAMAGE_RECORD]	= "bytes that are no record",
	[CT_DAMAGE_SCHEMA]	= "a schema that does not belong to the trace",
};

const char *ct_damage_sentence(enum ct_damage_kind kind)
{
	return damage_sentences[kind];
}

const struct ct_schema *ct_reader_schema(const struct ct_reader *r)
{
	return r->schema;
}

const struct ct_trace_info *ct_reader_info(const struct ct_reader *r)
{
	return &r->info;
}

const struct ct_cpu_info *ct_reader_cpu(const struct ct_reader *r, size_t i)
{
	return i < r->nr_streams ? &r->streams[i].info : NULL;
}

static bool earlier(const struct stream *a, const struct stream *b)
{
	return a->key != b->key ? a->key < b->key : a->info.cpu < b->info.cpu;
}

static void sift_down(struct ct_reader *r, size_t i)
{
	struct stream *moved = r->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < r->nr_heap) {
		if (child + 1 < r->nr_heap && earlier(r->heap[child + 1], r->heap[child]))
			child++;
		if (!earlier(r->heap[child], moved))
			break;
		r->heap[i] = r->heap[child];
		i = child;
	}
	r->heap[i] = moved;
}

static void fill_heap(struct ct_reader *r)
{
	size_t i;

	r->nr_heap = 0;
	for (i = 0; i < r->nr_streams; i++)
		if (ct_stream_advance(r, &r->streams[i]))
			r->heap[r->nr_heap++] = &r->streams[i];
	for (i = r->nr_heap / 2; i--; )
		sift_down(r, i);
}

bool ct_reader_next(struct ct_reader *r, struct ct_event *event)
{
	struct stream *s;

	if (r->rewound) {
		r->rewound = false;
		fill_heap(r);
	} else if (r->nr_heap) {
		/* Only now: the caller was still using the record on top. */
		if (!ct_stream_advance(r, r->heap[0]))
			r->heap[0] = r->heap[--r->nr_heap];
		if (r->nr_heap)
			sift_down(r, 0);
	}
	if (!r->nr_heap) {
		r->counted_records = true;
		ct_progress_erase();
		return false;
	}
	s = r->heap[0];
	r->info.records++;
	event->record = &s->record;
	event->raw = s->raw;
	event->cpu = s->info.cpu;
	event->lost = s->lost_before;
	return true;
}

void ct_reader_rewind(struct ct_reader *r)
{
	size_t i;

	for (i = 0; i < r->nr_streams; i++)
		ct_stream_rewind(&r->streams[i]);
	r->info.records = 0;
	r->info.lost = 0;
	r->info.gaps = 0;
	r->info.repeated = 0;
	r->taken = 0;
	r->nr_heap = 0;
	r->rewound = true;
}

int ct_reader_chunks(struct ct_reader *r, uint32_t type, ct_chunk_fn *fn, void *arg)
{
	uint32_t room = 0;
	char *data = NULL;
	size_t i;
	int ret = 0;

	for (i = 0; i < r->nr_others && !ret; i++) {
		const struct other_chunk *c = &r->others[i];

		if (c->type != type)
			continue;
		if (!data || c->length > room) {
			char *bigger = realloc(data, c->length + 1);

			if (!bigger) {
				ret = -ENOMEM;
				break;
			}
			data = bigger;
			room = c->length;
		}
		ret = fn(arg, c->cpu, data, ct_read_at(r->fd, data, c->length, c->offset));
	}
	free(data);
	return ret;
}
