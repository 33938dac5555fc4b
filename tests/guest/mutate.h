/* SPDX-License-Identifier: GPL-2.0 */
/* Values for settings: made from what they take, and what they do not. */
#ifndef COWTEST_MUTATE_H
#define COWTEST_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than a setting reads of a value. */
#define MUTATE_MOST	5000

/**
 * struct value - what is written in one go
 * @size: of @text, which may hold any byte.
 * @text: the bytes.
 */
struct value {
	size_t	size;
	char	text[MUTATE_MOST];
};

/**
 * mutate_make() - make a value
 * @value: receives it.
 * @random: state of next_random().
 * @file: of which something that was kept is likely to be changed.
 */
void mutate_make(struct value *value, uint64_t *random, size_t file);

/* Keep a short value of a file that led to code that no other had led to. */
void mutate_keep(const struct value *value, size_t file);

/* How many were kept. */
size_t mutate_kept(void);

#endif /* COWTEST_MUTATE_H */
