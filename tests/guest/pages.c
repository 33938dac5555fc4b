// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "files.h"
#include "pages.h"
#include "process.h"
#include "report.h"

char *map_pages(size_t pages)
{
	char *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	need(mem != MAP_FAILED, "mapping %zu pages: %s", pages, strerror(errno));
	madvise(mem, pages * PAGE, MADV_NOHUGEPAGE);
	return mem;
}

void *map_none(void)
{
	void *mem = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(mem != MAP_FAILED, "mapping a page: %s", strerror(errno));
	return mem;
}

void *map_shared(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(mem != MAP_FAILED, "mapping %zu bytes: %s", size, strerror(errno));
	return mem;
}

void touch(char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		poke(mem + i * PAGE, 1);
}

/* The one instruction of the program that writes to measured pages. */
asm(".text\n"
	".globl poke\n"
	".type poke, @function\n"
	"poke:\n"
	"	movb %sil, (%rdi)\n"
	"	ret\n"
	".size poke, . - poke\n");

static uint64_t word_at(const char *path, uint64_t nr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	need(fd >= 0, "%s: %s", path, strerror(errno));
	need(pread(fd, &value, sizeof(value), nr * sizeof(value)) == sizeof(value),
	     "reading %s: %s", path, strerror(errno));
	close(fd);
	return value;
}

uint64_t pagemap(const void *at)
{
	return word_at("/proc/self/pagemap", (uintptr_t)at / PAGE);
}

uint64_t pfn_of(const void *at)
{
	uint64_t entry = pagemap(at);

	return entry >> 63 ? entry & ((1ull << 55) - 1) : 0;
}

uint64_t kpage(const char *file, uint64_t pfn)
{
	return word_at(file, pfn);
}

bool page_flag(const void *at, int bit)
{
	return kpage("/proc/kpageflags", pfn_of(at)) >> bit & 1;
}

bool in_swap(const void *at)
{
	return pagemap(at) >> 62 & 1;
}

void lru_drain(void)
{
	int nodes = 0;

	/* Before it moves any page, here none, move_pages() drains all CPUs. */
	need(!syscall(SYS_move_pages, 0, 0, NULL, &nodes, NULL, 0), "move_pages: %s",
	     strerror(errno));
}

void pin_pages(char *mem, size_t pages, char *to)
{
	struct iovec here = { to, pages * PAGE }, there = { mem, pages * PAGE };

	need(process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)here.iov_len,
	     "process_vm_readv: %s", strerror(errno));
}

#define KSM	"/sys/kernel/mm/ksm/"
/*
 * The first scan takes checksums, the second merges; a page that is locked or
 * has a reference more has to wait for another, and smart_scan passes up to
 * eight scans over a page that was not merged before.
 */
#define SCANS	100

/* How many pages, from the first on, are the same page. */
static size_t same_frame(const char *mem, size_t pages)
{
	uint64_t first = pfn_of(mem);
	size_t n;

	/* KPF_KSM of /proc/kpageflags will not do: 6.12 sets it on every anonymous page. */
	for (n = 0; n < pages && first && pfn_of(mem + n * PAGE) == first; n++)
		;
	return n;
}

static long long ksm_scans(void)
{
	char value[32] = "";

	need(file_read(KSM "full_scans", value, sizeof(value)) > 0, "no " KSM "full_scans");
	return strtoll(value, NULL, 10);
}

bool ksm_merge(char *mem, size_t pages)
{
	long long scans, first;
	size_t merged;

	if (access(KSM "run", F_OK))
		return false;
	need(!madvise(mem, pages * PAGE, MADV_MERGEABLE), "MADV_MERGEABLE: %s", strerror(errno));
	need(!file_write(KSM "sleep_millisecs", "1") && !file_write(KSM "run", "1"),
	     "KSM cannot be started");
	first = ksm_scans();
	do {
		sleep_ms(1);
		/* Before the pages: what these scans have done can be seen below. */
		scans = ksm_scans() - first;
		merged = same_frame(mem, pages);
	} while (merged < pages && scans < SCANS);
	/* Comes back when ksmd is at rest. */
	need(!file_write(KSM "run", "0"), "KSM cannot be stopped");
	need(merged == pages, "KSM did not merge: %zu of %zu pages are one after %lld scans",
	     merged, pages, scans);
	return true;
}
