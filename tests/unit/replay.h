/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads Perfetto traces as the published schema has them, by code that the writer does
 * not share, and replays them as Perfetto's trace_processor does.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "generate.h"
#include "tap.h"

#define TRACKS	512
#define STRINGS	4096
#define EVENTS	20000

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

static inline bool varint(const uint8_t **at, const uint8_t *end, uint64_t *n)
{
	unsigned int shift = 0;

	for (*n = 0; *at < end && shift < 64; shift += 7) {
		*n |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80))
			return true;
	}
	return false;
}

static inline bool next_part(const uint8_t **at, const uint8_t *end, struct part *p,
			     enum wire *wire)
{
	uint64_t tag;

	if (*at == end || !varint(at, end, &tag))
		return false;
	*p = (struct part){ .number = tag >> 3 };
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

static inline bool is_text(const struct part *p)
{
	char clean[8192];

	if (p->size >= sizeof(clean) || memchr(p->data, 0, p->size))
		return false;
	ct_clean_text(clean, sizeof(clean), (const char *)p->data, p->size);
	return strlen(clean) == p->size && !memcmp(clean, p->data, p->size);
}

/* Are all fields of a message, and of those in it, what the schema has? */
static inline bool conforms(const char *message, const uint8_t *at, size_t size)
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
static inline struct part part(const uint8_t *at, size_t size, uint32_t number)
{
	const uint8_t *end = at + size;
	struct part p = { 0 };
	enum wire wire;

	while (next_part(&at, end, &p, &wire))
		if (p.number == number)
			return p;
	return (struct part){ 0 };
}

static inline struct part in(const struct part *p, uint32_t number)
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

static inline int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static inline void take_strings(const struct part *data)
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

static inline bool has_string(int kind, const struct part *number)
{
	return !number->number || (number->value < STRINGS && t.string[kind][number->value].data);
}

/* An argument of an event by its name; its number 0 if there is none. */
static inline struct part argument(const struct part *event, const char *name)
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

static inline void take_event(const struct part *packet, const struct part *event)
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

static inline void take_packet(const struct part *packet)
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

static inline void replay(void)
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

static inline void read_trace(struct bytes file)
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

static inline bool said(struct part p, const char *text)
{
	return p.size == strlen(text) && !memcmp(p.data, text, p.size);
}

/* Events of a type with that name, written out or by number. */
static inline size_t named(uint64_t type, const char *name)
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
static inline uint64_t track(const char *name)
{
	for (uint64_t i = 1; i < TRACKS; i++)
		if (said(in(&t.descriptor[i], 2), name))
			return i;
	return 0;
}

#endif /* REPLAY_H */
