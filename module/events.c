// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <cowtrace/decision.h>

#include "compat/compat.h"
#include "debugfs.h"
#include "events.h"
#include "lines.h"
#include "ring.h"
#include "session.h"
#include "vocabulary.h"

/* KiB a CPU: a reader of text is slower than any writer, and loss is counted. */
#define EVENTS_KB	256

/**
 * struct text - an open events file
 * @lines: what was read of it.
 * @ring: records not yet printed.
 */
struct text {
	struct cow_lines	lines;
	struct cow_ring		*ring;
};

static struct dentry *directory;
static atomic_t open_files;

void cow_events_init(struct dentry *dir)
{
	directory = dir;
}

/* The CPU with the oldest record. Return: -1 when there is none. */
static int oldest(struct cow_ring *ring)
{
	u64 time = U64_MAX;
	int cpu, found = -1;

	for_each_possible_cpu(cpu) {
		const struct cowtrace_record *r = cow_ring_peek(ring, cpu);

		if (r && r->time_ns < time) {
			time = r->time_ns;
			found = cpu;
		}
	}
	return found;
}

/* A part of the counts, or '-' where the record has none. */
static int print_holders(char *buf, size_t size, const struct cowtrace_record *r)
{
	struct cowtrace_holders h = cowtrace_holders(r, COW_TRAITS);

	if (!h.known)
		return scnprintf(buf, size, " refs=-");
	return scnprintf(buf, size,
			 " refs=%d mappings=%d swapcache=%d pagecache=%d lru=%d pins=%d fault=%d unattributed=%d order=%u",
			 h.total, h.mappings, h.swapcache, h.pagecache, h.lru, h.pins, h.fault,
			 h.unattributed, r->order);
}

/* Only where they are asked for: of a page in the swap cache, of one of a large folio. */
static int print_counts(char *buf, size_t size, const struct cowtrace_record *r)
{
	int n = 0;

	if (r->present & COWTRACE_HAS_SWAPCOUNT)
		n = scnprintf(buf, size, " swapcount=%u", r->swapcount);
	else if (r->state & COWTRACE_PG_SWAPCACHE)
		n = scnprintf(buf, size, " swapcount=-");
	if (r->present & COWTRACE_HAS_MAPPED_HERE)
		n += scnprintf(buf + n, size - n, " mapped_here=%u", r->mapped_here);
	return n;
}

/* The test that decided: "page_count():2>1" for a copy, "page_count():1" for a reuse. */
static int print_test(char *buf, size_t size, const struct cowtrace_record *r)
{
	struct cowtrace_decision d = cowtrace_decision(r, COW_TRAITS);

	if (!d.test)
		return scnprintf(buf, size, " test=-");
	if (!d.measured)
		return scnprintf(buf, size, " test=%s", d.test);
	if (d.value > d.limit)
		return scnprintf(buf, size, " test=%s:%d>%d", d.test, d.value, d.limit);
	return scnprintf(buf, size, " test=%s:%d", d.test, d.value);
}

static size_t print_record(char *buf, size_t size, const struct cowtrace_record *r)
{
	u32 us = r->time_ns % NSEC_PER_SEC / NSEC_PER_USEC;
	char comm[sizeof(r->comm)];
	size_t n;

	cow_lines_comm(comm, r->comm);
	n = scnprintf(buf, size,
		      "%llu.%06u [%03u] %s-%u %s %s path=%s kind=%s origin=%s addr=%#llx",
		      r->time_ns / NSEC_PER_SEC, us, r->cpu, comm, r->pid,
		      cow_outcome_name(r->outcome), cow_reason_name(r->reason),
		      cow_path_name(r->path), cow_kind_name(r->kind), cow_origin_name(r->origin),
		      r->address);
	if (r->present & COWTRACE_HAS_IP)
		n += scnprintf(buf + n, size - n, " ip=%#llx", r->ip);
	else
		n += scnprintf(buf + n, size - n, " ip=-");
	n += print_test(buf + n, size - n, r);
	n += print_holders(buf + n, size - n, r);
	n += print_counts(buf + n, size - n, r);
	n += scnprintf(buf + n, size - n, " pfn=%#llx", r->pfn);
	if (r->present & COWTRACE_HAS_NEW_PFN)
		n += scnprintf(buf + n, size - n, " new_pfn=%#llx", r->new_pfn);
	else
		n += scnprintf(buf + n, size - n, " new_pfn=-");
	n += scnprintf(buf + n, size - n, " ns=%u state=", r->duration_ns);
	n += cow_state_names(buf + n, size - n, r->state);
	n += scnprintf(buf + n, size - n, " evidence=");
	/* The end of the line has its place. */
	n += cow_evidence_names(buf + n, size - n - 1, r->evidence);
	n += scnprintf(buf + n, size - n, "\n");
	return n;
}

static int next_line(struct cow_lines *lines)
{
	struct text *t = container_of(lines, struct text, lines);
	int cpu = oldest(t->ring);

	if (cpu < 0)
		return cow_session_running() ? -EAGAIN : 0;
	lines->len = print_record(lines->line, sizeof(lines->line), cow_ring_peek(t->ring, cpu));
	cow_ring_consume(t->ring, cpu, 1);
	return 1;
}

static int events_open(struct inode *inode, struct file *file)
{
	struct text *t;
	int err;

	if (!cow_session_is_open())
		return -EAGAIN;
	if (atomic_cmpxchg(&open_files, 0, 1))
		return -EBUSY;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		err = -ENOMEM;
		goto fail;
	}
	cow_lines_init(&t->lines, next_line);
	t->ring = cow_ring_create(EVENTS_KB, directory, false);
	if (IS_ERR(t->ring)) {
		err = PTR_ERR(t->ring);
		goto fail;
	}
	file->private_data = &t->lines;
	WRITE_ONCE(cow_hot.events, t->ring);
	return stream_open(inode, file);
fail:
	kfree(t);
	atomic_set(&open_files, 0);
	return err;
}

static int events_release(struct inode *inode, struct file *file)
{
	struct text *t = container_of(file->private_data, struct text, lines);

	WRITE_ONCE(cow_hot.events, NULL);
	/* Handlers run with preemption off: none writes to it after this. */
	synchronize_rcu();
	cow_ring_destroy(t->ring);
	kfree(t);
	atomic_set(&open_files, 0);
	return 0;
}

const struct file_operations cow_events_fops = {
	.owner		= THIS_MODULE,
	.open		= events_open,
	.release	= events_release,
	.read		= cow_lines_read,
	.write		= cow_refuse_write,
};
