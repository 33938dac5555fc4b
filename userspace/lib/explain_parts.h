/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of an explanation (explain.h); each is one file. */
#ifndef COWTRACE_EXPLAIN_PARTS_H
#define COWTRACE_EXPLAIN_PARTS_H

#include "explain.h"

#include <cowtrace/decision.h>

/* Does the mapping mean that everybody sees the write? */
static inline bool ct_shared_mapping(const struct cowtrace_record *r, uint32_t traits)
{
	if (cowtrace_is_unshare_(r))
		return false;
	return r->path == COWTRACE_PATH_PTE ?
	       cowtrace_is_shared(r, traits) :
	       r->vm_flags & (COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE);
}

/**
 * ct_explain_need() - could anybody else have seen the write?
 * @r: the record.
 * @traits: of its kernel.
 * @words: receives the clause that says so, "although nobody else could ...".
 */
enum ct_need ct_explain_need(const struct cowtrace_record *r, uint32_t traits,
			     const char **words);

/* "refcount 2 = 1 mapping + 1 swap cache", or why there is no such sum. */
void ct_explain_arithmetic(const struct cowtrace_record *r, uint32_t traits, char *to,
			   size_t size);

/* The clause for why the kernel did so, without a final stop. */
const char *ct_explain_because(const struct cowtrace_record *r, uint32_t traits);

/* Fills in rests, doubts and next; @e->walk and @e->need must stand. */
void ct_explain_notes(const struct cowtrace_record *r, uint32_t traits, struct ct_explanation *e);

#endif /* COWTRACE_EXPLAIN_PARTS_H */
