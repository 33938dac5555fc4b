/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as people read them. Each function returns its buffer. */
#ifndef COWTRACE_UNITS_H
#define COWTRACE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Long enough for every text made here. */
#define CT_UNIT_TEXT	32

/* 1234567 as 1,234,567 */
char *ct_format_count(char *to, uint64_t n);

/* Three digits and B, KiB, MiB, ... */
char *ct_format_bytes(char *to, uint64_t bytes);

/* Three digits and ns, µs, ms, s; minutes and hours from there on. */
char *ct_format_ns(char *to, uint64_t ns);

/* @part of @whole in percent; "-" for nothing of nothing, "<0.1 %" for little. */
char *ct_format_share(char *to, uint64_t part, uint64_t whole);

/* Columns of a terminal that UTF-8 text takes, each character one. */
size_t ct_text_width(const char *text);

#endif /* COWTRACE_UNITS_H */
