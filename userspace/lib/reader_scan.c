// SPDX-License-Identifier: GPL-2.0
#include "reader_parts.h"

#include <endian.h>
#include <errno.h>
#include <libdeflate.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "map.h"
#include "progress.h"

void ct_reader_damage(struct ct_reader *r, enum ct_damage_kind kind, uint64_t offset,
		      uint64_t bytes, uint32_t type, uint32_t cpu)
{
	struct ct_trace_info *info = &r->info;
	size_t i = info->damages < CT_DAMAGE_LISTED ? info->damages : CT_DAMAGE_LISTED;

	/* Found in any order, listed in that of the file. */
	for (; i && info->listed[i - 1].offset > offset; i--)
		if (i < CT_DAMAGE_LISTED)
			info->listed[i] = info->listed[i - 1];
	if (i < CT_DAMAGE_LISTED)
		info->listed[i] = (struct ct_damage){ kind, offset, bytes, type, cpu };
	info->damages++;
	info->damaged_bytes += bytes;
}

size_t ct_read_at(int fd, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)to + done, size - done, offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += got;
	}
	return done;
}

/* The same; when the window has to be moved, it takes @ahead bytes. */
static const uint8_t *look(struct ct_reader *r, uint64_t offset, size_t size, size_t ahead)
{
	if (offset < r->window_at || offset + size > r->window_at + r->window_len) {
		r->window_at = offset;
		r->window_len = ct_read_at(r->fd, r->window, ahead, offset);
		if (r->window_len < size)
			return NULL;
	}
	return r->window + (offset - r->window_at);
}

const uint8_t *ct_reader_look(struct ct_reader *r, uint64_t offset, size_t size)
{
	return look(r, offset, size, r->window_size);
}

/* Are these bytes a chunk header? In host byte order then. */
static bool parse_header(const uint8_t *p, struct ct_chunk_header *h)
{
	if (!p || ct_le32(p) != CT_CHUNK_MAGIC)
		return false;
	memcpy(h, p, sizeof(*h));
	h->header_crc = le32toh(h->header_crc);
	if (libdeflate_crc32(0, p, offsetof(struct ct_chunk_header, header_crc)) != h->header_crc)
		return false;
	h->type = le32toh(h->type);
	h->cpu = le32toh(h->cpu);
	h->length = le32toh(h->length);
	h->payload_crc = le32toh(h->payload_crc);
	return h->length <= CT_CHUNK_MAX;
}

static bool header_at(struct ct_reader *r, uint64_t offset, struct ct_chunk_header *h)
{
	return parse_header(look(r, offset, sizeof(*h), WINDOW_MIN), h);
}

/* The same far ahead, without moving the window there. */
static bool header_ahead(struct ct_reader *r, uint64_t offset)
{
	struct ct_chunk_header h;
	uint8_t raw[sizeof(h)];

	return ct_read_at(r->fd, raw, sizeof(raw), offset) == sizeof(raw) && parse_header(raw, &h);
}

static bool payload_whole(struct ct_reader *r, uint64_t offset, const struct ct_chunk_header *h)
{
	uint32_t left = h->length;
	uint32_t crc = 0;

	while (left) {
		uint32_t n = left < r->window_size ? left : r->window_size;
		const uint8_t *p = ct_reader_look(r, offset, n);

		if (!p)
			return false;
		crc = libdeflate_crc32(crc, p, n);
		offset += n;
		left -= n;
	}
	return crc == h->payload_crc;
}

uint64_t ct_reader_find_header(struct ct_reader *r, uint64_t offset, uint64_t end)
{
	static const uint8_t magic[] = { 'C', 'W', 'C', 'K' };
	struct ct_chunk_header h;

	while (offset + CHUNK_HEADER <= end) {
		uint64_t left = end - offset;
		size_t n = left < r->window_size / 2 ? left : r->window_size / 2;
		const uint8_t *p = ct_reader_look(r, offset, n), *hit;

		if (!p)
			break;
		hit = memmem(p, n, magic, sizeof(magic));
		if (!hit) {
			offset += n - (sizeof(magic) - 1);
			continue;
		}
		offset += hit - p;
		if (header_at(r, offset, &h))
			return offset;
		offset++;
	}
	return end;
}

static struct stream *stream_of(struct ct_reader *r, uint32_t cpu)
{
	uint16_t *slot = &r->stream_of_cpu[cpu];

	if (*slot == UINT16_MAX) {
		struct stream *streams = ct_grow(r->streams, r->nr_streams, sizeof(*streams));

		if (!streams)
			return NULL;
		r->streams = streams;
		memset(&streams[r->nr_streams], 0, sizeof(*streams));
		streams[r->nr_streams].info.cpu = cpu;
		*slot = r->nr_streams++;
	}
	return &r->streams[*slot];
}

static int add_records(struct ct_reader *r, uint64_t offset, const struct ct_chunk_header *h,
		       bool checked)
{
	struct chunk *chunks;
	struct stream *s;

	if (!h->length)
		return 0;
	if (h->cpu >= CPU_LIMIT) {
		ct_reader_damage(r, CT_DAMAGE_PAYLOAD, offset, h->length, h->type, h->cpu);
		return 0;
	}
	s = stream_of(r, h->cpu);
	if (!s)
		return -ENOMEM;
	chunks = ct_grow(s->chunks, s->nr_chunks, sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	s->chunks = chunks;
	chunks[s->nr_chunks++] = (struct chunk){
		.offset = offset,
		.length = h->length,
		.checked = checked,
		.crc = h->payload_crc,
	};
	r->info.record_bytes += h->length;
	if (h->length > r->longest)
		r->longest = h->length;
	return 0;
}

static int add_chunk(struct ct_reader *r, uint64_t offset, const struct ct_chunk_header *h,
		     bool checked)
{
	struct other_chunk *others;

	r->info.chunks++;
	r->info.ended = h->type == CT_CHUNK_END;
	if (h->type == CT_CHUNK_RECORDS)
		return add_records(r, offset, h, checked);
	if (h->type < CT_CHUNK_META || h->type == CT_CHUNK_END || h->type > CT_CHUNK_STACKS)
		return 0;
	others = ct_grow(r->others, r->nr_others, sizeof(*others));
	if (!others)
		return -ENOMEM;
	r->others = others;
	others[r->nr_others++] = (struct other_chunk){ offset, h->length, h->type, h->cpu };
	return 0;
}

/* Leaves out what stands at @at, of which @h is the header if there is one. */
static uint64_t skip_damage(struct ct_reader *r, uint64_t at, const struct ct_chunk_header *h)
{
	uint64_t size = r->info.size;
	uint64_t after, next;

	if (!h) {
		next = ct_reader_find_header(r, at + 1, size);
		ct_reader_damage(r, CT_DAMAGE_LOST_CHUNK, at, next - at, 0, UINT32_MAX);
		return next;
	}
	after = at + ct_chunk_size(h->length);
	if (after < size && header_ahead(r, after)) {
		ct_reader_damage(r, CT_DAMAGE_PAYLOAD, at, after - at, h->type, h->cpu);
		return after;
	}
	/* Its length may span what was moved into it: look inside. */
	next = ct_reader_find_header(r, at + CHUNK_HEADER, size);
	ct_reader_damage(r, next == size && after > size ? CT_DAMAGE_CUT : CT_DAMAGE_PAYLOAD, at,
			 next - at, h->type, h->cpu);
	return next;
}

/*
 * Need the checksum of the chunk at @at not be looked at before its records are? If
 * it is wrong, skip_damage() goes on at the next header where there is one: so
 * whatever is found in the chunk, the walk goes on there.
 */
static bool may_wait(struct ct_reader *r, uint64_t at, const struct ct_chunk_header *h)
{
	uint64_t after = at + ct_chunk_size(h->length);
	struct ct_chunk_header next;

	/* Only a whole chunk takes the end back. */
	return h->type == CT_CHUNK_RECORDS && h->cpu < CPU_LIMIT && h->length &&
	       !r->info.ended && header_at(r, after, &next);
}

int ct_reader_scan(struct ct_reader *r, uint64_t at)
{
	uint64_t size = r->info.size;
	int err;

	r->patience = 4 * size + CT_CHUNK_MAX;
	while (at < size) {
		struct ct_chunk_header h;
		bool found = header_at(r, at, &h);
		bool fits = found && h.length <= size - at - CHUNK_HEADER;
		bool waits = fits && may_wait(r, at, &h);

		ct_progress("looking through the trace", at, size);
		if (waits || (fits && payload_whole(r, at + CHUNK_HEADER, &h))) {
			err = add_chunk(r, at + CHUNK_HEADER, &h, !waits);
			if (err)
				return err;
			at += ct_chunk_size(h.length);
			continue;
		}
		/* Headers made to overlap could have each byte summed up a thousand times. */
		if (fits && h.length >= r->patience) {
			ct_reader_damage(r, CT_DAMAGE_LOST_CHUNK, at, size - at, 0, UINT32_MAX);
			break;
		}
		if (fits)
			r->patience -= h.length;
		at = skip_damage(r, at, found ? &h : NULL);
	}
	return 0;
}
