// SPDX-License-Identifier: GPL-2.0
/*
 * The HTML report: its figures, what it does with text of anybody, its size, its file.
 * That a browser can show it, and as what, is tested in tests/html.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cowtrace/vocab.h>
#include <json-c/json.h>

#include "generate.h"
#include "hostile.h"
#include "report_html.h"
#include "reported.h"
#include "tap.h"
#include "writer.h"

#define LIMIT	(2u << 20)

static char *path;

static char *page_of(int *status)
{
	struct ct_report_opts opts = { .top = 0 };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	*status = ct_report_html(f, path, &opts);
	fclose(f);
	return text;
}

/* How often a text stands in another. */
static size_t times(const char *in, const char *text)
{
	size_t n = 0;

	while ((in = strstr(in, text))) {
		in += strlen(text);
		n++;
	}
	return n;
}

static void shows(const char *claim, const char *text, bool there)
{
	int status;
	char *page = page_of(&status);

	if (!ok(!!strstr(page, text) == there && status == CT_REPORT_OK, "%s", claim))
		note("status %d", status);
	free(page);
}

/* The part between two texts, which is cut out of the page; "" for none. */
static char *part(char *page, const char *from, const char *to)
{
	char *begin = strstr(page, from), *end = begin ? strstr(begin, to) : NULL;

	if (!end)
		return page + strlen(page);
	*end = '\0';
	return begin;
}

/* The next number in the page, UINT64_MAX for none. */
static uint64_t next_number(char **at)
{
	char *found = strstr(*at, "<data value=\"");
	uint64_t n;

	if (!found)
		return UINT64_MAX;
	n = strtoull(found + strlen("<data value=\""), NULL, 10);
	*at = found + 1;
	return n;
}

static void check_figures(void)
{
	static const char * const tiles[] = {
		"faults.faults", "faults.reuses", "faults.copies", "faults.bytes_copied",
		"faults.copy_time_ns", "lost.module.missed_no_instance",
	};
	struct trace_shape shape = { 5, 3, 2000, 100 };
	uint64_t sums[6] = { 0 };
	struct json_object *o;
	char *page, *json, *at;
	bool same = true;
	size_t i;
	int status;

	make_trace(path, &shape);
	json = report(path, true, &status);
	o = json_tokener_parse(json);
	page = page_of(&status);
	at = part(page, "<dl class=\"tiles\">", "</dl>");
	for (i = 0; i < sizeof(tiles) / sizeof(*tiles); i++) {
		uint64_t n = next_number(&at);

		same &= n == (uint64_t)number(o, tiles[i]);
		if (n != (uint64_t)number(o, tiles[i]))
			note("%s is %" PRIu64, tiles[i], n);
	}
	ok(same, "what is seen first is what report --json says");
	free(page);
	page = page_of(&status);
	at = part(page, "<table id=\"timetable\">", "</table>");
	/* Faults, copies, reuses, bytes, time, lost; and the next row. */
	for (i = 0; strstr(at, "<data"); i++)
		sums[i % 6] += next_number(&at);
	ok(sums[0] == (uint64_t)number(o, "faults.faults") &&
	   sums[1] == (uint64_t)number(o, "faults.copies") &&
	   sums[2] == (uint64_t)number(o, "faults.reuses") &&
	   sums[3] == (uint64_t)number(o, "faults.bytes_copied") &&
	   sums[4] == (uint64_t)number(o, "faults.time_ns"),
	   "the rows of the time line add up to all of it");
	free(page);
	json_object_put(o);
	free(json);
}

static void check_alone(void)
{
	static const char * const outside[] = {
		"src=", "url(", "@import", "<script", "<link", "<iframe", "javascript:", "//",
	};
	bool alone = true;
	char *page, *at;
	size_t i;
	int status;

	page = page_of(&status);
	/* The name of HTML's own elements looks like an address. */
	at = strstr(page, " xmlns=\"http://www.w3.org/1999/xhtml\"");
	ok(at && strstr(page, "content=\"default-src 'none'; style-src 'unsafe-inline'; "),
	   "the page forbids itself all but its style");
	memset(at, ' ', 38);
	for (i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		if (strstr(page, outside[i])) {
			note("%s", outside[i]);
			alone = false;
		}
	ok(alone, "and asks for nothing outside of it");
	ok(times(page, "<table") && times(page, "<table") == times(page, "<caption") &&
	   times(page, "<svg") == times(page, "<svg ") &&
	   times(page, "<svg") == times(page, " role=\"img\" aria-label=\"") -
	   times(page, "<span class=\"bar\" role=\"img\""),
	   "each table has a caption, each picture a text");
	free(page);
}

static void check_hostile(void)
{
	char *page;
	int status;

	make_hostile_trace(path, 3000, 20000);
	page = page_of(&status);
	if (!ok(strlen(page) < LIMIT, "a page of thousands of everything is below 2 MiB"))
		note("%zu bytes", strlen(page));
	ok(strstr(page, "&lt;script&gt;x()") && !strstr(page, "<script"),
	   "a name cannot begin an element");
	ok(strstr(page, "&lt;b onclick=&quot;x()&quot;&gt;") && !strstr(page, "<b onclick"),
	   "nor can the sentence of a word");
	ok(!strstr(page, "\xff") && !strstr(page, "\xef\xbf\xbf") && !strstr(page, "\x1b") &&
	   !strstr(page, "\xe2\x80\xae"), "what is no text is not in the page");
	ok(strstr(page, ">and 2,988 more</th>"), "processes beyond the first ones are one row");
	ok(times(page, "class=\"at\"") <= 512, "the charts have a limited number of bars");
	free(page);
}

static void check_empty(void)
{
	struct ct_writer *w = begin_trace(path, 0);

	ct_writer_state(w, "lost", "full 0\n");
	ct_writer_close(w);
	shows("a trace without a fault says so", "No write-protect fault was recorded.", true);
	shows("and has no chart", "<svg", false);
	shows("it says that nothing was lost", "<dt>Lost</dt><dd>nothing", true);
	w = begin_trace(path, 0);
	ct_writer_close(w);
	shows("without the module's counters it does not", "<dt>Lost</dt><dd>not known", true);
}

static void check_sampled(void)
{
	struct ct_writer *w = begin_trace(path, 0);
	struct cowtrace_record r;
	uint32_t seq;

	for (seq = 1; seq <= 10; seq++) {
		r = plain_record(seq, 1000 * seq);
		r.outcome = COWTRACE_OUTCOME_COPY;
		ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
	ct_writer_state(w, "stats", "handed_on 10\nsampled_out 90\n");
	ct_writer_close(w);
	shows("of a sample it says so", "Sampled: 10 of 100 faults were recorded, 1 in 10,", true);
	shows("and what is seen first is an estimate", "<dt>Faults</dt><dd><data value=\"100\">",
	      true);
	shows("as the time line is", "<bdi>0 ns</bdi></th><td><data value=\"10\">", true);
}

static void check_counts(void)
{
	struct ct_writer *w = begin_trace(path, 0);

	ct_writer_state(w, "counts", "mode counts\ndurations 0\nprocesses 0\npolicies 1\n"
				     "fault copy mapped 3 12288 -\n"
				     "policy copy mapped mapcount copy 3\n"
				     "policy copy mapped minimal copy 2\n"
				     "policy copy mapped minimal reuse 1\n");
	ct_writer_close(w);
	shows("of counts it says that no time is known", "when they were is not known", true);
	shows("and has no chart", "<svg", false);
	shows("no clock is no time", "<dt>Time in copies</dt><dd><span title=\"not measured\">",
	      true);
	shows("policies have their bars", "title=\"2 copies, 0 undetermined, 1 reuses\"", true);
	w = begin_trace(path, 0);
	ct_writer_state(w, "counts", "mode counts\ndurations 1\nprocesses 0\npolicies 0\n"
				     "fault copy mapped 3 12288 900\n");
	ct_writer_close(w);
	shows("durations that nobody counted are no chart", "<svg", false);
}

static void check_file(void)
{
	struct ct_report_opts opts = { .top = 0 };
	char *name, *stray;
	struct bytes b;
	struct stat st;
	int status;

	if (asprintf(&name, "%s.html", path) < 0 || asprintf(&stray, "%s/page", path) < 0)
		abort();
	umask(022);
	status = ct_report_html_file(name, path, &opts);
	b = read_file(name);
	append_bytes(&b, "", 1);
	ok(status == CT_REPORT_OK && strstr(b.data, "</html>"), "the page is written to its file");
	ok(!stat(name, &st) && (st.st_mode & 0777) == 0644,
	   "which others may read, as umask has it");
	free(b.data);
	status = ct_report_html_file(path, path, &opts);
	ok(status == CT_REPORT_FAILED && strstr(last_complaint.text, "is a trace"),
	   "a trace is not overwritten by a page");
	ok(ct_report_html_file(stray, path, &opts) == CT_REPORT_FAILED &&
	   strstr(last_complaint.text, "cannot write"),
	   "a page that cannot be written is an error");
	ok(ct_report_html_file("/dev/full", path, &opts) == CT_REPORT_FAILED &&
	   !stat("/dev/full", &st) && S_ISCHR(st.st_mode), "a full device is one too, and stays");
	b = read_file(path);
	write_file(path, b.data, b.size - 3);
	status = ct_report_html_file(name, path, &opts);
	ok(status == CT_REPORT_DAMAGED, "of a trace that was cut there is a page");
	free(b.data);
	b = read_file(name);
	append_bytes(&b, "", 1);
	ok(strstr(b.data, "The trace has no end"), "which says so");
	free(b.data);
	write_file(path, "hello", 5);
	status = ct_report_html_file(name, path, &opts);
	ok(status == CT_REPORT_FAILED && !stat(name, &st) && st.st_size > 1000,
	   "a page of no trace leaves the former one alone");
	unlink(name);
	free(name);
	free(stray);
}

int main(void)
{
	path = temporary_file();
	check_figures();
	check_alone();
	check_hostile();
	check_empty();
	check_sampled();
	check_counts();
	check_file();
	remove(path);
	free(path);
	return tap_end();
}
