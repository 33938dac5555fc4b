// SPDX-License-Identifier: GPL-2.0
/* Predictions held against observations: each verdict, from made runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "generate.h"
#include "tap.h"
#include "verify_table.h"
#include "writer.h"

#define BASE		0x7f0000000000ull
#define PAGE		4096ull
#define TGID		77
#define T_5_10		COWTRACE_TRAIT_RET_WRITE
#define T_6_1		(COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE)
#define T_6_12		(COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST | \
			 COWTRACE_TRAIT_LARGE_COPY)

static struct ct_verify_run new_run(const char *label, uint32_t traits)
{
	struct ct_verify_run run = { .traits = traits };

	snprintf(run.label, sizeof(run.label), "%s", label);
	return run;
}

/* A step of @pages pages, @unit of them a folio, from @began on for 100 ns. */
static struct ct_verify_step *add_step(struct ct_verify_run *run, const char *name, uint64_t began,
				       unsigned int pages, unsigned int unit)
{
	struct ct_verify_step *s;

	run->step = realloc(run->step, (run->nr_steps + 1) * sizeof(*s));
	s = &run->step[run->nr_steps++];
	*s = (struct ct_verify_step) {
		.experiment = "made", .area = "m", .done = true,
		.began = began, .ended = began + 100,
		.tgid = TGID, .base = BASE, .bytes = pages * PAGE, .grain = PAGE,
		.unit = unit * PAGE,
		.page = calloc(pages, sizeof(*s->page)),
	};
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

/* A page that one process maps, and holds the only reference to. */
static struct cowtrace_record sample(uint64_t time, unsigned int page, int outcome)
{
	struct cowtrace_record r = plain_record(1, time);

	r.tgid = TGID;
	r.address = BASE + page * PAGE + 8;
	r.path = COWTRACE_PATH_PTE;
	r.kind = COWTRACE_KIND_ANON;
	r.outcome = outcome;
	r.origin = COWTRACE_ORIGIN_USER;
	r.fault_flags = 1;
	r.vm_flags = 0x100073;
	r.order = 0;
	r.refcount = r.mapcount = 1;
	r.state = COWTRACE_PG_ANON | COWTRACE_PG_LRU;
	r.evidence = 0;
	r.present = COWTRACE_HAS_PAGE | COWTRACE_HAS_IP;
	return r;
}

static void put(struct ct_verify_run *run, struct cowtrace_record r)
{
	if (ct_verify_add(run, &r, COWTRACE_NOT_KNOWN))
		abort();
}

static struct ct_verify_pair compare(const struct ct_verify_run *from,
				     const struct ct_verify_run *to,
				     enum ct_verify_question question)
{
	struct ct_verify_pair pair;
	struct ct_error err;

	if (ct_verify(from, to, question, &pair, &err)) {
		note("%s", err.text);
		abort();
	}
	return pair;
}

/* Whether all classes are of one verdict, @n of them. */
static bool only(const struct ct_verify_pair *p, enum ct_verify_verdict verdict, uint64_t n)
{
	return p->nr_classes == n && p->count[verdict] == n;
}

/* One page in one step: what each kernel has sampled, NULL for no fault. */
static struct ct_verify_pair one_page(uint32_t from_traits, const struct cowtrace_record *from,
				      uint32_t to_traits, const struct cowtrace_record *to,
				      enum ct_verify_question question)
{
	/* The classes point into them. */
	static struct ct_verify_run a, b;

	ct_verify_free(&a);
	ct_verify_free(&b);
	a = new_run("a", from_traits);
	b = new_run("b", to_traits);
	add_step(&a, "write", 1000, 1, 1);
	add_step(&b, "write", 1000, 1, 1);
	if (from)
		put(&a, *from);
	if (to)
		put(&b, *to);
	return compare(&a, &b, question);
}

#define OWN(ft, f, tt, t)	one_page(ft, f, tt, t, CT_VERIFY_Q_OWN)

static void check_right_and_wrong(void)
{
	struct cowtrace_record reuse = sample(1010, 0, COWTRACE_OUTCOME_REUSE), copy = reuse, held;
	struct ct_verify_pair p = OWN(T_5_10, &reuse, T_6_1, &reuse);

	ok(only(&p, CT_VERIFY_RIGHT, 1), "what was predicted and observed alike is right");
	ok(p.policy == COWTRACE_POLICY_EXCLUSIVE, "by the policy of the other kernel");
	free(p.class);
	copy.outcome = COWTRACE_OUTCOME_COPY;
	p = OWN(T_5_10, &reuse, T_6_1, &copy);
	ok(only(&p, CT_VERIFY_WRONG, 1), "a copy of a page in the same state is wrong");
	free(p.class);
	copy.vm_flags ^= 0x100000;
	copy.time_ns += 5;
	copy.pfn++;
	p = OWN(T_5_10, &reuse, T_6_1, &copy);
	ok(only(&p, CT_VERIFY_WRONG, 1), "also where something else than the page differs");
	free(p.class);
	copy.state &= ~COWTRACE_PG_LRU;
	p = OWN(T_5_10, &reuse, T_6_1, &copy);
	ok(only(&p, CT_VERIFY_WRONG, 1), "and where the page differs, but not in what explains it");
	free(p.class);
	held = copy;
	held.refcount = 5;
	held.present |= COWTRACE_HAS_EXCLUSIVE;
	p = OWN(T_5_10, &reuse, T_6_1, &held);
	ok(only(&p, CT_VERIFY_OTHER_STATE, 1), "a page with more references is in another state");
	free(p.class);
	held.state |= COWTRACE_PG_EXCLUSIVE;
	p = OWN(T_5_10, &reuse, T_6_1, &held);
	ok(only(&p, CT_VERIFY_WRONG, 1), "unless its own sample forbids what its kernel did");
	free(p.class);
	held = reuse;
	held.outcome = COWTRACE_OUTCOME_COPY;
	held.state |= COWTRACE_PG_KSM;
	p = OWN(T_5_10, &reuse, T_6_1, &held);
	ok(only(&p, CT_VERIFY_OTHER_STATE, 1), "so is one that is merged there");
	free(p.class);
	copy = reuse;
	copy.outcome = COWTRACE_OUTCOME_UNSHARE;
	copy.refcount = 5;
	p = OWN(T_5_10, &copy, T_6_1, &copy);
	ok(p.class[0].seen == CT_VERIFY_SEEN_COPY, "an unshared page is a copy");
	free(p.class);
	copy.outcome = COWTRACE_OUTCOME_RACED;
	p = OWN(T_5_10, &reuse, T_6_1, &copy);
	ok(p.count[CT_VERIFY_RIGHT] == 0, "a race is no hit");
	free(p.class);
	copy = sample(1010, 0, COWTRACE_OUTCOME_COPY);
	copy.order = 4;
	copy.refcount = copy.mapcount = 2;
	held = copy;
	copy.mapcount = 1;
	copy.refcount = 1;
	copy.present |= COWTRACE_HAS_EXCLUSIVE;
	p = OWN(T_6_1, &copy, T_6_12, &held);
	ok(only(&p, CT_VERIFY_RIGHT, 1), "the release is asked, not its whole generation");
	free(p.class);
}

static void check_undetermined(void)
{
	struct cowtrace_record held = sample(1010, 0, COWTRACE_OUTCOME_COPY), reuse = held;
	struct ct_verify_run a = new_run("a", T_5_10), b = new_run("b", T_6_1);
	struct ct_verify_pair p;

	held.refcount = 2;
	reuse.refcount = 2;
	reuse.outcome = COWTRACE_OUTCOME_REUSE;
	reuse.state |= COWTRACE_PG_EXCLUSIVE;
	reuse.present |= COWTRACE_HAS_EXCLUSIVE;
	p = OWN(T_5_10, &held, T_6_1, &reuse);
	ok(only(&p, CT_VERIFY_UNDETERMINED, 1) &&
	   p.class[0].predicted.cause == COWTRACE_CAUSE_EXCLUSIVE,
	   "what the sample does not settle is undetermined, with its cause");
	free(p.class);
	p = OWN(T_5_10, &held, T_6_1, NULL);
	ok(only(&p, CT_VERIFY_NOT_FAULTED, 1), "but not where the other kernel took no fault");
	free(p.class);
	/* What the page's past says. */
	add_step(&a, "write", 1000, 1, 1);
	add_step(&b, "write", 1000, 1, 1);
	if (ct_verify_add(&a, &held, 1))
		abort();
	put(&b, reuse);
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_RIGHT, 1), "the past of the page settles it");
	free(p.class);
	b.step[0].page[0]->record.outcome = COWTRACE_OUTCOME_COPY;
	b.step[0].page[0]->record.refcount = 5;
	b.step[0].page[0]->record.state &= ~COWTRACE_PG_EXCLUSIVE;
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_WRONG, 1), "or makes it wrong, whatever else differs");
	free(p.class);
	ct_verify_free(&a);
	ct_verify_free(&b);
}

static void check_not_faulted(void)
{
	struct cowtrace_record reuse = sample(1010, 0, COWTRACE_OUTCOME_REUSE);
	struct ct_verify_run a = new_run("a", T_6_1), b = new_run("b", T_5_10);
	struct ct_verify_pair p = OWN(T_5_10, &reuse, T_6_1, NULL);

	ok(only(&p, CT_VERIFY_NOT_FAULTED, 1) && p.class[0].has_record &&
	   p.class[0].seen == CT_VERIFY_SEEN_NOTHING,
	   "a fault that the other kernel did not take is an outcome of its own");
	free(p.class);
	p = OWN(T_6_1, NULL, T_5_10, &reuse);
	ok(only(&p, CT_VERIFY_NOT_FAULTED, 1) && !p.class[0].has_record,
	   "so is one that only the other took: there is nothing to predict from");
	free(p.class);
	p = OWN(T_5_10, NULL, T_6_1, NULL);
	ok(!p.nr_classes, "where neither took one there is nothing to say");
	free(p.class);
	add_step(&a, "write", 1000, 2, 1);
	add_step(&b, "write", 1000, 2, 1);
	put(&a, reuse);
	reuse = sample(1020, 1, COWTRACE_OUTCOME_COPY);
	reuse.mapcount = reuse.refcount = 2;
	put(&a, reuse);
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_NOT_FAULTED, 2), "with other predictions it is another class");
	free(p.class);
	ct_verify_free(&a);
	ct_verify_free(&b);
}

static void check_not_asked(void)
{
	struct cowtrace_record uffd = sample(1010, 0, COWTRACE_OUTCOME_UFFD), copy = uffd;
	struct ct_verify_pair p = OWN(T_5_10, &uffd, T_6_1, &uffd);

	ok(only(&p, CT_VERIFY_NOT_ASKED, 1), "userfaultfd asks no policy");
	free(p.class);
	copy.outcome = COWTRACE_OUTCOME_COPY;
	p = OWN(T_5_10, &uffd, T_6_1, &copy);
	ok(only(&p, CT_VERIFY_WRONG, 1), "a fault that the other kernel decided should have been asked about");
	free(p.class);
	copy.fault_flags = COWTRACE_FAULT_FLAG_UNSHARE;
	p = OWN(T_6_1, &copy, T_5_10, &copy);
	ok(only(&p, CT_VERIFY_NOT_ASKED, 1), "before 5.19 nobody asks about an unshared page");
	free(p.class);
}

/* Two steps on two pages: what follows once the one has copied and the other has not. */
static void check_diverged(void)
{
	struct ct_verify_run a = new_run("a", T_5_10), b = new_run("b", T_6_1);
	struct cowtrace_record held = sample(1010, 0, COWTRACE_OUTCOME_COPY);
	struct cowtrace_record mine = sample(1010, 0, COWTRACE_OUTCOME_REUSE);
	struct ct_verify_pair p;

	held.refcount = 2;
	mine.refcount = 2;
	mine.state |= COWTRACE_PG_EXCLUSIVE;
	mine.present |= COWTRACE_HAS_EXCLUSIVE;
	add_step(&a, "first", 1000, 2, 1);
	add_step(&a, "second", 2000, 2, 1);
	add_step(&b, "first", 1000, 2, 1);
	add_step(&b, "second", 2000, 2, 1);
	put(&a, held);
	put(&b, mine);
	put(&a, sample(2010, 0, COWTRACE_OUTCOME_REUSE));
	put(&b, sample(2010, 0, COWTRACE_OUTCOME_COPY));
	put(&a, sample(2020, 1, COWTRACE_OUTCOME_REUSE));
	put(&b, sample(2020, 1, COWTRACE_OUTCOME_REUSE));
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(p.nr_classes == 3 && p.count[CT_VERIFY_UNDETERMINED] == 1 &&
	   p.count[CT_VERIFY_DIVERGED] == 1 && p.count[CT_VERIFY_RIGHT] == 1,
	   "what follows where one has copied is diverged, of that page alone");
	free(p.class);

	/* Both pages of one folio. */
	a.step[0].unit = a.step[1].unit = b.step[0].unit = b.step[1].unit = 2 * PAGE;
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(p.count[CT_VERIFY_DIVERGED] == 2 && !p.count[CT_VERIFY_RIGHT],
	   "and of all pages of its folio");
	free(p.class);

	/* Another experiment begins anew. */
	a.step[0].unit = a.step[1].unit = b.step[0].unit = b.step[1].unit = PAGE;
	strcpy(a.step[1].experiment, "next");
	strcpy(b.step[1].experiment, "next");
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(!p.count[CT_VERIFY_DIVERGED], "the next experiment has pages of its own");
	free(p.class);
	ct_verify_free(&a);
	ct_verify_free(&b);
}

static void check_split(void)
{
	struct ct_verify_run a = new_run("a", T_5_10), b = new_run("b", T_6_1);
	struct cowtrace_record split = sample(1010, 0, COWTRACE_OUTCOME_SPLIT);
	struct cowtrace_record copy = sample(1020, 0, COWTRACE_OUTCOME_COPY);
	struct ct_verify_pair p;

	split.path = COWTRACE_PATH_PMD;
	split.kind = COWTRACE_KIND_THP;
	split.order = 9;
	split.refcount = split.mapcount = split.folio_mapcount = 2;
	split.present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	copy.refcount = copy.mapcount = 2;
	add_step(&a, "write", 1000, 1, 1);
	add_step(&b, "write", 1000, 1, 1);
	/* In the order in which they end. */
	put(&a, copy);
	put(&a, split);
	put(&b, split);
	put(&b, copy);
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_RIGHT, 2), "a split and the copy after it are compared one by one");
	free(p.class);
	p = compare(&a, &b, CT_VERIFY_Q_THP);
	ok(only(&p, CT_VERIFY_RIGHT, 1) && p.policy == COWTRACE_POLICY_MAPCOUNT &&
	   p.class[0].path == COWTRACE_PATH_PMD, "mapcount is asked about the PMD alone");
	free(p.class);
	/* As 7.2 does with the huge zero page. */
	b.step[0].page[0]->record.outcome = COWTRACE_OUTCOME_COPY;
	free(b.step[0].page[0]->next);
	b.step[0].page[0]->next = NULL;
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(p.nr_classes == 2 && p.count[CT_VERIFY_RIGHT] == 1 && p.count[CT_VERIFY_DIVERGED] == 1,
	   "a huge copy is a split, but what follows the split has diverged");
	free(p.class);
	ct_verify_free(&a);
	ct_verify_free(&b);
}

static void check_swapin(void)
{
	struct cowtrace_record shared = sample(1010, 0, COWTRACE_OUTCOME_COPY), mine;
	struct ct_verify_pair p;

	shared.origin = COWTRACE_ORIGIN_SWAPIN;
	shared.refcount = 2;
	shared.state |= COWTRACE_PG_SWAPCACHE;
	shared.present |= COWTRACE_HAS_SWAPCOUNT;
	shared.swapcount = 1;
	p = one_page(T_6_1, &shared, T_5_10, &shared, CT_VERIFY_Q_SWAPIN);
	ok(only(&p, CT_VERIFY_RIGHT, 1), "do_swap_page() that calls do_wp_page() has refused the page");
	free(p.class);
	p = one_page(T_6_1, &shared, T_5_10, NULL, CT_VERIFY_Q_SWAPIN);
	ok(only(&p, CT_VERIFY_WRONG, 1), "where it does not, it has reused it");
	free(p.class);
	mine = shared;
	mine.swapcount = 0;
	p = one_page(T_6_1, &mine, T_5_10, NULL, CT_VERIFY_Q_SWAPIN);
	ok(only(&p, CT_VERIFY_RIGHT, 1), "as it should without another entry of the slot");
	free(p.class);
	shared.origin = COWTRACE_ORIGIN_USER;
	p = one_page(T_6_1, &shared, T_5_10, &shared, CT_VERIFY_Q_SWAPIN);
	ok(!p.nr_classes, "other faults are no matter of do_swap_page()");
	free(p.class);
}

static void check_absent(void)
{
	struct ct_verify_run a = new_run("a", T_5_10), b = new_run("b", T_6_1);
	struct cowtrace_record reuse = sample(1010, 0, COWTRACE_OUTCOME_REUSE);
	struct ct_verify_pair p;
	struct ct_error err;

	add_step(&a, "write", 1000, 1, 1);
	add_step(&b, "write", 1000, 1, 1)->done = false;
	put(&a, reuse);
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_ABSENT, 1), "a step that the other kernel has not run is absent");
	free(p.class);
	p = compare(&b, &a, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_ABSENT, 1), "in both directions");
	free(p.class);
	strcpy(b.step[0].name, "other");
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(only(&p, CT_VERIFY_ABSENT, 2), "so is one that it does not know");
	free(p.class);
	strcpy(b.step[0].name, "write");
	b.step[0].done = b.step[0].race = true;
	p = compare(&a, &b, CT_VERIFY_Q_OWN);
	ok(!p.nr_classes, "where several write at once nothing is compared");
	free(p.class);
	b.step[0].race = false;
	b.step[0].grain = 2 * PAGE;
	ok(ct_verify(&a, &b, CT_VERIFY_Q_OWN, &p, &err) == -EINVAL &&
	   strstr(err.text, "step write of experiment made is not the same on a and b"),
	   "steps that touch other memory are refused");
	b.step[0].grain = PAGE;
	add_step(&a, "later", 2000, 1, 1);
	add_step(&b, "later", 2000, 2, 1);
	ok(ct_verify(&a, &b, CT_VERIFY_Q_OWN, &p, &err) == -EINVAL && !p.class && !p.nr_classes,
	   "and leave nothing of what was compared before them");
	ct_verify_free(&a);
	ct_verify_free(&b);
}

/* --- the table ------------------------------------------------------------------ */

static void check_differences(void)
{
	struct cowtrace_record a = sample(1010, 0, COWTRACE_OUTCOME_REUSE), b = a;
	char text[128];

	ok(!*ct_verify_differences(&a, &b, text, sizeof(text)), "equal samples have no differences");
	b.time_ns++;
	b.pfn++;
	b.folio_mapcount = 7;
	b.state |= COWTRACE_PG_DIRTY | COWTRACE_PG_EXCLUSIVE;
	ok(!*ct_verify_differences(&a, &b, text, sizeof(text)),
	   "nor samples that differ in what no policy asks, or one kernel does not give");
	b.refcount = 2;
	b.state ^= COWTRACE_PG_LRU;
	ok(!strcmp(ct_verify_differences(&a, &b, text, sizeof(text)), "refcount 1, 2; lru 1, 0"),
	   "what differs is said of both");
	ct_verify_differences(&a, &b, text, 12);
	ok(!strcmp(text, "refcount 1,"), "as far as there is room");
}

static void check_table(void)
{
	struct ct_verify_run runs[2] = { new_run("5.10", T_5_10), new_run("6.12", T_6_12) };
	struct ct_verify_table t;
	struct ct_error err;

	add_step(&runs[0], "write", 1000, 1, 1);
	add_step(&runs[1], "write", 1000, 1, 1);
	ok(!ct_verify_table(runs, 2, &t, &err) && !t.passed, "a table of nothing does not pass");
	ct_verify_table_free(&t);
	put(&runs[0], sample(1010, 0, COWTRACE_OUTCOME_REUSE));
	put(&runs[1], sample(1010, 0, COWTRACE_OUTCOME_REUSE));
	ok(!ct_verify_table(runs, 2, &t, &err) && t.passed && t.different == 2 &&
	   t.count[CT_VERIFY_RIGHT] == 2, "both ordered pairs are right, and pass");
	ok(t.nr_pairs == 8, "each kernel with itself, and mapcount on 5.10, come after them");
	ct_verify_table_free(&t);
	runs[1].step[0].page[0]->record.outcome = COWTRACE_OUTCOME_COPY;
	ok(!ct_verify_table(runs, 2, &t, &err) && !t.passed && t.wrong,
	   "one that is wrong does not");
	ct_verify_table_free(&t);
	ct_verify_free(&runs[0]);
	ct_verify_free(&runs[1]);
}

/* @right classes that are right in each direction, one that is undetermined in one. */
static bool passes(unsigned int right)
{
	struct ct_verify_run runs[2] = { new_run("5.10", T_5_10), new_run("6.12", T_6_12) };
	struct cowtrace_record r = sample(1010, 0, COWTRACE_OUTCOME_REUSE);
	struct ct_verify_table t;
	struct ct_error err;
	unsigned int i;
	bool passed;

	for (i = 0; i <= right; i++) {
		uint64_t began = 1000 * (i + 1);

		add_step(&runs[0], "0", began, 1, 1)->name[0] += i;
		add_step(&runs[1], "0", began, 1, 1)->name[0] += i;
		r.time_ns = began + 10;
		if (i == right) {
			r.refcount = 2;
			r.outcome = COWTRACE_OUTCOME_COPY;
		}
		put(&runs[0], r);
		r.present |= COWTRACE_HAS_EXCLUSIVE;
		put(&runs[1], r);
		r.present &= ~COWTRACE_HAS_EXCLUSIVE;
	}
	if (ct_verify_table(runs, 2, &t, &err))
		abort();
	passed = t.passed;
	if (t.wrong || t.count[CT_VERIFY_UNDETERMINED] != 1)
		abort();
	ct_verify_table_free(&t);
	ct_verify_free(&runs[0]);
	ct_verify_free(&runs[1]);
	return passed;
}

static void check_limit(void)
{
	ok(passes(4), "one of ten may be undetermined");
	ok(!passes(3), "one of eight may not");
}

/* --- files ---------------------------------------------------------------------- */

#define RUN								\
	"{\"version\":\"1.1\",\"kernel\":\"6.1.0\",\"generation\":\"6.1\",\"backend\":\"kretprobe\"," \
	"\"lost\":%d,\"trace\":%s,\"experiments\":[{\"name\":\"made\",\"steps\":[{\"name\":\"write\"," \
	"\"began_ns\":1000000000,\"ended_ns\":1000000100,\"parts\":[{\"area\":\"m\",\"tgid\":77," \
	"\"base\":139637976727552,\"bytes\":8192,\"grain\":%d,\"unit\":4096}]}," \
	"{\"name\":\"again\"}]}]}"

/* A whole trace of one fault of the step, one of another process, and one after it. */
static char *write_trace(uint32_t traits, bool gap)
{
	struct cowtrace_record list[3] = {
		sample(1000000010, 1, COWTRACE_OUTCOME_REUSE),
		sample(1000000020, 1, COWTRACE_OUTCOME_REUSE),
		sample(1000000200, 1, COWTRACE_OUTCOME_REUSE),
	};
	char *schema = schema_text(traits), *path = temporary_file();
	struct bytes sideband = { 0 };
	struct ct_writer *w;

	list[1].tgid++;
	list[1].seq = gap ? 3 : 2;
	list[2].seq = list[1].seq + 1;
	/* Its memory is of an exec, and was never forked. */
	add_fork(&sideband, 400000000, TGID, 1);
	add_comm(&sideband, 500000000, TGID, "made", 1);
	if (ct_writer_open(path, &w) ||
	    ct_writer_chunk(w, CT_CHUNK_SCHEMA, UINT32_MAX, schema, strlen(schema)) ||
	    ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size) ||
	    ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, list, sizeof(list)) || ct_writer_close(w))
		abort();
	free(sideband.data);
	free(schema);
	return path;
}

static int load(const char *trace, int lost, int grain, struct ct_verify_run *run,
		struct ct_error *err)
{
	char *path = temporary_file(), text[1024], quoted[256];
	int ret;

	snprintf(quoted, sizeof(quoted), trace ? "\"%s\"" : "null", trace);
	snprintf(text, sizeof(text), RUN, lost, quoted, grain);
	write_file(path, text, strlen(text));
	ret = ct_verify_load(path, run, err);
	remove(path);
	free(path);
	return ret;
}

static void check_load(void)
{
	struct ct_verify_run run;
	struct ct_error err;
	char *path = write_trace(T_6_1, false), *short_path = write_trace(T_6_1, true);
	char *old = write_trace(T_5_10, false);

	ok(!load(path, 0, 4096, &run, &err) && run.nr_steps == 2 && run.traits == T_6_1 &&
	   !strcmp(run.label, "6.1"), "a run and its trace are read");
	ok(run.step[0].done && !run.step[0].page[0] && run.step[0].page[1] &&
	   !run.step[0].page[1]->next, "a fault stands at its page, if it is of the step");
	ok(!run.step[1].done, "a step without parts was not done");
	ok(run.step[0].page[1]->exclusive == COWTRACE_NOT_KNOWN,
	   "a kernel that knows of exclusive pages is not told of them");
	ct_verify_free(&run);
	ok(!load(old, 0, 4096, &run, &err) && run.step[0].page[1]->exclusive == 1,
	   "for one that does not the past of the page is asked");
	ct_verify_free(&run);
	ok(load(NULL, 0, 4096, &run, &err) == -EINVAL && strstr(err.text, "names no trace"),
	   "a run without a trace is refused");
	ct_verify_free(&run);
	ok(load("/nonexistent/x", 0, 4096, &run, &err) == -ENOENT &&
	   strstr(err.text, "put it beside it"), "so is one whose trace is gone");
	ct_verify_free(&run);
	ok(load(path, 7, 4096, &run, &err) == -EINVAL && strstr(err.text, "lacks 7 records"),
	   "or that lost records");
	ct_verify_free(&run);
	ok(load(short_path, 0, 4096, &run, &err) == -EINVAL && strstr(err.text, "1 records lost"),
	   "or whose trace lacks some");
	ct_verify_free(&run);
	ok(load(path, 0, 0, &run, &err) == -EINVAL && strstr(err.text, "where an experiment touched"),
	   "or that says nonsense about its memory");
	ct_verify_free(&run);
	ok(ct_verify_load(path, &run, &err) == -EINVAL && strstr(err.text, "is it the output of"),
	   "a trace is no run");
	ct_verify_free(&run);
	remove(path);
	free(path);
	remove(short_path);
	free(short_path);
	remove(old);
	free(old);
}

int main(void)
{
	check_right_and_wrong();
	check_undetermined();
	check_not_faulted();
	check_not_asked();
	check_diverged();
	check_split();
	check_swapin();
	check_absent();
	check_differences();
	check_table();
	check_limit();
	check_load();
	return tap_end();
}
