// SPDX-License-Identifier: GPL-2.0
/*
 * Mutations of traces. What a chunk holds is changed by its structure, and lengths and
 * checksums are made right again: else no mutation would get past the checksums. A few
 * stay wrong, so that the way of damaged traces is taken too.
 */
#include <linux/perf_event.h>
#include <string.h>

#include <cowtrace/record.h>

#include "chunks.h"
#include "fuzz.h"
#include "generate.h"

#define NR_TYPES	(CT_CHUNK_STACKS + 2)

static struct random_state rnd;

static const uint64_t edges[] = {
	0, 1, 2, 7, 8, 16, 0x7f, 0x80, 0xff, 0x100, 4096, 8191, 8192, 0x7fff, 0x8000, 0xffff,
	0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, UINT64_MAX,
};

static uint64_t edge(void)
{
	uint64_t n = edges[below(&rnd, sizeof(edges) / sizeof(*edges))];

	return below(&rnd, 4) ? n : n + below(&rnd, 16) - 8;
}

/* Overwrites a number of 1, 2, 4 or 8 bytes in its place, or moves it a little. */
static void change_number(uint8_t *at, size_t left)
{
	size_t size = 1u << below(&rnd, 4);
	uint64_t n = 0;

	if (size > left)
		return;
	memcpy(&n, at, size);
	n = below(&rnd, 3) ? edge() : n + below(&rnd, 32) - 16;
	memcpy(at, &n, size);
}

/* Anywhere in the piece, as libFuzzer does it. */
static void change_bytes(struct piece *p)
{
	p->size = LLVMFuzzerMutate(p->data, p->size, p->room);
}

static void insert(struct piece *p, size_t at, const void *data, size_t n)
{
	uint8_t copy[CHUNK_ROOM];

	if (n > CHUNK_ROOM || n > p->room - p->size)
		return;
	memcpy(copy, data, n);
	memmove(p->data + at + n, p->data + at, p->size - at);
	memcpy(p->data + at, copy, n);
	p->size += n;
}

static void cut(struct piece *p, size_t at, size_t n)
{
	memmove(p->data + at, p->data + at + n, p->size - at - n);
	p->size -= n;
}

/* One of the parts of @n bytes at @at: twice, not at all, or with another number. */
static void change_part(struct piece *p, size_t at, size_t n, size_t align)
{
	if (!n || n > p->size - at)
		return change_bytes(p);
	switch (below(&rnd, 8)) {
	case 0:
		return insert(p, at, p->data + at, n);
	case 1:
		return cut(p, at, n);
	default:
		at += below(&rnd, n) / align * align;
		return change_number(p->data + at, p->size - at);
	}
}

static void change_record(struct piece *p)
{
	const size_t size = sizeof(struct cowtrace_record);
	size_t at = below(&rnd, p->size / size) * size;

	change_part(p, at, size, 1u << below(&rnd, 4));
}

/* Records of the side-band and stacks tell their own size. */
static size_t size_at(const struct piece *p, size_t at)
{
	uint64_t size = 0;

	if (p->header.type == CT_CHUNK_SIDEBAND && p->size - at >= sizeof(struct perf_event_header))
		memcpy(&size, p->data + at + offsetof(struct perf_event_header, size), 2);
	else if (p->header.type == CT_CHUNK_STACKS && p->size - at >= sizeof(struct ct_stack))
		memcpy(&size, p->data + at, 4);
	return size <= p->size - at ? size : 0;
}

static void change_sized(struct piece *p)
{
	size_t at = 0, n = below(&rnd, 64), size, head;

	while (n-- && (size = size_at(p, at)) && size < p->size - at)
		at += size;
	size = size_at(p, at);
	/* The numbers of a stack stand before its copy. */
	head = p->header.type == CT_CHUNK_STACKS && size && below(&rnd, 4) ?
	       sizeof(struct ct_stack) : size;
	change_part(p, at, head, 1u << below(&rnd, 4));
}

/* The line around a place: where it begins, and its bytes with the line's end. */
static size_t line_at(const struct piece *p, size_t *size)
{
	size_t at = below(&rnd, p->size), end = at;

	while (at && p->data[at - 1] != '\n')
		at--;
	while (end < p->size && p->data[end] != '\n')
		end++;
	*size = end - at + (end < p->size);
	return at;
}

static void change_digits(struct piece *p)
{
	size_t at = below(&rnd, p->size), n = 0;
	char text[32];

	while (at < p->size && (p->data[at] < '0' || p->data[at] > '9'))
		at++;
	while (at + n < p->size && p->data[at + n] >= '0' && p->data[at + n] <= '9')
		n++;
	if (!n)
		return change_bytes(p);
	cut(p, at, n);
	snprintf(text, sizeof(text), below(&rnd, 4) ? "%llu" : "%#llx", (unsigned long long)edge());
	insert(p, at, text, strlen(text));
}

static void change_text(struct piece *p)
{
	size_t size, at = line_at(p, &size);

	switch (below(&rnd, 8)) {
	case 0:
		return insert(p, at, p->data + at, size);
	case 1:
		return cut(p, at, size);
	case 2:
	case 3:
		return change_digits(p);
	default:
		return change_bytes(p);
	}
}

static void change_payload(struct piece *p)
{
	if (!p->size || !below(&rnd, 8))
		return change_bytes(p);
	switch (p->chunk ? p->header.type : 0) {
	case CT_CHUNK_RECORDS:
		return change_record(p);
	case CT_CHUNK_SIDEBAND:
	case CT_CHUNK_STACKS:
		return change_sized(p);
	case CT_CHUNK_META:
	case CT_CHUNK_SCHEMA:
	case CT_CHUNK_STATE:
	case CT_CHUNK_GROUP:
		return change_text(p);
	default:
		return change_bytes(p);
	}
}

static void change_header(struct piece *p)
{
	if (!p->chunk)
		return change_bytes(p);
	switch (below(&rnd, 4)) {
	case 0:
		p->header.type = below(&rnd, NR_TYPES);
		break;
	case 1:
		p->header.cpu = below(&rnd, 4) ? below(&rnd, 4) : edge();
		break;
	case 2:
		/* With the header's checksum right: a length that is wrong. */
		p->lies = true;
		p->header.length = edge();
		p->header.payload_crc = edge();
		break;
	default:
		p->lies = true;
		change_number((uint8_t *)&p->header + 4 * below(&rnd, 6), 4);
	}
}

static void copy_piece(struct chunks *c, const struct piece *from, size_t at)
{
	const struct piece p = *from;
	struct piece *to = chunks_add(c, at, p.data, p.size);

	if (to) {
		to->chunk = p.chunk;
		to->header = p.header;
	}
}

static void change_pieces(struct chunks *c)
{
	size_t i = below(&rnd, c->nr);

	switch (below(&rnd, 6)) {
	case 0:
		return copy_piece(c, &c->piece[i], below(&rnd, c->nr + 1));
	case 1:
		copy_piece(c, &c->piece[i], below(&rnd, c->nr + 1));
		return chunks_remove(c, below(&rnd, c->nr));
	case 2:
		return chunks_remove(c, i);
	case 3:
		/* What was one chunk becomes two. */
		copy_piece(c, &c->piece[i], i + 1);
		if (i + 1 < c->nr && c->piece[i].size) {
			size_t at = below(&rnd, c->piece[i].size);

			if (at > c->piece[i + 1].size)
				return;
			c->piece[i].size = at;
			cut(&c->piece[i + 1], 0, at);
		}
		return;
	default:
		return change_header(&c->piece[i]);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	static struct chunks c;
	uint64_t n;

	rnd.x = 2 * (uint64_t)seed + 1;
	if (!size || !below(&rnd, 16))
		return LLVMFuzzerMutate(data, size, room);
	chunks_parse(&c, data, size);
	for (n = 1 + below(&rnd, 4); n && c.nr; n--) {
		if (below(&rnd, 4))
			change_payload(&c.piece[below(&rnd, c.nr)]);
		else
			change_pieces(&c);
	}
	size = chunks_write(&c, data, room);
	chunks_free(&c);
	if (!below(&rnd, 32))
		size = below(&rnd, size + 1);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
				 uint8_t *to, size_t room, unsigned int seed)
{
	static struct chunks one, two;
	uint64_t n;
	size_t size;

	rnd.x = 2 * (uint64_t)seed + 1;
	chunks_parse(&one, a, size_a);
	chunks_parse(&two, b, size_b);
	for (n = 1 + below(&rnd, 4); n; n--)
		copy_piece(&one, &two.piece[below(&rnd, two.nr)], below(&rnd, one.nr + 1));
	size = chunks_write(&one, to, room);
	chunks_free(&one);
	chunks_free(&two);
	return size;
}
