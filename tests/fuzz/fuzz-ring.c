// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of a perf event: records are taken out whole, none twice and none behind what
 * was written. The input is where the ring begins, how much room there is, and records.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "perf_ring.h"

#define SIZE	8192u

static struct perf_event_mmap_page *page;

static void fill(uint64_t tail, const uint8_t *data, size_t size)
{
	uint8_t *ring = (uint8_t *)page + sysconf(_SC_PAGESIZE);
	size_t i;

	page->data_tail = tail;
	page->data_head = tail + size;
	memset(ring, 0, SIZE);
	for (i = 0; i < size; i++)
		ring[(tail + i) % SIZE] = data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_perf_ring ring = { .fd = -1, .size = SIZE };
	size_t room, taken, all = 0;
	uint16_t head[2];
	uint8_t *to;

	if (!page)
		page = mmap(NULL, sysconf(_SC_PAGESIZE) + SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(page != MAP_FAILED);
	if (size < sizeof(head))
		return 0;
	memcpy(head, data, sizeof(head));
	data += sizeof(head);
	size = (size - sizeof(head)) & ~7ul;
	if (size > SIZE)
		size = SIZE;
	/* Records of the kernel's are multiples of 8 bytes, and so is where they stand. */
	fill(head[0] * 8ull, data, size);
	ring.page = page;
	room = head[1] % SIZE;
	to = malloc(room + 1);
	do {
		MUST(ct_perf_ring_filled(&ring) == (size - all >= SIZE / 4));
		taken = ct_perf_ring_take(&ring, to, room);
		MUST(taken <= room && taken <= size - all);
		MUST(!taken || !memcmp(to, data + all, taken));
		all += taken;
	} while (taken);
	MUST(ct_perf_ring_empty(&ring) == (all == size));
	free(to);
	return 0;
}
