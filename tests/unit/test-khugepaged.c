// SPDX-License-Identifier: GPL-2.0
/* Ranges that khugepaged scanned: how an event is read and judged, added up and shown. */
#include <errno.h>
#include <stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "experiment_parts.h"
#include "generate.h"
#include "khugepaged.h"
#include "reported.h"
#include "tap.h"
#include "writer.h"

#define FORMAT	"name: mm_khugepaged_scan_pmd\nID: 500\nformat:\n"			\
	"\tfield:int status;\toffset:36;\tsize:4;\tsigned:1;\n\n"			\
	"print fmt: \"mm=%p, status=%s\", REC->mm, __print_symbolic(REC->status, "	\
	"{ 0, \"failed\" }, { 1, \"succeeded\" }, { 7, \"exceed_shared_pte\" }), REC->unmapped\n"

#define RANGE	"addr=0x7f0000200000 owner=99 owner_comm=redis seen=before table=pte ptes=512 "

/* 256 pages of a folio shared, one page written, 250 PTEs empty and 5 of the zero page. */
#define FEARED	RANGE "none=250 zero=5 unmapped=0 special=0 present=257 writable=1 referenced=257 " \
	"large=256 precise=256 likely=0 maybe=- "
#define LIMITS	"max_ptes_none=511 max_ptes_swap=64 max_ptes_shared=0 "

static struct ct_state names = {
	.nr = 1,
	.file[0] = { "groups/khugepaged/format", FORMAT },
};

static struct ct_khuge_scan scan_of(const char *fields)
{
	struct ct_group_event e = { .seq = 4, .comm = "khugepaged", .word = "scan",
				    .fields = fields };
	struct ct_khuge_scan scan;

	ct_khuge_read(&e, &names, 4096, &scan);
	return scan;
}

static void check_verdicts(void)
{
	char name[32];

	ok(ct_khuge_verdict(FORMAT, 7, name, sizeof(name)) && !strcmp(name, "exceed_shared_pte"),
	   "the name of a verdict is that of the event's format");
	ok(!ct_khuge_verdict(FORMAT, 8, name, sizeof(name)), "a number that it does not have has none");
	ok(!ct_khuge_verdict(FORMAT, 7, name, 8), "nor has one that is too long");
	ok(!ct_khuge_verdict(NULL, 1, name, sizeof(name)) &&
	   !ct_khuge_verdict("print fmt: __print_symbolic(REC->status, { 1", 1, name, sizeof(name)),
	   "a format that is missing or cut off is no names");
}

static void check_judgement(void)
{
	struct ct_khuge_scan s;

	s = scan_of("origin=khugepaged " FEARED "estimate=likely " LIMITS "status=1");
	ok(s.finding == CT_KHUGE_FALSE_EXCLUSIVE && s.collapsed,
	   "within the limit by the estimate, over it by the precise count: false exclusive");
	ok(s.shared_bytes == 256 * 4096 && s.filled_bytes == 255 * 4096 && !s.missed_bytes,
	   "it costs a copy of each shared page, and memory where there was none or zeros");
	ok(s.shared[CT_ESTIMATE_MAYBE] < 0 && ct_khuge_over(&s, CT_ESTIMATE_MAYBE) < 0,
	   "what an estimate would have said stays open where it is not known");
	s = scan_of("origin=khugepaged " FEARED "estimate=likely " LIMITS "status=0");
	ok(s.finding == CT_KHUGE_FALSE_EXCLUSIVE && !s.collapsed && !s.shared_bytes,
	   "it costs nothing where the range was not collapsed");
	s = scan_of("origin=khugepaged " FEARED "estimate=precise " LIMITS "status=7");
	ok(s.finding == CT_KHUGE_RIGHT && !s.shared_bytes, "a precise estimate is right");
	s = scan_of("origin=madvise " FEARED "estimate=likely " LIMITS "status=1");
	ok(s.madvise && s.finding == CT_KHUGE_OPEN && !s.shared_bytes,
	   "MADV_COLLAPSE has no limit to be on one side of");
	s = scan_of("origin=khugepaged " FEARED
		    "estimate=likely max_ptes_none=- max_ptes_swap=- max_ptes_shared=- status=1");
	ok(s.max_shared < 0 && s.finding == CT_KHUGE_OPEN, "nor has a limit that is not known");
	s = scan_of("origin=khugepaged " RANGE
		    "none=0 zero=0 present=512 precise=0 likely=0 maybe=511 estimate=maybe " LIMITS
		    "status=7");
	ok(s.finding == CT_KHUGE_FALSE_SHARED && s.missed_bytes == 2 << 20,
	   "over the limit by the estimate alone, and refused for it: 2 MiB are missed");
	s = scan_of("origin=khugepaged addr=- owner=- owner_comm=- seen=while table=- ptes=- "
		    "precise=- estimate=precise " LIMITS "status=9");
	ok(!s.address && !s.owner && s.ptes < 0 && s.finding == CT_KHUGE_OPEN,
	   "what the kernel does not tell is not known");
	ok(!strcmp(s.verdict, "status 9"), "a verdict without a name is its number");
}

static void check_sum(void)
{
	static const char *const fields[] = {
		"origin=khugepaged " FEARED "estimate=likely " LIMITS "status=1",
		"origin=khugepaged " FEARED "estimate=likely " LIMITS "status=0",
		"origin=madvise " FEARED "estimate=likely " LIMITS "status=1",
		"origin=khugepaged addr=0x200000 table=none ptes=- estimate=likely " LIMITS
		"status=0",
	};
	struct ct_khugepaged sum = { .own = CT_NR_ESTIMATES };
	struct ct_khuge_scan s;
	size_t i;

	for (i = 0; i < 4; i++) {
		s = scan_of(fields[i]);
		ct_khugepaged_add(&sum, &s);
	}
	ok(sum.scans[0] == 3 && sum.scans[1] == 1 && sum.nr_verdicts == 2 &&
	   sum.verdicts[0].scans[0] == 1 && sum.verdicts[0].scans[1] == 1 &&
	   sum.verdicts[1].scans[0] == 2, "scans are counted by verdict and origin");
	ok(sum.read == 3 && sum.limited == 2 && sum.sum.present == 3 * 257 &&
	   sum.estimates[CT_ESTIMATE_PRECISE].ptes == 3 * 256,
	   "PTEs are those of the ranges that were read");
	ok(sum.estimates[CT_ESTIMATE_PRECISE].over == 2 &&
	   !sum.estimates[CT_ESTIMATE_LIKELY].over &&
	   !sum.estimates[CT_ESTIMATE_MAYBE].known, "over the limit are those to which one applied");
	ok(sum.false_exclusive.scans == 2 && sum.false_exclusive.acted == 1 &&
	   sum.false_exclusive.shared_bytes == 256 * 4096 && sum.false_exclusive.first == 4,
	   "of those that were false exclusive one was collapsed");
}

static struct ct_exp_answer answer(const char *text)
{
	struct ct_exp_answer a = { .given = true, .n = 1 };
	char copy[64];

	strcpy(copy, text);
	if (!ct_exp_scan_parse(copy, &a.scan[0]))
		a.n = 0;
	return a;
}

static bool refused(const char *text)
{
	return !answer(text).n;
}

static void check_answers(void)
{
	struct ct_khuge_scan s = scan_of("origin=khugepaged " FEARED "estimate=likely " LIMITS
					 "status=1");
	struct ct_exp_answer a;
	char text[80];

	ok(!strcmp(ct_exp_scan_text(&s, text, sizeof(text)), "succeeded:256/0/-"),
	   "a scan is written as its answer");
	a = answer(text);
	ok(ct_exp_scan_matches(&a, &s), "which allows it");
	a = answer("succeeded:256/*/*");
	ok(ct_exp_scan_matches(&a, &s), "as does one that leaves numbers open");
	a = answer("succeeded:256/0/0");
	ok(!ct_exp_scan_matches(&a, &s), "but a number is none that is not known");
	a = answer("exceed_shared_pte:256/0/-");
	ok(!ct_exp_scan_matches(&a, &s), "and another verdict is another");
	ok(refused("") && refused(":1/2/3") && refused("succeeded:1/2") &&
	   refused("succeeded:1/2/3/4") && refused("succeeded:1/x/3") && refused("succeeded:513/0/0") &&
	   refused("Copy mapped"), "what is no answer is refused");
}

static const char *trace(char *path)
{
	static const char events[] = "khugepaged\n"
		"5.000000001 [000] scan seq=1 pid=35 tgid=35 origin=khugepaged " FEARED
		"estimate=likely " LIMITS "status=1 kernel_none=255 comm=khugepaged\n"
		"5.000000002 [000] scan seq=4 pid=35 tgid=35 origin=khugepaged addr=0x7f0000200000 "
		"table=huge ptes=- estimate=likely " LIMITS "status=7 comm=khugepaged\n";
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_RET_WRITE |
						COWTRACE_TRAIT_EXCLUSIVE);

	if (ct_writer_chunk(w, CT_CHUNK_GROUP, UINT32_MAX, events, strlen(events)) ||
	    ct_writer_state(w, "groups/khugepaged/format", FORMAT) ||
	    ct_writer_state(w, "groups/khugepaged/stats", "unmatched 3\ncut 2\n") ||
	    ct_writer_close(w))
		abort();
	return path;
}

static void check_report(void)
{
	char *path = temporary_file(), *text;
	struct json_object *all;
	int status;

	text = report(trace(path), false, &status);
	ok(!status && strstr(text, "2 scans: 2 by khugepaged, 0 by MADV_COLLAPSE") &&
	   strstr(text, "2 more are lost"), "the report counts scans, and what is lost");
	ok(strstr(text, "False exclusive: 1 range, first khugepaged:1. 1 collapsed: 1024 KiB") &&
	   strstr(text, "False shared: none"), "and says what wrong estimates cost");
	free(text);
	text = report(path, true, &status);
	all = json_tokener_parse(text);
	ok(number(all, "groups.khugepaged.scans") == 2 && number(all, "groups.khugepaged.lost") == 2 &&
	   number(all, "groups.khugepaged.false_exclusive.collapsed") == 1 &&
	   number(all, "groups.khugepaged.false_exclusive.shared_bytes") == 256 * 4096 &&
	   number(all, "groups.khugepaged.false_exclusive.filled_bytes") == 255 * 4096,
	   "the JSON has the same");
	ok(number(all, "groups.khugepaged.unseen") == 5,
	   "scans that were seen in part are told apart from those that are lost");
	ok(number(all, "groups.khugepaged.list.1.seq") == 4 &&
	   number(all, "groups.khugepaged.list.0.ptes") == 512 &&
	   number(all, "groups.khugepaged.list.1.ptes") <= 0,
	   "with each scan, null for what is not known");
	json_object_put(all);
	free(text);
	remove(path);
	free(path);
}

/* --- an experiment -------------------------------------------------------------------- */

static const char exp_text[] =
	"experiment e\ntitle t\narea t thp 1\ndo write t\ndo keep t 1-256\ndo poke t 300\n"
	"step s collapse t 0\n5.10,6.12,7.2 exceed_shared_pte why\n6.1 succeeded:256/0/- why\n";

/* Judged as on 6.1, by a trace and what the stage has counted. */
static struct ct_exp_run judged(const struct ct_experiments *all, struct ct_stage_log *log,
				const char *path)
{
	struct ct_exp_run run = { .all = all, .log = log };
	struct ct_reader *reader;
	struct ct_error err;

	if (ct_reader_open(path, &reader, &err) || ct_experiments_judge(&run, reader, &err))
		abort();
	ct_reader_close(reader);
	return run;
}

static bool refused_text(const char *step)
{
	char text[256];
	struct ct_experiments all = { 0 };
	struct ct_error err;
	bool bad;

	snprintf(text, sizeof(text), "experiment e\ntitle t\narea t thp 1\narea m anon 1\n%s\n", step);
	bad = ct_experiments_parse(text, strlen(text), "f.exp", &all, &err) == -EINVAL &&
	      !strstr(err.text, "has no step");
	ct_experiments_free(&all);
	return bad;
}

static void check_experiment(void)
{
	struct ct_stage_log log = {
		.state = CT_STAGE_DONE,
		.step[0] = {
			.state = CT_STAGE_DONE, .began = 5000000000ull, .ended = 6000000000ull,
			.part[0] = { .tgid = 99, .count = 1, .base = 0x7f0000200000,
				     .bytes = 2 << 20, .grain = 2 << 20, .shared = 256,
				     .none = 255 },
		},
	};
	struct ct_experiments all = { 0 };
	char *path = temporary_file();
	struct ct_exp_run run;
	struct ct_error err;

	trace(path);
	if (ct_experiments_parse(exp_text, strlen(exp_text), "f.exp", &all, &err))
		abort();
	run = judged(&all, &log, path);
	ok(run.result[0].step[0].verdict == CT_VERDICT_EXPECTED,
	   "the first scan that found a page table is that of the step");
	ok(run.result[0].step[0].scan.consequence == CT_CONSEQUENCE_WASTED &&
	   run.result[0].step[0].scan.copied_bytes == 1 << 20 &&
	   run.result[0].step[0].scan.filled_bytes == 255 << 12,
	   "what it wasted is by what the stage counted");
	free(run.result);
	log.step[0].part[0].shared = 255;
	run = judged(&all, &log, path);
	ok(run.result[0].step[0].unexpected == 1,
	   "a precise count other than that of kpagecount is a difference");
	free(run.result);
	log.step[0].part[0].shared = 256;
	log.step[0].part[0].tgid = 98;
	run = judged(&all, &log, path);
	ok(run.result[0].step[0].unexpected == 1 &&
	   !strcmp(run.result[0].step[0].observed[0].scan, "not scanned"),
	   "the same address of another process is another range");
	free(run.result);
	ct_experiments_free(&all);
	ok(refused_text("do poke t 512") && refused_text("do keep t 300-299") &&
	   refused_text("do keep t 5") && refused_text("step s collapse t 512") &&
	   refused_text("step s collapse m 0") &&
	   refused_text("step s collapse t 0\n6.1 copy:mapped x"),
	   "pages beyond a unit, limits, areas and answers that cannot be are refused");
	remove(path);
	free(path);
}

int main(void)
{
	check_verdicts();
	check_judgement();
	check_sum();
	check_answers();
	check_report();
	check_experiment();
	return tap_end();
}
