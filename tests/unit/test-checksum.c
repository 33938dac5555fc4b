// SPDX-License-Identifier: GPL-2.0
/* The checksum of a trace is zlib's, whatever the length, place and parts. */
#include <zlib.h>

#include "checksum.h"
#include "generate.h"
#include "tap.h"

#define SIZE	1200u

int main(void)
{
	struct random_state random = { 17 };
	unsigned int size, at, wrong = 0, wrong_parts = 0;
	uint8_t bytes[SIZE + 16];

	for (at = 0; at < sizeof(bytes); at++)
		bytes[at] = next_random(&random) >> 40;
	for (size = 0; size < SIZE; size++)
		for (at = 0; at < 16; at++)
			wrong += ct_checksum(0, bytes + at, size) !=
				 crc32(0, bytes + at, size);
	ok(!wrong, "the checksum of 0 to %u bytes at any place is that of zlib", SIZE - 1);
	for (size = 0; size < SIZE; size++)
		wrong_parts += ct_checksum(ct_checksum(0, bytes, size), bytes + size,
					   SIZE - size) != crc32(0, bytes, SIZE);
	ok(!wrong_parts, "the checksum of two parts is that of the whole");
	return tap_end();
}
