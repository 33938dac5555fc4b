/* SPDX-License-Identifier: GPL-2.0 */
/* The queue between the reading and the writing thread, and the writing thread. */
#ifndef COWTRACE_CAPTURE_QUEUE_H
#define COWTRACE_CAPTURE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "writer.h"

/* Room of one block: a whole ring of the side-band fits. */
#define CT_BLOCK_BYTES	(512u << 10)

/**
 * struct ct_block - one chunk on its way to the file
 * @next: of the queue.
 * @type: enum ct_chunk_type.
 * @cpu: CPU, or UINT32_MAX.
 * @size: bytes in use.
 * @data: CT_BLOCK_BYTES.
 */
struct ct_block {
	struct ct_block	*next;
	uint32_t	type;
	uint32_t	cpu;
	size_t		size;
	char		data[];
};

/**
 * struct ct_queue_totals - record chunks that left the queue
 * @written: bytes written.
 * @unwritten: bytes thrown away after @error.
 * @error: first error of the writer, a negative errno, or 0.
 */
struct ct_queue_totals {
	uint64_t	written;
	uint64_t	unwritten;
	int		error;
};

struct ct_queue;

/**
 * ct_queue_start() - start a writing thread
 * @writer: belongs to the thread until ct_queue_end().
 * Return: the queue, or NULL with errno set.
 */
struct ct_queue *ct_queue_start(struct ct_writer *writer);

/**
 * ct_queue_get() - an empty block
 * @queue: the queue.
 * @wait: sleep until there is one, else for CT_QUEUE_WAIT_MS at most.
 * Return: a block, or NULL when all are still waiting for the disk.
 */
struct ct_block *ct_queue_get(struct ct_queue *queue, bool wait);

#define CT_QUEUE_WAIT_MS	100

/* Hand a block to the writing thread. */
void ct_queue_put(struct ct_queue *queue, struct ct_block *block);

/* Give a block back unused. */
void ct_queue_return(struct ct_queue *queue, struct ct_block *block);

/* What was written so far. */
void ct_queue_totals(struct ct_queue *queue, struct ct_queue_totals *totals);

/**
 * ct_queue_end() - write what is queued and end the thread
 * @queue: freed.
 * @totals: filled in.
 */
void ct_queue_end(struct ct_queue *queue, struct ct_queue_totals *totals);

#endif /* COWTRACE_CAPTURE_QUEUE_H */
