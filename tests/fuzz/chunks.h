/* SPDX-License-Identifier: GPL-2.0 */
/* A trace as a list of chunks that can be changed and put together again. */
#ifndef CHUNKS_H
#define CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"

#define CHUNKS_MAX	512
/* Bytes that a payload may grow by. */
#define CHUNK_ROOM	512

/**
 * struct piece - a chunk, or bytes that are none
 * @chunk: it has @header.
 * @lies: its checksums and its length stay as @header says.
 * @header: numbers as in the file.
 * @data: payload.
 * @size: bytes of it.
 * @room: most that @data has room for.
 */
struct piece {
	bool		chunk;
	bool		lies;
	struct ct_chunk_header header;
	uint8_t		*data;
	size_t		size;
	size_t		room;
};

/**
 * struct chunks - a trace; the first piece is its file header
 * @piece: the pieces in the order of the file.
 * @nr: number of them.
 */
struct chunks {
	struct piece	piece[CHUNKS_MAX];
	size_t		nr;
};

/* Cut a file into pieces. What is no chunk, or is cut off, is bytes. */
void chunks_parse(struct chunks *c, const uint8_t *data, size_t size);

/**
 * chunks_add() - add a piece
 * @c: the list.
 * @at: place, at most @c->nr.
 * @data: payload, which is copied.
 * @size: bytes of it.
 * Return: it, zero but for its payload; NULL when there are too many.
 */
struct piece *chunks_add(struct chunks *c, size_t at, const void *data, size_t size);

void chunks_remove(struct chunks *c, size_t at);

/**
 * chunks_write() - put the file together again, lengths and checksums right
 * @c: the pieces.
 * @to: receives it.
 * @room: bytes of @to; pieces that do not fit are left out.
 * Return: bytes written.
 */
size_t chunks_write(struct chunks *c, uint8_t *to, size_t room);

void chunks_free(struct chunks *c);

#endif /* CHUNKS_H */
