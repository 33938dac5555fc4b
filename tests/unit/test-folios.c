// SPDX-License-Identifier: GPL-2.0
/* Large folios that are mapped page by page: how much of each was copied. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "folios.h"
#include "generate.h"
#include "numbers.h"
#include "reported.h"
#include "tap.h"
#include "writer.h"

#define HEAD	0x40000ull
#define BASE	0x7f0000000000ull
#define MANY	100000u

/* A fault on a page of the folio of 2^@order pages at @head, which @tgid has at @base. */
static struct cowtrace_record fault(uint32_t tgid, uint64_t head, uint64_t base, uint8_t order,
				    unsigned int page, uint8_t outcome)
{
	static uint32_t seq;
	struct cowtrace_record r = plain_record(seq, 1000 * seq);

	seq++;
	r.tgid = tgid;
	r.pid = tgid;
	r.order = order;
	r.pfn = head + page;
	r.address = base + 4096ull * page + 8;
	r.outcome = outcome;
	r.reason = outcome == COWTRACE_OUTCOME_COPY ? COWTRACE_REASON_MAPPED :
						      COWTRACE_REASON_SOLE_REF;
	return r;
}

static struct cowtrace_record split(uint32_t tgid, uint64_t head, uint64_t base, uint8_t kind)
{
	struct cowtrace_record r = fault(tgid, head, base, 9, 77, COWTRACE_OUTCOME_SPLIT);

	r.path = COWTRACE_PATH_PMD;
	r.kind = kind;
	r.pfn = head;
	return r;
}

static void take(struct ct_folios *f, struct cowtrace_record r)
{
	ct_folios_take(f, &r);
}

static void copies(struct ct_folios *f, uint32_t tgid, uint64_t head, uint64_t base,
		   uint8_t order, unsigned int first, unsigned int n)
{
	for (; n--; first++)
		take(f, fault(tgid, head, base, order, first, COWTRACE_OUTCOME_COPY));
}

static struct ct_folio_order after(struct ct_folios *f, unsigned int order)
{
	struct ct_folio_order o;

	ct_folios_end(f);
	o = f->orders[order];
	ct_folios_free(f);
	return o;
}

/* Copies of @n pages of 16 make it one folio of @share. */
static void shared_out(unsigned int n, enum ct_folio_share share, const char *claim)
{
	struct ct_folios *f = ct_folios_new(4096);
	struct ct_folio_order o;

	take(f, fault(1, HEAD, BASE, 4, 15, COWTRACE_OUTCOME_REUSE));
	copies(f, 1, HEAD, BASE, 4, 0, n);
	o = after(f, 4);
	ok(o.folios == 1 && o.shares[share] == 1 && o.count.copies == n && o.count.reuses == 1 &&
	   o.count.bytes == 4096ull * n, "%s", claim);
}

static void check_shares(void)
{
	shared_out(0, CT_FOLIO_NONE, "a folio of which nothing is copied");
	shared_out(1, CT_FOLIO_QUARTER, "one page is up to a quarter");
	shared_out(4, CT_FOLIO_QUARTER, "so is a quarter");
	shared_out(5, CT_FOLIO_HALF, "more is up to half");
	shared_out(8, CT_FOLIO_HALF, "so is half");
	shared_out(9, CT_FOLIO_PART, "more is part");
	shared_out(15, CT_FOLIO_PART, "so is all but one");
	shared_out(16, CT_FOLIO_WHOLE, "each page is the whole");
}

static void check_identity(void)
{
	struct ct_folios *f = ct_folios_new(4096);
	struct ct_folio_order o;

	copies(f, 1, HEAD, BASE, 4, 0, 16);
	copies(f, 2, HEAD, BASE, 4, 0, 2);
	copies(f, 1, HEAD + 16, BASE + 16 * 4096, 4, 0, 3);
	o = after(f, 4);
	ok(o.folios == 3 && o.shares[CT_FOLIO_WHOLE] == 1 && o.shares[CT_FOLIO_QUARTER] == 2,
	   "processes and neighbours count apart");

	f = ct_folios_new(4096);
	copies(f, 1, HEAD, BASE, 4, 0, 2);
	copies(f, 1, HEAD, BASE, 4, 1, 3);
	o = after(f, 4);
	ok(o.folios == 2, "a page that is copied again is of another folio in the same memory");

	f = ct_folios_new(4096);
	copies(f, 1, HEAD, BASE, 4, 0, 2);
	copies(f, 1, HEAD, BASE + (1 << 20), 4, 2, 2);
	o = after(f, 4);
	ok(o.folios == 2, "so is one that the process has elsewhere");

	f = ct_folios_new(4096);
	copies(f, 1, HEAD, BASE, 4, 0, 2);
	take(f, fault(1, HEAD, BASE, 4, 5, COWTRACE_OUTCOME_REUSE));
	copies(f, 1, HEAD, BASE, 4, 2, 2);
	o = after(f, 4);
	ok(o.folios == 1 && o.shares[CT_FOLIO_QUARTER] == 1, "a reuse in between changes nothing");

	f = ct_folios_new(4096);
	copies(f, 1, HEAD, BASE, 4, 0, 2);
	copies(f, 1, HEAD, BASE, 3, 2, 2);
	o = after(f, 3);
	ok(o.folios == 1 && o.count.copies == 2, "another order is another folio");
}

static void check_splits(void)
{
	struct ct_folios *f = ct_folios_new(4096);
	struct ct_folio_order o;

	take(f, split(1, HEAD, BASE, COWTRACE_KIND_THP));
	copies(f, 1, HEAD, BASE, 9, 77, 300);
	copies(f, 2, HEAD, BASE, 9, 0, 1);
	o = after(f, 9);
	ok(o.folios == 2 && o.split == 1 && o.shares[CT_FOLIO_PART] == 1 &&
	   o.shares[CT_FOLIO_QUARTER] == 1, "who split a huge page goes on with the same folio");
	ok(o.count.faults == 301, "the split itself is no fault of one page");

	f = ct_folios_new(4096);
	take(f, split(1, HEAD, BASE, COWTRACE_KIND_ZERO));
	o = after(f, 9);
	ok(!o.folios && !o.split, "of the huge zero page nothing is left");

	f = ct_folios_new(4096);
	take(f, split(1, HEAD, BASE, COWTRACE_KIND_THP));
	copies(f, 1, HEAD, BASE, 9, 0, 2);
	take(f, split(1, HEAD, BASE, COWTRACE_KIND_THP));
	copies(f, 1, HEAD, BASE, 9, 2, 2);
	o = after(f, 9);
	ok(o.folios == 2 && o.split == 2, "a second split is of another folio");
}

static void check_limits(void)
{
	struct ct_folios *f = ct_folios_new(4096);
	struct ct_folio_order o;
	uint32_t i;

	copies(f, 1, HEAD, BASE, 10, 0, 20);
	o = after(f, 10);
	ok(o.count.copies == 20 && !o.folios, "of folios beyond a huge page faults alone are counted");

	f = ct_folios_new(4096);
	copies(f, 1, HEAD, BASE, 0, 0, 20);
	o = after(f, 0);
	ok(!o.count.faults && !o.folios, "small pages are none");

	f = ct_folios_new(4096);
	copies(f, 1, HEAD, BASE, 40, 0, 20);
	copies(f, 1, HEAD, BASE, 255, 0, 20);
	ct_folios_end(f);
	for (i = 0; i < CT_FOLIO_ORDERS && !f->orders[i].count.faults; i++)
		;
	ok(i == CT_FOLIO_ORDERS, "an order that no folio has is left out");
	ct_folios_free(f);

	f = ct_folios_new(4096);
	for (i = 0; i < MANY; i++)
		copies(f, 1, HEAD + 4 * i, BASE + 4 * 4096ull * i, 2, 0, 4);
	o = after(f, 2);
	ok(o.folios == MANY && o.shares[CT_FOLIO_WHOLE] == MANY,
	   "more folios than the table has places are all counted");
}

static void write_trace(const char *path, const char *meta)
{
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_EXCLUSIVE);
	struct cowtrace_record r = split(1, HEAD, BASE, COWTRACE_KIND_THP);
	unsigned int i;

	if (meta)
		ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, meta, strlen(meta));
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	for (i = 0; i < 512; i++) {
		r = fault(1, HEAD, BASE, 9, i, COWTRACE_OUTCOME_COPY);
		ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
	r = fault(1, HEAD + 1024, BASE + (4 << 20), 4, 0, COWTRACE_OUTCOME_REUSE);
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	ct_writer_chunk(w, CT_CHUNK_STATE, UINT32_MAX, "lost\nfull 0\n", 12);
	ct_writer_close(w);
}

static void check_report(const char *path)
{
	static const struct expected_number numbers[] = {
		{ "large_folios.0.bytes", 65536, "JSON has each size" },
		{ "large_folios.0.reuses", 1, "with reuses" },
		{ "large_folios.0.copied.none", 1, "and what was not copied" },
		{ "large_folios.1.order", 9, "the smaller sizes come first" },
		{ "large_folios.1.copies", 512, "with copies" },
		{ "large_folios.1.bytes_copied", 2097152, "and their bytes" },
		{ "large_folios.1.split", 1, "splits" },
		{ "large_folios.1.copied.whole", 1, "and how many were copied whole" },
	};
	char *text;
	int status;

	write_trace(path, NULL);
	text = report(path, true, &status);
	check_numbers_in(text, "", numbers, sizeof(numbers) / sizeof(*numbers));
	free(text);
	text = report(path, false, &status);
	if (!ok(strstr(text, "   2.00 MiB      512        -      512  2.00 MiB       1      1"
			     "      -       -      -      -      1\n"),
		"the report has a row for each size"))
		note("%s", text);
	free(text);
	write_trace(path, "{\"settings\":{\"sample_every\":\"7\"}}");
	text = report(path, false, &status);
	ok(strstr(text, "not told by a sample"), "a sample does not tell how much was copied");
	free(text);
	text = report(path, true, &status);
	ok(strstr(text, "\"copied\":null") || strstr(text, "\"copied\": null"),
	   "which is null in JSON");
	free(text);
}

int main(void)
{
	char *path = temporary_file();

	check_shares();
	check_identity();
	check_splits();
	check_limits();
	check_report(path);
	remove(path);
	free(path);
	return tap_end();
}
