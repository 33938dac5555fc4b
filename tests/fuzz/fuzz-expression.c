// SPDX-License-Identifier: GPL-2.0
/*
 * Policies that somebody thinks of: parsed, printed, parsed again, and asked about
 * faults. The first bytes of the input are the fault, the rest is the expression.
 */
#include <errno.h>
#include <string.h>

#include <cowtrace/facts.h>

#include "expression.h"
#include "fuzz.h"

static struct cowtrace_facts facts_of(const struct cowtrace_record *r, uint8_t how)
{
	struct cowtrace_facts f = {
		.record = r, .asked = true,
		.exclusive = how % 3 - 1, .elsewhere = how / 3 % 3 - 1,
		.mm_shared = how / 9 % 3 - 1, .drains = how / 27 % 3 - 1, .locked = how % 3 - 1,
		.swapcount = r->refcount, .folio_swapcount = r->mapcount, .folio_mapcount = -1,
	};

	f.holders = cowtrace_holders(r, how);
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_expression *e = NULL, *again = NULL;
	struct ct_expression_error err;
	struct cowtrace_record r = { 0 };
	struct cowtrace_facts facts;
	const char *cause, *other;
	enum ct_truth truth;
	size_t head;
	uint8_t how;
	char *text;

	if (!size)
		return 0;
	how = *data++;
	size--;
	head = size < sizeof(r) / 4 ? 0 : sizeof(r) / 4;
	memcpy((uint8_t *)&r + sizeof(r) / 2, data, head);
	text = fuzz_text(data + head, size - head);
	if (ct_expression_parse(text, &e, &err)) {
		MUST(err.code < 0 && *err.text && err.place <= size - head);
		free(text);
		return 0;
	}
	facts = facts_of(&r, how);
	truth = ct_expression_eval(e, &facts, &cause);
	MUST(truth <= CT_UNKNOWN && !cause == (truth != CT_UNKNOWN));
	MUST(!strchr(ct_expression_text(e), '\n'));
	/* It says the same of itself, or its text with all blanks became too long. */
	if (ct_expression_parse(ct_expression_text(e), &again, &err)) {
		MUST(err.code == -E2BIG);
	} else {
		MUST(!strcmp(ct_expression_text(e), ct_expression_text(again)));
		MUST(ct_expression_eval(again, &facts, &other) == truth && other == cause);
		ct_expression_free(again);
	}
	ct_expression_free(e);
	free(text);
	return 0;
}
