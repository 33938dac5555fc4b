/* SPDX-License-Identifier: GPL-2.0 */
/* What a table of processes is made of, for those who make it and look into it. */
#ifndef COWTRACE_PROCESS_PARTS_H
#define COWTRACE_PROCESS_PARTS_H

#include "map.h"
#include "process.h"

/* What a record of the side-band says of one process. */
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

/**
 * ct_processes_records() - make events of the side-band of a trace
 * @p: the table: its events, texts and objects are filled in, in the order of the trace.
 * @reader: the trace.
 * Return: 0 or -ENOMEM.
 */
int ct_processes_records(struct ct_processes *p, struct ct_reader *reader);

#endif /* COWTRACE_PROCESS_PARTS_H */
