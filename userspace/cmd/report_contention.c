// SPDX-License-Identifier: GPL-2.0
#include "report_contention.h"

#include <inttypes.h>

#include <cowtrace/vocab.h>

#include "contention.h"
#include "units.h"

static const struct ct_contention *contention(const struct page *p)
{
	return p->r->summary->contention;
}

static const struct ct_process_count *process_of(const struct page *p, uint32_t number)
{
	const struct ct_summary *s = p->r->summary;

	return &s->by_process[s->process_at[number]];
}

static void met(struct page *p)
{
	const struct ct_contention *c = contention(p);
	char groups[CT_UNIT_TEXT], faults[CT_UNIT_TEXT], most[CT_UNIT_TEXT], one[CT_UNIT_TEXT];

	spaces(p, 2);
	if (!c->groups) {
		say(p, "no two faults of one page frame overlapped in time");
		return;
	}
	say(p, "%s fault%s met in %s group%s of %s%s; %s of these in one page-table entry",
	    ct_format_count(faults, c->faults), plural(c->faults),
	    ct_format_count(groups, c->groups), plural(c->groups),
	    c->largest > 2 ? "2 to " : "", ct_format_count(most, c->largest),
	    ct_format_count(one, c->one_entry));
}

static void meetings(struct page *p)
{
	const struct ct_contention *c = contention(p);
	int i;

	spaces(p, 2);
	cell(p, -15, "in a group");
	cell(p, 11, "groups");
	cell(p, 11, "faults");
	cell(p, 10, "time");
	put(p, "  meaning");
	end_line(p);
	for (i = 0; i < CT_NR_MEETINGS; i++) {
		const struct ct_met_count *m = &c->meetings[i];

		if (!m->groups)
			continue;
		spaces(p, 2);
		cell(p, -15, ct_meeting_names[i]);
		count_cell(p, 11, m->groups);
		count_cell(p, 11, m->faults);
		ns_cell(p, 10, m->ns);
		spaces(p, 2);
		wrapped(p, ct_meeting_sentences[i]);
	}
}

/* Faults that met nobody, of one outcome on the path of one page. */
static struct ct_histogram alone(const struct ct_contention *c, uint8_t outcome)
{
	struct ct_histogram sum = { 0 };
	size_t i, b;

	for (i = 0; i < c->nr_kinds; i++) {
		const struct ct_met_kind *k = &c->kinds[i];

		if (k->path != COWTRACE_PATH_PTE || k->outcome != outcome)
			continue;
		sum.count += k->alone.count;
		if (k->alone.max > sum.max)
			sum.max = k->alone.max;
		for (b = 0; b < CT_HISTOGRAM_BUCKETS; b++)
			sum.bucket[b] += k->alone.bucket[b];
	}
	return sum;
}

/* What a loser took, and what it would have done with nobody in its way. */
static void against(struct page *p, uint64_t faults, uint64_t ns, uint8_t outcome,
		    const char *would)
{
	struct ct_histogram h = alone(contention(p), outcome);
	char average[CT_UNIT_TEXT], other[CT_UNIT_TEXT];

	spaces(p, 4);
	if (h.count)
		say(p, "each took %s on average; the median of %s that met nobody is %s",
		    ct_format_ns(average, ns / faults), would,
		    ct_format_ns(other, ct_histogram_percentile(&h, 50)));
	else
		say(p, "each took %s on average; no %s met nobody, to compare with",
		    ct_format_ns(average, ns / faults), would);
}

static void lost_races(struct page *p)
{
	const struct ct_contention *c = contention(p);
	uint64_t page = p->r->schema->page_size;
	char n[CT_UNIT_TEXT], m[CT_UNIT_TEXT], k[CT_UNIT_TEXT], t[CT_UNIT_TEXT];

	if (!c->raced)
		return;
	spaces(p, 2);
	say(p, "%s fault%s lost the page-table entry: %s to a fault seen here, of which %s found "
	       "the winner's page there; %s lost", ct_format_count(n, c->raced), plural(c->raced),
	    ct_format_count(m, c->raced_seen), ct_format_count(k, c->raced_shown),
	    ct_format_ns(t, c->raced_ns));
	if (c->thrown) {
		spaces(p, 4);
		say(p, "%s of them had made a page for a copy that nobody saw: %s thrown away",
		    ct_format_count(n, c->thrown), ct_format_bytes(m, c->thrown * page));
		against(p, c->thrown, c->thrown_ns, COWTRACE_OUTCOME_COPY, "a copy");
	}
	if (c->undecided) {
		spaces(p, 4);
		say(p, "%s of them may have done the work themselves: no witness was armed",
		    ct_format_count(n, c->undecided));
	}
}

static void needless_copies(struct page *p)
{
	const struct ct_contention *c = contention(p);
	uint64_t page = p->r->schema->page_size;
	char n[CT_UNIT_TEXT], m[CT_UNIT_TEXT], t[CT_UNIT_TEXT];

	if (c->last_copies) {
		spaces(p, 2);
		say(p, "%s cop%s of a page that everybody copied, and that its last user could "
		       "have kept: %s, %s", ct_format_count(n, c->last_copies),
		    c->last_copies == 1 ? "y" : "ies",
		    ct_format_bytes(m, c->last_copies * page), ct_format_ns(t, c->last_ns));
	}
	if (c->beside_copy) {
		spaces(p, 2);
		say(p, "%s unattributed cop%s began while another fault copied the page: a copier "
		       "holds a reference until it ends", ct_format_count(n, c->beside_copy),
		    c->beside_copy == 1 ? "y" : "ies");
	}
}

/* What keeps these numbers from being all. */
static void caveats(struct page *p)
{
	const struct ct_contention *c = contention(p);
	uint64_t sampled = 0, filtered = 0;
	char n[CT_UNIT_TEXT];

	if (c->touching) {
		spaces(p, 2);
		say(p, "%s pair%s met at one instant alone, or take no time: the clock cannot tell",
		    ct_format_count(n, c->touching), plural(c->touching));
	}
	if (c->early || c->crowded) {
		spaces(p, 2);
		say(p, "%s fault%s lasted longer than is looked back, or met too many: some pairs "
		       "may be missing", ct_format_count(n, c->early + c->crowded),
		    plural(c->early + c->crowded));
	}
	ct_state_number(&p->r->state, "stats", "sampled_out", &sampled);
	ct_state_number(&p->r->state, "stats", "filtered_exit", &filtered);
	if (ct_sampled(&p->r->sample)) {
		spaces(p, 2);
		say(p, "These are figures of recorded faults, not estimates: a pair is seen when both are "
		       "in the sample");
	} else if (sampled || filtered || p->r->info->lost) {
		spaces(p, 2);
		say(p, "Faults that were left out or lost are met by none: there were more pairs");
	}
}

static void found_locked(struct page *p)
{
	const struct ct_contention *c = contention(p);
	char n[CT_UNIT_TEXT], whole[CT_UNIT_TEXT], share[CT_UNIT_TEXT];

	if (!c->lock_held)
		return;
	spaces(p, 2);
	say(p, "%s of %s faults found their page locked (%s)", ct_format_count(n, c->lock_held),
	    ct_format_count(whole, c->lock_asked),
	    ct_format_share(share, c->lock_held, c->lock_asked));
	if (c->holder_seen) {
		spaces(p, 2);
		say(p, "%s of them began within a fault of a huge PMD or a shared mapping, which "
		       "locks its page: that may have been the holder",
		    ct_format_count(n, c->holder_seen));
	}
	if (c->lock_held > c->holder_seen) {
		spaces(p, 2);
		say(p, "%s of them found it held by somebody else, not seen at this frame: "
		       "do_wp_page() locks no private page but one that nobody else maps",
		    ct_format_count(n, c->lock_held - c->holder_seen));
	}
	if (c->locked_copies) {
		spaces(p, 2);
		say(p, "%s lost the trylock and copied a page that had no other user",
		    ct_format_count(n, c->locked_copies));
		against(p, c->locked_copies, c->locked_ns, COWTRACE_OUTCOME_REUSE, "a reuse");
	}
}

static void page_lock(struct page *p)
{
	const struct ct_contention *c = contention(p);
	size_t i, shown = rows(p, c->nr_locked);

	if (!c->lock_held)
		return;
	heading(p, "The page lock at the entry of a fault");
	found_locked(p);
	spaces(p, 2);
	cell(p, -10, "path");
	cell(p, -10, "outcome");
	cell(p, -16, "reason");
	cell(p, 11, "faults");
	cell(p, 11, "met others");
	cell(p, 10, "time");
	end_line(p);
	for (i = 0; i < shown; i++) {
		const struct ct_found_locked *it = &c->locked[i];

		spaces(p, 2);
		cell(p, -10, ct_report_word(p->r, "path", it->path));
		cell(p, -10, ct_report_word(p->r, "outcome", it->outcome));
		cell(p, -16, it->reason ? ct_report_word(p->r, "reason", it->reason) : "-");
		count_cell(p, 11, it->faults);
		count_cell(p, 11, it->met);
		ns_cell(p, 10, it->ns);
		end_line(p);
	}
	more(p, shown, c->nr_locked);
}

static void median_cell(struct page *p, int width, const struct ct_histogram *h, double percent)
{
	if (h->count)
		ns_cell(p, width, ct_histogram_percentile(h, percent));
	else
		cell(p, width, "-");
}

static void kinds(struct page *p)
{
	const struct ct_contention *c = contention(p);
	size_t i, met = 0, n;

	while (met < c->nr_kinds && c->kinds[met].met.count)
		met++;
	n = rows(p, met);
	heading(p, "How long faults took that met others, and the same kind where it met nobody");
	spaces(p, 2);
	cell(p, -9, "path");
	cell(p, -9, "kind");
	cell(p, -9, "outcome");
	cell(p, -16, "reason");
	cell(p, 9, "met");
	cell(p, 9, "median");
	cell(p, 9, "99 %");
	cell(p, 10, "alone");
	cell(p, 9, "median");
	cell(p, 9, "99 %");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_met_kind *k = &c->kinds[i];

		spaces(p, 2);
		cell(p, -9, ct_report_word(p->r, "path", k->path));
		cell(p, -9, ct_report_word(p->r, "kind", k->kind));
		cell(p, -9, ct_report_word(p->r, "outcome", k->outcome));
		cell(p, -16, k->reason ? ct_report_word(p->r, "reason", k->reason) : "-");
		count_cell(p, 9, k->met.count);
		median_cell(p, 9, &k->met, 50);
		median_cell(p, 9, &k->met, 99);
		count_cell(p, 10, k->alone.count);
		median_cell(p, 9, &k->alone, 50);
		median_cell(p, 9, &k->alone, 99);
		end_line(p);
	}
	more(p, n, met);
}

static void pairs(struct page *p)
{
	const struct ct_contention *c = contention(p);
	size_t i, n = rows(p, c->nr_pairs);

	heading(p, "Processes whose faults met");
	spaces(p, 1);
	cell(p, 11, "pairs");
	cell(p, 13, "both copied");
	cell(p, 12, "one reused");
	cell(p, 10, "one lost");
	put(p, "  processes");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_met_pair *it = &c->pairs[i];
		const struct ct_process_count *a = process_of(p, it->a), *b = process_of(p, it->b);

		spaces(p, 1);
		count_cell(p, 11, it->pairs);
		count_cell(p, 13, it->both_copied);
		count_cell(p, 12, it->one_reused);
		count_cell(p, 10, it->one_lost);
		spaces(p, 2);
		if (a == b)
			say(p, "threads of %s (%u)", a->comm, a->tgid);
		else
			say(p, "%s (%u) and %s (%u)", a->comm, a->tgid, b->comm, b->tgid);
	}
	more(p, n, c->nr_pairs);
}

static void place_heads(struct page *p, const char *what)
{
	spaces(p, 1);
	cell(p, 11, "faults");
	cell(p, 11, "copies");
	cell(p, 11, "raced");
	cell(p, 10, "time");
	put(p, what);
	end_line(p);
}

static void place_cells(struct page *p, const struct ct_met_place *it)
{
	spaces(p, 1);
	count_cell(p, 11, it->faults);
	count_cell(p, 11, it->copies);
	count_cell(p, 11, it->raced);
	ns_cell(p, 10, it->ns);
	spaces(p, 2);
}

static void pages(struct page *p)
{
	const struct ct_contention *c = contention(p);
	size_t i, n = rows(p, c->nr_pages);
	char count[CT_UNIT_TEXT];

	heading(p, "Pages whose faults met others");
	place_heads(p, "  page of process");
	for (i = 0; i < n; i++) {
		const struct ct_process_count *it = process_of(p, c->pages[i].process);

		place_cells(p, &c->pages[i]);
		say(p, "0x%" PRIx64 " of %s (%u)", c->pages[i].address, it->comm, it->tgid);
	}
	more(p, n, c->nr_pages);
	if (c->pages_missing) {
		spaces(p, 2);
		say(p, "There are too many to count each: up to %s faults of a page may be missing",
		    ct_format_count(count, c->pages_missing));
	}
}

static void sites(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	const struct ct_contention *c = s->contention;
	size_t i, n = rows(p, c->nr_sites);
	char name[512];

	if (!n)
		return;
	heading(p, "Code sites whose faults met others");
	place_heads(p, "  object and symbol");
	for (i = 0; i < n; i++) {
		place_cells(p, &c->sites[i]);
		site_name(s->processes, &s->sites.list[c->sites[i].site], name, sizeof(name));
		put(p, name);
		end_line(p);
	}
	more(p, n, c->nr_sites);
}

bool contention_any(const struct ct_contention *c)
{
	return c->groups || c->raced || c->lock_held;
}

void contention_said(struct page *p)
{
	met(p);
	lost_races(p);
	needless_copies(p);
	caveats(p);
	found_locked(p);
}

void contention_text(struct page *p)
{
	const struct ct_contention *c = contention(p);

	if (!contention_any(c)) {
		end_line(p);
		say(p, "No contention: no two faults of one page frame overlapped in time.");
		return;
	}
	heading(p, "Contention: faults of one page frame whose times overlap");
	met(p);
	if (c->groups)
		meetings(p);
	lost_races(p);
	needless_copies(p);
	caveats(p);
	page_lock(p);
	if (!c->groups)
		return;
	kinds(p);
	pairs(p);
	pages(p);
	sites(p);
}
