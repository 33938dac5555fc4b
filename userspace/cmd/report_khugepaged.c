// SPDX-License-Identifier: GPL-2.0
#include "report_khugepaged.h"

#include <inttypes.h>

#include "json.h"
#include "page.h"
#include "units.h"

enum { KHUGEPAGED, MADVISE };

static void verdicts(struct page *p, const struct ct_khugepaged *k)
{
	unsigned int i;

	spaces(p, 2);
	cell(p, -32, "verdict");
	cell(p, 12, "khugepaged");
	cell(p, 15, "MADV_COLLAPSE");
	end_line(p);
	for (i = 0; i < k->nr_verdicts; i++) {
		spaces(p, 2);
		cell(p, -32, k->verdicts[i].name);
		count_cell(p, 12, k->verdicts[i].scans[KHUGEPAGED]);
		count_cell(p, 15, k->verdicts[i].scans[MADVISE]);
		end_line(p);
	}
}

/* None of what is known is 0, and not "-". */
static void known_cell(struct page *p, int width, bool known, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, known ? ct_format_count(text, n) : "-");
}

static void estimate(struct page *p, const struct ct_khugepaged *k, enum ct_estimate i)
{
	spaces(p, 2);
	cell(p, -9, ct_estimate_names[i]);
	known_cell(p, 9, true, k->estimates[i].known);
	known_cell(p, 11, k->estimates[i].known, k->estimates[i].ptes);
	known_cell(p, 12, k->estimates[i].known && k->limited, k->estimates[i].over);
	spaces(p, 2);
	say(p, "%s, %s%s", ct_estimate_functions[i], ct_estimate_kernels[i],
	    i == k->own ? ": this kernel's" : "");
}

static void ranges(struct page *p, const struct ct_khugepaged *k)
{
	char read[CT_UNIT_TEXT], present[CT_UNIT_TEXT], none[CT_UNIT_TEXT], swap[CT_UNIT_TEXT],
	     young[CT_UNIT_TEXT], writable[CT_UNIT_TEXT];
	enum ct_estimate i;

	spaces(p, 2);
	if (k->before)
		say(p, "%s range%s read just before the scan, without a lock: %s PTEs of a page (%s referenced, %s writable), %s of none, %s not present",
		    ct_format_count(read, k->read), plural(k->read),
		    ct_format_count(present, k->sum.present),
		    ct_format_count(young, k->sum.referenced),
		    ct_format_count(writable, k->sum.writable),
		    ct_format_count(none, k->sum.none + k->sum.zero),
		    ct_format_count(swap, k->sum.unmapped));
	else
		say(p, "%s range%s seen while khugepaged looked at it, until it had seen enough: %s PTEs of a page (%s referenced, %s writable)",
		    ct_format_count(read, k->read), plural(k->read),
		    ct_format_count(present, k->sum.present),
		    ct_format_count(young, k->sum.referenced),
		    ct_format_count(writable, k->sum.writable));
	spaces(p, 2);
	cell(p, -9, "shared by");
	cell(p, 9, "ranges");
	cell(p, 11, "PTEs");
	cell(p, 12, "over limit");
	put(p, "  asked by");
	end_line(p);
	for (i = 0; i < CT_NR_ESTIMATES; i++)
		estimate(p, k, i);
}

static void wrong(struct page *p, const struct ct_khugepaged *k)
{
	const struct ct_khuge_false *e = &k->false_exclusive, *s = &k->false_shared;
	char n[CT_UNIT_TEXT], acted[CT_UNIT_TEXT];

	if (!k->limited || k->own == CT_NR_ESTIMATES)
		return;
	spaces(p, 2);
	if (e->scans)
		say(p, "False exclusive: %s range%s, first khugepaged:%u. %s collapsed: %" PRIu64 " KiB of pages that others still map copied, %" PRIu64 " KiB filled where nothing was mapped",
		    ct_format_count(n, e->scans), plural(e->scans), e->first,
		    ct_format_count(acted, e->acted), e->shared_bytes >> 10,
		    e->filled_bytes >> 10);
	else
		say(p, "False exclusive: none");
	spaces(p, 2);
	if (s->scans)
		say(p, "False shared: %s range%s, first khugepaged:%u. %s refused for it: %" PRIu64 " KiB left without a huge page",
		    ct_format_count(n, s->scans), plural(s->scans), s->first,
		    ct_format_count(acted, s->acted), s->missed_bytes >> 10);
	else
		say(p, "False shared: none");
}

/* Scans of which the module saw the kernel's event alone; there was no room among these. */
static uint64_t unseen(const struct ct_report *r)
{
	uint64_t unmatched = 0, cut = 0;

	ct_group_stat(&r->state, CT_KHUGE_GROUP, "unmatched", &unmatched);
	ct_group_stat(&r->state, CT_KHUGE_GROUP, "cut", &cut);
	return unmatched + cut;
}

void khugepaged_text(struct page *p)
{
	char scans[CT_UNIT_TEXT], daemon[CT_UNIT_TEXT], madvise[CT_UNIT_TEXT];
	struct ct_khugepaged k;

	heading(p, "khugepaged: ranges that it scanned for a huge page");
	if (ct_khugepaged_sum(p->r->reader, &p->r->state, &k)) {
		spaces(p, 2);
		say(p, "There is no memory to read them.");
		return;
	}
	spaces(p, 2);
	say(p, "%s scan%s: %s by khugepaged, %s by MADV_COLLAPSE",
	    ct_format_count(scans, k.info.events), plural(k.info.events),
	    ct_format_count(daemon, k.scans[KHUGEPAGED]),
	    ct_format_count(madvise, k.scans[MADVISE]));
	if (k.info.lost) {
		spaces(p, 2);
		say(p, "%s more are lost: the log of the group was full",
		    ct_format_count(scans, k.info.lost));
	}
	if (unseen(p->r)) {
		spaces(p, 2);
		say(p, "%s more were under way when the group was switched on or off, or there were too many at a time",
		    ct_format_count(scans, unseen(p->r)));
	}
	if (!k.info.events)
		return;
	verdicts(p, &k);
	if (!k.read)
		return;
	ranges(p, &k);
	wrong(p, &k);
}

/* --- JSON --------------------------------------------------------------------- */

static void add_known(struct json_object *o, const char *name, int64_t n)
{
	add(o, name, n < 0 ? NULL : json_object_new_int64(n));
}

struct json_object *khugepaged_scan_json(const struct ct_khuge_scan *s)
{
	struct json_object *o = json_object_new_object(), *shared = json_object_new_object();
	char address[24];
	enum ct_estimate i;

	snprintf(address, sizeof(address), "%#" PRIx64, s->address);
	add_number(o, "seq", s->seq);
	add_text(o, "origin", s->madvise ? "madvise" : "khugepaged");
	add_text(o, "seen", s->before ? "before" : "while");
	add_text(o, "address", s->address ? address : NULL);
	add_known(o, "owner", s->owner ? (int64_t)s->owner : -1);
	add_text(o, "owner_comm", s->owner_comm);
	add_text(o, "table", s->table);
#define NUMBER_(member, key, sentence)	add_known(o, key, s->member);
	CT_KHUGE_NUMBERS(NUMBER_)
	for (i = 0; i < CT_NR_ESTIMATES; i++)
		add_known(shared, ct_estimate_names[i], s->shared[i]);
	add(o, "shared", shared);
	add_text(o, "estimate", s->own < CT_NR_ESTIMATES ? ct_estimate_names[s->own] : NULL);
	add_known(o, "status", s->status);
	add_text(o, "verdict", s->verdict);
	add_text(o, "finding", s->finding == CT_KHUGE_OPEN ? NULL :
		 ct_khuge_finding_names[s->finding]);
	add_number(o, "shared_bytes", s->shared_bytes);
	add_number(o, "filled_bytes", s->filled_bytes);
	add_number(o, "missed_bytes", s->missed_bytes);
	return o;
}

static struct json_object *verdicts_json(const struct ct_khugepaged *k)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < k->nr_verdicts; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "name", k->verdicts[i].name);
		add_known(o, "status", k->verdicts[i].status);
		add_number(o, "khugepaged", k->verdicts[i].scans[KHUGEPAGED]);
		add_number(o, "madvise", k->verdicts[i].scans[MADVISE]);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *shared_json(const struct ct_khugepaged *k)
{
	struct json_object *all = json_object_new_object();
	enum ct_estimate i;

	for (i = 0; i < CT_NR_ESTIMATES; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "function", ct_estimate_functions[i]);
		add_text(o, "kernels", ct_estimate_kernels[i]);
		add_number(o, "ranges", k->estimates[i].known);
		add_number(o, "ptes", k->estimates[i].ptes);
		add_number(o, "over_limit", k->estimates[i].over);
		add(all, ct_estimate_names[i], o);
	}
	return all;
}

static struct json_object *false_json(const struct ct_khuge_false *f, bool exclusive)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "ranges", f->scans);
	add_number(o, exclusive ? "collapsed" : "refused", f->acted);
	if (exclusive) {
		add_number(o, "shared_bytes", f->shared_bytes);
		add_number(o, "filled_bytes", f->filled_bytes);
	} else {
		add_number(o, "missed_bytes", f->missed_bytes);
	}
	add_known(o, "first", f->first ? (int64_t)f->first : -1);
	return o;
}

struct listed {
	const struct ct_report	*r;
	struct json_object	*list;
};

static int list_scan(void *arg, const struct ct_group_event *e)
{
	struct listed *l = arg;
	struct ct_khuge_scan scan;

	ct_khuge_read(e, &l->r->state, l->r->schema->page_size, &scan);
	return json_object_array_add(l->list, khugepaged_scan_json(&scan));
}

struct json_object *khugepaged_json(const struct ct_report *r)
{
	struct json_object *o = json_object_new_object(), *sums = json_object_new_object();
	struct listed l = { .r = r, .list = json_object_new_array() };
	struct ct_group_info info;
	struct ct_khugepaged k;

	if (ct_khugepaged_sum(r->reader, &r->state, &k) ||
	    ct_group_walk(r->reader, CT_KHUGE_GROUP, &info, list_scan, &l)) {
		json_object_put(o);
		json_object_put(sums);
		json_object_put(l.list);
		return NULL;
	}
	add_number(o, "scans", k.info.events);
	add_number(o, "lost", k.info.lost);
	add_number(o, "unseen", unseen(r));
	add_number(o, "khugepaged", k.scans[KHUGEPAGED]);
	add_number(o, "madvise", k.scans[MADVISE]);
	add_text(o, "estimate", k.own < CT_NR_ESTIMATES ? ct_estimate_names[k.own] : NULL);
	add(o, "verdicts", verdicts_json(&k));
	add_number(o, "ranges_read", k.read);
	add_number(o, "ranges_read_before", k.before);
	add_number(o, "ranges_limited", k.limited);
	add_number(sums, "present", k.sum.present);
	add_number(sums, "none", k.sum.none);
	add_number(sums, "zero", k.sum.zero);
	add_number(sums, "unmapped", k.sum.unmapped);
	add_number(sums, "writable", k.sum.writable);
	add_number(sums, "referenced", k.sum.referenced);
	add_number(sums, "large", k.sum.large);
	add(o, "ptes", sums);
	add(o, "shared", shared_json(&k));
	add(o, "false_exclusive", false_json(&k.false_exclusive, true));
	add(o, "false_shared", false_json(&k.false_shared, false));
	add(o, "list", l.list);
	return o;
}
