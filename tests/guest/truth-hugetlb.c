// SPDX-License-Identifier: GPL-2.0
/* hugetlb pages: hugetlb_wp(), hugetlb_cow() on 5.10. Mappings count, references do not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth-huge.h"
#include "uffd.h"

#define FLAGS_KNOWN	(traits & COWTRACE_TRAIT_EXCLUSIVE)
#define POOL		"/proc/sys/vm/nr_hugepages"

static void set_pool(const char *pages)
{
	int err = file_write(POOL, pages);

	need(!err, POOL ": %s", strerror(-err));
}

static char *map_hugetlb(int flags, int fd)
{
	char *mem = mmap(NULL, FEW * HUGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	need(mem != MAP_FAILED, "mapping hugetlb pages: %s", strerror(errno));
	begin_at(mem, FEW, HUGE);
	return mem;
}

/* Private pages of this process. */
static char *own_pages(void)
{
	char *mem = map_hugetlb(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	int i;

	for (i = 0; i < FEW; i++)
		poke(mem + i * HUGE, 1);
	need(page_flag(mem, KPF_HUGE), "it is no hugetlb page");
	return mem;
}

/* What is not in the page cache yet would be private to a private mapping. */
static int hugetlb_file(void)
{
	int fd = syscall(SYS_memfd_create, "truth", MFD_CLOEXEC | MFD_HUGETLB);

	need(fd >= 0 && !fallocate(fd, 0, 0, FEW * HUGE), "memfd: %s", strerror(errno));
	return fd;
}

/* Each page has one record, and it is this. 5.10's hugetlb_cow() is not told the flags. */
static void check_pages(const struct trace *t, const char *name, const char *claim, int outcome,
			int reason, int origin)
{
	const struct cowtrace_record *r = NULL;
	bool good = true;
	int i;

	if (!FLAGS_KNOWN)
		origin = COWTRACE_ORIGIN_UNKNOWN;
	for (i = 0; i < sh->n && good; i++) {
		r = sole(t, i);
		good = is(r, outcome, reason, COWTRACE_KIND_HUGETLB, origin) &&
		       r->path == COWTRACE_PATH_HUGETLB && r->order == 9 &&
		       r->mapcount == (int)sh->mapcount[i];
	}
	check(good && i, name, claim, "page %d, kpagecount %d: %s", i - 1,
	      (int)sh->mapcount[i ? i - 1 : 0], record_text(r));
}

#define PAGES(t, name, claim, o, why, from)				\
	check_pages(t, name, claim, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, \
		    COWTRACE_ORIGIN_##from)

static void check_rest(const struct trace *t, bool same, const char *frames, const char *counts)
{
	check(frames_agree(t) && same == (sh->pfn[0] == sh->new_pfn[0]), frames,
	      same ? "its frames are those of pagemap, the same after it" :
		     "its frames are those of pagemap, others after it", "%s",
	      record_text(sole(t, 0)));
	check_counts(t, counts);
}

/* --- private memory ------------------------------------------------------------- */

static void alone_run(void *unused)
{
	(void)unused;
	own_pages();
	fork_and_forget();
	write_counted();
}

/* hugetlb_no_page() maps what is private read-only, and calls hugetlb_wp() at once. */
static void alone_judge(const struct trace *t)
{
	const struct cowtrace_record *first = nth(t, 0, 0);

	check(is(first, COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_MAPCOUNT_ONE,
		 COWTRACE_KIND_HUGETLB, FLAGS_KNOWN ? COWTRACE_ORIGIN_USER :
						      COWTRACE_ORIGIN_UNKNOWN) &&
	      first->time_ns < sh->before_ns, "first",
	      "the first write to a page is a reuse: mapcount-one", "%s", record_text(first));
	PAGES(t, "alone", "a page whose other user is gone is reused: mapcount-one", REUSE,
	      MAPCOUNT_ONE, USER);
	check_rest(t, true, "alone-frames", "alone-counts");
	check_holders(t, "alone-holders", "one mapping, and the fault itself",
		      (struct held) { .mappings = 1 }, 1);
}

static void reference_run(void *unused)
{
	(void)unused;
	own_pages();
	fork_and_forget();
	hold_pages(hold_open(), HOLD_REFERENCE, FEW, 3);
	write_counted();
}

static void reference_judge(const struct trace *t)
{
	PAGES(t, "reference", "plain references are not looked at: reused, mapcount-one", REUSE,
	      MAPCOUNT_ONE, USER);
	check_rest(t, true, "reference-frames", "reference-counts");
	check_holders(t, "reference-holders", "one mapping, the fault, three unattributed",
		      (struct held) { .mappings = 1, .others = 3 }, 1);
}

static void shared_run(void *unused)
{
	struct partner p;

	(void)unused;
	own_pages();
	p = partner_start();
	write_counted();
	partner_end(&p);
}

static void shared_judge(const struct trace *t)
{
	PAGES(t, "shared", "a page of two processes is copied because mapped", COPY, MAPPED, USER);
	check_rest(t, false, "shared-frames", "shared-counts");
	check_holders(t, "shared-holders", "two mappings, and the fault itself",
		      (struct held) { .mappings = 2 }, 1);
}

/* --- an empty pool -------------------------------------------------------------- */

static void child_lost_it(void *turn)
{
	turn_wait(turn);
	if (pfn_of(sh->page[0]))
		_exit(1);
}

/* The owner of the reservation takes the pages away from its child, and keeps them. */
static void stolen_run(void *unused)
{
	struct turn written;
	pid_t pid;

	(void)unused;
	own_pages();
	turn_init(&written);
	pid = child(child_lost_it, &written);
	child_sleeps(pid);
	set_pool("0");
	write_counted();
	turn_give(&written);
	sh->count[0] = child_wait(pid);
	set_pool("8");
}

static void stolen_judge(const struct trace *t)
{
	PAGES(t, "stolen", "with an empty pool the owner keeps its page: reused, mapcount-one",
	      REUSE, MAPCOUNT_ONE, USER);
	check(sole(t, 0) && sole(t, 0)->mapcount == 2 &&
	      (sole(t, 0)->evidence & COWTRACE_EV_SHIFTED) && !sh->count[0], "stolen-shifted",
	      "the child had it too, and has lost it: flagged shifted", "child %u; %s",
	      sh->count[0], record_text(sole(t, 0)));
	check_rest(t, true, "stolen-frames", "stolen-counts");
}

static void write_one(void *at)
{
	poke(at, 2);
}

static void empty_run(void *unused)
{
	struct held_child c;
	char *mem = own_pages();

	(void)unused;
	c = child_held(write_one, mem);
	child_sleeps(c.pid);
	set_pool("0");
	begin_at(mem, 1, HUGE);
	count_before();
	sh->tgid = c.pid;
	child_go(&c);
	sh->count[0] = child_wait(c.pid);
	count_after();
	set_pool("8");
}

static void empty_judge(const struct trace *t)
{
	PAGES(t, "empty", "a child that no page is left for: error", ERROR, NONE, USER);
	check(WIFSIGNALED(sh->count[0]) && WTERMSIG(sh->count[0]) == SIGBUS, "empty-signal",
	      "it dies by SIGBUS", "%#x", sh->count[0]);
	check_counts(t, "empty-counts");
}

/* --- files ---------------------------------------------------------------------- */

static void file_run(void *unused)
{
	char *mem = map_hugetlb(MAP_PRIVATE, hugetlb_file());
	int i;

	(void)unused;
	for (i = 0; i < FEW; i++)
		read_one(mem + i * HUGE);
	write_counted();
}

/* Until 6.1 hugetlb_fault() has found the page in the page cache too. */
static void file_judge(const struct trace *t)
{
	PAGES(t, "file", "a private mapping of a file is copied because file", COPY, FILE, USER);
	check_rest(t, false, "file-frames", "file-counts");
	check_holders(t, "file-holders", "one mapping, the page cache, and the fault itself",
		      (struct held) { .mappings = 1, .pagecache = sh->held[0].total - 1 },
		      traits & COWTRACE_TRAIT_RET_WRITE ? 2 : 1);
}

/* Pages that userfaultfd has watched are mapped read-only. */
static void mkwrite_run(void *unused)
{
	char *mem = map_hugetlb(MAP_SHARED, hugetlb_file());
	int fd = uffd_open(UFFD_FEATURE_WP_HUGETLBFS_SHMEM), i;

	(void)unused;
	if (!given(fd >= 0, "this kernel write-protects no hugetlb page"))
		return;
	for (i = 0; i < FEW; i++)
		poke(mem + i * HUGE, 1);
	uffd_register(fd, mem, FEW * HUGE / PAGE);
	uffd_protect(fd, mem, FEW * HUGE / PAGE, true);
	uffd_protect(fd, mem, FEW * HUGE / PAGE, false);
	write_counted();
}

/* 6.1 mm/userfaultfd.c:747 makes what is unprotected writable again, later kernels do not. */
static void mkwrite_judge(const struct trace *t)
{
	if (!(traits & COWTRACE_TRAIT_SHARED_FIRST)) {
		check(!since(t, 0, 0) && !since(t, 1, 0), "mkwrite",
		      "a shared mapping is writable again at once: no fault", "%s",
		      record_text(since(t, 0, 0)));
		return;
	}
	PAGES(t, "mkwrite", "a shared mapping is made writable", MKWRITE, NONE, USER);
	check_rest(t, true, "mkwrite-frames", "mkwrite-counts");
}

/* --- unshare -------------------------------------------------------------------- */

static void unshare_run(void *unused)
{
	char *mem = own_pages();
	struct partner p = partner_start();

	(void)unused;
	begin_at(mem, 1, HUGE);
	pin_counted(mem, N);
	partner_end(&p);
	given(traits & COWTRACE_TRAIT_EXCLUSIVE, "this kernel does not unshare");
}

static void unshare_judge(const struct trace *t)
{
	PAGES(t, "unshare", "a read-only pin of a page of two processes: a copy because mapped",
	      UNSHARE, MAPPED, UNSHARE);
	check_rest(t, false, "unshare-frames", "unshare-counts");
}

static void unshare_alone_run(void *unused)
{
	char *mem = own_pages();

	(void)unused;
	fork_and_forget();
	begin_at(mem, 1, HUGE);
	pin_counted(mem, N);
	given(traits & COWTRACE_TRAIT_EXCLUSIVE, "this kernel does not unshare");
}

static void unshare_alone_judge(const struct trace *t)
{
	PAGES(t, "unshare-alone", "of one whose other user is gone: reused, mapcount-one", REUSE,
	      MAPCOUNT_ONE, UNSHARE);
	check_rest(t, true, "unshare-alone-frames", "unshare-alone-counts");
}

static const struct pattern patterns[] = {
	{ "alone", alone_run, alone_judge },
	{ "reference", reference_run, reference_judge },
	{ "shared", shared_run, shared_judge },
	{ "stolen", stolen_run, stolen_judge },
	{ "empty", empty_run, empty_judge },
	{ "file", file_run, file_judge },
	{ "mkwrite", mkwrite_run, mkwrite_judge },
	{ "unshare", unshare_run, unshare_judge },
	{ "unshare-alone", unshare_alone_run, unshare_alone_judge },
};

void run_truth_hugetlb(void)
{
	set_pool("8");
	need(value_in("/proc/meminfo", "HugePages_Free:") == 8, "no eight hugetlb pages to be had");
	hold_load();
	truth_run(patterns, ARRAY_SIZE(patterns));
	set_pool("0");
}
