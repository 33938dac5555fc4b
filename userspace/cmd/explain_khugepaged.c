// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "report_khugepaged.h"
#include "units.h"

/* Explanations have no schema: x86-64 has no other size. */
#define PAGE_SIZE_	4096

static void number(FILE *out, int64_t n)
{
	if (n < 0)
		fprintf(out, "-");
	else
		fprintf(out, "%" PRId64, n);
}

static void who(FILE *out, const struct ct_group_event *e, const struct ct_khuge_scan *s)
{
	if (s->madvise)
		fprintf(out, "MADV_COLLAPSE by %s (%u) scanned ", e->comm, e->pid);
	else
		fprintf(out, "khugepaged scanned ");
	if (s->address)
		fprintf(out, "the 2 MiB at %#" PRIx64, s->address);
	else
		fprintf(out, "2 MiB, at which address is not known,");
	if (s->owner)
		fprintf(out, " of %s (%u)", s->owner_comm, s->owner);
	fprintf(out, ": %s.\n", s->verdict);
}

static void range(FILE *out, const struct ct_khuge_scan *s)
{
	if (!strcmp(s->table, "none")) {
		fprintf(out, "  No page table was there: nothing is mapped in it.\n");
		return;
	}
	if (!strcmp(s->table, "huge")) {
		fprintf(out, "  A huge page was there already.\n");
		return;
	}
	if (s->ptes < 0) {
		fprintf(out, "  Of its PTEs nothing is known: khugepaged looked up no page before it stopped.\n");
		return;
	}
	if (s->before)
		fprintf(out, "  Just before the scan, read without a lock: %" PRId64 " PTEs of a page, %" PRId64 " empty, %" PRId64 " of the zero page, %" PRId64 " not present.\n",
			s->present, s->none, s->zero, s->unmapped);
	else
		fprintf(out, "  Until it stopped khugepaged looked up %" PRId64 " pages; how many PTEs have none is by its own count below.\n",
			s->present);
	fprintf(out, "  Of the pages %" PRId64 " are referenced, %" PRId64 " writable, %" PRId64 " part of a large folio.\n",
		s->referenced, s->writable, s->large);
}

static void estimates(FILE *out, const struct ct_khuge_scan *s)
{
	enum ct_estimate i;
	int over;

	if (s->ptes < 0)
		return;
	fprintf(out, "  Pages that others map too:\n");
	for (i = 0; i < CT_NR_ESTIMATES; i++) {
		fprintf(out, "    ");
		number(out, s->shared[i]);
		fprintf(out, " by %s (%s)", ct_estimate_functions[i], ct_estimate_kernels[i]);
		over = ct_khuge_over(s, i);
		if (over >= 0)
			fprintf(out, ", %s the limit of %" PRId64, over ? "over" : "within",
				s->max_shared);
		fprintf(out, "%s\n", i == s->own ? ": this kernel asks so" : "");
	}
}

static void own_counts(FILE *out, const struct ct_khuge_scan *s)
{
	fprintf(out, "  The kernel's own count until it stopped: none ");
	number(out, s->kernel_none);
	fprintf(out, ", not present ");
	number(out, s->kernel_unmapped);
	fprintf(out, ", referenced ");
	number(out, s->kernel_referenced);
	if (s->kernel_writable >= 0)
		fprintf(out, ", %s writable", s->kernel_writable ? "one or more" : "none");
	fprintf(out, ".\n");
	if (s->madvise) {
		fprintf(out, "  MADV_COLLAPSE has no limits.\n");
		return;
	}
	fprintf(out, "  Limits then: max_ptes_none ");
	number(out, s->max_none);
	fprintf(out, ", max_ptes_swap ");
	number(out, s->max_swap);
	fprintf(out, ", max_ptes_shared ");
	number(out, s->max_shared);
	fprintf(out, ".\n");
}

static void finding(FILE *out, const struct ct_khuge_scan *s)
{
	if (s->finding == CT_KHUGE_FALSE_EXCLUSIVE && s->collapsed)
		fprintf(out, "  False exclusive: a precise count would have refused. The collapse copied %" PRIu64 " KiB that others still map, and filled %" PRIu64 " KiB where nothing was mapped.\n",
			s->shared_bytes >> 10, s->filled_bytes >> 10);
	else if (s->finding == CT_KHUGE_FALSE_EXCLUSIVE)
		fprintf(out, "  False exclusive, but nothing came of it: the range was not collapsed.\n");
	else if (s->finding == CT_KHUGE_FALSE_SHARED && s->missed_bytes)
		fprintf(out, "  False shared: a precise count would have let it pass. %" PRIu64 " KiB stay without a huge page.\n",
			s->missed_bytes >> 10);
	else if (s->finding == CT_KHUGE_FALSE_SHARED)
		fprintf(out, "  False shared, but the verdict has another reason.\n");
	else if (s->finding == CT_KHUGE_RIGHT)
		fprintf(out, "  A precise count would have said the same.\n");
}

void khugepaged_explain(FILE *out, const struct ct_group_event *event,
			const struct ct_state *state)
{
	struct ct_khuge_scan s;

	ct_khuge_read(event, state, PAGE_SIZE_, &s);
	who(out, event, &s);
	range(out, &s);
	estimates(out, &s);
	own_counts(out, &s);
	finding(out, &s);
}

struct json_object *khugepaged_explain_json(const struct ct_group_event *event,
					    const struct ct_state *state)
{
	struct json_object *o;
	struct ct_khuge_scan s;

	ct_khuge_read(event, state, PAGE_SIZE_, &s);
	o = khugepaged_scan_json(&s);
	add_text(o, "sentence", ct_khuge_finding_sentences[s.finding]);
	return o;
}
