// SPDX-License-Identifier: GPL-2.0
/* What a trace's history says of PageAnonExclusive. */
#include <stdlib.h>

#include <cowtrace/facts.h>

#include "generate.h"
#include "past.h"
#include "tap.h"

#define MS	1000000ull
#define PAGE	4096
/* CLONE_VM | CLONE_VFORK and SIGCHLD. */
#define VFORK	0x4111
#define FORK	0x11

#define UNKNOWN	COWTRACE_NOT_KNOWN

static char *path;

/* A history in the making, then its past. */
struct scene {
	struct bytes	b;
	struct ct_processes *processes;
	struct ct_forks	*forks;
	struct ct_past	*past;
	uint32_t	seq;
};

static void forked(struct scene *s, uint64_t time, uint32_t child, uint32_t parent, uint64_t flags)
{
	add_fork(&s->b, time, child, parent);
	if (flags)
		add_newtask(&s->b, time, child, parent, flags);
}

static void begin(struct scene *s, bool whole)
{
	s->processes = make_processes(path, s->b);
	s->forks = ct_forks_new(s->processes, PAGE);
	s->past = s->forks ? ct_past_new(s->forks, whole) : NULL;
	if (!s->past)
		abort();
}

static void end(struct scene *s)
{
	ct_past_free(s->past);
	ct_forks_free(s->forks);
	ct_processes_free(s->processes);
}

/* A write to the page of that number, whose frame has the same. */
static struct cowtrace_record wrote(struct scene *s, uint64_t time, uint32_t tgid, uint64_t page)
{
	struct cowtrace_record r = plain_record(++s->seq, time);

	r.tgid = tgid;
	r.pid = tgid;
	r.address = page * PAGE + 8;
	r.pfn = page;
	r.new_pfn = page;
	return r;
}

static int ask(struct scene *s, const struct cowtrace_record *r)
{
	return ct_past_take(s->past, r, ct_processes_find(s->processes, r->tgid, r->time_ns));
}

static int asked(struct scene *s, uint64_t time, uint32_t tgid, uint64_t page)
{
	struct cowtrace_record r = wrote(s, time, tgid, page);

	return ask(s, &r);
}

/* The same, of which the page was copied to another frame. */
static int copied(struct scene *s, uint64_t time, uint32_t tgid, uint64_t page, uint64_t to)
{
	struct cowtrace_record r = wrote(s, time, tgid, page);

	r.outcome = COWTRACE_OUTCOME_COPY;
	r.reason = COWTRACE_REASON_MAPPED;
	r.new_pfn = to;
	return ask(s, &r);
}

static void check_exec(void)
{
	struct scene s = { 0 };
	struct cowtrace_record r;

	add_comm(&s.b, 10 * MS, 100, "shell", 0);
	add_comm(&s.b, 100 * MS, 100, "program", 1);
	add_comm(&s.b, 10 * MS, 200, "older", 0);
	begin(&s, true);
	ok(asked(&s, 50 * MS, 100, 1) == UNKNOWN, "of memory from before the trace nothing is known");
	ok(asked(&s, 150 * MS, 100, 2) == 1, "memory that an exec made and that never forked is its own");
	ok(asked(&s, 150 * MS, 200, 2) == UNKNOWN, "that of another process is not");
	r = wrote(&s, 160 * MS, 100, 3);
	r.mapcount = 2;
	ok(!ask(&s, &r), "but not what is mapped twice");
	r = wrote(&s, 160 * MS, 100, 4);
	r.state |= COWTRACE_PG_KSM;
	ok(!ask(&s, &r), "nor what KSM merged");
	r = wrote(&s, 160 * MS, 100, 5);
	r.state &= ~COWTRACE_PG_ANON;
	ok(ask(&s, &r) == UNKNOWN, "and of a file page nobody asks");
	end(&s);
}

static void check_fork(void)
{
	struct scene s = { 0 };

	add_comm(&s.b, 100 * MS, 100, "server", 1);
	forked(&s, 500 * MS, 200, 100, FORK);
	add_exit(&s.b, 900 * MS, 200);
	begin(&s, true);
	asked(&s, 200 * MS, 100, 1);
	asked(&s, 200 * MS, 100, 4);
	ok(!asked(&s, 600 * MS, 100, 1), "a page that its owner had before a fork is shared after it");
	ok(asked(&s, 700 * MS, 100, 1) == 1, "until it was kept by a reuse");
	ok(asked(&s, 600 * MS, 100, 2) == UNKNOWN, "one that may have been made since is not known");
	copied(&s, 610 * MS, 100, 3, 33);
	ok(asked(&s, 700 * MS, 100, 33) == UNKNOWN, "a copy says nothing of another address");
	ok(!asked(&s, 650 * MS, 200, 4), "what the parent had is shared in the child as well");
	ok(asked(&s, 660 * MS, 200, 4) == 1, "until this has written it");
	ok(asked(&s, 495 * MS, 100, 1) == UNKNOWN, "within a moment of a fork nothing is settled");
	end(&s);
}

static void check_frames(void)
{
	struct scene s = { 0 };
	struct cowtrace_record r;

	add_comm(&s.b, 100 * MS, 100, "server", 0);
	begin(&s, true);
	copied(&s, 200 * MS, 100, 1, 77);
	r = wrote(&s, 300 * MS, 100, 1);
	ok(ask(&s, &r) == UNKNOWN, "another frame at the address may have been moved there");
	copied(&s, 310 * MS, 100, 2, 78);
	r = wrote(&s, 400 * MS, 100, 2);
	r.pfn = 78;
	ok(ask(&s, &r) == 1, "the frame of the copy is its owner's alone");
	copied(&s, 410 * MS, 100, 3, 79);
	r = wrote(&s, 500 * MS, 100, 3);
	r.state |= COWTRACE_PG_SWAPCACHE;
	ok(ask(&s, &r) == 1, "and it still is when it comes back from swap");
	end(&s);
}

static void check_sharing(void)
{
	struct scene s = { 0 };

	add_comm(&s.b, 100 * MS, 100, "server", 1);
	forked(&s, 500 * MS, 200, 100, VFORK);
	add_comm(&s.b, 600 * MS, 200, "helper", 1);
	begin(&s, true);
	ok(asked(&s, 550 * MS, 100, 1) == 1, "a vfork() shares no page");
	ok(asked(&s, 550 * MS, 200, 1) == 1, "its child has the parent's memory");
	ok(asked(&s, 650 * MS, 200, 1) == 1, "and its own after an exec");
	end(&s);
}

static void check_untold_fork(void)
{
	struct scene s = { 0 };

	add_comm(&s.b, 100 * MS, 100, "server", 1);
	forked(&s, 500 * MS, 200, 100, 0);
	begin(&s, true);
	asked(&s, 200 * MS, 100, 1);
	ok(asked(&s, 600 * MS, 100, 1) == UNKNOWN, "a fork that may have been a vfork() settles nothing");
	end(&s);
}

/* A page from before a fork, after which something is missing or somebody else wrote. */
static int after_doubt(bool whole, bool lost, bool remote, bool thread)
{
	struct scene s = { 0 };
	struct cowtrace_record r;
	int answer;

	add_comm(&s.b, 100 * MS, 100, "server", 1);
	forked(&s, 500 * MS, 200, 100, FORK);
	begin(&s, whole);
	asked(&s, 200 * MS, 100, 1);
	r = wrote(&s, 550 * MS, 300, 1);
	if (remote)
		r.origin = COWTRACE_ORIGIN_REMOTE;
	if (thread)
		r.present &= ~COWTRACE_HAS_IP;
	ask(&s, &r);
	if (lost)
		ct_past_lost(s.past);
	answer = asked(&s, 600 * MS, 100, 1);
	end(&s);
	return answer;
}

static void check_doubts(void)
{
	struct scene s = { 0 };
	struct cowtrace_record r;

	ok(!after_doubt(true, false, false, false), "a write elsewhere leaves a shared page shared");
	ok(after_doubt(false, false, false, false) == UNKNOWN, "a trace with gaps does not tell");
	ok(after_doubt(true, true, false, false) == UNKNOWN, "nor one after its first gap");
	ok(after_doubt(true, false, true, false) == UNKNOWN, "nor after another task wrote there");
	ok(after_doubt(true, false, false, true) == UNKNOWN, "nor after a kernel thread did");
	add_comm(&s.b, 100 * MS, 100, "server", 1);
	begin(&s, true);
	r = wrote(&s, 200 * MS, 100, 1);
	r.origin = COWTRACE_ORIGIN_REMOTE;
	ok(ask(&s, &r) == UNKNOWN, "whose page another task wrote is not known");
	ok(ct_past_take(s.past, &r, CT_MAP_NONE) == UNKNOWN, "nor that of a process never told of");
	end(&s);
}

static void check_huge(void)
{
	struct scene s = { 0 };
	struct cowtrace_record r;

	add_comm(&s.b, 100 * MS, 100, "server", 0);
	begin(&s, true);
	r = wrote(&s, 200 * MS, 100, 512);
	r.path = COWTRACE_PATH_PMD;
	r.order = COWTRACE_PMD_ORDER;
	ask(&s, &r);
	r = wrote(&s, 300 * MS, 100, 700);
	r.order = COWTRACE_PMD_ORDER;
	ok(ask(&s, &r) == 1, "a huge page that was kept is exclusive page by page");
	r = wrote(&s, 300 * MS, 100, 1024);
	r.order = COWTRACE_PMD_ORDER;
	ok(ask(&s, &r) == UNKNOWN, "the one next to it is not");
	end(&s);
}

/* More pages than there is room for. */
static void check_bounds(void)
{
	const uint64_t many = 3u << 20;
	uint64_t page, wrong = 0, kept = 0;
	struct scene s = { 0 };

	add_comm(&s.b, 100 * MS, 100, "server", 0);
	begin(&s, true);
	for (page = 1; page <= many; page++)
		wrong += asked(&s, 200 * MS + page * (MS / 10), 100, page) != UNKNOWN;
	ok(!wrong, "no page is taken for another one");
	ok(ct_past_forgotten(s.past) >= many - (1u << 20) && ct_past_forgotten(s.past) < many,
	   "pages beyond the table are forgotten, and counted");
	for (page = many; page > many - 1000; page--)
		kept += asked(&s, 400000 * MS, 100, page) == 1;
	ok(kept == 1000, "the newest ones are kept");
	end(&s);
}

int main(void)
{
	path = temporary_file();
	check_exec();
	check_fork();
	check_frames();
	check_sharing();
	check_untold_fork();
	check_doubts();
	check_huge();
	check_bounds();
	remove(path);
	free(path);
	return tap_end();
}
