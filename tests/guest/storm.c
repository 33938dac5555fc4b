// SPDX-License-Identifier: GPL-2.0
/*
 * STORM_SECONDS (60) of fork, write, swap and KSM on all CPUs, from one seed:
 * STORM_SEED, else a random one, which is printed. All that happens is traced,
 * read while it happens, and set against the kernel's own counts at the end. On
 * a slow host it takes up to three times as long, until each has had its turn.
 *
 * An actor is a process that takes one small step after another until the time
 * is over. What it does is decided by its own random numbers, so that an actor
 * does the same whatever the others do; how they meet is up to the scheduler.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cowtrace/classify.h>

#include "ledger.h"
#include "lib.h"
#include "outside.h"
#include "prediction.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define BUFFER_KB	32768
#define FILE_PAGES	64
/* Times as long as asked for. */
#define LONGEST		3

/* --- the actors ----------------------------------------------------------- */

/**
 * struct life - an actor's own
 * @random: state of its random numbers.
 * @mem: its memory, @pages pages.
 * @other: a second mapping: a file's, or NULL.
 * @pages: of @mem.
 * @depth: 0 for the actor, 1 for its children, and so on.
 */
struct life {
	uint64_t	random;
	char		*mem, *other;
	unsigned int	pages, depth;
};

static unsigned int below(struct life *l, unsigned int n)
{
	return next_random(&l->random) % n;
}

/* Write some pages in a row, @percent of them. */
static void write_some(struct life *l, unsigned int percent)
{
	unsigned int i, first = below(l, l->pages), n = 1 + below(l, l->pages);

	for (i = 0; i < n; i++)
		if (below(l, 100) < percent)
			poke(l->mem + (first + i) % l->pages * PAGE, l->random);
}

static void read_some(struct life *l)
{
	unsigned int i, first = below(l, l->pages), n = 1 + below(l, l->pages);
	volatile char sum = 0;

	for (i = 0; i < n; i++)
		sum += l->mem[(first + i) % l->pages * PAGE];
}

/* A process that does a part of the step in its copy of the life. */
static pid_t with_child(struct life *l, void (*fn)(struct life *l))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* Not what the parent does next. */
	l->random = ~next_random(&l->random);
	l->depth++;
	fn(l);
	_exit(0);
}

static void reap(pid_t pid)
{
	int status;

	if (pid < 0)
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		_exit(2);
}

/* Children that write what they share, and may have children themselves. */
static void generation(struct life *l)
{
	pid_t pid = l->depth < 4 && below(l, 2) ? with_child(l, generation) : -1;

	write_some(l, 60);
	reap(pid);
	write_some(l, 60);
}

static void fork_step(struct life *l)
{
	pid_t pid = with_child(l, generation);

	write_some(l, 60);
	reap(pid);
	write_some(l, 60);
}

static void *write_all(void *arg)
{
	struct life *l = arg;

	touch(l->mem, l->pages);
	return NULL;
}

/* How an actor lets a child go that holds its pages. */
static struct turn stay;

static void prepare_stay(struct life *l)
{
	(void)l;
	turn_init(&stay);
}

static void hold_on(struct life *l)
{
	(void)l;
	turn_wait(&stay);
}

/* Two threads that write the same pages, which a child holds. */
static void threads_step(struct life *l)
{
	pid_t pid = with_child(l, hold_on);
	pthread_t other;

	if (pthread_create(&other, NULL, write_all, l))
		_exit(3);
	touch(l->mem, l->pages);
	pthread_join(other, NULL);
	turn_give(&stay);
	reap(pid);
}

static void swap_child(struct life *l)
{
	read_some(l);
	write_some(l, 50);
}

/* Out to the swap disk, back by reads and by writes, alone and with a child. */
static void swap_step(struct life *l)
{
	pid_t pid = -1;

	write_some(l, 100);
	if (madvise(l->mem, l->pages * PAGE, MADV_PAGEOUT))
		_exit(4);
	if (below(l, 2))
		pid = with_child(l, swap_child);
	if (below(l, 2))
		read_some(l);
	write_some(l, 50);
	reap(pid);
	write_some(l, 50);
}

/* A few different pages, so that KSM finds many alike; now and then unmerged. */
static void ksm_step(struct life *l)
{
	unsigned int i, first = below(l, l->pages), n = 1 + below(l, l->pages);

	for (i = 0; i < n; i++)
		memset(l->mem + (first + i) % l->pages * PAGE, 1 + below(l, 3), PAGE);
	sleep_ms(below(l, 50));
	write_some(l, 30);
	if (!below(l, 8)) {
		madvise(l->mem, l->pages * PAGE, MADV_UNMERGEABLE);
		madvise(l->mem, l->pages * PAGE, MADV_MERGEABLE);
	}
	if (!below(l, 4))
		reap(with_child(l, swap_child));
}

/* The zero page, and a private and a shared mapping of files. */
static void files_step(struct life *l)
{
	unsigned int i;
	volatile char sum = 0;

	madvise(l->mem, l->pages * PAGE, MADV_DONTNEED);
	read_some(l);
	write_some(l, 70);
	if (!l->other)
		return;
	for (i = 0; i < FILE_PAGES; i++)
		sum += l->other[i * PAGE];
	for (i = 0; i < FILE_PAGES; i++)
		if (below(l, 2))
			poke(l->other + i * PAGE, l->random);
	/* Clean again: the next write has to make it writable. */
	msync(l->other, FILE_PAGES * PAGE, MS_SYNC);
}

/*
 * The kernel and another process write, a pin reads. A page that is read twice is
 * activated: it stays on the LRU while a batch has a reference to it, which
 * nothing explains until the batch is drained.
 */
static void foreign_step(struct life *l)
{
	static char buf[8 * PAGE];
	struct iovec here = { buf, sizeof(buf) };
	struct iovec there = { l->mem + below(l, l->pages - 8) * PAGE, sizeof(buf) };
	pid_t pid = with_child(l, hold_on);

	process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	lru_drain();
	process_vm_writev(pid, &here, 1, &there, 1, 0);
	turn_give(&stay);
	reap(pid);
	there.iov_base = l->mem + below(l, l->pages - 8) * PAGE;
	process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	lru_drain();
	write_some(l, 80);
}

/* Write-protected without being shared: mprotect, and soft-dirty tracking. */
static void protect_step(struct life *l)
{
	write_some(l, 100);
	if (below(l, 2)) {
		mprotect(l->mem, l->pages * PAGE, PROT_READ);
		mprotect(l->mem, l->pages * PAGE, PROT_READ | PROT_WRITE);
	} else {
		file_write("/proc/self/clear_refs", "4");
	}
	write_some(l, 100);
}

static void mergeable(struct life *l)
{
	madvise(l->mem, l->pages * PAGE, MADV_MERGEABLE);
}

static void shared_file(struct life *l)
{
	int fd = open("/mnt/storm", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (!ftruncate(fd, FILE_PAGES * PAGE))
		l->other = mmap(NULL, FILE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (l->other == MAP_FAILED)
		l->other = NULL;
	close(fd);
}

struct actor {
	const char	*name;
	void		(*step)(struct life *l);
	/* Before the storm; NULL for nothing. */
	void		(*prepare)(struct life *l);
	unsigned int	pages;
};

static const struct actor actors[] = {
	{ "fork", fork_step, NULL, 128 },
	{ "fork-2", fork_step, NULL, 32 },
	{ "threads", threads_step, prepare_stay, 128 },
	{ "swap", swap_step, NULL, 256 },
	{ "swap-2", swap_step, NULL, 64 },
	{ "ksm", ksm_step, mergeable, 128 },
	{ "ksm-2", ksm_step, mergeable, 64 },
	{ "files", files_step, shared_file, 64 },
	{ "foreign", foreign_step, prepare_stay, 64 },
	{ "protect", protect_step, NULL, 64 },
};

static uint64_t seed;
static unsigned int seconds;
/* In memory that all share: whether all has happened that is to be claimed, steps of each actor. */
static struct control {
	bool			all_acted;
	unsigned long long	steps[ARRAY_SIZE(actors)];
} *control;

static bool goes_on(uint64_t begin)
{
	uint64_t took = now_ns() - begin, asked = seconds * 1000000000ull;

	return took < asked || (took < LONGEST * asked && !control->all_acted);
}

static void act(void *arg)
{
	const struct actor *a = arg;
	struct life l = { .pages = a->pages, .mem = map_pages(a->pages) };
	uint64_t begin = now_ns();

	prctl(PR_SET_NAME, a->name);
	l.random = seed ^ (0x100000001b3ull * (1 + (a - actors)));
	if (a->prepare)
		a->prepare(&l);
	touch(l.mem, l.pages);
	while (goes_on(begin)) {
		a->step(&l);
		control->steps[a - actors]++;
	}
}

/* --- the reader ------------------------------------------------------------- */

#define EXAMPLES	2

/* What the claims at the end need of all records. */
static struct found {
	struct ledger	ledger;
	struct kept	unknown, unattributed, attempts;
	struct predictions predictions;
} found;

static uint32_t traits;

static void find(const struct cowtrace_record *r, void *arg)
{
	struct found *f = arg;

	ledger_add(&f->ledger, r);
	predictions_add(&f->predictions, r, traits);
	if (r->outcome == COWTRACE_OUTCOME_UNKNOWN)
		keep(&f->unknown, r);
	if (r->reason == COWTRACE_REASON_UNATTRIBUTED)
		keep(&f->unattributed, r);
	/* While it copies, do_wp_page() holds a reference to the old page. */
	if (r->kind == COWTRACE_KIND_ANON &&
	    (r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE ||
	     r->outcome == COWTRACE_OUTCOME_RACED))
		keep(&f->attempts, r);
}

static bool all_acted(void)
{
	const struct ledger *l = &found.ledger;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actors); i++)
		if (!control->steps[i])
			return false;
	return l->copied + l->unshared && l->reused && l->ksm;
}

static bool all_ended(pid_t *pids, int *failed)
{
	bool all = true;
	int status;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actors); i++) {
		if (pids[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
			if (status) {
				note("actor %s ended with %#x", actors[i].name, status);
				*failed = 1;
			}
			pids[i] = 0;
		}
		all &= !pids[i];
	}
	return all;
}

static void read_until_ended(pid_t *pids, int *failed, struct newpages *pages)
{
	unsigned int cpu, cpus = cpus_online();
	int fd[MAX_CPUS];
	bool ended;

	for (cpu = 0; cpu < cpus; cpu++)
		fd[cpu] = records_open(cpu);
	do {
		ended = all_ended(pids, failed);
		for (cpu = 0; cpu < cpus; cpu++)
			records_take(fd[cpu], cpu, find, &found);
		newpages_take(pages);
		control->all_acted = all_acted();
		sleep_ms(50);
	} while (!ended);
	for (cpu = 0; cpu < cpus; cpu++)
		close(fd[cpu]);
}

/* --- the claims --------------------------------------------------------------- */

static const char *holders_text(const struct cowtrace_record *r)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);
	static char line[192];

	snprintf(line, sizeof(line),
		 "holders %d = mappings %d + swapcache %d + pagecache %d + lru %d + pins %d + unattributed %d",
		 h.total, h.mappings, h.swapcache, h.pagecache, h.lru, h.pins, h.unattributed);
	return line;
}

/* Does another fault copy the same page when @r samples it? */
static bool copied_by_another(const struct cowtrace_record *r)
{
	const struct kept *k = &found.attempts;
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->r[i].pfn == r->pfn && k->r[i].pid != r->pid &&
		    k->r[i].time_ns <= r->time_ns &&
		    r->time_ns <= k->r[i].time_ns + k->r[i].duration_ns)
			return true;
	return false;
}

/* By the actor that copied, and some of each. */
static void print_unattributed(void)
{
	const struct kept *k = &found.unattributed;
	size_t i, n, copiers, actor;

	for (actor = 0; actor < ARRAY_SIZE(actors); actor++) {
		for (i = n = copiers = 0; i < k->n; i++) {
			if (strcmp(k->r[i].comm, actors[actor].name))
				continue;
			n++;
			if (copied_by_another(&k->r[i]))
				copiers++;
			else if (n - copiers <= EXAMPLES)
				note("unattributed: %s, %s", holders_text(&k->r[i]),
				     record_text(&k->r[i]));
		}
		note("unattributed of actor %s: %zu, of which another fault copied the page at that moment: %zu",
		     actors[actor].name, n, copiers);
	}
}

static void print_found(void)
{
	const struct ledger *l = &found.ledger;
	unsigned int i, outcome, reason;

	for (i = 0; i < ARRAY_SIZE(actors); i++)
		note("actor %s: %llu steps", actors[i].name, control->steps[i]);
	for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
		for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
			if (l->fault[outcome][reason])
				note("fault %s %s %llu", outcome_name(outcome), reason_name(reason),
				     l->fault[outcome][reason]);
	for (i = 0; i < found.unknown.n; i++)
		note("unknown: %s", record_text(&found.unknown.r[i]));
	print_unattributed();
}

static void judge(const struct window *w, struct newpages *pages)
{
	const struct ledger *l = &found.ledger;
	unsigned long long unknown = ledger_outcome(l, COWTRACE_OUTCOME_UNKNOWN);
	unsigned long long copies = l->copied + l->unshared;
	long long full = value_in(COW_DIR "/lost", "full");

	print_found();
	ledger_check(l, w, "", 1000 * seconds / 10);
	ledger_check_copies(l, w, pages, "");
	check(!full && !w->s.asleep && !w->s.skipped_exits, "lost", "nothing is lost or asleep",
	      "full %lld, asleep %llu, skipped %llu", full, w->s.asleep, w->s.skipped_exits);
	check(unknown * 1000 <= l->records, "unknown", "at most 0.1 % of the faults are unknown",
	      "%llu of %llu", unknown, l->records);
	check(found.unattributed.n * 100 <= copies, "unattributed",
	      "at most 1 % of the copies have no reason", "%zu of %llu", found.unattributed.n,
	      copies);
	predictions_check(&found.predictions);
	check(all_acted(), "all-act",
	      "each actor acts, and there are copies, reuses and pages of KSM",
	      "see above; %llu copies, %llu reuses, %llu of KSM", copies, l->reused, l->ksm);
}

static void set_ksm(const char *run)
{
	file_write("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	file_write("/sys/kernel/mm/ksm/pages_to_scan", "500");
	file_write("/sys/kernel/mm/ksm/run", run);
}

static unsigned int given_seconds(void)
{
	return asked("STORM_SECONDS", 60);
}

/* Each step that has begun ends, and then all records are compared. */
unsigned int storm_seconds(void)
{
	return (LONGEST + 9) * given_seconds();
}

void run_storm(void)
{
	const char *by_hand = getenv("STORM_SEED");
	static struct held_child children[ARRAY_SIZE(actors)];
	static pid_t pids[ARRAY_SIZE(actors)];
	static struct newpages pages;
	static struct window w;
	int failed = 0;
	size_t i;

	seconds = given_seconds();
	if (by_hand)
		seed = strtoull(by_hand, NULL, 0);
	else
		need(getrandom(&seed, sizeof(seed), 0) == sizeof(seed), "no random seed");
	note("STORM_SEED=%#llx", (unsigned long long)seed);
	control = map_shared(sizeof(*control));
	need(seconds, "STORM_SECONDS is no number");
	module_start(BUFFER_KB);
	traits = kernel_traits();
	outside_init();
	newpages_open(8192);
	for (i = 0; i < ARRAY_SIZE(actors); i++) {
		children[i] = child_held(act, (void *)&actors[i]);
		pids[i] = children[i].pid;
	}
	/* Its own memory stays where it is. */
	need(!mlockall(MCL_CURRENT), "mlockall: %s", strerror(errno));
	window_open(&w);
	set_ksm("1");
	for (i = 0; i < ARRAY_SIZE(actors); i++)
		child_go(&children[i]);
	read_until_ended(pids, &failed, &pages);
	set_ksm("0");
	window_close(&w);
	need(!failed, "an actor failed");

	/* What came while the last of it was read. */
	read_until_ended(pids, &failed, &pages);
	judge(&w, &pages);
	newpages_free(&pages);
	ledger_free(&found.ledger);
	kept_free(&found.unknown);
	kept_free(&found.unattributed);
	kept_free(&found.attempts);
	outside_exit();
}
