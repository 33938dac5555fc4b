// SPDX-License-Identifier: GPL-2.0
#include "perfetto.h"

/* Trace */
enum { PACKET = 1 };

/* TracePacket */
enum {
	CLOCK_SNAPSHOT = 6, TIMESTAMP = 8, SEQUENCE = 10, TRACK_EVENT = 11, INTERNED = 12,
	SEQUENCE_FLAGS = 13, DROPPED = 42, DEFAULTS = 59, DESCRIPTOR = 60, FIRST = 87,
};

/* TracePacket.SequenceFlags */
enum { CLEARED = 1, NEEDS_STATE = 2 };

/* TracePacketDefaults */
enum { DEFAULT_CLOCK = 58 };

/* ClockSnapshot, ClockSnapshot.Clock, BuiltinClock */
enum { CLOCKS = 1, PRIMARY_CLOCK = 2 };
enum { CLOCK_NUMBER = 1, CLOCK_TIME = 2 };
enum { CLOCK_IS_REALTIME = 1, CLOCK_IS_MONOTONIC = 3 };

/* TrackDescriptor, ProcessDescriptor, ThreadDescriptor, CounterDescriptor */
enum { UUID = 1, TRACK_NAME = 2, PROCESS = 3, THREAD = 4, PARENT = 5, COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5 };
enum { COUNTER_UNIT = 3, UNIT_BYTES = 3 };

/* TrackEvent */
enum {
	ARGUMENT = 4, TYPE = 9, NAME_STRING = 10, TRACK = 11, NAME = 23, COUNTER_VALUE = 30,
	FLOW = 47, LAST_FLOW = 48,
};

/* DebugAnnotation */
enum { KEY_STRING = 1, VALUE_UNSIGNED = 3, VALUE_TEXT = 6, KEY = 10 };

/* EventName, DebugAnnotationName and InternedString alike */
enum { STRING_NUMBER = 1, STRING_TEXT = 2 };

/* All packets are of one sequence: strings belong to it. */
#define OUR_SEQUENCE	1

static size_t packet(struct ct_perfetto *p, uint64_t flags)
{
	size_t begin = ct_proto_begin(&p->out, PACKET);

	ct_proto_number(&p->out, SEQUENCE, OUR_SEQUENCE);
	ct_proto_number(&p->out, SEQUENCE_FLAGS, flags);
	return begin;
}

static void put_clock(struct ct_proto *out, uint32_t clock, uint64_t time)
{
	size_t begin = ct_proto_begin(out, CLOCKS);

	ct_proto_number(out, CLOCK_NUMBER, clock);
	ct_proto_number(out, CLOCK_TIME, time);
	ct_proto_end(out, begin);
}

void ct_perfetto_begin(struct ct_perfetto *p, bool dated, uint64_t wall_ns, uint64_t at_ns)
{
	struct ct_proto *out = &p->out;
	size_t begin, inner;

	begin = packet(p, CLEARED | NEEDS_STATE);
	ct_proto_number(out, FIRST, 1);
	ct_proto_number(out, DROPPED, 1);
	/* Without a second clock there is nothing to translate: times are as they are. */
	if (dated) {
		inner = ct_proto_begin(out, DEFAULTS);
		ct_proto_number(out, DEFAULT_CLOCK, CLOCK_IS_MONOTONIC);
		ct_proto_end(out, inner);
		inner = ct_proto_begin(out, CLOCK_SNAPSHOT);
		put_clock(out, CLOCK_IS_MONOTONIC, at_ns);
		put_clock(out, CLOCK_IS_REALTIME, at_ns + wall_ns);
		ct_proto_number(out, PRIMARY_CLOCK, CLOCK_IS_MONOTONIC);
		ct_proto_end(out, inner);
	}
	ct_proto_finish(out, begin);
}

void ct_perfetto_end(struct ct_perfetto *p)
{
	ct_proto_flush(&p->out);
	ct_map_free(&p->string_of);
}

uint64_t ct_perfetto_known(const struct ct_perfetto *p, enum ct_perfetto_strings kind, uint32_t a,
			   uint64_t b)
{
	uint32_t known = ct_map_find(&p->string_of, (uint64_t)kind << 32 | a, b);

	return known == CT_MAP_NONE ? 0 : known;
}

uint64_t ct_perfetto_string(struct ct_perfetto *p, enum ct_perfetto_strings kind, uint32_t a,
			    uint64_t b, const char *text)
{
	uint64_t known = ct_perfetto_known(p, kind, a, b);
	size_t begin, data, string;
	uint32_t *number;

	if (known || p->strings == CT_PERFETTO_STRINGS)
		return known;
	number = ct_map_slot(&p->string_of, (uint64_t)kind << 32 | a, b);
	if (!number)
		return 0;
	*number = ++p->strings;
	begin = packet(p, NEEDS_STATE);
	data = ct_proto_begin(&p->out, INTERNED);
	string = ct_proto_begin(&p->out, kind);
	ct_proto_number(&p->out, STRING_NUMBER, *number);
	ct_proto_text(&p->out, STRING_TEXT, text);
	ct_proto_end(&p->out, string);
	ct_proto_end(&p->out, data);
	ct_proto_finish(&p->out, begin);
	return *number;
}

/* --- tracks ----------------------------------------------------------------------- */

static struct ct_perfetto_event describe(struct ct_perfetto *p, const char *name)
{
	struct ct_perfetto_event d;

	d.packet = packet(p, NEEDS_STATE);
	d.event = ct_proto_begin(&p->out, DESCRIPTOR);
	ct_proto_number(&p->out, UUID, ++p->tracks);
	if (name)
		ct_proto_text(&p->out, TRACK_NAME, name);
	return d;
}

static uint64_t described(struct ct_perfetto *p, struct ct_perfetto_event d)
{
	ct_proto_end(&p->out, d.event);
	ct_proto_finish(&p->out, d.packet);
	return p->tracks;
}

uint64_t ct_perfetto_process(struct ct_perfetto *p, uint32_t pid, const char *name)
{
	struct ct_perfetto_event d = describe(p, NULL);
	size_t inner = ct_proto_begin(&p->out, PROCESS);

	/* Numbers of processes are signed there, and their sign is extended. */
	ct_proto_number(&p->out, PROCESS_PID, (int64_t)(int32_t)pid);
	if (name)
		ct_proto_text(&p->out, PROCESS_NAME, name);
	ct_proto_end(&p->out, inner);
	return described(p, d);
}

uint64_t ct_perfetto_thread(struct ct_perfetto *p, uint64_t process, uint32_t pid, uint32_t tid,
			    const char *name)
{
	struct ct_perfetto_event d = describe(p, NULL);
	size_t inner;

	ct_proto_number(&p->out, PARENT, process);
	inner = ct_proto_begin(&p->out, THREAD);
	ct_proto_number(&p->out, THREAD_PID, (int64_t)(int32_t)pid);
	ct_proto_number(&p->out, THREAD_TID, (int64_t)(int32_t)tid);
	if (name)
		ct_proto_text(&p->out, THREAD_NAME, name);
	ct_proto_end(&p->out, inner);
	return described(p, d);
}

uint64_t ct_perfetto_track(struct ct_perfetto *p, const char *name)
{
	return described(p, describe(p, name));
}

uint64_t ct_perfetto_bytes(struct ct_perfetto *p, uint64_t parent, const char *name)
{
	struct ct_perfetto_event d = describe(p, name);
	size_t inner;

	if (parent)
		ct_proto_number(&p->out, PARENT, parent);
	inner = ct_proto_begin(&p->out, COUNTER);
	ct_proto_number(&p->out, COUNTER_UNIT, UNIT_BYTES);
	ct_proto_end(&p->out, inner);
	return described(p, d);
}

/* --- events ------------------------------------------------------------------------ */

struct ct_perfetto_event ct_perfetto_event(struct ct_perfetto *p, uint64_t time_ns,
					   enum ct_perfetto_type type, uint64_t track)
{
	struct ct_perfetto_event e;

	e.packet = packet(p, NEEDS_STATE);
	ct_proto_number(&p->out, TIMESTAMP, time_ns);
	e.event = ct_proto_begin(&p->out, TRACK_EVENT);
	ct_proto_number(&p->out, TYPE, type);
	ct_proto_number(&p->out, TRACK, track);
	return e;
}

void ct_perfetto_event_end(struct ct_perfetto *p, struct ct_perfetto_event e)
{
	ct_proto_end(&p->out, e.event);
	ct_proto_finish(&p->out, e.packet);
}

void ct_perfetto_name(struct ct_perfetto *p, uint64_t string, const char *text)
{
	if (string)
		ct_proto_number(&p->out, NAME_STRING, string);
	else
		ct_proto_text(&p->out, NAME, text);
}

void ct_perfetto_flow(struct ct_perfetto *p, uint64_t flow, bool last)
{
	ct_proto_fixed64(&p->out, last ? LAST_FLOW : FLOW, flow);
}

void ct_perfetto_arg(struct ct_perfetto *p, uint64_t key, enum ct_perfetto_value type,
		     uint64_t value)
{
	size_t begin = ct_proto_begin(&p->out, ARGUMENT);

	ct_proto_number(&p->out, KEY_STRING, key);
	ct_proto_number(&p->out, type, value);
	ct_proto_end(&p->out, begin);
}

void ct_perfetto_arg_text(struct ct_perfetto *p, const char *key, const char *text)
{
	size_t begin = ct_proto_begin(&p->out, ARGUMENT);

	ct_proto_text(&p->out, KEY, key);
	ct_proto_text(&p->out, VALUE_TEXT, text);
	ct_proto_end(&p->out, begin);
}

void ct_perfetto_arg_number(struct ct_perfetto *p, const char *key, uint64_t value)
{
	size_t begin = ct_proto_begin(&p->out, ARGUMENT);

	ct_proto_text(&p->out, KEY, key);
	ct_proto_number(&p->out, VALUE_UNSIGNED, value);
	ct_proto_end(&p->out, begin);
}

void ct_perfetto_count(struct ct_perfetto *p, uint64_t time_ns, uint64_t track, uint64_t value)
{
	struct ct_perfetto_event e = ct_perfetto_event(p, time_ns, CT_PERFETTO_COUNTER, track);

	ct_proto_number(&p->out, COUNTER_VALUE, value);
	ct_perfetto_event_end(p, e);
}
