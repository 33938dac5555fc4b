// SPDX-License-Identifier: GPL-2.0
/*
 * Two instruments on the same faults: the module and the bpf backend, over forks, swap,
 * KSM, huge pages and threads that race.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib.h"
#include "truth-huge.h"

#define COWTEST	"/usr/libexec/cowtrace/cowtest"
#define JSON	"/tmp/crosscheck.json"

/* KSM's load stays until this is gone: see ksm.c. */
#define STAY	"/tmp/ksm.stay"

/**
 * struct load - faults that both are to see
 * @name: before the names of its claims.
 * @command: what runs.
 * @pairs: faults that it has however its tasks are scheduled.
 * @quiet: nobody else has to do with a page while it is written. Elsewhere another CPU
 *	may change what is counted between the two samples, as often as the emulator lets it.
 */
static const struct load {
	const char	*name;
	const char	*command;
	long long	pairs;
	bool		quiet;
} loads[] = {
	{ "pattern", COWTEST " load", 16384, true },
	{ "explain", COWTEST " load explain", 40, false },
	{ "ksm", COWTEST " load ksm", 100, false },
	/* After each fork the parent writes to its own stack; the writer may never have run. */
	{ "forks", COWTEST " load forks", 20, false },
	{ "mixed", COWTEST " load crosscheck", 8192, false },
};

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define POOL	"/proc/sys/vm/nr_hugepages"
#define PAGES	1024
#define ROUNDS	4
#define LARGE	4

/* --- "cowtest load crosscheck" -------------------------------------------------- */

static pthread_barrier_t barrier;

static void *write_all(void *mem)
{
	pthread_barrier_wait(&barrier);
	touch(mem, PAGES);
	return NULL;
}

/* Two threads at each page that a child holds: one of them finds that the other was first. */
static void threads(void)
{
	char *mem = map_pages(PAGES);
	struct partner child;
	pthread_t other;

	touch(mem, PAGES);
	child = partner_start();
	pthread_barrier_init(&barrier, NULL, 2);
	need(!pthread_create(&other, NULL, write_all, mem), "no thread");
	write_all(mem);
	pthread_join(other, NULL);
	partner_end(&child);
	munmap(mem, PAGES * PAGE);
}

/* Written after they came back, with and without another owner of the slots. */
static void swapped(bool shared)
{
	char *mem = map_pages(PAGES);
	volatile char sum = 0;
	struct partner child;
	size_t i;

	touch(mem, PAGES);
	if (shared)
		child = partner_start();
	madvise(mem, PAGES * PAGE, MADV_PAGEOUT);
	for (i = 0; i < PAGES; i += 2)
		sum += mem[i * PAGE];
	touch(mem, PAGES);
	if (shared)
		partner_end(&child);
	munmap(mem, PAGES * PAGE);
}

static void zeros(void)
{
	char *mem = map_pages(PAGES);
	volatile char sum = 0;
	size_t i;

	for (i = 0; i < PAGES; i++)
		sum += mem[i * PAGE];
	touch(mem, PAGES);
	munmap(mem, PAGES * PAGE);
}

static void file(void)
{
	char *mem;
	int fd = open(COWTEST, O_RDONLY);

	mem = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	need(fd >= 0 && mem != MAP_FAILED, "no private mapping of " COWTEST);
	close(fd);
	fork_write(mem, 32);
	munmap(mem, 32 * PAGE);
}

/* Huge PMDs: split, kept, and those of the huge zero page. */
static void huge(void)
{
	char *mem = map_thp(LARGE), *zero = map_for_thp(1);
	volatile char sum = *zero;
	struct partner child = partner_start();
	int i;

	for (i = 0; i < LARGE / 2; i++)
		touch(mem + i * HUGE, HUGE / PAGE);
	partner_end(&child);
	touch(mem, LARGE * HUGE / PAGE);
	sum += *zero;
	touch(zero, 1);
	munmap(mem, LARGE * HUGE);
	munmap(zero, HUGE);
}

static void hugetlb(void)
{
	struct partner child;
	char *mem;
	int i, n;

	need(!file_write(POOL, "8"), "no pool of huge pages");
	mem = mmap(NULL, LARGE * HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	need(mem != MAP_FAILED, "no hugetlb pages");
	for (n = 0; n < 2; n++) {
		for (i = 0; i < LARGE; i++)
			mem[i * HUGE] = 1;
		child = partner_start();
		for (i = 0; i < LARGE / 2; i++)
			mem[i * HUGE] = 2;
		partner_end(&child);
	}
	munmap(mem, LARGE * HUGE);
	file_write(POOL, "0");
}

void crosscheck_load(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		threads();
		swapped(false);
		swapped(true);
		zeros();
		file();
	}
	huge();
	hugetlb();
}

/* --- the suite ------------------------------------------------------------------ */

static char json[4 << 20];

static void claims(const struct load *l, int status)
{
	const char *module = strstr(json, "\"module\":"), *bpf = strstr(json, "\"bpf\":");
	long long pairs = json_number(json, "pairs"), racing = json_number(json, "racing");
	char name[64];

	need(module && bpf, "the JSON lacks a side");
	note("%s: %lld faults seen by both, %lld with a race between the samples", l->name, pairs,
	     racing);
#define NAME(what)	(snprintf(name, sizeof(name), "%s-%s", l->name, what), name)
	check(pairs >= l->pairs, NAME("pairs"), "the load has faults that both see", "%lld of %lld",
	      pairs, l->pairs);
	check(!json_number(json, "verdict"), NAME("verdict"),
	      "module and BPF never differ in outcome or page frames", "%lld of %lld, see " JSON,
	      json_number(json, "verdict"), pairs);
	check(!json_number(json, "fixed"), NAME("fixed"),
	      "nor in what stays as it is while a fault lasts", "%.2000s",
	      strstr(json, "\"list\":") ?: "");
	if (l->quiet)
		check(racing * 1000 <= pairs, NAME("racing"),
		      "what may race between the samples differs in at most 0.1 % of the faults",
		      "%lld of %lld: %.2000s", racing, pairs, strstr(json, "\"list\":") ?: "");
	check(!json_number(module, "alone") && !json_number(bpf, "alone"), NAME("alone"),
	      "each sees all that the other sees", "module alone %lld, bpf alone %lld: %.2000s",
	      json_number(module, "alone"), json_number(bpf, "alone"), module);
	check(!status, NAME("status"), "and the exit status says that they agree", "%#x", status);
}

void run_crosscheck(void)
{
	char command[512];
	size_t i;
	int status, fd;

	if (!kernel_has_types()) {
		skip("types", "this kernel has no BTF");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		fd = open(STAY, O_CREAT | O_WRONLY, 0600);
		need(fd >= 0, "no " STAY);
		close(fd);
		snprintf(command, sizeof(command),
			 "cowtrace crosscheck -q --json -o " JSON " -- %s >/tmp/crosscheck.load",
			 loads[i].command);
		status = system(command);
		unlink(STAY);
		need(file_read(JSON, json, sizeof(json)) > 0,
		     "cowtrace crosscheck ended with %#x and printed nothing", status);
		claims(&loads[i], status);
	}
}
