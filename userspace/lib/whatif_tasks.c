// SPDX-License-Identifier: GPL-2.0
/* Which process faulted where: what was found is kept, most faults ask for it again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "whatif_parts.h"

#define TASKS	1024u
#define IPS	8192u

/*
 * One process number.
 *
 * @tgid: the number, 0 when free.
 * @process: its number in ct_whatif.processes.
 * @in_table: in the process table.
 * @execs: how many times it had called exec.
 * @from: all this holds from then on.
 * @until: and no longer.
 */
struct task {
	uint32_t	tgid;
	uint32_t	process;
	uint32_t	in_table;
	uint32_t	execs;
	uint64_t	from;
	uint64_t	until;
};

/* An instruction of a program of a process. @free_or_process: that number + 1. */
struct ip {
	uint64_t	ip;
	uint32_t	free_or_process;
	uint32_t	execs;
	uint32_t	site;
};

struct ct_whatif_tasks {
	struct task	task[TASKS];
	struct ip	ip[IPS];
};

struct ct_whatif_tasks *ct_whatif_tasks_new(void)
{
	return calloc(1, sizeof(struct ct_whatif_tasks));
}

static uint32_t number_of(struct ct_whatif *w, const struct cowtrace_record *r, uint32_t in_table,
			  int *err)
{
	bool known = in_table != CT_MAP_NONE;
	struct ct_whatif_process *it;
	size_t before = w->nr_processes;

	*err = 0;
	if (before == CT_WHATIF_PROCESSES)
		return ct_map_find(&w->process_of, known, known ? in_table : r->tgid);
	it = CT_ELEMENT(&w->process_of, known, known ? in_table : r->tgid, w->processes,
			&w->nr_processes);
	if (!it) {
		*err = -ENOMEM;
		return CT_MAP_NONE;
	}
	if (w->nr_processes > before) {
		it->process = in_table;
		it->tgid = r->tgid;
		memcpy(it->comm, r->comm, sizeof(it->comm));
	}
	return it - w->processes;
}

/* How long what is known of the process now goes on to hold. */
static void bounds(const struct ct_whatif *w, const struct cowtrace_record *r, struct task *t)
{
	const struct ct_process *it;
	uint64_t next;

	t->from = 0;
	t->until = UINT64_MAX;
	t->execs = 0;
	if (t->in_table == CT_MAP_NONE)
		return;
	it = ct_processes_get(w->table, t->in_table);
	t->execs = ct_processes_execs(w->table, t->in_table, r->time_ns);
	t->from = t->execs ? ct_processes_exec(w->table, t->in_table, t->execs - 1) : it->start;
	next = ct_processes_exec(w->table, t->in_table, t->execs);
	/* Beyond its end the number may be another's, which is looked up each time. */
	t->until = next < it->end ? next : it->end;
}

int ct_whatif_who(struct ct_whatif *w, const struct cowtrace_record *r, struct ct_whatif_at *at)
{
	struct task *t = &w->tasks->task[r->tgid % TASKS];
	int err = 0;

	if (t->tgid != r->tgid || !t->tgid || r->time_ns < t->from || r->time_ns >= t->until) {
		t->tgid = r->tgid;
		t->in_table = ct_processes_find(w->table, r->tgid, r->time_ns);
		t->process = number_of(w, r, t->in_table, &err);
		bounds(w, r, t);
	}
	at->process = t->process;
	at->in_table = t->in_table;
	return err;
}

static int find_site(struct ct_whatif *w, const struct cowtrace_record *r, struct ct_whatif_at *at)
{
	const struct task *t = &w->tasks->task[r->tgid % TASKS];
	struct ip *it = &w->tasks->ip[(r->ip ^ r->ip >> 13 ^ at->process * 31u) % IPS];
	int err;

	at->site = CT_MAP_NONE;
	if (!(r->present & COWTRACE_HAS_IP))
		return 0;
	if (it->ip == r->ip && it->free_or_process == at->process + 1 && it->execs == t->execs &&
	    at->process != CT_MAP_NONE) {
		at->site = it->site;
		return 0;
	}
	if (w->sites.nr >= CT_WHATIF_SITES)
		return 0;
	err = ct_sites_find(&w->sites, w->table, at->in_table, r, &at->site);
	if (!err)
		*it = (struct ip){ r->ip, at->process + 1, t->execs, at->site };
	return err;
}

static struct ct_whatif_share *share_of(struct ct_whatif_shares *s, uint32_t pattern,
					uint32_t what, int *err)
{
	struct ct_whatif_share *it;
	uint32_t place;

	*err = 0;
	if (s->nr == CT_WHATIF_SHARES) {
		place = ct_map_find(&s->place, pattern, what);
		return place == CT_MAP_NONE ? NULL : &s->list[place];
	}
	it = CT_ELEMENT(&s->place, pattern, what, s->list, &s->nr);
	if (!it) {
		*err = -ENOMEM;
		return NULL;
	}
	it->pattern = pattern;
	it->what = what;
	return it;
}

/* Count to @what of the pattern; @last and @place are of the fault before. */
static int count(struct ct_whatif_shares *s, uint32_t pattern, uint32_t what, uint32_t *last,
		 uint32_t *place, uint32_t *different)
{
	struct ct_whatif_share *it;
	int err;

	if (what == CT_MAP_NONE) {
		s->over++;
		return 0;
	}
	if (*last == what) {
		s->list[*place].faults++;
		return 0;
	}
	it = share_of(s, pattern, what, &err);
	if (!it) {
		s->over++;
		return err;
	}
	if (different)
		*different += !it->faults;
	it->faults++;
	*last = what;
	*place = it - s->list;
	return 0;
}

int ct_whatif_share(struct ct_whatif *w, struct ct_whatif_pattern *p,
		    const struct cowtrace_record *r, struct ct_whatif_at *at)
{
	uint32_t number = p - w->list;
	int err = find_site(w, r, at);

	if (!err)
		err = count(&w->by_process, number, at->process, &p->process, &p->process_share,
			    &p->processes);
	/* A kernel thread has no place. */
	if (!err && (r->present & COWTRACE_HAS_IP))
		err = count(&w->by_site, number, at->site, &p->site, &p->site_share, NULL);
	return err;
}
