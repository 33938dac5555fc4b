// SPDX-License-Identifier: GPL-2.0
/* Perfetto traces, read back and replayed. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exported.h"
#include "replay.h"
#include "reported.h"
#include "writer.h"

static char *path;

/* --- claims --------------------------------------------------------------------------------- */

static void check_random(void)
{
	struct trace_shape shape = { 5, 3, 400, 100 };
	struct json_object *o;
	int status;
	char *json;

	make_trace(path, &shape);
	json = report(path, true, &status);
	o = json_tokener_parse(json);
	read_trace(EXPORTED(&status, "--format", "perfetto", path));
	ok(!status && t.conforms, "all fields are those of Perfetto's schema");
	ok(t.known, "tracks and strings are described before they are named");
	ok((int64_t)t.slices == number(o, "faults.faults"), "each fault is a slice");
	ok(t.nests, "slices of a thread follow each other");
	ok((int64_t)t.bytes == number(o, "faults.bytes_copied"),
	   "slices have the bytes of the report");
	ok((int64_t)t.counter[track("copied bytes")] == number(o, "faults.bytes_copied"),
	   "so has the counter in the end");
	ok(!t.counter[track("copied bytes a second")], "after the last copy none are copied");
	ok(named(3, "fork") == 2 && named(3, "fork, sharing memory") == 1 &&
	   named(3, "forked") == 3, "forks are instants of parent and child");
	ok(named(3, "exec") == 2, "so are calls of exec");
	ok(named(3, "faults not seen, too many tasks slept in one") == 1,
	   "what the module has missed is an instant");
	json_object_put(o);
	free(json);

	read_trace(EXPORTED(&status, "--format", "perfetto", "--max", "100", path));
	ok(t.conforms && t.nests && t.slices == 100,
	   "of more faults than --max as many are drawn");
	ok(named(3, "not each fault is drawn, counters have all") == 1, "which the trace says");
	ok(t.bytes < t.counter[track("copied bytes")], "while the counters have all");
}

static struct cowtrace_record *put(struct ct_writer *w, struct cowtrace_record *r,
				   uint64_t time, uint32_t ns)
{
	r->seq++;
	r->time_ns = time;
	r->duration_ns = ns;
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, r, sizeof(*r));
	return r;
}

static uint64_t clock_of(uint64_t number)
{
	struct part packet = part((uint8_t *)t.file.data, t.file.size, 1);
	struct part snapshot = in(&packet, 6), p;
	const uint8_t *at = snapshot.data, *end = at + snapshot.size;
	enum wire wire;

	while (at && next_part(&at, end, &p, &wire))
		if (p.number == 1 && in(&p, 1).value == number)
			return in(&p, 2).value;
	return 0;
}

static void check_one(void)
{
	static const char meta[] =
		"{\"start\":{\"realtime_ns\":1700000000000000000,\"monotonic_ns\":1000000000}}";
	struct cowtrace_record r = plain_record(0, 0);
	struct ct_writer *w = begin_trace(path, 0);
	struct part a;
	int status;

	ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, meta, sizeof(meta) - 1);
	strcpy(r.comm, "a\"\xff\n");
	put(w, &r, 1000, 500);
	/* It began, by its clock, before the one before it had ended. */
	put(w, &r, 1400, 300);
	/* And this one is all within that. */
	put(w, &r, 1500, 200);
	r.seq += 4;
	r.present = 0;
	r.outcome = 200;
	r.state = 1u << 13;
	put(w, &r, 2000, UINT32_MAX);
	ct_writer_close(w);
	read_trace(EXPORTED(&status, "--format", "perfetto", path));
	ok(t.conforms && t.known, "a name of any bytes is text");
	ok(t.nests && t.slices == 4, "a clock that goes back leaves no slice in another");
	ok(t.time == 500 + 200 + (uint64_t)UINT32_MAX, "what overlaps is cut off");
	ok(named(1, "reuse:sole-ref") == 3 && named(1, "?200:sole-ref") == 1,
	   "a slice is called by outcome and reason");
	ok(named(3, "lost records of CPU 0") == 1, "lost records are an instant");
	ok(clock_of(1) - clock_of(3) == 1699999999000000000,
	   "the clock of the wall is as far ahead as it was");
	a = argument(&t.events[0].event, "address");
	ok(in(&a, 7).value == 0x7f0000001000, "an address is an argument");
	a = argument(&t.events[0].event, "state");
	ok(said(t.string[29][in(&a, 17).value], "anon|lru|exit-present|exit-write|exit-dirty"),
	   "so are states, by their names");
	a = argument(&t.events[0].event, "swapcount");
	ok(!a.number, "what is absent is no argument");
}

/* The value of a counter from a time on, UINT64_MAX if nothing is said there. */
static uint64_t counted(const char *name, uint64_t ms)
{
	for (size_t i = 0; i < t.nr; i++)
		if (t.events[i].type == 4 && t.events[i].track == track(name) &&
		    t.events[i].time == ms * 1000000)
			return in(&t.events[i].event, 30).value;
	return UINT64_MAX;
}

static void check_counters(void)
{
	static const unsigned int ms[] = { 50, 60, 450, 510 };
	struct cowtrace_record r = plain_record(0, 0);
	struct ct_writer *w = begin_trace(path, 0);
	int status;

	r.outcome = COWTRACE_OUTCOME_COPY;
	r.reason = COWTRACE_REASON_MAPPED;
	for (size_t i = 0; i < 4; i++)
		put(w, &r, ms[i] * 1000000ull, 500);
	ct_writer_close(w);
	read_trace(EXPORTED(&status, "--format", "perfetto", path));
	ok(counted("copied bytes a second", 0) == 81920 &&
	   counted("copied bytes a second", 400) == 40960,
	   "bytes a second are those of a tenth of a second");
	ok(!counted("copied bytes a second", 100) && !counted("copied bytes a second", 600),
	   "where nothing is copied they are 0");
	ok(counted("copied bytes a second", 500) == 40960, "and nowhere else");
	ok(counted("copied bytes", 100) == 8192 && counted("copied bytes", 600) == 16384,
	   "the sum stands where it was reached");
}

static void check_group(void)
{
	static const char ksm[] =
		"ksm\n12.000000007 [001] merge seq=1 pid=3 tgid=2 n=5 addr=0xff comm=a comm=b\n"
		"12.000000009 [001] break seq=4 pid=3 tgid=2 comm=ksmd\n";
	struct ct_writer *w = begin_trace(path, 0);
	struct part fields;
	int status;

	ct_writer_chunk(w, CT_CHUNK_GROUP, UINT32_MAX, ksm, sizeof(ksm) - 1);
	ct_writer_close(w);
	read_trace(EXPORTED(&status, "--format", "perfetto", path));
	ok(t.conforms && t.nests && named(3, "merge") == 1 && named(3, "break") == 1,
	   "events of a group are instants");
	fields = argument(&t.events[0].event, "fields");
	ok(said(in(&fields, 6), "n=5 addr=0xff") && t.events[0].time == 12000000007ull &&
	   t.events[0].track == track("ksm"), "on a track of its own, with their fields");
	ok(named(3, "lost") == 1, "and with those that are missing");
}

static void check_split(void)
{
	struct cowtrace_record r = plain_record(0, 0);
	struct ct_writer *w = begin_trace(path, 0);
	uint64_t from = 0, to = 1;
	int status;

	r.path = COWTRACE_PATH_PMD;
	r.outcome = COWTRACE_OUTCOME_SPLIT;
	put(w, &r, 1000, 100);
	r.path = COWTRACE_PATH_PTE;
	r.outcome = COWTRACE_OUTCOME_COPY;
	r.state |= COWTRACE_AFTER_SPLIT;
	put(w, &r, 2000, 100);
	ct_writer_close(w);
	read_trace(EXPORTED(&status, "--format", "perfetto", path));
	for (size_t i = 0; i < t.nr; i++) {
		struct part begin = in(&t.events[i].event, 47), end = in(&t.events[i].event, 48);

		from = begin.number ? begin.value : from;
		to = end.number ? end.value : to;
	}
	ok(from && from == to, "an arrow goes from a split to the fault that goes on with it");
}

static void check_strings(void)
{
	struct cowtrace_record r = plain_record(0, 0);
	struct ct_writer *w = begin_trace(path, 0);
	struct bytes file;
	int status;

	/* More different states than strings are kept. */
	for (uint32_t i = 0; i < 70000; i++) {
		r.state = i;
		put(w, &r, 1000 + 1000ull * i, 10);
	}
	ct_writer_close(w);
	file = EXPORTED(&status, "--format", "perfetto", path);
	ok(!status && conforms("Trace", (uint8_t *)file.data, file.size),
	   "a trace with more words than are written once can be read all the same");
	free(file.data);
}

int main(void)
{
	path = temporary_file();
	check_random();
	check_one();
	check_counters();
	check_group();
	check_split();
	check_strings();
	free(t.file.data);
	unlink(path);
	free(path);
	return tap_end();
}
