/* SPDX-License-Identifier: GPL-2.0 */
/* What the JSON forms of all commands on a trace have in common. */
#ifndef COWTRACE_JSON_H
#define COWTRACE_JSON_H

#include <stdio.h>

#include "report_parts.h"

/* Members of an object; no text is null. */
void add(struct json_object *to, const char *name, struct json_object *value);
void add_number(struct json_object *to, const char *name, uint64_t n);
void add_text(struct json_object *to, const char *name, const char *text);
void add_count(struct json_object *o, const struct ct_count *c);

/* Of an estimated number of faults; nothing where each fault was recorded. */
void add_error(struct json_object *to, const struct ct_sample *sample, uint64_t faults);

/* The trace as a whole; once all its records were read. */
struct json_object *json_trace(const struct ct_report *r);

/* A place in the code, and the faults there. */
struct json_object *json_site(const struct ct_processes *processes, const struct ct_site *it,
			      const struct ct_count *count);

/* What is missing in the trace, what was left out on request, what is damaged. */
struct json_object *json_lost(const struct ct_report *r, const struct ct_processes *processes);
struct json_object *json_damage(const struct ct_trace_info *info);

/* Print an object and let go of it. Return: 0 or -EIO. */
int json_print(FILE *out, struct json_object *o);

#endif /* COWTRACE_JSON_H */
