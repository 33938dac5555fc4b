// SPDX-License-Identifier: GPL-2.0
#include "report_ksm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* --- the most first ------------------------------------------------------------------ */

static uint64_t weight(const struct ct_ksm *k, enum ksm_list list, size_t at)
{
	const struct ct_ksm_process *p = &k->processes[at];

	return list == KSM_PAGES ? k->pages[at].merges : p->merges + p->others;
}

struct sorting {
	const struct ct_ksm	*k;
	enum ksm_list		list;
};

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	uint64_t x = weight(s->k, s->list, *(const size_t *)a);
	uint64_t y = weight(s->k, s->list, *(const size_t *)b);

	if (x != y)
		return x < y ? 1 : -1;
	return *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

size_t *ksm_sorted(const struct ct_ksm *k, enum ksm_list list)
{
	size_t i, nr = list == KSM_PAGES ? k->nr_pages : k->nr_processes;
	struct sorting s = { k, list };
	size_t *order = nr ? malloc(nr * sizeof(*order)) : NULL;

	if (!order)
		return NULL;
	for (i = 0; i < nr; i++)
		order[i] = i;
	qsort_r(order, nr, sizeof(*order), by_weight, &s);
	return order;
}

/* --- merges and their ends ---------------------------------------------------------- */

static void hows(struct page *p, const struct ct_ksm *k)
{
	char n[CT_UNIT_TEXT], t[CT_UNIT_TEXT];
	uint64_t all = ct_ksm_merges(k);
	int i;

	spaces(p, 2);
	say(p, "%s page%s merged in %s of ksmd", ct_format_count(n, all), plural(all),
	    ct_format_ns(t, k->merge_ns));
	for (i = 0; i < CT_NR_KSM_HOWS; i++) {
		if (!k->how[i])
			continue;
		spaces(p, 2);
		cell(p, -11, ct_ksm_how_words[i]);
		count_cell(p, 9, k->how[i]);
		spaces(p, 2);
		wrapped(p, ct_ksm_how_sentences[i]);
	}
}

/* The shortest time that half of them did not exceed, as a power of two; 0 for none. */
static uint64_t median(const struct ct_ksm_ended *e)
{
	uint64_t seen = 0;
	int i;

	for (i = 0; i < CT_KSM_LIVES; i++) {
		seen += e->lives[i];
		if (e->merges && 2 * seen >= e->merges)
			return 1ull << i;
	}
	return 0;
}

/* Time, "-" for none. */
static void time_cell(struct page *p, int width, uint64_t ns)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, ns ? ct_format_ns(text, ns) : "-");
}

static void ended_row(struct page *p, const char *word, uint64_t merges, uint64_t others,
		      uint64_t copy_ns, uint64_t life, const char *sentence)
{
	spaces(p, 2);
	cell(p, -11, word);
	count_cell(p, 9, merges);
	count_cell(p, 9, others);
	time_cell(p, 10, copy_ns);
	time_cell(p, 10, life);
	spaces(p, 2);
	wrapped(p, sentence);
}

static void ends(struct page *p, const struct ct_ksm *k)
{
	int i;

	end_line(p);
	spaces(p, 2);
	cell(p, -11, "ended by");
	cell(p, 9, "merges");
	cell(p, 9, "others");
	cell(p, 10, "copying");
	cell(p, 10, "lasted");
	put(p, "  meaning");
	end_line(p);
	for (i = 0; i < CT_NR_KSM_ENDS; i++) {
		const struct ct_ksm_ended *e = &k->ended[i];

		if (e->merges || e->others)
			ended_row(p, ct_ksm_end_words[i], e->merges, e->others, e->copy_ns,
				  median(e), ct_ksm_end_sentences[i]);
	}
	ended_row(p, "still", k->live, 0, 0, 0, "merged at the end of the trace");
	spaces(p, 2);
	say(p, "others: merged before the trace, or shared by a fork that ksmd had not noticed. "
	    "lasted: half of the merges lasted less than twice this.");
}

/* --- how long they lasted ---------------------------------------------------------------- */

static uint64_t lives(const struct ct_ksm *k, int from, int to, int bucket)
{
	uint64_t sum = 0;

	for (; from < to; from++)
		sum += k->ended[from].lives[bucket];
	return sum;
}

static void durations(struct page *p, const struct ct_ksm *k)
{
	char low[CT_UNIT_TEXT];
	int i;

	if (!ct_ksm_ended(k))
		return;
	end_line(p);
	spaces(p, 2);
	cell(p, -14, "lasted at least");
	cell(p, 11, "accessed");
	cell(p, 13, "taken apart");
	cell(p, 9, "exited");
	cell(p, 12, "(unmapped)");
	end_line(p);
	for (i = 0; i < CT_KSM_LIVES; i++) {
		if (!lives(k, 0, CT_NR_KSM_ENDS, i))
			continue;
		spaces(p, 2);
		cell(p, -14, ct_format_ns(low, 1ull << i));
		count_cell(p, 12, lives(k, 0, CT_KSM_ACCESSES, i));
		count_cell(p, 13, lives(k, CT_KSM_ACCESSES, CT_KSM_COPIES, i));
		count_cell(p, 9, lives(k, CT_KSM_EXIT, CT_KSM_EXIT + 1, i));
		count_cell(p, 12, lives(k, CT_KSM_GONE, CT_KSM_GONE + 1, i));
		end_line(p);
	}
}

/* --- the two questions ------------------------------------------------------------------- */

/* Where to look closer. */
static void example(struct page *p, uint32_t seq)
{
	if (!seq)
		return;
	spaces(p, 4);
	say(p, "for instance: cowtrace explain %s ksm:%" PRIu32, ct_base_name(p->r->path), seq);
}

static void in_vain(struct page *p, const struct ct_ksm *k)
{
	char n[CT_UNIT_TEXT], share[CT_UNIT_TEXT], limit[CT_UNIT_TEXT], merging[CT_UNIT_TEXT],
	     copying[CT_UNIT_TEXT];

	end_line(p);
	spaces(p, 2);
	say(p, "In vain: %s merge%s (%s) broken by an access within %s (--in-vain): %s of merging "
	    "and %s of copying for nothing",
	    ct_format_count(n, k->vain.merges), plural(k->vain.merges),
	    ct_format_share(share, k->vain.merges, ct_ksm_merges(k)),
	    ct_format_ns(limit, k->in_vain), ct_format_ns(merging, k->vain.merge_ns),
	    ct_format_ns(copying, k->vain.copy_ns));
	example(p, k->vain.example);
}

static void last_users(struct page *p, const struct ct_ksm *k)
{
	char n[CT_UNIT_TEXT], all[CT_UNIT_TEXT], share[CT_UNIT_TEXT], one[CT_UNIT_TEXT];

	spaces(p, 2);
	say(p, "One user left: %s of %s cop%s (%s) were of a page that nobody else mapped; %s had "
	    "no other reference either, since the stable tree holds none: kernels up to 5.8 "
	    "kept such a page",
	    ct_format_count(n, k->one_user), ct_format_count(all, k->copies),
	    k->copies == 1 ? "y" : "ies", ct_format_share(share, k->one_user, k->copies),
	    ct_format_count(one, k->one_reference));
	example(p, k->one_user_example);
	if (!k->raced && !k->oom && !k->retried)
		return;
	spaces(p, 2);
	say(p, "Not copied after all: %" PRIu64 " raced, %" PRIu64 " without memory, %" PRIu64
	    " to begin again", k->raced, k->oom, k->retried);
}

static void zero_pages(struct page *p, const struct ct_ksm *k)
{
	const struct ct_ksm_zero *z = &k->zero;
	char n[CT_UNIT_TEXT], t[CT_UNIT_TEXT];
	uint64_t told = 0;

	ct_group_stat(&p->r->state, "ksm", "zero_told", &told);
	if (!z->merges && !z->copies)
		return;
	spaces(p, 2);
	say(p, "Zero pages (use_zero_pages): %s merged in %s", ct_format_count(n, z->merges),
	    ct_format_ns(t, z->merge_ns));
	spaces(p, 4);
	if (told)
		say(p, "%" PRIu64 " copied, %" PRIu64 " ended with their process, %" PRIu64
		    " ended unseen, %" PRIu64 " still so", z->copies, z->exits, z->unseen,
		    z->live);
	else
		say(p, "%" PRIu64 " ended with their process; copies are not told: this kernel "
		    "does not mark the zero pages of KSM", z->exits);
}

/* --- who and what ------------------------------------------------------------------------- */

static uint64_t copies_of(const struct ct_ksm_process *it)
{
	uint64_t sum = it->others;
	int i;

	for (i = 0; i < CT_KSM_COPIES; i++)
		sum += it->ended[i];
	return sum;
}

static void processes(struct page *p, const struct ct_ksm *k)
{
	size_t *order = ksm_sorted(k, KSM_PROCESSES), i, nr = rows(p, k->nr_processes);
	char text[PROCESS_TEXT];

	if (!order)
		return;
	end_line(p);
	spaces(p, 2);
	cell(p, -24, "process");
	cell(p, 9, "merges");
	cell(p, 9, "copies");
	cell(p, 9, "in vain");
	cell(p, 10, "one user");
	cell(p, 14, "lost in vain");
	end_line(p);
	for (i = 0; i < nr; i++) {
		const struct ct_ksm_process *it = &k->processes[order[i]];

		spaces(p, 2);
		cell(p, -24, process_text(text, 24, it->name, it->tgid));
		count_cell(p, 9, it->merges);
		count_cell(p, 9, copies_of(it));
		count_cell(p, 9, it->vain.merges);
		count_cell(p, 10, it->one_user);
		time_cell(p, 14, it->vain.merge_ns + it->vain.copy_ns);
		end_line(p);
	}
	more(p, nr, k->nr_processes);
	free(order);
}

static void pages(struct page *p, const struct ct_ksm *k)
{
	size_t *order = ksm_sorted(k, KSM_PAGES), i, nr = rows(p, k->nr_pages);
	char pfn[CT_UNIT_TEXT];

	if (!order)
		return;
	end_line(p);
	spaces(p, 2);
	cell(p, -16, "content (pfn)");
	cell(p, 9, "merges");
	cell(p, 9, "still");
	cell(p, 9, "most");
	cell(p, 9, "copies");
	cell(p, 9, "in vain");
	end_line(p);
	for (i = 0; i < nr; i++) {
		const struct ct_ksm_page *it = &k->pages[order[i]];

		snprintf(pfn, sizeof(pfn), "%#" PRIx64, it->pfn);
		spaces(p, 2);
		cell(p, -16, pfn);
		count_cell(p, 9, it->merges);
		count_cell(p, 9, it->live);
		count_cell(p, 9, it->most);
		count_cell(p, 9, it->copies);
		count_cell(p, 9, it->vain);
		end_line(p);
	}
	more(p, nr, k->nr_pages);
	free(order);
}

bool ksm_items_known(const struct ct_report *r)
{
	const char *stats = ct_state_text(&r->state, "groups/ksm/stats");

	return !stats || !strstr(stats, "layout wrong\n");
}

void ksm_text(struct page *p)
{
	struct ct_ksm *k;

	heading(p, "KSM: what was merged, and what became of it");
	if (ct_ksm_load(p->r->reader, p->opts->in_vain_ns ?: CT_KSM_IN_VAIN, &k)) {
		say(p, "no memory for the ledger");
		return;
	}
	if (k->info.lost || k->info.bad)
		say(p, "  %" PRIu64 " events were lost and %" PRIu64 " lines are damaged: merges "
		    "and ends below do not match", k->info.lost, k->info.bad);
	if (!ksm_items_known(p->r))
		say(p, "  This kernel lays ksmd's items out otherwise than this version knows: merges "
		    "are counted and not told one by one, and ends only where a copy is seen");
	hows(p, k);
	ends(p, k);
	durations(p, k);
	in_vain(p, k);
	last_users(p, k);
	zero_pages(p, k);
	processes(p, k);
	pages(p, k);
	ct_ksm_free(k);
}
