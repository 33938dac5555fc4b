// SPDX-License-Identifier: GPL-2.0
/* Where the access came from. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

/* --- the kernel, for a system call ------------------------------------------ */

static void kernel_run(void *unused)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();
	int fds[2], i;

	(void)unused;
	need(!pipe(fds), "pipe");
	for (i = 0; i < N; i++)
		need(write(fds[1], "x", 1) == 1 && read(fds[0], mem + i * PAGE, 1) == 1, "pipe");
	sh->ready = true;
	partner_end(&p);
}

static void kernel_judge(const struct trace *t)
{
	ALL(t, "kernel", "read() into a shared page: origin kernel, copied because mapped", COPY,
	    MAPPED, ANON, KERNEL);
}

static void uring_run(void *unused)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();

	(void)unused;
	uring_pages(mem, N);
	sh->ready = true;
	partner_end(&p);
}

static void uring_judge(const struct trace *t)
{
	ALL(t, "uring", "a fixed buffer of io_uring: origin kernel, copied before it is pinned",
	    COPY, MAPPED, ANON, KERNEL);
}

/* It gives a plain reference for reading, and breaks no sharing for that. */
static void vmsplice_run(void *unused)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();

	(void)unused;
	pipe_pages(mem, N);
	sh->ready = true;
	partner_end(&p);
}

static void vmsplice_judge(const struct trace *t)
{
	check(!records(t), "vmsplice", "vmsplice() of a shared page: no fault", "%zu", records(t));
}

/* --- another task -------------------------------------------------------------- */

static void traced(void *unused)
{
	(void)unused;
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
}

static void ptrace_run(void *unused)
{
	char *mem = fresh_pages();
	int i, status;
	pid_t pid;

	(void)unused;
	pid = child(traced, NULL);
	waitpid(pid, &status, 0);
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

static void mem_run(void *unused)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC), i;

	(void)unused;
	for (i = 0; i < N; i++)
		need(pwrite(fd, "x", 1, (off_t)(uintptr_t)(mem + i * PAGE)) == 1,
		     "/proc/self/mem: %s", strerror(errno));
	sh->ready = true;
	partner_end(&p);
}

static void mem_judge(const struct trace *t)
{
	ALL(t, "proc-mem", "a write to /proc/self/mem: origin remote, copied because mapped", COPY,
	    MAPPED, ANON, REMOTE);
}

/*
 * Into memory that nobody may access, as a debugger writes. The frame of such a PTE is
 * stored inverted.
 */
static void none_run(void *unused)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC), i;
	bool forced;

	(void)unused;
	need(!mprotect(mem, N * PAGE, PROT_NONE), "mprotect: %s", strerror(errno));
	note_before();
	forced = pwrite(fd, "x", 1, (off_t)(uintptr_t)mem) == 1;
	if (!given(forced, "this kernel lets only a debugger do that"))
		return;
	for (i = 1; i < N; i++)
		need(pwrite(fd, "x", 1, (off_t)(uintptr_t)(mem + i * PAGE)) == 1,
		     "/proc/self/mem: %s", strerror(errno));
	note_after();
	partner_end(&p);
}

static void none_judge(const struct trace *t)
{
	ALL(t, "prot-none", "so is one into memory that has PROT_NONE", COPY, MAPPED, ANON, REMOTE);
	check(pfns_agree(t), "prot-none-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

/* --- unshare ------------------------------------------------------------------- */

static char buf[N * PAGE];

static void unshare_run(void *unused)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();

	(void)unused;
	note_before();
	pin_pages(mem, N, buf);
	note_after();
	partner_end(&p);
	given(traits & COWTRACE_TRAIT_EXCLUSIVE, "this kernel does not unshare");
}

static void unshare_judge(const struct trace *t)
{
	ALL(t, "unshare", "a read-only pin of a shared page: unshared, a copy because mapped",
	    UNSHARE, MAPPED, ANON, UNSHARE);
	check(pfns_agree(t), "unshare-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

static void unshare_alone_run(void *unused)
{
	char *mem = fresh_pages();

	(void)unused;
	fork_and_forget();
	pin_pages(mem, N, buf);
	sh->ready = true;
	given(traits & COWTRACE_TRAIT_EXCLUSIVE, "this kernel does not unshare");
}

static void unshare_alone_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	ALL(t, "unshare-alone",
	    "a read-only pin of a page whose other user is gone: reused, sole-ref", REUSE,
	    SOLE_REF, ANON, UNSHARE);
	check(r && (r->state & COWTRACE_EXIT_EXCLUSIVE) && !(r->state & COWTRACE_EXIT_WRITE),
	      "unshare-alone-state", "it is exclusive then, and still read-only", "%s",
	      record_text(r));
}

/* break_ksm() writes until 6.1, and unshares since 6.2 (d7c0e68dab98). */
static void unmerge_run(void *unused)
{
	char *mem = pages_of_ksm();

	(void)unused;
	if (!mem)
		return;
	need(!madvise(mem, N * PAGE, MADV_UNMERGEABLE), "MADV_UNMERGEABLE: %s", strerror(errno));
	sh->ready = true;
}

static void unmerge_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_SHARED_FIRST)
		ALL(t, "unmerge", "pages taken from KSM: origin unshare, unshared because ksm",
		    UNSHARE, KSM, KSM, UNSHARE);
	else
		ALL(t, "unmerge", "pages taken from KSM: origin remote, copied because ksm", COPY,
		    KSM, KSM, REMOTE);
}

/* --- hidden by another tool ------------------------------------------------------ */

#define EVENTS	"/sys/kernel/tracing/kprobe_events"
#define HIDER	"/sys/kernel/tracing/events/kprobes/truth_hider/enable"

/* A return probe puts its own address into the place of the return address. */
static void hide(bool on)
{
	if (!on)
		need(!file_write(HIDER, "0"), HIDER);
	need(!file_append(EVENTS, on ? "r:kprobes/truth_hider do_wp_page\n" :
				       "-:kprobes/truth_hider\n"), EVENTS);
	if (on)
		need(!file_write(HIDER, "1"), HIDER);
}

static void faults_of_all_kinds(void)
{
	char *mem = fresh_pages();
	struct partner p = partner_start();
	int fds[2], i;

	need(!pipe(fds), "pipe");
	for (i = 0; i < N; i += 2) {
		touch(mem + i * PAGE, 1);
		need(write(fds[1], "x", 1) == 1 && read(fds[0], mem + (i + 1) * PAGE, 1) == 1,
		     "pipe");
	}
	sh->ready = true;
	partner_end(&p);
}

static void hidden_before_run(void *unused)
{
	(void)unused;
	disable();
	hide(true);
	enable();
	faults_of_all_kinds();
	hide(false);
}

static void hidden_after_run(void *unused)
{
	(void)unused;
	hide(true);
	faults_of_all_kinds();
	hide(false);
}

/*
 * All are copies that are told apart; where the kernel's unwinder does not know
 * the return probe, they may be said to be unknown.
 */
static void hidden_judge(const struct trace *t, const char *name, const char *claim)
{
	const struct cowtrace_record *r, *bad = NULL;
	int i, unknown = 0, seen = 0;

	for (i = 0; i < N; i++) {
		int right = i % 2 ? COWTRACE_ORIGIN_KERNEL : COWTRACE_ORIGIN_USER;

		r = only(t, i);
		seen += !!r;
		if (r && r->origin == COWTRACE_ORIGIN_UNKNOWN)
			unknown++;
		else if (!is(r, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED, COWTRACE_KIND_ANON,
			     right))
			bad = r;
	}
	note("%s: %d of %d origins unknown", name, unknown, seen);
	check(seen == N && !bad && !(unknown && kernel_unwinds()), name, claim,
	      "%d records, %d unknown, a bad one is %s", seen, unknown, record_text(bad));
}

static void hidden_before_judge(const struct trace *t)
{
	hidden_judge(t, "hidden-before",
		     "beside a return probe that was there first, no origin is wrong, nor unknown if the kernel unwinds");
}

static void hidden_after_judge(const struct trace *t)
{
	hidden_judge(t, "hidden-after",
		     "beside a return probe that came later, no origin is wrong, nor unknown if the kernel unwinds");
}

static const struct pattern patterns[] = {
	{ "kernel", kernel_run, kernel_judge },
	{ "uring", uring_run, uring_judge },
	{ "vmsplice", vmsplice_run, vmsplice_judge },
	{ "ptrace", ptrace_run, ptrace_judge },
	{ "proc-mem", mem_run, mem_judge },
	{ "prot-none", none_run, none_judge },
	{ "unshare", unshare_run, unshare_judge },
	{ "unshare-alone", unshare_alone_run, unshare_alone_judge },
	{ "unmerge", unmerge_run, unmerge_judge },
	{ "hidden-before", hidden_before_run, hidden_before_judge },
	{ "hidden-after", hidden_after_run, hidden_after_judge },
};

void run_truth_origin(void)
{
	truth_run(patterns, ARRAY_SIZE(patterns));
}
