/* SPDX-License-Identifier: GPL-2.0 */
/* A perf event of one CPU, and the ring into which the kernel writes its records. */
#ifndef COWTRACE_PERF_RING_H
#define COWTRACE_PERF_RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ct_perf_ring - an event and its ring
 * @fd: the event, -1 when it is not open.
 * @page: the ring's first page; its data is behind it.
 * @size: bytes of the data.
 * @enabled_ns: for how long it had been on when ct_perf_ring_alive() last looked.
 */
struct ct_perf_ring {
	int		fd;
	struct perf_event_mmap_page *page;
	size_t		size;
	uint64_t	enabled_ns;
};

/**
 * ct_perf_ring_open() - open an event of a CPU for all processes
 * @ring: receives it; not open after an error.
 * @attr: the event; its read_format and watermark are set.
 * @cpu: the CPU.
 * @size: bytes of data, a power of two times the page size.
 * Return: 0 or a negative errno: -ENODEV while the CPU is offline.
 */
int ct_perf_ring_open(struct ct_perf_ring *ring, struct perf_event_attr *attr, unsigned int cpu,
		      size_t size);

void ct_perf_ring_close(struct ct_perf_ring *ring);

/**
 * ct_perf_ring_poll() - let an epoll descriptor wake when the ring fills
 * @ring: an open ring.
 * @epoll: edge-triggered.
 * @tag: data of the wake-up.
 */
void ct_perf_ring_poll(const struct ct_perf_ring *ring, int epoll, uint64_t tag);

/**
 * ct_perf_ring_alive() - is an open event still on?
 *
 * One whose CPU went away stays dead when the CPU comes back, and nothing tells of it
 * but its time, which stands still from one call to the next.
 */
bool ct_perf_ring_alive(struct ct_perf_ring *ring);

/* Is a quarter of it filled, which is when it wakes whoever polls? */
bool ct_perf_ring_filled(const struct ct_perf_ring *ring);

/* Is there nothing in it? */
bool ct_perf_ring_empty(const struct ct_perf_ring *ring);

/* How often an open event has happened while it was on. */
uint64_t ct_perf_ring_count(const struct ct_perf_ring *ring);

/**
 * ct_perf_ring_take() - take whole records out of a ring
 * @ring: the ring, which need not be open.
 * @to: receives them, one behind the other.
 * @size: bytes of room; the longest record is 64 KiB.
 * Return: bytes that were taken.
 */
size_t ct_perf_ring_take(struct ct_perf_ring *ring, void *to, size_t size);

#endif /* COWTRACE_PERF_RING_H */
