// SPDX-License-Identifier: GPL-2.0
/* Tracks of processes and threads, and counters of copied bytes. */
#include <cowtrace/classify.h>

#include "bytes.h"
#include "export_perfetto_parts.h"

/* Counters have a point each. */
#define INTERVAL_NS	100000000u
#define PER_SECOND	(1000000000u / INTERVAL_NS)

/* --- tracks ------------------------------------------------------------------------ */

struct px_owner *px_owner(struct px *x, uint32_t process, uint32_t tgid, uint64_t time,
			  const char *comm)
{
	struct px_owner *o = CT_ELEMENT(&x->owner_of, process, tgid, x->owners, &x->nr_owners);
	const char *name = NULL;

	if (!o || o->track)
		return o;
	if (process != CT_MAP_NONE)
		name = ct_processes_name(x->processes, process, time);
	o->tgid = tgid;
	o->track = ct_perfetto_process(&x->p, tgid, name ?: comm);
	return o;
}

struct px_thread *px_thread(struct px *x, const struct px_owner *o, uint32_t pid,
			    const char *comm)
{
	struct px_thread *t = CT_ELEMENT(&x->thread_of, o - x->owners, pid, x->threads,
					 &x->nr_threads);

	if (t && !t->track)
		t->track = ct_perfetto_thread(&x->p, o->track, o->tgid, pid, comm);
	return t;
}

/* --- counters ---------------------------------------------------------------------- */

static void put_meter(struct px *x, const struct px_meter *m, bool pause)
{
	uint64_t end = (m->slot + 1) * INTERVAL_NS;

	ct_perfetto_count(&x->p, end, m->track, m->sum);
	if (!m->rate)
		return;
	ct_perfetto_count(&x->p, m->slot * INTERVAL_NS, m->rate, m->in_slot * PER_SECOND);
	if (pause)
		ct_perfetto_count(&x->p, end, m->rate, 0);
}

/* Faults come in the order in which they ended. */
static void take_bytes(struct px *x, struct px_meter *m, uint64_t end, uint64_t bytes)
{
	uint64_t slot = end / INTERVAL_NS;

	if (!bytes)
		return;
	if (m->in_slot && m->slot != slot) {
		put_meter(x, m, m->slot + 1 != slot);
		m->in_slot = 0;
	}
	m->slot = slot;
	m->in_slot = ct_add(m->in_slot, bytes);
	m->sum = ct_add(m->sum, bytes);
}

void px_count(struct px *x, struct px_owner *o, const struct cowtrace_record *r)
{
	uint64_t bytes = cowtrace_copied_pages(r) * x->export->report->schema->page_size;
	uint64_t end = ct_add(r->time_ns, r->duration_ns);

	if (!bytes)
		return;
	if (!o->copied.track)
		o->copied.track = ct_perfetto_bytes(&x->p, o->track, "copied bytes");
	take_bytes(x, &o->copied, end, bytes);
	take_bytes(x, &x->copied, end, bytes);
}

void px_count_end(struct px *x)
{
	if (x->copied.in_slot)
		put_meter(x, &x->copied, true);
	for (size_t i = 0; i < x->nr_owners; i++)
		if (x->owners[i].copied.in_slot)
			put_meter(x, &x->owners[i].copied, true);
}
