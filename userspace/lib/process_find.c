// SPDX-License-Identifier: GPL-2.0
/* Questions to a table of processes. */
#include "process_parts.h"

/* A chain of forks longer than this is not followed: no shell is so patient. */
#define DEPTH_MAX	4096

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
