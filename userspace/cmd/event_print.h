/* SPDX-License-Identifier: GPL-2.0 */
/* One fault as a line of text or as a JSON object: what `cowtrace events` prints. */
#ifndef COWTRACE_EVENT_PRINT_H
#define COWTRACE_EVENT_PRINT_H

#include <stdio.h>

#include "schema.h"
#include "splits.h"

/**
 * struct ct_fault - one fault
 * @schema: of the record.
 * @record: in this reader's layout.
 * @raw: its bytes in the layout of @schema, for fields that are newer.
 * @split: the split that it goes on with, NULL for none.
 */
struct ct_fault {
	const struct ct_schema	*schema;
	const struct cowtrace_record *record;
	const void		*raw;
	const struct ct_split	*split;
};

void ct_fault_text(FILE *out, const struct ct_fault *fault);

void ct_fault_json(FILE *out, const struct ct_fault *fault);

#endif /* COWTRACE_EVENT_PRINT_H */
