// SPDX-License-Identifier: GPL-2.0
#include "duplicates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "map.h"

/**
 * struct ct_duplicates - all that was seen
 * @page: bytes of a page.
 * @slots: contents, by their hash and what follows where that is taken; copies is 0 in
 *	one that is free.
 * @mask: number of slots less one.
 * @distinct: slots taken.
 * @files: all that were added.
 * @nr_files: how many.
 * @pages: compared.
 * @no_room: not compared.
 */
struct ct_duplicates {
	size_t			page;
	struct ct_dup_content	*slots;
	size_t			mask;
	uint64_t		distinct;
	struct ct_dup_file	*files;
	size_t			nr_files;
	uint64_t		pages, no_room;
};

_Static_assert(sizeof(struct ct_dup_content) == 32, "what the header says of the memory");

struct ct_duplicates *ct_duplicates_open(size_t bytes, size_t page)
{
	struct ct_duplicates *d = calloc(1, sizeof(*d));
	size_t nr = 1;

	if (!d)
		return NULL;
	while (2 * nr * sizeof(*d->slots) <= bytes)
		nr *= 2;
	d->page = page;
	d->mask = nr - 1;
	/* Zeroed pages that nobody has touched take no memory. */
	d->slots = calloc(nr, sizeof(*d->slots));
	if (d->slots)
		return d;
	free(d);
	return NULL;
}

void ct_duplicates_close(struct ct_duplicates *d)
{
	if (!d)
		return;
	while (d->nr_files)
		free(d->files[--d->nr_files].path);
	free(d->files);
	free(d->slots);
	free(d);
}

int64_t ct_dup_file_add(struct ct_duplicates *d, const char *path)
{
	struct ct_dup_file *files = ct_grow(d->files, d->nr_files, sizeof(*files));

	if (!files)
		return -ENOMEM;
	d->files = files;
	if (d->nr_files == UINT32_MAX)
		return -E2BIG;
	d->files[d->nr_files] = (struct ct_dup_file){ .path = strdup(path) };
	if (!d->files[d->nr_files].path)
		return -ENOMEM;
	return d->nr_files++;
}

static bool is_zero(const char *page, size_t size)
{
	return !page[0] && !memcmp(page, page + 1, size - 1);
}

/* The slot of a content, or that where it is to go; NULL where there is no more room. */
static struct ct_dup_content *slot_of(const struct ct_duplicates *d, XXH128_hash_t hash)
{
	size_t at = hash.low64 & d->mask;
	struct ct_dup_content *c;

	for (c = &d->slots[at]; c->copies; c = &d->slots[at]) {
		if (c->hash[0] == hash.high64 && c->hash[1] == hash.low64)
			return c;
		at = (at + 1) & d->mask;
	}
	/* An eighth stays free: it is what ends the search. */
	return d->distinct < d->mask - d->mask / 8 ? c : NULL;
}

void ct_dup_page(struct ct_duplicates *d, uint64_t index, const void *page)
{
	struct ct_dup_file *file = &d->files[d->nr_files - 1];
	XXH128_hash_t hash = XXH3_128bits(page, d->page);
	struct ct_dup_content *c = slot_of(d, hash);

	if (!c || c->copies == UINT32_MAX) {
		d->no_room++;
		return;
	}
	d->pages++;
	file->pages++;
	if (!c->copies) {
		*c = (struct ct_dup_content){
			.hash = { hash.high64, hash.low64 }, .index = index, .copies = 1,
			.file = d->nr_files - 1, .zero = is_zero(page, d->page),
		};
		d->distinct++;
		return;
	}
	if (c->copies == 1)
		d->files[c->file].shared++;
	file->shared++;
	c->across |= c->file != d->nr_files - 1;
	c->copies++;
}

static void sum(struct ct_dup_sum *to, const struct ct_dup_content *c)
{
	to->contents++;
	to->pages += c->copies - 1;
}

void ct_dup_sums(const struct ct_duplicates *d, struct ct_dup_sums *sums)
{
	size_t i;

	*sums = (struct ct_dup_sums){
		.pages = d->pages, .distinct = d->distinct, .no_room = d->no_room,
	};
	for (i = 0; i <= d->mask; i++) {
		const struct ct_dup_content *c = &d->slots[i];

		if (c->copies < 2)
			continue;
		sum(&sums->all, c);
		sum(c->zero ? &sums->zero : c->across ? &sums->across : &sums->within, c);
	}
}

const struct ct_dup_file *ct_dup_file(const struct ct_duplicates *d, size_t number)
{
	return &d->files[number];
}

size_t ct_dup_files(const struct ct_duplicates *d)
{
	return d->nr_files;
}

static bool before(const struct ct_dup_content *a, const struct ct_dup_content *b)
{
	if (a->copies != b->copies)
		return a->copies > b->copies;
	return a->file != b->file ? a->file < b->file : a->index < b->index;
}

size_t ct_dup_top(const struct ct_duplicates *d, struct ct_dup_content *top, size_t room)
{
	size_t i, n = 0, all = 0;

	for (i = 0; i <= d->mask; i++) {
		const struct ct_dup_content *c = &d->slots[i];
		size_t at;

		if (c->copies < 2)
			continue;
		all++;
		if (n < room)
			n++;
		else if (!room || !before(c, &top[room - 1]))
			continue;
		for (at = n - 1; at && before(c, &top[at - 1]); at--)
			top[at] = top[at - 1];
		top[at] = *c;
	}
	return all;
}
