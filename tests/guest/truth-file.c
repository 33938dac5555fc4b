// SPDX-License-Identifier: GPL-2.0
/* Files and devices, and what their drivers answer when a page is to be written. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "truth.h"

/* VM_FAULT_RETRY: the fault is asked for again without the VMA lock. */
#define RET_RETRY	0x400

/* --- private mappings ----------------------------------------------------- */

static void private_run(void *unused)
{
	(void)unused;
	begin(map_file("/tmp/truth", MAP_PRIVATE));
	read_pages();
	write_pages();
}

static void private_judge(const struct trace *t)
{
	ALL(t, "file", "a private mapping of a file is copied because file", COPY, FILE, FILE,
	    USER);
	check(pfns_agree(t), "file-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

static void special_run(void *unused)
{
	char *mem = hold_map(hold_open(), MAP_PRIVATE, HOLD_MAP_PFN);

	(void)unused;
	begin(mem);
	touch(mem, 1);
	sh->ready = true;
}

static void special_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	THAT(r, "special", "a private mapping of a page frame is copied because special", COPY,
	     SPECIAL, SPECIAL, USER);
	check(r && !(r->present & COWTRACE_HAS_PAGE) && (r->state & COWTRACE_PTE_SPECIAL),
	      "special-state", "its PTE is special, and nothing is said of a struct page", "%s",
	      record_text(r));
}

/* --- shared mappings ------------------------------------------------------ */

static void mkwrite_run(void *unused)
{
	(void)unused;
	if (!given(ext4_on_mnt(), "no ext4 on /mnt"))
		return;
	begin(map_file("/mnt/truth", MAP_SHARED));
	read_pages();
	write_pages();
}

static void mkwrite_judge(const struct trace *t)
{
	ALL(t, "mkwrite", "a shared mapping of a file on ext4 is made writable", MKWRITE, NONE,
	    FILE, USER);
}

static sigjmp_buf resume;

static void on_sigbus(int signal)
{
	(void)signal;
	siglongjmp(resume, 1);
}

/* Return: false when the write ended in SIGBUS. */
static bool write_one(char *at)
{
	signal(SIGBUS, on_sigbus);
	if (sigsetjmp(resume, 1))
		return false;
	poke(at, 1);
	return true;
}

/* Leave no block free. Pieces get smaller until not even one page fits. */
static void fill_disk(void)
{
	int fd = open("/mnt/fill", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	off_t end = 0, size;

	need(fd >= 0, "/mnt/fill: %s", strerror(errno));
	for (size = 32 << 20; size >= 1024; size /= 2)
		while (!fallocate(fd, 0, end, size))
			end += size;
	need(errno == ENOSPC, "filling /mnt: %s", strerror(errno));
	close(fd);
}

/* The page is a hole: to write it, ext4 has to find a block. */
static void full_run(void *unused)
{
	char *mem;

	(void)unused;
	if (!given(ext4_on_mnt(), "no ext4 on /mnt"))
		return;
	mem = map_file("/mnt/hole", MAP_SHARED);
	begin(mem);
	read_pages();
	fill_disk();
	sh->ready = !write_one(mem);
	unlink("/mnt/fill");
	unlink("/mnt/hole");
}

static void full_judge(const struct trace *t)
{
	THAT(only(t, 0), "full", "a page that the full disk has no block for: error", ERROR, NONE,
	     FILE, USER);
}

/* --- what a driver answers ------------------------------------------------ */

static char *device_page(enum hold_answer answer)
{
	int fd = hold_open();
	char *mem = hold_map(fd, MAP_SHARED, HOLD_MAP_PAGE);

	begin(mem);
	read_one(mem);
	hold_answer(fd, answer);
	return mem;
}

static void allow_run(void *unused)
{
	(void)unused;
	sh->ready = write_one(device_page(HOLD_ALLOW));
}

/* Only pgreuse tells this from a page that was made writable: see COWTRACE_EV_COUNTED. */
static void truncated_run(void *unused)
{
	struct sched_param first = { .sched_priority = 1 };
	char *mem = device_page(HOLD_TRUNCATED);

	(void)unused;
	need(!sched_setscheduler(0, SCHED_FIFO, &first), "SCHED_FIFO: %s", strerror(errno));
	sh->ready = write_one(mem);
}

static void nopage_run(void *unused)
{
	(void)unused;
	sh->ready = write_one(device_page(HOLD_NOPAGE));
}

static void sigbus_run(void *unused)
{
	(void)unused;
	sh->ready = !write_one(device_page(HOLD_SIGBUS));
}

static void poison_run(void *unused)
{
	(void)unused;
	sh->ready = !write_one(device_page(HOLD_POISON));
}

/* A frame that is written at once would be mapped writable: take that away. */
static void pfn_run(void *unused)
{
	char *mem = hold_map(hold_open(), MAP_SHARED, HOLD_MAP_PFN);

	(void)unused;
	mprotect(mem, PAGE, PROT_READ);
	mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
	begin(mem);
	sh->ready = write_one(mem);
}

/*
 * From 6.4 on a fault comes with the VMA lock alone, under which a driver may
 * not be called: vmf_can_call_fault() asks for the fault again. What the driver
 * answered is in the others.
 */
static const struct cowtrace_record *answered(const struct trace *t, int n)
{
	const struct cowtrace_record *r;
	int i;

	for (i = 0; (r = nth(t, 0, i)); i++)
		if (!(r->ret & RET_RETRY) && !n--)
			break;
	return r;
}

static void allow_judge(const struct trace *t)
{
	const struct cowtrace_record *first = nth(t, 0, 0);

	THAT(answered(t, 0), "device", "a page of a driver is made writable", MKWRITE, NONE, FILE,
	     USER);
	check(!answered(t, 1), "device-once", "and the driver is asked once", "%s",
	      record_text(answered(t, 1)));
	if (traits & COWTRACE_TRAIT_SHARED_FIRST)
		THAT(first, "vma-lock", "under the VMA lock the fault is asked for again: retry",
		     RETRY, NONE, FILE, USER);
	else
		check(first == answered(t, 0), "vma-lock", "a kernel without VMA locks asks once",
		      "%s", record_text(first));
}

static void truncated_judge(const struct trace *t)
{
	THAT(answered(t, 0), "truncated", "a page that was truncated meanwhile: noop", NOOP, NONE,
	     FILE, USER);
	THAT(answered(t, 1), "truncated-then", "the access is tried again: mkwrite", MKWRITE, NONE,
	     FILE, USER);
}

static void nopage_judge(const struct trace *t)
{
	THAT(answered(t, 0), "nopage", "a driver that says NOPAGE asks again: retry", RETRY, NONE,
	     FILE, USER);
	THAT(answered(t, 1), "nopage-then", "the access is tried again: mkwrite", MKWRITE, NONE,
	     FILE, USER);
}

static void sigbus_judge(const struct trace *t)
{
	THAT(answered(t, 0), "sigbus", "a driver that says SIGBUS: error", ERROR, NONE, FILE, USER);
}

static void poison_judge(const struct trace *t)
{
	THAT(answered(t, 0), "poison", "a driver that says HWPOISON: poison", POISON, NONE, FILE,
	     USER);
}

static void pfn_judge(const struct trace *t)
{
	THAT(answered(t, 0), "pfn", "a shared page frame is made writable", MKWRITE, NONE, SPECIAL,
	     USER);
}

static const struct pattern patterns[] = {
	{ "file", private_run, private_judge },
	{ "special", special_run, special_judge },
	{ "mkwrite", mkwrite_run, mkwrite_judge },
	{ "full", full_run, full_judge },
	{ "device", allow_run, allow_judge },
	{ "truncated", truncated_run, truncated_judge },
	{ "nopage", nopage_run, nopage_judge },
	{ "sigbus", sigbus_run, sigbus_judge },
	{ "poison", poison_run, poison_judge },
	{ "pfn", pfn_run, pfn_judge },
};

void run_truth_file(void)
{
	hold_load();
	truth_run(patterns, ARRAY_SIZE(patterns));
}
