/* SPDX-License-Identifier: GPL-2.0 */
/* Which faults of a trace are meant: the filters of a recording, on a trace. */
#ifndef COWTRACE_MATCH_H
#define COWTRACE_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "error.h"
#include "schema.h"

/* Fields whose values have names, as bits of them. */
enum ct_match_set {
	CT_MATCH_OUTCOME, CT_MATCH_REASON, CT_MATCH_KIND, CT_MATCH_ORIGIN, CT_MATCH_PATH,
	CT_NR_MATCH_SETS
};

/**
 * struct ct_match - what a fault must be; all zero fits every fault
 * @given: bits by place in @number, those that count.
 * @number: pid, tgid, uid, the least duration in ns.
 * @comm: command name, empty for any.
 * @set: for each named field the accepted values as bits, 0 for any.
 */
struct ct_match {
	uint32_t	given;
	uint64_t	number[4];
	char		comm[COWTRACE_COMM_LEN];
	uint64_t	set[CT_NR_MATCH_SETS];
};

/**
 * ct_match_add() - demand one more thing
 * @match: the demands so far; a field given again takes the new value.
 * @schema: of the trace, for names.
 * @setting: NAME=VALUE: pid, tgid, uid, comm, min_duration_ns, or outcome, reason,
 *	kind, origin, path with names joined by commas.
 * @err: filled in on failure.
 * Return: 0 or -EINVAL.
 */
int ct_match_add(struct ct_match *match, const struct ct_schema *schema, const char *setting,
		 struct ct_error *err);

bool ct_match_fits(const struct ct_match *match, const struct cowtrace_record *record);

#endif /* COWTRACE_MATCH_H */
