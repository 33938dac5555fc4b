/* SPDX-License-Identifier: GPL-2.0 */
/* Writing protocol buffers: fields into a buffer, messages in messages. */
#ifndef COWTRACE_PROTO_H
#define COWTRACE_PROTO_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CT_PROTO_ROOM	(256u << 10)
/* No message at the top is longer: callers bound their texts. */
#define CT_PROTO_MESSAGE	(128u << 10)

/**
 * struct ct_proto - what is written; errors are those of @file
 * @file: where it goes.
 * @used: bytes of @buf that are filled.
 * @buf: what is not yet written.
 */
struct ct_proto {
	FILE	*file;
	size_t	used;
	uint8_t	buf[CT_PROTO_ROOM];
};

static inline void ct_proto_flush(struct ct_proto *p)
{
	fwrite(p->buf, 1, p->used, p->file);
	p->used = 0;
}

static inline void ct_proto_varint(struct ct_proto *p, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		p->buf[p->used++] = n | 0x80;
	p->buf[p->used++] = n;
}

/* Wire types of the format. */
enum { CT_PROTO_VARINT, CT_PROTO_FIXED64, CT_PROTO_BYTES };

static inline void ct_proto_tag(struct ct_proto *p, uint32_t field, uint32_t type)
{
	ct_proto_varint(p, field << 3 | type);
}

/* A number; negative ones as two's complement. */
static inline void ct_proto_number(struct ct_proto *p, uint32_t field, uint64_t n)
{
	ct_proto_tag(p, field, CT_PROTO_VARINT);
	ct_proto_varint(p, n);
}

static inline void ct_proto_fixed64(struct ct_proto *p, uint32_t field, uint64_t n)
{
	ct_proto_tag(p, field, CT_PROTO_FIXED64);
	for (int i = 0; i < 8; i++, n >>= 8)
		p->buf[p->used++] = n;
}

/* Clean text, of less than CT_PROTO_MESSAGE bytes together with all else in the message. */
static inline void ct_proto_text(struct ct_proto *p, uint32_t field, const char *text)
{
	size_t n = strlen(text);

	ct_proto_tag(p, field, CT_PROTO_BYTES);
	ct_proto_varint(p, n);
	memcpy(p->buf + p->used, text, n);
	p->used += n;
}

/**
 * ct_proto_begin() - begin a message in a message
 * @p: what is written.
 * @field: its field number.
 * Return: for ct_proto_end().
 */
static inline size_t ct_proto_begin(struct ct_proto *p, uint32_t field)
{
	ct_proto_tag(p, field, CT_PROTO_BYTES);
	/* Most are so short that their length is one byte. */
	return ++p->used;
}

static inline void ct_proto_end(struct ct_proto *p, size_t begin)
{
	size_t n = p->used - begin, more = n < 0x80 ? 0 : n < 0x4000 ? 1 : 2;

	if (more)
		memmove(p->buf + begin + more, p->buf + begin, n);
	p->used = begin - 1;
	ct_proto_varint(p, n);
	p->used += n;
}

/* The same of one at the top: between two of these what is buffered is written. */
static inline void ct_proto_finish(struct ct_proto *p, size_t begin)
{
	ct_proto_end(p, begin);
	if (p->used > CT_PROTO_ROOM - CT_PROTO_MESSAGE)
		ct_proto_flush(p);
}

#endif /* COWTRACE_PROTO_H */
