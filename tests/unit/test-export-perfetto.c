// SPDX-License-Identifier: GPL-2.0
/*
 * Perfetto traces: read as the published schema has them, by a reader that shares no code
 * with the writer, and replayed as Perfetto's trace_processor does.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "exported.h"
#include "reported.h"
#include "writer.h"

#define TRACKS	512
#define STRINGS	4096
#define EVENTS	20000

static char *path;

/* --- the format ------------------------------------------------------------------------ */

enum wire { VARINT, FIXED64, BYTES };

/**
 * struct field - a field that Perfetto's protos/perfetto/trace has
 * @message: of which.
 * @number: its number.
 * @wire: how it is written.
 * @inner: the message that it is, NULL for none; "text" for a string.
 */
static const struct field {
	const char	*message;
	uint32_t	number;
	enum wire	wire;
	const char	*inner;
} fields[] = {
	{ "Trace", 1, BYTES, "TracePacket" },
	{ "TracePacket", 6, BYTES, "ClockSnapshot" },
	{ "TracePacket", 8, VARINT, NULL },		/* timestamp */
	{ "TracePacket", 10, VARINT, NULL },		/* trusted_packet_sequence_id */
	{ "TracePacket", 11, BYTES, "TrackEvent" },
	{ "TracePacket", 12, BYTES, "InternedData" },
	{ "TracePacket", 13, VARINT, NULL },		/* sequence_flags */
	{ "TracePacket", 42, VARINT, NULL },		/* previous_packet_dropped */
	{ "TracePacket", 59, BYTES, "TracePacketDefaults" },
	{ "TracePacket", 60, BYTES, "TrackDescriptor" },
	{ "TracePacket", 87, VARINT, NULL },		/* first_packet_on_sequence */
	{ "TracePacketDefaults", 58, VARINT, NULL },	/* timestamp_clock_id */
	{ "ClockSnapshot", 1, BYTES, "Clock" },
	{ "ClockSnapshot", 2, VARINT, NULL },		/* primary_trace_clock */
	{ "Clock", 1, VARINT, NULL },			/* clock_id */
	{ "Clock", 2, VARINT, NULL },			/* timestamp */
	{ "InternedData", 2, BYTES, "EventName" },
	{ "InternedData", 3, BYTES, "DebugAnnotationName" },
	{ "InternedData", 29, BYTES, "InternedString" },
	{ "EventName", 1, VARINT, NULL }, { "EventName", 2, BYTES, "text" },
	{ "DebugAnnotationName", 1, VARINT, NULL }, { "DebugAnnotationName", 2, BYTES, "text" },
	{ "InternedString", 1, VARINT, NULL }, { "InternedString", 2, BYTES, "text" },
	{ "TrackDescriptor", 1, VARINT, NULL },		/* uuid */
	{ "TrackDescriptor", 2, BYTES, "text" },	/* name */
	{ "TrackDescriptor", 3, BYTES, "ProcessDescriptor" },
	{ "TrackDescriptor", 4, BYTES, "ThreadDescriptor" },
	{ "TrackDescriptor", 5, VARINT, NULL },		/* parent_uuid */
	{ "TrackDescriptor", 8, BYTES, "CounterDescriptor" },
	{ "ProcessDescriptor", 1, VARINT, NULL }, { "ProcessDescriptor", 6, BYTES, "text" },
	{ "ThreadDescriptor", 1, VARINT, NULL }, { "ThreadDescriptor", 2, VARINT, NULL },
	{ "ThreadDescriptor", 5, BYTES, "text" },
	{ "CounterDescriptor", 3, VARINT, NULL },	/* unit */
	{ "TrackEvent", 4, BYTES, "DebugAnnotation" },
	{ "TrackEvent", 9, VARINT, NULL },		/* type */
	{ "TrackEvent", 10, VARINT, NULL },		/* name_iid */
	{ "TrackEvent", 11, VARINT, NULL },		/* track_uuid */
	{ "TrackEvent", 23, BYTES, "text" },		/* name */
	{ "TrackEvent", 30, VARINT, NULL },		/* counter_value */
	{ "TrackEvent", 47, FIXED64, NULL },		/* flow_ids */
	{ "TrackEvent", 48, FIXED64, NULL },		/* terminating_flow_ids */
	{ "DebugAnnotation", 1, VARINT, NULL },		/* name_iid */
	{ "DebugAnnotation", 3, VARINT, NULL },		/* uint_value */
	{ "DebugAnnotation", 4, VARINT, NULL },		/* int_value */
	{ "DebugAnnotation", 6, BYTES, "text" },	/* string_value */
	{ "DebugAnnotation", 7, VARINT, NULL },		/* pointer_value */
	{ "DebugAnnotation", 10, BYTES, "text" },	/* name */
	{ "DebugAnnotation", 17, VARINT, NULL },	/* string_value_iid */
};

/**
 * struct part - one field of a message
 * @number: its number.
 * @value: of a number.
 * @data: of all else.
 * @size: bytes of @data.
 */
struct part {
	uint32_t	number;
	uint64_t	value;
	const uint8_t	*data;
	size_t		size;
};

static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *n)
{
	unsigned int shift = 0;

	for (*n = 0; *at < end && shift < 64; shift += 7) {
		*n |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80))
			return true;
	}
	return false;
}

static bool next_part(const uint8_t **at, const uint8_t *end, struct part *p, enum wire *wire)
{
	uint64_t tag;

	if (*at == end || !varint(at, end, &tag))
		return false;
	p->number = tag >> 3;
	*wire = tag & 7;
	if (*wire == VARINT)
		return varint(at, end, &p->value);
	p->size = 8;
	if (*wire == BYTES) {
		uint64_t size;

		if (!varint(at, end, &size))
			return false;
		p->size = size;
	}
	if (*wire > BYTES || p->size > (size_t)(end - *at))
		return false;
	p->data = *at;
	*at += p->size;
	if (*wire == FIXED64)
		p->value = ct_le64(p->data);
	return true;
}

static bool is_text(const struct part *p)
{
	char clean[8192];

	if (p->size >= sizeof(clean) || memchr(p->data, 0, p->size))
		return false;
	ct_clean_text(clean, sizeof(clean), (const char *)p->data, p->size);
	return strlen(clean) == p->size && !memcmp(clean, p->data, p->size);
}

/* Are all fields of a message, and of those in it, what the schema has? */
static bool conforms(const char *message, const uint8_t *at, size_t size)
{
	const uint8_t *end = at + size;
	struct part p;
	enum wire wire;

	while (at < end) {
		const struct field *f = fields, *last = f + sizeof(fields) / sizeof(*fields);

		if (!next_part(&at, end, &p, &wire))
			return false;
		while (f < last && (f->number != p.number || strcmp(f->message, message)))
			f++;
		if (f == last || f->wire != wire) {
			note("%s has no field %u of wire type %d", message, p.number, wire);
			return false;
		}
		if (f->inner && !(strcmp(f->inner, "text") ? conforms(f->inner, p.data, p.size) :
							     is_text(&p)))
			return false;
	}
	return true;
}

/* A field of a message; its number 0 if there is none. */
static struct part part(const uint8_t *at, size_t size, uint32_t number)
{
	const uint8_t *end = at + size;
	struct part p = { 0 };
	enum wire wire;

	while (next_part(&at, end, &p, &wire))
		if (p.number == number)
			return p;
	return (struct part){ 0 };
}

static struct part in(const struct part *p, uint32_t number)
{
	return p->data ? part(p->data, p->size, number) : (struct part){ 0 };
}

/* --- what trace_processor makes of it ----------------------------------------------------- */

/**
 * struct event - an event of a track
 * @time: its time.
 * @place: of its packet in the file: what comes first of one time.
 * @type: slice begins 1, ends 2, instant 3, counter 4.
 * @track: number of its track.
 * @event: the message.
 */
struct event {
	uint64_t	time;
	size_t		place;
	uint64_t	type;
	uint64_t	track;
	struct part	event;
};

/**
 * struct trace - what a file says
 * @conforms: to the schema.
 * @known: all tracks and strings were described before they were named.
 * @nests: each slice begins and ends, and none begins in another.
 * @slices: number of them.
 * @instants: of instants.
 * @time: of all slices.
 * @bytes: their argument bytes_copied.
 * @descriptor: by number of the track.
 * @counter: the last value of a track.
 * @string: text of strings by kind (EventName 2, DebugAnnotationName 3, InternedString 29).
 * @events: in the order of time.
 * @nr: number of them.
 */
struct trace {
	struct bytes	file;
	bool		conforms, known, nests;
	uint64_t	slices, instants, time, bytes;
	struct part	descriptor[TRACKS];
	uint64_t	counter[TRACKS];
	struct part	string[30][STRINGS];
	struct event	events[EVENTS];
	size_t		nr;
};

static struct trace t;

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static void take_strings(const struct part *data)
{
	const uint8_t *at = data->data, *end = at + data->size;
	struct part p;
	enum wire wire;

	while (data->data && next_part(&at, end, &p, &wire)) {
		uint64_t number = in(&p, 1).value;

		t.known &= number && number < STRINGS && !t.string[p.number][number].data;
		if (number < STRINGS)
			t.string[p.number][number] = in(&p, 2);
	}
}

static bool has_string(int kind, const struct part *number)
{
	return !number->number || (number->value < STRINGS && t.string[kind][number->value].data);
}

/* An argument of an event by its name; its number 0 if there is none. */
static struct part argument(const struct part *event, const char *name)
{
	const uint8_t *at = event->data, *end = at + event->size;
	struct part p;
	enum wire wire;

	while (next_part(&at, end, &p, &wire)) {
		struct part key = in(&p, 1), said = key.number ? t.string[3][key.value] :
								 in(&p, 10);

		if (p.number == 4 && said.size == strlen(name) &&
		    !memcmp(said.data, name, said.size))
			return p;
	}
	return (struct part){ 0 };
}

static void take_event(const struct part *packet, const struct part *event)
{
	const uint8_t *at = event->data, *end = at + event->size;
	struct event *e = &t.events[t.nr++];
	struct part p = in(event, 10);
	enum wire wire;

	*e = (struct event){ part(packet->data, packet->size, 8).value, t.nr, in(event, 9).value,
			     in(event, 11).value, *event };
	t.known &= has_string(2, &p) && e->track && e->track < TRACKS &&
		   t.descriptor[e->track].data;
	while (next_part(&at, end, &p, &wire)) {
		struct part key = in(&p, 1), value = in(&p, 17);

		if (p.number == 4)
			t.known &= has_string(3, &key) && has_string(29, &value);
	}
}

static void take_packet(const struct part *packet)
{
	struct part data = in(packet, 12), track = in(packet, 60), event = in(packet, 11);
	uint64_t number = in(&track, 1).value, parent = in(&track, 5).value;

	take_strings(&data);
	if (track.data) {
		t.known &= number && number < TRACKS && !t.descriptor[number].data &&
			   (!parent || t.descriptor[parent].data);
		t.descriptor[number % TRACKS] = track;
	}
	if (event.data && t.nr < EVENTS)
		take_event(packet, &event);
	/* All of one sequence, which says that it has no more before it. */
	t.known &= in(packet, 10).value == 1 && in(packet, 13).value & 2;
}

static void replay(void)
{
	static uint64_t open[TRACKS];

	memset(open, 0, sizeof(open));
	qsort(t.events, t.nr, sizeof(*t.events), by_time);
	for (size_t i = 0; i < t.nr; i++) {
		const struct event *e = &t.events[i];
		struct part bytes;

		switch (e->type) {
		case 1:
			bytes = argument(&e->event, "bytes_copied");
			t.nests &= !open[e->track];
			t.slices++;
			t.bytes += in(&bytes, 3).value;
			open[e->track] = e->time;
			break;
		case 2:
			t.nests &= open[e->track] && open[e->track] <= e->time;
			t.time += e->time - open[e->track];
			open[e->track] = 0;
			break;
		case 3:
			t.instants++;
			break;
		default:
			t.nests &= e->type == 4 && in(&t.descriptor[e->track], 8).data;
			t.counter[e->track] = in(&e->event, 30).value;
		}
	}
	for (size_t i = 0; i < TRACKS; i++)
		t.nests &= !open[i];
}

static void read_trace(struct bytes file)
{
	const uint8_t *at = (const uint8_t *)file.data, *end = at + file.size;
	struct part packet;
	enum wire wire;

	free(t.file.data);
	memset(&t, 0, sizeof(t));
	t.file = file;
	t.known = true;
	t.nests = true;
	t.conforms = file.size && conforms("Trace", at, file.size);
	while (t.conforms && next_part(&at, end, &packet, &wire))
		take_packet(&packet);
	replay();
}

static bool said(struct part p, const char *text)
{
	return p.size == strlen(text) && !memcmp(p.data, text, p.size);
}

/* Events of a type with that name, written out or by number. */
static size_t named(uint64_t type, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < t.nr; i++) {
		struct part number = in(&t.events[i].event, 10);

		n += t.events[i].type == type &&
		     said(number.number ? t.string[2][number.value] : in(&t.events[i].event, 23),
			  name);
	}
	return n;
}

/* The number of the first track of that name. */
static uint64_t track(const char *name)
{
	for (uint64_t i = 1; i < TRACKS; i++)
		if (said(in(&t.descriptor[i], 2), name))
			return i;
	return 0;
}

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
