// SPDX-License-Identifier: GPL-2.0
/* Where the access came from. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

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
	{ "ptrace", ptrace_run, ptrace_judge },
	{ "kernel", kernel_run, kernel_judge },
	{ "unshare", unshare_run, unshare_judge },
};

void run_truth_origin(void)
{
	truth_run(patterns, ARRAY_SIZE(patterns));
}
