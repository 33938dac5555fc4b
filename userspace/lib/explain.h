/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One fault in plain sentences: what happened, whether it was needed, who held
 * the page, which steps of the kernel it passed, and what all that rests on.
 * A pure function of the record and of the kernel that wrote it; no sentence
 * says more than the record shows.
 */
#ifndef COWTRACE_EXPLAIN_H
#define COWTRACE_EXPLAIN_H

#include "steps.h"

/**
 * enum ct_need - could anybody else have seen the write in a page that was kept?
 * @CT_NEED_NONE: the question does not arise: nothing was copied or split.
 * @CT_NEED_YES: somebody could.
 * @CT_NEED_NO: nobody could.
 * @CT_NEED_OPEN: the record does not show it.
 */
enum ct_need {
	CT_NEED_NONE,
	CT_NEED_YES,
	CT_NEED_NO,
	CT_NEED_OPEN,
	CT_NR_NEEDS
};

#define CT_NOTES_MAX	12

/**
 * struct ct_notes - sentences, none of them to be freed
 * @text: the sentences.
 * @nr: number of them.
 */
struct ct_notes {
	const char	*text[CT_NOTES_MAX];
	size_t		nr;
};

/**
 * struct ct_explanation - one fault explained
 * @kernel: how its kernel is called in the sentences: "5.10".
 * @need: whether a copy or a split was needed.
 * @verdict: one sentence, with the next two in it where it is about references.
 * @because: the last clause of @verdict: the kernel's reason.
 * @arithmetic: "refcount 2 = 1 mapping + 1 swap cache", or why there is none.
 * @walk: the steps.
 * @found: what the sample has for each, may be empty.
 * @end: what the kernel did then, one sentence; may be empty.
 * @rests: what the outcome rests on, the sentences of the evidence.
 * @doubts: where sample and decision may differ, and what is not known.
 * @next: what to ask or look at next.
 */
struct ct_explanation {
	char		kernel[16];
	enum ct_need	need;
	char		verdict[768];
	char		because[256];
	char		arithmetic[256];
	struct ct_walk	walk;
	char		found[CT_STEPS_MAX][CT_FOUND_TEXT];
	char		end[256];
	struct ct_notes	rests;
	struct ct_notes	doubts;
	struct ct_notes	next;
};

/**
 * ct_explain() - explain one fault
 * @r: a classified record.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled it.
 * @kernel: its release, of which the series is kept; NULL if not known.
 * @page_size: bytes of a page there.
 * @e: filled in.
 */
void ct_explain(const struct cowtrace_record *r, uint32_t traits, const char *kernel,
		uint32_t page_size, struct ct_explanation *e);

/* "none", "yes", "no", "open". */
const char *ct_need_name(enum ct_need need);

#endif /* COWTRACE_EXPLAIN_H */
