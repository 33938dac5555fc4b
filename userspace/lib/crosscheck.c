// SPDX-License-Identifier: GPL-2.0
/* Which records of two backends are of one call. */
#include "crosscheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "map.h"

/* Differing faults that are kept although they are too many to be read. */
#define KEPT_MAX	100000
#define BUCKETS		(64u << 10)
/* All bits set. */
#define NONE		UINT32_MAX

/**
 * struct entry - a record that waits, or room for one
 * @r: the record.
 * @ended_ns: when the fault ended, or later.
 * @next: in its bucket; of room, the next such.
 * @older: of its side.
 * @newer: likewise.
 * @side: whose it is.
 */
struct entry {
	struct cowtrace_record	r;
	uint64_t		ended_ns;
	uint32_t		next;
	uint32_t		older;
	uint32_t		newer;
	int			side;
};

struct ct_cross_waiting {
	struct entry	*all;
	size_t		nr;
	uint32_t	room;
	uint32_t	oldest[2];
	uint32_t	newest[2];
	size_t		number[2];
	uint64_t	known_ns[2];
	uint32_t	bucket[BUCKETS];
};

static struct ct_cross_waiting *waiting_of(struct ct_cross *c)
{
	struct ct_cross_waiting *w = c->waiting;

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	memset(w->bucket, 0xff, sizeof(w->bucket));
	w->room = NONE;
	memset(w->oldest, 0xff, sizeof(w->oldest));
	memset(w->newest, 0xff, sizeof(w->newest));
	c->waiting = w;
	return w;
}

static uint32_t *bucket_of(struct ct_cross_waiting *w, const struct cowtrace_record *r)
{
	uint64_t key = r->address * 0x9e3779b97f4a7c15ull ^ r->pid * 0xc2b2ae3d27d4eb4full;

	return &w->bucket[(key ^ key >> 32) % BUCKETS];
}

static uint64_t end_of(const struct cowtrace_record *r)
{
	return ct_add(r->time_ns, r->duration_ns);
}

static bool overlap(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	return a->time_ns <= end_of(b) && b->time_ns <= end_of(a);
}

static bool same_call(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	return a->pid == b->pid && a->path == b->path && a->address == b->address && overlap(a, b);
}

static uint64_t apart(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	uint64_t ends = end_of(a), its = end_of(b);

	return ends > its ? ends - its : its - ends;
}

/* --- those that wait -------------------------------------------------------------- */

/* The partner of a record that has come, or NONE. */
static uint32_t partner(struct ct_cross_waiting *w, int side, const struct cowtrace_record *r)
{
	uint32_t best = NONE;

	for (uint32_t i = *bucket_of(w, r); i != NONE; i = w->all[i].next)
		if (w->all[i].side != side && same_call(&w->all[i].r, r) &&
		    (best == NONE || apart(&w->all[i].r, r) < apart(&w->all[best].r, r)))
			best = i;
	return best;
}

static uint32_t place(struct ct_cross_waiting *w)
{
	uint32_t i = w->room;
	struct entry *grown;

	if (i != NONE) {
		w->room = w->all[i].next;
		return i;
	}
	grown = ct_grow(w->all, w->nr, sizeof(*grown));
	if (!grown)
		return NONE;
	w->all = grown;
	return w->nr++;
}

static int wait_for_it(struct ct_cross_waiting *w, int side, const struct cowtrace_record *r)
{
	uint32_t i = place(w), *bucket = bucket_of(w, r);
	uint64_t ended = end_of(r);
	struct entry *e;

	if (i == NONE)
		return -ENOMEM;
	e = &w->all[i];
	e->r = *r;
	e->side = side;
	/* A duration has an end, too: what comes now has not ended long ago. */
	e->ended_ns = ended > w->known_ns[side] ? ended : w->known_ns[side];
	e->next = *bucket;
	*bucket = i;
	e->newer = NONE;
	e->older = w->newest[side];
	if (e->older == NONE)
		w->oldest[side] = i;
	else
		w->all[e->older].newer = i;
	w->newest[side] = i;
	w->number[side]++;
	return 0;
}

static void let_go(struct ct_cross_waiting *w, uint32_t i)
{
	struct entry *e = &w->all[i];
	uint32_t *at = bucket_of(w, &e->r);

	while (*at != i)
		at = &w->all[*at].next;
	*at = e->next;
	*(e->older == NONE ? &w->oldest[e->side] : &w->all[e->older].newer) = e->newer;
	*(e->newer == NONE ? &w->newest[e->side] : &w->all[e->newer].older) = e->older;
	w->number[e->side]--;
	e->next = w->room;
	w->room = i;
}

/* --- what became of them ------------------------------------------------------------ */

static int list(struct ct_cross *c, const struct ct_cross_pair *pair, unsigned int what)
{
	uint64_t max = what < CT_CROSS_RACING ? KEPT_MAX : c->list_max;
	struct ct_cross_pair *grown;

	if (c->listed[what] >= max)
		return 0;
	grown = ct_grow(c->list, c->nr_list, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->list = grown;
	grown[c->nr_list++] = *pair;
	c->listed[what]++;
	return 0;
}

static int seen_by_both(struct ct_cross *c, const struct cowtrace_record *a,
			const struct cowtrace_record *b)
{
	struct ct_cross_pair pair = { { *a, *b }, ct_cross_compare(a, b), 3 };
	enum ct_cross_class worst = ct_cross_worst(pair.fields, a->path);

	c->pairs++;
	if (worst == CT_CROSS_NR_CLASSES)
		return 0;
	for (size_t i = 0; i < ct_cross_nr_fields; i++)
		c->differ[i] += pair.fields >> i & 1;
	c->worst[worst]++;
	return list(c, &pair, worst);
}

static int seen_alone(struct ct_cross *c, int side, const struct cowtrace_record *r)
{
	struct ct_cross_pair pair = { .seen = 1u << side };
	/* When it ended a duration that is full does not tell. */
	bool after = c->end_ns && (end_of(r) > c->end_ns || r->duration_ns == UINT32_MAX);

	if (r->time_ns < c->begin_ns || after) {
		c->edge[side]++;
		return 0;
	}
	c->alone[side]++;
	pair.side[side] = *r;
	return list(c, &pair, CT_CROSS_NR_CLASSES);
}

int ct_cross_add(struct ct_cross *c, int side, const struct cowtrace_record *r)
{
	struct ct_cross_waiting *w = waiting_of(c);
	struct cowtrace_record its;
	uint32_t i;

	if (!w)
		return -ENOMEM;
	i = partner(w, side, r);
	if (i != NONE) {
		its = w->all[i].r;
		let_go(w, i);
		return side ? seen_by_both(c, &its, r) : seen_by_both(c, r, &its);
	}
	if (w->number[side] == CT_CROSS_WAITING_MAX) {
		c->given_up[side]++;
		let_go(w, w->oldest[side]);
	}
	return wait_for_it(w, side, r);
}

int ct_cross_known(struct ct_cross *c, int side, uint64_t ns)
{
	struct ct_cross_waiting *w = waiting_of(c);
	struct cowtrace_record r;
	uint32_t i;
	int ret;

	if (!w)
		return -ENOMEM;
	w->known_ns[side] = ns;
	while ((i = w->oldest[!side]) != NONE &&
	       (ns == UINT64_MAX || ct_add(w->all[i].ended_ns, c->late_ns) < ns)) {
		r = w->all[i].r;
		let_go(w, i);
		ret = seen_alone(c, !side, &r);
		if (ret)
			return ret;
	}
	return 0;
}

void ct_cross_free(struct ct_cross *c)
{
	if (c->waiting)
		free(c->waiting->all);
	free(c->waiting);
	free(c->list);
}
