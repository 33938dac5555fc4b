// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "bytes.h"
#include "map.h"
#include "meta.h"
#include "sideband_memory.h"

/* A chain of forks longer than this is not followed: no shell is so patient. */
#define DEPTH_MAX	4096

#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

enum event_type {
	EVENT_FORK, EVENT_CLONE, EVENT_MEMORY, EVENT_EXEC, EVENT_NAME, EVENT_MAP, EVENT_EXIT
};

struct event {
	uint64_t	time;
	uint64_t	order;
	enum event_type	type;
	uint32_t	tgid;
	union {
		uint32_t parent;
		uint32_t name;
		enum ct_memory memory;
		uint64_t bytes;
		struct {
			uint64_t	address, length, offset;
			uint32_t	object;
		} map;
	};
};

struct name {
	uint64_t	time;
	uint32_t	text;
};

struct map {
	uint64_t	time, address, length, offset;
	uint32_t	object;
};

struct process {
	struct ct_process pub;
	/*
	 * The process that had the same number before, how many did, and one of
	 * them from which the search goes on when all between are too new.
	 */
	uint32_t	previous;
	uint32_t	nr_previous;
	uint32_t	jump;
	struct name	*names;
	size_t		nr_names;
	struct map	*maps;
	size_t		nr_maps;
	uint64_t	*execs;
	size_t		nr_execs;
};

struct ct_processes {
	uint64_t	sample_type;
	struct event	*events;
	size_t		nr_events;
	struct process	*list;
	size_t		nr;
	struct ct_map	by_tgid;
	struct ct_object *objects;
	size_t		nr_objects;
	struct ct_map	by_object;
	char		**texts;
	size_t		nr_texts;
	struct ct_map	by_text;
	uint64_t	lost;
	uint64_t	bad;
};

/* FNV-1a */
static uint64_t hash(const void *data, size_t size, uint64_t h)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* Number of a cleaned copy of @text, the same for equal texts. */
static uint32_t intern(struct ct_processes *p, const char *text, size_t length)
{
	char clean[4096];
	uint32_t *slot;
	char **texts;
	uint64_t salt;

	ct_clean_text(clean, sizeof(clean), text, length);
	/* Two texts of one hash: the second looks under the next salt. */
	for (salt = 0; ; salt++) {
		slot = ct_map_slot(&p->by_text, hash(clean, strlen(clean), 0xcbf29ce484222325ull),
				   salt);
		if (!slot)
			return CT_MAP_NONE;
		if (*slot == CT_MAP_NONE)
			break;
		if (!strcmp(p->texts[*slot], clean))
			return *slot;
	}
	texts = ct_grow(p->texts, p->nr_texts, sizeof(*texts));
	if (!texts)
		return CT_MAP_NONE;
	p->texts = texts;
	texts[p->nr_texts] = strdup(clean);
	if (!texts[p->nr_texts])
		return CT_MAP_NONE;
	*slot = p->nr_texts;
	return p->nr_texts++;
}

static bool same_object(const struct ct_object *a, const struct ct_object *b)
{
	return a->path == b->path && a->build_id_size == b->build_id_size &&
	       !memcmp(a->build_id, b->build_id, sizeof(a->build_id)) &&
	       a->device == b->device && a->inode == b->inode;
}

static uint32_t intern_object(struct ct_processes *p, const struct ct_object *object)
{
	struct ct_object *objects;
	uint64_t h, salt;
	uint32_t *slot;

	h = hash(object->build_id, sizeof(object->build_id), (uintptr_t)object->path);
	h = hash(&object->inode, sizeof(object->inode), h);
	for (salt = 0; ; salt++) {
		slot = ct_map_slot(&p->by_object, h, salt);
		if (!slot)
			return CT_MAP_NONE;
		if (*slot == CT_MAP_NONE)
			break;
		if (same_object(&p->objects[*slot], object))
			return *slot;
	}
	objects = ct_grow(p->objects, p->nr_objects, sizeof(*objects));
	if (!objects)
		return CT_MAP_NONE;
	p->objects = objects;
	objects[p->nr_objects] = *object;
	*slot = p->nr_objects;
	return p->nr_objects++;
}

static int add_event(struct ct_processes *p, const struct event *e)
{
	struct event *events = ct_grow(p->events, p->nr_events, sizeof(*events));

	if (!events)
		return -ENOMEM;
	p->events = events;
	events[p->nr_events] = *e;
	events[p->nr_events].order = p->nr_events;
	p->nr_events++;
	return 0;
}

/* One perf record, its sample id taken off: @body has @size bytes. */
static int take_comm(struct ct_processes *p, uint16_t misc, const uint8_t *body, size_t size,
		     struct event e)
{
	int err = 0;

	if (size < 8) {
		p->bad++;
		return 0;
	}
	e.tgid = ct_le32(body);
	if (misc & PERF_RECORD_MISC_COMM_EXEC) {
		e.type = EVENT_EXEC;
		err = add_event(p, &e);
	}
	/* Threads may have names of their own: a process has that of its first. */
	if (err || e.tgid != ct_le32(body + 4))
		return err;
	e.type = EVENT_NAME;
	e.name = intern(p, (const char *)body + 8, size - 8);
	return e.name == CT_MAP_NONE ? -ENOMEM : add_event(p, &e);
}

static int take_task(struct ct_processes *p, uint32_t type, const uint8_t *body, size_t size,
		     struct event e)
{
	if (size < 24) {
		p->bad++;
		return 0;
	}
	e.tgid = ct_le32(body);
	e.time = ct_le64(body + 16);
	if (type == PERF_RECORD_FORK) {
		e.type = EVENT_FORK;
		e.parent = ct_le32(body + 4);
		/* A thread */
		if (e.parent == e.tgid)
			return 0;
	} else {
		e.type = EVENT_EXIT;
		if (ct_le32(body + 8) != e.tgid)
			return 0;
	}
	return add_event(p, &e);
}

static int take_mmap2(struct ct_processes *p, uint16_t misc, const uint8_t *body, size_t size,
		      struct event e)
{
	struct ct_object object = { 0 };
	uint32_t text;

	if (size < 64) {
		p->bad++;
		return 0;
	}
	e.type = EVENT_MAP;
	e.tgid = ct_le32(body);
	e.map.address = ct_le64(body + 8);
	e.map.length = ct_le64(body + 16);
	e.map.offset = ct_le64(body + 24);
	if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
		object.build_id_size = body[32] <= CT_BUILD_ID_MAX ? body[32] : 0;
		memcpy(object.build_id, body + 36, object.build_id_size);
	} else {
		object.device = (uint64_t)ct_le32(body + 32) << 32 | ct_le32(body + 36);
		object.inode = ct_le64(body + 40);
	}
	text = intern(p, (const char *)body + 64, size - 64);
	if (text == CT_MAP_NONE)
		return -ENOMEM;
	object.path = p->texts[text];
	e.map.object = intern_object(p, &object);
	return e.map.object == CT_MAP_NONE ? -ENOMEM : add_event(p, &e);
}

/* A sample of task:task_newtask, which follows the FORK of the same task. */
static int take_newtask(struct ct_processes *p, const uint8_t *body, size_t size, struct event e)
{
	const size_t head = sizeof(struct ct_sideband_id), raw = head + sizeof(uint32_t);
	uint64_t flags;

	if (p->sample_type != CT_SIDEBAND_SAMPLE_TYPE)
		return 0;
	if (size < raw + CT_NEWTASK_SIZE || ct_le32(body + head) < CT_NEWTASK_SIZE) {
		p->bad++;
		return 0;
	}
	flags = ct_le64(body + raw + CT_NEWTASK_FLAGS);
	if (flags & CLONE_THREAD)
		return 0;
	e.type = EVENT_CLONE;
	e.time = ct_le64(body + offsetof(struct ct_sideband_id, time));
	e.tgid = ct_le32(body + raw + CT_NEWTASK_PID);
	e.memory = flags & CLONE_VM ? CT_MEMORY_SHARED : CT_MEMORY_COPIED;
	return add_event(p, &e);
}

/* @body ends before the id. */
static int take_memory(struct ct_processes *p, const uint8_t *body, size_t size, struct event e)
{
	const size_t head = offsetof(struct ct_memory_record, pid);
	uint64_t anon, swapped;

	if (size < offsetof(struct ct_memory_record, id) - head) {
		p->bad++;
		return 0;
	}
	anon = ct_le64(body + offsetof(struct ct_memory_record, anon) - head);
	swapped = ct_le64(body + offsetof(struct ct_memory_record, swapped) - head);
	e.type = EVENT_MEMORY;
	e.tgid = ct_le32(body);
	e.bytes = ct_add(anon, swapped);
	return add_event(p, &e);
}

static int take_record(struct ct_processes *p, const uint8_t *record, size_t size)
{
	uint32_t type = ct_le32(record);
	uint16_t misc = ct_le16(record + 4);
	const uint8_t *body = record + 8;
	uint64_t ids = p->sample_type & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
					 PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
					 PERF_SAMPLE_IDENTIFIER);
	size_t id_size = 8 * __builtin_popcountll(ids);
	struct event e = { 0 };

	size -= 8;
	if (type == PERF_RECORD_SAMPLE)
		return take_newtask(p, body, size, e);
	if (size < id_size) {
		p->bad++;
		return 0;
	}
	size -= id_size;
	if (ids & PERF_SAMPLE_TIME)
		e.time = ct_le64(body + size + (ids & PERF_SAMPLE_TID ? 8 : 0));
	switch (type) {
	case PERF_RECORD_COMM:
		return take_comm(p, misc, body, size, e);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return take_task(p, type, body, size, e);
	case PERF_RECORD_MMAP2:
		return take_mmap2(p, misc, body, size, e);
	case CT_RECORD_MEMORY:
		return take_memory(p, body, size, e);
	case PERF_RECORD_LOST:
		if (size >= 16)
			p->lost = ct_add(p->lost, ct_le64(body + 8));
		else
			p->bad++;
		return 0;
	default:
		return 0;
	}
}

static int take_chunk(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct ct_processes *p = arg;
	const uint8_t *at = data;
	int err;

	(void)cpu;
	while (length >= 8) {
		uint16_t size = ct_le16(at + 6);

		if (size < 8 || size > length)
			break;
		err = take_record(p, at, size);
		if (err)
			return err;
		at += size;
		length -= size;
	}
	p->bad += !!length;
	return 0;
}

static int take_meta(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct ct_processes *p = arg;
	struct json_tokener *tokener;
	struct json_object *meta, *type;

	(void)cpu;
	if (length > 1 << 20)
		return 0;
	tokener = json_tokener_new();
	if (!tokener)
		return -ENOMEM;
	meta = json_tokener_parse_ex(tokener, data, length);
	type = ct_meta_member(meta, "sideband", "sample_type");
	if (json_object_is_type(type, json_type_int))
		p->sample_type = json_object_get_int64(type);
	json_object_put(meta);
	json_tokener_free(tokener);
	return 0;
}

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
	/* What the records of a trace without META look like. */
	p->sample_type = CT_SIDEBAND_SAMPLE_TYPE;
	ret = ct_reader_chunks(reader, CT_CHUNK_META, take_meta, p);
	if (!ret)
		ret = ct_reader_chunks(reader, CT_CHUNK_SIDEBAND, take_chunk, p);
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

uint32_t ct_processes_find(const struct ct_processes *p, uint32_t tgid, uint64_t time)
{
	uint32_t i = ct_map_find(&p->by_tgid, tgid, 0);

	if (i == CT_MAP_NONE)
		return i;
	/* Numbers are used again in the order of time, the newest comes first. */
	while (p->list[i].pub.start > time && p->list[i].previous != CT_MAP_NONE) {
		uint32_t jump = p->list[i].jump;

		i = p->list[jump].pub.start > time ? jump : p->list[i].previous;
	}
	return i;
}

const struct ct_process *ct_processes_get(const struct ct_processes *p, uint32_t process)
{
	return &p->list[process].pub;
}

/* How many of @n times, @stride bytes apart and in order, are not after @time. */
static size_t count_until(const void *times, size_t n, size_t stride, uint64_t time)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (*(const uint64_t *)((const char *)times + mid * stride) <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t ct_processes_nr(const struct ct_processes *p)
{
	return p->nr;
}

size_t ct_processes_execs(const struct ct_processes *p, uint32_t process, uint64_t time)
{
	const struct process *it = &p->list[process];

	return count_until(it->execs, it->nr_execs, sizeof(*it->execs), time);
}

uint64_t ct_processes_exec(const struct ct_processes *p, uint32_t process, size_t i)
{
	const struct process *it = &p->list[process];

	return i < it->nr_execs ? it->execs[i] : UINT64_MAX;
}

const char *ct_processes_name(const struct ct_processes *p, uint32_t process, uint64_t time)
{
	int depth;

	for (depth = 0; depth < DEPTH_MAX && process != CT_MAP_NONE; depth++) {
		const struct process *it = &p->list[process];
		size_t n = count_until(it->names, it->nr_names, sizeof(*it->names), time);

		if (n)
			return p->texts[it->names[n - 1].text];
		/* Told of only later: the name that it had then. */
		if (it->nr_names && it->pub.parent == CT_MAP_NONE)
			return p->texts[it->names[0].text];
		if (it->pub.start < time)
			time = it->pub.start;
		process = it->pub.parent;
	}
	return NULL;
}

static const struct map *search(const struct map *maps, size_t n, size_t from, uint64_t address)
{
	/* A later mapping lies over earlier ones. */
	while (n-- > from)
		if (address - maps[n].address < maps[n].length)
			return &maps[n];
	return NULL;
}

bool ct_processes_map(const struct ct_processes *p, uint32_t process, uint64_t address,
		      uint64_t time, struct ct_mapping *mapping)
{
	int depth;

	for (depth = 0; depth < DEPTH_MAX && process != CT_MAP_NONE; depth++) {
		const struct process *it = &p->list[process];
		size_t execs = ct_processes_execs(p, process, time);
		size_t n = count_until(it->maps, it->nr_maps, sizeof(*it->maps), time);
		size_t from = 0;
		const struct map *map;

		/* An exec threw away what was mapped before it. */
		if (execs && it->execs[execs - 1])
			from = count_until(it->maps, it->nr_maps, sizeof(*it->maps),
					   it->execs[execs - 1] - 1);
		map = search(it->maps, n, from, address);
		/* A process that was there before is told of only when tracing began. */
		if (!map && !execs && it->pub.parent == CT_MAP_NONE)
			map = search(it->maps, it->nr_maps, n, address);
		if (map) {
			mapping->object = map->object;
			mapping->offset = address - map->address + map->offset;
			return true;
		}
		if (execs)
			return false;
		if (it->pub.start < time)
			time = it->pub.start;
		process = it->pub.parent;
	}
	return false;
}

uint64_t ct_processes_space(const struct ct_processes *p, uint32_t process, uint64_t time)
{
	size_t execs = 0;
	int depth;

	for (depth = 0; depth < DEPTH_MAX; depth++) {
		const struct process *it = &p->list[process];

		execs = ct_processes_execs(p, process, time);
		if (execs || it->pub.parent == CT_MAP_NONE ||
		    count_until(it->maps, it->nr_maps, sizeof(*it->maps), time))
			break;
		if (it->pub.start < time)
			time = it->pub.start;
		process = it->pub.parent;
	}
	return (uint64_t)process << 32 | execs;
}

const struct ct_object *ct_processes_object(const struct ct_processes *p, uint32_t object)
{
	return &p->objects[object];
}

uint64_t ct_processes_lost(const struct ct_processes *p)
{
	return p->lost;
}

uint64_t ct_processes_bad(const struct ct_processes *p)
{
	return p->bad;
}
