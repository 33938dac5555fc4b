// SPDX-License-Identifier: GPL-2.0
/* Pages that are alike, and those that nearly are. */
#include <stdlib.h>
#include <string.h>

#include "duplicates.h"
#include "tap.h"

#define PAGE	4096

static void page(struct ct_duplicates *d, uint64_t index, unsigned int content)
{
	char bytes[PAGE] = { 0 };

	memcpy(bytes, &content, sizeof(content));
	ct_dup_page(d, index, bytes);
}

static void many(void)
{
	struct ct_duplicates *d = ct_duplicates_open(64 * 32, PAGE);
	struct ct_dup_sums s;
	unsigned int i;

	ct_dup_file_add(d, "many");
	for (i = 0; i < 200; i++)
		page(d, i, i + 1);
	for (i = 0; i < 200; i++)
		page(d, i, i + 1);
	ct_dup_sums(d, &s);
	ok(s.pages + s.no_room == 400 && s.distinct < 64 && s.no_room,
	   "where there is no more room, pages are counted as not compared");
	ok(s.all.pages == s.distinct && s.pages == 2 * s.distinct,
	   "and what had room is still found");
	ct_duplicates_close(d);
}

int main(void)
{
	struct ct_duplicates *d = ct_duplicates_open(1 << 21, PAGE);
	struct ct_dup_content top[2];
	struct ct_dup_sums s;
	char bytes[PAGE];
	size_t i;

	ct_dup_file_add(d, "one");
	page(d, 0, 1);
	page(d, 1, 2);
	page(d, 2, 3);
	page(d, 3, 3);
	ct_dup_file_add(d, "two");
	page(d, 0, 1);
	page(d, 1, 0);
	page(d, 2, 0);
	page(d, 3, 1);
	ct_dup_sums(d, &s);
	ok(s.pages == 8 && s.distinct == 4 && s.all.pages == 4, "pages less contents are duplicates");
	ok(s.across.contents == 1 && s.across.pages == 2, "of contents that two files have");
	ok(s.within.contents == 1 && s.within.pages == 1, "of contents that one file has twice");
	ok(s.zero.contents == 1 && s.zero.pages == 1, "of zeros");
	ok(ct_dup_file(d, 0)->pages == 4 && ct_dup_file(d, 0)->shared == 3,
	   "the first page with a content is like the others too");
	ok(ct_dup_file(d, 1)->shared == 4, "and each of the others is");
	ok(ct_dup_top(d, top, 2) == 3 && top[0].copies == 3 && top[0].across && !top[0].file &&
	   !top[0].index && top[1].copies == 2, "contents with the most copies come first");
	ok(ct_dup_top(d, NULL, 0) == 3, "they can be counted alone");
	memset(bytes, 7, sizeof(bytes));
	ct_dup_page(d, 4, bytes);
	for (i = 0; i < 8 * PAGE; i++) {
		bytes[i / 8] ^= 1 << i % 8;
		ct_dup_page(d, 5 + i, bytes);
		bytes[i / 8] ^= 1 << i % 8;
	}
	ct_dup_sums(d, &s);
	ok(s.all.pages == 4 && s.distinct == 4 + 1 + 8 * PAGE,
	   "pages that differ in any one bit are not alike");
	ct_duplicates_close(d);
	many();
	return tap_end();
}
