/* SPDX-License-Identifier: GPL-2.0 */
/* Makes traces as the module and the command would write them. */
#ifndef GENERATE_H
#define GENERATE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cowtrace/record.h>

#include <json-c/json.h>

#include "error.h"
#include "process.h"
#include "schema.h"

/* The last error that the report gave. */
extern struct ct_error last_complaint;

/**
 * struct random_state - numbers that a seed fixes
 * @x: the seed, not 0.
 */
struct random_state {
	uint64_t	x;
};

uint64_t next_random(struct random_state *random);

/* A number below @limit. */
uint64_t below(struct random_state *random, uint64_t limit);

/**
 * schema_text() - the schema as the module prints it
 * @traits: of the kernel.
 * Return: text to be freed.
 */
char *schema_text(uint32_t traits);

/* The same, read: for ct_schema_free(). */
struct ct_schema *schema_of(uint32_t traits);

/* The text with module, kernel, backend, page size and traits of another schema. */
char *schema_text_of(const struct ct_schema *like);

/* A record that has everything that a reader looks at. */
struct cowtrace_record plain_record(uint32_t seq, uint64_t time_ns);

/**
 * server_or_child_record() - one of the faults of what add_server_and_child() tells of
 * @seq: its number from 1; odd ones are the child's, each third is reused, all others copied.
 * Return: the record.
 */
struct cowtrace_record server_or_child_record(uint32_t seq);

/* A growing byte string. */
struct bytes {
	char	*data;
	size_t	size;
};

void append_bytes(struct bytes *bytes, const void *data, size_t size);

/* perf_event records with sample ids of TID, TIME and CPU at their end. */
void add_comm(struct bytes *to, uint64_t time, uint32_t tgid, const char *name, int exec);
void add_fork(struct bytes *to, uint64_t time, uint32_t tgid, uint32_t parent);
/* The tracepoint that tells what a new task shares: CLONE_* flags. */
void add_newtask(struct bytes *to, uint64_t time, uint32_t tgid, uint32_t parent, uint64_t flags);
/* What /proc said of a new process, in bytes. */
void add_memory(struct bytes *to, uint64_t time, uint32_t tgid, uint64_t anon, uint64_t swapped);
void add_exit(struct bytes *to, uint64_t time, uint32_t tgid);
void add_lost(struct bytes *to, uint64_t time, uint64_t lost);
/* @id: 20 bytes of build-id, or NULL for none. */
void add_map(struct bytes *to, uint64_t time, uint32_t tgid, uint64_t address, uint64_t length,
	     uint64_t offset, const uint8_t *id, const char *path);

/* Process 100, "server", which has mapped @file, and its child 101, which comes and ends. */
void add_server_and_child(struct bytes *to, const char *file);

/**
 * struct trace_shape - what a made trace holds
 * @seed: fixes all the rest.
 * @cpus: streams.
 * @records: of each stream.
 * @chunk_records: records of a chunk.
 */
struct trace_shape {
	uint64_t	seed;
	uint32_t	cpus;
	uint32_t	records;
	uint32_t	chunk_records;
};

/* Begins a trace with the schema of a kernel of these traits. */
struct ct_writer *begin_trace(const char *path, uint32_t traits);

/* Writes a whole trace of random, consistent faults; 0 or a negative errno. */
int make_trace(const char *path, const struct trace_shape *shape);

/* The process table of a trace with only this side-band, which is freed. */
struct ct_processes *make_processes(const char *path, struct bytes sideband);

/* A number at a path of names and places like "reasons.0.faults"; -1 for none. */
int64_t number(struct json_object *o, const char *where);

/* Columns of the widest line of a text, which is cut into lines. */
size_t widest_line(char *text);

/* An empty temporary file; its name, to be freed. */
char *temporary_file(void);

/* The bytes of a file. */
struct bytes read_file(const char *path);

void write_file(const char *path, const void *data, size_t size);

#endif /* GENERATE_H */
