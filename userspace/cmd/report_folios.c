// SPDX-License-Identifier: GPL-2.0
#include "report_folios.h"

#include "folios.h"
#include "units.h"

static bool seen(const struct ct_folio_order *o)
{
	return o->count.faults || o->folios;
}

/* A sample has some pages of each folio: how much of it was copied it does not tell. */
static bool told(const struct ct_report *r, unsigned int order)
{
	return !ct_sampled(&r->sample) && order <= CT_FOLIO_MAX_ORDER;
}

static int share_width(int share)
{
	return share == CT_FOLIO_QUARTER ? 8 : 7;
}

static void row(struct page *p, unsigned int order)
{
	const struct ct_folio_order *o = &p->r->summary->folios->orders[order];
	uint64_t page_size = ct_reader_schema(p->r->summary->reader)->page_size;
	int share;

	spaces(p, 2);
	bytes_cell(p, 9, page_size << order);
	count_cell(p, 9, o->count.faults);
	count_cell(p, 9, o->count.reuses);
	count_cell(p, 9, o->count.copies);
	bytes_cell(p, 10, o->count.bytes);
	if (told(p->r, order)) {
		count_cell(p, 8, o->folios);
		count_cell(p, 7, o->split);
		for (share = 0; share < CT_NR_FOLIO_SHARES; share++)
			count_cell(p, share_width(share), o->shares[share]);
	} else {
		cell(p, 8, "-");
	}
	end_line(p);
}

void folios_text(struct page *p)
{
	const struct ct_folios *f = p->r->summary->folios;
	unsigned int order;
	bool any = false;
	int share;

	for (order = 0; order < CT_FOLIO_ORDERS; order++)
		any |= seen(&f->orders[order]);
	if (!any)
		return;
	heading(p, "Large folios mapped page by page, and how much of each a process had copied");
	spaces(p, 2);
	cell(p, 9, "size");
	cell(p, 9, "faults");
	cell(p, 9, "reuses");
	cell(p, 9, "copies");
	cell(p, 10, "copied");
	cell(p, 8, "folios");
	cell(p, 7, "split");
	for (share = 0; share < CT_NR_FOLIO_SHARES; share++)
		cell(p, share_width(share), ct_folio_share_names[share]);
	end_line(p);
	for (order = 0; order < CT_FOLIO_ORDERS; order++)
		if (seen(&f->orders[order]))
			row(p, order);
	spaces(p, 2);
	say(p, "%s", ct_sampled(&p->r->sample) ?
	    "How much of a folio was copied is not told by a sample of the faults." :
	    "split: a write of the process split the PMD that mapped it. Copied of a folio: none, "
	    "up to a quarter, up to half, more (part), or the whole.");
}

static struct json_object *shares(const struct ct_folio_order *o)
{
	struct json_object *list = json_object_new_object();
	int share;

	for (share = 0; share < CT_NR_FOLIO_SHARES; share++)
		add_number(list, ct_folio_share_names[share], o->shares[share]);
	return list;
}

struct json_object *folios_json(const struct ct_report *r)
{
	const struct ct_folios *f = r->summary->folios;
	uint64_t page_size = ct_reader_schema(r->summary->reader)->page_size;
	struct json_object *list = json_object_new_array();
	unsigned int order;

	for (order = 0; order < CT_FOLIO_ORDERS; order++) {
		const struct ct_folio_order *o = &f->orders[order];
		struct json_object *it;

		if (!seen(o))
			continue;
		it = json_object_new_object();
		add_number(it, "order", order);
		add_number(it, "bytes", page_size << order);
		add_number(it, "faults", o->count.faults);
		add_number(it, "reuses", o->count.reuses);
		add_number(it, "copies", o->count.copies);
		add_number(it, "bytes_copied", o->count.bytes);
		add_number(it, "time_ns", o->count.ns);
		add(it, "folios", told(r, order) ? json_object_new_int64(o->folios) : NULL);
		add(it, "split", told(r, order) ? json_object_new_int64(o->split) : NULL);
		add(it, "copied", told(r, order) ? shares(o) : NULL);
		json_object_array_add(list, it);
	}
	return list;
}
