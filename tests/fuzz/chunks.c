// SPDX-License-Identifier: GPL-2.0
#include "chunks.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

struct piece *chunks_add(struct chunks *c, size_t at, const void *data, size_t size)
{
	struct piece *p = &c->piece[at];

	if (c->nr == CHUNKS_MAX)
		return NULL;
	memmove(p + 1, p, (c->nr++ - at) * sizeof(*p));
	*p = (struct piece){ .data = malloc(size + CHUNK_ROOM), .size = size,
			     .room = size + CHUNK_ROOM };
	if (!p->data)
		abort();
	if (size)
		memcpy(p->data, data, size);
	return p;
}

void chunks_remove(struct chunks *c, size_t at)
{
	struct piece *p = &c->piece[at];

	free(p->data);
	memmove(p, p + 1, (--c->nr - at) * sizeof(*p));
}

/* Bytes of the chunk at @data with its header, 0 where there is none. */
static size_t chunk_here(const uint8_t *data, size_t size, struct ct_chunk_header *h)
{
	if (size < sizeof(*h) || ct_le32(data) != CT_CHUNK_MAGIC)
		return 0;
	memcpy(h, data, sizeof(*h));
	return h->length <= size - sizeof(*h) ? sizeof(*h) + h->length : 0;
}

void chunks_parse(struct chunks *c, const uint8_t *data, size_t size)
{
	size_t at = size < sizeof(struct ct_file_header) ? size : sizeof(struct ct_file_header);
	struct ct_chunk_header h;
	const uint8_t *next;
	struct piece *p;
	size_t n;

	c->nr = 0;
	chunks_add(c, 0, data, at);
	while (at < size && c->nr < CHUNKS_MAX) {
		n = chunk_here(data + at, size - at, &h);
		if (n) {
			p = chunks_add(c, c->nr, data + at + sizeof(h), h.length);
			p->chunk = true;
			p->header = h;
			at += n;
			/* The padding, which a cut file may lack. */
			n = -h.length & 7;
			at += n < size - at ? n : size - at;
			continue;
		}
		next = memmem(data + at + 1, size - at - 1, "CWCK", 4);
		n = next ? next - data - at : size - at;
		chunks_add(c, c->nr, data + at, n);
		at += n;
	}
}

size_t chunks_write(struct chunks *c, uint8_t *to, size_t room)
{
	const size_t covered = offsetof(struct ct_chunk_header, header_crc);
	size_t at = 0, i, padded;

	for (i = 0; i < c->nr; i++) {
		struct piece *p = &c->piece[i];
		struct ct_chunk_header *h = &p->header;

		padded = p->chunk ? sizeof(*h) + ((p->size + 7) & ~(size_t)7) : p->size;
		if (padded > room - at)
			continue;
		if (p->chunk) {
			if (!p->lies) {
				h->magic = CT_CHUNK_MAGIC;
				h->length = p->size;
				h->payload_crc = libdeflate_crc32(0, p->data, p->size);
				h->header_crc = libdeflate_crc32(0, h, covered);
			}
			memset(to + at, 0, padded);
			memcpy(to + at, h, sizeof(*h));
			memcpy(to + at + sizeof(*h), p->data, p->size);
		} else if (p->size) {
			memcpy(to + at, p->data, p->size);
		}
		at += padded;
	}
	return at;
}

void chunks_free(struct chunks *c)
{
	while (c->nr)
		free(c->piece[--c->nr].data);
}
