// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "truth.h"

struct shared *sh;
uint32_t traits;

bool given(bool good, const char *why_not)
{
	if (!good)
		snprintf(sh->why_not, sizeof(sh->why_not), "%s", why_not);
	return good;
}

void begin(char *mem)
{
	int i;

	sh->tgid = getpid();
	sh->tid = syscall(SYS_gettid);
	for (i = 0; i < N; i++)
		sh->page[i] = mem + i * PAGE;
}

char *fresh_pages(void)
{
	char *mem = map_pages(N);

	touch(mem, N);
	lru_drain();
	need(page_flag(mem, KPF_LRU) && page_flag(mem + (N - 1) * PAGE, KPF_LRU),
	     "the pages are on no LRU list");
	begin(mem);
	return mem;
}

char *pages_in_swap_cache(void)
{
	char *mem = fresh_pages();

	if (!page_out(mem))
		return NULL;
	fork_and_forget();
	read_pages();
	lru_drain();
	return mem;
}

char *pages_of_ksm(void)
{
	char *mem = map_pages(N);

	memset(mem, 0xa5, N * PAGE);
	if (!given(ksm_merge(mem, N), "this kernel has no KSM"))
		return NULL;
	begin(mem);
	return mem;
}

void note_before(void)
{
	int i;

	for (i = 0; i < N; i++) {
		sh->pfn[i] = pfn_of(sh->page[i]);
		sh->mapcount[i] = kpage("/proc/kpagecount", sh->pfn[i]);
	}
	sh->before_ns = now_ns();
}

void note_after(void)
{
	int i;

	sh->after_ns = now_ns();
	for (i = 0; i < N; i++)
		sh->new_pfn[i] = pfn_of(sh->page[i]);
	sh->ready = true;
}

void write_pages(void)
{
	note_before();
	touch(sh->page[0], N);
	note_after();
}

void *write_first(void *mem)
{
	sh->tid = syscall(SYS_gettid);
	touch(mem, 1);
	return NULL;
}

void read_one(const char *at)
{
	*(const volatile char *)at;
}

void read_pages(void)
{
	int i;

	for (i = 0; i < N; i++)
		read_one(sh->page[i]);
}

char *map_file(const char *path, int flags)
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

bool page_out(char *mem)
{
	int i;

	if (!given(file_has("/proc/swaps", "/dev/"), "no swap disk"))
		return false;
	for (;;) {
		madvise(mem, N * PAGE, MADV_PAGEOUT);
		for (i = 0; i < N && in_swap(mem + i * PAGE); i++)
			;
		/* Each CPU keeps a part of the count for itself until it is told not to. */
		file_write("/proc/sys/vm/stat_refresh", "1");
		if (i == N && !value_in("/proc/vmstat", "nr_writeback"))
			break;
		sleep_ms(10);
	}
	/* Written pages leave the swap cache at the next reclaim. */
	file_write("/proc/sys/vm/drop_caches", "3");
	return true;
}

static bool soft_dirty(const char *at)
{
	return pagemap(at) >> 55 & 1;
}

void track_writes(const char *mem)
{
	bool was = soft_dirty(mem);

	given(was && !file_write("/proc/self/clear_refs", "4") && !soft_dirty(mem),
	      "this kernel has no soft-dirty bits");
}

void hold_pages(int hold, enum hold_kind kind, int n, uint32_t arg)
{
	int i;

	for (i = 0; i < n; i++)
		hold_take(hold, kind, sh->page[i], arg);
}

void pipe_pages(char *mem, size_t pages)
{
	struct iovec v = { mem, pages * PAGE };
	int fds[2];

	need(!pipe(fds) && vmsplice(fds[1], &v, 1, 0) == (ssize_t)v.iov_len, "vmsplice: %s",
	     strerror(errno));
}

void uring_pages(char *mem, size_t pages)
{
	struct iovec v = { mem, pages * PAGE };
	struct io_uring_params params = { 0 };
	int fd = syscall(SYS_io_uring_setup, 4, &params);

	need(fd >= 0, "io_uring_setup: %s", strerror(errno));
	need(!syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &v, 1),
	     "IORING_REGISTER_BUFFERS: %s", strerror(errno));
}

void group_set(const char *group, const char *file, const char *value)
{
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	err = file_write(path, value);
	need(!err, "writing %s to %s: %s", value, path, strerror(-err));
}

const struct cowtrace_record *only(const struct trace *t, int i)
{
	return record_of(t, sh->tgid, sh->page[i]);
}

/* Each CPU's records are in order, and a process that moves on has ended the one before. */
const struct cowtrace_record *nth(const struct trace *t, int i, unsigned int nth)
{
	const struct cowtrace_record *next = NULL;
	uint64_t after = 0;
	size_t k;

	do {
		for (next = NULL, k = 0; k < t->n; k++) {
			const struct cowtrace_record *r = &t->r[k];

			if (r->tgid == sh->tgid &&
			    !((r->address ^ (uintptr_t)sh->page[i]) & -PAGE) &&
			    fault_end(r) > after &&
			    (!next || fault_end(r) < fault_end(next)))
				next = r;
		}
		after = next ? fault_end(next) : after;
	} while (next && nth--);
	return next;
}

size_t records(const struct trace *t)
{
	size_t n = 0;
	int i;

	for (i = 0; i < N; i++)
		n += records_of(t, sh->tgid, sh->page[i]);
	return n;
}

bool is(const struct cowtrace_record *r, int outcome, int reason, int kind, int origin)
{
	return r && r->outcome == outcome && r->reason == reason && r->kind == kind &&
	       r->origin == origin;
}

int bad_page(const struct trace *t, int n, int outcome, int reason, int kind, int origin)
{
	int i;

	for (i = 0; i < n; i++)
		if (!is(only(t, i), outcome, reason, kind, origin))
			break;
	return i;
}

bool pfn_agrees(const struct cowtrace_record *r, int i)
{
	return r && sh->pfn[i] && r->pfn == sh->pfn[i] && r->new_pfn == sh->new_pfn[i] &&
	       (r->present & COWTRACE_HAS_NEW_PFN);
}

bool pfns_agree(const struct trace *t)
{
	int i;

	for (i = 0; i < N && pfn_agrees(only(t, i), i); i++)
		;
	return i == N;
}

void truth_run(const struct pattern *patterns, size_t nr)
{
	struct trace t;
	size_t i;

	module_start(1024);
	traits = kernel_traits();
	sh = map_shared(sizeof(*sh));
	for (i = 0; i < nr; i++) {
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

#define THP	"/sys/kernel/mm/transparent_hugepage/enabled"

void truth_run_thp(const char *thp, const struct pattern *patterns, size_t nr)
{
	char was[64] = "", *word, *end;

	need(file_read(THP, was, sizeof(was)) > 0, "no " THP);
	word = strchr(was, '[');
	end = word ? strchr(word, ']') : NULL;
	need(end, THP " says %s", was);
	*end = '\0';
	need(!file_write(THP, thp), "writing %s to " THP, thp);
	truth_run(patterns, nr);
	file_write(THP, word + 1);
}
