// SPDX-License-Identifier: GPL-2.0
#include "explain_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "6.1.0-50-amd64" is called 6.1. */
static void name_kernel(char *to, size_t size, const char *release)
{
	size_t n = 0;
	int dots = 0;

	for (; release && (release[n] == '.' || (release[n] >= '0' && release[n] <= '9')); n++)
		if (release[n] == '.' && ++dots == 2)
			break;
	if (n && n < size && dots)
		snprintf(to, size, "%.*s", (int)n, release);
	else
		snprintf(to, size, "The kernel");
}

/* --- what it did ------------------------------------------------------------- */

static const char *thing(const struct cowtrace_record *r)
{
	if (r->path == COWTRACE_PATH_PMD)
		return r->kind == COWTRACE_KIND_ZERO ? "the huge zero page" : "this huge page";
	if (r->path == COWTRACE_PATH_HUGETLB)
		return "this hugetlb page";
	switch (r->kind) {
	case COWTRACE_KIND_KSM:
		return "this KSM page";
	case COWTRACE_KIND_ZERO:
		return "the zero page";
	case COWTRACE_KIND_FILE:
		return "this file page";
	case COWTRACE_KIND_SPECIAL:
		return "this memory without a struct page";
	default:
		return r->order ? "this page of a large folio" : "this page";
	}
}

/* "copied this page": what is done to the thing, and how the clause goes on. */
static const struct {
	const char	*before;
	const char	*after;
} deeds[COWTRACE_NR_OUTCOMES] = {
	[COWTRACE_OUTCOME_UNKNOWN] = { "handled an access to",
				       " in a way that the record does not settle" },
	[COWTRACE_OUTCOME_REUSE] = { "kept", " and made it writable" },
	[COWTRACE_OUTCOME_COPY] = { "copied", "" },
	[COWTRACE_OUTCOME_MKWRITE] = { "made", " writable where it is" },
	[COWTRACE_OUTCOME_UNSHARE] = { "copied", " for a read-only pin" },
	[COWTRACE_OUTCOME_SPLIT] = { "split the mapping of", ", copying nothing yet," },
	[COWTRACE_OUTCOME_UFFD] = { "left an access to", " to its userfaultfd" },
	[COWTRACE_OUTCOME_RETRY] = { "put off an access to", "" },
	[COWTRACE_OUTCOME_RACED] = { "was not seen to end an access to",
				     ", whose page-table entry may have changed first" },
	[COWTRACE_OUTCOME_NOOP] = { "had nothing to do for", "" },
	[COWTRACE_OUTCOME_OOM] = { "found no memory to copy", "" },
	[COWTRACE_OUTCOME_POISON] = { "could not copy", ", which has a hardware memory error" },
	[COWTRACE_OUTCOME_ERROR] = { "ended an access to", " in an error" },
};

/* maybe_mkwrite(): a write by FOLL_FORCE does not make the mapping writable. */
static bool left_read_only(const struct cowtrace_record *r)
{
	return !(r->vm_flags & COWTRACE_VM_WRITE) && !(r->state & COWTRACE_EXIT_WRITE);
}

static const char *after(const struct cowtrace_record *r)
{
	if (r->outcome == COWTRACE_OUTCOME_REUSE) {
		if (cowtrace_is_unshare_(r))
			return " for a read-only pin";
		if (left_read_only(r))
			return " for a forced write to a mapping that stays read-only";
	}
	return deeds[r->outcome].after;
}

static const char *before(const struct cowtrace_record *r)
{
	/* Until 6.1 the return code tells it apart from a success. */
	if (r->outcome == COWTRACE_OUTCOME_RACED && r->evidence & COWTRACE_EV_RET)
		return "lost the race for";
	if (r->kind == COWTRACE_KIND_ZERO && r->outcome == COWTRACE_OUTCOME_COPY)
		return "replaced";
	return deeds[r->outcome].before;
}

static void tell_verdict(const struct cowtrace_record *r, const char *clause,
			 struct ct_explanation *e)
{
	bool decided = r->reason != COWTRACE_REASON_NONE;
	/* What the references are decides nothing for these. */
	bool counted = decided && r->reason != COWTRACE_REASON_ZERO &&
		       r->reason != COWTRACE_REASON_FILE && r->reason != COWTRACE_REASON_SPECIAL;

	if (r->outcome >= COWTRACE_NR_OUTCOMES) {
		snprintf(e->verdict, sizeof(e->verdict), "%s ended %s in outcome %u: %s",
			 e->kernel, thing(r), r->outcome, e->because);
		return;
	}
	snprintf(e->verdict, sizeof(e->verdict), "%s %s %s%s%s%s: %s%s%s", e->kernel, before(r),
		 thing(r), after(r), *clause ? " " : "", clause, counted ? e->arithmetic : "",
		 counted ? "; " : "", e->because);
}

/* --- what it did then -------------------------------------------------------- */

static void end_copy(const struct cowtrace_record *r, uint32_t page_size, char *to, size_t size)
{
	uint64_t bytes = (uint64_t)cowtrace_copied_pages(r) * page_size;
	const char *function = r->path == COWTRACE_PATH_PTE ? "wp_page_copy()" :
			       r->path == COWTRACE_PATH_PMD ? "do_huge_zero_wp_pmd()" :
							      "the hugetlb fault";
	int n;

	n = snprintf(to, size, "%s mapped a new page of %" PRIu64 " bytes%s", function, bytes,
		     cowtrace_is_unshare_(r) ? ", left read-only" : "");
	if (n > 0 && (size_t)n < size && cowtrace_other_page_(r))
		snprintf(to + n, size - n, ": frame 0x%" PRIx64 " in place of 0x%" PRIx64,
			 (uint64_t)r->new_pfn, (uint64_t)r->pfn);
}

static void end_reuse(const struct cowtrace_record *r, char *to, size_t size)
{
	static const char * const by[] = {
		[COWTRACE_PATH_PTE]	= "wp_page_reuse()",
		[COWTRACE_PATH_PMD]	= "pmdp_set_access_flags()",
		[COWTRACE_PATH_HUGETLB]	= "the hugetlb fault",
	};

	if (cowtrace_is_unshare_(r))
		snprintf(to, size, "the entry was left as it was, read-only");
	else if (r->path < COWTRACE_NR_PATHS)
		snprintf(to, size, "%s made the entry %s", by[r->path],
			 left_read_only(r) ? "dirty at most and left it read-only" :
					     "dirty and writable");
}

static void tell_end(const struct cowtrace_record *r, uint32_t page_size,
		     struct ct_explanation *e)
{
	switch (r->outcome) {
	case COWTRACE_OUTCOME_COPY:
	case COWTRACE_OUTCOME_UNSHARE:
		end_copy(r, page_size, e->end, sizeof(e->end));
		return;
	case COWTRACE_OUTCOME_REUSE:
		end_reuse(r, e->end, sizeof(e->end));
		return;
	case COWTRACE_OUTCOME_SPLIT:
		snprintf(e->end, sizeof(e->end),
			 "__split_huge_pmd() put a page table in place of the huge PMD");
		return;
	default:
		return;
	}
}

void ct_explain(const struct cowtrace_record *r, uint32_t traits, const char *kernel,
		uint32_t page_size, struct ct_explanation *e)
{
	const char *clause;

	memset(e, 0, sizeof(*e));
	name_kernel(e->kernel, sizeof(e->kernel), kernel);
	ct_steps_walk(r, traits, &e->walk);
	for (size_t i = 0; i < e->walk.steps.nr; i++)
		ct_step_found(e->found[i], r, traits, &e->walk, i);
	e->need = ct_explain_need(r, traits, &clause);
	ct_explain_arithmetic(r, traits, e->arithmetic, sizeof(e->arithmetic));
	snprintf(e->because, sizeof(e->because), "%s", ct_explain_because(r, traits));
	tell_verdict(r, clause, e);
	tell_end(r, page_size, e);
	ct_explain_notes(r, traits, e);
}

const char *ct_need_name(enum ct_need need)
{
	static const char * const names[CT_NR_NEEDS] = {
		[CT_NEED_NONE]	= "none",
		[CT_NEED_YES]	= "yes",
		[CT_NEED_NO]	= "no",
		[CT_NEED_OPEN]	= "open",
	};

	return names[need];
}
