// SPDX-License-Identifier: GPL-2.0
/* Records, from the ring of all CPUs to the stream of each: classified, filtered, numbered. */
#include <cowtrace/classify.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parts.h"
#include "skeleton.h"

/* Records that wait for their readers at most; more wait in the ring. */
#define QUEUE_MAX	65536

static bool wanted(const struct ct_bpf *b, const struct cowtrace_record *r)
{
	return (b->outcomes & (1u << r->outcome)) && (b->reasons & (1u << r->reason)) &&
	       r->duration_ns >= b->min_duration_ns;
}

static void count(struct ct_bpf *b, const struct cowtrace_record *r)
{
	struct ct_bpf_tally *t = &b->tally[r->outcome][r->reason];

	t->count++;
	t->bytes += (uint64_t)cowtrace_copied_pages(r) * sysconf(_SC_PAGESIZE);
	t->ns += r->duration_ns;
}

static bool make_room(struct ct_bpf_cpu *c)
{
	size_t room = c->room ? 2 * c->room : 1024;
	void *data;

	if (c->at) {
		memmove(c->data, c->data + c->at, (c->nr - c->at) * sizeof(*c->data));
		c->nr -= c->at;
		c->at = 0;
	}
	if (c->nr < c->room)
		return true;
	data = realloc(c->data, room * sizeof(*c->data));
	if (!data)
		return false;
	c->data = data;
	c->room = room;
	return true;
}

/* A negative return value ends the reading for now, with this record taken. */
static int take(void *arg, void *data, size_t size)
{
	struct ct_bpf *b = arg;
	struct cowtrace_record r;
	struct cowtrace_verdict v;
	struct ct_bpf_cpu *c;
	uint32_t dropped;

	if (size < sizeof(r))
		return 0;
	memcpy(&r, data, sizeof(r));
	if (r.cpu >= b->nr_cpus)
		return 0;
	c = &b->cpus[r.cpu];
	/* A record tells how many its CPU had lost; another task may have come in between. */
	dropped = r.seq;
	if ((int32_t)(dropped - c->dropped) > 0) {
		c->seq += dropped - c->dropped;
		c->dropped = dropped;
	}
	v = cowtrace_classify(&r, b->kernel.traits);
	r.outcome = v.outcome;
	r.reason = v.reason;
	r.evidence = v.evidence;
	if (!wanted(b, &r)) {
		c->filtered++;
		return 0;
	}
	count(b, &r);
	r.seq = ++c->seq;
	if (c->nr == c->room && !make_room(c))
		return -ENOMEM;
	c->data[c->nr++] = r;
	return ++b->queued < QUEUE_MAX ? 0 : -EAGAIN;
}

int ct_bpf_open_ring(struct ct_bpf *b)
{
	b->rings = ring_buffer__new(bpf_map__fd(b->skel->maps.ring), take, b, NULL);
	return b->rings ? 0 : -errno;
}

/*
 * One ring serves all: each stream is a descriptor of it, which wakes whoever waits for
 * any of them.
 */
int ct_bpf_open_cpu(struct ct_source *source, unsigned int cpu, struct ct_error *err)
{
	struct ct_bpf *b = to_bpf(source);
	struct ct_bpf_cpu *c;
	int ret;

	if (cpu >= b->nr_cpus)
		return -ENOENT;
	ret = ct_bpf_load(b, err);
	if (ret)
		return ret;
	c = &b->cpus[cpu];
	c->fd = fcntl(bpf_map__fd(b->skel->maps.ring), F_DUPFD_CLOEXEC, 3);
	if (c->fd < 0)
		return ct_error_set(err, -errno, "cannot open the records of CPU %u: %s", cpu,
				    strerror(errno));
	return c->fd;
}

static struct ct_bpf_cpu *cpu_of(struct ct_bpf *b, int fd)
{
	for (unsigned int i = 0; i < b->nr_cpus; i++)
		if (b->cpus[i].fd == fd)
			return &b->cpus[i];
	return NULL;
}

ssize_t ct_bpf_read_cpu(struct ct_source *source, int fd, void *data, size_t size)
{
	struct ct_bpf *b = to_bpf(source);
	struct ct_bpf_cpu *c = cpu_of(b, fd);
	int ret = -EAGAIN;
	size_t n;

	if (!c || !b->rings)
		return -EBADF;
	/* Only who has nothing looks further: who is behind gets the time to catch up. */
	if (c->at == c->nr && b->queued < QUEUE_MAX)
		ret = ring_buffer__consume(b->rings);
	if (ret < 0 && ret != -EAGAIN)
		return ret;
	n = c->nr - c->at;
	/* It has ended when the ring was read to its end after the programs had gone. */
	if (!n)
		return b->enabled || ret < 0 ? -EAGAIN : 0;
	if (n > size / sizeof(*c->data))
		n = size / sizeof(*c->data);
	memcpy(data, c->data + c->at, n * sizeof(*c->data));
	c->at += n;
	b->queued -= n;
	if (c->at == c->nr) {
		c->at = 0;
		c->nr = 0;
	}
	return n * sizeof(*c->data);
}
