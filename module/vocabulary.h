/* SPDX-License-Identifier: GPL-2.0 */
/* vocabulary: names for the numbers of include/cowtrace/vocab.h. */
#ifndef COW_VOCABULARY_H
#define COW_VOCABULARY_H

#include <cowtrace/vocab.h>

extern const struct cowtrace_word cow_outcomes[COWTRACE_NR_OUTCOMES];
extern const struct cowtrace_word cow_reasons[COWTRACE_NR_REASONS];
extern const struct cowtrace_word cow_paths[COWTRACE_NR_PATHS];
extern const struct cowtrace_word cow_origins[COWTRACE_NR_ORIGINS];
extern const struct cowtrace_word cow_kinds[COWTRACE_NR_KINDS];

static inline const char *cow_outcome_name(unsigned int outcome)
{
	return outcome < COWTRACE_NR_OUTCOMES ? cow_outcomes[outcome].name : "?";
}

static inline const char *cow_reason_name(unsigned int reason)
{
	return reason < COWTRACE_NR_REASONS ? cow_reasons[reason].name : "?";
}

static inline const char *cow_path_name(unsigned int path)
{
	return path < COWTRACE_NR_PATHS ? cow_paths[path].name : "?";
}

static inline const char *cow_origin_name(unsigned int origin)
{
	return origin < COWTRACE_NR_ORIGINS ? cow_origins[origin].name : "?";
}

static inline const char *cow_kind_name(unsigned int kind)
{
	return kind < COWTRACE_NR_KINDS ? cow_kinds[kind].name : "?";
}

/**
 * cow_state_names() - the set bits of a record's state, joined by '|'
 * @buf: receives the text, "-" for no bit.
 * @size: of it; a longer text is cut.
 * @state: cowtrace_record.state.
 *
 * Return: length of the text.
 */
int cow_state_names(char *buf, size_t size, u32 state);

/* The same of cowtrace_record.evidence. */
int cow_evidence_names(char *buf, size_t size, u32 set);

#endif /* COW_VOCABULARY_H */
