/* SPDX-License-Identifier: GPL-2.0 */
/* KCOV: which code of a module a process runs in the kernel, where the kernel tells. */
#ifndef COWTEST_COVER_H
#define COWTEST_COVER_H

#include <stdbool.h>

/* Of this module, for this process and its children, which all add to what was seen. */
void cover_init(const char *module);

/* From now on what this process does is told; in a kernel without KCOV nothing is. */
void cover_begin(void);

/* What it did until now does not count. */
void cover_reset(void);

/* Did it run code of the module since, in an order that was not seen before? */
bool cover_new(void);

/* Does this kernel tell? */
bool cover_there(void);

/* Pairs of places of the module that followed each other. */
unsigned int cover_edges(void);

#endif /* COWTEST_COVER_H */
