// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "memory.h"
#include "process.h"
#include "report.h"

/*
 * A cache's free objects that a CPU keeps for itself count as in use, up to 512
 * of a small cache. "shrink" takes them back, and what is read right after it
 * is exact: both files are open before, as opening them allocates too.
 */
static struct cache {
	char	name[48];
	int	shrink, objects;
} caches[MEMORY_CACHES];
static size_t nr_caches;

/* Caches of one kind are one directory; their names are links to it. */
void memory_begin(void)
{
	DIR *d = opendir("/sys/kernel/slab");
	struct dirent *e;

	need(d, "/sys/kernel/slab: %s", strerror(errno));
	while ((e = readdir(d)) && nr_caches < MEMORY_CACHES)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			snprintf(caches[nr_caches++].name, sizeof(caches[0].name), "%.47s",
				 e->d_name);
	closedir(d);
	need(nr_caches > 20 && nr_caches < MEMORY_CACHES, "%zu slab caches", nr_caches);
}

static int cache_file(const struct cache *c, const char *file, int flags)
{
	char path[320];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", c->name, file);
	fd = open(path, flags | O_CLOEXEC);
	need(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

static long cache_objects(const struct cache *c)
{
	char text[64] = "";

	need(write(c->shrink, "1", 1) == 1, "shrink %s: %s", c->name, strerror(errno));
	need(pread(c->objects, text, sizeof(text) - 1, 0) > 0, "objects of %s: %s", c->name,
	     strerror(errno));
	return atol(text);
}

static long least(long a, long b)
{
	return a < b ? a : b;
}

static void sample(struct memory *m)
{
	size_t i;

	for (i = 0; i < nr_caches; i++)
		m->objects[i] = cache_objects(&caches[i]);
	m->vmalloc_kb = value_in("/proc/meminfo", "VmallocUsed:");
	m->percpu_kb = value_in("/proc/meminfo", "Percpu:");
	m->ours = file_has("/proc/vmallocinfo", "cowtrace");
}

/* The least of several: the guest has work of its own. */
void memory_measure(struct memory *m)
{
	static struct memory again;
	int tries;
	size_t i;

	for (i = 0; i < nr_caches; i++) {
		caches[i].shrink = cache_file(&caches[i], "shrink", O_WRONLY);
		caches[i].objects = cache_file(&caches[i], "objects", O_RDONLY);
	}
	/* Freed after a grace period or by a work item, our own open files included. */
	for (tries = 0; tries < 2; tries++) {
		file_write("/proc/sys/vm/drop_caches", "3");
		sleep_ms(1000);
	}
	sample(m);
	for (tries = 0; tries < 4; tries++) {
		sleep_ms(200);
		sample(&again);
		for (i = 0; i < nr_caches; i++)
			m->objects[i] = least(m->objects[i], again.objects[i]);
		m->vmalloc_kb = least(m->vmalloc_kb, again.vmalloc_kb);
		m->percpu_kb = least(m->percpu_kb, again.percpu_kb);
	}
	for (i = 0; i < nr_caches; i++) {
		close(caches[i].shrink);
		close(caches[i].objects);
	}
}

/* What leaks grows in both halves, by as many objects as there were rounds. */
void memory_claims(const struct memory *first, const struct memory *half,
		   const struct memory *end, int rounds)
{
	long most = 0, vmalloc, percpu;
	char worst[256] = "";
	size_t i;

	for (i = 0; i < nr_caches; i++) {
		long one = half->objects[i] - first->objects[i];
		long two = end->objects[i] - half->objects[i];

		if (least(one, two) <= most)
			continue;
		most = least(one, two);
		snprintf(worst, sizeof(worst), "%.47s grew by %ld, then %ld objects",
			 caches[i].name, one, two);
	}
	vmalloc = least(half->vmalloc_kb - first->vmalloc_kb, end->vmalloc_kb - half->vmalloc_kb);
	percpu = least(half->percpu_kb - first->percpu_kb, end->percpu_kb - half->percpu_kb);
	note("in twice %d rounds: %s; vmalloc %+ld KiB, per-CPU %+ld KiB", rounds,
	     *worst ? worst : "no cache grew twice", vmalloc, percpu);
	/* The guest's own work may hide some of a leak. */
	check(most < rounds / 2, "leak-slab", "no slab cache grows by an object a round",
	      "in twice %d rounds %s", rounds, worst);
	check(vmalloc < 4 * rounds && !end->ours, "leak-vmalloc",
	      "vmalloc does not grow by a page a round, and nothing of the module is left in it",
	      "%+ld KiB, of the module: %d", vmalloc, end->ours);
	check(percpu < rounds, "leak-percpu",
	      "per-CPU memory does not grow by a kilobyte a round", "%+ld KiB", percpu);
}
