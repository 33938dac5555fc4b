/* SPDX-License-Identifier: GPL-2.0 */
/* The checksum of a trace: zlib's crc32(), which is too slow for whole traces. */
#ifndef COWTRACE_CHECKSUM_H
#define COWTRACE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * ct_checksum() - go on with a checksum
 * @crc: of the bytes before, 0 for none.
 * @data: the bytes, no alignment needed.
 * @size: number of them.
 * Return: what zlib's crc32() returns.
 */
uint32_t ct_checksum(uint32_t crc, const void *data, size_t size);

#endif /* COWTRACE_CHECKSUM_H */
