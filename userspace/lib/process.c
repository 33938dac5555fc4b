// SPDX-License-Identifier: GPL-2.0
/* From events, in the order of time, to a table of processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process_parts.h"

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* Two jumps of the same length make one over both: a search takes a logarithm. */
static void link_previous(const struct ct_processes *p, struct process *it, uint32_t previous)
{
	const struct process *one, *two;

	it->previous = previous;
	it->jump = previous;
	if (previous == CT_MAP_NONE)
		return;
	one = &p->list[previous];
	it->nr_previous = one->nr_previous + 1;
	if (one->jump == CT_MAP_NONE)
		return;
	two = &p->list[one->jump];
	if (two->jump != CT_MAP_NONE &&
	    one->nr_previous - two->nr_previous ==
	    two->nr_previous - p->list[two->jump].nr_previous)
		it->jump = two->jump;
}

static struct process *new_process(struct ct_processes *p, uint32_t tgid)
{
	uint32_t *slot = ct_map_slot(&p->by_tgid, tgid, 0);
	struct process *list = ct_grow(p->list, p->nr, sizeof(*list)), *it;

	if (list)
		p->list = list;
	if (!slot || !list)
		return NULL;
	it = &list[p->nr];
	memset(it, 0, sizeof(*it));
	it->pub.tgid = tgid;
	it->pub.parent = CT_MAP_NONE;
	it->pub.end = UINT64_MAX;
	it->pub.anon_bytes = UINT64_MAX;
	link_previous(p, it, *slot);
	*slot = p->nr++;
	return it;
}

/* The newest process of that number, made when it is the first one. */
static struct process *current_process(struct ct_processes *p, uint32_t tgid)
{
	uint32_t i = ct_map_find(&p->by_tgid, tgid, 0);

	return i == CT_MAP_NONE ? new_process(p, tgid) : &p->list[i];
}

static int apply_fork(struct ct_processes *p, const struct event *e)
{
	struct process *parent = current_process(p, e->parent), *child;
	uint32_t before, parent_index;

	if (!parent)
		return -ENOMEM;
	parent->pub.children++;
	parent_index = parent - p->list;
	/* A number that is given away again is free, whatever became of its EXIT. */
	before = ct_map_find(&p->by_tgid, e->tgid, 0);
	if (before != CT_MAP_NONE && e->time < p->list[before].pub.end)
		p->list[before].pub.end = e->time;
	/* This may move the list. */
	child = new_process(p, e->tgid);
	if (!child)
		return -ENOMEM;
	child->pub.parent = parent_index;
	child->pub.start = e->time;
	return 0;
}

/* The newest process of that number, NULL where its FORK was not seen. */
static struct process *forked_process(struct ct_processes *p, uint32_t tgid)
{
	uint32_t i = ct_map_find(&p->by_tgid, tgid, 0);

	return i != CT_MAP_NONE && p->list[i].pub.start ? &p->list[i] : NULL;
}

/* Of a process whose FORK was lost nothing is known to be said. */
static void apply_clone(struct ct_processes *p, const struct event *e)
{
	struct process *it = forked_process(p, e->tgid);

	if (it)
		it->pub.memory = e->memory;
}

/* What it had later, or as another program, it did not get from its parent. */
static void apply_memory(struct ct_processes *p, const struct event *e)
{
	struct process *it = forked_process(p, e->tgid);

	if (it && !it->nr_execs && it->pub.end == UINT64_MAX && it->pub.anon_bytes == UINT64_MAX)
		it->pub.anon_bytes = e->bytes;
}

static int apply_name(struct process *it, const struct event *e)
{
	struct name *names = ct_grow(it->names, it->nr_names, sizeof(*names));

	if (!names)
		return -ENOMEM;
	it->names = names;
	names[it->nr_names++] = (struct name){ e->time, e->name };
	return 0;
}

static int apply_map(struct process *it, const struct event *e)
{
	struct map *maps = ct_grow(it->maps, it->nr_maps, sizeof(*maps));

	if (!maps)
		return -ENOMEM;
	it->maps = maps;
	maps[it->nr_maps++] = (struct map){ e->time, e->map.address, e->map.length,
					    e->map.offset, e->map.object };
	return 0;
}

static int apply_exec(struct process *it, const struct event *e)
{
	uint64_t *execs = ct_grow(it->execs, it->nr_execs, sizeof(*execs));

	if (!execs)
		return -ENOMEM;
	it->execs = execs;
	execs[it->nr_execs++] = e->time;
	return 0;
}

static int apply(struct ct_processes *p, const struct event *e)
{
	struct process *it;

	switch (e->type) {
	case EVENT_FORK:
		return apply_fork(p, e);
	case EVENT_CLONE:
		apply_clone(p, e);
		return 0;
	case EVENT_MEMORY:
		apply_memory(p, e);
		return 0;
	default:
		break;
	}
	it = current_process(p, e->tgid);
	if (!it)
		return -ENOMEM;
	switch (e->type) {
	case EVENT_EXEC:
		return apply_exec(it, e);
	case EVENT_NAME:
		return apply_name(it, e);
	case EVENT_MAP:
		return apply_map(it, e);
	default:
		it->pub.end = e->time;
		return 0;
	}
}

int ct_processes_load(struct ct_reader *reader, struct ct_processes **out, struct ct_error *err)
{
	struct ct_processes *p = calloc(1, sizeof(*p));
	size_t i;
	int ret;

	if (!p)
		return ct_error_set(err, -ENOMEM, "out of memory");
	ret = ct_processes_records(p, reader);
	if (!ret && p->nr_events)
		qsort(p->events, p->nr_events, sizeof(*p->events), by_time);
	for (i = 0; i < p->nr_events && !ret; i++)
		ret = apply(p, &p->events[i]);
	free(p->events);
	p->events = NULL;
	ct_map_free(&p->by_object);
	ct_map_free(&p->by_text);
	if (ret) {
		ct_processes_free(p);
		return ct_error_set(err, ret, "out of memory");
	}
	*out = p;
	return 0;
}

void ct_processes_free(struct ct_processes *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nr; i++) {
		free(p->list[i].names);
		free(p->list[i].maps);
		free(p->list[i].execs);
	}
	for (i = 0; i < p->nr_texts; i++)
		free(p->texts[i]);
	free(p->texts);
	free(p->list);
	free(p->objects);
	free(p->events);
	ct_map_free(&p->by_tgid);
	ct_map_free(&p->by_object);
	ct_map_free(&p->by_text);
	free(p);
}
