// SPDX-License-Identifier: GPL-2.0
#include "report_evidence.h"

#include <stddef.h>
#include <stdio.h>

#include <cowtrace/vocab.h>

#include "units.h"

static void average_cell(struct page *p, int width, uint64_t sum, uint64_t n)
{
	char text[CT_UNIT_TEXT];
	double average = (double)sum / n;

	snprintf(text, sizeof(text), average < 99.95 ? "%.2f" : "%.0f", average);
	cell(p, width, sum ? text : "-");
}

/* Columns of the table of holders. */
static const struct holder {
	const char	*name;
	size_t		offset;
	int		width;
	bool		rare;	/* shown only where it is not 0 throughout */
} holder_columns[] = {
	{ "total", offsetof(struct ct_held, total), 8, false },
	{ "mappings", offsetof(struct ct_held, mappings), 10, false },
	{ "swap cache", offsetof(struct ct_held, swapcache), 12, false },
	{ "page cache", offsetof(struct ct_held, pagecache), 12, false },
	{ "LRU batch", offsetof(struct ct_held, lru), 11, false },
	{ "pins", offsetof(struct ct_held, pins), 8, false },
	{ "fault", offsetof(struct ct_held, fault), 8, true },
	{ "unattributed", offsetof(struct ct_held, unattributed), 14, false },
};

#define NR_HOLDERS	(sizeof(holder_columns) / sizeof(*holder_columns))

static uint64_t held_by(const struct ct_held *held, size_t column)
{
	return *(const uint64_t *)((const char *)held + holder_columns[column].offset);
}

static void holder_row(struct page *p, const struct ct_pair *pair, const bool *shown)
{
	size_t c;

	spaces(p, 2);
	cell(p, -15, ct_report_word(p->r, "reason", pair->reason));
	for (c = 0; c < NR_HOLDERS; c++)
		if (shown[c])
			average_cell(p, holder_columns[c].width, held_by(&pair->held, c),
				     pair->held.known);
	end_line(p);
}

void holders_text(struct page *p, const char *title_, bool (*member)(const struct ct_pair *))
{
	const struct ct_summary *s = p->r->summary;
	bool shown[NR_HOLDERS], any = false;
	char count[CT_UNIT_TEXT];
	uint64_t large = 0;
	size_t i, c;

	for (c = 0; c < NR_HOLDERS; c++)
		shown[c] = !holder_columns[c].rare;
	for (i = 0; i < s->nr_pairs; i++) {
		if (!member(&s->pairs[i]))
			continue;
		any |= s->pairs[i].held.known;
		large += s->pairs[i].held.large;
		for (c = 0; c < NR_HOLDERS; c++)
			shown[c] |= held_by(&s->pairs[i].held, c);
	}
	if (!any)
		return;
	heading(p, title_);
	spaces(p, 2);
	cell(p, -15, "reason");
	for (c = 0; c < NR_HOLDERS; c++)
		if (shown[c])
			cell(p, holder_columns[c].width, holder_columns[c].name);
	end_line(p);
	for (i = 0; i < s->nr_pairs; i++)
		if (member(&s->pairs[i]) && s->pairs[i].held.known)
			holder_row(p, &s->pairs[i], shown);
	if (large) {
		spaces(p, 2);
		say(p, "%s of these pages %s part of a large folio, whose references count as a whole",
		    ct_format_count(count, large), large == 1 ? "is" : "are");
	}
}

void evidence_text(struct page *p)
{
	static const uint16_t flags[] = {
		COWTRACE_EV_WITNESS, COWTRACE_EV_COUNTED, COWTRACE_EV_TRIED,
		COWTRACE_EV_DRAINED, COWTRACE_EV_SHIFTED, COWTRACE_EV_UNSTABLE,
	};
	const struct ct_summary *s = p->r->summary;
	bool any = false;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		uint64_t n = ct_summary_flagged(s, flags[i]);

		if (!n)
			continue;
		if (!any) {
			heading(p, "What outcomes and reasons rest on");
			spaces(p, 2);
			cell(p, -15, "evidence");
			cell(p, 11, "faults");
			cell(p, 10, "share");
			put(p, "  meaning");
			end_line(p);
			any = true;
		}
		spaces(p, 2);
		cell(p, -15, ct_report_word(p->r, "evidence", flags[i]));
		count_cell(p, 11, n);
		share_cell(p, 10, n, s->total.faults);
		spaces(p, 2);
		wrapped(p, ct_report_sentence(p->r, "evidence", flags[i]));
	}
}

/* Names of the bits, "none" when there is none. */
static void evidence_names(const struct page *p, uint16_t evidence, char *to, size_t size)
{
	size_t used = 0;
	uint32_t bit;

	snprintf(to, size, "none");
	for (bit = 1; bit <= evidence; bit <<= 1)
		if ((evidence & bit) && used < size)
			used += snprintf(to + used, size - used, "%s%s", used ? " " : "",
					 ct_report_word(p->r, "evidence", bit));
}

void doubts_text(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	char names[1024], count[CT_UNIT_TEXT];
	size_t i, n = rows(p, s->nr_doubts);
	uint64_t unwatched = 0;

	if (!n)
		return;
	heading(p, "Unknown and raced faults, by their evidence");
	spaces(p, 2);
	cell(p, -10, "outcome");
	cell(p, -10, "path");
	cell(p, 11, "faults");
	cell(p, 10, "share");
	put(p, "  evidence");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_doubt *d = &s->doubts[i];

		spaces(p, 2);
		cell(p, -10, ct_report_word(p->r, "outcome", d->outcome));
		cell(p, -10, ct_report_word(p->r, "path", d->path));
		count_cell(p, 11, d->faults);
		share_cell(p, 10, d->faults, s->total.faults);
		spaces(p, 2);
		evidence_names(p, d->evidence, names, sizeof(names));
		wrapped(p, names);
	}
	more(p, n, s->nr_doubts);
	for (i = 0; i < s->nr_doubts; i++)
		if (!(s->doubts[i].evidence & (COWTRACE_EV_WATCHED | COWTRACE_EV_RET)))
			unwatched += s->doubts[i].faults;
	if (unwatched) {
		spaces(p, 2);
		say(p, "%s without a witness that was armed: cowtrace doctor says what this "
		       "kernel has, --witness sets it", ct_format_count(count, unwatched));
	}
}
