// SPDX-License-Identifier: GPL-2.0
#include "ledger_parts.h"

#include <errno.h>
#include <stdlib.h>

/* What is known of a faulting page. */
enum sharing { SHARED, UNSETTLED, NOT_SHARED };

static const struct {
	const char	*name;
	const char	*sentence;
} causes[] = {
#define CAUSE_(id, n, s)	{ (n), (s) },
	CT_FORK_CAUSES(CAUSE_)
};

const char *ct_fork_cause_name(enum ct_fork_cause cause)
{
	return causes[cause].name;
}

const char *ct_fork_cause_sentence(enum ct_fork_cause cause)
{
	return causes[cause].sentence;
}

/* --- which memory takes part in which fork ---------------------------------- */

static bool shares(const struct ct_process *process)
{
	return process->memory == CT_MEMORY_SHARED && process->parent != CT_MAP_NONE;
}

static bool forked(const struct ct_process *process)
{
	return process->parent != CT_MAP_NONE && !shares(process);
}

/* The memories of one process, whose parent's are there already. */
static void add_memories(struct ct_forks *f, uint32_t process, uint32_t base)
{
	const struct ct_process *it = ct_processes_get(f->processes, process);
	size_t i, execs = ct_processes_execs(f->processes, process, UINT64_MAX);
	struct ct_memories *m = f->memories;

	m->base[process] = base;
	for (i = 0; i <= execs; i++) {
		uint32_t same = base + i;
		uint64_t end = i < execs ? ct_processes_exec(f->processes, process, i) : it->end;

		if (!i && shares(it))
			same = ct_ledger_memory(f, it->parent, it->start);
		else
			m->list[same] = (struct memory){ .fork = CT_MAP_NONE, .begun = i };
		m->same_as[base + i] = same;
		if (end > m->list[same].end)
			m->list[same].end = end;
	}
}

static void add_fork(struct ct_forks *f, uint32_t process)
{
	const struct ct_process *it = ct_processes_get(f->processes, process);
	struct ct_memories *m = f->memories;
	uint32_t fork = f->nr++;

	f->list[fork] = (struct ct_fork){
		.parent = it->parent,
		.child = process,
		.start = it->start,
		.known = it->memory == CT_MEMORY_COPIED,
	};
	m->of[fork] = ct_ledger_memory(f, it->parent, it->start);
	m->made[fork] = m->base[process];
	m->list[m->made[fork]].fork = fork;
	m->list[m->made[fork]].begun = true;
	m->list[m->of[fork]].nr++;
}

/* When each line ends: a child is forked into others only after it was made. */
static void end_lines(struct ct_forks *f, size_t nr_memories)
{
	struct ct_memories *m = f->memories;
	size_t i;

	for (i = 0; i < nr_memories; i++)
		m->list[i].line_end = m->list[i].end;
	for (i = f->nr; i--; ) {
		struct memory *of = &m->list[m->of[i]], *made = &m->list[m->made[i]];
		struct ct_fork *fork = &f->list[i];

		if (made->line_end > of->line_end)
			of->line_end = made->line_end;
		fork->end = made->end;
		fork->how = made->end == UINT64_MAX ? CT_FORK_ALIVE :
			    made->end == ct_processes_exec(f->processes, fork->child, 0) ?
			    CT_FORK_EXEC : CT_FORK_EXIT;
	}
}

static void order_forks(struct ct_forks *f, size_t nr_memories)
{
	struct ct_memories *m = f->memories;
	uint32_t first = 0;
	size_t i;

	for (i = 0; i < nr_memories; i++) {
		m->list[i].first = first;
		first += m->list[i].nr;
		m->list[i].nr = 0;
	}
	for (i = 0; i < f->nr; i++) {
		struct memory *of = &m->list[m->of[i]];
		uint32_t place = of->first + of->nr, earlier = of->nr ? place - 1 : CT_MAP_NONE;

		m->by_memory[place] = i;
		while (earlier != CT_MAP_NONE &&
		       ct_ledger_line_end(m, earlier) <= ct_ledger_line_end(m, place))
			earlier = m->outlived_by[earlier];
		m->outlived_by[place] = earlier;
		of->nr++;
	}
}

static void *room(size_t n, size_t size)
{
	return calloc(n ?: 1, size);
}

static bool make_room(struct ct_forks *f, size_t nr, size_t nr_memories, size_t nr_forks)
{
	struct ct_memories *m = room(1, sizeof(*m));

	f->memories = m;
	f->list = room(nr_forks, sizeof(*f->list));
	if (!m || !f->list)
		return false;
	m->list = room(nr_memories, sizeof(*m->list));
	m->base = room(nr, sizeof(*m->base));
	m->same_as = room(nr_memories, sizeof(*m->same_as));
	m->of = room(nr_forks, sizeof(*m->of));
	m->made = room(nr_forks, sizeof(*m->made));
	m->by_memory = room(nr_forks, sizeof(*m->by_memory));
	m->outlived_by = room(nr_forks, sizeof(*m->outlived_by));
	return m->list && m->base && m->same_as && m->of && m->made && m->by_memory &&
	       m->outlived_by;
}

struct ct_forks *ct_forks_new(const struct ct_processes *processes, uint64_t page_size)
{
	size_t i, nr = ct_processes_nr(processes), nr_memories = 0, nr_forks = 0;
	struct ct_forks *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->processes = processes;
	f->page_size = page_size;
	f->all_told = !ct_processes_lost(processes) && !ct_processes_bad(processes);
	for (i = 0; i < nr; i++) {
		nr_memories += ct_processes_execs(processes, i, UINT64_MAX) + 1;
		nr_forks += forked(ct_processes_get(processes, i));
	}
	if (!make_room(f, nr, nr_memories, nr_forks)) {
		ct_forks_free(f);
		return NULL;
	}
	nr_memories = 0;
	for (i = 0; i < nr; i++) {
		add_memories(f, i, nr_memories);
		nr_memories += ct_processes_execs(processes, i, UINT64_MAX) + 1;
		if (forked(ct_processes_get(processes, i)))
			add_fork(f, i);
		else
			f->sharing += shares(ct_processes_get(processes, i));
	}
	end_lines(f, nr_memories);
	order_forks(f, nr_memories);
	return f;
}

/* --- what a record says ----------------------------------------------------- */

static enum sharing anon_sharing(const struct cowtrace_record *r, enum ct_fork_cause *cause)
{
	*cause = CT_FORK_CAUSE_PROTECTED;
	if (r->outcome == COWTRACE_OUTCOME_UFFD)
		return NOT_SHARED;
	if (r->mapcount > 1)
		return SHARED;
	if (!(r->present & COWTRACE_HAS_EXCLUSIVE))
		return UNSETTLED;
	if (r->state & COWTRACE_PG_EXCLUSIVE)
		return NOT_SHARED;
	return r->state & COWTRACE_PG_WRITEBACK ? UNSETTLED : SHARED;
}

/* @cause: why it is not shared, if it is not. */
static enum sharing sharing_of(const struct cowtrace_record *r, enum ct_fork_cause *cause)
{
	static const uint8_t of_kind[] = {
		[COWTRACE_KIND_KSM] = CT_FORK_CAUSE_KSM,
		[COWTRACE_KIND_ZERO] = CT_FORK_CAUSE_ZERO,
		[COWTRACE_KIND_FILE] = CT_FORK_CAUSE_FILE,
		[COWTRACE_KIND_SPECIAL] = CT_FORK_CAUSE_SPECIAL,
	};

	switch (r->kind) {
	case COWTRACE_KIND_KSM:
	case COWTRACE_KIND_ZERO:
	case COWTRACE_KIND_FILE:
	case COWTRACE_KIND_SPECIAL:
		*cause = of_kind[r->kind];
		return NOT_SHARED;
	case COWTRACE_KIND_ANON:
	case COWTRACE_KIND_THP:
	case COWTRACE_KIND_HUGETLB:
		break;
	default:
		*cause = CT_FORK_CAUSE_UNSAMPLED;
		return NOT_SHARED;
	}
	if (!(r->state & COWTRACE_PG_ANON)) {
		*cause = CT_FORK_CAUSE_FILE;
		return NOT_SHARED;
	}
	if (r->origin == COWTRACE_ORIGIN_REMOTE) {
		*cause = CT_FORK_CAUSE_REMOTE;
		return NOT_SHARED;
	}
	return anon_sharing(r, cause);
}

/*
 * The fork that caused a fault, CT_MAP_NONE for none, with its cause then. An
 * unsettled fault has both, if a fork can have caused it.
 */
static uint32_t fork_of(const struct ct_forks *f, const struct cowtrace_record *r,
			uint32_t process, enum ct_fork_cause *cause)
{
	enum sharing sharing = sharing_of(r, cause);
	uint32_t fork, memory;

	if (sharing == NOT_SHARED)
		return CT_MAP_NONE;
	if (process == CT_MAP_NONE) {
		*cause = CT_FORK_CAUSE_UNTOLD;
		return CT_MAP_NONE;
	}
	memory = ct_ledger_memory(f, process, r->time_ns);
	fork = ct_ledger_newest(f, memory, r->time_ns, r->mapcount > 1);
	if (fork == CT_MAP_NONE && r->mapcount > 1 && f->all_told)
		fork = ct_ledger_told_late(f, memory, r->time_ns);
	if (sharing == UNSETTLED) {
		if (fork != CT_MAP_NONE || !f->memories->list[memory].begun)
			*cause = CT_FORK_CAUSE_UNSETTLED;
		return fork;
	}
	/* Mapped once, and by memory that never forked: nothing else can have shared it. */
	if (fork == CT_MAP_NONE && (r->mapcount > 1 || !f->memories->list[memory].begun))
		*cause = CT_FORK_CAUSE_UNSEEN;
	else if (fork != CT_MAP_NONE)
		*cause = CT_NR_FORK_CAUSES;
	return fork;
}

static int enter(struct ct_forks *f, uint32_t number, const struct cowtrace_record *r,
		 uint32_t process, uint64_t bytes)
{
	struct ct_fork *fork = &f->list[number];
	bool child = ct_ledger_memory(f, process, r->time_ns) == f->memories->made[number];
	struct ct_fork_reason *reason;
	struct ct_fork_site *at;
	uint32_t site;
	int err;

	ct_count_add(&fork->total, r, bytes);
	ct_count_add(r->time_ns >= fork->end ? &fork->after :
		     child ? &fork->by_child : &fork->by_parent, r, bytes);
	reason = CT_ELEMENT(&f->reason_of, number, r->outcome << 8 | r->reason, f->reasons,
			    &f->nr_reasons);
	if (!reason)
		return -ENOMEM;
	reason->fork = number;
	reason->outcome = r->outcome;
	reason->reason = r->reason;
	ct_count_add(&reason->count, r, bytes);
	if (!(r->present & COWTRACE_HAS_IP))
		return 0;
	err = ct_sites_find(&f->sites, f->processes, process, r, &site);
	if (err)
		return err;
	at = CT_ELEMENT(&f->site_of, number, site, f->by_site, &f->nr_by_site);
	if (!at)
		return -ENOMEM;
	at->fork = number;
	at->site = site;
	ct_count_add(&at->count, r, bytes);
	return 0;
}

int ct_forks_take(struct ct_forks *f, const struct cowtrace_record *r)
{
	uint32_t process = ct_processes_find(f->processes, r->tgid, r->time_ns);
	uint64_t bytes = cowtrace_copied_pages(r) * f->page_size;
	enum ct_fork_cause cause;
	uint32_t fork;

	ct_count_add(&f->total, r, bytes);
	fork = fork_of(f, r, process, &cause);
	if (cause == CT_NR_FORK_CAUSES)
		return enter(f, fork, r, process, bytes);
	ct_count_add(&f->causes[cause], r, bytes);
	if (fork != CT_MAP_NONE)
		ct_count_add(&f->list[fork].unsettled, r, bytes);
	return 0;
}

static int reason_order(const void *a, const void *b)
{
	const struct ct_fork_reason *x = a, *y = b;
	int order = (x->fork > y->fork) - (x->fork < y->fork) ?:
		    ct_count_order(&x->count, &y->count);

	return order ?: x->outcome != y->outcome ? x->outcome - y->outcome :
						   x->reason - y->reason;
}

static int site_order(const void *a, const void *b)
{
	const struct ct_fork_site *x = a, *y = b;
	int order = (x->fork > y->fork) - (x->fork < y->fork) ?:
		    ct_count_order(&x->count, &y->count);

	return order ?: (x->site > y->site) - (x->site < y->site);
}

void ct_forks_end(struct ct_forks *f)
{
	/* These hold places in the arrays, which change now. */
	ct_map_free(&f->reason_of);
	ct_map_free(&f->site_of);
	if (f->nr_reasons)
		qsort(f->reasons, f->nr_reasons, sizeof(*f->reasons), reason_order);
	if (f->nr_by_site)
		qsort(f->by_site, f->nr_by_site, sizeof(*f->by_site), site_order);
}

int ct_forks_make(struct ct_reader *reader, const struct ct_processes *processes,
		  struct ct_forks **out, struct ct_error *err)
{
	struct ct_forks *f = ct_forks_new(processes, ct_reader_schema(reader)->page_size);
	struct ct_event event;
	int ret = f ? 0 : -ENOMEM;

	ct_reader_rewind(reader);
	while (!ret && ct_reader_next(reader, &event))
		ret = ct_forks_take(f, event.record);
	if (ret) {
		ct_forks_free(f);
		return ct_error_set(err, ret, "out of memory");
	}
	ct_forks_end(f);
	*out = f;
	return 0;
}

void ct_forks_free(struct ct_forks *f)
{
	struct ct_memories *m;

	if (!f)
		return;
	m = f->memories;
	if (m) {
		free(m->list);
		free(m->base);
		free(m->same_as);
		free(m->of);
		free(m->made);
		free(m->by_memory);
		free(m->outlived_by);
		free(m);
	}
	ct_map_free(&f->reason_of);
	ct_map_free(&f->site_of);
	ct_sites_free(&f->sites);
	free(f->list);
	free(f->reasons);
	free(f->by_site);
	free(f);
}
