// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "capture_queue.h"
#include "clock.h"
#include "cpus.h"

/* How often CPUs that came online are looked for, should nobody tell of them. */
#define RESCAN_NS	1000000000ull
#define SWEEP_NS	(CT_CAPTURE_PERIOD_MS * 1000000ull)
/* Full blocks from one CPU before the others get their turn. */
#define TURN		4
/* A stream that neither ends nor gives records after the stop is somebody else's doing. */
#define DRAIN_NS	(5 * 1000000000ull)
/* In epoll's data: not a CPU, like the side-band's. */
#define NEW_CPU		(UINT64_MAX - 1)
#define STACKS		(UINT64_MAX - 2)

_Static_assert(CT_SIDEBAND_MAX <= CT_BLOCK_BYTES, "a ring of the side-band fits into a block");
_Static_assert(CT_STACKS_MAX <= CT_BLOCK_BYTES, "stacks fit into a block");

struct stream {
	int	fd;
	bool	ended;
};

struct ct_capture {
	struct ct_source	*source;
	struct ct_sideband	*sideband;
	struct ct_groups	*groups;
	struct ct_capture_stacks *stacks;
	struct ct_writer	*writer;
	struct ct_queue		*queue;
	size_t			record_size;
	size_t			read_size;
	int			epoll;
	int			watch;
	uint64_t		next_sweep;
	uint64_t		next_rescan;
	int			read_error;
	bool			ended;
	struct ct_queue_totals	totals;
	unsigned int		nr;
	struct stream		streams[];
};

/* Opens the streams that exist and are not open yet. */
static int open_streams(struct ct_capture *c, struct ct_error *err)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	for (unsigned int cpu = 0; cpu < c->nr; cpu++) {
		struct stream *s = &c->streams[cpu];
		int fd;

		if (s->fd >= 0 || s->ended)
			continue;
		fd = c->source->open_cpu(c->source, cpu, err);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		s->fd = fd;
		/*
		 * Edge-triggered: woken when the kernel has filled a good part of the
		 * buffer, not for each single record; the sweep fetches the rest.
		 */
		ev.data.u64 = cpu;
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &ev);
	}
	return 0;
}

int ct_capture_open(struct ct_capture **out, struct ct_source *source,
		    struct ct_sideband *sideband, struct ct_groups *groups,
		    struct ct_capture_stacks *stacks, struct ct_writer *writer,
		    size_t record_size, struct ct_error *err)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = NEW_CPU };
	unsigned int nr = ct_cpus_possible();
	struct ct_capture *c;
	int ret;

	c = calloc(1, sizeof(*c) + nr * sizeof(*c->streams));
	if (!c)
		return ct_error_set(err, -ENOMEM, "no memory for the capture");
	c->source = source;
	c->sideband = sideband;
	c->groups = groups;
	c->stacks = stacks;
	c->writer = writer;
	c->record_size = record_size;
	c->read_size = CT_BLOCK_BYTES - CT_BLOCK_BYTES % record_size;
	c->nr = nr;
	for (unsigned int i = 0; i < c->nr; i++)
		c->streams[i].fd = -1;
	/* Before the first look: none may come in between. */
	c->watch = ct_cpus_watch();
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0)
		ret = ct_error_set(err, -errno, "cannot wait for records: epoll_create1: %s",
				   strerror(errno));
	else
		ret = open_streams(c, err);
	if (ret) {
		ct_capture_free(c);
		return ret;
	}
	if (sideband)
		ct_sideband_poll(sideband, c->epoll);
	if (stacks)
		ct_capture_stacks_poll(stacks, c->epoll, STACKS);
	if (c->watch >= 0)
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->watch, &ev);
	*out = c;
	return 0;
}

int ct_capture_fd(const struct ct_capture *c)
{
	return c->epoll;
}

int ct_capture_start(struct ct_capture *c, struct ct_error *err)
{
	int ret;

	c->queue = ct_queue_start(c->writer);
	if (!c->queue)
		return ct_error_set(err, -errno, "cannot start the writing thread: %s",
				    strerror(errno));
	/* First: that takes a while, and nobody reads the records meanwhile. */
	ret = ct_groups_start(c->groups, err);
	if (!ret) {
		ret = c->source->set(c->source, "enabled", "1", err);
		if (ret)
			ct_groups_stop(c->groups);
	}
	if (ret) {
		ct_queue_end(c->queue, &c->totals);
		c->queue = NULL;
		return ret;
	}
	if (c->stacks)
		ct_capture_stacks_start(c->stacks);
	c->next_sweep = ct_now_ns() + SWEEP_NS;
	c->next_rescan = ct_now_ns() + RESCAN_NS;
	return 0;
}

static void end_stream(struct ct_capture *c, struct stream *s, ssize_t result)
{
	epoll_ctl(c->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	s->ended = true;
	c->ended = true;
	if (result && !c->read_error)
		c->read_error = result;
}

/* Reads one CPU. Returns whether more is waiting there. */
static bool read_stream(struct ct_capture *c, unsigned int cpu, bool wait)
{
	struct stream *s = &c->streams[cpu];
	struct ct_block *block;
	ssize_t n;

	if (s->fd < 0 || s->ended)
		return false;
	for (int turn = 0; turn < TURN; turn++) {
		block = ct_queue_get(c->queue, wait);
		if (!block)
			return false;
		n = c->source->read_cpu(c->source, s->fd, block->data, c->read_size);
		if (n <= 0) {
			ct_queue_return(c->queue, block);
			if (n != -EAGAIN)
				end_stream(c, s, n);
			return false;
		}
		block->type = CT_CHUNK_RECORDS;
		block->cpu = cpu;
		block->size = n;
		ct_queue_put(c->queue, block);
	}
	return true;
}

static bool read_streams(struct ct_capture *c, bool wait)
{
	bool more = false;

	for (unsigned int cpu = 0; cpu < c->nr; cpu++)
		more |= read_stream(c, cpu, wait);
	return more;
}

static void queue_chunk(struct ct_capture *c, uint32_t type, uint32_t cpu, const void *data,
			size_t size)
{
	struct ct_block *block = ct_queue_get(c->queue, true);

	block->type = type;
	block->cpu = cpu;
	block->size = size;
	memcpy(block->data, data, size);
	ct_queue_put(c->queue, block);
}

static int queue_sideband(void *arg, uint32_t cpu, const void *data, size_t size)
{
	queue_chunk(arg, CT_CHUNK_SIDEBAND, cpu, data, size);
	return 0;
}

static void read_sideband(struct ct_capture *c)
{
	if (c->sideband)
		ct_sideband_read(c->sideband, queue_sideband, c);
}

static void queue_group(void *arg, const void *data, size_t size)
{
	queue_chunk(arg, CT_CHUNK_GROUP, UINT32_MAX, data, size);
}

static void queue_stacks(void *arg, uint32_t cpu, const void *data, size_t size)
{
	queue_chunk(arg, CT_CHUNK_STACKS, cpu, data, size);
}

static void read_stacks(struct ct_capture *c)
{
	if (c->stacks)
		ct_capture_stacks_read(c->stacks, queue_stacks, c);
}

static void rescan(struct ct_capture *c)
{
	struct ct_error err;
	int ret;

	ret = open_streams(c, &err);
	if (ret && !c->read_error)
		c->read_error = ret;
	if (c->sideband)
		ct_sideband_rescan(c->sideband);
	if (c->stacks)
		ct_capture_stacks_rescan(c->stacks);
}

/* A CPU that was unplugged has its file still, but its side-band is dead. */
static void take_new_cpus(struct ct_capture *c)
{
	int cpu = c->watch < 0 ? -1 : ct_cpus_came(c->watch);

	if (cpu < 0)
		return;
	read_sideband(c);
	read_stacks(c);
	for (; cpu >= 0; cpu = ct_cpus_came(c->watch)) {
		if (c->sideband)
			ct_sideband_renew(c->sideband, cpu);
		if (c->stacks)
			ct_capture_stacks_renew(c->stacks, cpu);
	}
	rescan(c);
}

bool ct_capture_pump(struct ct_capture *c)
{
	struct epoll_event events[64];
	uint64_t now = ct_now_ns();
	bool more = false;
	int n;

	if (now >= c->next_rescan) {
		rescan(c);
		c->next_rescan = now + RESCAN_NS;
	}
	if (now >= c->next_sweep) {
		c->next_sweep = now + SWEEP_NS;
		read_sideband(c);
		read_stacks(c);
		ct_groups_read(c->groups, queue_group, c);
		return read_streams(c, false);
	}
	n = epoll_wait(c->epoll, events, sizeof(events) / sizeof(*events), 0);
	for (int i = 0; i < n; i++)
		if (events[i].data.u64 == UINT64_MAX)
			read_sideband(c);
		else if (events[i].data.u64 == NEW_CPU)
			take_new_cpus(c);
		else if (events[i].data.u64 == STACKS)
			read_stacks(c);
		else
			more |= read_stream(c, events[i].data.u64, false);
	/* Whoever polls our descriptor takes the mark by which a ring tells of itself. */
	if (c->sideband && ct_sideband_filled(c->sideband))
		read_sideband(c);
	if (c->stacks && ct_capture_stacks_filled(c->stacks))
		read_stacks(c);
	/* What a turn left behind raises no edge again: the sweep is due at once. */
	if (more)
		c->next_sweep = now;
	return more;
}

static bool all_ended(const struct ct_capture *c)
{
	for (unsigned int i = 0; i < c->nr; i++)
		if (c->streams[i].fd >= 0 && !c->streams[i].ended)
			return false;
	return true;
}

int ct_capture_stop(struct ct_capture *c, struct ct_error *err)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	bool ended = c->ended;
	uint64_t give_up;
	int ret;

	ret = c->source->set(c->source, "enabled", "0", err);
	if (c->stacks)
		ct_capture_stacks_stop(c->stacks);
	ct_groups_stop(c->groups);
	/* A CPU that came online since the last look has its records too. */
	rescan(c);
	give_up = ct_now_ns() + DRAIN_NS;
	while (!all_ended(c)) {
		if (read_streams(c, true))
			give_up = ct_now_ns() + DRAIN_NS;
		else if (!all_ended(c))
			nanosleep(&pause, NULL);
		if (ct_now_ns() < give_up)
			continue;
		if (!ret)
			ret = ct_error_set(err, -ETIMEDOUT,
					   "the records do not end after tracing was switched off: somebody switched it on again");
		break;
	}
	read_sideband(c);
	read_stacks(c);
	ct_groups_read(c->groups, queue_group, c);
	ct_queue_end(c->queue, &c->totals);
	c->queue = NULL;
	/* That the streams ended now is our own doing. */
	c->ended = ended;
	return ret;
}

void ct_capture_stats(struct ct_capture *c, struct ct_capture_stats *stats)
{
	if (c->queue)
		ct_queue_totals(c->queue, &c->totals);
	*stats = (struct ct_capture_stats){
		.records = c->totals.written / c->record_size,
		.bytes = c->totals.written,
		.unwritten = c->totals.unwritten / c->record_size,
		.write_error = c->totals.error,
		.read_error = c->read_error,
		.ended = c->ended,
	};
}

void ct_capture_free(struct ct_capture *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->nr; i++)
		if (c->streams[i].fd >= 0)
			close(c->streams[i].fd);
	if (c->watch >= 0)
		close(c->watch);
	if (c->epoll >= 0)
		close(c->epoll);
	free(c);
}
