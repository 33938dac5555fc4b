/* SPDX-License-Identifier: GPL-2.0 */
/* Reading untrusted bytes: unaligned little-endian and decimal numbers, text for a terminal. */
#ifndef COWTRACE_BYTES_H
#define COWTRACE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t ct_le16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t ct_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t ct_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* A sum that sticks at its maximum: counts of a hostile trace must not wrap. */
static inline uint64_t ct_add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/**
 * ct_number() - read a decimal number
 * @text: nothing but its digits.
 * @number: receives it.
 * Return: whether it is one, of 64 bits at most.
 */
bool ct_number(const char *text, uint64_t *number);

/**
 * ct_clean_text() - copy text so that a terminal and JSON can take it
 * @to: receives at most @size bytes, the final NUL included.
 * @size: at least 1.
 * @from: the bytes; a NUL ends them.
 * @length: most bytes to read.
 *
 * Control characters and bytes that are not UTF-8 become '?': names of
 * processes and files are chosen by whoever was traced.
 */
void ct_clean_text(char *to, size_t size, const char *from, size_t length);

#endif /* COWTRACE_BYTES_H */
