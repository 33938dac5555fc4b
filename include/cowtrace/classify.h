/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: from sample to verdict, as pure functions.
 *
 * The same code runs in the module at the exit of each fault and in userspace
 * over stored records. It reads nothing but the record and the traits of the
 * kernel that wrote it, and never guesses: what the evidence does not settle
 * is COWTRACE_OUTCOME_UNKNOWN or COWTRACE_OUTCOME_RACED.
 */
#ifndef COWTRACE_CLASSIFY_H
#define COWTRACE_CLASSIFY_H

#include "classify_huge.h"
#include "classify_pte.h"

/**
 * struct cowtrace_verdict - what cowtrace_classify() found
 * @outcome: enum cowtrace_outcome.
 * @reason: enum cowtrace_reason; COWTRACE_REASON_NONE unless the outcome is a
 *	reuse, a copy, an unshare or a split.
 * @evidence: the record's evidence, with what the classification added.
 */
struct cowtrace_verdict {
	__u8	outcome;
	__u8	reason;
	__u16	evidence;
};

/* What the return code says on every path; UNKNOWN when it says nothing. */
static inline enum cowtrace_outcome cowtrace_failure_(const struct cowtrace_record *r)
{
	bool uffd = !cowtrace_is_unshare_(r) && (r->vm_flags & COWTRACE_VM_UFFD_WP) &&
		    (r->state & COWTRACE_PTE_UFFD_WP) &&
		    !(r->state & COWTRACE_EXIT_UFFD_ASYNC);

	if (r->ret & COWTRACE_FAULT_OOM)
		return COWTRACE_OUTCOME_OOM;
	if (r->ret & (COWTRACE_FAULT_HWPOISON | COWTRACE_FAULT_HWPOISON_LARGE))
		return COWTRACE_OUTCOME_POISON;
	if (uffd && (r->ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_SIGBUS |
			       COWTRACE_FAULT_NOPAGE)))
		return COWTRACE_OUTCOME_UFFD;
	if (r->ret & (COWTRACE_FAULT_SIGBUS | COWTRACE_FAULT_SIGSEGV))
		return COWTRACE_OUTCOME_ERROR;
	return COWTRACE_OUTCOME_UNKNOWN;
}

static inline enum cowtrace_outcome
cowtrace_outcome_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	enum cowtrace_outcome failure = cowtrace_failure_(r);

	if (failure != COWTRACE_OUTCOME_UNKNOWN) {
		*evidence |= COWTRACE_EV_RET;
		return failure;
	}
	switch (r->path) {
	case COWTRACE_PATH_PTE:
		return cowtrace_pte_outcome_(r, traits, evidence);
	case COWTRACE_PATH_PMD:
		return cowtrace_pmd_outcome_(r, traits, evidence);
	case COWTRACE_PATH_HUGETLB:
		return cowtrace_hugetlb_outcome_(r, evidence);
	default:
		return COWTRACE_OUTCOME_UNKNOWN;
	}
}

static inline enum cowtrace_reason
cowtrace_reason_(const struct cowtrace_record *r, __u32 traits, enum cowtrace_outcome outcome,
		 __u16 *evidence)
{
	bool reuse = outcome == COWTRACE_OUTCOME_REUSE;

	if (!reuse && outcome != COWTRACE_OUTCOME_COPY && outcome != COWTRACE_OUTCOME_UNSHARE &&
	    outcome != COWTRACE_OUTCOME_SPLIT)
		return COWTRACE_REASON_NONE;
	switch (r->path) {
	case COWTRACE_PATH_PMD:
		return reuse ? cowtrace_pmd_reuse_reason_(r, traits, evidence) :
			       cowtrace_pmd_split_reason_(r, traits, evidence);
	case COWTRACE_PATH_HUGETLB:
		return reuse ? cowtrace_hugetlb_reuse_reason_(r, evidence) :
			       cowtrace_hugetlb_copy_reason_(r, evidence);
	default:
		return reuse ? cowtrace_reuse_reason_(r, traits, evidence) :
			       cowtrace_copy_reason_(r, traits, evidence);
	}
}

/**
 * cowtrace_classify() - outcome, reason and evidence of one fault
 * @r: the record, with everything filled but outcome and reason.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled the fault.
 *
 * Return: the verdict. Never fails; a record of an unknown path or without
 * evidence is COWTRACE_OUTCOME_UNKNOWN.
 */
static inline struct cowtrace_verdict
cowtrace_classify(const struct cowtrace_record *r, __u32 traits)
{
	__u16 evidence = r->evidence;
	enum cowtrace_outcome outcome = cowtrace_outcome_(r, traits, &evidence);
	enum cowtrace_reason reason = cowtrace_reason_(r, traits, outcome, &evidence);

	return (struct cowtrace_verdict) { (__u8)outcome, (__u8)reason, evidence };
}

#endif /* COWTRACE_CLASSIFY_H */
