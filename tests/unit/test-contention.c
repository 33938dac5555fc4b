// SPDX-License-Identifier: GPL-2.0
/* Contention: who met whom at one page frame, who lost what, and what is not claimed. */
#include <stdlib.h>
#include <string.h>

#include <cowtrace/kernel.h>
#include <cowtrace/vocab.h>

#include "contention.h"
#include "generate.h"
#include "tap.h"

#define PAGE	4096

static struct ct_contention *c;

/* From a fresh start; ends what was before. */
static void begin(void)
{
	ct_contention_free(c);
	c = ct_contention_new(PAGE);
	if (!c)
		abort();
}

/* A fault of the only thread of a process, from @from to @to. */
static struct cowtrace_record fault(uint32_t process, uint64_t from, uint64_t to,
				    uint8_t outcome, uint8_t reason)
{
	struct cowtrace_record r = plain_record(0, from);

	r.tgid = process;
	r.pid = process;
	r.duration_ns = to - from;
	r.outcome = outcome;
	r.reason = reason;
	return r;
}

/* A copy of a page that two processes map, which gets frame @new_pfn. */
static struct cowtrace_record copy(uint32_t process, uint64_t from, uint64_t to,
				   uint64_t new_pfn)
{
	struct cowtrace_record r = fault(process, from, to, COWTRACE_OUTCOME_COPY,
					 COWTRACE_REASON_MAPPED);

	r.refcount = 2;
	r.mapcount = 2;
	r.folio_mapcount = 2;
	r.new_pfn = new_pfn;
	return r;
}

static struct cowtrace_record reuse(uint32_t process, uint64_t from, uint64_t to)
{
	return fault(process, from, to, COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_SOLE_REF);
}

/* Another thread of @process, which finds the frame @new_pfn at its exit. */
static struct cowtrace_record raced(uint32_t process, uint64_t from, uint64_t to,
				    uint64_t new_pfn)
{
	struct cowtrace_record r = fault(process, from, to, COWTRACE_OUTCOME_RACED,
					 COWTRACE_REASON_NONE);

	r.pid = process + 1000;
	r.refcount = 2;
	r.mapcount = 2;
	r.new_pfn = new_pfn;
	r.evidence |= COWTRACE_EV_WATCHED;
	return r;
}

/* Its process is the caller's number of the process, its code the number of the site. */
static void take(struct cowtrace_record r)
{
	if (ct_contention_take(c, &r, r.tgid, r.present & COWTRACE_HAS_IP ? r.ip & 0xff :
							CT_MAP_NONE))
		abort();
}

static void end(void)
{
	if (ct_contention_end(c))
		abort();
}

/* Two faults, the second of which ends last, and no others. */
static void two(struct cowtrace_record a, struct cowtrace_record b)
{
	begin();
	take(a);
	take(b);
	end();
}

static uint64_t groups(enum ct_meeting meeting)
{
	return c->meetings[meeting].groups;
}

/* Does the only group show this, and nothing else? */
static bool only(enum ct_meeting meeting)
{
	int i;

	for (i = 0; i < CT_NR_MEETINGS; i++)
		if (groups(i) != (i == (int)meeting ? 1 : 0))
			return false;
	return c->groups == 1;
}

static void check_overlap(void)
{
	two(copy(1, 100, 200, 7), copy(2, 150, 250, 8));
	ok(c->groups == 1 && c->faults == 2, "faults of one frame that overlap are a group");
	ok(c->ns == 200, "the time of a group is that of its faults");
	ok(c->largest == 2, "the largest group is known");
	two(copy(1, 100, 200, 7), copy(2, 300, 400, 8));
	ok(!c->groups && !c->touching, "faults one after the other did not meet");
	two(copy(1, 100, 200, 7), copy(2, 200, 300, 8));
	ok(!c->groups && c->touching == 1, "faults that touch at one instant are told apart");
	two(copy(1, 100, 100, 7), copy(2, 100, 100, 8));
	ok(!c->groups && c->touching == 1,
	   "two faults at the same instant are not said to overlap");
	two(copy(1, 150, 150, 7), copy(2, 100, 200, 8));
	ok(c->groups == 1, "a fault without duration meets the one that it lies within");
	two(copy(1, 100, 200, 7), copy(2, 100, 200, 8));
	ok(c->groups == 1, "faults of equal times meet");
	two(copy(1, 120, 180, 7), copy(2, 100, 200, 8));
	ok(c->groups == 1, "a fault within another meets it");
	two(copy(1, 100, 200, 7), copy(1, 150, 250, 8));
	ok(!c->groups, "a thread does not meet itself");
}

/* Many at once, of frames and addresses at random: some share what they are looked up by. */
static void check_strangers(uint8_t kind, const char *claim)
{
	struct random_state random = { 7 };
	unsigned int i;

	begin();
	for (i = 0; i < 8192; i++) {
		struct cowtrace_record r = copy(1, 100, 200, 7);

		r.pid = i;
		r.kind = kind;
		r.address = below(&random, 1ull << 35) * PAGE;
		if (kind == COWTRACE_KIND_ANON)
			r.pfn = below(&random, 1ull << 40);
		take(r);
	}
	end();
	ok(!c->groups, "%s", claim);
}

static void check_frames(void)
{
	struct cowtrace_record a = copy(1, 100, 200, 7), b = copy(2, 150, 250, 8);

	b.pfn++;
	two(a, b);
	ok(!c->groups, "faults of different frames do not meet");
	b = copy(2, 150, 250, 8);
	b.kind = COWTRACE_KIND_FILE;
	two(a, b);
	ok(!c->groups, "a frame that held a page of another sort meanwhile is not the same page");
	b.kind = COWTRACE_KIND_KSM;
	two(a, b);
	ok(c->groups == 1, "an anonymous page that KSM merged meanwhile is the same");
	begin();
	take(copy(1, 100, 200, 7));
	take(copy(2, 1000, 1100, 8));
	take(copy(3, 1050, 1150, 8));
	end();
	ok(c->groups == 1 && c->faults == 2, "a frame that is used again begins anew");
	a.kind = COWTRACE_KIND_ZERO;
	b = a;
	b.tgid = 2;
	b.pid = b.tgid;
	two(a, b);
	ok(!c->groups, "two processes do not meet at the zero page");
	b.tgid = 1;
	two(a, b);
	ok(c->groups == 1, "threads at one address do");
	b.address += PAGE;
	two(a, b);
	ok(!c->groups, "at two addresses they do not");
	check_strangers(COWTRACE_KIND_ANON, "of many frames, none meet");
	check_strangers(COWTRACE_KIND_ZERO, "of many addresses at the zero page, none meet");
	a = copy(1, 100, 200, 7);
	b = copy(2, 150, 250, 8);
	b.outcome = COWTRACE_OUTCOME_UFFD;
	two(a, b);
	ok(!c->groups && c->nr_kinds == 1, "a fault that userfaultfd took is left out");
}

static void check_races(void)
{
	struct cowtrace_record a, b;

	two(copy(1, 100, 200, 7), raced(1, 110, 210, 7));
	ok(only(CT_MEETING_RACE), "one thread that copied and one that lost are a race");
	ok(c->one_entry == 1, "it is one page-table entry");
	ok(c->raced == 1 && c->raced_seen == 1, "the loser met the winner");
	ok(c->raced_shown == 1, "the loser's entry showed the winner's page");
	ok(c->thrown == 1 && c->thrown_ns == 100, "the loser's copy was thrown away");
	ok(c->pairs[0].a == 1 && c->pairs[0].b == 1 && c->pairs[0].one_lost == 1,
	   "threads are a pair of one process");
	two(raced(1, 110, 190, 7), copy(1, 100, 200, 7));
	ok(only(CT_MEETING_RACE), "a loser may end first");
	two(copy(1, 100, 200, 7), raced(1, 110, 210, 9));
	ok(c->raced_seen == 1 && !c->raced_shown,
	   "an entry that changed again shows nobody's page");
	two(reuse(1, 100, 200), raced(1, 110, 210, 0x1000));
	ok(only(CT_MEETING_RACE), "a reuse wins a race too");
	two(copy(2, 100, 200, 7), raced(1, 110, 210, 9));
	ok(only(CT_MEETING_RACE_UNSEEN) && !c->raced_seen,
	   "another process's copy does not win this one's entry");
	two(copy(2, 100, 200, 7), raced(1, 110, 210, 7));
	ok(only(CT_MEETING_RACE),
	   "but where the entry shows its page, they have one address space");
	a = copy(1, 100, 200, 7);
	a.address += PAGE;
	two(a, raced(1, 110, 210, 7));
	ok(only(CT_MEETING_RACE_UNSEEN), "at another address neither");
	begin();
	take(raced(1, 100, 200, 7));
	end();
	ok(!c->groups && c->raced == 1 && !c->raced_seen && c->thrown == 1,
	   "a loser that met nobody lost to somebody who was not seen");

	a = copy(1, 100, 200, 7);
	b = raced(1, 110, 210, 7);
	b.evidence = COWTRACE_EV_PTE | COWTRACE_EV_COUNTED;
	two(a, b);
	ok(!c->thrown && c->undecided == 1, "without a witness nothing is said to be thrown away");
	b.evidence = COWTRACE_EV_RET;
	two(a, b);
	ok(c->thrown == 1, "a return code says so too");
	b.vm_flags |= COWTRACE_VM_SHARED;
	two(a, b);
	ok(!c->thrown && !c->undecided, "in a shared mapping nobody prepares a copy");
	b = raced(1, 110, 210, 7);
	b.path = COWTRACE_PATH_PMD;
	b.kind = COWTRACE_KIND_THP;
	a = b;
	a.pid++;
	a.outcome = COWTRACE_OUTCOME_SPLIT;
	two(a, b);
	ok(groups(CT_MEETING_RACE) == 1 && !c->thrown,
	   "who finds a huge PMD split has prepared nothing");
	a = copy(1, 100, 200, 7);
	b = fault(1, 110, 210, COWTRACE_OUTCOME_RETRY, COWTRACE_REASON_NONE);
	b.pid = 99;
	two(a, b);
	ok(only(CT_MEETING_RETRY), "a fault that is asked to come again is told");
	b = fault(1, 110, 210, COWTRACE_OUTCOME_NOOP, COWTRACE_REASON_NONE);
	b.pid = 99;
	two(a, b);
	ok(only(CT_MEETING_PLAIN), "what only met is told");
}

static void check_copies(void)
{
	struct cowtrace_record a = copy(1, 100, 200, 7), b = copy(2, 150, 260, 8);

	b.refcount = 3;
	two(a, b);
	ok(only(CT_MEETING_DOUBLE_COPY), "a page that both users copied had a needless copy");
	ok(c->last_copies == 1 && c->last_ns == 110, "which is the last one");
	ok(!c->one_entry, "the entries of two processes are two");
	ok(c->nr_pairs == 1 && c->pairs[0].both_copied == 1, "their processes are a pair");
	b.mapcount = 1;
	b.refcount = 2;
	b.reason = COWTRACE_REASON_UNATTRIBUTED;
	two(a, b);
	ok(only(CT_MEETING_DOUBLE_COPY) && c->beside_copy == 1,
	   "the reference of one who copies is found in the other's sample");
	begin();
	take(b);
	end();
	ok(!c->beside_copy, "an unattributed copy alone has no such explanation");

	a = copy(1, 100, 200, 7);
	b = copy(2, 150, 260, 8);
	b.mapcount = 3;
	a.mapcount = b.mapcount;
	b.refcount = 3;
	a.refcount = b.refcount;
	two(a, b);
	ok(only(CT_MEETING_COPIES) && !c->last_copies, "a third user needs what both copied");
	a = copy(1, 100, 200, 7);
	b = copy(2, 150, 260, 8);
	b.refcount = 3;
	a.refcount = b.refcount;
	two(a, b);
	ok(only(CT_MEETING_COPIES), "and so does whoever holds a reference all the time");
	a.state &= ~COWTRACE_PG_LRU;
	b.state &= ~COWTRACE_PG_LRU;
	two(a, b);
	ok(only(CT_MEETING_DOUBLE_COPY), "but not an LRU batch");
	a.state |= COWTRACE_PG_SWAPCACHE;
	two(a, b);
	ok(only(CT_MEETING_COPIES), "who may hold swap slots is not known");
	a.state &= ~COWTRACE_PG_SWAPCACHE;
	a.evidence |= COWTRACE_EV_UNSTABLE;
	two(a, b);
	ok(only(CT_MEETING_COPIES), "counts that moved while they were sampled claim nothing");
	a = copy(1, 100, 200, 7);
	b = copy(2, 150, 260, 8);
	a.present &= ~COWTRACE_HAS_PAGE;
	two(a, b);
	ok(only(CT_MEETING_COPIES), "without the counts of both nothing is claimed");
	a = copy(1, 100, 200, 7);
	b.kind = COWTRACE_KIND_KSM;
	a.kind = b.kind;
	two(a, b);
	ok(only(CT_MEETING_COPIES), "a page of KSM is copied anyway");
	two(copy(1, 100, 200, 7), reuse(2, 150, 250));
	ok(only(CT_MEETING_COPY_REUSE) && c->pairs[0].one_reused == 1,
	   "a copy lets the other reuse the page");
	begin();
	take(copy(1, 100, 200, 7));
	take(copy(2, 150, 250, 8));
	take(reuse(3, 160, 260));
	end();
	ok(groups(CT_MEETING_COPY_REUSE) == 1 && groups(CT_MEETING_COPIES) == 1 && !c->last_copies,
	   "no copy of a page that somebody keeps was needless");
	a = copy(1, 100, 200, 7);
	b = copy(1, 150, 250, 8);
	b.pid = 9;
	b.address += 5 * PAGE;
	two(a, b);
	ok(groups(CT_MEETING_DOUBLE_COPY) == 1 && !c->one_entry,
	   "a process may map a page twice");

	begin();
	for (uint32_t i = 1; i <= 3; i++) {
		a = copy(i, 100 + i, 200 + i, 10 + i);
		a.mapcount = 3;
		a.refcount = 2 + i;
		take(a);
	}
	end();
	ok(only(CT_MEETING_DOUBLE_COPY) && c->last_copies == 1 && c->faults == 3,
	   "of three users that copied one copy was needless");
	begin();
	for (uint32_t i = 1; i <= 12; i++) {
		a = copy(i, 100 + i, 200 + i, 10 + i);
		a.mapcount = 12;
		a.refcount = 11 + i;
		take(a);
	}
	end();
	ok(only(CT_MEETING_COPIES) && c->faults == 12 && c->nr_pairs == 66,
	   "of more users than are told apart nothing is claimed");
}

static void check_huge(void)
{
	struct cowtrace_record a = fault(1, 100, 200, COWTRACE_OUTCOME_SPLIT,
					 COWTRACE_REASON_MAPPED), b;

	a.path = COWTRACE_PATH_PMD;
	a.kind = COWTRACE_KIND_THP;
	a.order = COWTRACE_PMD_ORDER;
	b = a;
	b.tgid = 2;
	b.pid = b.tgid;
	b.state |= COWTRACE_PG_LOCKED;
	two(a, b);
	ok(only(CT_MEETING_SPLITS) && !c->one_entry, "two processes split their own huge PMDs");
	ok(!c->holder_seen, "that begin at the same time: neither is within the other");
	b.time_ns++;
	two(a, b);
	ok(c->lock_held == 1 && c->holder_seen == 1,
	   "one of them may have held the lock that the other found");
	b.time_ns--;
	a.time_ns++;
	two(a, b);
	ok(c->lock_held == 1 && !c->holder_seen, "but not if it began later");
	a.time_ns--;
	b.time_ns++;
	a.reason = COWTRACE_REASON_EXCLUSIVE;
	two(a, b);
	ok(!c->holder_seen, "and not if it owned the page, which takes no lock");
	ok(c->pages[0].address == (a.address & ~(uint64_t)0x1fffff),
	   "the place of a huge page is its first address");
	b.tgid = 1;
	b.address += 17 * PAGE;
	b.outcome = COWTRACE_OUTCOME_RACED;
	two(a, b);
	ok(groups(CT_MEETING_RACE) == 1 && c->one_entry == 1,
	   "threads at two addresses of a huge page meet at one entry");
	b.path = COWTRACE_PATH_HUGETLB;
	a.path = b.path;
	b.kind = COWTRACE_KIND_HUGETLB;
	a.kind = b.kind;
	b.outcome = COWTRACE_OUTCOME_COPY;
	a.outcome = b.outcome;
	b.tgid = 2;
	two(a, b);
	ok(only(CT_MEETING_COPIES) && !c->lock_held && !c->lock_asked,
	   "a fault of a hugetlb page holds the page lock itself");
	a = copy(1, 100, 200, 7);
	b = a;
	b.tgid = 2;
	b.pid = b.tgid;
	b.path = COWTRACE_PATH_PMD;
	b.kind = COWTRACE_KIND_THP;
	b.outcome = COWTRACE_OUTCOME_SPLIT;
	two(a, b);
	ok(only(CT_MEETING_PLAIN) && !c->one_entry,
	   "a page of a huge page may meet the whole");
}

static void check_lock(void)
{
	struct cowtrace_record a = fault(1, 100, 200, COWTRACE_OUTCOME_COPY,
					 COWTRACE_REASON_LOCKED), b = reuse(2, 150, 250);

	a.state |= COWTRACE_PG_LOCKED;
	begin();
	take(a);
	b.time_ns = 300;
	take(b);
	end();
	ok(c->lock_asked == 2 && c->lock_held == 1, "pages found locked are counted");
	ok(c->locked_copies == 1 && c->locked_ns == 100, "and copies for that reason");
	ok(c->nr_locked == 1 && c->locked[0].outcome == COWTRACE_OUTCOME_COPY &&
	   c->locked[0].reason == COWTRACE_REASON_LOCKED && c->locked[0].ns == 100,
	   "and what followed");
	ok(!c->groups && !c->locked[0].met, "who held it is not made up");
	b.time_ns = 150;
	two(a, b);
	ok(groups(CT_MEETING_LOCKED) == 1 && c->locked[0].met == 1 && !c->holder_seen,
	   "a fault that met it is told, and not said to be the holder");
	b.time_ns = 90;
	b.duration_ns = 200;
	two(a, b);
	ok(!c->holder_seen, "even if it is one that may lock a page, but not this one");
	b.vm_flags |= COWTRACE_VM_SHARED;
	b.outcome = COWTRACE_OUTCOME_MKWRITE;
	two(a, b);
	ok(c->holder_seen == 1, "one of a shared mapping may be");
	a.present = 0;
	begin();
	take(a);
	end();
	ok(!c->lock_asked && !c->lock_held, "without a page there is no lock to be found");
	a = reuse(1, 100, 200);
	a.state |= COWTRACE_PG_LOCKED;
	a.kind = COWTRACE_KIND_ZERO;
	begin();
	take(a);
	end();
	ok(!c->lock_asked, "the zero page has none");
}

static void check_groups(void)
{
	struct cowtrace_record r;
	unsigned int i;

	begin();
	take(copy(1, 100, 200, 7));
	take(copy(2, 300, 400, 8));
	take(copy(3, 150, 450, 9));
	end();
	ok(c->groups == 1 && c->faults == 3 && c->largest == 3,
	   "one fault that met two joins them in a group");
	begin();
	take(copy(1, 100, 200, 7));
	take(copy(2, 110, 210, 7));
	take(copy(3, 300, 400, 8));
	take(copy(4, 310, 410, 8));
	take(copy(5, 320, 420, 8));
	take(raced(1, 150, 450, 7));
	end();
	ok(c->groups == 1 && c->faults == 6 && groups(CT_MEETING_RACE) == 1 && c->raced_seen == 1,
	   "two groups become one");
	ok(c->ns == 800, "with the time of both");
	begin();
	for (i = 0; i < 1000; i++) {
		r = copy(i + 1, 1000 * i, 1000 * i + 1500, i);
		take(r);
	}
	end();
	ok(c->groups == 1 && c->faults == 1000 && c->nr_pairs == 999,
	   "a chain of faults is one group, and its neighbours are pairs");
	ok(c->nr_kinds == 1 && c->kinds[0].met.count == 1000 && !c->kinds[0].alone.count,
	   "all of them met");
	begin();
	take(copy(1, 100, 200, 7));
	take(copy(2, 150, 250, 7));
	take(copy(1, 1000, 1050, 7));
	end();
	ok(c->nr_kinds == 1 && c->kinds[0].met.count == 2 && c->kinds[0].alone.count == 1 &&
	   c->kinds[0].alone.sum == 50, "those that met and those alone are told apart");
}

/* Faults of other frames that fill the window, each an instant after @from. */
static void fill(uint64_t from, unsigned int n)
{
	while (n--) {
		struct cowtrace_record r = reuse(50, from, from);

		from++;
		r.pfn = 0x100000 + n;
		take(r);
	}
}

static void check_window(void)
{
	begin();
	take(copy(1, 100, 200, 7));
	fill(300, CT_CONTENTION_WINDOW - 2);
	take(copy(2, 150, 1000000, 8));
	end();
	ok(c->groups == 1 && !c->early, "the window reaches as far back as it promises");
	begin();
	take(copy(1, 100, 200, 7));
	fill(300, CT_CONTENTION_WINDOW);
	take(copy(2, 150, 1000000, 8));
	end();
	ok(!c->groups && c->early == 1,
	   "a fault that began before it says that some may be missing");
	begin();
	take(copy(1, 100, 200, 7));
	take(copy(2, 150, 250, 8));
	fill(300, CT_CONTENTION_WINDOW);
	ok(c->groups == 1, "a group is counted when its last fault leaves the window");
	fill(300 + CT_CONTENTION_WINDOW, 3 * CT_CONTENTION_WINDOW);
	end();
	ok(c->groups == 1 && c->faults == 2, "and never again");
	begin();
	take(raced(1, 100, 200, 7));
	fill(300, CT_CONTENTION_WINDOW - 2);
	take(copy(1, 150, 1000000, 7));
	take(copy(3, 1000100, 1000200, 8));
	take(copy(4, 1000150, 1000250, 8));
	take(copy(5, 160, 1000300, 9));
	end();
	ok(c->groups == 1 && c->faults == 5 && groups(CT_MEETING_RACE) == 1,
	   "a group that joins another brings along who left the window before");
	begin();
	take(copy(1, 100, 200, 7));
	fill(220, 1);
	take(copy(2, 150, 250, 8));
	fill(300, CT_CONTENTION_WINDOW - 3);
	take(copy(3, 1000100, 1000200, 9));
	take(copy(4, 160, 1000300, 10));
	end();
	ok(c->nr_pairs == 3 && !c->crowded && c->groups == 1 && c->faults == 4,
	   "the place of a fault that left is free for one of the same frame");
	begin();
	for (uint32_t i = 0; i < 600; i++)
		take(copy(i + 1, 100, 1000 + i, 7));
	end();
	ok(c->groups == 1 && c->crowded == 600 - 513,
	   "a crowd is looked at up to a limit, and says so");
}

static void check_long(void)
{
	struct cowtrace_record a = copy(1, 100, 200, 7), b = copy(2, 0, 0, 8);

	b.time_ns = 150;
	b.duration_ns = UINT32_MAX;
	two(a, b);
	ok(c->groups == 1, "the longest duration is at least as long as it says");
	b.time_ns = UINT64_MAX - 10;
	a.time_ns = b.time_ns;
	b.pid = 3;
	b.tgid = b.pid;
	two(a, b);
	ok(c->groups == 1, "times at the end of the clock do not wrap");
	memset(&a, 0xff, sizeof(a));
	b = a;
	b.path = COWTRACE_NR_PATHS;
	b.kind = COWTRACE_NR_KINDS;
	b.outcome = COWTRACE_NR_OUTCOMES;
	b.reason = COWTRACE_NR_REASONS;
	two(a, b);
	ok(c->nr_kinds == 1 && c->kinds[0].path == UINT8_MAX,
	   "numbers of a later schema share a row");
}

static void check_places(void)
{
	struct cowtrace_record r;
	uint64_t i;

	begin();
	for (i = 0; i < 3; i++) {
		r = copy(1, 1000 * i, 1000 * i + 100, 7);
		r.ip = 5;
		take(r);
		r = copy(2, 1000 * i + 50, 1000 * i + 150, 7);
		r.ip = 6;
		take(r);
	}
	r = raced(2, 5000, 5100, 7);
	r.address += PAGE;
	take(r);
	r = copy(2, 5050, 5150, 7);
	r.present &= ~COWTRACE_HAS_IP;
	r.address += PAGE;
	take(r);
	end();
	ok(c->nr_pages == 3 && c->pages[0].faults == 3 && c->pages[0].process == 1 &&
	   c->pages[0].address == 0x7f0000001000 && c->pages[0].ns == 300,
	   "pages come by the faults that met there");
	ok(c->pages[2].raced == 1 && c->pages[2].copies == 1, "with their losers and copies");
	ok(c->nr_sites == 3 && c->sites[0].faults == 3, "code sites come likewise");
	ok(!c->pages_missing, "a table that is not full misses nothing");

	begin();
	for (i = 0; i < 2 * CT_CONTENTION_PAGES; i++) {
		uint64_t at = 1000 * i;

		/* Two pages that meet all the time, and as many that meet once. */
		r = copy(1, at, at + 100, 7);
		take(r);
		r = copy(2, at + 50, at + 150, 7);
		r.address += i * PAGE;
		take(r);
		r = copy(3, at + 60, at + 160, 7);
		take(r);
	}
	end();
	ok(c->nr_pages <= CT_CONTENTION_PAGES && c->pages_missing, "the table of pages is bounded");
	ok(c->pages[0].process == 1 && c->pages[0].faults == 2 * CT_CONTENTION_PAGES &&
	   c->pages[1].process == 3 && c->pages[1].faults == 2 * CT_CONTENTION_PAGES,
	   "and keeps the pages that meet most");
}

int main(void)
{
	check_overlap();
	check_frames();
	check_races();
	check_copies();
	check_huge();
	check_lock();
	check_groups();
	check_window();
	check_long();
	check_places();
	ct_contention_free(c);
	return tap_end();
}
