// SPDX-License-Identifier: GPL-2.0
/*
 * Actors that take memory away under the writers of it: huge pages that are split,
 * mappings that move and go, userfaultfd, ptrace, exec and OOM kills.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"
#include "uffd.h"

#define SPLIT	"/sys/kernel/debug/split_huge_pages"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

static void written(struct life *l)
{
	life_write(l, 60);
}

static pthread_t writer(struct life *l, void *(*fn)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, l))
		_exit(3);
	return thread;
}

/* --- huge pages ------------------------------------------------------------- */

#define HUGE	(512 * PAGE)

static void prepare_huge(struct life *l)
{
	char *mem = map_pages(3 * 512);

	munmap(l->mem, l->pages * PAGE);
	l->mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	l->pages = 2 * 512;
	madvise(l->mem, l->pages * PAGE, MADV_HUGEPAGE);
}

static void huge_child(struct life *l)
{
	life_write(l, 10);
	madvise(l->mem + life_below(l, l->pages - 64) * PAGE, 64 * PAGE, MADV_DONTNEED);
	life_write(l, 10);
}

/*
 * By order of root, of this process' alone. "1" is for all pages there are, as 5.10 has it:
 * it takes hold of pages while their memory goes offline, of which CONFIG_DEBUG_VM has
 * overwritten the counts by then (VM_BUG_ON_PAGE() in folio_put(), seen on 6.12).
 */
static void split_by_order(struct life *l)
{
	unsigned long begin = (unsigned long)l->mem;
	char range[64];

	snprintf(range, sizeof(range), "%d,%#lx,%#lx", getpid(), begin, begin + l->pages * PAGE);
	if (file_write(SPLIT, range) == -EINVAL)
		file_write(SPLIT, "1");
}

/* Split by a hole, by a protection, on the way to swap and by order of root. */
static void huge_step(struct life *l)
{
	char *part = l->mem + life_below(l, l->pages - 64) * PAGE;
	pid_t pid = life_fork(l, huge_child);

	switch (life_below(l, 16)) {
	case 0:
		split_by_order(l);
		break;
	case 1 ... 5:
		madvise(part, 64 * PAGE, MADV_DONTNEED);
		break;
	case 6 ... 10:
		mprotect(part, 64 * PAGE, PROT_READ);
		mprotect(part, 64 * PAGE, PROT_READ | PROT_WRITE);
		break;
	case 11:
		madvise(part, 64 * PAGE, MADV_PAGEOUT);
		break;
	}
	life_write(l, 20);
	life_reap(pid);
	life_write(l, 20);
	/* Whole again. */
	if (!life_below(l, 4))
		madvise(l->mem, l->pages * PAGE, MADV_DONTNEED);
}

/* --- mappings that move and go ---------------------------------------------- */

/* The old place of its own, so that nothing else comes there. */
static void move_step(struct life *l)
{
	int keep = life_below(l, 2) ? MREMAP_DONTUNMAP : 0;
	size_t size = l->pages * PAGE;
	char *to = map_pages(l->pages), *from = l->mem;
	pid_t pid = life_fork(l, written);

	if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | keep, to) != to)
		_exit(5);
	if (keep)
		munmap(from, size);
	l->mem = to;
	life_write(l, 60);
	/* Shorter and, elsewhere, as long as before. */
	if (mremap(l->mem, size, size / 2, 0) != l->mem)
		_exit(6);
	l->mem = mremap(l->mem, size / 2, size, MREMAP_MAYMOVE);
	if (l->mem == MAP_FAILED)
		_exit(7);
	life_write(l, 60);
	life_reap(pid);
}

/* The kernel gets EFAULT where a program would get a signal. */
static void *kernel_writes(void *arg)
{
	struct life l = *(struct life *)arg;
	char byte = 1;
	struct iovec here = { &byte, 1 }, there = { NULL, 1 };
	int i;

	for (i = 0; i < 200; i++) {
		there.iov_base = l.mem + life_below(&l, l.pages) * PAGE;
		process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	}
	return NULL;
}

static void unmapping(struct life *l)
{
	pthread_t thread = writer(l, kernel_writes);
	int i;

	for (i = 0; i < 20; i++) {
		unsigned int first = life_below(l, l->pages);
		unsigned int n = 1 + life_below(l, l->pages - first);
		char *part = l->mem + first * PAGE;

		if (life_below(l, 2))
			madvise(part, n * PAGE, MADV_DONTNEED);
		else if (munmap(part, n * PAGE) ||
			 mmap(part, n * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != part)
			_exit(4);
	}
	pthread_join(thread, NULL);
}

static void unmap_step(struct life *l)
{
	pid_t pid = life_fork(l, unmapping);

	life_write(l, 60);
	life_reap(pid);
	life_write(l, 60);
}

/* --- who waits, who is watched, who becomes another --------------------------- */

static int uffd;
/* Writers that are through. */
static unsigned int through;

static void *write_through(void *arg)
{
	life_touch(arg);
	__sync_fetch_and_add(&through, 1);
	return NULL;
}

static void prepare_uffd(struct life *l)
{
	uffd = uffd_open(0);
	need(uffd >= 0, "no userfaultfd write protection");
	uffd_register(uffd, l->mem, l->pages);
}

/* Writers that sleep in the fault until they are let go, or nobody is left to do it. */
static void uffd_step(struct life *l)
{
	pid_t pid = life_below(l, 2) ? life_fork(l, written) : -1;
	unsigned int i, part = l->pages / 4;
	pthread_t threads[2];
	bool closed;

	uffd_protect(uffd, l->mem, l->pages, true);
	through = 0;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = writer(l, write_through);
	sleep_ms(life_below(l, 10));
	closed = !life_below(l, 4);
	if (closed) {
		/* The child has it open, too. */
		life_reap(pid);
		pid = -1;
		close(uffd);
	} else {
		for (i = 0; i < 4; i++)
			uffd_protect(uffd, l->mem + i * part * PAGE, part, false);
		/* One whose page is let go just before may go to sleep nevertheless: again. */
		while (__sync_fetch_and_add(&through, 0) < ARRAY_SIZE(threads)) {
			sleep_ms(1);
			uffd_protect(uffd, l->mem, l->pages, false);
		}
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	/* Not before: pages are protected still, and a new one would stop the writers. */
	if (closed)
		prepare_uffd(l);
	life_reap(pid);
}

static void traced(struct life *l)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(3);
	mprotect(l->mem, l->pages * PAGE, PROT_READ | PROT_WRITE);
	life_write(l, 60);
}

/* A debugger writes into its child, where that may not write as well. */
static void ptrace_step(struct life *l)
{
	bool readonly = life_below(l, 2);
	int i, status;
	pid_t pid;

	if (readonly)
		mprotect(l->mem, l->pages * PAGE, PROT_READ);
	pid = life_fork(l, traced);
	if (readonly)
		mprotect(l->mem, l->pages * PAGE, PROT_READ | PROT_WRITE);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		_exit(4);
	for (i = 0; i < 16; i++)
		if (ptrace(PTRACE_POKEDATA, pid, l->mem + life_below(l, l->pages) * PAGE, i))
			_exit(5);
	life_write(l, 60);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL))
		_exit(6);
	life_reap(pid);
	life_write(l, 60);
}

static void *write_on(void *arg)
{
	while (!life_touch(arg))
		;
	return NULL;
}

static void becomes_another(struct life *l)
{
	writer(l, write_on);
	life_write(l, 60);
	execl("/usr/bin/busybox", "true", NULL);
	_exit(4);
}

/* A thread is at its copies when exec takes the memory away. */
static void exec_step(struct life *l)
{
	pid_t pid = life_fork(l, becomes_another);

	life_write(l, 60);
	life_reap(pid);
}

/* --- OOM kills ---------------------------------------------------------------- */

#define GROUP		"/sys/fs/cgroup/storm"
#define GROUP_PAGES	4096

static void prepare_oom(struct life *l)
{
	(void)l;
	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	need(!mkdir(GROUP, 0700) || errno == EEXIST, GROUP ": %s", strerror(errno));
	need(!file_write(GROUP "/memory.max", "16777216"), "no memory.max");
	/* Absent where swap is not accounted: then the disk fills up first. */
	file_write(GROUP "/memory.swap.max", "0");
}

/* Copies of what it shares with its parent, then more than its group may have. */
static void too_much(struct life *l)
{
	if (file_write(GROUP "/cgroup.procs", "0"))
		_exit(3);
	life_write(l, 60);
	touch(map_pages(4 * GROUP_PAGES), 4 * GROUP_PAGES);
}

static void oom_step(struct life *l)
{
	pid_t pid = life_fork(l, too_much);
	int status;

	life_write(l, 60);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		_exit(4);
	life_write(l, 60);
	/* What the kernel says of each would fill its log. */
	sleep_ms(50 + life_below(l, 200));
}

const struct actor rough_actors[ROUGH_ACTORS] = {
	{ "huge", huge_step, prepare_huge, 1 },
	{ "move", move_step, NULL, 64 },
	{ "unmap", unmap_step, NULL, 128 },
	{ "uffd", uffd_step, prepare_uffd, 64 },
	{ "ptrace", ptrace_step, NULL, 64 },
	{ "exec", exec_step, NULL, 128 },
	{ "oom", oom_step, prepare_oom, 64 },
};
