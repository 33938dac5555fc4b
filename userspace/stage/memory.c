// SPDX-License-Identifier: GPL-2.0
/* The memory of experiments: mapping it, and what a process does with its own. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mman.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "devices.h"
#include "scene.h"
#include "temporary.h"

#define PAGE	4096ul
#define HUGE	(2ul << 20)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

size_t ct_area_bytes(const struct ct_exp_area *area)
{
	return area->units * ct_exp_unit(area->kind);
}

void ct_each(const struct ct_scene *scene, const struct ct_exp_op *op,
	     struct ct_stage_part *part)
{
	const struct ct_exp_area *area = &scene->e->area[op->area];

	part->tgid = getpid();
	part->base = (uintptr_t)scene->base[op->area];
	part->bytes = ct_area_bytes(area);
	part->grain = strcmp(op->word, "all") ? ct_exp_unit(area->kind) : PAGE;
	part->count = part->bytes / part->grain;
}

/* The one instruction that touches measured pages. */
__attribute__((noinline))
static void poke(volatile char *at, char value)
{
	*at = value;
}

__attribute__((noinline))
static void peek(const volatile char *at)
{
	(void)*at;
}

/* --- mapping ------------------------------------------------------------------ */

static char *map(size_t bytes, int prot, int flags, int fd, struct ct_error *err)
{
	char *mem = mmap(NULL, bytes, prot, flags, fd, 0);

	if (mem != MAP_FAILED)
		return mem;
	ct_error_set(err, -errno, "cannot map %zu KiB: %s", bytes >> 10, strerror(errno));
	return NULL;
}

/* Aligned to a huge page, with a hole on either side, so that nothing joins it. */
static char *map_aligned(size_t bytes, struct ct_error *err)
{
	char *mem = map(bytes + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, err);

	if (!mem)
		return NULL;
	mem += HUGE - (uintptr_t)mem % HUGE;
	if (mprotect(mem, bytes, PROT_READ | PROT_WRITE)) {
		ct_error_set(err, -errno, "mprotect: %s", strerror(errno));
		return NULL;
	}
	return mem;
}

void ct_pagemap(const char *at, uint64_t *entries, size_t n)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t bytes = n * sizeof(*entries);

	if (fd < 0 || pread(fd, entries, bytes, (uintptr_t)at / PAGE * sizeof(*entries)) !=
	    (ssize_t)bytes)
		memset(entries, 0, bytes);
	if (fd >= 0)
		close(fd);
}

/* Whether the pages of a unit lie one behind the other: one large folio. */
static bool whole(const char *at, size_t unit)
{
	uint64_t entry[HUGE / PAGE], first;
	size_t i, n = unit / PAGE;

	ct_pagemap(at, entry, n);
	first = entry[0] & CT_PM_FRAME;
	if (!first || first % n)
		return false;
	for (i = 1; i < n; i++)
		if ((entry[i] & CT_PM_FRAME) != first + i)
			return false;
	return true;
}

/* How many of @n pages are in swap. */
static size_t in_swap(const char *mem, size_t n)
{
	uint64_t entry[512];
	size_t i, part, count = 0;

	for (; n; n -= part, mem += part * PAGE) {
		part = n < 512 ? n : 512;
		ct_pagemap(mem, entry, part);
		for (i = 0; i < part; i++)
			count += !!(entry[i] & CT_PM_SWAP);
	}
	return count;
}

static char *map_large(const struct ct_exp_area *area, struct ct_error *err)
{
	size_t unit = ct_exp_unit(area->kind), bytes = ct_area_bytes(area), i;
	char *mem = map_aligned(bytes, err);

	if (!mem)
		return NULL;
	if (madvise(mem, bytes, MADV_HUGEPAGE)) {
		ct_error_set(err, -ENODEV, "this kernel has no transparent huge pages: %s",
			     strerror(errno));
		return NULL;
	}
	for (i = 0; i < bytes; i += unit)
		poke(mem + i, 1);
	/* What is split stays split, and nothing is made larger. */
	madvise(mem, bytes, MADV_NOHUGEPAGE);
	for (i = 0; i < bytes; i += unit)
		if (!whole(mem + i, unit)) {
			ct_error_set(err, -ENODEV,
				     "the kernel gave no folio of %zu KiB: memory is fragmented, echo 1 > /proc/sys/vm/compact_memory",
				     unit >> 10);
			return NULL;
		}
	return mem;
}

static char *map_hugetlb(const struct ct_exp_area *area, struct ct_error *err)
{
	/* MAP_NORESERVE: the copies of a child are no part of a reservation either. */
	char *mem = mmap(NULL, ct_area_bytes(area), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB | MAP_NORESERVE,
			 -1, 0);

	if (mem == MAP_FAILED) {
		ct_error_set(err, -ENODEV,
			     "no hugetlb pages of 2 MiB: %s: echo %u > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
			     strerror(errno), 4 * area->units);
		return NULL;
	}
	return mem;
}

static char *map_fd(const struct ct_exp_area *area, int fd, int flags, bool fill,
		    struct ct_error *err)
{
	size_t bytes = ct_area_bytes(area), i;
	char *mem = NULL;

	if (fd < 0)
		ct_error_set(err, -errno, "cannot make a file: %s", strerror(errno));
	else if (fill && ftruncate(fd, bytes))
		ct_error_set(err, -errno, "ftruncate: %s", strerror(errno));
	else
		mem = map(bytes, PROT_READ | PROT_WRITE, flags, fd, err);
	for (i = 0; mem && fill && i < bytes; i += PAGE)
		if (pwrite(fd, "x", 1, i) != 1) {
			ct_error_set(err, -errno, "cannot fill a file: %s", strerror(errno));
			mem = NULL;
			break;
		}
	if (fd >= 0)
		close(fd);
	return mem;
}

static int temporary(void)
{
	char path[PATH_MAX];
	int fd = ct_temporary_open(path, sizeof(path));

	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	return fd;
}

char *ct_area_map(const struct ct_exp_area *area, struct ct_error *err)
{
	char *mem;
	int fd;

	switch (area->kind) {
	case CT_EXP_KIND_THP:
	case CT_EXP_KIND_MTHP_16K:
	case CT_EXP_KIND_MTHP_64K:
	case CT_EXP_KIND_MTHP_512K:
		return map_large(area, err);
	case CT_EXP_KIND_HUGETLB:
		return map_hugetlb(area, err);
	case CT_EXP_KIND_FILE:
		return map_fd(area, temporary(), MAP_PRIVATE, true, err);
	case CT_EXP_KIND_MEMFD:
		return map_fd(area, memfd_create("cowtrace", MFD_CLOEXEC), MAP_PRIVATE, true, err);
	case CT_EXP_KIND_SHMEM:
		return map_fd(area, memfd_create("cowtrace", MFD_CLOEXEC), MAP_SHARED, true, err);
	case CT_EXP_KIND_DISK:
		fd = ct_loop_disk(ct_area_bytes(area), err);
		if (fd < 0)
			return NULL;
		mem = map_fd(area, fd, MAP_SHARED, false, err);
		return mem;
	default:
		mem = map_aligned(ct_area_bytes(area), err);
		if (mem)
			madvise(mem, ct_area_bytes(area), MADV_NOHUGEPAGE);
		return mem;
	}
}

/* --- what a process does with it ------------------------------------------------- */

/*
 * All parties come to page @i before any touches it. Who waits for ten seconds
 * waits for somebody who has failed.
 */
static void meet(struct ct_gate *gate, unsigned int parties, unsigned int i)
{
	unsigned int spins = 0;
	uint64_t began;

	gate->arrived++;
	if (gate->arrived >= parties * (i + 1))
		return;
	began = ct_now_ns();
	while (gate->arrived < parties * (i + 1)) {
		if (++spins % 4096)
			continue;
		sched_yield();
		if (ct_now_ns() - began > 10000000000ull)
			return;
	}
}

int ct_act_touch(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_stage_part *part = &t->reply->part;
	unsigned int i;

	(void)err;
	for (i = 0; i < part->count; i++) {
		char *at = t->scene->base[t->op->area] + i * part->grain;

		if (t->order.parties > 1)
			meet(t->scene->gate, t->order.parties, i);
		if (t->op->verb == CT_EXP_VERB_WRITE)
			poke(at, 1 + i % 127);
		else
			peek(at);
	}
	return 0;
}

static void drain(void)
{
	int nodes = 0;

	/* Before it moves any page, here none, move_pages() drains all CPUs. */
	syscall(SYS_move_pages, 0, 0, NULL, &nodes, NULL, 0);
}

int ct_act_drain(const struct ct_turn *t, struct ct_error *err)
{
	(void)t;
	(void)err;
	drain();
	return 0;
}

static long long being_written(void)
{
	FILE *f = fopen("/proc/vmstat", "re");
	long long n = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "nr_writeback %lld", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/*
 * A page whose writing to swap has just ended waits in a batch to be moved to the
 * tail of its list, and that batch holds a reference too. Others may write all the
 * time: five seconds are enough for what is ours.
 */
int ct_act_settle(const struct ct_turn *t, struct ct_error *err)
{
	uint64_t end = ct_now_ns() + 5000000000ull;

	(void)t;
	(void)err;
	while (being_written() && ct_now_ns() < end)
		usleep(10000);
	drain();
	return 0;
}

int ct_act_pageout(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_exp_area *area = &t->scene->e->area[t->op->area];
	size_t bytes = ct_area_bytes(area), n = 0;
	char *mem = t->scene->base[t->op->area];
	int try;

	for (try = 0; try < 20; try++) {
		/* A page in a batch cannot be taken from its list. */
		drain();
		if (madvise(mem, bytes, MADV_PAGEOUT))
			return ct_error_set(err, -errno, "MADV_PAGEOUT: %s", strerror(errno));
		n = in_swap(mem, bytes / PAGE);
		if (n == bytes / PAGE)
			return 0;
		usleep(10000);
	}
	return ct_error_set(err, -ENODEV, "only %zu of %zu pages went to swap: is it full (swapon --show), or memory.swap.max of this cgroup too small?",
			    n, bytes / PAGE);
}

int ct_act_protect(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]);

	if (mprotect(t->scene->base[t->op->area], bytes, PROT_READ) ||
	    mprotect(t->scene->base[t->op->area], bytes, PROT_READ | PROT_WRITE))
		return ct_error_set(err, -errno, "mprotect: %s", strerror(errno));
	return 0;
}

int ct_act_soft_dirty(const struct ct_turn *t, struct ct_error *err)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC), code = 0;
	uint64_t entry = CT_PM_SOFT_DIRTY;
	char *probe = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, err);

	(void)t;
	if (probe)
		poke(probe, 1);
	if (fd < 0 || write(fd, "4", 1) != 1)
		code = ct_error_set(err, -errno, "/proc/self/clear_refs: %s", strerror(errno));
	else if (probe)
		ct_pagemap(probe, &entry, 1);
	if (!code && entry & CT_PM_SOFT_DIRTY)
		code = ct_error_set(err, -ENODEV,
				    "this kernel does not track soft-dirty pages: CONFIG_MEM_SOFT_DIRTY");
	if (fd >= 0)
		close(fd);
	if (probe)
		munmap(probe, PAGE);
	return code;
}

/* A protection that differs within a huge page cannot stand in its PMD. */
int ct_act_split(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_exp_area *area = &t->scene->e->area[t->op->area];
	size_t unit = ct_exp_unit(area->kind), i;

	for (i = 0; i < ct_area_bytes(area); i += unit)
		if (mprotect(t->scene->base[t->op->area] + i, PAGE, PROT_NONE) ||
		    mprotect(t->scene->base[t->op->area] + i, PAGE, PROT_READ | PROT_WRITE))
			return ct_error_set(err, -errno, "mprotect: %s", strerror(errno));
	return 0;
}

int ct_act_punch(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_exp_area *area = &t->scene->e->area[t->op->area];
	size_t unit = ct_exp_unit(area->kind), i;

	for (i = 0; i < ct_area_bytes(area); i += unit)
		if (madvise(t->scene->base[t->op->area] + i + unit / 2, unit / 2, MADV_DONTNEED))
			return ct_error_set(err, -errno, "MADV_DONTNEED: %s", strerror(errno));
	return 0;
}

int ct_act_keep(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_exp_area *area = &t->scene->e->area[t->op->area];
	size_t unit = ct_exp_unit(area->kind), i;
	size_t first = t->op->number * PAGE, end = (t->op->last + 1) * PAGE;

	for (i = 0; i < ct_area_bytes(area); i += unit) {
		char *at = t->scene->base[t->op->area] + i;

		if ((first && madvise(at, first, MADV_DONTNEED)) ||
		    (end < unit && madvise(at + end, unit - end, MADV_DONTNEED)))
			return ct_error_set(err, -errno, "MADV_DONTNEED: %s", strerror(errno));
	}
	return 0;
}

int ct_act_poke(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_exp_area *area = &t->scene->e->area[t->op->area];
	size_t unit = ct_exp_unit(area->kind), i;

	(void)err;
	for (i = 0; i < ct_area_bytes(area); i += unit)
		poke(t->scene->base[t->op->area] + i + t->op->number * PAGE, 1);
	return 0;
}

int ct_act_discard(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_exp_area *area = &t->scene->e->area[t->op->area];
	char *mem = t->scene->base[t->op->area];

	if (madvise(mem, ct_area_bytes(area), MADV_DONTNEED))
		return ct_error_set(err, -errno, "MADV_DONTNEED: %s", strerror(errno));
	/* So that it is the huge zero page. */
	if (area->kind == CT_EXP_KIND_THP)
		madvise(mem, ct_area_bytes(area), MADV_HUGEPAGE);
	return 0;
}

int ct_act_unmap(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]);

	if (munmap(t->scene->base[t->op->area], bytes))
		return ct_error_set(err, -errno, "munmap: %s", strerror(errno));
	return 0;
}
