// SPDX-License-Identifier: GPL-2.0
/*
 * Reconciliation: what the module counted against what the kernel counted by
 * other means, to the single fault.
 *
 *   calls:   kprobe event on do_wp_page(), hits + misses
 *              = entries - those of huge PMDs and hugetlb pages + proofs + missed
 *   copies:  kprobe event on __delayacct_wpcopy_start(), hits + misses
 *              = copy + unshare + raced + oom + poison + retry of private
 *                mappings + all faults of private hugetlb pages + proofs (each
 *                copies the zero page)
 *            and where that is not (5.10), on wp_page_copy(), without hugetlb
 *   reuses:  pgreuse of /proc/vmstat
 *              = reuse (but not of FAULT_FLAG_UNSHARE) + mkwrite, of PTEs
 *   ksm:     cow_ksm of /proc/vmstat
 *              = those of the second line whose page is KSM's
 *
 * The process that reads these counts must not fault in between: its memory
 * is written to beforehand, the load runs in a process forked before, and the
 * faults that the kernel counted for it must be those of the proofs.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define TRACING	"/sys/kernel/tracing"
#define EVENTS	TRACING "/events/cowtest"
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

static void idle(void *arg)
{
	turn_wait(arg);
}

/* A read-only pin of pages that are shared with a child: FAULT_FLAG_UNSHARE. */
static void pin(char *mem)
{
	static char buf[16 * PAGE];
	struct iovec to = { buf, sizeof(buf) }, from = { mem, sizeof(buf) };

	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)sizeof(buf))
		_exit(2);
}

static void unshare_some(char *mem)
{
	struct turn end;
	pid_t pid;

	turn_init(&end);
	pid = child(idle, &end);
	pin(mem);
	turn_give(&end);
	child_wait(pid);
	/* Alone again, but not yet known to be: the pin keeps these pages. */
	pin(mem + 16 * PAGE);
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

static bool mnt_is_a_disk(void)
{
	struct statfs f;

	return !statfs("/mnt", &f) && f.f_type == 0xef53; /* ext4 */
}

static struct turn ready, go;

static void loader(void *arg)
{
	struct area a = {
		.shared = map_pages(PAGES),
		.merged = map_pages(MERGED),
		.zero = map_pages(MAPPED),
		.private_file = map_file("/tmp/private", MAP_PRIVATE),
		.shared_file = mnt_is_a_disk() ? map_file("/mnt/shared", MAP_SHARED) : NULL,
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

struct outside {
	long long calls, copies, pgreuse, cow_ksm, minflt;
};

static char text[1 << 16];

/* Hits and misses of an event: the third word is the misses. */
static long long profile(const char *event)
{
	long long hits = -1, misses = 0;
	char *line = text, name[64];

	if (file_read(TRACING "/kprobe_profile", text, sizeof(text)) < 0)
		return -1;
	for (; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n' && !*++line)
			break;
		if (sscanf(line, " %63s %lld %lld", name, &hits, &misses) == 3 &&
		    !strcmp(name, event))
			return hits + misses;
	}
	return -1;
}

static void outside_read(struct outside *o)
{
	static struct rusage usage;

	o->calls = profile("wp");
	o->copies = profile("copy");
	o->pgreuse = value_in("/proc/vmstat", "pgreuse");
	o->cow_ksm = value_in("/proc/vmstat", "cow_ksm");
	getrusage(RUSAGE_SELF, &usage);
	o->minflt = usage.ru_minflt;
}

/* Write to each page of this process that can be written to. */
static void settle(void)
{
	static char maps[1 << 16];
	unsigned long start, end;
	char *line, r, w;

	need(file_read("/proc/self/maps", maps, sizeof(maps)) > 0, "no /proc/self/maps");
	for (line = maps; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n' && !*++line)
			break;
		if (sscanf(line, "%lx-%lx %c%c", &start, &end, &r, &w) != 4 || w != 'w')
			continue;
		for (; start < end; start += PAGE) {
			volatile char *at = (volatile char *)start;

			*at = *at;
		}
	}
}

static bool change_events(const char *definition)
{
	int fd = open(TRACING "/kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, definition, strlen(definition)) > 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* What of the records counts in which equation. */
struct inside {
	unsigned long long records, copied, raced, others, reused, mkwrite, ksm, unshared;
	unsigned long long unshare_reused, hugetlb;
};

static bool is_shared(const struct cowtrace_record *r)
{
	return r->vm_flags & 8; /* VM_SHARED */
}

static void classify(struct inside *in, const struct trace *t)
{
	size_t i;

	memset(in, 0, sizeof(*in));
	for (i = 0; i < t->n; i++) {
		const struct cowtrace_record *r = &t->r[i];
		bool attempt = false;

		in->records++;
		in->hugetlb += r->path == COWTRACE_PATH_HUGETLB && !is_shared(r);
		if (r->path != COWTRACE_PATH_PTE)
			continue;
		switch (r->outcome) {
		case COWTRACE_OUTCOME_COPY:
			in->copied++;
			attempt = true;
			break;
		case COWTRACE_OUTCOME_UNSHARE:
			in->unshared++;
			attempt = true;
			break;
		case COWTRACE_OUTCOME_RACED:
		case COWTRACE_OUTCOME_OOM:
		case COWTRACE_OUTCOME_POISON:
		case COWTRACE_OUTCOME_RETRY:
			attempt = !is_shared(r);
			in->raced += attempt && r->outcome == COWTRACE_OUTCOME_RACED;
			in->others += attempt && r->outcome != COWTRACE_OUTCOME_RACED;
			break;
		case COWTRACE_OUTCOME_REUSE:
			if (r->origin == COWTRACE_ORIGIN_UNSHARE)
				in->unshare_reused++;
			else
				in->reused++;
			break;
		case COWTRACE_OUTCOME_MKWRITE:
			in->mkwrite++;
			break;
		}
		in->ksm += attempt && r->kind == COWTRACE_KIND_KSM;
	}
}

/* What counts the attempts to copy, NULL for nothing. */
static const char *copy_event(void)
{
	if (file_has("/proc/cmdline", "delayacct") &&
	    change_events("p:cowtest/copy __delayacct_wpcopy_start\n"))
		return "__delayacct_wpcopy_start";
	return change_events("p:cowtest/copy wp_page_copy\n") ? "wp_page_copy" : NULL;
}

static void equations(const struct outside *before, const struct outside *after,
		      const struct stats *s, unsigned long long lost, const struct inside *in,
		      const char *copy_event)
{
	long long calls = after->calls, copies = after->copies;
	long long reuses = after->pgreuse - before->pgreuse;
	long long ksm = after->cow_ksm - before->cow_ksm;
	long long own = after->minflt - before->minflt - 2 * (long long)s->sum.proofs;
	long long attempts = in->copied + in->unshared + in->raced + in->others + in->hugetlb +
			     s->sum.proofs;
	unsigned long long entries = s->sum.entries - s->sum.pmd_entries - s->sum.hugetlb_entries;

	note("calls %lld = entries %llu - pmd %llu - hugetlb %llu + proofs %llu + missed %llu",
	     calls, s->sum.entries, s->sum.pmd_entries, s->sum.hugetlb_entries, s->sum.proofs,
	     lost);
	note("wpcopy %lld = copy %llu + unshare %llu + raced %llu + oom, poison, retry %llu + hugetlb %llu + proofs %llu",
	     copies, in->copied, in->unshared, in->raced, in->others, in->hugetlb,
	     s->sum.proofs);
	note("pgreuse %lld = reuse %llu (and %llu for unshare, not counted) + mkwrite %llu",
	     reuses, in->reused, in->unshare_reused, in->mkwrite);
	note("cow_ksm %lld = %llu on KSM pages", ksm, in->ksm);

	check(!own, "quiet", "this process took no fault but those of the proofs", "%lld more", own);
	check(calls == (long long)(entries + s->sum.proofs + lost) && calls > 2 * PAGES,
	      "calls", "calls of do_wp_page = entries of PTEs + proofs + missed",
	      "%lld, %llu + %llu + %llu", calls, entries, s->sum.proofs, lost);
	check(in->records == s->sum.entries, "all", "each call is a record", "%llu of %llu",
	      in->records, s->sum.entries);
	if (copy_event)
		check(copies == attempts && copies > PAGES, "copies",
		      "calls of what copies = copy + unshare + raced + oom + poison + retry + hugetlb + proofs",
		      "%s %lld, %lld", copy_event, copies, attempts);
	else
		skip("copies", "delayacct is off, and no function of this kernel only copies");
	check(reuses == (long long)(in->reused + in->mkwrite) && reuses > PAGES, "reuses",
	      "pgreuse = reuse without unshare + mkwrite", "%lld, %llu + %llu", reuses,
	      in->reused, in->mkwrite);
	if (after->cow_ksm >= 0)
		check(ksm == (long long)in->ksm && ksm >= MERGED, "ksm",
		      "cow_ksm = attempts on KSM pages", "%lld, %llu", ksm, in->ksm);
	else
		skip("ksm", "no cow_ksm in /proc/vmstat of this kernel");
}

static void coverage(const struct inside *in, bool disk)
{
	note("raced %llu of two threads on the same pages", in->raced);
	if (kernel_traits() & COWTRACE_TRAIT_EXCLUSIVE)
		check(in->unshared >= 16 || in->unshare_reused >= 16, "unshare",
		      "the load has read-only pins that unshare", "%llu unshared, %llu reused",
		      in->unshared, in->unshare_reused);
	else
		check(!in->unshared && !in->unshare_reused, "unshare",
		      "before PageAnonExclusive a read-only pin unshares nothing",
		      "%llu unshared, %llu reused", in->unshared, in->unshare_reused);
	if (disk)
		check(in->mkwrite >= MAPPED, "mkwrite", "the load makes shared file pages writable",
		      "%llu", in->mkwrite);
	else
		skip("mkwrite", "no ext4 on /mnt");
}

void run_reconcile(void)
{
	static struct outside before, after;
	static struct inside in;
	static struct stats s;
	unsigned long long lost;
	const char *copying;
	struct trace t;
	int err = 0, status = -1;
	pid_t pid;

	module_start(8192);
	file_write("/proc/sys/kernel/task_delayacct", "1");
	need(change_events("p:cowtest/wp do_wp_page\n"), "no kprobe event on do_wp_page");
	copying = copy_event();
	turn_init(&ready);
	turn_init(&go);
	pid = child(loader, NULL);
	turn_wait(&ready);
	stats_read(&s);
	outside_read(&after);
	outside_read(&before);
	settle();
	/* From here to the end of the second reading nothing of ours may fault. */
	outside_read(&before);
	err |= file_write(EVENTS "/wp/enable", "1");
	if (copying)
		err |= file_write(EVENTS "/copy/enable", "1");
	err |= cow_write("enabled", "1");
	turn_give(&go);
	waitpid(pid, &status, 0);
	err |= cow_write("enabled", "0");
	outside_read(&after);
	need(!err && !status, "the switches: %d, the load: %#x", err, status);

	stats_read(&s);
	lost = missed();
	file_write(EVENTS "/wp/enable", "0");
	change_events("-:cowtest/wp\n");
	if (copying) {
		file_write(EVENTS "/copy/enable", "0");
		change_events("-:cowtest/copy\n");
	}
	trace_read(&t);
	classify(&in, &t);
	trace_free(&t);
	/* wp_page_copy() has no part in hugetlb pages, delayacct has. */
	if (copying && !strcmp(copying, "wp_page_copy"))
		in.hugetlb = 0;
	equations(&before, &after, &s, lost, &in, copying);
	coverage(&in, mnt_is_a_disk());
}
