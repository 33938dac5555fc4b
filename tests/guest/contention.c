// SPDX-License-Identifier: GPL-2.0
/*
 * Parent and child, or two threads, write the same page at once, each on a CPU
 * of its own: CONTENTION rounds (512), one page each, and less of huge ones. What
 * the command's accounting of contention makes of the records is set against
 * what the kernel says of the same pages: pagemap, the contents of both sides,
 * /proc/vmstat, and kprobe events that count attempts and pages mapped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../userspace/lib/contention.h"
#include "ledger.h"
#include "lib.h"
#include "meet.h"
#include "outside.h"

#define HUGE		(2ul << 20)
/* Pages that are shared by one fork. */
#define BATCH		64
#define SEED		0x636f77ull
/* What a writer leaves, which no page is filled with. */
#define MARK(me)	((char)(0xf0 + (me)))
/* Rounds of a hundred that meet at least, or the host runs both CPUs too seldom at once. */
#define ENOUGH		2
#define POOL		"/proc/sys/vm/nr_hugepages"

/**
 * struct round - one page, which two write
 * @page: where.
 * @before: its frame when it was shared.
 * @after: its frame when both had written, as each sees it.
 * @good: whether each sees what it has to.
 */
struct round {
	char		*page;
	uint64_t	before, after[2];
	bool		good[2];
};

/* Of both writers, which may be processes. */
static struct arena {
	struct writer	writer[2];
	unsigned int	rounds;
	struct round	round[];
} *arena;

struct variant {
	const char	*name;
	const char	*sentence;
	/* One part of so many of CONTENTION. */
	unsigned int	part;
	size_t		size;
	int		flags;
	bool		threads;
};

static const struct variant variants[] = {
	{ "family", "parent and child write a page", 1, PAGE, 0, false },
	{ "threads", "two threads write a page that a child holds", 1, PAGE, 0, true },
	{ "thp", "parent and child write a huge page", 8, HUGE, 0, false },
	{ "hugetlb", "parent and child write a hugetlb page", 32, HUGE, MAP_HUGETLB, false },
};

/* --- two writers ------------------------------------------------------------- */

static char fill_of(unsigned int i)
{
	return i % 0xf0;
}

/* Pages @first to @last of the rounds, written, on no batch, and not yet shared. */
static void make_pages(const struct variant *v, unsigned int first, unsigned int last)
{
	size_t size = (last - first + 1) * v->size;
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | v->flags, -1, 0);
	unsigned int i;

	need(mem != MAP_FAILED, "mapping pages: %s", strerror(errno));
	mem = (char *)(((uintptr_t)mem + v->size - 1) & ~(v->size - 1));
	if (!v->flags)
		madvise(mem, (last - first) * v->size,
			v->size == HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (i = first; i < last; i++) {
		struct round *r = &arena->round[i];

		r->page = mem + (i - first) * v->size;
		memset(r->page, fill_of(i), PAGE);
		r->before = pfn_of(r->page);
	}
	/* What is split stays split. */
	if (v->size == HUGE && !v->flags)
		madvise(mem, (last - first) * v->size, MADV_NOHUGEPAGE);
	lru_drain();
}

static void write_pages(unsigned int me, unsigned int first, unsigned int last)
{
	unsigned int i, round = arena->writer[me].at;

	for (i = first; i < last; i++) {
		meet(arena->writer, me, ++round);
		poke(arena->round[i].page + me, MARK(me));
	}
	meet(arena->writer, me, ++round);
}

/* Does the page hold what it was filled with, its own byte, and that of the other if @both? */
static bool is_good(unsigned int i, unsigned int me, bool both)
{
	char expected[PAGE];

	memset(expected, fill_of(i), PAGE);
	expected[me] = MARK(me);
	if (both)
		expected[!me] = MARK(!me);
	return !memcmp(arena->round[i].page, expected, PAGE);
}

static void look_at(const struct variant *v, unsigned int me, unsigned int first,
		    unsigned int last)
{
	unsigned int i;

	for (i = first; i < last; i++) {
		arena->round[i].after[me] = pfn_of(arena->round[i].page);
		arena->round[i].good[me] = is_good(i, me, v->threads);
	}
}

struct part {
	const struct variant	*v;
	unsigned int		first, last;
};

static void second_process(void *arg)
{
	const struct part *p = arg;

	on_cpu(1);
	write_pages(1, p->first, p->last);
	look_at(p->v, 1, p->first, p->last);
}

static void *second_thread(void *arg)
{
	const struct part *p = arg;

	on_cpu(1);
	write_pages(1, p->first, p->last);
	return NULL;
}

static void as_family(struct part *p)
{
	pid_t pid = child(second_process, p);

	write_pages(0, p->first, p->last);
	look_at(p->v, 0, p->first, p->last);
	need(!child_wait(pid), "the other process failed");
}

static void as_threads(struct part *p)
{
	struct partner holder = partner_start();
	pthread_t other;

	need(!pthread_create(&other, NULL, second_thread, p), "no thread");
	write_pages(0, p->first, p->last);
	pthread_join(other, NULL);
	look_at(p->v, 0, p->first, p->last);
	look_at(p->v, 1, p->first, p->last);
	partner_end(&holder);
}

static void writers(void *arg)
{
	struct part p = { .v = arg };

	on_cpu(0);
	for (p.first = 0; p.first < arena->rounds; p.first = p.last) {
		p.last = p.first + BATCH < arena->rounds ? p.first + BATCH : arena->rounds;
		make_pages(p.v, p.first, p.last);
		if (p.v->threads)
			as_threads(&p);
		else
			as_family(&p);
	}
}

/* --- what came of it --------------------------------------------------------- */

/**
 * struct truth - the rounds, by what the kernel shows of them
 * @at_once: two faults of different threads overlap in time.
 * @left: of these, neither side has the frame that both shared.
 * @moved: of @left, a count moved while a record was taken, which proves nothing then.
 * @kept: of @at_once, one side has it.
 * @splits: both split the mapping of a huge page, at once.
 * @strange: a side has a frame that no record of it says.
 * @bad: a side does not hold what it has to.
 */
struct truth {
	unsigned int at_once, left, moved, kept, splits, strange, bad;
};

static uint64_t end_of(const struct cowtrace_record *r)
{
	return r->time_ns + r->duration_ns;
}

static int by_end(const void *a, const void *b)
{
	const struct cowtrace_record *x = a, *y = b;

	return (end_of(x) > end_of(y)) - (end_of(x) < end_of(y));
}

static bool overlap(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	return a->pid != b->pid && a->time_ns < end_of(b) && b->time_ns < end_of(a);
}

static bool both(const struct cowtrace_record *a, const struct cowtrace_record *b,
		 unsigned int outcome)
{
	return a->outcome == outcome && b->outcome == outcome;
}

static bool is_at(const struct cowtrace_record *r, const struct variant *v, const char *page)
{
	return r->address - (uintptr_t)page < v->size;
}

/* By a simpler rule than that of the accounting: each with each. */
static void see_round(struct truth *truth, const struct variant *v, const struct trace *t,
		      const struct round *r)
{
	const struct cowtrace_record *at[16];
	bool met = false, moved = false, splits = false, said[2] = { false };
	unsigned int i, j, n = 0;
	size_t k;

	for (k = 0; k < t->n; k++) {
		if (!is_at(&t->r[k], v, r->page))
			continue;
		need(n < ARRAY_SIZE(at), "too many faults of one page");
		at[n++] = &t->r[k];
	}
	for (i = 0; i < n; i++) {
		moved |= at[i]->evidence & COWTRACE_EV_UNSTABLE;
		for (j = 0; j < i; j++) {
			if (at[i]->path != at[j]->path || at[i]->pfn != at[j]->pfn ||
			    !overlap(at[i], at[j]))
				continue;
			met = true;
			splits |= both(at[i], at[j], COWTRACE_OUTCOME_SPLIT);
		}
		for (j = 0; j < 2; j++)
			said[j] |= at[i]->outcome != COWTRACE_OUTCOME_RACED &&
				   at[i]->new_pfn == r->after[j];
	}
	truth->at_once += met;
	if (r->after[0] == r->before || r->after[1] == r->before) {
		truth->kept += met;
	} else {
		truth->left += met;
		truth->moved += met && moved;
	}
	truth->splits += splits;
	truth->strange += !said[0] || !said[1];
	truth->bad += !r->good[0] || !r->good[1];
}

/* What the accounting makes of all records, or of those at the pages of the rounds. */
static struct ct_contention *account(const struct variant *v, struct trace *t, bool ours)
{
	struct ct_contention *c = ct_contention_new(PAGE);
	unsigned int i;
	size_t k;
	bool at;

	need(c, "no memory");
	qsort(t->r, t->n, sizeof(*t->r), by_end);
	for (k = 0; k < t->n; k++) {
		for (i = 0, at = !ours; i < arena->rounds && !at; i++)
			at = is_at(&t->r[k], v, arena->round[i].page);
		need(!at || !ct_contention_take(c, &t->r[k], t->r[k].tgid, CT_MAP_NONE),
		     "no memory");
	}
	need(!ct_contention_end(c), "no memory");
	return c;
}

static const char *full_name(const struct variant *v, const char *what)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s-%s", v->name, what);
	return name;
}

static unsigned long long groups(const struct ct_contention *c, enum ct_meeting meeting)
{
	return c->meetings[meeting].groups;
}

static void note_cost(const struct variant *v, const struct ct_contention *c)
{
	size_t i;

	note("%s: %llu groups, largest %llu, race %llu, unseen %llu, double-copy %llu, copy-reuse %llu, copies %llu, splits %llu, locked %llu, retry %llu, plain %llu; touching %llu",
	     v->name, (unsigned long long)c->groups, (unsigned long long)c->largest,
	     groups(c, CT_MEETING_RACE), groups(c, CT_MEETING_RACE_UNSEEN),
	     groups(c, CT_MEETING_DOUBLE_COPY), groups(c, CT_MEETING_COPY_REUSE),
	     groups(c, CT_MEETING_COPIES), groups(c, CT_MEETING_SPLITS),
	     groups(c, CT_MEETING_LOCKED), groups(c, CT_MEETING_RETRY),
	     groups(c, CT_MEETING_PLAIN), (unsigned long long)c->touching);
	note("%s: %llu of %llu found the page locked, %llu of them perhaps by one that they met; %llu copies for that; %llu unattributed beside a copy",
	     v->name, (unsigned long long)c->lock_held, (unsigned long long)c->lock_asked,
	     (unsigned long long)c->holder_seen, (unsigned long long)c->locked_copies,
	     (unsigned long long)c->beside_copy);
	for (i = 0; i < c->nr_kinds; i++)
		note("%s: %s %s, path %u: %llu met others, median %u ns; %llu alone, median %u ns",
		     v->name, outcome_name(c->kinds[i].outcome), reason_name(c->kinds[i].reason),
		     c->kinds[i].path, (unsigned long long)c->kinds[i].met.count,
		     ct_histogram_percentile(&c->kinds[i].met, 50),
		     (unsigned long long)c->kinds[i].alone.count,
		     ct_histogram_percentile(&c->kinds[i].alone, 50));
}

static void check_family(const struct variant *v, const struct ct_contention *c,
			 const struct truth *truth)
{
	check(groups(c, CT_MEETING_DOUBLE_COPY) + groups(c, CT_MEETING_COPIES) == truth->left &&
	      c->last_copies == groups(c, CT_MEETING_DOUBLE_COPY),
	      full_name(v, "double"), "both copied where pagemap shows that neither kept the frame",
	      "%llu double copies and %llu others, %u pages left",
	      groups(c, CT_MEETING_DOUBLE_COPY), groups(c, CT_MEETING_COPIES), truth->left);
	check(groups(c, CT_MEETING_COPIES) == truth->moved, full_name(v, "needless"),
	      "of a page that nobody else uses the last copy is needless, if no count moved",
	      "%llu of %u are not, of %u a count moved", groups(c, CT_MEETING_COPIES),
	      truth->left, truth->moved);
	check(groups(c, CT_MEETING_COPY_REUSE) == truth->kept, full_name(v, "kept"),
	      "one copied and one reused where pagemap shows that one kept the frame",
	      "%llu, %u", groups(c, CT_MEETING_COPY_REUSE), truth->kept);
	check(!c->raced, full_name(v, "no-race"), "nobody loses the page-table entry of another",
	      "%llu did", (unsigned long long)c->raced);
}

static void check_threads(const struct variant *v, const struct window *w,
			  const struct ct_contention *all, const struct ct_contention *c,
			  const struct ledger *l, const struct newpages *pages)
{
	long long attempts = w->after.attempts - w->before.attempts;

	check(c->raced_seen == c->raced && c->raced_shown == c->raced, full_name(v, "winner"),
	      "each loser met the winner, and found its page",
	      "%llu losers, %llu met it, %llu found it", (unsigned long long)c->raced,
	      (unsigned long long)c->raced_seen, (unsigned long long)c->raced_shown);
	check(groups(c, CT_MEETING_RACE) == c->raced && !groups(c, CT_MEETING_RACE_UNSEEN) &&
	      c->one_entry == c->groups, full_name(v, "race"),
	      "each loser is one race, at one page-table entry",
	      "%llu losers, %llu races, %llu of %llu groups",
	      (unsigned long long)c->raced, groups(c, CT_MEETING_RACE),
	      (unsigned long long)c->one_entry, (unsigned long long)c->groups);
	if (outside_attempts())
		check(attempts - (long long)pages->n == (long long)(all->thrown + l->others),
		      full_name(v, "thrown"),
		      "attempts to copy that mapped no page = copies thrown away + oom, poison, retry",
		      "%lld attempts, %zu pages; %llu + %llu", attempts, pages->n,
		      (unsigned long long)all->thrown, l->others);
	else
		skip(full_name(v, "thrown"),
		     "no __delayacct_wpcopy_start in this kernel, or no delayacct");
}

static void check_met(const struct variant *v, unsigned int rounds, unsigned long long found,
		      const char *claim)
{
	if (rounds * 100 >= arena->rounds * ENOUGH)
		check(found == rounds, full_name(v, "met"), claim, "%llu, %u", found, rounds);
	else
		skip(full_name(v, "met"),
		     "the host runs both CPUs at the same time too seldom for a race");
}

static void judge(const struct variant *v, const struct window *w, long long splits,
		  struct newpages *pages)
{
	struct ct_contention *all, *ours;
	struct truth truth = { 0 };
	struct ledger ledger = { 0 };
	unsigned long long split;
	struct trace t;
	unsigned int i;
	size_t k;

	trace_read(&t);
	for (k = 0; k < t.n; k++)
		ledger_add(&ledger, &t.r[k]);
	all = account(v, &t, false);
	ours = account(v, &t, true);
	for (i = 0; i < arena->rounds; i++)
		see_round(&truth, v, &t, &arena->round[i]);
	split = ledger_outcome(&ledger, COWTRACE_OUTCOME_SPLIT);

	note("%s: %u rounds in which %s: %u at once; of these %u left their frame, %u kept it",
	     v->name, arena->rounds, v->sentence, truth.at_once, truth.left, truth.kept);
	note_cost(v, ours);
	ledger_check(&ledger, w, full_name(v, ""), arena->rounds);
	if (v->size == PAGE)
		ledger_check_copies(&ledger, w, pages, full_name(v, ""));
	check(!truth.bad, full_name(v, "content"), "both sides hold what they have to",
	      "%u of %u do not", truth.bad, arena->rounds);
	check(!truth.strange, full_name(v, "frames"),
	      "each side has a frame that a record of it says", "%u of %u do not",
	      truth.strange, arena->rounds);
	if (v->flags) {
		check(!ours->groups && !truth.at_once && ledger.hugetlb >= arena->rounds,
		      full_name(v, "alone"), "faults of one hugetlb page never meet",
		      "%llu did, in %u rounds", (unsigned long long)ours->groups, truth.at_once);
	} else if (v->size == HUGE) {
		check(splits == (long long)split, full_name(v, "splits"),
		      "thp_split_pmd of /proc/vmstat = split", "%lld, %llu", splits, split);
		check_met(v, truth.splits, groups(ours, CT_MEETING_SPLITS),
			  "each round whose splits overlap is one group that says so");
	} else {
		if (v->threads)
			check_threads(v, w, all, ours, &ledger, pages);
		else
			check_family(v, ours, &truth);
		check_met(v, truth.at_once, ours->groups,
			  "each round whose faults overlap is one group");
	}
	ct_contention_free(all);
	ct_contention_free(ours);
	ledger_free(&ledger);
	trace_free(&t);
}

static long long pmd_splits(void)
{
	return value_in("/proc/vmstat", "thp_split_pmd");
}

static void run_variant(const struct variant *v, unsigned int rounds)
{
	struct newpages pages = { 0 };
	static struct window w;
	struct held_child c;
	uint64_t begin = now_ns();
	long long splits;
	int status;

	memset(arena->writer, 0, sizeof(arena->writer));
	arena->writer[0].random = SEED;
	arena->writer[1].random = ~SEED;
	arena->rounds = rounds / v->part;
	need(arena->rounds, "no rounds of %s", v->name);
	cow_write("reset", "1");
	newpages_open(1024);
	c = child_held(writers, (void *)v);
	window_open(&w);
	splits = pmd_splits();
	child_go(&c);
	status = child_wait(c.pid);
	splits = pmd_splits() - splits;
	window_close(&w);
	need(!status, "the writers ended with %#x", status);
	newpages_take(&pages);
	judge(v, &w, splits, &pages);
	newpages_free(&pages);
	newpages_close();
	note("%s: took %llu ms", v->name, (unsigned long long)(now_ns() - begin) / 1000000);
}

void run_contention(void)
{
	unsigned int rounds = asked("CONTENTION", 512);
	size_t i;

	if (cpus_online() < 2) {
		skip("all", "two writers need two CPUs");
		return;
	}
	arena = map_shared(sizeof(*arena) + rounds * sizeof(arena->round[0]));
	file_write("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	/* A fault of parent and child each takes one beside the one that they share. */
	need(!file_write(POOL, "64"), "no hugetlb pages");
	module_start(2048);
	outside_init();
	for (i = 0; i < ARRAY_SIZE(variants); i++)
		run_variant(&variants[i], rounds);
	outside_exit();
	file_write(POOL, "0");
}
