/* SPDX-License-Identifier: GPL-2.0 */
/*
 * duplicates: which pages of files are alike, by a hash of 128 bits of their content.
 * What is kept of a page is 32 bytes, and no more pages than there is room for.
 */
#ifndef COWTRACE_DUPLICATES_H
#define COWTRACE_DUPLICATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ct_dup_content - pages that are alike
 * @hash: of the content: XXH3 of 128 bits, the upper half first.
 * @index: of the first page seen with it, in its file.
 * @file: that file, a number of ct_dup_file().
 * @copies: pages seen with it.
 * @across: not all of them are in one file.
 * @zero: all bytes are 0.
 */
struct ct_dup_content {
	uint64_t	hash[2];
	uint64_t	index : 62;
	uint64_t	across : 1;
	uint64_t	zero : 1;
	uint32_t	file;
	uint32_t	copies;
};

/**
 * struct ct_dup_file - a file
 * @path: of it.
 * @pages: of it that were compared.
 * @shared: of these, those that another page is like, of this file or another one.
 */
struct ct_dup_file {
	char		*path;
	uint64_t	pages;
	uint64_t	shared;
};

/**
 * struct ct_dup_sum - pages that could go if each content were kept once
 * @contents: that more than one page has.
 * @pages: with them, but one each.
 */
struct ct_dup_sum {
	uint64_t	contents;
	uint64_t	pages;
};

/**
 * struct ct_dup_sums - the result
 * @pages: compared.
 * @distinct: contents.
 * @all: duplicates; the three below are parts of it that do not overlap.
 * @across: of contents that several files have.
 * @within: of contents that one file has several times.
 * @zero: of the page of zeros.
 * @no_room: pages that were not compared: there was no room left for their content.
 */
struct ct_dup_sums {
	uint64_t		pages;
	uint64_t		distinct;
	struct ct_dup_sum	all, across, within, zero;
	uint64_t		no_room;
};

struct ct_duplicates;

/**
 * ct_duplicates_open() - begin
 * @bytes: of memory for contents, rounded down to a power of two of them.
 * @page: bytes of a page.
 * Return: NULL without memory.
 */
struct ct_duplicates *ct_duplicates_open(size_t bytes, size_t page);
void ct_duplicates_close(struct ct_duplicates *d);

/* Begin with another file. Return: its number or a negative errno. */
int64_t ct_dup_file_add(struct ct_duplicates *d, const char *path);

/* A page of the last file. */
void ct_dup_page(struct ct_duplicates *d, uint64_t index, const void *page);

void ct_dup_sums(const struct ct_duplicates *d, struct ct_dup_sums *sums);

const struct ct_dup_file *ct_dup_file(const struct ct_duplicates *d, size_t number);
size_t ct_dup_files(const struct ct_duplicates *d);

/**
 * ct_dup_top() - the contents with the most copies
 * @d: when all pages were seen.
 * @top: receives them, most copies first; those that one page has are left out.
 * @room: how many @top has room for.
 * Return: how many there are.
 */
size_t ct_dup_top(const struct ct_duplicates *d, struct ct_dup_content *top, size_t room);

#endif /* COWTRACE_DUPLICATES_H */
