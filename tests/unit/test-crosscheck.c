// SPDX-License-Identifier: GPL-2.0
/* Records of two backends: which belong to one call, and what of them may differ. */
#include <string.h>

#include "crosscheck.h"
#include "sample.h"
#include "tap.h"

enum { MODULE, BPF };

static struct cowtrace_record fault(uint32_t pid, uint64_t time)
{
	struct cowtrace_record r = { 0 };

	r.pid = pid;
	r.tgid = pid;
	r.time_ns = time;
	r.duration_ns = 100;
	r.address = 0x7000000;
	r.outcome = COWTRACE_OUTCOME_COPY;
	r.pfn = 100;
	r.new_pfn = 200;
	r.present = COWTRACE_HAS_NEW_PFN | COWTRACE_HAS_PAGE;
	r.refcount = 2;
	return r;
}

static void end(struct ct_cross *c)
{
	ct_cross_known(c, MODULE, UINT64_MAX);
	ct_cross_known(c, BPF, UINT64_MAX);
}

/* --- pairing -------------------------------------------------------------------- */

static void missing(void)
{
	struct ct_cross c = { .list_max = 10 };
	struct cowtrace_record r;

	/* One thread, three calls at one address; each side misses one. */
	for (uint64_t t = 1000; t <= 3000; t += 1000) {
		r = fault(1, t);
		if (t != 1000)
			ct_cross_add(&c, MODULE, &r);
		r.time_ns += 10;
		if (t != 2000)
			ct_cross_add(&c, BPF, &r);
	}
	ok(c.pairs == 1 && !c.alone[MODULE] && !c.alone[BPF],
	   "spans that overlap are one call; nobody is alone before all is known");
	end(&c);
	ok(c.pairs == 1 && c.alone[MODULE] == 1 && c.alone[BPF] == 1,
	   "at the end, who has no partner was seen by one side alone");
	ok(!c.worst[CT_CROSS_VERDICT] && !c.worst[CT_CROSS_FIXED] && !c.worst[CT_CROSS_RACING],
	   "and that is no difference between two records");
	ok(c.nr_list == 2 && c.list[0].seen == 1u << BPF && c.list[1].seen == 1u << MODULE &&
	   c.list[0].side[BPF].time_ns == 1010 && c.list[1].side[MODULE].time_ns == 2000,
	   "both are listed with their records");
	ct_cross_free(&c);
}

static void others(void)
{
	struct cowtrace_record r = fault(1, 1000);
	struct ct_cross c = { .list_max = 10 };

	ct_cross_add(&c, MODULE, &r);
	r.pid = 2;
	ct_cross_add(&c, BPF, &r);
	r.pid = 1;
	r.address += 0x1000;
	ct_cross_add(&c, BPF, &r);
	r.address -= 0x1000;
	r.path = COWTRACE_PATH_PMD;
	ct_cross_add(&c, BPF, &r);
	r.path = COWTRACE_PATH_PTE;
	r.time_ns = 1101;
	ct_cross_add(&c, BPF, &r);
	ok(!c.pairs, "another thread, address, path or time is another call");
	ct_cross_free(&c);
}

/* More than there are places to look for them. */
static void crowds(void)
{
	struct ct_cross c = { 0 };
	struct cowtrace_record r;

	for (uint32_t i = 1; i <= 100000; i++) {
		r = fault(i, 1000);
		ct_cross_add(&c, MODULE, &r);
		r.pid += 100000;
		ct_cross_add(&c, BPF, &r);
		r = fault(0, 1000);
		r.address += i * 0x1000ull;
		ct_cross_add(&c, MODULE, &r);
		r.address += 100000 * 0x1000ull;
		ct_cross_add(&c, BPF, &r);
	}
	ok(!c.pairs, "and none of many is taken for another");
	ct_cross_free(&c);
}

static void overlapping(void)
{
	struct cowtrace_record inner = fault(1, 1200), outer = fault(1, 1000), again = inner;
	struct ct_cross c = { .list_max = 10 };

	/* Ends tell apart what both overlap: 1300 is nearer to 1310 than 1500. */
	outer.duration_ns = 500;
	outer.outcome = COWTRACE_OUTCOME_RACED;
	again.duration_ns = 110;
	ct_cross_add(&c, MODULE, &outer);
	ct_cross_add(&c, MODULE, &inner);
	ct_cross_add(&c, BPF, &again);
	outer.time_ns += 5;
	ct_cross_add(&c, BPF, &outer);
	ok(c.pairs == 2 && !c.worst[CT_CROSS_VERDICT],
	   "of several calls whose spans overlap, the one that ended nearest");
	end(&c);
	ok(!c.alone[MODULE] && !c.alone[BPF], "and none is left over");
	ct_cross_free(&c);
}

static void waited_for(void)
{
	struct cowtrace_record r = fault(1, 1000), other = fault(1, 1000);
	struct ct_cross c = { .list_max = 10, .late_ns = 500 };

	ct_cross_add(&c, MODULE, &r);
	ct_cross_known(&c, BPF, 1600);
	ct_cross_add(&c, BPF, &r);
	ok(c.pairs == 1 && !c.alone[MODULE], "a partner that comes late is waited for");
	ct_cross_add(&c, MODULE, &r);
	ct_cross_known(&c, MODULE, UINT64_MAX);
	ok(!c.alone[MODULE], "whatever is known of its own side");
	ct_cross_known(&c, BPF, 1601);
	ok(c.alone[MODULE] == 1, "but not for ever");
	/* The greatest duration stands for any that is longer. */
	r = fault(1, 1000);
	r.duration_ns = UINT32_MAX;
	other = r;
	ct_cross_known(&c, MODULE, 60000000000);
	ct_cross_known(&c, BPF, 60000000000);
	ct_cross_add(&c, MODULE, &r);
	ct_cross_known(&c, BPF, 60000000400);
	ct_cross_add(&c, BPF, &other);
	ok(c.pairs == 2, "a fault longer than a duration can be has not ended long ago");
	ct_cross_free(&c);
}

static void edges(void)
{
	struct ct_cross c = { .list_max = 10, .begin_ns = 1000, .end_ns = 2000 };
	struct cowtrace_record r = fault(1, 999);

	ct_cross_add(&c, MODULE, &r);
	r = fault(1, 1901);
	ct_cross_add(&c, MODULE, &r);
	r = fault(2, 1901);
	ct_cross_add(&c, MODULE, &r);
	ct_cross_add(&c, BPF, &r);
	end(&c);
	ok(c.edge[MODULE] == 2 && !c.alone[MODULE] && c.pairs == 1,
	   "while only one side watched, the other missed nothing; but what both saw counts");
	r = fault(1, 1000);
	ct_cross_add(&c, BPF, &r);
	r = fault(1, 1900);
	ct_cross_add(&c, BPF, &r);
	end(&c);
	ok(c.alone[BPF] == 2 && !c.edge[BPF], "all the time between them is watched by both");
	ct_cross_free(&c);
}

/* More than may wait; and as many again when those are through. */
static void bounded(void)
{
	struct ct_cross c = { .list_max = 1 };
	struct cowtrace_record r;

	for (uint32_t i = 0; i <= CT_CROSS_WAITING_MAX; i++) {
		r = fault(i, 1000 + i);
		ct_cross_add(&c, MODULE, &r);
	}
	ok(c.given_up[MODULE] == 1 && !c.alone[MODULE],
	   "of too many that wait one is given up, and counted");
	for (uint32_t i = 0; i <= CT_CROSS_WAITING_MAX; i++) {
		r = fault(i, 1000 + i);
		ct_cross_add(&c, BPF, &r);
	}
	end(&c);
	ok(c.pairs == CT_CROSS_WAITING_MAX && c.alone[BPF] == 1 && !c.alone[MODULE] &&
	   c.given_up[MODULE] == 1, "all others find their partners");
	ok(c.nr_list == 1 && !c.list[0].side[BPF].pid, "it was the oldest");
	ct_cross_free(&c);
}

/* --- comparing ------------------------------------------------------------------ */

static enum ct_cross_class worst(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	return ct_cross_worst(ct_cross_compare(a, b), a->path);
}

static void differing(void)
{
	struct cowtrace_record a = fault(1, 1000), b = a;

	b.time_ns += 7;
	b.duration_ns += 7;
	b.seq = 9;
	ok(worst(&a, &b) == CT_CROSS_NR_CLASSES, "times and numbers are each side's own");
	b = a;
	b.refcount = 3;
	ok(worst(&a, &b) == CT_CROSS_RACING, "counts may race");
	b = a;
	b.state = COWTRACE_PG_LRU;
	ok(worst(&a, &b) == CT_CROSS_RACING, "and lists");
	b.state = COWTRACE_PG_LOCKED;
	ok(worst(&a, &b) == CT_CROSS_RACING, "and the lock");
	b.state = COWTRACE_PG_WRITEBACK;
	ok(worst(&a, &b) == CT_CROSS_RACING, "and writeback");
	b.outcome = COWTRACE_OUTCOME_REUSE;
	ok(worst(&a, &b) == CT_CROSS_VERDICT, "outcomes may not, whatever else differs");
	b = a;
	b.pfn = 101;
	ok(worst(&a, &b) == CT_CROSS_VERDICT, "nor the page frame at entry");
	b = a;
	b.new_pfn = 201;
	ok(worst(&a, &b) == CT_CROSS_VERDICT, "nor that at exit");
	b.present &= ~COWTRACE_HAS_NEW_PFN;
	b.new_pfn = 0;
	ok(worst(&a, &b) == CT_CROSS_NR_CLASSES, "unless it was there for one side only");
	b.state = COWTRACE_EXIT_PRESENT;
	ok(worst(&a, &b) == CT_CROSS_RACING, "which is a race of the state at exit");
	b = a;
	b.origin = COWTRACE_ORIGIN_SWAPIN;
	ok(worst(&a, &b) == CT_CROSS_FIXED, "where an access came from stays as it is");
	b = a;
	b.present &= ~COWTRACE_HAS_PAGE;
	b.refcount = 0;
	a.refcount = 0;
	ok(worst(&a, &b) == CT_CROSS_RACING, "what is absent is not 0");
}

static void held(void)
{
	struct cowtrace_record a = fault(1, 1000), b = a;

	b.state = COWTRACE_PG_EXCLUSIVE;
	ok(worst(&a, &b) == CT_CROSS_FIXED, "the page-table lock holds whose a page is");
	a.path = COWTRACE_PATH_PMD;
	b.path = COWTRACE_PATH_PMD;
	ok(worst(&a, &b) == CT_CROSS_RACING,
	   "but nobody has it yet at the entry of a huge PMD's fault");
}

static void listing(void)
{
	struct ct_cross c = { .list_max = 1 };

	for (uint32_t i = 0; i < 3; i++) {
		struct cowtrace_record a = fault(i, 1000), b = a;

		b.refcount = 3;
		ct_cross_add(&c, MODULE, &a);
		ct_cross_add(&c, BPF, &b);
		b.outcome = COWTRACE_OUTCOME_REUSE;
		ct_cross_add(&c, BPF, &b);
		ct_cross_add(&c, MODULE, &a);
	}
	ok(c.worst[CT_CROSS_VERDICT] == 3 && c.worst[CT_CROSS_RACING] == 3,
	   "each pair counts by what is worst of it");
	ok(c.listed[CT_CROSS_VERDICT] == 3 && c.listed[CT_CROSS_RACING] == 1 && c.nr_list == 4,
	   "all that must not differ is listed, of races as many as wanted");
	ok(c.differ[0] == 3, "and each field has its count");
	ok(c.list[0].side[MODULE].refcount == 2 && c.list[0].side[BPF].refcount == 3 &&
	   c.list[1].side[MODULE].outcome == COWTRACE_OUTCOME_COPY &&
	   c.list[1].side[BPF].outcome == COWTRACE_OUTCOME_REUSE,
	   "each record stands on its side, whichever came first");
	ct_cross_free(&c);
}

int main(void)
{
	missing();
	others();
	crowds();
	overlapping();
	waited_for();
	edges();
	bounded();
	differing();
	held();
	listing();
	return tap_end();
}
