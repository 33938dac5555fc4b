// SPDX-License-Identifier: GPL-2.0
/* Actors that live by fork, writes, swap, KSM, files and protections. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "life.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define FILE_PAGES	64

/* Children that write what they share, and may have children themselves. */
static void generation(struct life *l)
{
	pid_t pid = l->depth < 4 && life_below(l, 2) ? life_fork(l, generation) : -1;

	life_write(l, 60);
	life_reap(pid);
	life_write(l, 60);
}

static void fork_step(struct life *l)
{
	pid_t pid = life_fork(l, generation);

	life_write(l, 60);
	life_reap(pid);
	life_write(l, 60);
}

/* How an actor lets a child go that holds its pages. */
static struct turn stay;

static void prepare_stay(struct life *l)
{
	(void)l;
	turn_init(&stay);
}

static void hold_on(struct life *l)
{
	(void)l;
	turn_wait(&stay);
}

/* Two threads that write the same pages, which a child holds. */
static void threads_step(struct life *l)
{
	pid_t pid = life_fork(l, hold_on);
	pthread_t other;

	if (pthread_create(&other, NULL, life_touch, l))
		_exit(3);
	touch(l->mem, l->pages);
	pthread_join(other, NULL);
	turn_give(&stay);
	life_reap(pid);
}

static void swap_child(struct life *l)
{
	life_read(l);
	life_write(l, 50);
}

/* Out to the swap disk, back by reads and by writes, alone and with a child. */
static void swap_step(struct life *l)
{
	pid_t pid = -1;

	life_write(l, 100);
	if (madvise(l->mem, l->pages * PAGE, MADV_PAGEOUT))
		_exit(4);
	if (life_below(l, 2))
		pid = life_fork(l, swap_child);
	if (life_below(l, 2))
		life_read(l);
	life_write(l, 50);
	life_reap(pid);
	life_write(l, 50);
}

/* A few different pages, so that KSM finds many alike; now and then unmerged. */
static void ksm_step(struct life *l)
{
	unsigned int i, first = life_below(l, l->pages), n = 1 + life_below(l, l->pages);

	for (i = 0; i < n; i++)
		memset(l->mem + (first + i) % l->pages * PAGE, 1 + life_below(l, 3), PAGE);
	sleep_ms(life_below(l, 50));
	life_write(l, 30);
	if (!life_below(l, 8)) {
		madvise(l->mem, l->pages * PAGE, MADV_UNMERGEABLE);
		madvise(l->mem, l->pages * PAGE, MADV_MERGEABLE);
	}
	if (!life_below(l, 4))
		life_reap(life_fork(l, swap_child));
}

/* The zero page, and a private and a shared mapping of files. */
static void files_step(struct life *l)
{
	unsigned int i;
	volatile char sum = 0;

	madvise(l->mem, l->pages * PAGE, MADV_DONTNEED);
	life_read(l);
	life_write(l, 70);
	if (!l->other)
		return;
	for (i = 0; i < FILE_PAGES; i++)
		sum += l->other[i * PAGE];
	for (i = 0; i < FILE_PAGES; i++)
		if (life_below(l, 2))
			poke(l->other + i * PAGE, l->random);
	/* Clean again: the next write has to make it writable. */
	msync(l->other, FILE_PAGES * PAGE, MS_SYNC);
}

/*
 * The kernel and another process write, a pin reads. A page that is read twice is
 * activated: it stays on the LRU while a batch has a reference to it, which
 * nothing explains until the batch is drained.
 */
static void foreign_step(struct life *l)
{
	static char buf[8 * PAGE];
	struct iovec here = { buf, sizeof(buf) };
	struct iovec there = { l->mem + life_below(l, l->pages - 8) * PAGE, sizeof(buf) };
	pid_t pid = life_fork(l, hold_on);

	process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	lru_drain();
	process_vm_writev(pid, &here, 1, &there, 1, 0);
	turn_give(&stay);
	life_reap(pid);
	there.iov_base = l->mem + life_below(l, l->pages - 8) * PAGE;
	process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	lru_drain();
	life_write(l, 80);
}

/* Write-protected without being shared: mprotect, and soft-dirty tracking. */
static void protect_step(struct life *l)
{
	life_write(l, 100);
	if (life_below(l, 2)) {
		mprotect(l->mem, l->pages * PAGE, PROT_READ);
		mprotect(l->mem, l->pages * PAGE, PROT_READ | PROT_WRITE);
	} else {
		file_write("/proc/self/clear_refs", "4");
	}
	life_write(l, 100);
}

static void mergeable(struct life *l)
{
	madvise(l->mem, l->pages * PAGE, MADV_MERGEABLE);
}

static void shared_file(struct life *l)
{
	int fd = open("/mnt/storm", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (!ftruncate(fd, FILE_PAGES * PAGE))
		l->other = mmap(NULL, FILE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (l->other == MAP_FAILED)
		l->other = NULL;
	close(fd);
}

const struct actor gentle_actors[GENTLE_ACTORS] = {
	{ "fork", fork_step, NULL, 128 },
	{ "fork-2", fork_step, NULL, 32 },
	{ "threads", threads_step, prepare_stay, 128 },
	{ "swap", swap_step, NULL, 256 },
	{ "swap-2", swap_step, NULL, 64 },
	{ "ksm", ksm_step, mergeable, 128 },
	{ "ksm-2", ksm_step, mergeable, 64 },
	{ "files", files_step, shared_file, 64 },
	{ "foreign", foreign_step, prepare_stay, 64 },
	{ "protect", protect_step, NULL, 64 },
};
