/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of a Perfetto trace: tracks, slices, instants, counters, and strings that are
 * written once and named by number. Field numbers are those of Perfetto's
 * protos/perfetto/trace, which never change.
 */
#ifndef COWTRACE_PERFETTO_H
#define COWTRACE_PERFETTO_H

#include <stdbool.h>

#include "map.h"
#include "proto.h"

/* Strings that are written once: of a hostile trace they might be millions. */
#define CT_PERFETTO_STRINGS	65536u

/* Kinds of interned strings: fields of InternedData. */
enum ct_perfetto_strings {
	CT_PERFETTO_NAMES	= 2,
	CT_PERFETTO_KEYS	= 3,
	CT_PERFETTO_VALUES	= 29,
};

/* TrackEvent.Type */
enum ct_perfetto_type {
	CT_PERFETTO_BEGIN	= 1,
	CT_PERFETTO_END		= 2,
	CT_PERFETTO_INSTANT	= 3,
	CT_PERFETTO_COUNTER	= 4,
};

/**
 * struct ct_perfetto - a trace that is written
 * @out: where.
 * @tracks: that were described.
 * @strings: that were written.
 * @string_of: numbers of strings, by what they stand for.
 */
struct ct_perfetto {
	struct ct_proto	out;
	uint64_t	tracks;
	uint32_t	strings;
	struct ct_map	string_of;
};

/**
 * struct ct_perfetto_event - the packet of an event that is being written
 * @packet: of ct_proto_begin().
 * @event: likewise.
 */
struct ct_perfetto_event {
	size_t		packet;
	size_t		event;
};

/**
 * ct_perfetto_begin() - write what stands at the beginning
 * @p: all zero but for @p->out.file.
 * @dated: @wall_ns is known.
 * @wall_ns: what the clock of the wall shows more than CLOCK_MONOTONIC.
 * @at_ns: at this time of CLOCK_MONOTONIC.
 */
void ct_perfetto_begin(struct ct_perfetto *p, bool dated, uint64_t wall_ns, uint64_t at_ns);

/* Write what is buffered, let go of the rest. */
void ct_perfetto_end(struct ct_perfetto *p);

/**
 * ct_perfetto_string() - the number of a string; never while an event is written
 * @p: the trace.
 * @kind: what it is used as.
 * @a: with @b and @kind, what it stands for.
 * @b: likewise.
 * @text: the string, clean, shorter than CT_PROTO_MESSAGE / 4.
 * Return: its number, 0 when there are too many and it has to be written as it is.
 */
uint64_t ct_perfetto_string(struct ct_perfetto *p, enum ct_perfetto_strings kind, uint32_t a,
			    uint64_t b, const char *text);

/* The same of one that was written before; 0 if it was not. */
uint64_t ct_perfetto_known(const struct ct_perfetto *p, enum ct_perfetto_strings kind, uint32_t a,
			   uint64_t b);

/* Tracks: each returns its number, by which events name it. @name: clean, NULL for none. */
uint64_t ct_perfetto_process(struct ct_perfetto *p, uint32_t pid, const char *name);
uint64_t ct_perfetto_thread(struct ct_perfetto *p, uint64_t process, uint32_t pid, uint32_t tid,
			    const char *name);
uint64_t ct_perfetto_track(struct ct_perfetto *p, const char *name);
/* Of bytes. @parent: 0 for none. */
uint64_t ct_perfetto_bytes(struct ct_perfetto *p, uint64_t parent, const char *name);

/* Begin an event, and end it; between these it gets name and arguments. */
struct ct_perfetto_event ct_perfetto_event(struct ct_perfetto *p, uint64_t time_ns,
					   enum ct_perfetto_type type, uint64_t track);
void ct_perfetto_event_end(struct ct_perfetto *p, struct ct_perfetto_event event);

/* Of the event that is being written: its name, by number or as text. */
void ct_perfetto_name(struct ct_perfetto *p, uint64_t string, const char *text);

/* An arrow from the first event with this number to the next. */
void ct_perfetto_flow(struct ct_perfetto *p, uint64_t flow, bool last);

/* An argument of it: a number, an address, a string by number, or else as text. */
enum ct_perfetto_value {
	CT_PERFETTO_UNSIGNED	= 3,
	CT_PERFETTO_SIGNED	= 4,
	CT_PERFETTO_POINTER	= 7,
	CT_PERFETTO_INTERNED	= 17,
};

void ct_perfetto_arg(struct ct_perfetto *p, uint64_t key, enum ct_perfetto_value type,
		     uint64_t value);
void ct_perfetto_arg_text(struct ct_perfetto *p, const char *key, const char *text);
void ct_perfetto_arg_number(struct ct_perfetto *p, const char *key, uint64_t value);

/* A whole event that is the value of a counter. */
void ct_perfetto_count(struct ct_perfetto *p, uint64_t time_ns, uint64_t track, uint64_t value);

#endif /* COWTRACE_PERFETTO_H */
