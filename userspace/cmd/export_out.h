/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text of millions of records: numbers and strings into a buffer. printf() and json-c
 * take several times as long as all the rest of an export.
 */
#ifndef COWTRACE_EXPORT_OUT_H
#define COWTRACE_EXPORT_OUT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CT_OUT_ROOM	(64u << 10)
/* Digits of the longest number, and its sign. */
#define CT_OUT_NUMBER	21

/**
 * struct ct_out - what is written; errors are those of @file
 * @file: where it goes.
 * @used: bytes of @buf that are filled.
 * @buf: what is not yet written.
 */
struct ct_out {
	FILE	*file;
	size_t	used;
	char	buf[CT_OUT_ROOM];
};

/* Write what is buffered. */
static inline void ct_out_flush(struct ct_out *o)
{
	fwrite(o->buf, 1, o->used, o->file);
	o->used = 0;
}

static inline void ct_out_bytes(struct ct_out *o, const void *data, size_t length)
{
	if (length > sizeof(o->buf) - o->used) {
		ct_out_flush(o);
		if (length > sizeof(o->buf)) {
			fwrite(data, 1, length, o->file);
			return;
		}
	}
	memcpy(o->buf + o->used, data, length);
	o->used += length;
}

static inline void ct_out_text(struct ct_out *o, const char *text)
{
	ct_out_bytes(o, text, strlen(text));
}

static inline void ct_out_char(struct ct_out *o, char c)
{
	ct_out_bytes(o, &c, 1);
}

static inline void ct_out_unsigned(struct ct_out *o, uint64_t n)
{
	char digits[CT_OUT_NUMBER];
	size_t at = sizeof(digits);

	do {
		digits[--at] = '0' + n % 10;
		n /= 10;
	} while (n);
	ct_out_bytes(o, digits + at, sizeof(digits) - at);
}

static inline void ct_out_signed(struct ct_out *o, int64_t n)
{
	if (n < 0)
		ct_out_char(o, '-');
	ct_out_unsigned(o, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* With 0x before it. */
static inline void ct_out_hex(struct ct_out *o, uint64_t n)
{
	char digits[CT_OUT_NUMBER];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[n & 15];
		n >>= 4;
	} while (n);
	digits[--at] = 'x';
	digits[--at] = '0';
	ct_out_bytes(o, digits + at, sizeof(digits) - at);
}

#endif /* COWTRACE_EXPORT_OUT_H */
