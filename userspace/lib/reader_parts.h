/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the reader (reader.h); each is one file. */
#ifndef COWTRACE_READER_PARTS_H
#define COWTRACE_READER_PARTS_H

#include "reader.h"

/*
 * Called when a trace was opened and nothing of it was looked at; NULL for not at all. What
 * it returns, 0 or a negative errno with an error, opening goes on or ends with.
 */
extern int (*ct_reader_opened)(int fd, struct ct_error *err);

/**
 * ct_reader_open_fd() - ct_reader_open(), for what is open
 * @fd: the trace; the reader's from now on, also on failure.
 * @path: its name, for messages.
 * @reader: receives the reader.
 * @err: one line for the user on failure.
 * Return: as of ct_reader_open().
 */
int ct_reader_open_fd(int fd, const char *path, struct ct_reader **reader, struct ct_error *err);

/* CONFIG_NR_CPUS of the largest kernels. A greater number is damage. */
#define CPU_LIMIT		8192
/* What is read at once while the file is checked. */
#define WINDOW			(256u << 10)
/* The same where a header is all that is looked for. */
#define WINDOW_MIN		4096
#define CHUNK_HEADER		sizeof(struct ct_chunk_header)

/**
 * struct chunk - records of one CPU
 * @offset: of the payload.
 * @seq: number of the first record, which does not wrap.
 * @length: bytes of the payload, 0 once it was found to be damaged.
 * @checked: its checksum was looked at.
 * @crc: the checksum.
 */
struct chunk {
	uint64_t	offset;
	int64_t		seq;
	uint32_t	length : 31;
	uint32_t	checked : 1;
	uint32_t	crc;
};

struct other_chunk {
	uint64_t	offset;
	uint32_t	length;
	uint32_t	type;
	uint32_t	cpu;
};

struct stream {
	struct ct_cpu_info info;
	struct chunk	*chunks;
	size_t		nr_chunks;
	/* Next to read: chunk, and bytes of it that are read. */
	size_t		chunk;
	uint32_t	done;
	uint8_t		*buffer;
	uint32_t	filled;
	uint32_t	used;
	bool		started;
	uint32_t	last_seq;
	uint32_t	lost_before;
	/* End of the fault of @record; never goes back on one CPU. */
	uint64_t	key;
	const uint8_t	*raw;
	struct cowtrace_record record;
};

struct ct_reader {
	int		fd;
	struct ct_schema *schema;
	struct ct_trace_info info;
	struct other_chunk *others;
	size_t		nr_others;
	struct stream	*streams;
	size_t		nr_streams;
	uint16_t	stream_of_cpu[CPU_LIMIT];
	/* Bytes of the longest chunk of records. */
	uint32_t	longest;
	uint32_t	buffer_size;
	uint32_t	magic_offset;
	uint32_t	type_offset;
	/* Streams that have a record, the earliest on top. */
	struct stream	**heap;
	size_t		nr_heap;
	bool		rewound;
	/* Bytes of records that were taken since. */
	uint64_t	taken;
	/* The window on the file that is being checked. */
	uint8_t		*window;
	size_t		window_size;
	uint64_t	window_at;
	size_t		window_len;
	/* Bytes that may still be spent on checksums that turn out wrong. */
	uint64_t	patience;
	/* Damage found while records are read is found again after a rewind. */
	bool		counted_records;
};

/* --- reader_scan.c: where the whole chunks are --------------------------------- */

/**
 * ct_reader_find_header() - the first chunk header
 * @r: the reader, which has a window.
 * @offset: where to look from.
 * @end: where to stop.
 * Return: where it is, @end for none.
 */
uint64_t ct_reader_find_header(struct ct_reader *r, uint64_t offset, uint64_t end);

/* @size bytes at @offset, at most the window's size; NULL after the end of the file. */
const uint8_t *ct_reader_look(struct ct_reader *r, uint64_t offset, size_t size);

/* Walk all chunks from @at on. Return: 0 or a negative errno. */
int ct_reader_scan(struct ct_reader *r, uint64_t at);

/* Note a damaged part. */
void ct_reader_damage(struct ct_reader *r, enum ct_damage_kind kind, uint64_t offset,
		      uint64_t bytes, uint32_t type, uint32_t cpu);

/* Bytes of a chunk with its header and padding. */
static inline uint64_t ct_chunk_size(uint32_t length)
{
	return CHUNK_HEADER + (((uint64_t)length + 7) & ~7ull);
}

/* Read up to @size bytes. Return: how many there were. */
size_t ct_read_at(int fd, void *to, size_t size, uint64_t offset);

/* --- reader_stream.c: the records of one CPU -------------------------------------- */

/* Make ready to read records, once the schema is known. Return: 0 or a negative errno. */
int ct_reader_streams(struct ct_reader *r, struct ct_error *err);

/**
 * ct_stream_advance() - go to the next record of a CPU
 * @r: the reader.
 * @s: the CPU.
 * Return: false at its end.
 */
bool ct_stream_advance(struct ct_reader *r, struct stream *s);

/* Let ct_stream_advance() begin again. */
void ct_stream_rewind(struct stream *s);

#endif /* COWTRACE_READER_PARTS_H */
