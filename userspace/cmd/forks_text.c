// SPDX-License-Identifier: GPL-2.0
/* The ledger for people. */
#include <stdlib.h>
#include <string.h>

#include "forks.h"
#include "page.h"
#include "units.h"

/* Columns of a fork's parent, its name and number. */
#define PARENT_WIDTH	18

static void number_cell(struct page *p, int width, uint32_t n)
{
	char text[CT_UNIT_TEXT];

	snprintf(text, sizeof(text), "%u", n);
	cell(p, width, text);
}

/* Of all that was shared, written or not. */
static void how_much(struct page *p, const struct ct_forks_view *v)
{
	char all[CT_UNIT_TEXT], share[CT_UNIT_TEXT], n[CT_UNIT_TEXT];
	/* A page of a large folio may be copied by both, before 6.15. */
	const char *twice = v->of_shared > v->shared ? "; both sides copied some of it" : "";

	spaces(p, 2);
	if (!v->nr_shared)
		say(p, "how much was shared and never written is not known: no child could be looked at in time");
	else if (v->nr_shared == v->nr)
		say(p, "of %s that %s shared, %s had to be copied%s",
		    ct_format_bytes(all, v->shared), v->nr == 1 ? "it" : "they",
		    ct_format_share(share, v->of_shared, v->shared), twice);
	else
		say(p, "of %s that %s of them shared, %s had to be copied%s; no other child could be looked at in time",
		    ct_format_bytes(all, v->shared), ct_format_count(n, v->nr_shared),
		    ct_format_share(share, v->of_shared, v->shared), twice);
}

static void summary(struct page *p, const struct ct_forks_view *v)
{
	const struct ct_forks *f = v->f;
	char n[CT_UNIT_TEXT], copies[CT_UNIT_TEXT], all[CT_UNIT_TEXT], share[CT_UNIT_TEXT];
	char bytes[CT_UNIT_TEXT], lost[CT_UNIT_TEXT], other[CT_UNIT_TEXT];
	uint64_t written = v->sum.copies + v->sum.reuses;

	end_line(p);
	if (!f->nr) {
		say(p, "%s", ct_forks_seen(v->r) ? "No fork() is in this trace." :
		       "Which forks there were is not known: the recorder had no events of processes, cowtrace doctor says why.");
		return;
	}
	say(p, "%s fork%s caused %s of the %s copies in this trace", ct_format_count(n, v->nr),
	    plural(v->nr), ct_format_count(copies, v->sum.copies),
	    ct_format_count(all, f->total.copies));
	if (!v->sum.faults)
		return;
	spaces(p, 2);
	say(p, "%s copied, %s spent on copies, %s on their other faults",
	    ct_format_bytes(bytes, v->sum.bytes), ct_format_ns(lost, v->sum.copy_ns),
	    ct_format_ns(other, v->sum.ns - v->sum.copy_ns));
	spaces(p, 2);
	say(p, "of %s shared page%s that were written, %s had to be copied",
	    ct_format_count(n, written), plural(written),
	    ct_format_share(share, v->sum.copies, written));
	how_much(p, v);
}

/* What stands between a fork and its numbers. */
static void doubts(struct page *p, const struct ct_forks_view *v)
{
	char n[CT_UNIT_TEXT];
	size_t i, unknown = 0;

	for (i = 0; i < v->nr; i++)
		unknown += !v->f->list[v->chosen[i]].known;
	if (v->f->sharing) {
		spaces(p, 2);
		say(p, "%s more child%s shared the memory itself (vfork, posix_spawn) and had no page copied for it",
		    ct_format_count(n, v->f->sharing), v->f->sharing == 1 ? "" : "ren");
	}
	if (unknown) {
		spaces(p, 2);
		say(p, "%s of these may be such a child too: the trace does not tell, record it with tracefs mounted",
		    ct_format_count(n, unknown));
	}
	if (v->unsettled.faults) {
		spaces(p, 2);
		say(p, "%s more fault%s, of pages mapped once, may be theirs or not: unsettled below",
		    ct_format_count(n, v->unsettled.faults), plural(v->unsettled.faults));
	}
}

void ct_forks_said(struct page *p, const struct ct_forks_view *v)
{
	summary(p, v);
	doubts(p, v);
}

static void fork_heads(struct page *p)
{
	spaces(p, 1);
	cell(p, 7, "at");
	spaces(p, 1);
	cell(p, -PARENT_WIDTH, "parent");
	cell(p, 8, "child");
	spaces(p, 1);
	cell(p, -5, "until");
	cell(p, 10, "by parent");
	cell(p, 9, "by child");
	cell(p, 7, "after");
	cell(p, 8, "reuses");
	cell(p, 9, "copied");
	cell(p, 8, "share");
	cell(p, 8, "time");
	end_line(p);
}

static void fork_row(struct page *p, const struct ct_forks_view *v, const struct ct_fork *fork)
{
	uint64_t shared = ct_fork_shared(v->f, fork);
	char parent[PROCESS_TEXT];

	spaces(p, 1);
	ns_cell(p, 7, fork->start - v->f->list[0].start);
	spaces(p, 1);
	cell(p, -PARENT_WIDTH,
	     process_text(parent, PARENT_WIDTH, ct_fork_parent_name(v->f, fork),
			  ct_fork_pid(v->f, fork->parent)));
	number_cell(p, 8, ct_fork_pid(v->f, fork->child));
	spaces(p, 1);
	cell(p, -5, ct_fork_end_name(fork->how));
	count_cell(p, 10, fork->by_parent.copies);
	count_cell(p, 9, fork->by_child.copies);
	count_cell(p, 7, fork->after.copies);
	count_cell(p, 8, fork->total.reuses);
	bytes_cell(p, 9, fork->total.bytes);
	if (shared == UINT64_MAX)
		cell(p, 8, "?");
	else
		share_cell(p, 8, fork->total.bytes, shared);
	ns_cell(p, 8, fork->total.ns);
	end_line(p);
}

static void forks(struct page *p, const struct ct_forks_view *v)
{
	static const char * const sentences[] = {
#define SENTENCE_(id, n, s)	(s),
		CT_FORK_SORTS(SENTENCE_)
	};
	size_t i, n = rows(p, v->nr);
	char text[128];

	snprintf(text, sizeof(text), "Forks, %s: copies by parent, by child, after its end; share of the memory",
		 sentences[v->opts->sort]);
	heading(p, text);
	fork_heads(p);
	for (i = 0; i < n; i++)
		fork_row(p, v, &v->f->list[v->chosen[i]]);
	more(p, n, v->nr);
}

static void side(struct page *p, const char *who, const struct ct_count *c)
{
	spaces(p, 1);
	count_cells(p, c);
	spaces(p, 2);
	wrapped(p, who);
}

/* All that is known of one fork. */
static void details(struct page *p, const struct ct_forks_view *v, uint32_t number)
{
	const struct ct_fork *fork = &v->f->list[number];
	const char *exec = ct_fork_exec_name(v->f, fork);
	const struct ct_fork_reason *it;
	char lived[CT_UNIT_TEXT], text[128];
	size_t n;

	end_line(p);
	if (fork->how == CT_FORK_ALIVE)
		say(p, "The child was alive when the trace ended.");
	else
		say(p, "The child shared memory for %s, until %s%s.",
		    ct_format_ns(lived, fork->end - fork->start),
		    fork->how == CT_FORK_EXEC ? "it became " : "it exited", exec ?: "");
	heading(p, "Who wrote");
	spaces(p, 1);
	count_heads(p);
	put(p, "  by");
	end_line(p);
	side(p, "the parent", &fork->by_parent);
	side(p, "the child", &fork->by_child);
	side(p, "after the child's end", &fork->after);
	if (fork->unsettled.faults)
		side(p, "unsettled: this fork or something else", &fork->unsettled);
	heading(p, "What the kernel did, and why");
	spaces(p, 1);
	count_heads(p);
	put(p, "  outcome and reason");
	end_line(p);
	for (it = ct_fork_reasons(v->f, number, &n); n--; it++) {
		snprintf(text, sizeof(text), "%s", ct_report_word(v->r, "outcome", it->outcome));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s: %s",
			 ct_report_word(v->r, "reason", it->reason),
			 ct_report_sentence(v->r, "reason", it->reason));
		side(p, text, &it->count);
	}
}

static void sources(struct page *p, const struct ct_forks_view *v)
{
	char text[192], n[CT_UNIT_TEXT];
	int i;

	heading(p, "All faults of the trace, by what caused them");
	spaces(p, 1);
	count_heads(p);
	put(p, "  caused by");
	end_line(p);
	if (v->nr) {
		snprintf(text, sizeof(text), "%s fork%s above", ct_format_count(n, v->nr),
			 plural(v->nr));
		side(p, text, &v->sum);
	}
	if (v->nr < v->f->nr) {
		snprintf(text, sizeof(text), "%s other fork%s",
			 ct_format_count(n, v->f->nr - v->nr), plural(v->f->nr - v->nr));
		side(p, text, &v->rest);
	}
	for (i = 0; i < CT_NR_FORK_CAUSES; i++) {
		if (!v->f->causes[i].faults)
			continue;
		snprintf(text, sizeof(text), "%s: %s", ct_fork_cause_name(i),
			 ct_fork_cause_sentence(i));
		side(p, text, &v->f->causes[i]);
	}
	side(p, "all of the trace, the sum of these", &v->f->total);
}

struct place {
	uint32_t	site;
	struct ct_count	count;
};

static int place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return ct_count_order(&x->count, &y->count) ?: (x->site > y->site) - (x->site < y->site);
}

/* Places in the code, over all forks that were chosen. */
static int sites(struct page *p, const struct ct_forks_view *v)
{
	const struct ct_sites *s = &v->f->sites;
	size_t i, n, nr = 0;
	struct place *places;
	char name[512];

	if (!s->nr)
		return 0;
	places = calloc(s->nr, sizeof(*places));
	if (!places)
		return -1;
	for (i = 0; i < s->nr; i++)
		places[i].site = i;
	for (i = 0; i < v->nr; i++) {
		const struct ct_fork_site *it = ct_fork_sites(v->f, v->chosen[i], &n);

		for (; n--; it++)
			ct_count_merge(&places[it->site].count, &it->count);
	}
	qsort(places, s->nr, sizeof(*places), place_order);
	while (nr < s->nr && places[nr].count.faults)
		nr++;
	n = rows(p, nr);
	if (n) {
		heading(p, "Code that wrote to these shared pages");
		spaces(p, 1);
		count_heads(p);
		put(p, "  object and symbol");
		end_line(p);
	}
	for (i = 0; i < n; i++) {
		site_name(v->f->processes, &s->list[places[i].site], name, sizeof(name));
		side(p, name, &places[i].count);
	}
	more(p, n, nr);
	free(places);
	return 0;
}

int ct_forks_text(FILE *out, const struct ct_forks_view *v)
{
	struct page p = { .out = out, .r = v->r, .opts = &v->opts->report };

	title(&p);
	ct_forks_said(&p, v);
	if (v->nr) {
		forks(&p, v);
		if (v->nr == 1)
			details(&p, v, v->chosen[0]);
	}
	sources(&p, v);
	if (sites(&p, v))
		return -1;
	losses(&p, v->f->processes);
	return ferror(out) ? -1 : 0;
}
