// SPDX-License-Identifier: GPL-2.0
/* cowtrace top as lines of text, in whatever room there is. */
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "state.h"
#include "top_table.h"
#include "units.h"

#define SECOND_NS	1000000000ull

static void title(const struct top_text *l)
{
	const struct top_view *v = l->view;
	char since[CT_UNIT_TEXT + 16] = "", every[CT_UNIT_TEXT], text[CT_UNIT_TEXT], clock[16];
	time_t seconds = v->time_ns / SECOND_NS;
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
	if (v->since_ns)
		snprintf(since, sizeof(since), ", on for %s", ct_format_ns(text, v->since_ns));
	top_say(l, TOP_TITLE, "cowtrace top %s  every %s%s%s  %s, %s", clock,
		ct_format_ns(every, v->delay_ns), since, v->paused ? "  PAUSED" : "",
		v->schema->kernel ?: "?", v->schema->backend ?: "?");
}

static void sums(const struct top_text *l)
{
	const struct ct_top *top = l->view->top;
	const struct ct_count *now = &top->sum.now, *total = &top->sum.total;
	char faults[CT_UNIT_TEXT], copies[CT_UNIT_TEXT], reuses[CT_UNIT_TEXT];
	char bytes[CT_UNIT_TEXT], ns[CT_UNIT_TEXT];

	top_say(l, TOP_PLAIN, "a second: %s faults, %s reused, %s copied, %s; %s%s",
		top_rate(top, faults, now->faults), top_rate(top, reuses, now->reuses),
		top_rate(top, copies, now->copies), top_bytes_rate(top, bytes, now->bytes),
		top->timed ? top_time_rate(top, ns, now->ns) : "times are not taken",
		top->timed ? " spent" : "");
	top_say(l, TOP_PLAIN, "in all: %s faults, %s reused, %s copied, %s",
		ct_format_count(faults, total->faults), ct_format_count(reuses, total->reuses),
		ct_format_count(copies, total->copies), ct_format_bytes(bytes, total->bytes));
}

/* By cause; the sum of what was never counted stands first. */
static void losses(const struct top_text *l)
{
	uint64_t tasks = 0, nested = 0, full = 0, disarmed = 0;
	char n[CT_UNIT_TEXT], other[CT_UNIT_TEXT];

	ct_text_number(l->view->lost, "missed_no_instance", &tasks);
	ct_text_number(l->view->lost, "missed_recursion", &nested);
	ct_text_number(l->view->lost, "full", &full);
	ct_text_number(l->view->lost, "disarmed", &disarmed);
	if (!tasks && !nested)
		top_say(l, TOP_PLAIN, "missed: none");
	else
		top_say(l, TOP_ALARM,
			"missed: %s by too many tasks at once, %s inside other probes",
			ct_format_count(n, tasks), ct_format_count(other, nested));
	if (full)
		top_say(l, TOP_ALARM,
			"%s records lost, the buffers were full (they are counted here)",
			ct_format_count(n, full));
	if (disarmed)
		top_say(l, TOP_ALARM, "the probes are disarmed, no fault is seen: cowtrace doctor");
}

static void notices(const struct top_text *l)
{
	const struct top_view *v = l->view;

	if (!v->on)
		top_say(l, TOP_ALARM, "counting was switched off: the numbers stand still");
	else if (!v->ours)
		top_say(l, TOP_ALARM, "somebody else traces: read along, with their filters%s",
			v->counting ? "" : ", processes are not counted");
	if (v->top->reset)
		top_say(l, TOP_ALARM, "the counters were reset, this interval is what came since");
	if (*v->limits)
		top_say(l, TOP_PLAIN, "counted: %s", v->limits);
	if (*v->wanted)
		top_say(l, TOP_PLAIN, "processes with \"%s\"; patterns are of all", v->wanted);
}

static void counted_line(void *arg, enum top_style style, const char *text)
{
	size_t *n = arg;

	(void)style;
	(void)text;
	++*n;
}

static void head(const struct top_text *l)
{
	title(l);
	sums(l);
	losses(l);
	notices(l);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void top_lines(const struct top_view *view, size_t columns, size_t rows, top_line_fn *line,
	       void *arg)
{
	size_t used = 0, room, of_patterns, most = view->rows ?: SIZE_MAX;
	struct top_text count = { view, columns, counted_line, &used };
	struct top_text l = { view, columns, line, arg };

	head(&count);
	head(&l);
	room = !rows ? SIZE_MAX : rows > used ? rows - used : 0;
	/* Each table has a line of heads; patterns are few, and get half at most. */
	of_patterns = smaller(smaller(view->top->nr_patterns, most) + 1,
			      view->tables == TOP_BOTH ? room / 2 : room);
	if (view->tables != TOP_PROCESSES && of_patterns > 1) {
		top_patterns(&l, of_patterns - 1);
		room -= of_patterns;
	}
	if (view->tables != TOP_PATTERNS && view->top->by_process && room > 1)
		top_processes(&l, smaller(room - 1, most));
}
