// SPDX-License-Identifier: GPL-2.0
/*
 * Reconciliation: what the module counted against what the kernel counted by
 * other means, to the single fault (ledger.h), over a load of each kind.
 *
 * The process that reads these counts must not fault in between: its memory
 * is written to beforehand, the load runs in a process forked before, and the
 * faults that the kernel counted for it must be those of the proofs.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger.h"
#include "lib.h"
#include "outside.h"

#define PAGES	1024
#define MERGED	64
#define MAPPED	64

/* --- the load, in a process of its own --------------------------------- */

struct area {
	char *shared, *merged, *zero, *private_file, *shared_file;
};

static void *race(void *arg)
{
	touch(arg, PAGES);
	return NULL;
}

/* Two threads copy the same pages at once: one of them loses now and then. */
static void raced(void *arg)
{
	pthread_t other;

	pthread_create(&other, NULL, race, arg);
	touch(arg, PAGES);
	pthread_join(other, NULL);
}

/* A read-only pin of pages that are shared with a child: FAULT_FLAG_UNSHARE. */
static void unshare_some(char *mem)
{
	static char buf[16 * PAGE];
	struct partner p = partner_start();

	pin_pages(mem, 16, buf);
	partner_end(&p);
	/* Alone again, but not yet known to be: the pin keeps these pages. */
	pin_pages(mem + 16 * PAGE, 16, buf);
}

static void write_file_pages(struct area *a)
{
	size_t i;
	volatile char sum = 0;

	for (i = 0; i < MAPPED; i++) {
		sum += a->zero[i * PAGE] + a->private_file[i * PAGE];
		if (a->shared_file)
			sum += a->shared_file[i * PAGE];
	}
	touch(a->zero, MAPPED);
	touch(a->private_file, MAPPED);
	if (a->shared_file)
		touch(a->shared_file, MAPPED);
}

static void load(struct area *a)
{
	int i;

	fork_write(a->shared, PAGES);
	unshare_some(a->shared);
	for (i = 0; i < 4; i++) {
		pid_t pid = child(raced, a->shared);

		touch(a->shared, PAGES);
		child_wait(pid);
	}
	touch(a->merged, MERGED);
	write_file_pages(a);
}

static char *map_file(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *mem;
	int i;

	need(fd >= 0, "%s: %s", path, strerror(errno));
	for (i = 0; i < MAPPED; i++)
		need(pwrite(fd, "page", 4, i * PAGE) == 4, "writing %s: %s", path, strerror(errno));
	need(!ftruncate(fd, MAPPED * PAGE), "%s: %s", path, strerror(errno));
	/* A page that is clean has to be made writable by a fault. */
	fsync(fd);
	mem = mmap(NULL, MAPPED * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
	need(mem != MAP_FAILED, "mapping %s: %s", path, strerror(errno));
	close(fd);
	return mem;
}

static struct turn ready, go;

static void loader(void *arg)
{
	struct area a = {
		.shared = map_pages(PAGES),
		.merged = map_pages(MERGED),
		.zero = map_pages(MAPPED),
		.private_file = map_file("/tmp/private", MAP_PRIVATE),
		.shared_file = ext4_on_mnt() ? map_file("/mnt/shared", MAP_SHARED) : NULL,
	};

	(void)arg;
	touch(a.shared, PAGES);
	memset(a.merged, 0x5a, MERGED * PAGE);
	need(ksm_merge(a.merged, MERGED), "this kernel has no KSM");
	turn_give(&ready);
	turn_wait(&go);
	load(&a);
}

/* --- the counts, in a process that does not fault ----------------------- */

static void coverage(const struct ledger *l, bool disk)
{
	note("raced %llu of two threads on the same pages", l->raced);
	check(l->copied > PAGES && l->reused > PAGES, "load", "the load has copies and reuses",
	      "%llu, %llu", l->copied, l->reused);
	if (kernel_traits() & COWTRACE_TRAIT_EXCLUSIVE)
		check(l->unshared >= 16 && l->unshare_reused >= 16, "unshare",
		      "the load has read-only pins that unshare, and such that reuse",
		      "%llu unshared, %llu reused", l->unshared, l->unshare_reused);
	else
		check(!l->unshared && !l->unshare_reused, "unshare",
		      "before PageAnonExclusive a read-only pin unshares nothing",
		      "%llu unshared, %llu reused", l->unshared, l->unshare_reused);
	if (disk)
		check(l->mkwrite >= MAPPED, "mkwrite", "the load makes shared file pages writable",
		      "%llu", l->mkwrite);
	else
		skip("mkwrite", "no ext4 on /mnt");
	check(l->ksm >= MERGED, "merged", "the load writes pages of KSM", "%llu", l->ksm);
}

static void add(struct ledger *l)
{
	struct trace t;
	size_t i;

	trace_read(&t);
	for (i = 0; i < t.n; i++)
		ledger_add(l, &t.r[i]);
	trace_free(&t);
}

void run_reconcile(void)
{
	static struct newpages pages;
	static struct ledger ledger;
	static struct window w;
	int status = -1;
	long long own;
	pid_t pid;

	module_start(8192);
	outside_init();
	newpages_open(4096);
	turn_init(&ready);
	turn_init(&go);
	pid = child(loader, NULL);
	turn_wait(&ready);
	window_open(&w);
	turn_give(&go);
	waitpid(pid, &status, 0);
	window_close(&w);
	need(!status, "the load ended with %#x", status);

	newpages_take(&pages);
	add(&ledger);
	own = w.after.minflt - w.before.minflt - 2 * (long long)w.s.sum.proofs;
	check(!own, "quiet", "this process took no fault but those of the proofs", "%lld more", own);
	ledger_check(&ledger, &w, "", 2 * PAGES);
	ledger_check_copies(&ledger, &w, &pages, "");
	coverage(&ledger, ext4_on_mnt());
	outside_exit();
}
