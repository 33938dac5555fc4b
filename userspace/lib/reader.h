/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading a trace file (format.h), each byte of it once. Opening walks over the
 * chunks and remembers where they are: some dozen bytes of memory for each, which
 * is all that grows with the trace. A chunk of records is read, and its checksum
 * looked at, when its first record is due; only where the walk does not go on at
 * the end of a chunk, or numbers are out of order, it is checked at once.
 *
 * No input is trusted: what is damaged is left out and reported.
 */
#ifndef COWTRACE_READER_H
#define COWTRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "error.h"
#include "format.h"
#include "schema.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ct_reader;

/**
 * enum ct_damage_kind - what is wrong with a part of a trace
 * @CT_DAMAGE_HEADER: the file header is wrong; the chunks after it may be whole.
 * @CT_DAMAGE_LOST_CHUNK: bytes that belong to no chunk.
 * @CT_DAMAGE_PAYLOAD: a chunk whose checksum is wrong.
 * @CT_DAMAGE_CUT: the last chunk ends after the end of the file.
 * @CT_DAMAGE_RECORD: bytes in a whole chunk that are no record.
 * @CT_DAMAGE_SCHEMA: a schema that cannot be read, or another one than the first.
 */
enum ct_damage_kind {
	CT_DAMAGE_HEADER,
	CT_DAMAGE_LOST_CHUNK,
	CT_DAMAGE_PAYLOAD,
	CT_DAMAGE_CUT,
	CT_DAMAGE_RECORD,
	CT_DAMAGE_SCHEMA,
	CT_NR_DAMAGE_KINDS
};

/**
 * struct ct_damage - one damaged part
 * @kind: what is wrong.
 * @offset: where it begins, bytes from the start of the trace.
 * @bytes: how much is left out.
 * @type: enum ct_chunk_type of the chunk, 0 when unknown.
 * @cpu: CPU of the chunk, UINT32_MAX when unknown or none.
 */
struct ct_damage {
	enum ct_damage_kind kind;
	uint64_t	offset;
	uint64_t	bytes;
	uint32_t	type;
	uint32_t	cpu;
};

/* So many damaged parts are listed; all are counted. */
#define CT_DAMAGE_LISTED	32

/**
 * struct ct_cpu_info - the stream of one CPU
 * @cpu: the CPU.
 * @records: records read so far.
 * @first_seq: sequence number of the first.
 * @gaps: places where the sequence jumps.
 * @lost: records missing in those.
 * @repeated: records left out because they, or later ones, had been read before.
 */
struct ct_cpu_info {
	uint32_t	cpu;
	uint64_t	records;
	uint32_t	first_seq;
	uint64_t	gaps;
	uint64_t	lost;
	uint64_t	repeated;
};

/**
 * struct ct_trace_info - the trace as a whole; grows while records are read
 * @size: bytes of the file.
 * @ended: the writer ended in order.
 * @chunks: whole chunks; less those of records that were found to be damaged.
 * @record_bytes: bytes of records in them.
 * @damages: damaged parts. All are known when ct_reader_next() has said that there
 *	is no more; those of records are counted as they are come by.
 * @damaged_bytes: bytes left out for them.
 * @listed: the first of those that are known, in the order of the file.
 * @records: records read so far.
 * @lost: records missing in the sequences so far.
 * @gaps: places where they are missing.
 * @repeated: records left out as repeated.
 */
struct ct_trace_info {
	uint64_t	size;
	bool		ended;
	uint64_t	chunks;
	uint64_t	record_bytes;
	uint64_t	damages;
	uint64_t	damaged_bytes;
	struct ct_damage listed[CT_DAMAGE_LISTED];
	uint64_t	records;
	uint64_t	lost;
	uint64_t	gaps;
	uint64_t	repeated;
};

/**
 * struct ct_event - one record, valid until the next call of the reader
 * @record: the record in this reader's layout.
 * @raw: its bytes in the trace's own layout, for fields that are newer.
 * @cpu: CPU whose stream it stands in.
 * @lost: records missing before it on that CPU.
 */
struct ct_event {
	const struct cowtrace_record *record;
	const void	*raw;
	uint32_t	cpu;
	uint32_t	lost;
};

/**
 * ct_reader_open() - open a trace
 * @path: file; "-" for standard input, which is stored in an unlinked temporary
 *	file first when it cannot be read twice.
 * @reader: receives the reader.
 * @err: one line for the user on failure.
 *
 * Return: 0, -EPROTO for a file or schema of a newer major version, -EINVAL for
 * a file that is no trace or has nothing left to read, or another negative errno.
 */
int ct_reader_open(const char *path, struct ct_reader **reader, struct ct_error *err);

void ct_reader_close(struct ct_reader *reader);

const struct ct_schema *ct_reader_schema(const struct ct_reader *reader);

const struct ct_trace_info *ct_reader_info(const struct ct_reader *reader);

/* The @i-th stream in the order of CPU numbers, NULL when there are fewer. */
const struct ct_cpu_info *ct_reader_cpu(const struct ct_reader *reader, size_t i);

/**
 * ct_reader_next() - the next record of all CPUs
 * @reader: the reader.
 * @event: filled in.
 *
 * Records come in the order in which their faults ended (time_ns +
 * duration_ns), which is the order in which each CPU wrote them.
 *
 * Return: true, or false at the end.
 */
bool ct_reader_next(struct ct_reader *reader, struct ct_event *event);

/* Let ct_reader_next() begin again. */
void ct_reader_rewind(struct ct_reader *reader);

/**
 * typedef ct_chunk_fn - is shown a whole chunk
 * @arg: of the caller.
 * @cpu: CPU of the chunk, or UINT32_MAX.
 * @data: its payload, valid during the call only.
 * @length: bytes of it.
 * Return: 0 to go on; anything else ends the walk.
 */
typedef int ct_chunk_fn(void *arg, uint32_t cpu, const void *data, size_t length);

/**
 * ct_reader_chunks() - walk the whole chunks of one type in file order
 * @reader: the reader.
 * @type: enum ct_chunk_type, except CT_CHUNK_RECORDS.
 * @fn: called for each.
 * @arg: for @fn.
 * Return: 0, what @fn returned, or -ENOMEM.
 */
int ct_reader_chunks(struct ct_reader *reader, uint32_t type, ct_chunk_fn *fn, void *arg);

/* The words for a kind of damage. */
const char *ct_damage_sentence(enum ct_damage_kind kind);

#ifdef __cplusplus
}
#endif

#endif /* COWTRACE_READER_H */
