// SPDX-License-Identifier: GPL-2.0
#include "top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

static const char *const key_names[] = {
#define NAME_(id, name) name,
	CT_TOP_KEYS(NAME_)
};

const char *ct_top_key_name(enum ct_top_key key)
{
	return key_names[key];
}

int ct_top_key_named(const char *name)
{
	for (int i = 0; i < CT_TOP_NR_KEYS; i++)
		if (!strcmp(name, key_names[i]))
			return i;
	return -1;
}

double ct_top_rate(const struct ct_top *top, uint64_t n)
{
	return top->elapsed_ns ? n * 1e9 / top->elapsed_ns : 0;
}

/* --- differences -------------------------------------------------------------- */

static struct ct_count of_pair(const struct ct_counted *it)
{
	bool copied = ct_copied(it->outcome);

	return (struct ct_count){
		.faults = it->faults,
		.copies = copied ? it->faults : 0,
		.reuses = it->outcome == COWTRACE_OUTCOME_REUSE ? it->faults : 0,
		.splits = it->outcome == COWTRACE_OUTCOME_SPLIT ? it->faults : 0,
		.bytes = it->bytes,
		.ns = it->ns,
		.copy_ns = copied ? it->ns : 0,
	};
}

static uint64_t more(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/*
 * Counters are read while they move, one after the other: each alone never goes back, and
 * what does is a process that made room, whose faults stand with the others.
 */
static struct ct_count difference(const struct ct_count *now, const struct ct_count *before)
{
	return (struct ct_count){
		.faults = more(now->faults, before->faults),
		.copies = more(now->copies, before->copies),
		.reuses = more(now->reuses, before->reuses),
		.splits = more(now->splits, before->splits),
		.bytes = more(now->bytes, before->bytes),
		.ns = more(now->ns, before->ns),
		.copy_ns = more(now->copy_ns, before->copy_ns),
	};
}

static const struct ct_counted *pair_in(const struct ct_counts *counts, const struct ct_counted *it)
{
	for (size_t i = 0; i < counts->nr_pairs; i++)
		if (counts->pairs[i].outcome == it->outcome &&
		    counts->pairs[i].reason == it->reason)
			return &counts->pairs[i];
	return NULL;
}

/* No outcome and reason is ever less, nor gone, but after a reset or a change of mode. */
static bool went_back(const struct ct_counts *before, const struct ct_counts *now)
{
	if (before->counting != now->counting)
		return true;
	for (size_t i = 0; i < before->nr_pairs; i++) {
		const struct ct_counted *it = pair_in(now, &before->pairs[i]);

		if ((it ? it->faults : 0) < before->pairs[i].faults)
			return true;
	}
	return false;
}

static int take_patterns(struct ct_top *top, const struct ct_counts *before,
			 const struct ct_counts *now)
{
	top->patterns = calloc(now->nr_pairs + 1, sizeof(*top->patterns));
	if (!top->patterns)
		return -ENOMEM;
	for (size_t i = 0; i < now->nr_pairs; i++) {
		const struct ct_counted *it = &now->pairs[i];
		const struct ct_counted *old = before ? pair_in(before, it) : NULL;
		struct ct_top_row *row = &top->patterns[top->nr_patterns];
		struct ct_count was = old ? of_pair(old) : (struct ct_count){ 0 };

		/* Read while faults happen, a line of durations may come before its faults. */
		if (!it->faults)
			continue;
		row->outcome = it->outcome;
		row->reason = it->reason;
		row->total = of_pair(it);
		row->now = difference(&row->total, &was);
		ct_count_merge(&top->sum.now, &row->now);
		ct_count_merge(&top->sum.total, &row->total);
		top->nr_patterns++;
	}
	return 0;
}

/* All processes of a look; the others with them. */
static struct ct_count all_of(const struct ct_counts *counts)
{
	struct ct_count sum = counts->others;

	for (size_t i = 0; i < counts->nr_processes; i++)
		ct_count_merge(&sum, &counts->processes[i].count);
	return sum;
}

static int index_processes(struct ct_map *map, const struct ct_counts *counts)
{
	for (size_t i = 0; i < counts->nr_processes; i++) {
		uint32_t *slot = ct_map_slot(map, counts->processes[i].tgid, 0);

		if (!slot)
			return -ENOMEM;
		*slot = i;
	}
	return 0;
}

/*
 * Who makes room takes all that it had to the others, so that their difference is what is
 * left when those of all rows are taken from that of all.
 */
static int take_processes(struct ct_top *top, const struct ct_counts *before,
			  const struct ct_counts *now)
{
	struct ct_count all = all_of(now), was = { 0 }, shown = { 0 };
	struct ct_map map = { 0 };

	top->processes = calloc(now->nr_processes + 1, sizeof(*top->processes));
	if (!top->processes)
		return -ENOMEM;
	if (before) {
		was = all_of(before);
		if (index_processes(&map, before)) {
			ct_map_free(&map);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < now->nr_processes; i++) {
		const struct ct_counted_process *it = &now->processes[i];
		uint32_t old = before ? ct_map_find(&map, it->tgid, 0) : CT_MAP_NONE;
		struct ct_count zero = { 0 };
		struct ct_top_row *row = &top->processes[i];

		row->tgid = it->tgid;
		row->at_least = it->at_least;
		memcpy(row->comm, it->comm, sizeof(row->comm));
		row->total = it->count;
		row->now = difference(&it->count,
				      old == CT_MAP_NONE ? &zero : &before->processes[old].count);
		ct_count_merge(&shown, &row->now);
	}
	top->nr_processes = now->nr_processes;
	top->others.total = now->others;
	all = difference(&all, &was);
	top->others.now = difference(&all, &shown);
	ct_map_free(&map);
	return 0;
}

int ct_top_between(struct ct_top *top, const struct ct_counts *before,
		   const struct ct_counts *now, uint64_t elapsed_ns)
{
	int ret;

	*top = (struct ct_top){
		.elapsed_ns = before ? elapsed_ns : 0,
		.reset = before && went_back(before, now),
		.timed = now->timed,
		.by_process = now->by_process,
	};
	if (top->reset)
		before = NULL;
	ret = take_patterns(top, before, now);
	if (!ret)
		ret = take_processes(top, before, now);
	if (ret)
		ct_top_clear(top);
	return ret;
}

void ct_top_clear(struct ct_top *top)
{
	free(top->patterns);
	free(top->processes);
	*top = (struct ct_top){ 0 };
}

/* --- order ------------------------------------------------------------------------ */

static uint64_t value(const struct ct_top_row *row, enum ct_top_key key)
{
	switch (key) {
	case CT_TOP_FAULTS:
		return row->now.faults;
	case CT_TOP_REUSES:
		return row->now.reuses;
	case CT_TOP_SPLITS:
		return row->now.splits;
	case CT_TOP_BYTES:
		return row->now.bytes;
	case CT_TOP_TIME:
		return row->now.ns;
	case CT_TOP_TOTAL:
		return row->total.faults;
	default:
		return row->now.copies;
	}
}

struct order {
	enum ct_top_key	key;
	bool		reverse;
};

static int compare(const void *x, const void *y, void *arg)
{
	const struct ct_top_row *a = x, *b = y;
	const struct order *order = arg;
	uint64_t one = value(a, order->key), other = value(b, order->key);
	int found;

	if (one != other)
		return (one > other) != order->reverse ? -1 : 1;
	/* Rows that have as much must not change places from one screen to the next. */
	found = ct_count_order(&a->now, &b->now) ?: ct_count_order(&a->total, &b->total);
	if (found)
		return found;
	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	return (a->outcome << 8 | a->reason) - (b->outcome << 8 | b->reason);
}

void ct_top_sort(struct ct_top *top, enum ct_top_key key, bool reverse)
{
	struct order order = { key, reverse };

	qsort_r(top->patterns, top->nr_patterns, sizeof(*top->patterns), compare, &order);
	qsort_r(top->processes, top->nr_processes, sizeof(*top->processes), compare, &order);
}

void ct_top_keep(struct ct_top *top, const char *wanted)
{
	uint64_t number;
	bool numeric = ct_number(wanted, &number);
	size_t n = 0;

	for (size_t i = 0; i < top->nr_processes; i++) {
		const struct ct_top_row *row = &top->processes[i];

		if (strstr(row->comm, wanted) || (numeric && row->tgid == number))
			top->processes[n++] = *row;
	}
	top->nr_processes = n;
}
