/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes over time, from the side-band of a trace: who was called what, who
 * forked whom, and which file was mapped where.
 *
 * Process numbers are used again, names change, and an exec replaces all
 * mappings: every question has a time in it, CLOCK_MONOTONIC in ns.
 */
#ifndef COWTRACE_PROCESS_H
#define COWTRACE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "reader.h"

#define CT_BUILD_ID_MAX	20
#define CT_NAME_MAX	64

struct ct_processes;

/**
 * struct ct_object - a file that was mapped
 * @path: as the traced machine saw it; names in brackets are no files.
 * @build_id: of the file, @build_id_size bytes.
 * @build_id_size: 0 when not known.
 * @device: st_dev as major << 32 | minor, when the build-id is not known.
 * @inode: st_ino, 0 when not known.
 */
struct ct_object {
	const char	*path;
	uint8_t		build_id[CT_BUILD_ID_MAX];
	uint32_t	build_id_size;
	uint64_t	device;
	uint64_t	inode;
};

/**
 * struct ct_mapping - where an address comes from
 * @object: number of the object, for ct_processes_object().
 * @offset: of the address in the file.
 */
struct ct_mapping {
	uint32_t	object;
	uint64_t	offset;
};

/**
 * enum ct_memory - what a new process has for memory
 * @CT_MEMORY_UNKNOWN: it was there before, or nothing tells.
 * @CT_MEMORY_COPIED: its own, which shares the parent's pages until one writes: fork().
 * @CT_MEMORY_SHARED: the parent's own until it execs: vfork(), posix_spawn(), CLONE_VM.
 */
enum ct_memory { CT_MEMORY_UNKNOWN, CT_MEMORY_COPIED, CT_MEMORY_SHARED };

/**
 * struct ct_process - one process, from its fork to the next of its number
 * @tgid: process number.
 * @parent: number of its parent in this table, CT_MAP_NONE when not known.
 * @start: when it was forked, 0 when it was there before.
 * @end: when its first thread exited, at the latest when its number was used again;
 *	UINT64_MAX when neither was seen.
 * @children: processes that it forked.
 * @memory: what it had at @start.
 * @anon_bytes: its anonymous memory, swapped or not, when the recorder first looked,
 *	after @start and before it ended or called exec; UINT64_MAX when it did not.
 */
struct ct_process {
	uint32_t	tgid;
	uint32_t	parent;
	uint64_t	start;
	uint64_t	end;
	uint64_t	children;
	enum ct_memory	memory;
	uint64_t	anon_bytes;
};

/**
 * ct_processes_load() - read the side-band of a trace
 * @reader: the trace.
 * @processes: receives the table, also when there is no side-band.
 * @err: filled in on failure.
 * Return: 0 or -ENOMEM.
 */
int ct_processes_load(struct ct_reader *reader, struct ct_processes **processes,
		      struct ct_error *err);

void ct_processes_free(struct ct_processes *processes);

/**
 * ct_processes_find() - which process had the number @tgid at @time
 * Return: its number in the table, CT_MAP_NONE when the side-band tells of none.
 */
uint32_t ct_processes_find(const struct ct_processes *processes, uint32_t tgid, uint64_t time);

/* The process of a number that ct_processes_find() gave. */
const struct ct_process *ct_processes_get(const struct ct_processes *processes, uint32_t process);

/* Processes in the table: their numbers go from 0, a parent's before its children's. */
size_t ct_processes_nr(const struct ct_processes *processes);

/* How many times a process had called exec until @time. */
size_t ct_processes_execs(const struct ct_processes *processes, uint32_t process, uint64_t time);

/* When it did so for the @i-th time, from 0; UINT64_MAX when it did not. */
uint64_t ct_processes_exec(const struct ct_processes *processes, uint32_t process, size_t i);

/* Its name at @time, NULL when not known. */
const char *ct_processes_name(const struct ct_processes *processes, uint32_t process,
			      uint64_t time);

/**
 * ct_processes_map() - what is mapped at @address in a process
 * @processes: the table.
 * @process: number in it.
 * @address: user address.
 * @time: when.
 * @mapping: filled in.
 * Return: false when nothing is known to be.
 */
bool ct_processes_map(const struct ct_processes *processes, uint32_t process,
		      uint64_t address, uint64_t time, struct ct_mapping *mapping);

/**
 * ct_processes_space() - a number for the mappings of a process at a time
 *
 * Equal numbers mean that an address has the same meaning, so that what was
 * looked up once for a parent serves all its children. Mappings added later to
 * the same address space do not change it.
 */
uint64_t ct_processes_space(const struct ct_processes *processes, uint32_t process,
			    uint64_t time);

const struct ct_object *ct_processes_object(const struct ct_processes *processes, uint32_t object);

/* Records of the side-band that the kernel dropped. */
uint64_t ct_processes_lost(const struct ct_processes *processes);

/* Records of the side-band that make no sense. */
uint64_t ct_processes_bad(const struct ct_processes *processes);

#endif /* COWTRACE_PROCESS_H */
