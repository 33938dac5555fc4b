// SPDX-License-Identifier: GPL-2.0
/* cowtrace top: differences of two looks, their order, and the lines made of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "counts.h"
#include "generate.h"
#include "tap.h"
#include "top.h"
#include "top_view.h"
#include "units.h"

#define SECOND	1000000000ull
#define HEAD	"mode counts\ndurations 1\nprocesses 1\npolicies 0\n"

static struct ct_schema *schema;

static struct ct_counts *parsed(const char *text)
{
	struct ct_counts *counts = NULL;
	struct ct_error err;

	if (ct_counts_parse(text, schema, &counts, &err))
		note("%s", err.text);
	return counts;
}

/* @before: NULL for no look. */
static struct ct_top between(const char *before, const char *now, uint64_t elapsed_ns)
{
	struct ct_counts *a = before ? parsed(before) : NULL, *b = parsed(now);
	struct ct_top top = { 0 };

	if (!b || (before && !a) || ct_top_between(&top, a, b, elapsed_ns))
		note("no interval");
	ct_counts_free(a);
	ct_counts_free(b);
	return top;
}

static const struct ct_top_row *process(const struct ct_top *top, uint32_t tgid)
{
	static const struct ct_top_row none;

	for (size_t i = 0; i < top->nr_processes; i++)
		if (top->processes[i].tgid == tgid)
			return &top->processes[i];
	return &none;
}

static const struct ct_top_row *pattern(const struct ct_top *top, int outcome, int reason)
{
	static const struct ct_top_row none;

	for (size_t i = 0; i < top->nr_patterns; i++)
		if (top->patterns[i].outcome == outcome && top->patterns[i].reason == reason)
			return &top->patterns[i];
	return &none;
}

static const char first[] = HEAD
	"fault copy mapped 100 409600 1000000\n"
	"fault reuse sole-ref 50 0 50000\n"
	"process 7 90 60 30 0 245760 700000 exact redis-server\n"
	"process 8 50 40 10 0 163840 340000 exact worker\n"
	"others 10 0 10 0 0 10000\n";

/* 7 has copied 20 more, 8 has reused 5, 9 is new, and there is a new pattern. */
static const char second[] = HEAD
	"fault copy mapped 120 491520 1500000\n"
	"fault reuse sole-ref 57 0 60000\n"
	"fault unshare pinned 3 12288 3000\n"
	"process 7 110 80 30 0 327680 1200000 exact redis-server\n"
	"process 8 55 40 15 0 163840 345000 exact worker\n"
	"process 9 5 3 2 0 12288 8000 at-least newcomer\n"
	"others 10 0 10 0 0 10000\n";

static void check_differences(void)
{
	struct ct_top top = between(first, second, 2 * SECOND);
	const struct ct_top_row *row;

	ok(!top.reset && top.elapsed_ns == 2 * SECOND && top.timed && top.by_process,
	   "an interval says how long it was and what was counted");
	row = pattern(&top, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED);
	ok(row->now.faults == 20 && row->now.copies == 20 && row->now.bytes == 81920 &&
	   row->now.ns == 500000 && row->now.copy_ns == 500000,
	   "a pattern has what came between two looks");
	ok(row->total.faults == 120 && row->total.bytes == 491520, "and all that was counted");
	row = pattern(&top, COWTRACE_OUTCOME_UNSHARE, COWTRACE_REASON_PINNED);
	ok(row->now.faults == 3 && row->now.copies == 3 && row->now.bytes == 12288,
	   "a pattern that was not there before begins at zero, and an unshare is a copy");
	ok(top.sum.now.faults == 30 && top.sum.now.copies == 23 && top.sum.now.reuses == 7 &&
	   top.sum.now.bytes == 94208 && top.sum.now.ns == 513000 && top.sum.total.faults == 180,
	   "the sum is that of all patterns");
	row = process(&top, 7);
	ok(row->now.faults == 20 && row->now.copies == 20 && !row->now.reuses &&
	   row->now.bytes == 81920 && row->now.ns == 500000 && row->total.copies == 80 &&
	   !strcmp(row->comm, "redis-server"), "so has a process");
	row = process(&top, 9);
	ok(row->now.faults == 5 && row->now.copies == 3 && row->at_least,
	   "a new process begins at zero, and a lower bound stays one");
	ok(!top.others.now.faults && top.others.total.faults == 10,
	   "where nobody made room, the others have nothing new");
	ok(ct_top_rate(&top, 20) == 10, "a rate is by the second");
	ct_top_clear(&top);
}

static void check_first(void)
{
	struct ct_top top = between(NULL, first, 5);

	ok(!top.elapsed_ns && top.sum.now.faults == 150 && process(&top, 7)->now.faults == 90,
	   "without a look before, all is new");
	ok(ct_top_rate(&top, 150) == 0, "and no rate is made of no time");
	ct_top_clear(&top);
}

static void check_reset(void)
{
	struct ct_top top = between(second, first, SECOND);

	ok(top.reset && top.sum.now.faults == 150 && process(&top, 7)->now.copies == 60,
	   "counters that went back were reset: what they show now came since");
	ct_top_clear(&top);
	top = between(second, HEAD "others 0 0 0 0 0 0\n", SECOND);
	ok(top.reset && !top.sum.now.faults && !top.nr_patterns && !top.nr_processes,
	   "also when nothing was counted since");
	ct_top_clear(&top);
	top = between("mode records\ndurations 0\nprocesses 0\npolicies 0\n"
		      "fault copy mapped 10 40960 100\n", second, SECOND);
	ok(top.reset && top.sum.now.faults == 180, "another mode begins at zero too");
	ct_top_clear(&top);
	top = between(first, first, SECOND);
	ok(!top.reset && !top.sum.now.faults && top.nr_processes == 2,
	   "an interval in which nothing happened is no reset, and keeps its rows");
	ct_top_clear(&top);
}

/* 8 gave its line to 9, which has 40 faults; 8 itself had 4 more before it went. */
static void check_vanished(void)
{
	struct ct_top top = between(first, HEAD
		"fault copy mapped 144 589824 1440000\n"
		"fault reuse sole-ref 50 0 50000\n"
		"process 7 90 60 30 0 245760 700000 exact redis-server\n"
		"process 9 40 40 0 0 163840 400000 exact newcomer\n"
		"others 64 44 20 0 180224 390000\n", SECOND);
	uint64_t sum = top.others.now.faults;

	for (size_t i = 0; i < top.nr_processes; i++)
		sum += top.processes[i].now.faults;
	ok(top.others.now.faults == 4 && top.others.now.copies == 4 &&
	   top.others.now.bytes == 16384 && top.others.now.ns == 40000,
	   "of a process that made room the others get what is new, not all that it ever had");
	ok(process(&top, 9)->now.faults == 40 && !process(&top, 8)->tgid && sum == 44 &&
	   sum == top.sum.now.faults, "and processes with others still add up to all");
	ct_top_clear(&top);
	/* 7 made room on one CPU and came back: it has less than before. */
	top = between(first, HEAD
		"fault copy mapped 110 450560 1100000\n"
		"fault reuse sole-ref 50 0 50000\n"
		"process 7 30 20 10 0 81920 200000 at-least redis-server\n"
		"process 8 50 40 10 0 163840 340000 exact worker\n"
		"others 80 50 30 0 204800 610000\n", SECOND);
	ok(!top.reset && !process(&top, 7)->now.faults && top.others.now.faults == 10 &&
	   top.others.now.copies == 10,
	   "a process with less than before is no reset; what is new stands with the others");
	ct_top_clear(&top);
}

static void check_untimed(void)
{
	struct ct_top top = between(NULL, "mode counts\ndurations 0\nprocesses 0\npolicies 0\n"
					  "fault copy mapped 2 8192 -\n", 0);

	ok(!top.timed && !top.by_process && !top.nr_processes && top.sum.now.faults == 2,
	   "times and processes that are not counted are said to be so");
	ct_top_clear(&top);
}

static bool in_order(const struct ct_top *top, uint32_t a, uint32_t b, uint32_t c)
{
	return top->nr_processes == 3 && top->processes[0].tgid == a &&
	       top->processes[1].tgid == b && top->processes[2].tgid == c;
}

static void check_order(void)
{
	struct ct_top top = between(first, second, SECOND);

	ct_top_sort(&top, CT_TOP_COPIES, false);
	ok(in_order(&top, 7, 9, 8), "the most copies of the interval come first");
	ct_top_sort(&top, CT_TOP_COPIES, true);
	ok(in_order(&top, 8, 9, 7), "or last");
	ct_top_sort(&top, CT_TOP_REUSES, false);
	ok(in_order(&top, 8, 9, 7), "rows are ordered by reuses");
	ct_top_sort(&top, CT_TOP_TIME, false);
	ok(in_order(&top, 7, 9, 8) && top.patterns[0].outcome == COWTRACE_OUTCOME_COPY,
	   "by time, patterns too");
	ct_top_sort(&top, CT_TOP_TOTAL, false);
	ok(in_order(&top, 7, 8, 9), "and by totals");
	ct_top_sort(&top, CT_TOP_SPLITS, false);
	ok(in_order(&top, 7, 9, 8), "where all have as much, copies decide");
	ok(ct_top_key_named("copied") == CT_TOP_BYTES && ct_top_key_named("x") == -1 &&
	   !strcmp(ct_top_key_name(CT_TOP_TIME), "time"), "an order has a name");
	ct_top_keep(&top, "work");
	ok(top.nr_processes == 1 && top.processes[0].tgid == 8 && top.sum.now.faults == 30,
	   "processes are picked by a part of their name, and the sums stay");
	ct_top_clear(&top);
	top = between(first, second, SECOND);
	ct_top_keep(&top, "9");
	ok(top.nr_processes == 1 && top.processes[0].tgid == 9, "or by their number");
	ct_top_clear(&top);
}

/* --- lines ------------------------------------------------------------------------------ */

static struct seen {
	size_t	lines, widest, alarms;
	char	text[1 << 16];
} seen;

static void see(void *unused, enum top_style style, const char *text)
{
	size_t width = ct_text_width(text);

	(void)unused;
	seen.lines++;
	seen.alarms += style == TOP_ALARM;
	if (width > seen.widest)
		seen.widest = width;
	snprintf(seen.text + strlen(seen.text), sizeof(seen.text) - strlen(seen.text), "%s\n", text);
}

static void look_at(const struct top_view *v, size_t columns, size_t rows)
{
	memset(&seen, 0, sizeof(seen));
	top_lines(v, columns, rows, see, NULL);
}

static bool shows(const char *text)
{
	if (strstr(seen.text, text))
		return true;
	note("no \"%s\" in\n%s", text, seen.text);
	return false;
}

static const char nothing_lost[] =
	"full 0\nmissed_no_instance 0\nmissed_recursion 0\ndisarmed 0\n";

static void check_lines(void)
{
	struct ct_top top = between(first, second, 2 * SECOND);
	struct top_view v = {
		.schema = schema, .top = &top, .lost = nothing_lost, .delay_ns = SECOND,
		.since_ns = 90 * SECOND, .ours = true, .on = true, .counting = true,
	};

	ct_top_sort(&top, v.key, false);
	look_at(&v, 120, 0);
	ok(shows("every 1.00 s, on for 90.0 s") &&
	   shows("a second: 15 faults, 3.5 reused, 12 copied, 46.0 KiB; 256 µs spent\n") &&
	   shows("in all: 180 faults, 57 reused, 123 copied, 492 KiB") && shows("missed: none") &&
	   !seen.alarms, "the head has rates, sums and what was missed");
	ok(shows("copy    mapped                  10     66.7 %   40.0 KiB    250 µs   25.0 µs           120\n") &&
	   shows("unshare pinned                 1.5     10.0 %"),
	   "a pattern has its rates, its share, the mean of its times and its total");
	ok(shows("      7 redis-server            10         10          -   40.0 KiB    250 µs          -           110\n") &&
	   shows("(others)"), "a process has its rates and its total");
	ok(shows(" *COPIES/s "), "the column that orders is marked");
	look_at(&v, 80, 23);
	ok(seen.widest <= 80 && seen.lines <= 23 && shows("TIME/s") && !strstr(seen.text, "SPLITS/s"),
	   "in 80 columns the rarest column is left out");
	look_at(&v, 40, 7);
	ok(seen.widest <= 40 && seen.lines <= 7 && shows("COPIES/s") && shows("redis-server"),
	   "in 40 x 8 the first processes are left");
	v.tables = TOP_PATTERNS;
	look_at(&v, 80, 23);
	ok(!strstr(seen.text, "redis-server") && shows("sole-ref"), "patterns may stand alone");
	v.tables = TOP_PROCESSES;
	v.rows = 1;
	look_at(&v, 80, 23);
	ok(shows("redis-server") && !strstr(seen.text, "worker") && !strstr(seen.text, "sole-ref"),
	   "so may processes, in as many rows as were asked for");
	v.rows = 0;
	v.skip = 1;
	look_at(&v, 80, 23);
	ok(!strstr(seen.text, "redis-server") && shows("worker"), "the first rows can be skipped");
	ct_top_clear(&top);
}

static void check_notices(void)
{
	struct ct_top top = between(second, first, SECOND);
	struct top_view v = {
		.schema = schema, .top = &top, .delay_ns = SECOND, .on = true, .paused = true,
		.lost = "full 4\nmissed_no_instance 1234\nmissed_recursion 5\ndisarmed 1\n",
		.limits = "comm=redis", .wanted = "serv",
	};

	look_at(&v, 120, 0);
	ok(shows("missed: 1,234 by too many tasks at once, 5 inside other probes") &&
	   shows("4 records lost") && shows("the probes are disarmed"),
	   "what was lost and missed is an alarm, by cause");
	ok(shows("read along, with their filters, processes are not counted") &&
	   shows("the counters were reset") && shows("PAUSED") && seen.alarms == 5,
	   "so is whatever makes the numbers other than they seem");
	ok(shows("counted: comm=redis") && shows("processes with \"serv\"; patterns are of all"),
	   "what is left out is said");
	v.on = false;
	look_at(&v, 120, 0);
	ok(shows("counting was switched off"), "so is that nothing is counted any more");
	ct_top_clear(&top);
}

static void check_hostile(void)
{
	struct ct_top top = between(NULL, HEAD
		"fault copy mapped 18446744073709551615 18446744073709551615 18446744073709551615\n"
		"process 1 18446744073709551615 1 1 1 18446744073709551615 1 at-least \303\244\303\266\303\274\\033[2Jx\n"
		"others 1 1 1 1 1 1\n", 0);
	struct top_view v = {
		.schema = schema, .top = &top, .lost = "", .delay_ns = 1, .on = true, .ours = true,
	};

	for (size_t columns = 1; columns < 200; columns += 7)
		look_at(&v, columns, 0);
	look_at(&v, 30, 0);
	ok(seen.widest == 30 && shows("äöü?[2Jx"),
	   "the greatest numbers and names of any bytes stay within the columns");
	ct_top_clear(&top);
}

static struct json_object *as_json(const struct top_view *v)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct json_object *o;

	top_json(f, v);
	fclose(f);
	ok(strchr(text, '\n') == text + size - 1, "an object is a line");
	o = json_tokener_parse(text);
	free(text);
	return o;
}

static uint64_t part_of(struct json_object *o, const char *part, const char *name)
{
	o = json_object_object_get(o, part);
	return json_object_get_uint64(json_object_object_get(o, name));
}

static void check_json(void)
{
	struct ct_top top = between(first, second, 2 * SECOND);
	struct top_view v = {
		.schema = schema, .top = &top, .ours = true, .on = true, .counting = true,
		.lost = "full 4\ndisarmed -\n",
	};
	struct json_object *o = as_json(&v), *rows, *unknown;

	ok(json_object_get_double(json_object_object_get(o, "seconds")) == 2 &&
	   part_of(o, "interval", "faults") == 30 && part_of(o, "total", "faults") == 180,
	   "it has the interval, its length, and all that was counted");
	rows = json_object_object_get(o, "processes");
	ok(json_object_array_length(rows) == 3 &&
	   part_of(json_object_array_get_idx(rows, 0), "interval", "copies") == 20 &&
	   !json_object_object_get_ex(json_object_object_get(json_object_array_get_idx(rows, 0),
							     "interval"), "copy_time_ns", NULL),
	   "processes too, without the sum that nobody takes");
	ok(part_of(o, "lost", "full") == 4 &&
	   json_object_object_get_ex(json_object_object_get(o, "lost"), "disarmed", &unknown) &&
	   !unknown, "what is lost stands by cause, what is not known is null");
	json_object_put(o);
	ct_top_clear(&top);
}

int main(void)
{
	schema = schema_of(0);
	check_differences();
	check_first();
	check_reset();
	check_vanished();
	check_untimed();
	check_order();
	check_lines();
	check_notices();
	check_hostile();
	check_json();
	ct_schema_free(schema);
	return tap_end();
}
