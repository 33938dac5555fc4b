/* SPDX-License-Identifier: GPL-2.0 */
/* What a text must be that others read. Each ends the program if it is not. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>

/* One JSON value, in UTF-8. */
void must_be_json(const char *text, size_t size);

/* One JSON value a line. */
void must_be_jsonl(const char *text, size_t size);

/* RFC 4180: as many fields in each line; no control characters. */
void must_be_csv(const char *text, size_t size);

/* "a;b;c NUMBER" a line. */
void must_be_folded(const char *text, size_t size);

/* Prometheus' text format: # HELP, # TYPE, or NAME{LABEL="…",…} NUMBER a line. */
void must_be_prometheus(const char *text, size_t size);

/* Protobuf: a list of packets, each of fields that fit into it. */
void must_be_perfetto(const char *text, size_t size);

/* Elements that close what they open, no script, no control characters. */
void must_be_html(const char *text, size_t size);

/* For people: UTF-8, no control characters but line ends. */
void must_be_text(const char *text, size_t size);

#endif /* ORACLE_H */
