/* SPDX-License-Identifier: GPL-2.0 */
/* The module's own counters at the end of a trace: its files stats, lost, probes, counts. */
#ifndef COWTRACE_STATE_H
#define COWTRACE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "reader.h"

/* More such files, or longer ones, are not kept. */
#define CT_STATE_FILES	64
#define CT_STATE_NAME	32
#define CT_STATE_TEXT	(16u << 20)

/**
 * struct ct_state - texts of the files
 * @nr: number of them.
 * @file: name and text of each; both cleaned for a terminal, lines kept.
 */
struct ct_state {
	unsigned int	nr;
	struct {
		char	name[CT_STATE_NAME];
		char	*text;
	} file[CT_STATE_FILES];
};

/**
 * ct_state_load() - read the state chunks of a trace
 * @reader: the trace.
 * @state: filled in; a later chunk of the same name replaces the former.
 * Return: 0 or -ENOMEM.
 */
int ct_state_load(struct ct_reader *reader, struct ct_state *state);

void ct_state_free(struct ct_state *state);

/* The text of a file, NULL if the trace has none. */
const char *ct_state_text(const struct ct_state *state, const char *file);

/**
 * ct_text_number() - one "name value" line of a text
 * @text: the lines.
 * @name: first word of the line.
 * @value: receives the number; left alone when there is none.
 * Return: whether there is one.
 */
bool ct_text_number(const char *text, const char *name, uint64_t *value);

/**
 * ct_state_number() - the same of a file
 * @state: the texts.
 * @file: stats or lost.
 * @name: first word of the line.
 * @value: receives the number; left alone when there is none.
 * Return: whether there is one.
 */
bool ct_state_number(const struct ct_state *state, const char *file, const char *name,
		     uint64_t *value);

#endif /* COWTRACE_STATE_H */
