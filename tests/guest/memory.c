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

/*
 * Where DEBUG_OBJECTS keeps what it knows. The kernel's own code leaves some of that behind:
 * ten loads of brd leave 49 objects, of null_blk 29, of cowtrace none. What leaks with an
 * object that is tracked leaks from another cache.
 */
static bool is_tracking(const char *cache)
{
	return !strcmp(cache, "debug_objects_cache");
}

/* Caches of one kind are one directory; their names are links to it. */
void memory_begin(void)
{
	DIR *d = opendir("/sys/kernel/slab");
	struct dirent *e;

	need(d, "/sys/kernel/slab: %s", strerror(errno));
	while ((e = readdir(d)) && nr_caches < MEMORY_CACHES)
		if (e->d_type == DT_DIR && e->d_name[0] != '.' && !is_tracking(e->d_name))
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

static long long least(long long a, long long b)
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

/* Samples in a row that find nothing less, and samples in all. */
#define SAME		4
#define MOST_SAMPLES	32

/* Does @again have less of anything? Then that is kept in @m. */
static bool keep_least(struct memory *m, const struct memory *again)
{
	bool less = again->vmalloc_kb < m->vmalloc_kb || again->percpu_kb < m->percpu_kb;
	size_t i;

	for (i = 0; i < nr_caches; i++) {
		less |= again->objects[i] < m->objects[i];
		m->objects[i] = least(m->objects[i], again->objects[i]);
	}
	m->vmalloc_kb = least(m->vmalloc_kb, again->vmalloc_kb);
	m->percpu_kb = least(m->percpu_kb, again->percpu_kb);
	return less;
}

/* The least of several: the guest has work of its own, and frees some of it late. */
void memory_measure(struct memory *m)
{
	static struct memory again;
	int tries, same = 0;
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
	for (tries = 0; tries < MOST_SAMPLES && same < SAME; tries++) {
		sleep_ms(200);
		sample(&again);
		same = keep_least(m, &again) ? 0 : same + 1;
	}
	for (i = 0; i < nr_caches; i++) {
		close(caches[i].shrink);
		close(caches[i].objects);
	}
}

/* The least that it has grown from one measurement to the next. */
#define GROWTH(m, nr, member) ({					\
	long long growth = (m)[1].member - (m)[0].member;		\
	size_t step;							\
									\
	for (step = 2; step < (nr); step++)				\
		growth = least(growth, (m)[step].member - (m)[step - 1].member); \
	growth;								\
})

/* What leaks grows each time, by as many objects as there were rounds. */
void memory_claims(const struct memory *m, size_t nr, int rounds)
{
	long long most = 0, vmalloc, percpu;
	char worst[256] = "no cache";
	size_t i;

	for (i = 0; i < nr_caches; i++) {
		long long growth = GROWTH(m, nr, objects[i]);

		if (growth > most) {
			most = growth;
			snprintf(worst, sizeof(worst), "%.47s", caches[i].name);
		}
	}
	vmalloc = GROWTH(m, nr, vmalloc_kb);
	percpu = GROWTH(m, nr, percpu_kb);
	note("in %zu times %d rounds, each time at least: %s %+lld objects, vmalloc %+lld KiB, per-CPU %+lld KiB",
	     nr - 1, rounds, worst, most, vmalloc, percpu);
	/* The guest's own work may hide some of a leak. */
	check(most < rounds / 2, "leak-slab", "no slab cache grows by an object a round",
	      "in %zu times %d rounds %s by %lld objects each time", nr - 1, rounds, worst, most);
	check(vmalloc < 4 * rounds && !m[nr - 1].ours, "leak-vmalloc",
	      "vmalloc does not grow by a page a round, and nothing of the module is left in it",
	      "%+lld KiB, of the module: %d", vmalloc, m[nr - 1].ours);
	check(percpu < rounds, "leak-percpu", "per-CPU memory does not grow by a kilobyte a round",
	      "%+lld KiB", percpu);
}
