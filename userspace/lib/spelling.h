/* SPDX-License-Identifier: GPL-2.0 */
/* What a mistyped word may have meant. */
#ifndef COWTRACE_SPELLING_H
#define COWTRACE_SPELLING_H

#include <stddef.h>

/**
 * ct_spelling_distance() - edits of one character that turn one word into the other
 * @typed: what was typed.
 * @word: what it may have meant.
 * Return: their number, SIZE_MAX for a @word of 32 characters or more.
 */
size_t ct_spelling_distance(const char *typed, const char *word);

#endif /* COWTRACE_SPELLING_H */
