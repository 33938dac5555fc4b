// SPDX-License-Identifier: GPL-2.0
/* Metrics: their numbers against the report, their form against Prometheus' own promtool. */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exported.h"
#include "reported.h"
#include "writer.h"

static char *path;

static const char counted[] =
	"mode counts\n"
	"durations 1\n"
	"processes 1\n"
	"policies 0\n"
	"fault reuse sole-ref 5 0 5000\n"
	"fault copy mapped 10 40960 30000\n"
	"duration reuse sole-ref 512 4\n"
	"duration reuse sole-ref 2147483648 1\n"
	"duration copy mapped 1 3\n"
	"duration copy mapped 2048 7\n"
	"process 200 9 7 2 0 28672 20000 exact redis-server\n"
	"process 300 5 3 1 1 12288 9000 at-least a\\n\\\\\"\\033c\\377\n"
	"others 1 0 1 0 0 1000\n";

static const char stats[] =
	"state running\nentries 20\npmd_entries 3\nhugetlb_entries 1\nunread 2\n"
	"filtered_entry 7\nfiltered_exit 0\nsampled_out 0\nhanded_on 20\n";

static const char lost[] =
	"full 11\nmissed_no_instance 12\nmissed_recursion 13\nmissed_witness 14\n"
	"skipped_exits -\nasleep 1\ndisarmed 0\ndisarmed_checks 4\n";

static void write_counts(const char *counts)
{
	struct ct_writer *w = begin_trace(path, 0);

	ct_writer_state(w, "counts", counts);
	ct_writer_state(w, "stats", stats);
	ct_writer_state(w, "lost", lost);
	ct_writer_close(w);
}

/* The value of a series, -1 if it is not there. */
static double value(const char *text, const char *series)
{
	size_t n = strlen(series);

	for (; text && *text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, series, n) && text[n] == ' ')
			return strtod(text + n, NULL);
	}
	return -1;
}

static void has(const char *claim, const struct bytes *text, const char *series, double expected)
{
	double found = value(text->data, series);

	if (!ok(fabs(found - expected) < 1e-12, "%s", claim))
		note("%s is %.12g, not %.12g", series, found, expected);
}

/* Does promtool take it, without a word? */
static bool accepted(const struct bytes *text)
{
	char *file = temporary_file(), *command, *said;
	int status;

	write_file(file, text->data, text->size);
	/* It says nothing of what is good, and may say something and end well. */
	if (asprintf(&command, "promtool check metrics <%s >%s.said 2>&1 && test ! -s %s.said",
		     file, file, file) < 0)
		abort();
	fflush(stdout);
	status = system(command);
	if (asprintf(&said, "%s.said", file) < 0)
		abort();
	if (status)
		note("%s", read_file(said).data);
	unlink(said);
	unlink(file);
	free(said);
	free(command);
	free(file);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

#define PAIR(name, outcome, reason)	name "{outcome=\"" outcome "\",reason=\"" reason "\"}"
#define BUCKET(outcome, le)	\
	"cowtrace_fault_duration_seconds_bucket{outcome=\"" outcome "\",le=\"" le "\"}"

static void check_counts(void)
{
	struct bytes text;
	int status;

	write_counts(counted);
	text = EXPORTED(&status, "--format", "prometheus", "--processes", "5", path);
	ok(!status && accepted(&text), "promtool has nothing to say about counts");
	has("faults are counted by outcome and reason", &text,
	    PAIR("cowtrace_faults_total", "copy", "mapped"), 10);
	has("so are copied bytes", &text, PAIR("cowtrace_copied_bytes_total", "copy", "mapped"),
	    40960);
	has("what copies nothing has none", &text,
	    PAIR("cowtrace_copied_bytes_total", "reuse", "sole-ref"), -1);
	has("a bucket has what took at most as long", &text, BUCKET("copy", "2.047e-06"), 3);
	has("and its end is the last nanosecond of a power of two", &text,
	    BUCKET("copy", "4.095e-06"), 10);
	has("what took longer than a record can tell has no limit", &text,
	    BUCKET("reuse", "2.147483647"), 4);
	has("all are in the last bucket", &text, BUCKET("reuse", "+Inf"), 5);
	has("times are seconds", &text,
	    "cowtrace_fault_duration_seconds_sum{outcome=\"reuse\"}", 5e-6);
	has("calls are told by path", &text, "cowtrace_calls_total{path=\"pte\"}", 16);
	has("of huge pages too", &text, "cowtrace_calls_total{path=\"pmd\"}", 3);
	has("records that were lost are told", &text,
	    "cowtrace_lost_records_total{cause=\"full\"}", 11);
	has("faults that were missed are told by cause", &text,
	    "cowtrace_missed_faults_total{cause=\"recursion\"}", 13);
	has("what the kernel does not tell is not there", &text,
	    "cowtrace_missed_faults_total{cause=\"skipped_exit\"}", -1);
	has("what a filter left out is told", &text,
	    "cowtrace_left_out_faults_total{cause=\"filtered_entry\"}", 7);
	has("module, kernel and backend are labels", &text,
	    "cowtrace_info{version=\"0.1.0\",kernel=\"6.1.0-50-amd64\",backend=\"kretprobe\"}", 1);
	has("a trace is not switched on", &text, "cowtrace_enabled", -1);
	has("a process has its copies", &text,
	    "cowtrace_process_faults_total{pid=\"200\",comm=\"redis-server\",outcome=\"copy\"}", 7);
	has("a name cannot break out of its label", &text,
	    "cowtrace_process_copied_bytes_total{pid=\"300\",comm=\"a?\\\\\\\"?c?\"}", 12288);
	free(text.data);
	text = EXPORTED(&status, "--format", "prometheus", path);
	ok(!strstr(text.data, "pid="), "without --processes none has a series");
	free(text.data);
	text = EXPORTED(&status, "--format", "prometheus", "-p", "200", path);
	ok(status == 2, "of counts no process can be chosen");
	free(text.data);
	text = EXPORTED(&status, "--format", "csv", path);
	ok(status == 2 && !text.size, "counts are no faults, of which there could be lines");
	free(text.data);
}

static void check_less(void)
{
	struct bytes text;
	int status;

	write_counts("mode counts\ndurations 0\nprocesses 0\npolicies 0\n"
		     "fault copy mapped 2 8192 700\n");
	text = EXPORTED(&status, "--format", "prometheus", path);
	has("without powers of two the sum of times is there", &text,
	    "cowtrace_fault_duration_seconds_sum{outcome=\"copy\"}", 700e-9);
	ok(!strstr(text.data, "le=\"2") && accepted(&text), "and one bucket, of all");
	free(text.data);
	write_counts("mode counts\ndurations 0\nprocesses 0\npolicies 0\n"
		     "fault copy mapped 2 8192 -\n");
	text = EXPORTED(&status, "--format", "prometheus", path);
	ok(!strstr(text.data, "seconds") && accepted(&text), "without a clock there are no times");
	free(text.data);
}

/* Sums of all series of a metric, with anything between its braces. */
static double sum(const char *text, const char *metric)
{
	size_t n = strlen(metric);
	double all = 0;

	for (; text && *text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, metric, n) && text[n] == '{')
			all += strtod(strchr(text, '}') + 1, NULL);
	}
	return all;
}

static void check_records(void)
{
	struct trace_shape shape = { 3, 2, 500, 100 };
	struct bytes text;
	struct json_object *o;
	int status;
	char *json;

	make_trace(path, &shape);
	text = EXPORTED(&status, "--format", "prometheus", "--processes", "100", path);
	json = report(path, true, &status);
	o = json_tokener_parse(json);
	ok(accepted(&text), "promtool has nothing to say about a trace of records");
	ok(sum(text.data, "cowtrace_faults_total") == number(o, "faults.faults") &&
	   sum(text.data, "cowtrace_copied_bytes_total") == number(o, "faults.bytes_copied"),
	   "faults and bytes are those of the report");
	ok(sum(text.data, "cowtrace_process_faults_total") == number(o, "faults.faults"),
	   "the processes add up to all faults");
	ok((int64_t)(sum(text.data, "cowtrace_fault_duration_seconds_sum") * 1e9 + .5) ==
	   number(o, "faults.time_ns"), "the time is that of the report");
	ok(sum(text.data, "cowtrace_fault_duration_seconds_count") == number(o, "faults.faults"),
	   "each fault has a duration");
	json_object_put(o);
	free(json);
	free(text.data);
	text = EXPORTED(&status, "--format", "prometheus", "-f", "outcome=copy", path);
	ok(sum(text.data, "cowtrace_faults_total") > 0 && !strstr(text.data, "outcome=\"reuse\""),
	   "records can be chosen from");
	free(text.data);
}

int main(void)
{
	path = temporary_file();
	check_counts();
	check_less();
	check_records();
	unlink(path);
	free(path);
	return tap_end();
}
