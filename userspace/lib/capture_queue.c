// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "capture_queue.h"

/* 64 MiB on the way to the disk, besides the kernel's buffers. */
#define BLOCKS_MAX	128

struct ct_queue {
	struct ct_writer	*writer;
	pthread_t		thread;
	pthread_mutex_t		lock;
	pthread_cond_t		filled;
	pthread_cond_t		emptied;
	struct ct_block		*head;
	struct ct_block		**tail;
	struct ct_block		*spare;
	unsigned int		blocks;
	bool			ending;
	struct ct_queue_totals	totals;
};

static void write_block(struct ct_queue *q, struct ct_block *block)
{
	int error = q->totals.error;

	/* Only this thread writes totals.error: reading it needs no lock. */
	if (!error)
		error = ct_writer_chunk(q->writer, block->type, block->cpu, block->data,
					block->size);
	pthread_mutex_lock(&q->lock);
	q->totals.error = error;
	if (block->type == CT_CHUNK_RECORDS) {
		if (error)
			q->totals.unwritten += block->size;
		else
			q->totals.written += block->size;
	}
	block->next = q->spare;
	q->spare = block;
	pthread_cond_signal(&q->emptied);
	pthread_mutex_unlock(&q->lock);
}

static void *run(void *arg)
{
	struct ct_queue *q = arg;
	struct ct_block *block;

	for (;;) {
		pthread_mutex_lock(&q->lock);
		while (!q->head && !q->ending)
			pthread_cond_wait(&q->filled, &q->lock);
		block = q->head;
		if (block) {
			q->head = block->next;
			if (!q->head)
				q->tail = &q->head;
		}
		pthread_mutex_unlock(&q->lock);
		if (!block)
			return NULL;
		write_block(q, block);
	}
}

struct ct_queue *ct_queue_start(struct ct_writer *writer)
{
	struct ct_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;

	if (!q)
		return NULL;
	q->writer = writer;
	q->tail = &q->head;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->emptied, &attr);
	pthread_condattr_destroy(&attr);
	errno = pthread_create(&q->thread, NULL, run, q);
	if (errno) {
		free(q);
		return NULL;
	}
	return q;
}

static struct timespec deadline(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += CT_QUEUE_WAIT_MS * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	return t;
}

static struct ct_block *take_spare(struct ct_queue *q)
{
	struct ct_block *block = q->spare;

	if (block) {
		q->spare = block->next;
	} else if (q->blocks < BLOCKS_MAX) {
		block = malloc(sizeof(*block) + CT_BLOCK_BYTES);
		q->blocks += !!block;
	}
	return block;
}

struct ct_block *ct_queue_get(struct ct_queue *q, bool wait)
{
	struct timespec until = deadline();
	struct ct_block *block;
	int ret = 0;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		block = take_spare(q);
		if (block || ret)
			break;
		if (wait)
			pthread_cond_wait(&q->emptied, &q->lock);
		else
			ret = pthread_cond_timedwait(&q->emptied, &q->lock, &until);
	}
	pthread_mutex_unlock(&q->lock);
	return block;
}

void ct_queue_put(struct ct_queue *q, struct ct_block *block)
{
	block->next = NULL;
	pthread_mutex_lock(&q->lock);
	*q->tail = block;
	q->tail = &block->next;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

void ct_queue_return(struct ct_queue *q, struct ct_block *block)
{
	pthread_mutex_lock(&q->lock);
	block->next = q->spare;
	q->spare = block;
	pthread_mutex_unlock(&q->lock);
}

void ct_queue_totals(struct ct_queue *q, struct ct_queue_totals *totals)
{
	pthread_mutex_lock(&q->lock);
	*totals = q->totals;
	pthread_mutex_unlock(&q->lock);
}

void ct_queue_end(struct ct_queue *q, struct ct_queue_totals *totals)
{
	struct ct_block *block;

	pthread_mutex_lock(&q->lock);
	q->ending = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	*totals = q->totals;
	while ((block = q->spare)) {
		q->spare = block->next;
		free(block);
	}
	pthread_cond_destroy(&q->filled);
	pthread_cond_destroy(&q->emptied);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
