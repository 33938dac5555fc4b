// SPDX-License-Identifier: GPL-2.0
/* Which fork caused which fault. */
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "generate.h"
#include "tap.h"

#define PAGE	4096
/* CLONE_VM | CLONE_VFORK and SIGCHLD. */
#define VFORK	0x4111
#define FORK	0x11

static char *path;

/* A trace in the making. */
struct scene {
	struct bytes	b;
	struct cowtrace_record r[64];
	size_t		n;
	struct ct_processes *processes;
	struct ct_forks	*f;
};

static void forked(struct scene *s, uint64_t time, uint32_t child, uint32_t parent, uint64_t flags)
{
	add_fork(&s->b, time, child, parent);
	if (flags)
		add_newtask(&s->b, time, child, parent, flags);
}

/* A write to an anonymous page that lacks the mark of being its owner's alone. */
static struct cowtrace_record *wrote(struct scene *s, uint64_t time, uint32_t tgid, int maps)
{
	struct cowtrace_record *r = &s->r[s->n];

	*r = plain_record(++s->n, time);
	r->tgid = tgid;
	r->pid = tgid;
	r->mapcount = maps;
	r->present |= COWTRACE_HAS_EXCLUSIVE;
	r->outcome = maps > 1 ? COWTRACE_OUTCOME_COPY : COWTRACE_OUTCOME_REUSE;
	r->reason = maps > 1 ? COWTRACE_REASON_MAPPED : COWTRACE_REASON_SOLE_REF;
	return r;
}

/* All forks and all causes add up to all faults, and so do the parts of each fork. */
static bool adds_up(const struct ct_forks *f)
{
	struct ct_count sum = { 0 };
	bool parts = true;
	size_t i;

	for (i = 0; i < f->nr; i++) {
		struct ct_count of = { 0 };

		ct_count_merge(&of, &f->list[i].by_parent);
		ct_count_merge(&of, &f->list[i].by_child);
		ct_count_merge(&of, &f->list[i].after);
		parts = parts && !memcmp(&of, &f->list[i].total, sizeof(of));
		ct_count_merge(&sum, &of);
	}
	for (i = 0; i < CT_NR_FORK_CAUSES; i++)
		ct_count_merge(&sum, &f->causes[i]);
	return parts && !memcmp(&sum, &f->total, sizeof(sum));
}

/* The same of what the forks are split into. */
static bool splits_add_up(const struct ct_forks *f)
{
	struct ct_count all = { 0 }, reasons = { 0 }, sites = { 0 };
	size_t i;

	for (i = 0; i < f->nr; i++)
		ct_count_merge(&all, &f->list[i].total);
	for (i = 0; i < f->nr_reasons; i++)
		ct_count_merge(&reasons, &f->reasons[i].count);
	for (i = 0; i < f->nr_by_site; i++)
		ct_count_merge(&sites, &f->by_site[i].count);
	return !memcmp(&all, &reasons, sizeof(all)) && !memcmp(&all, &sites, sizeof(all));
}

static void play(struct scene *s)
{
	size_t i;

	s->processes = make_processes(path, s->b);
	s->f = ct_forks_new(s->processes, PAGE);
	if (!s->f)
		abort();
	for (i = 0; i < s->n; i++)
		if (ct_forks_take(s->f, &s->r[i]))
			abort();
	ct_forks_end(s->f);
}

static void end(struct scene *s)
{
	ok(adds_up(s->f), "forks and causes add up to all faults");
	ok(splits_add_up(s->f), "reasons and places of forks add up to them");
	ct_forks_free(s->f);
	ct_processes_free(s->processes);
}

static bool is(const struct ct_count *c, uint64_t copies, uint64_t faults)
{
	return c->copies == copies && c->faults == faults && c->bytes == copies * PAGE &&
	       c->ns == faults * 500 && c->copy_ns == copies * 500;
}

static bool caused(const struct scene *s, enum ct_fork_cause cause, uint64_t faults)
{
	return s->f->causes[cause].faults == faults;
}

static void check_sides(void)
{
	struct scene s = { 0 };
	const struct ct_fork *it;

	add_comm(&s.b, 10, 100, "server", 0);
	forked(&s, 1000, 200, 100, FORK);
	add_exit(&s.b, 5000, 200);
	wrote(&s, 900, 100, 1);
	wrote(&s, 1100, 100, 2);
	wrote(&s, 1200, 100, 2);
	wrote(&s, 1300, 200, 2);
	wrote(&s, 1400, 200, 1);
	wrote(&s, 5000, 100, 1);
	play(&s);
	it = &s.f->list[0];
	ok(s.f->nr == 1 && it->start == 1000 && it->end == 5000 && it->how == CT_FORK_EXIT &&
	   it->known && !s.f->sharing, "a fork lasts until its child exits");
	ok(is(&it->by_parent, 2, 2), "what the parent writes counts to it");
	ok(is(&it->by_child, 1, 2), "what the child writes counts to it, copied or not");
	ok(is(&it->after, 0, 1), "what the parent writes after the child has gone is told apart");
	ok(caused(&s, CT_FORK_CAUSE_UNSEEN, 1), "what was shared before any fork counts to none");
	ok(s.f->nr_reasons == 2 && s.f->reasons[0].reason == COWTRACE_REASON_MAPPED &&
	   s.f->reasons[0].count.copies == 3 && s.f->reasons[1].count.reuses == 2,
	   "its faults are split by reason, the most copies first");
	end(&s);
}

static void check_several(void)
{
	struct scene s = { 0 };

	add_comm(&s.b, 10, 100, "server", 0);
	forked(&s, 1000, 200, 100, FORK);
	forked(&s, 2000, 300, 100, FORK);
	forked(&s, 2500, 400, 200, FORK);
	add_comm(&s.b, 3000, 300, "helper", 1);
	add_exit(&s.b, 4000, 200);
	add_exit(&s.b, 6000, 400);
	wrote(&s, 2100, 100, 3);	/* to 300, the newest */
	wrote(&s, 2200, 200, 3);	/* to 200: as the child */
	wrote(&s, 2600, 200, 3);	/* to 400: as the parent */
	wrote(&s, 2700, 400, 3);	/* to 400 */
	wrote(&s, 3100, 100, 2);	/* 300 has called exec: to 200 */
	wrote(&s, 3200, 100, 1);	/* nobody else has it: to 300, the newest */
	wrote(&s, 4100, 100, 2);	/* 200 is gone, its child 400 is there: to 200 */
	wrote(&s, 6100, 100, 2);	/* nobody of these: to none */
	wrote(&s, 3300, 300, 1);	/* after its exec, nobody shares with it */
	play(&s);
	ok(s.f->nr == 3 && s.f->list[1].how == CT_FORK_EXEC && s.f->list[1].end == 3000,
	   "a fork lasts until its child calls exec");
	ok(is(&s.f->list[1].by_parent, 1, 1), "of two children alive the newer one's fork counts");
	ok(is(&s.f->list[1].after, 0, 1), "a page that nobody else has left counts to the newest");
	ok(is(&s.f->list[0].by_parent, 1, 1), "a fork whose child is gone is passed over");
	ok(is(&s.f->list[0].by_child, 1, 1), "a child counts to the fork that made it");
	ok(is(&s.f->list[2].by_parent, 1, 1) && is(&s.f->list[2].by_child, 1, 1),
	   "a child that forks is a parent");
	ok(is(&s.f->list[0].after, 1, 1), "who the child has forked keeps its fork's pages");
	ok(caused(&s, CT_FORK_CAUSE_UNSEEN, 1), "others that map a page came by a fork not seen");
	ok(caused(&s, CT_FORK_CAUSE_PROTECTED, 1), "memory made by exec shares nothing by itself");
	end(&s);
}

/* Perf tells of a fork after the page tables were copied. */
static void check_early(void)
{
	struct scene s = { 0 };

	add_comm(&s.b, 10, 100, "server", 1);
	forked(&s, 1000, 200, 100, FORK);
	add_exit(&s.b, 1500, 200);
	forked(&s, 2000, 300, 100, FORK);
	add_exit(&s.b, 2500, 300);
	wrote(&s, 990, 100, 2);		/* by another thread, while it forks 200 */
	wrote(&s, 1990, 100, 2);	/* the same of 300: the line of 200 has ended */
	wrote(&s, 2600, 100, 2);	/* the page tables of 300 are still there */
	play(&s);
	ok(is(&s.f->list[0].by_parent, 1, 1),
	   "what is shared before the first fork is told is that fork's");
	ok(is(&s.f->list[1].by_parent, 1, 1),
	   "and so is what is shared when all earlier lines have ended");
	ok(is(&s.f->list[1].after, 1, 1), "without a fork to come it is of the last, after its end");
	end(&s);

	s = (struct scene){ 0 };
	add_comm(&s.b, 10, 100, "server", 1);
	add_lost(&s.b, 500, 3);
	forked(&s, 1000, 200, 100, FORK);
	wrote(&s, 990, 100, 2);
	play(&s);
	ok(caused(&s, CT_FORK_CAUSE_UNSEEN, 1),
	   "where perf's records were lost it may be one of these");
	end(&s);
}

static void check_shared_memory(void)
{
	struct scene s = { 0 };

	add_comm(&s.b, 10, 100, "server", 0);
	forked(&s, 1000, 200, 100, FORK);
	forked(&s, 2000, 300, 100, VFORK);
	/* The child of the vfork forks: it is the server's memory that is shared. */
	forked(&s, 2500, 400, 300, FORK);
	add_comm(&s.b, 3000, 300, "helper", 1);
	forked(&s, 3500, 500, 100, 0);
	/* This child exits, and who has its memory goes on. */
	forked(&s, 4000, 600, 100, FORK);
	forked(&s, 4100, 700, 600, VFORK);
	add_exit(&s.b, 4200, 600);
	add_comm(&s.b, 4300, 700, "another", 1);
	wrote(&s, 2100, 300, 2);
	wrote(&s, 2200, 100, 1);
	wrote(&s, 2600, 100, 2);
	wrote(&s, 3100, 300, 2);
	play(&s);
	ok(s.f->nr == 4 && s.f->sharing == 2, "a vfork() is no fork");
	ok(is(&s.f->list[0].by_parent, 1, 2), "its child writes to the parent's memory");
	ok(is(&s.f->list[1].by_parent, 1, 1), "and shares that when it forks");
	ok(caused(&s, CT_FORK_CAUSE_UNSEEN, 1), "until it calls exec");
	ok(s.f->list[1].known && !s.f->list[2].known,
	   "a fork that may have been a vfork() is told apart");
	ok(s.f->list[3].end == 4300, "memory lasts until the last process that has it is gone");
	end(&s);
}

static void check_causes(void)
{
	static const struct {
		uint8_t		kind;
		uint8_t		cause;
		uint64_t	faults;
		const char	*claim;
	} kinds[] = {
		{ COWTRACE_KIND_ZERO, CT_FORK_CAUSE_ZERO, 1, "the zero page" },
		{ COWTRACE_KIND_FILE, CT_FORK_CAUSE_FILE, 2, "a file" },
		{ COWTRACE_KIND_SPECIAL, CT_FORK_CAUSE_SPECIAL, 1, "a device" },
		{ COWTRACE_KIND_KSM, CT_FORK_CAUSE_KSM, 1, "KSM" },
		{ COWTRACE_KIND_UNKNOWN, CT_FORK_CAUSE_UNSAMPLED, 2, "a page not sampled" },
		{ 200, CT_FORK_CAUSE_UNSAMPLED, 2, "a kind of a later schema" },
	};
	struct scene s = { 0 };
	struct cowtrace_record *r;
	size_t i;

	add_comm(&s.b, 10, 100, "server", 1);
	forked(&s, 1000, 200, 100, FORK);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		wrote(&s, 2000, 100, 2)->kind = kinds[i].kind;
	wrote(&s, 2000, 100, 2)->state &= ~COWTRACE_PG_ANON;
	wrote(&s, 2000, 100, 2)->origin = COWTRACE_ORIGIN_REMOTE;
	wrote(&s, 2000, 100, 1)->state |= COWTRACE_PG_EXCLUSIVE;
	wrote(&s, 2000, 100, 1)->outcome = COWTRACE_OUTCOME_UFFD;
	wrote(&s, 2000, 999, 2);
	wrote(&s, 2000, 100, 1)->present &= ~COWTRACE_HAS_EXCLUSIVE;
	wrote(&s, 2000, 100, 1)->state |= COWTRACE_PG_SWAPCACHE | COWTRACE_PG_WRITEBACK;
	wrote(&s, 500, 100, 1)->present &= ~COWTRACE_HAS_EXCLUSIVE;
	/* What counts, with other reasons and outcomes. */
	r = wrote(&s, 2000, 100, 1);
	r->outcome = COWTRACE_OUTCOME_COPY;
	r->reason = COWTRACE_REASON_SWAPCACHE;
	wrote(&s, 2000, 100, 2)->present &= ~COWTRACE_HAS_EXCLUSIVE;
	wrote(&s, 2000, 100, 2)->outcome = COWTRACE_OUTCOME_UNSHARE;
	wrote(&s, 2000, 100, 2)->outcome = COWTRACE_OUTCOME_RACED;
	r = wrote(&s, 2000, 100, 2);
	r->kind = COWTRACE_KIND_THP;
	r->path = COWTRACE_PATH_PMD;
	r->outcome = COWTRACE_OUTCOME_SPLIT;
	play(&s);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		ok(caused(&s, kinds[i].cause, kinds[i].faults),
		   "%s is no page that a fork shares", kinds[i].claim);
	ok(caused(&s, CT_FORK_CAUSE_REMOTE, 1), "another task's write is of unknown memory");
	ok(caused(&s, CT_FORK_CAUSE_PROTECTED, 3),
	   "an exclusive page, userfaultfd and memory without a fork have other causes");
	ok(caused(&s, CT_FORK_CAUSE_UNTOLD, 1), "a process that nobody told of is said to be one");
	ok(caused(&s, CT_FORK_CAUSE_UNSETTLED, 2) && is(&s.f->list[0].unsettled, 0, 2),
	   "one mapping without a mark, or under writeback, settles nothing");
	ok(s.f->list[0].total.faults == 5 && s.f->list[0].total.copies == 3 &&
	   s.f->list[0].total.splits == 1,
	   "other reasons, unshares, splits and lost races of shared pages count");
	end(&s);
}

/* --- forks of pages whose history is known ----------------------------------- */

#define LIVES	24
#define PAGES	12
#define STEPS	400

struct page {
	uint64_t	shared_by;	/* forks, by bit */
	bool		before;		/* shared by a fork that the trace has not seen */
	bool		exclusive;
	int		maps;
};

struct life {
	bool		alive;
	uint32_t	tgid;
	struct page	*page[PAGES];
};

/* What a step of the play must find: the forks that have shared the page. */
struct truth {
	struct cowtrace_record r;
	uint64_t	shared_by;
	bool		before;
};

struct world {
	struct random_state random;
	struct life	life[LIVES];
	struct bytes	b;
	struct page	*made[LIVES * PAGES + STEPS * PAGES];
	size_t		nr_made;
	struct truth	truth[STEPS];
	size_t		n;
	unsigned int	forks;
	uint32_t	next;
};

static struct page *new_page(struct world *w)
{
	struct page *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->exclusive = true;
	p->maps = 1;
	w->made[w->nr_made++] = p;
	return p;
}

static void let_go(struct life *l)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		if (l->page[i])
			l->page[i]->maps--;
		l->page[i] = NULL;
	}
}

static void world_fork(struct world *w, uint64_t time, struct life *parent)
{
	struct life *child = &w->life[below(&w->random, LIVES)];
	size_t i;

	if (child->alive || w->forks == 64)
		return;
	child->alive = true;
	child->tgid = w->next++;
	for (i = 0; i < PAGES; i++) {
		child->page[i] = parent->page[i];
		if (!child->page[i])
			continue;
		child->page[i]->maps++;
		child->page[i]->exclusive = false;
		child->page[i]->shared_by |= 1ull << w->forks;
	}
	add_fork(&w->b, time, child->tgid, parent->tgid);
	add_newtask(&w->b, time, child->tgid, parent->tgid, FORK);
	w->forks++;
}

static void world_write(struct world *w, uint64_t time, struct life *l)
{
	struct page **slot = &l->page[below(&w->random, PAGES)], *p = *slot;
	struct truth *t = &w->truth[w->n];
	bool copy;

	if (!p)
		*slot = new_page(w);
	if (!p || p->exclusive)
		return;
	/* The swap cache and the like have pages copied that nobody else maps. */
	copy = p->maps > 1 || !below(&w->random, 4);
	t->r = plain_record(++w->n, time);
	t->r.tgid = l->tgid;
	t->r.mapcount = p->maps;
	t->r.present |= COWTRACE_HAS_EXCLUSIVE;
	t->r.outcome = copy ? COWTRACE_OUTCOME_COPY : COWTRACE_OUTCOME_REUSE;
	t->shared_by = p->shared_by;
	t->before = p->before;
	if (copy) {
		p->maps--;
		*slot = new_page(w);
	} else {
		*p = (struct page){ .exclusive = true, .maps = 1 };
	}
}

static void world_step(struct world *w, uint64_t time)
{
	struct life *l = &w->life[below(&w->random, LIVES)];

	if (!l->alive)
		return;
	switch (below(&w->random, 16)) {
	case 0:
	case 1:
		world_fork(w, time, l);
		break;
	case 2:
		let_go(l);
		l->alive = false;
		add_exit(&w->b, time, l->tgid);
		break;
	case 3:
		let_go(l);
		add_comm(&w->b, time, l->tgid, "another", 1);
		break;
	default:
		world_write(w, time, l);
	}
}

/* Two processes that share pages by a fork before the trace. */
static void world_begin(struct world *w)
{
	size_t i, k;

	w->next = 100;
	for (i = 0; i < 2; i++) {
		w->life[i].alive = true;
		w->life[i].tgid = w->next++;
		add_comm(&w->b, 1, w->life[i].tgid, "before", 0);
	}
	for (k = 0; k < PAGES / 2; k++) {
		struct page *p = new_page(w);

		*p = (struct page){ .before = true, .maps = 2 };
		w->life[0].page[k] = w->life[1].page[k] = p;
	}
}

/* Returns how many faults went to a fork that has not shared the page, or to none. */
static size_t world_end(struct world *w, size_t *to_forks)
{
	struct ct_processes *processes = make_processes(path, w->b);
	size_t i, k, wrong = 0;

	for (i = 0; i < w->n; i++) {
		const struct truth *t = &w->truth[i];
		struct ct_forks *f = ct_forks_new(processes, PAGE);
		bool right = false;

		if (!f || ct_forks_take(f, &t->r))
			abort();
		right = t->before && f->causes[CT_FORK_CAUSE_UNSEEN].faults == 1;
		for (k = 0; k < f->nr; k++)
			if (f->list[k].total.faults) {
				right = t->shared_by >> k & 1;
				(*to_forks)++;
			}
		wrong += !right || !adds_up(f);
		ct_forks_free(f);
	}
	for (i = 0; i < w->nr_made; i++)
		free(w->made[i]);
	ct_processes_free(processes);
	return wrong;
}

static void check_truth(void)
{
	size_t wrong = 0, faults = 0, to_forks = 0;
	uint64_t seed, time;

	for (seed = 1; seed <= 30; seed++) {
		struct world *w = calloc(1, sizeof(*w));

		if (!w)
			abort();
		w->random.x = seed * 0x9e3779b97f4a7c15ull;
		world_begin(w);
		for (time = 1000; time < 1000 + STEPS; time++)
			world_step(w, time);
		faults += w->n;
		wrong += world_end(w, &to_forks);
		free(w);
	}
	if (!ok(!wrong && to_forks > faults / 2,
		"each fault of forks at random goes to one that has shared the page"))
		note("%zu of %zu faults, %zu went to forks", wrong, faults, to_forks);
}

int main(void)
{
	path = temporary_file();
	check_sides();
	check_several();
	check_early();
	check_shared_memory();
	check_causes();
	check_truth();
	remove(path);
	free(path);
	return tap_end();
}
