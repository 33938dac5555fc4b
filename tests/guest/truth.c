// SPDX-License-Identifier: GPL-2.0
/*
 * What a record says against what the kernel says elsewhere (pagemap,
 * kpagecount, vmstat) and against what the program did. Each case runs in a
 * process of its own, alone in the trace, and looks at its own records.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define N	16

/* Of this kernel, from the schema. */
static unsigned int traits;

/* What a case hands from its process to the judge. */
static struct shared {
	uint32_t	tgid, tid, count[N];
	uint64_t	pfn[N], new_pfn[N], mapcount[N], before_ns, after_ns;
	bool		ready;
	char		*page[N];
	char		why_not[128];
} *sh;

struct pattern {
	const char	*name;
	void		(*run)(void *unused);
	void		(*judge)(const struct trace *t);
};

static const struct cowtrace_record *only(const struct trace *t, int i)
{
	return record_of(t, sh->tgid, sh->page[i]);
}

static bool is(const struct cowtrace_record *r, int outcome, int reason, int kind, int origin)
{
	return r && r->outcome == outcome && r->reason == reason && r->kind == kind &&
	       r->origin == origin;
}

#define IS(r, o, why, k, from)						\
	is(r, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, COWTRACE_KIND_##k, \
	   COWTRACE_ORIGIN_##from)

/* The first of the pages whose record is not as it must be; N for none. */
static int bad_page(const struct trace *t, int outcome, int reason, int kind, int origin)
{
	int i;

	for (i = 0; i < N; i++)
		if (!is(only(t, i), outcome, reason, kind, origin))
			break;
	return i;
}

#define BAD(t, o, why, k, from)						\
	bad_page(t, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, COWTRACE_KIND_##k, \
		 COWTRACE_ORIGIN_##from)

/* Check that all N pages have that record. */
#define ALL(t, name, claim, o, why, k, from)				\
do {									\
	int bad_ = BAD(t, o, why, k, from);				\
									\
	check(bad_ == N, name, claim, "page %d: %s", bad_,		\
	      record_text(bad_ < N ? only(t, bad_) : NULL));		\
} while (0)

static void begin(char *mem)
{
	int i;

	sh->tgid = getpid();
	sh->tid = syscall(SYS_gettid);
	for (i = 0; i < N; i++)
		sh->page[i] = mem + i * PAGE;
}

/* What the kernel says of the pages, before and after they are written. */
static void note_before(void)
{
	int i;

	for (i = 0; i < N; i++) {
		sh->pfn[i] = pfn_of(sh->page[i]);
		sh->mapcount[i] = kpage("/proc/kpagecount", sh->pfn[i]);
	}
	sh->before_ns = now_ns();
}

static void note_after(void)
{
	int i;

	sh->after_ns = now_ns();
	for (i = 0; i < N; i++)
		sh->new_pfn[i] = pfn_of(sh->page[i]);
	sh->ready = true;
}

static void write_pages(void)
{
	note_before();
	touch(sh->page[0], N);
	note_after();
}

static bool pfns_agree(const struct trace *t)
{
	int i;

	for (i = 0; i < N; i++) {
		const struct cowtrace_record *r = only(t, i);

		if (!r || !sh->pfn[i] || r->pfn != sh->pfn[i] || r->new_pfn != sh->new_pfn[i] ||
		    !(r->present & COWTRACE_HAS_NEW_PFN))
			return false;
	}
	return true;
}

static void sleeper(void *arg)
{
	turn_wait(arg);
}

/* --- mapped by three processes ----------------------------------------- */

/* The instruction that writes. */
#define OFFSET	123

static void *write_named(void *unused)
{
	int i;

	(void)unused;
	prctl(PR_SET_NAME, "cow-writer");
	sh->tid = syscall(SYS_gettid);
	note_before();
	for (i = 0; i < N; i++)
		poke(sh->page[i] + OFFSET, 2);
	note_after();
	return NULL;
}

static void three_run(void *unused)
{
	char *mem = map_pages(N);
	struct turn end;
	pid_t pids[2];
	pthread_t writer;
	int i;

	(void)unused;
	touch(mem, N);
	lru_drain();
	turn_init(&end);
	for (i = 0; i < 2; i++)
		pids[i] = child(sleeper, &end);
	begin(mem);
	/* The thread's own number differs from the process's. */
	syscall(SYS_setreuid, 1234, -1);
	pthread_create(&writer, NULL, write_named, NULL);
	pthread_join(writer, NULL);
	for (i = 0; i < 2; i++)
		turn_give(&end);
	for (i = 0; i < 2; i++)
		child_wait(pids[i]);
}

static void three_judge(const struct trace *t)
{
	bool counts = true, refs = true, where = true, who = true, when = true;
	const struct cowtrace_record *r = NULL;
	int i;

	ALL(t, "mapped", "a page mapped by three processes is copied because mapped", COPY, MAPPED,
	    ANON, USER);
	for (i = 0; i < N && (r = only(t, i)); i++) {
		counts &= sh->mapcount[i] == 3 && r->mapcount == 3 && r->folio_mapcount == 3;
		refs &= r->refcount == 3 && (r->state & COWTRACE_PG_LRU);
		where &= r->address == (uintptr_t)sh->page[i] + OFFSET && r->ip == (uintptr_t)poke;
		who &= r->pid == sh->tid && r->tgid == sh->tgid && r->uid == 1234 &&
		       !strcmp(r->comm, "cow-writer") && sh->tid != sh->tgid;
		when &= r->time_ns >= sh->before_ns && r->duration_ns > 0 &&
			r->time_ns + r->duration_ns <= sh->after_ns;
	}
	check(r && counts, "mapcount", "mapcount is 3 and that of /proc/kpagecount",
	      "kpagecount %llu; %s", (unsigned long long)sh->mapcount[0], record_text(r));
	check(r && refs, "refcount", "refcount is that of the three mappings", "%s",
	      record_text(r));
	check(r && pfns_agree(t), "pfn", "pfn before and after are those of pagemap", "%#llx %#llx; %s",
	      (unsigned long long)sh->pfn[0], (unsigned long long)sh->new_pfn[0], record_text(r));
	check(r && where, "where", "address and instruction are those of the store", "%p+%d by %p; %s",
	      sh->page[0], OFFSET, (void *)poke, record_text(r));
	check(r && who, "who", "pid, tgid, uid and comm are those of the writing thread",
	      "tid %u tgid %u; %s", sh->tid, sh->tgid, record_text(r));
	check(r && when, "when", "time and duration lie between the clock's readings around them",
	      "%s", record_text(r));
}

/* --- other kinds of pages ----------------------------------------------- */

static void alone_run(void *unused)
{
	struct turn end;
	char *mem = map_pages(N);

	(void)unused;
	touch(mem, N);
	lru_drain();
	turn_init(&end);
	turn_give(&end);
	child_wait(child(sleeper, &end));
	begin(mem);
	write_pages();
}

static void alone_judge(const struct trace *t)
{
	ALL(t, "alone", "a page whose other user is gone is reused: sole-ref", REUSE, SOLE_REF,
	    ANON, USER);
	check(pfns_agree(t) && sh->pfn[0] == sh->new_pfn[0], "same", "a reuse keeps the page",
	      "%s", record_text(only(t, 0)));
}

static void read_pages(void)
{
	volatile char sum = 0;
	int i;

	for (i = 0; i < N; i++)
		sum += *sh->page[i];
}

static void zero_run(void *unused)
{
	(void)unused;
	begin(map_pages(N));
	read_pages();
	write_pages();
}

static void zero_judge(const struct trace *t)
{
	ALL(t, "zero", "the zero page is copied because zero", COPY, ZERO, ZERO, USER);
	check(pfns_agree(t), "zero-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

static char *map_file(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *mem;

	need(fd >= 0 && !ftruncate(fd, N * PAGE), "%s: %s", path, strerror(errno));
	fsync(fd);
	mem = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
	need(mem != MAP_FAILED, "mapping %s: %s", path, strerror(errno));
	close(fd);
	return mem;
}

static void private_run(void *unused)
{
	(void)unused;
	begin(map_file("/tmp/truth", MAP_PRIVATE));
	read_pages();
	write_pages();
}

static void private_judge(const struct trace *t)
{
	ALL(t, "file", "a private mapping of a file is copied because file", COPY, FILE, FILE, USER);
	check(pfns_agree(t), "file-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

static void mkwrite_run(void *unused)
{
	struct statfs f;

	(void)unused;
	if (statfs("/mnt", &f) || f.f_type != 0xef53) {
		strcpy(sh->why_not, "no ext4 on /mnt");
		return;
	}
	begin(map_file("/mnt/truth", MAP_SHARED));
	read_pages();
	write_pages();
}

static void mkwrite_judge(const struct trace *t)
{
	ALL(t, "mkwrite", "a shared mapping of a file on ext4 is made writable", MKWRITE, NONE, FILE,
	    USER);
}

/* --- KSM ----------------------------------------------------------------- */

static void ksm_run(void *unused)
{
	char *mem = map_pages(N);

	(void)unused;
	memset(mem, 0xa5, N * PAGE);
	if (!ksm_merge(mem, N)) {
		strcpy(sh->why_not, "this kernel has no KSM");
		return;
	}
	begin(mem);
	sh->count[0] = value_in("/proc/vmstat", "cow_ksm");
	write_pages();
	sh->count[1] = value_in("/proc/vmstat", "cow_ksm");
}

static void ksm_judge(const struct trace *t)
{
	ALL(t, "ksm", "pages merged by KSM are copied because ksm", COPY, KSM, KSM, USER);
	check(pfns_agree(t) && sh->pfn[0] == sh->pfn[1], "ksm-pfn",
	      "their pfn is the one of pagemap, the same for all", "%s", record_text(only(t, 0)));
	if ((int)sh->count[0] >= 0)
		check(sh->count[1] - sh->count[0] == N, "ksm-vmstat",
		      "cow_ksm grows by as many", "%u", sh->count[1] - sh->count[0]);
	else
		skip("ksm-vmstat", "no cow_ksm in /proc/vmstat of this kernel");
}

/* --- swap ---------------------------------------------------------------- */

/* For as long as it takes, where there is somewhere to swap to. */
static bool page_out(char *mem)
{
	int i;

	if (!file_has("/proc/swaps", "/dev/")) {
		strcpy(sh->why_not, "no swap disk");
		return false;
	}
	for (;;) {
		madvise(mem, N * PAGE, MADV_PAGEOUT);
		for (i = 0; i < N && in_swap(mem + i * PAGE); i++)
			;
		if (i == N && !value_in("/proc/vmstat", "nr_writeback"))
			break;
		sleep_ms(10);
	}
	/* Written pages leave the swap cache at the next reclaim. */
	file_write("/proc/sys/vm/drop_caches", "3");
	return true;
}

static void swap_run(void *unused)
{
	char *mem = map_pages(N);

	(void)unused;
	touch(mem, N);
	lru_drain();
	begin(mem);
	if (!page_out(mem))
		return;
	read_pages();
	write_pages();
}

/* Until 6.1 a page that was read back from swap stays read-only. */
static void swap_judge(const struct trace *t)
{
	int i, faults = 0;

	for (i = 0; i < N; i++)
		faults += records_of(t, sh->tgid, sh->page[i]);
	if (!(traits & COWTRACE_TRAIT_RET_WRITE))
		check(!faults && sh->ready, "swap", "swapped in, read, written: no write-protect fault",
		      "%d faults, the first %s", faults, record_text(only(t, 0)));
	else if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "swap", "swapped in, read, written: reused, exclusive", REUSE, EXCLUSIVE,
		    ANON, USER);
	else
		ALL(t, "swap", "swapped in, read, written: copied because swapcache", COPY,
		    SWAPCACHE, ANON, USER);
}

/* Fork shares the slots of pages that are swapped out; the child has ended. */
static void swap_shared_run(void *unused)
{
	char *mem = map_pages(N);
	struct turn end;
	int i;

	(void)unused;
	touch(mem, N);
	lru_drain();
	begin(mem);
	if (!page_out(mem))
		return;
	turn_init(&end);
	turn_give(&end);
	child_wait(child(sleeper, &end));
	read_pages();
	lru_drain();
	for (i = 0; i < N; i++)
		sh->count[i] = kpage("/proc/kpageflags", pfn_of(sh->page[i])) >> 13 & 1;
	write_pages();
}

static void swap_shared_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);
	int i, cached = 0;

	for (i = 0; i < N; i++)
		cached += sh->count[i];
	check(cached == N, "swap-cached", "read back, the kernel has them in the swap cache",
	      "%d of %d", cached, N);
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "swap-freed", "shared, swapped, alone again: reused, swapcache-freed", REUSE,
		    SWAPCACHE_FREED, ANON, USER);
	else
		ALL(t, "swap-freed", "shared, swapped, alone again: copied because swapcache", COPY,
		    SWAPCACHE, ANON, USER);
	check(r && (r->state & COWTRACE_PG_SWAPCACHE), "swap-state",
	      "the state says that the swap cache holds the page", "%s", record_text(r));
}

/* The other process still has the slot: a write swaps in and copies at once. */
static void swap_write_run(void *unused)
{
	char *mem = map_pages(N);
	struct turn end;
	pid_t pid;

	(void)unused;
	touch(mem, N);
	lru_drain();
	begin(mem);
	if (!page_out(mem))
		return;
	turn_init(&end);
	pid = child(sleeper, &end);
	touch(mem, N);
	sh->ready = true;
	turn_give(&end);
	child_wait(pid);
}

static void swap_write_judge(const struct trace *t)
{
	ALL(t, "swapin", "a write that swaps in a shared page: origin swapin, copied because swapcache",
	    COPY, SWAPCACHE, ANON, SWAPIN);
}

/* --- other references and other origins ---------------------------------- */

static void vmsplice_run(void *unused)
{
	char *mem = map_pages(N);
	struct iovec v = { mem, N * PAGE };
	int fds[2];

	(void)unused;
	touch(mem, N);
	lru_drain();
	need(!pipe(fds), "pipe");
	need(vmsplice(fds[1], &v, 1, 0) == N * PAGE, "vmsplice: %s", strerror(errno));
	/* Fork takes away the mark that this process owns the pages alone. */
	alone_run(NULL);
	begin(mem);
	write_pages();
}

static void vmsplice_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	ALL(t, "vmsplice", "a plain reference of a pipe makes the kernel copy: unattributed", COPY,
	    UNATTRIBUTED, ANON, USER);
	check(r && r->refcount == 2 && r->mapcount == 1, "vmsplice-refs",
	      "one mapping and one reference more", "%s", record_text(r));
}

static void mprotect_run(void *unused)
{
	char *mem = map_pages(N);

	(void)unused;
	touch(mem, N);
	lru_drain();
	begin(mem);
	mprotect(mem, N * PAGE, PROT_READ);
	mprotect(mem, N * PAGE, PROT_READ | PROT_WRITE);
	if (file_write("/proc/self/clear_refs", "4"))
		strcpy(sh->why_not, "no soft-dirty bits");
	touch(mem, N);
	sh->count[0] = pagemap(mem) >> 55 & 1;
	sh->ready = true;
	if (!sh->count[0])
		strcpy(sh->why_not, "this kernel has no soft-dirty bits");
}

static void mprotect_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "soft-dirty", "write-protected for soft-dirty tracking: reused, exclusive",
		    REUSE, EXCLUSIVE, ANON, USER);
	else
		ALL(t, "soft-dirty", "write-protected for soft-dirty tracking: reused, sole-ref",
		    REUSE, SOLE_REF, ANON, USER);
	check(r && !(r->state & COWTRACE_PTE_SOFT_DIRTY), "soft-dirty-state",
	      "the PTE's soft-dirty bit was clear at entry", "%s", record_text(r));
}

static void traced(void *unused)
{
	(void)unused;
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
}

static void ptrace_run(void *unused)
{
	char *mem = map_pages(N);
	int i, status;
	pid_t pid;

	(void)unused;
	touch(mem, N);
	pid = child(traced, NULL);
	waitpid(pid, &status, 0);
	begin(mem);
	for (i = 0; i < N; i++)
		need(!ptrace(PTRACE_POKEDATA, pid, mem + i * PAGE, 5l), "POKEDATA: %s",
		     strerror(errno));
	sh->ready = true;
	ptrace(PTRACE_CONT, pid, 0, 0);
	child_wait(pid);
}

static void ptrace_judge(const struct trace *t)
{
	ALL(t, "ptrace", "POKEDATA into a shared page: origin remote, copied, the tracer's fault",
	    COPY, MAPPED, ANON, REMOTE);
}

static void kernel_run(void *unused)
{
	char *mem = map_pages(N);
	struct turn end;
	int fds[2], i;
	pid_t pid;

	(void)unused;
	touch(mem, N);
	turn_init(&end);
	pid = child(sleeper, &end);
	need(!pipe(fds), "pipe");
	begin(mem);
	for (i = 0; i < N; i++)
		need(write(fds[1], "x", 1) == 1 && read(fds[0], mem + i * PAGE, 1) == 1, "pipe");
	sh->ready = true;
	turn_give(&end);
	child_wait(pid);
}

static void kernel_judge(const struct trace *t)
{
	ALL(t, "kernel", "read() into a shared page: origin kernel, copied because mapped", COPY,
	    MAPPED, ANON, KERNEL);
}

static void unshare_run(void *unused)
{
	static char buf[N * PAGE];
	char *mem = map_pages(N);
	struct iovec to = { buf, sizeof(buf) }, from = { mem, sizeof(buf) };
	struct turn end;
	pid_t pid;

	(void)unused;
	touch(mem, N);
	turn_init(&end);
	pid = child(sleeper, &end);
	begin(mem);
	note_before();
	need(process_vm_readv(getpid(), &to, 1, &from, 1, 0) == sizeof(buf), "process_vm_readv: %s",
	     strerror(errno));
	note_after();
	turn_give(&end);
	child_wait(pid);
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE))
		strcpy(sh->why_not, "this kernel does not unshare");
}

static void unshare_judge(const struct trace *t)
{
	ALL(t, "unshare", "a read-only pin of a shared page: unshared, a copy because mapped",
	    UNSHARE, MAPPED, ANON, UNSHARE);
	check(pfns_agree(t), "unshare-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

static const struct pattern patterns[] = {
	{ "mapped", three_run, three_judge },
	{ "alone", alone_run, alone_judge },
	{ "zero", zero_run, zero_judge },
	{ "file", private_run, private_judge },
	{ "mkwrite", mkwrite_run, mkwrite_judge },
	{ "ksm", ksm_run, ksm_judge },
	{ "swap", swap_run, swap_judge },
	{ "swap-freed", swap_shared_run, swap_shared_judge },
	{ "swapin", swap_write_run, swap_write_judge },
	{ "vmsplice", vmsplice_run, vmsplice_judge },
	{ "soft-dirty", mprotect_run, mprotect_judge },
	{ "ptrace", ptrace_run, ptrace_judge },
	{ "kernel", kernel_run, kernel_judge },
	{ "unshare", unshare_run, unshare_judge },
};

static unsigned int read_traits(void)
{
	static char schema[1 << 16];
	char *line;

	need(cow_read("schema", schema, sizeof(schema)) > 0, "no schema");
	line = strstr(schema, "\ntraits ");
	need(line, "no traits in the schema");
	return strtoul(line + 8, NULL, 0);
}

void run_truth(void)
{
	struct trace t;
	size_t i;

	module_start(1024);
	traits = read_traits();
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		memset(sh, 0, sizeof(*sh));
		enable();
		child_wait(child(patterns[i].run, NULL));
		disable();
		trace_read(&t);
		if (*sh->why_not)
			skip(patterns[i].name, sh->why_not);
		else if (!sh->ready)
			check(false, patterns[i].name, "the pattern can be set up", "it ended early");
		else
			patterns[i].judge(&t);
		trace_free(&t);
		cow_write("reset", "1");
	}
}
