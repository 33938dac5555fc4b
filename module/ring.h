/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring: records on their way out, in per-CPU relay buffers.
 *
 * Relay gives the buffers, their growth with CPU hotplug and the sub-buffer
 * switch. Reading is ours: relay's own read can serve bytes that are reserved
 * and not yet written, and can skip a sub-buffer when the buffer runs full
 * under it. Here a reader sees committed records only, whole and in order.
 */
#ifndef COW_RING_H
#define COW_RING_H

#include <linux/relay.h>
#include <linux/types.h>
#include <cowtrace/record.h>

struct dentry;

/**
 * cow_ring_create() - allocate a ring
 * @kb: KiB a CPU; a power of two from COW_RING_MIN_KB to COW_RING_MAX_KB.
 * @dir: debugfs directory.
 * @files: make the files cpu0… in it.
 * Return: the ring or an ERR_PTR.
 */
struct cow_ring *cow_ring_create(unsigned int kb, struct dentry *dir, bool files);

#define COW_RING_MIN_KB		64
#define COW_RING_MAX_KB		65536
#define COW_RING_DEFAULT_KB	1024

/* Free it and remove its files. Context: nobody writes, no file is open. */
void cow_ring_destroy(struct cow_ring *ring);

/**
 * struct cow_writer - what the writing CPU keeps, on a cache line of its own
 * @seq: number of the last record, dropped ones counted.
 * @committed: records written, published by release.
 */
struct cow_writer {
	u32	seq;
	u64	committed;
} ____cacheline_aligned;

struct cow_reader;

/**
 * struct cow_ring - per-CPU buffers with one writer and one reader each
 * @chan: relay's buffers.
 * @writers: what each writing CPU keeps.
 * @readers: what the reader of each CPU keeps.
 * @first: CPU 0's buffer, while it has a file.
 * @size: bytes a CPU, a power of two.
 * @shut: no file may be opened.
 * @live: more records will come: wait for them.
 */
struct cow_ring {
	struct rchan			*chan;
	struct cow_writer __percpu	*writers;
	struct cow_reader __percpu	*readers;
	struct rchan_buf		*first;
	size_t				size;
	bool				shut;
	bool				live;
};

/**
 * cow_ring_claim() - the place of the next record in this CPU's buffer
 * @ring: the ring.
 *
 * relay_reserve() in two steps, inlined: nobody reads the place before the commit, and
 * without one it is claimed again. 11 instructions for both.
 * Context: preemption off from here to the commit; never interrupted by another
 * claim of this CPU.
 * Return: the place, or NULL when the buffer is full.
 */
static __always_inline struct cowtrace_record *cow_ring_claim(struct cow_ring *ring)
{
	struct rchan_buf *buf = *this_cpu_ptr(ring->chan->buf);

	if (unlikely(buf->offset + sizeof(struct cowtrace_record) > ring->chan->subbuf_size) &&
	    !relay_switch_subbuf(buf, sizeof(struct cowtrace_record)))
		return NULL;
	return buf->data + buf->offset;
}

/* Number the record that was filled in its place, and let the reader have it. */
static __always_inline void cow_ring_commit(struct cow_ring *ring, struct cowtrace_record *r)
{
	struct rchan_buf *buf = *this_cpu_ptr(ring->chan->buf);
	struct cow_writer *w = this_cpu_ptr(ring->writers);

	r->seq = ++w->seq;
	buf->offset += sizeof(*r);
	/* Pairs with the acquire of the reader: the record is whole before it is counted. */
	smp_store_release(&w->committed, w->committed + 1);
}

/**
 * cow_ring_write() - append a record to this CPU's buffer
 * @ring: the ring.
 * @r: the record; its seq is set, also when it is dropped.
 *
 * Context: preemption off; never interrupted by another write of this CPU.
 * Return: false when the buffer was full and the record is lost.
 */
bool cow_ring_write(struct cow_ring *ring, struct cowtrace_record *r);

/**
 * cow_ring_peek() - the oldest unread record of a CPU
 * @ring: the ring.
 * @cpu: any possible CPU.
 *
 * Return: the record, stable until cow_ring_consume(), or NULL when there is
 * none. One reader a CPU at a time.
 */
const struct cowtrace_record *cow_ring_peek(struct cow_ring *ring, int cpu);

/* Give the place of the oldest unread records of a CPU back. */
void cow_ring_consume(struct cow_ring *ring, int cpu, u64 records);

/* Throw all unread records away and start numbering again. Context: nobody writes or reads. */
void cow_ring_clear(struct cow_ring *ring);

/**
 * cow_ring_live() - will more records come?
 * @live: if not, all who wait are woken, and read the end of the file.
 */
void cow_ring_live(struct cow_ring *ring, bool live);

/**
 * cow_ring_shut() - let nobody open the ring's files any more
 * Return: false when one is open; the ring is then as it was.
 */
bool cow_ring_shut(struct cow_ring *ring);

/* Let the ring's files be opened again. */
void cow_ring_reopen(struct cow_ring *ring);

#endif /* COW_RING_H */
