// SPDX-License-Identifier: GPL-2.0
/* The file counts: what is parsed of it, what is refused, and the report on it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cowtrace/vocab.h>

#include "counts.h"
#include "generate.h"
#include "numbers.h"
#include "reported.h"
#include "tap.h"
#include "writer.h"

static struct ct_schema *schema;

static const char counted[] =
	"mode counts\n"
	"durations 1\n"
	"processes 1\n"
	"policies 1\n"
	"fault reuse sole-ref 5 0 5000\n"
	"fault copy mapped 10 40960 30000\n"
	"fault unshare pinned 1 4096 4000\n"
	"fault split mapped 2 0 9000\n"
	"duration reuse sole-ref 512 4\n"
	"duration reuse sole-ref 2147483648 1\n"
	"duration copy mapped 1 3\n"
	"duration copy mapped 2048 7\n"
	"duration unshare pinned 2048 1\n"
	"duration split mapped 4096 2\n"
	"process 200 9 7 2 0 28672 20000 exact redis-server\n"
	"process 4294967295 5 3 1 1 12288 9000 at-least a b\\n\\\\\\033c\n"
	"others 4 1 2 1 4096 19000\n"
	"policy copy mapped minimal copy 6\n"
	"policy copy mapped minimal reuse 3\n"
	"policy copy mapped minimal undetermined 1\n"
	"policy unshare pinned minimal reuse 1\n"
	"policy split mapped minimal copy 2\n"
	"policy reuse sole-ref minimal reuse 3\n"
	"policy reuse sole-ref minimal copy 2\n"
	"policy copy mapped mapcount copy 10\n"
	"policy unshare pinned mapcount copy 1\n"
	"policy split mapped mapcount copy 2\n"
	"policy reuse sole-ref mapcount reuse 5\n"
	"policy mkwrite none mapcount not-asked 7\n"
	"policy raced none mapcount copy 8\n"
	"policy raced none minimal copy 8\n"
	"of-a-later-version 1 2 3\n";

static struct ct_counts *parsed(const char *text)
{
	struct ct_counts *counts = NULL;
	struct ct_error err = { 0 };

	if (ct_counts_parse(text, schema, &counts, &err))
		note("%s", err.text);
	return counts;
}

static void check_parsed(void)
{
	struct ct_counts *c = parsed(counted);

	if (!ok(c, "a file of the mode counts is understood, lines of a later version too"))
		return;
	ok(c->counting && c->timed && c->durations && c->by_process,
	   "it says what is counted");
	ok(c->nr_pairs == 6 && c->pairs[1].outcome == COWTRACE_OUTCOME_COPY &&
	   c->pairs[1].reason == COWTRACE_REASON_MAPPED, "an outcome and reason is a line");
	ok(c->pairs[1].faults == 10 && c->pairs[1].bytes == 40960 && c->pairs[1].ns == 30000,
	   "with faults, bytes and time");
	ok(c->pairs[1].log2[0] == 3 && c->pairs[1].log2[11] == 7,
	   "durations stand where their power of two is");
	ok(c->pairs[0].log2[31] == 1, "the last power of two is 2^31 ns");
	ok(c->nr_processes == 2 && c->processes[0].tgid == 200 &&
	   c->processes[1].tgid == UINT32_MAX, "a process is a line, in the order of the file");
	ok(c->processes[0].count.faults == 9 && c->processes[0].count.copies == 7 &&
	   c->processes[0].count.reuses == 2 && c->processes[1].count.splits == 1 &&
	   c->processes[0].count.bytes == 28672 && c->processes[0].count.ns == 20000,
	   "with each of its counts in its place");
	ok(!c->processes[0].at_least && c->processes[1].at_least,
	   "a lower bound is told from a count");
	ok(!strcmp(c->processes[0].comm, "redis-server"), "a plain name is a name");
	ok(!strcmp(c->processes[1].comm, "a b?\\?c"),
	   "a name keeps its spaces, its escapes are resolved, and no terminal has to fear it");
	ok(c->others.faults == 4 && c->others.copies == 1 && c->others.reuses == 2 &&
	   c->others.splits == 1 && c->others.bytes == 4096 && c->others.ns == 19000,
	   "so are those that had to make room");
	ct_counts_free(c);
}

static void check_policies(void)
{
	struct ct_counts *c = parsed(counted);
	struct ct_counted_policy minimal = ct_counts_policy(c, COWTRACE_POLICY_MINIMAL);
	struct ct_counted_policy mapcount = ct_counts_policy(c, COWTRACE_POLICY_MAPCOUNT);

	ok(c->policies && c->pairs[1].answers[COWTRACE_POLICY_MINIMAL][COWTRACE_ANSWER_REUSE] == 3,
	   "what a policy answers stands by outcome and reason");
	ok(minimal.copies == 10 && minimal.reuses == 7 && minimal.undetermined == 1,
	   "its sums are of reuses, copies, unshares and splits");
	ok(minimal.avoided == 4 && minimal.added == 2,
	   "what it would have avoided and added is told apart");
	ok(mapcount.copies == 13 && mapcount.reuses == 5 && !mapcount.avoided && !mapcount.added,
	   "a race that nobody decided is in none of them");
	ct_counts_free(c);
}

static void check_less(void)
{
	struct ct_counts *c = parsed("mode records\ndurations 0\nprocesses 0\npolicies 0\n"
				     "fault copy mapped 1 4096 7\n");

	ok(c && !c->counting && c->timed && c->nr_pairs == 1 && !c->nr_processes,
	   "a file of the mode records has outcomes and reasons, with times");
	ct_counts_free(c);
	c = parsed("mode counts\ndurations 0\nprocesses 1\npolicies 0\n"
		   "fault copy mapped 1 4096 -\nprocess 7 1 1 0 0 4096 - exact x\nothers 0 0 0 0 0 -\n");
	ok(c && !c->timed && !c->pairs[0].ns, "without a clock no time is made up");
	ct_counts_free(c);
	c = parsed("mode counts\n");
	ok(c && !c->nr_pairs && !c->nr_processes, "no fault is no line");
	ct_counts_free(c);
	ct_counts_free(NULL);
}

static void check_refused(void)
{
	static const char *const bad[] = {
		"mode maybe", "mode", "durations 2", "processes", "fault copy mapped 1 4096",
		"fault copy mapped 1 4096 7 8", "fault copy mapped -1 4096 7",
		"fault copy mapped x 4096 7", "fault cpoy mapped 1 4096 7",
		"fault copy mapped 99999999999999999999 0 0", "fault copy  mapped 1 1 1",
		"duration copy mapped 3 1", "duration copy mapped 0 1",
		"duration copy mapped 4294967296 1", "duration copy mapped 4 1 1",
		"process 7 1 1 0 0 4096 5 nearly x", "process 7 1 1 0 0 4096 5 exact",
		"process 4294967296 1 1 0 0 4096 5 exact x", "process x 1 1 0 0 4096 5 exact x",
		"others 1 2 3 4 5", "others 1 2 3 4 5 6 7", "policies 2", "policy minimal copy 3",
		"policy copy mapped minimal copy", "policy copy mapped maximal copy 3",
		"policy copy mapped minimal maybe 3",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ct_counts *c = NULL;
		struct ct_error err = { 0 };
		int ret;

		snprintf(text, sizeof(text), "mode counts\n%s\n", bad[i]);
		ret = ct_counts_parse(text, schema, &c, &err);
		ok(ret == -EINVAL && !c && strstr(err.text, "line 2 "),
		   "\"%s\" is refused, with its line", bad[i]);
		ct_counts_free(c);
	}
}

/* Under ASan: what does not crash is read within its bounds. */
static void check_damaged(void)
{
	struct random_state random = { 1 };
	char text[sizeof(counted)];
	unsigned int refused = 0;

	for (int round = 0; round < 20000; round++) {
		struct ct_counts *c = NULL;
		struct ct_error err;

		memcpy(text, counted, sizeof(text));
		for (uint64_t n = 1 + below(&random, 4); n; n--)
			text[below(&random, sizeof(text) - 1)] = 1 + below(&random, 255);
		refused += !!ct_counts_parse(text, schema, &c, &err);
		ct_counts_free(c);
	}
	ok(refused > 5000, "20,000 damaged texts are read or refused");
	note("%u refused", refused);
}

static void check_report(const char *path)
{
	static const struct expected_number numbers[] = {
		{ "faults.faults", 18, "the faults are the sum of their outcomes" },
		{ "faults.copies", 11, "unshares are copies" },
		{ "faults.reuses", 5, "reuses are reuses" },
		{ "faults.splits", 2, "splits are splits" },
		{ "faults.bytes_copied", 45056, "their bytes are added up" },
		{ "faults.time_ns", 48000, "so is their time" },
		{ "faults.copy_time_ns", 34000, "and that of the copies" },
		{ "faults.elapsed_ns", 2000000000, "it says for how long" },
		{ "reasons.0.faults", 10, "the most frequent reason comes first" },
		{ "reasons.0.duration.sum_ns", 30000, "a reason has its time" },
		{ "reasons.0.duration.p50_ns", 4095, "a median is the end of its power of two" },
		{ "reasons.1.duration.max_ns", UINT32_MAX, "so is the longest" },
		{ "outcomes.0.duration.p50_ns", 1023, "an outcome has durations" },
		{ "processes.0.pid", 200, "the process with the most copies comes first" },
		{ "processes.0.at_least", 0, "it is exact" },
		{ "processes.1.at_least", 1, "another is a lower bound" },
		{ "others.faults", 4, "the rest is told" },
		{ "policies.5.avoided", 4, "what a policy would have avoided is told" },
		{ "policies.5.reasons.0.copies", 6, "so is what it says by reason" },
		{ "lost.module.full", 4, "what was lost is told" },
		{ "lost.left_out.filtered_entry", 3, "what was filtered is told" },
	};
	struct ct_writer *w = begin_trace(path, 0);
	char *text;
	int status;

	ct_writer_state(w, "counts", counted);
	ct_writer_state(w, "session", "elapsed_ns 2000000000\n");
	ct_writer_state(w, "lost", "full 4\n");
	ct_writer_state(w, "stats", "filtered_entry 3\n");
	ct_writer_close(w);

	text = report(path, true, &status);
	ok(check_numbers_in(text, "", numbers, sizeof(numbers) / sizeof(*numbers)) &&
	   status == CT_REPORT_OK, "the JSON report on counts parses");
	ok(strstr(text, "\"mode\":\"counts\"") && !strstr(text, "\"sites\""),
	   "it says that it is of counts, and has no table that it cannot fill");
	free(text);
	text = report(path, false, &status);
	ok(strstr(text, "18 write-protect faults of 2 processes in 2.00 s, 9 a second"),
	   "the text begins with how many faults");
	ok(strstr(text, "11 copied it (61.1 %): 44.0 KiB copied, 34.0"), "and has the bytes");
	ok(strstr(text, "others, of a full table           4          1          2"),
	   "the processes end with those that had to make room");
	ok(strstr(text, "  copy    mapped                 10        10         -         -         -               -        6+\n"),
	   "what policies say of a reason is a line");
	ok(strstr(text, "  minimal                   10          7            1          4          2"),
	   "and their sums are");
	ok(strstr(text, "pages, and forks need records: cowtrace run --records"),
	   "it says what only records answer, and how to get them");
	ok(!strstr(text, "Where the writes came from") && !strstr(text, "Kinds of page"),
	   "and has no empty table for that");
	if (tap_failed)
		note("%s", text);
	free(text);
}

/* What cowtrace counts reports while the module counts without clock and processes. */
static void check_report_less(const char *path)
{
	struct ct_writer *w = begin_trace(path, 0);
	char *text;
	int status;

	ct_writer_state(w, "counts", "mode counts\ndurations 0\nprocesses 0\npolicies 0\n"
				     "fault copy mapped 3 12288 -\n");
	ct_writer_state(w, "stats", "state running\n");
	ct_writer_close(w);
	text = report(path, true, &status);
	ok(strstr(text, "\"time_ns\":null") && strstr(text, "\"duration\":null") &&
	   strstr(text, "\"elapsed_ns\":null"), "no clock is no time in JSON");
	ok(strstr(text, "\"processes\":null") && strstr(text, "\"policies\":null"),
	   "nor are processes and policies that were not counted");
	ok(strstr(text, "\"running\":true"), "that counting goes on is told");
	free(text);
	text = report(path, false, &status);
	ok(strstr(text, "counting goes on") && strstr(text, "\n3 write-protect faults\n") &&
	   strstr(text, "  3 copied it (100.0 %): 12.0 KiB copied\n"),
	   "the text has no time either");
	ok(!strstr(text, "Processes") && !strstr(text, "How long"),
	   "and no table of what was not counted");
	free(text);
}

static void check_report_refuses(const char *path)
{
	struct ct_writer *w = begin_trace(path, 0);
	int status;

	ct_writer_state(w, "counts", "mode counts\nfault copy mapped many 0 0\n");
	ct_writer_close(w);
	free(report(path, false, &status));
	ok(status == CT_REPORT_FAILED && strstr(last_complaint.text, "line 2 of counts"),
	   "counts that make no sense are no report");
}

int main(void)
{
	char *path = temporary_file();

	schema = schema_of(0);
	check_parsed();
	check_policies();
	check_less();
	check_refused();
	check_damaged();
	check_report(path);
	check_report_less(path);
	check_report_refuses(path);
	ct_schema_free(schema);
	unlink(path);
	free(path);
	return tap_end();
}
