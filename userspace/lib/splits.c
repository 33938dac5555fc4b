// SPDX-License-Identifier: GPL-2.0
#include "splits.h"

#include <cowtrace/vocab.h>

bool ct_splits_take(struct ct_splits *s, const struct cowtrace_record *r, struct ct_split *split)
{
	struct ct_split *place = &s->place[r->pid % CT_SPLITS_PLACES];
	bool found = false;

	if (r->outcome == COWTRACE_OUTCOME_SPLIT) {
		*place = (struct ct_split) { r->pid, r->cpu, r->seq, r->address };
	} else if (place->pid == r->pid) {
		/* Whatever a thread does next, its last split is over. */
		*split = *place;
		place->pid = 0;
		found = split->pid && (r->state & COWTRACE_AFTER_SPLIT) &&
			split->address == r->address;
	}
	return found;
}
