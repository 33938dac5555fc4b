// SPDX-License-Identifier: GPL-2.0
/* Files of experiments, and what a run of them is held against. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "experiment_parts.h"
#include "generate.h"
#include "tap.h"
#include "writer.h"

#define GOOD								\
	"experiment one # a comment\n"					\
	"title\tA child writes\n"					\
	"area\tm anon 4\n"						\
	"do\twrite m\n"							\
	"do\tfork c\n"							\
	"step\tchild c: write m\n"					\
	"\t5.10\tcopy:mapped|copy:lru+raced\tpage_count()\n"		\
	"\t6.1,6.12\tnone\twhy\n"					\
	"\t7.2\tabsent\twhy not\n"

static int parse(const char *text, struct ct_experiments *all, struct ct_error *err)
{
	memset(all, 0, sizeof(*all));
	return ct_experiments_parse(text, strlen(text), "f.exp", all, err);
}

static void check_parsed(void)
{
	struct ct_experiments all;
	struct ct_error err;
	const struct ct_experiment *e;

	ok(!parse(GOOD, &all, &err) && all.n == 1, "a file of one experiment is read");
	e = all.list;
	ok(!strcmp(e->name, "one") && !strcmp(e->title, "A child writes"), "its name and its title");
	ok(e->nr_ops == 3 && e->nr_steps == 1 && e->step[0].first == 2 && e->step[0].n == 1,
	   "its operations, of which the step is the last");
	ok(e->op[2].actor == 1 && !strcmp(e->actor[1], "c") && e->op[1].other == 1,
	   "fork makes the actor that the step names");
	ok(e->step[0].answer[CT_EXP_KERNEL_6_12].given &&
	   !e->step[0].answer[CT_EXP_KERNEL_6_12].absent &&
	   e->step[0].answer[CT_EXP_KERNEL_6_12].sequence[0].n == 0, "none is an answer without faults");
	ok(e->step[0].answer[CT_EXP_KERNEL_7_2].absent, "absent is no answer of pages");
	ok(!strcmp(e->step[0].answer[CT_EXP_KERNEL_5_10].why, "page_count()"), "the reason is kept");
	ct_experiments_free(&all);
}

static const struct {
	const char	*text, *error;
} wrong[] = {
	{ "title x\n", "f.exp:1: a file begins with: experiment NAME" },
	{ "", "f.exp:1: there is no experiment in it" },
	{ "experiment a\nfoo\n", "f.exp:2: \"foo\" is none of" },
	{ "experiment a\nexperiment b\n", "experiment a has no title" },
	{ "experiment a\ntitle t\n", "experiment a has no step" },
	{ "experiment a\narea m tape 4\n", "area wants a name, a kind and a number" },
	{ "experiment a\narea m anon 0\n", "area m wants a number of units" },
	{ "experiment a\narea m anon 1\narea m anon 1\n", "there is an area m already" },
	{ "experiment a\ndo dance\n", "there is no operation \"dance\"" },
	{ "experiment a\ndo write\n", "write wants an area" },
	{ "experiment a\ndo write m\n", "there is no area m" },
	{ "experiment a\ndo c: write m\n", "there is no actor c yet" },
	{ "experiment a\ndo fork p\n", "there is an actor p already" },
	{ "experiment a\ndo fork\n", "fork wants a further word" },
	{ "experiment a\narea m anon 1\ndo write m half\n", "write does not take \"half\"" },
	{ "experiment a\narea m anon 1\ndo hold m tape\n", "hold does not take \"tape\"" },
	{ "experiment a\ndo wait 0\n", "\"0\" is no number of milliseconds" },
	{ "experiment a\nneeds luck\n", "needs takes cpus N" },
	{ "experiment a\n5.10 none x\n", "an answer stands below a step" },
	{ "experiment a\nstep s drain\n", "a step is watched in its area" },
	{ "experiment a\ntitle t\narea m anon 1\nstep s write m\n5.10 none x\n", "no answer for 6.1" },
	{ "experiment a\narea m anon 1\nstep s write m\n5.11 none x\n", "kernels are 5.10, 6.1" },
	{ "experiment a\narea m anon 1\nstep s write m\n5.10 eaten x\n", "\"eaten\" is no outcome" },
	{ "experiment a\narea m anon 1\nstep s write m\n5.10 copy:hunger x\n", "\"hunger\" is no reason" },
	{ "experiment a\narea m anon 1\nstep s write m\n5.10 none\n", "the reason of the answer is empty" },
	{ "experiment a\narea m anon 1\nstep s write m\n5.10 none x\n5.10 none x\n", "5.10 has an answer already" },
	{ "experiment a\narea m anon 1\nstep s write m & write m & write m\n", "more than 2 at the same time" },
	{ "experiment a\narea m anon 1\nstep s write m & write m\n", "at the same time two actors" },
	{ "experiment a\narea m anon 1\ndo fork c\nstep s write m & c: unmap m\n", "at the same time two actors" },
	{ "experiment a\narea m anon 1\narea n anon 2\ndo fork c\nstep s write m & c: write n\n", "at the same time two actors" },
	{ "experiment a\narea m anon 1 2\n", "area m wants a number of units" },
};

static void check_wrong(void)
{
	struct ct_experiments all;
	struct ct_error err;
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		bool good = parse(wrong[i].text, &all, &err) == -EINVAL && !all.n &&
			    strstr(err.text, wrong[i].error);

		if (!ok(good, "what is wrong is named: %s", wrong[i].error))
			note("%s", err.text);
		ct_experiments_free(&all);
	}
	memcpy(text, "experiment a\0b\n", 15);
	memset(&all, 0, sizeof(all));
	ok(ct_experiments_parse(text, 15, "f.exp", &all, &err) == -EINVAL &&
	   strstr(err.text, "this is no text"), "a file with NUL is no text");
	ct_experiments_free(&all);
}

static bool matches(const char *answer, unsigned int n, const struct ct_exp_fault *fault)
{
	struct ct_experiments all;
	struct ct_error err;
	char text[512];
	bool yes;

	snprintf(text, sizeof(text),
		 "experiment a\ntitle t\narea m anon 1\nstep s write m\n5.10,6.1,6.12,7.2 %s x\n",
		 answer);
	yes = !parse(text, &all, &err) &&
	      ct_exp_matches(&all.list[0].step[0].answer[0], fault, n);
	ct_experiments_free(&all);
	return yes;
}

static void check_matches(void)
{
	static const struct ct_exp_fault both[] = {
		{ COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED },
		{ COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_SOLE_REF },
	}, unsettled[] = {
		{ COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED },
		{ COWTRACE_OUTCOME_UNKNOWN, COWTRACE_REASON_NONE },
	};

	ok(matches("none", 0, both), "no fault is none");
	ok(!matches("none", 1, both), "a fault is not none");
	ok(matches("copy:mapped", 1, both), "outcome and reason");
	ok(!matches("copy:lru", 1, both), "another reason does not match");
	ok(matches("copy", 1, both), "without a reason any will do");
	ok(!matches("reuse", 1, both), "another outcome does not match");
	ok(matches("copy+reuse", 2, both), "two faults in their order");
	ok(!matches("reuse+copy", 2, both), "not in another");
	ok(!matches("copy", 2, both) && !matches("copy", 2, unsettled), "not one of two");
	ok(!matches("copy+reuse", 1, both), "nor two for one");
	ok(matches("none|copy:lru|copy:mapped", 1, both), "any of the alternatives");
}

static void check_kernels(void)
{
	ok(ct_exp_kernel(COWTRACE_TRAIT_RET_WRITE) == CT_EXP_KERNEL_5_10, "5.10 by its traits");
	ok(ct_exp_kernel(COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE) ==
	   CT_EXP_KERNEL_6_1, "6.1 by its traits");
	ok(ct_exp_kernel(COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST |
			 COWTRACE_TRAIT_LARGE_COPY) == CT_EXP_KERNEL_6_12, "6.12 by its traits");
	ok(ct_exp_kernel(COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST |
			 COWTRACE_TRAIT_LARGE_EXCLUSIVE) == CT_EXP_KERNEL_7_2, "7.2 by its traits");
}

/* --- judging ------------------------------------------------------------------ */

#define BASE	0x7f0000000000ull
#define TGID	77

static struct cowtrace_record fault(uint32_t seq, uint64_t time, unsigned int page, int outcome,
				    int reason)
{
	struct cowtrace_record r = plain_record(seq, time);

	r.tgid = TGID;
	r.address = BASE + page * 4096 + 8;
	r.outcome = outcome;
	r.reason = reason;
	r.duration_ns = 10;
	return r;
}

/* The traits of 5.10, in a kernel that has another number. */
static bool another_kernel;

/* All four pages in their first state; @n records of @list. */
static struct ct_exp_run judge(const struct ct_experiments *all, struct ct_stage_log *log,
			       const struct cowtrace_record *list, size_t n, uint64_t lost)
{
	static const char release[] = "5.10.0-5-amd64";
	char *schema = schema_text(COWTRACE_TRAIT_RET_WRITE), *path = temporary_file();
	char *kernel = strstr(schema, "6.1.0-50-amd64");
	struct ct_exp_run run = { .all = all, .log = log, .lost = lost };
	struct ct_reader *reader;
	struct ct_writer *w;
	struct ct_error err;

	if (kernel && !another_kernel)
		memcpy(kernel, release, strlen(release));
	if (ct_writer_open(path, &w) ||
	    ct_writer_chunk(w, CT_CHUNK_SCHEMA, UINT32_MAX, schema, strlen(schema)) ||
	    ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, list, n * sizeof(*list)) ||
	    ct_writer_close(w) || ct_reader_open(path, &reader, &err) ||
	    ct_experiments_judge(&run, reader, &err))
		abort();
	ct_reader_close(reader);
	remove(path);
	free(path);
	free(schema);
	return run;
}

static void check_judge(void)
{
	struct cowtrace_record good[] = {
		fault(1, 1000, 0, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED),
		fault(2, 2000, 1, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED),
		fault(3, 3000, 2, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED),
		fault(4, 4000, 3, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED),
	}, bad[4];
	struct ct_stage_log log = {
		.state = CT_STAGE_DONE,
		.step[0] = {
			.state = CT_STAGE_DONE, .began = 500, .ended = 9000,
			.part[0] = { TGID, 4, BASE, 4 * 4096, 4096 },
		},
	};
	const struct ct_step_result *r;
	struct ct_experiments all;
	struct ct_exp_run run;
	struct ct_error err;
	char text[64];

	if (parse(GOOD, &all, &err))
		abort();
	run = judge(&all, &log, good, 4, 0);
	r = &run.result[0].step[0];
	ok(r->verdict == CT_VERDICT_EXPECTED && r->pages == 4 && r->faults == 4 && !r->unexpected,
	   "each page as expected");
	ok(r->nr_observed == 1 && r->observed[0].pages == 4 &&
	   !strcmp(ct_observed_text(&r->observed[0], text, sizeof(text)), "copy:mapped"),
	   "pages that saw the same are counted together");
	ok(r->ns == 40, "with the time of their faults");
	free(run.result);

	memcpy(bad, good, sizeof(bad));
	bad[2].reason = COWTRACE_REASON_LRU;
	run = judge(&all, &log, bad, 4, 0);
	ok(run.result[0].step[0].verdict == CT_VERDICT_DIFFERENT &&
	   run.result[0].step[0].unexpected == 1, "one page of another reason is a difference");
	ok(run.result[0].verdict == CT_VERDICT_DIFFERENT && run.total[CT_VERDICT_DIFFERENT] == 1,
	   "and so is the experiment");
	free(run.result);

	run = judge(&all, &log, good, 3, 0);
	ok(run.result[0].step[0].verdict == CT_VERDICT_DIFFERENT, "a page without its fault is a difference");
	free(run.result);

	run = judge(&all, &log, good, 3, 1);
	ok(run.result[0].step[0].verdict == CT_VERDICT_UNKNOWN, "but unknown when records were lost");
	free(run.result);

	another_kernel = true;
	run = judge(&all, &log, good, 3, 0);
	ok(run.result[0].step[0].verdict == CT_VERDICT_UNKNOWN && !run.exact,
	   "or when the kernel is none of the four");
	free(run.result);
	another_kernel = false;

	memcpy(bad, good, sizeof(bad));
	bad[3].tgid++;
	run = judge(&all, &log, bad, 4, 0);
	ok(run.result[0].step[0].faults == 3, "a fault of another process is none of the step");
	free(run.result);
	bad[3] = good[3];
	bad[3].time_ns = 9500;
	run = judge(&all, &log, bad, 4, 0);
	ok(run.result[0].step[0].faults == 3, "nor one that began after it");
	free(run.result);

	/* The second fault of a page ends, and is read, before the first. */
	memcpy(bad, good, sizeof(bad));
	bad[0] = fault(1, 1500, 1, COWTRACE_OUTCOME_RACED, COWTRACE_REASON_NONE);
	bad[1] = fault(2, 1400, 1, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_LRU);
	bad[1].duration_ns = 600;
	run = judge(&all, &log, bad, 2, 0);
	r = &run.result[0].step[0];
	ok(r->nr_observed == 2 && r->observed[1].n == 2 &&
	   !strcmp(ct_observed_text(&r->observed[1], text, sizeof(text)), "copy:lru+raced"),
	   "faults of a page stand in the order in which they began");
	free(run.result);

	log.state = CT_STAGE_REFUSED;
	log.step[0].state = CT_STAGE_WAITING;
	run = judge(&all, &log, good, 4, 0);
	ok(run.result[0].verdict == CT_VERDICT_SKIPPED, "what the machine refuses is skipped");
	free(run.result);
	log.state = CT_STAGE_UNSEEN;
	run = judge(&all, &log, good, 4, 0);
	ok(run.result[0].verdict == CT_VERDICT_UNSEEN && run.steps[CT_VERDICT_UNSEEN] == 1,
	   "what the backend does not see is unseen, step by step");
	free(run.result);
	log.state = CT_STAGE_FAILED;
	log.code = -EOPNOTSUPP;
	run = judge(&all, &log, good, 4, 0);
	ok(run.result[0].verdict == CT_VERDICT_DIFFERENT, "what fails is a difference");
	free(run.result);
	all.list[0].step[0].answer[CT_EXP_KERNEL_5_10].absent = true;
	log.code = -ENOMEM;
	run = judge(&all, &log, good, 4, 0);
	ok(run.result[0].verdict == CT_VERDICT_DIFFERENT, "also where nothing is expected");
	free(run.result);
	log.code = -EOPNOTSUPP;
	run = judge(&all, &log, good, 4, 0);
	ok(run.result[0].verdict == CT_VERDICT_ABSENT, "unless this kernel has no such thing");
	free(run.result);
	log.state = CT_STAGE_DONE;
	log.step[0].state = CT_STAGE_DONE;
	run = judge(&all, &log, good, 4, 0);
	ok(run.result[0].verdict == CT_VERDICT_DIFFERENT, "which must fail then");
	free(run.result);
	ct_experiments_free(&all);
}

int main(void)
{
	check_parsed();
	check_wrong();
	check_matches();
	check_kernels();
	check_judge();
	return tap_end();
}
