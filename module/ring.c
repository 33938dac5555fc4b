// SPDX-License-Identifier: GPL-2.0
#include <linux/debugfs.h>
#include <linux/cpu.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <cowtrace/record.h>

#include "compat/compat.h"
#include "debugfs.h"
#include "register.h"
#include "ring.h"
#include "session.h"

#define RECORD_SIZE	sizeof(struct cowtrace_record)
/* Sub-buffers: enough that a reader frees space while the writer goes on. */
#define NR_SUBBUFS	16
/* Behind it stands the number of the CPU. */
#define CPU_FILE	"cpu"

/**
 * struct cow_reader - what the reader of a CPU keeps
 * @consumed: records read.
 * @open: 1 while the CPU's file is open.
 * @mutex: one read at a time: io_uring issues several on one open file.
 */
struct cow_reader {
	u64		consumed;
	atomic_t	open;
	struct mutex	mutex;	/* of reads */
} ____cacheline_aligned;

static struct rchan_buf *buf_of(struct cow_ring *ring, int cpu)
{
	return *per_cpu_ptr(ring->chan->buf, cpu);
}

bool cow_ring_write(struct cow_ring *ring, struct cowtrace_record *r)
{
	struct cowtrace_record *place = cow_ring_claim(ring);

	if (!place) {
		r->seq = ++this_cpu_ptr(ring->writers)->seq;
		return false;
	}
	*place = *r;
	cow_ring_commit(ring, place);
	r->seq = place->seq;
	return true;
}

/* Records that the reader of a CPU has not read; a CPU never online has no buffer. */
static u64 available(struct cow_ring *ring, int cpu)
{
	if (!buf_of(ring, cpu))
		return 0;
	/* Pairs with the release of the writer: what is counted is whole. */
	return smp_load_acquire(&per_cpu_ptr(ring->writers, cpu)->committed) -
	       READ_ONCE(per_cpu_ptr(ring->readers, cpu)->consumed);
}

/*
 * Records fill sub-buffers without padding and nothing is overwritten, so the
 * n-th record of a CPU lies at n records from the start, modulo the size.
 */
static size_t position(struct cow_ring *ring, int cpu)
{
	return per_cpu_ptr(ring->readers, cpu)->consumed * RECORD_SIZE & (ring->size - 1);
}

const struct cowtrace_record *cow_ring_peek(struct cow_ring *ring, int cpu)
{
	return available(ring, cpu) ? buf_of(ring, cpu)->start + position(ring, cpu) : NULL;
}

void cow_ring_consume(struct cow_ring *ring, int cpu, u64 records)
{
	struct cow_reader *reader = per_cpu_ptr(ring->readers, cpu);
	struct rchan_buf *buf = buf_of(ring, cpu);
	size_t done, produced;

	/* Others who wait for records look at it without the mutex. */
	WRITE_ONCE(reader->consumed, reader->consumed + records);
	/*
	 * A sub-buffer counts as produced only when the writer moves on to the
	 * next one. What is read of it before is given back at a later call.
	 */
	done = div64_u64(reader->consumed * RECORD_SIZE, ring->size / NR_SUBBUFS);
	produced = READ_ONCE(buf->subbufs_produced);
	done = min(done, produced);
	if (done > buf->subbufs_consumed)
		relay_subbufs_consumed(ring->chan, cpu, done - buf->subbufs_consumed);
}

void cow_ring_clear(struct cow_ring *ring)
{
	int cpu;

	relay_reset(ring->chan);
	for_each_possible_cpu(cpu) {
		*per_cpu_ptr(ring->writers, cpu) = (struct cow_writer) { 0 };
		per_cpu_ptr(ring->readers, cpu)->consumed = 0;
	}
}

void cow_ring_live(struct cow_ring *ring, bool live)
{
	int cpu;

	WRITE_ONCE(ring->live, live);
	if (live)
		return;
	for_each_possible_cpu(cpu)
		if (buf_of(ring, cpu))
			wake_up_interruptible(&buf_of(ring, cpu)->read_wait);
}

bool cow_ring_shut(struct cow_ring *ring)
{
	int cpu;

	WRITE_ONCE(ring->shut, true);
	/* Pairs with the exchange in cpu_open(). */
	smp_mb();
	for_each_possible_cpu(cpu)
		if (atomic_read(&per_cpu_ptr(ring->readers, cpu)->open)) {
			cow_ring_reopen(ring);
			return false;
		}
	return true;
}

void cow_ring_reopen(struct cow_ring *ring)
{
	WRITE_ONCE(ring->shut, false);
}

static int cpu_open(struct inode *inode, struct file *file)
{
	struct rchan_buf *buf = inode->i_private;
	struct cow_ring *ring = buf->chan->private_data;
	unsigned int cpu = READ_ONCE(buf->cpu);
	atomic_t *open;

	if (!cow_session_is_open())
		return -EAGAIN;
	/* Relay shows the file before the buffer is ready, and then publishes the buffer. */
	if (READ_ONCE(*per_cpu_ptr(buf->chan->buf, cpu)) != buf)
		return -ENOENT;
	if (READ_ONCE(ring->shut))
		return -EBUSY;
	open = &per_cpu_ptr(ring->readers, cpu)->open;
	if (atomic_cmpxchg(open, 0, 1))
		return -EBUSY;
	/* The exchange orders this after @open: either we see shut, or shut sees us. */
	if (READ_ONCE(ring->shut)) {
		atomic_set(open, 0);
		return -EBUSY;
	}
	file->private_data = buf;
	return stream_open(inode, file);
}

static int cpu_release(struct inode *inode, struct file *file)
{
	struct rchan_buf *buf = file->private_data;
	struct cow_ring *ring = buf->chan->private_data;

	atomic_set(&per_cpu_ptr(ring->readers, buf->cpu)->open, 0);
	return 0;
}

/* Return: 0 when there are records or none will come, else a negative errno. */
static int wait_for_records(struct cow_ring *ring, struct rchan_buf *buf, bool block)
{
	long left;

	while (!available(ring, buf->cpu) && READ_ONCE(ring->live)) {
		if (!block)
			return -EAGAIN;
		/* Relay wakes when a sub-buffer is full; a slow trickle is polled for. */
		left = wait_event_interruptible_timeout(buf->read_wait,
							available(ring, buf->cpu) ||
							!READ_ONCE(ring->live), HZ / 10);
		if (left < 0)
			return left;
	}
	return 0;
}

static ssize_t copy_records(struct cow_ring *ring, struct rchan_buf *buf, char __user *to,
			    size_t left)
{
	ssize_t done = 0;

	while (left) {
		size_t from = position(ring, buf->cpu);
		size_t n = min3((u64)left, available(ring, buf->cpu) * RECORD_SIZE,
				(u64)ring->size - from);

		if (!n)
			break;
		if (copy_to_user(to + done, buf->start + from, n))
			return done ?: -EFAULT;
		cow_ring_consume(ring, buf->cpu, n / RECORD_SIZE);
		done += n;
		left -= n;
	}
	return done;
}

static ssize_t cpu_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	struct rchan_buf *buf = file->private_data;
	struct cow_ring *ring = buf->chan->private_data;
	struct mutex *mutex = &per_cpu_ptr(ring->readers, buf->cpu)->mutex;
	ssize_t done;
	int err;

	if (count < RECORD_SIZE)
		return count ? -EINVAL : 0;
	do {
		err = wait_for_records(ring, buf, !(file->f_flags & O_NONBLOCK));
		if (err)
			return err;
		if (mutex_lock_interruptible(mutex))
			return -ERESTARTSYS;
		done = copy_records(ring, buf, to, count - count % RECORD_SIZE);
		mutex_unlock(mutex);
		/* Another read of this file may have taken them. */
	} while (!done && READ_ONCE(ring->live));
	return done;
}

static __poll_t cpu_poll(struct file *file, poll_table *wait)
{
	struct rchan_buf *buf = file->private_data;
	struct cow_ring *ring = buf->chan->private_data;

	poll_wait(file, &buf->read_wait, wait);
	if (available(ring, buf->cpu))
		return EPOLLIN | EPOLLRDNORM;
	return READ_ONCE(ring->live) ? 0 : EPOLLHUP;
}

static const struct file_operations cpu_fops = {
	.owner		= THIS_MODULE,
	.open		= cpu_open,
	.release	= cpu_release,
	.read		= cpu_read,
	.write		= cow_refuse_write,
	.poll		= cpu_poll,
};

COW_SUBBUF_START(subbuf_start)
{
	return !relay_buf_full(buf);
}

/* Relay asks for a file of a channel without names too, and takes any dentry for a yes. */
static struct dentry *create_file(const char *name, struct dentry *parent, umode_t mode,
				  struct rchan_buf *buf, int *is_global)
{
	struct cow_ring *ring = buf->chan->private_data;
	struct dentry *file;

	if (!name)
		return buf->chan->parent;
	/*
	 * Relay numbers the buffer after this, and when this fails it forgets that of the
	 * CPU whose number the buffer has: CPU 0's, whose file and memory would be left.
	 */
	if (kstrtouint(name + strlen(CPU_FILE), 10, &buf->cpu))
		return ERR_PTR(-EINVAL);
	file = cow_create_file(name, 0400, parent, buf, &cpu_fops);
	if (!IS_ERR_OR_NULL(file) && !buf->cpu)
		ring->first = buf;
	return file;
}

static int remove_file(struct dentry *dentry)
{
	struct rchan_buf *buf = dentry ? d_inode(dentry)->i_private : NULL;
	struct cow_ring *ring = buf ? buf->chan->private_data : NULL;

	if (ring && ring->first == buf)
		ring->first = NULL;
	debugfs_remove(dentry);
	return 0;
}

static COW_RELAY_CONST struct rchan_callbacks callbacks = {
	.subbuf_start		= subbuf_start,
	.create_buf_file	= create_file,
	.remove_buf_file	= remove_file,
};

/*
 * Without memory for the name of a file relay forgets CPU 0's buffer too, before anybody
 * could number the other one. The channel lives as long as the buffer: both are put back
 * to where relay_open() had them, and closed.
 */
static void close_forgotten(struct rchan_buf *buf)
{
	struct rchan *chan = buf->chan;

	*per_cpu_ptr(chan->buf, buf->cpu) = buf;
	INIT_LIST_HEAD(&chan->list);
	kref_get(&chan->kref);
	relay_close(chan);
}

static bool open_channel(struct cow_ring *ring, struct dentry *dir, bool files)
{
	int cpu;

	ring->writers = alloc_percpu(struct cow_writer);
	ring->readers = alloc_percpu(struct cow_reader);
	if (!ring->writers || !ring->readers)
		return false;
	for_each_possible_cpu(cpu)
		mutex_init(&per_cpu_ptr(ring->readers, cpu)->mutex);
	/* A CPU that comes online while relay looks at each would get no buffer. */
	cpus_read_lock();
	ring->chan = cow_open_channel(files ? CPU_FILE : NULL, dir, ring->size / NR_SUBBUFS,
				      NR_SUBBUFS, &callbacks, ring);
	cpus_read_unlock();
	if (!ring->chan && ring->first)
		close_forgotten(ring->first);
	return ring->chan;
}

struct cow_ring *cow_ring_create(unsigned int kb, struct dentry *dir, bool files)
{
	struct cow_ring *ring;

	/* Relay's single pages would wake the OOM killer before they fail. */
	if (si_mem_available() < (long)(num_possible_cpus() * (kb / (PAGE_SIZE / SZ_1K))))
		return ERR_PTR(-ENOMEM);
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return ERR_PTR(-ENOMEM);
	ring->size = (size_t)kb << 10;
	/* Until the channel stands, and for ever if it does not. */
	ring->shut = true;
	if (!open_channel(ring, dir, files)) {
		cow_ring_destroy(ring);
		return ERR_PTR(-ENOMEM);
	}
	cow_ring_reopen(ring);
	return ring;
}

void cow_ring_destroy(struct cow_ring *ring)
{
	if (ring->chan)
		relay_close(ring->chan);
	free_percpu(ring->readers);
	free_percpu(ring->writers);
	kfree(ring);
}
