// SPDX-License-Identifier: GPL-2.0
/* What is taken out of the ring of a perf event. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "perf_ring.h"
#include "tap.h"

#define SIZE	4096u

static struct ct_perf_ring ring = { .fd = -1, .size = SIZE };

/* Records of these sizes, the first at the end of the ring. */
static void fill(const uint16_t *size, size_t n)
{
	char *data = (char *)ring.page + sysconf(_SC_PAGESIZE);
	uint64_t at = SIZE - 8;
	struct perf_event_header h = { .type = 1 };
	size_t i, k;

	ring.page->data_tail = at;
	for (i = 0; i < n; i++) {
		h.size = size[i];
		for (k = 0; k < sizeof(h); k++)
			data[(at + k) % SIZE] = ((char *)&h)[k];
		at += size[i];
	}
	ring.page->data_head = at;
}

int main(void)
{
	static const uint16_t whole[] = { 16, 24, 8 }, odd[] = { 12, 24, 24 };
	char to[64];

	ring.page = mmap(NULL, sysconf(_SC_PAGESIZE) + SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring.page == MAP_FAILED)
		return 1;
	fill(whole, 3);
	ok(ct_perf_ring_take(&ring, to, sizeof(to)) == 48 && ct_perf_ring_empty(&ring),
	   "records that fit are taken at once, over the end of the ring");
	fill(whole, 3);
	ok(ct_perf_ring_take(&ring, to, 40) == 40 && ct_perf_ring_take(&ring, to, 40) == 8,
	   "of more than fits only whole records are taken");
	fill(odd, 3);
	ok(!ct_perf_ring_take(&ring, to, 40) && !ct_perf_ring_empty(&ring),
	   "a record whose size is no multiple of 8 ends what is taken: no header after it is whole");
	munmap(ring.page, sysconf(_SC_PAGESIZE) + SIZE);
	return tap_end();
}
