// SPDX-License-Identifier: GPL-2.0
/* From the records of the side-band to events of processes. */
#include <errno.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "bytes.h"
#include "json_read.h"
#include "meta.h"
#include "process_parts.h"
#include "sideband_memory.h"

#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

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
	struct json_object *meta, *type;
	int ret;

	(void)cpu;
	if (length > 1 << 20)
		return 0;
	ret = ct_json_text(data, length, &meta);
	if (ret)
		return ret;
	type = ct_meta_member(meta, "sideband", "sample_type");
	if (json_object_is_type(type, json_type_int))
		p->sample_type = json_object_get_int64(type);
	json_object_put(meta);
	return 0;
}

int ct_processes_records(struct ct_processes *p, struct ct_reader *reader)
{
	int ret;

	/* What the records of a trace without META look like. */
	p->sample_type = CT_SIDEBAND_SAMPLE_TYPE;
	ret = ct_reader_chunks(reader, CT_CHUNK_META, take_meta, p);
	return ret ?: ct_reader_chunks(reader, CT_CHUNK_SIDEBAND, take_chunk, p);
}
