// SPDX-License-Identifier: GPL-2.0
/*
 * Who held a page: the parts of cowtrace_holders() against /proc/kpagecount,
 * /proc/kpageflags, the count that the kernel itself has, and what the pattern
 * has done. To look at a page without changing it, it is protected by
 * userfaultfd and written by a system call, which then fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/kernel-page-flags.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <cowtrace/classify.h>

#include "truth.h"
#include "uffd.h"

/* Pages of one pattern. */
#define FEW		4

static int hold;

/* What is true of page @i now; @batch, @pins and @others are what the pattern did. */
static void note_truth(int i, int batch, int pins, int others)
{
	const char *at = sh->page[i];

	sh->held[i] = (struct held) {
		.total = hold_count(hold, at),
		.mappings = kpage("/proc/kpagecount", pfn_of(at)),
		.swapcache = page_flag(at, KPF_SWAPCACHE),
		.lru = batch,
		.pins = pins,
		.others = others,
	};
	need(page_flag(at, KPF_LRU) == !batch, "page %d is%s on an LRU list", i,
	     batch ? "" : " not");
}

static char *pages(void)
{
	hold = hold_open();
	return fresh_pages();
}

/* Note the truth of the pages, and have each of them sampled. */
static void look(int n, int batch, int pins, int others)
{
	int fd = uffd_open(UFFD_FEATURE_SIGBUS);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int i;

	need(fd >= 0 && zero >= 0, "userfaultfd with signals, /dev/zero: %s", strerror(errno));
	uffd_register(fd, sh->page[0], N);
	uffd_protect(fd, sh->page[0], n, true);
	for (i = 0; i < n; i++) {
		note_truth(i, batch, pins, others);
		need(read(zero, sh->page[i], 1) < 0 && errno == EFAULT,
		     "a protected page was written");
	}
	sh->count[0] = n;
	sh->ready = true;
}

static void judge(const struct trace *t, const char *name, const char *claim)
{
	const struct cowtrace_record *r = NULL;
	struct cowtrace_holders h = { 0 };
	const struct held *want = NULL;
	bool good = true;
	unsigned int i;

	for (i = 0; i < sh->count[0] && good; i++) {
		r = nth(t, i, 0);
		want = &sh->held[i];
		if (r)
			h = cowtrace_holders(r, traits);
		good = r && h.known && h.total == want->total && h.mappings == want->mappings &&
		       h.swapcache == want->swapcache && h.pagecache == want->pagecache &&
		       h.lru == want->lru && h.pins == want->pins &&
		       h.unattributed == want->others && !(r->evidence & COWTRACE_EV_UNSTABLE);
	}
	check(good && i, name, claim,
	      "page %d: total %d mappings %d swapcache %d pagecache %d lru %d pins %d unattributed %d instead of %d %d %d %d %d %d %d; %s",
	      i - 1, h.total, h.mappings, h.swapcache, h.pagecache, h.lru, h.pins, h.unattributed,
	      want ? want->total : -1, want ? want->mappings : -1, want ? want->swapcache : -1,
	      want ? want->pagecache : -1, want ? want->lru : -1, want ? want->pins : -1,
	      want ? want->others : -1, record_text(r));
}

/* --- mappings ------------------------------------------------------------- */

static void one_run(void *unused)
{
	(void)unused;
	pages();
	look(FEW, 0, 0, 0);
}

static void one_judge(const struct trace *t)
{
	judge(t, "one", "a page of one process: one mapping, nothing else");
}

static void three_run(void *unused)
{
	struct partner p[2];
	int i;

	(void)unused;
	pages();
	for (i = 0; i < 2; i++)
		p[i] = partner_start();
	look(FEW, 0, 0, 0);
	for (i = 0; i < 2; i++)
		partner_end(&p[i]);
}

static void three_judge(const struct trace *t)
{
	judge(t, "three", "a page of three processes: three mappings, nothing else");
}

/* --- the swap cache -------------------------------------------------------- */

static void swap_run(void *unused)
{
	char *mem = pages_in_swap_cache();

	(void)unused;
	if (!mem)
		return;
	hold = hold_open();
	need(page_flag(mem, KPF_SWAPCACHE), "the page is not in the swap cache");
	look(FEW, 0, 0, 0);
}

static void swap_judge(const struct trace *t)
{
	judge(t, "swapcache", "a page in the swap cache: one mapping, one of the cache");
}

/* --- LRU batches ------------------------------------------------------------ */

/* As in truth-held.c, nothing may run on the CPU that could drain its batch. */
static bool pages_in_batch(void)
{
	char *mem = map_pages(N);

	if (!given(cpus_online() > 1, "this guest has one CPU"))
		return false;
	hold = hold_open();
	on_cpu(1);
	lru_drain();
	touch(mem, FEW);
	on_cpu(0);
	begin(mem);
	return true;
}

static void batch_run(void *unused)
{
	(void)unused;
	if (pages_in_batch())
		look(FEW, 1, 0, 0);
}

static void batch_judge(const struct trace *t)
{
	judge(t, "batch", "a page in an LRU batch: one mapping, one of the batch");
}

static void batch_held_run(void *unused)
{
	(void)unused;
	if (!pages_in_batch())
		return;
	hold_pages(hold, HOLD_REFERENCE, FEW, 3);
	hold_pages(hold, HOLD_PIN, FEW, 0);
	look(FEW, 1, COWTRACE_PIN_BIAS, 3);
}

static void batch_held_judge(const struct trace *t)
{
	judge(t, "batch-held", "in a batch, pinned, and held by three more: each part is told");
}

/* --- plain references ------------------------------------------------------- */

static void vmsplice_run(void *unused)
{
	(void)unused;
	pipe_pages(pages(), FEW);
	look(FEW, 0, 0, 1);
}

static void vmsplice_judge(const struct trace *t)
{
	judge(t, "vmsplice", "a page in a pipe: one mapping, one reference unattributed");
}

static void reference_run(void *unused)
{
	(void)unused;
	pages();
	hold_pages(hold, HOLD_REFERENCE, FEW, 7);
	look(FEW, 0, 0, 7);
}

static void reference_judge(const struct trace *t)
{
	judge(t, "reference", "a page with seven references more: all unattributed");
}

/* --- pins ------------------------------------------------------------------- */

static void pin_run(void *unused)
{
	(void)unused;
	pages();
	hold_pages(hold, HOLD_PIN, FEW, 0);
	hold_pages(hold, HOLD_PIN, FEW, 0);
	look(FEW, 0, 2 * COWTRACE_PIN_BIAS, 0);
}

static void pin_judge(const struct trace *t)
{
	judge(t, "pins", "a page with two pins: 2048 references, all pins'");
}

static void uring_run(void *unused)
{
	(void)unused;
	uring_pages(pages(), FEW);
	look(FEW, 0, COWTRACE_PIN_BIAS, 0);
}

static void uring_judge(const struct trace *t)
{
	judge(t, "uring", "a fixed buffer of io_uring: pinned");
}

/* --- O_DIRECT ---------------------------------------------------------------- */

/*
 * A disk whose reads stand still: the kernel takes no less than two bytes a second.
 *
 * For 5.10 by a hierarchy of its own: the common one brings the memory controller
 * along, and memory that is charged there and given back while truth-outcome.c has
 * that controller elsewhere makes its counters warn (mm/page_counter.c).
 */
struct slow_disk {
	bool		own;
	const char	*root, *group;
	char		device[64], number[32];
};

static void limit_disk(const struct slow_disk *d, bool slow)
{
	char limit[64];

	if (d->own)
		snprintf(limit, sizeof(limit), "%s %d", d->number, slow ? 2 : 0);
	else
		snprintf(limit, sizeof(limit), "%s rbps=%s", d->number, slow ? "2" : "max");
	group_set(d->group, d->own ? "blkio.throttle.read_bps_device" : "io.max", limit);
}

static void forget_disk(const struct slow_disk *d)
{
	group_set(d->root, "cgroup.procs", "0");
	rmdir(d->group);
	if (d->own)
		umount(d->root);
}

/*
 * 7.2 allocates under the lock that io.max takes of a frozen queue. Where lockdep finds that
 * it says so, and is off for all that comes after.
 */
static bool lockdep_minds(void)
{
	struct utsname u;

	uname(&u);
	return !access("/proc/lockdep", F_OK) && !strncmp(u.release, "7.2.", 4);
}

static bool slow_disk(struct slow_disk *d)
{
	struct stat st;

	if (!disk_of("/mnt", d->device, sizeof(d->device)) || stat(d->device, &st))
		return false;
	snprintf(d->number, sizeof(d->number), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	d->own = !(traits & COWTRACE_TRAIT_EXCLUSIVE);
	d->root = d->own ? "/tmp/truth-io" : "/sys/fs/cgroup";
	d->group = d->own ? "/tmp/truth-io/truth" : "/sys/fs/cgroup/truth-io";
	if (d->own) {
		mkdir(d->root, 0700);
		need(!mount("blkio", d->root, "cgroup", 0, "blkio"),
		     "mounting the disk controller: %s", strerror(errno));
	} else {
		group_set(d->root, "cgroup.subtree_control", "+io");
	}
	need(!mkdir(d->group, 0700), "%s: %s", d->group, strerror(errno));
	limit_disk(d, true);
	group_set(d->group, "cgroup.procs", "0");
	return true;
}

/* 6.3 and later pin what O_DIRECT reads into, earlier kernels take references. */
static void direct_run(void *unused)
{
	char *mem = pages();
	bool pins = traits & COWTRACE_TRAIT_SHARED_FIRST;
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_buf = (uintptr_t)mem,
		.aio_nbytes = FEW * PAGE,
	}, *list[] = { &cb };
	aio_context_t context = 0;
	struct io_event event;
	struct slow_disk disk;

	(void)unused;
	if (!given(!lockdep_minds(), "lockdep reports this kernel's io.max, and is off then"))
		return;
	if (!given(slow_disk(&disk), "no disk on /mnt that can be slowed down"))
		return;
	cb.aio_fildes = open(disk.device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	need((int)cb.aio_fildes >= 0 && !syscall(SYS_io_setup, 1, &context), "aio: %s",
	     strerror(errno));
	need(syscall(SYS_io_submit, context, 1, list) == 1, "io_submit: %s", strerror(errno));
	look(FEW, 0, pins ? COWTRACE_PIN_BIAS : 0, pins ? 0 : 1);
	limit_disk(&disk, false);
	need(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1, "io_getevents");
	forget_disk(&disk);
}

static void direct_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_SHARED_FIRST)
		judge(t, "direct", "a page that O_DIRECT reads into: pinned");
	else
		judge(t, "direct", "a page that O_DIRECT reads into: a reference unattributed");
}

/* --- the page cache ----------------------------------------------------------- */

static void file_run(void *unused)
{
	int i;

	(void)unused;
	hold = hold_open();
	begin(map_file("/tmp/truth", MAP_PRIVATE));
	read_pages();
	lru_drain();
	hold_pages(hold, HOLD_REFERENCE, FEW, 1);
	for (i = 0; i < FEW; i++) {
		note_truth(i, 0, 0, 1);
		sh->held[i].pagecache = 1;
	}
	touch(sh->page[0], FEW);
	sh->count[0] = FEW;
	sh->ready = true;
}

static void file_judge(const struct trace *t)
{
	judge(t, "file", "a file page: one mapping, one of the page cache, one unattributed");
}

/* --- a count that moves --------------------------------------------------------- */

#define VIEWS	1024

/* One page of a memfd, mapped privately again and again: each view is copied once. */
static char *views(void)
{
	char *mem = map_pages(VIEWS);
	int fd = syscall(SYS_memfd_create, "truth", 0), i;
	char *view;

	need(fd >= 0 && !ftruncate(fd, PAGE), "memfd: %s", strerror(errno));
	for (i = 0; i < VIEWS; i++) {
		view = mmap(mem + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			    fd, 0);
		need(view != MAP_FAILED, "mapping a memfd: %s", strerror(errno));
		read_one(view);
	}
	close(fd);
	lru_drain();
	begin(mem);
	/* The records of one CPU are in order. */
	on_cpu(0);
	return mem;
}

static void steady_run(void *unused)
{
	char *mem = views();

	(void)unused;
	touch(mem, VIEWS);
	sh->ready = true;
}

/* How many records of the views are flagged; -1 when a part of one is wrong. */
static int unstable(const struct trace *t, int more)
{
	int flagged = 0, seen = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct cowtrace_record *r = &t->r[i];
		struct cowtrace_holders h = cowtrace_holders(r, traits);
		int left = VIEWS - seen;

		if (r->tgid != sh->tgid || r->address - (uintptr_t)sh->page[0] >= VIEWS * PAGE)
			continue;
		/* Each copy takes a view away; the page cache's reference stays. */
		if (!IS(r, COPY, FILE, FILE, USER) || !h.known || h.mappings != left ||
		    h.pagecache != 1 || h.swapcache || h.pins || h.lru || h.unattributed < more ||
		    h.unattributed > 2 * more ||
		    h.total != h.mappings + h.pagecache + h.unattributed)
			return -1;
		flagged += !!(r->evidence & COWTRACE_EV_UNSTABLE);
		seen++;
	}
	return seen == VIEWS ? flagged : -1;
}

static void hammer_run(void *unused)
{
	char *mem = views();
	struct trace t;

	(void)unused;
	disable();
	enable();
	hold = hold_open();
	hold_take(hold, HOLD_HAMMER, mem, 0);
	touch(mem, VIEWS);
	close(hold);
	disable();
	trace_read(&t);
	sh->count[0] = unstable(&t, 1);
	trace_free(&t);
	enable();
	sh->ready = true;
}

static void steady_judge(const struct trace *t)
{
	check(unstable(t, 0) == 0, "steady", "a count that nobody moves is never unstable", "%d",
	      unstable(t, 0));
}

static void hammer_judge(const struct trace *t)
{
	int flagged = sh->count[0];

	(void)t;
	check(flagged >= 0, "moving-parts",
	      "each part is told while a reference comes and goes", "%d", flagged);
	note("%d of %d samples unstable", flagged, VIEWS);
	check(flagged > 0, "unstable", "and samples are flagged unstable", "%d", flagged);
}

static const struct pattern patterns[] = {
	{ "one", one_run, one_judge },
	{ "three", three_run, three_judge },
	{ "swapcache", swap_run, swap_judge },
	{ "batch", batch_run, batch_judge },
	{ "batch-held", batch_held_run, batch_held_judge },
	{ "vmsplice", vmsplice_run, vmsplice_judge },
	{ "reference", reference_run, reference_judge },
	{ "pins", pin_run, pin_judge },
	{ "uring", uring_run, uring_judge },
	{ "direct", direct_run, direct_judge },
	{ "file", file_run, file_judge },
	{ "steady", steady_run, steady_judge },
	{ "hammer", hammer_run, hammer_judge },
};

void run_truth_holders(void)
{
	hold_load();
	truth_run_thp("never", patterns, ARRAY_SIZE(patterns));
}
