// SPDX-License-Identifier: GPL-2.0
/* What ends without a reuse or a copy: userfaultfd, lost races, no memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "truth.h"
#include "uffd.h"

/* --- userfaultfd ---------------------------------------------------------- */

static void uffd_run(void *unused)
{
	char *mem = fresh_pages();
	int fd = uffd_open(0);
	pthread_t writer;

	(void)unused;
	uffd_register(fd, mem, N);
	uffd_protect(fd, mem, N, true);
	pthread_create(&writer, NULL, write_first, mem);
	uffd_wait(fd);
	uffd_protect(fd, mem, N, false);
	pthread_join(writer, NULL);
	sh->ready = true;
}

static void uffd_judge(const struct trace *t)
{
	const struct cowtrace_record *r = nth(t, 0, 0);

	THAT(r, "uffd", "a write that waits for userfaultfd: uffd", UFFD, NONE, ANON, USER);
	check(r && (r->state & COWTRACE_PTE_UFFD_WP) && (r->evidence & COWTRACE_EV_UNLOCKED),
	      "uffd-state", "the PTE had the bit, and the locks were dropped", "%s", record_text(r));
}

/* With this feature nobody waits: the access fails, here that of a system call. */
static void uffd_signal_run(void *unused)
{
	char *mem = fresh_pages();
	int fd = uffd_open(UFFD_FEATURE_SIGBUS);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)unused;
	uffd_register(fd, mem, N);
	uffd_protect(fd, mem, N, true);
	sh->ready = read(zero, mem, 1) < 0 && errno == EFAULT;
}

static void uffd_signal_judge(const struct trace *t)
{
	THAT(nth(t, 0, 0), "uffd-signal", "a write that userfaultfd answers with SIGBUS: uffd", UFFD,
	     NONE, ANON, KERNEL);
}

static void uffd_async_run(void *unused)
{
	char *mem = fresh_pages();
	int fd = uffd_open(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED);

	(void)unused;
	if (!given(fd >= 0, "this kernel has no asynchronous write protection"))
		return;
	uffd_register(fd, mem, N);
	uffd_protect(fd, mem, N, true);
	write_pages();
}

static void uffd_async_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	ALL(t, "uffd-async", "a write that userfaultfd only takes note of: reused, exclusive", REUSE,
	    EXCLUSIVE, ANON, USER);
	check(r && (r->state & COWTRACE_PTE_UFFD_WP) && (r->state & COWTRACE_EXIT_UFFD_ASYNC),
	      "uffd-async-state", "the PTE had the bit, and it was cleared", "%s", record_text(r));
}

/* --- lost races ----------------------------------------------------------- */

/*
 * A thread stands still between its decision to copy a page and the mapping of
 * the copy. A child maps the page too, so that it must be copied.
 */
struct stall {
	char		*mem;
	int		hold;
	pthread_t	writer;
	struct partner	partner;
};

static void stall_start(struct stall *s)
{
	s->mem = fresh_pages();
	s->hold = hold_open();
	s->partner = partner_start();
	hold_take(s->hold, HOLD_STALL, s->mem, 0);
	pthread_create(&s->writer, NULL, write_first, s->mem);
	hold_wait(s->hold);
}

static void stall_end(struct stall *s)
{
	hold_release(s->hold);
	pthread_join(s->writer, NULL);
	partner_end(&s->partner);
	sh->ready = true;
}

/* The first record of page 0 by the thread that stood still, or by the other one. */
static const struct cowtrace_record *by(const struct trace *t, bool stalled)
{
	const struct cowtrace_record *r;
	int i;

	for (i = 0; (r = nth(t, 0, i)); i++)
		if ((r->pid == sh->tid) == stalled)
			break;
	return r;
}

static void raced_run(void *unused)
{
	struct stall s;

	(void)unused;
	stall_start(&s);
	touch(s.mem, 1);
	stall_end(&s);
}

static void raced_judge(const struct trace *t)
{
	const struct cowtrace_record *loser = by(t, true), *winner = by(t, false);

	THAT(loser, "raced", "another thread copied the page first: raced", RACED, NONE, ANON,
	     USER);
	THAT(winner, "raced-winner", "that thread's own fault is a copy", COPY, MAPPED, ANON, USER);
	check(loser && winner && loser->new_pfn == winner->new_pfn, "raced-pfn",
	      "what the loser finds is what the winner mapped", "%s", record_text(loser));
}

static void gone_run(void *unused)
{
	struct stall s;

	(void)unused;
	stall_start(&s);
	madvise(s.mem, PAGE, MADV_DONTNEED);
	stall_end(&s);
}

static void gone_judge(const struct trace *t)
{
	const struct cowtrace_record *r = by(t, true);

	THAT(r, "gone", "the page was given back meanwhile: raced", RACED, NONE, ANON, USER);
	check(r && !(r->state & COWTRACE_EXIT_PRESENT), "gone-state",
	      "at the exit the PTE was not present", "%s", record_text(r));
}

/* As above, but nobody watches. */
static void unwatched_run(void *unused)
{
	disable();
	need(!cow_write("witness", "off"), "witness cannot be switched off");
	enable();
	gone_run(unused);
	disable();
	cow_write("witness", "auto");
	enable();
}

static void unwatched_judge(const struct trace *t)
{
	const struct cowtrace_record *r = by(t, true);

	if (traits & COWTRACE_TRAIT_RET_WRITE)
		THAT(r, "unwatched", "the same without a witness: the return code says raced", RACED,
		     NONE, ANON, USER);
	else
		THAT(r, "unwatched", "the same without a witness: unknown", UNKNOWN, NONE, ANON,
		     USER);
}

/* --- no memory ------------------------------------------------------------ */

#define MANY	2048

static void write_many(void *mem)
{
	touch(mem, MANY);
}

/* A child that waits in @group for its turn to write all pages. */
static struct held_child child_in(const char *group, char *mem)
{
	struct held_child c = child_held(write_many, mem);
	char pid[16];

	sh->tgid = c.pid;
	snprintf(pid, sizeof(pid), "%d", c.pid);
	group_set(group, "cgroup.procs", pid);
	return c;
}

/*
 * From 6.1 on, a charge that fails although the OOM killer has killed the task
 * itself ends in VM_FAULT_OOM (mm/memcontrol.c, try_charge_memcg(), passed_oom).
 */
static bool oom_killed(char *mem)
{
	const char *group = "/sys/fs/cgroup/truth";
	struct held_child c;
	int status;

	group_set("/sys/fs/cgroup", "cgroup.subtree_control", "+memory");
	need(!mkdir(group, 0700), "%s: %s", group, strerror(errno));
	group_set(group, "memory.swap.max", "0");
	group_set(group, "memory.max", "1M");
	c = child_in(group, mem);
	child_go(&c);
	status = child_wait(c.pid);
	rmdir(group);
	return status == SIGKILL;
}

/*
 * 5.10 lets a task that was killed have its page. It ends in VM_FAULT_OOM where
 * nobody is to be killed; the task then sleeps until there is memory.
 */
static bool oom_paused(char *mem)
{
	const char *root = "/tmp/truth-memory", *group = "/tmp/truth-memory/truth";
	struct held_child c;
	int status;

	mkdir(root, 0700);
	need(!mount("memory", root, "cgroup", 0, "memory"), "mounting the memory controller: %s",
	     strerror(errno));
	need(!mkdir(group, 0700), "%s: %s", group, strerror(errno));
	group_set(group, "memory.swappiness", "0");
	group_set(group, "memory.oom_control", "1");
	group_set(group, "memory.limit_in_bytes", "1M");
	c = child_in(group, mem);
	child_go(&c);
	file_wait("/tmp/truth-memory/truth/memory.oom_control", "under_oom 1");
	group_set(group, "memory.limit_in_bytes", "-1");
	status = child_wait(c.pid);
	rmdir(group);
	umount(root);
	return !status;
}

static void oom_run(void *unused)
{
	char *mem = map_pages(MANY);

	(void)unused;
	touch(mem, MANY);
	lru_drain();
	begin(mem);
	sh->ready = traits & COWTRACE_TRAIT_EXCLUSIVE ? oom_killed(mem) : oom_paused(mem);
}

static void oom_judge(const struct trace *t)
{
	const struct cowtrace_record *oom = NULL, *other = NULL;
	int n = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct cowtrace_record *r = &t->r[i];

		if (r->tgid != sh->tgid || r->address - (uintptr_t)sh->page[0] >= MANY * PAGE)
			continue;
		if (r->outcome == COWTRACE_OUTCOME_OOM) {
			oom = r;
			n++;
		} else if (!IS(r, COPY, MAPPED, ANON, USER)) {
			other = r;
		}
	}
	check(n == 1 && IS(oom, OOM, NONE, ANON, USER), "oom",
	      "the copy for which there is no memory: oom", "%d of them: %s", n, record_text(oom));
	check(!other, "oom-others", "the others are copied because mapped", "%s",
	      record_text(other));
}

static const struct pattern patterns[] = {
	{ "uffd", uffd_run, uffd_judge },
	{ "uffd-signal", uffd_signal_run, uffd_signal_judge },
	{ "uffd-async", uffd_async_run, uffd_async_judge },
	{ "raced", raced_run, raced_judge },
	{ "gone", gone_run, gone_judge },
	{ "unwatched", unwatched_run, unwatched_judge },
	{ "oom", oom_run, oom_judge },
};

void run_truth_outcome(void)
{
	hold_load();
	truth_run(patterns, ARRAY_SIZE(patterns));
}
