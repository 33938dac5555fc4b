// SPDX-License-Identifier: GPL-2.0
#include "perf_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What read() of the event gives, by the read_format that is set. */
struct reading {
	uint64_t	count;
	uint64_t	enabled_ns;
};

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

int ct_perf_ring_open(struct ct_perf_ring *ring, struct perf_event_attr *attr, unsigned int cpu,
		      size_t size)
{
	void *page;
	int ret;

	attr->read_format = PERF_FORMAT_TOTAL_TIME_ENABLED;
	attr->watermark = 1;
	attr->wakeup_watermark = size / 4;
	ring->fd = syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	page = mmap(NULL, page_size() + size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (page == MAP_FAILED) {
		ret = -errno;
		ct_perf_ring_close(ring);
		return ret;
	}
	ring->page = page;
	ring->size = size;
	ring->enabled_ns = 0;
	return 0;
}

void ct_perf_ring_close(struct ct_perf_ring *ring)
{
	if (ring->page)
		munmap(ring->page, page_size() + ring->size);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->page = NULL;
	ring->fd = -1;
}

void ct_perf_ring_poll(const struct ct_perf_ring *ring, int epoll, uint64_t tag)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.u64 = tag };

	epoll_ctl(epoll, EPOLL_CTL_ADD, ring->fd, &ev);
}

static bool read_event(const struct ct_perf_ring *ring, struct reading *now)
{
	return read(ring->fd, now, sizeof(*now)) == sizeof(*now);
}

bool ct_perf_ring_alive(struct ct_perf_ring *ring)
{
	struct reading now;
	bool moved;

	if (!read_event(ring, &now))
		return true;
	moved = now.enabled_ns != ring->enabled_ns;
	ring->enabled_ns = now.enabled_ns;
	return moved;
}

static size_t waiting(const struct ct_perf_ring *ring)
{
	return ring->page ? __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE) -
			    ring->page->data_tail : 0;
}

bool ct_perf_ring_filled(const struct ct_perf_ring *ring)
{
	return ring->page && waiting(ring) >= ring->size / 4;
}

bool ct_perf_ring_empty(const struct ct_perf_ring *ring)
{
	return !waiting(ring);
}

uint64_t ct_perf_ring_count(const struct ct_perf_ring *ring)
{
	struct reading now;

	return read_event(ring, &now) ? now.count : 0;
}

size_t ct_perf_ring_take(struct ct_perf_ring *ring, void *to, size_t size)
{
	struct perf_event_mmap_page *page = ring->page;
	const struct perf_event_header *h;
	uint64_t head, tail;
	size_t taken = 0, offset, first;
	const char *data;

	if (!page)
		return 0;
	head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	tail = page->data_tail;
	data = (const char *)page + page_size();
	if (head - tail <= size)
		taken = head - tail;
	/* Records are multiples of 8 bytes: a header of 8 never goes over the end. Are they? */
	else
		for (;; taken += h->size) {
			h = (const void *)(data + (tail + taken) % ring->size);
			if (!h->size || h->size % sizeof(*h) || taken + h->size > size)
				break;
		}
	offset = tail % ring->size;
	first = taken < ring->size - offset ? taken : ring->size - offset;
	memcpy(to, data + offset, first);
	memcpy((char *)to + first, data, taken - first);
	__atomic_store_n(&page->data_tail, tail + taken, __ATOMIC_RELEASE);
	return taken;
}
