/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resident: the pages of a file that are in the page cache, read without any I/O. What
 * mincore() calls resident is read by RWF_NOWAIT, which reads no other page and reads
 * nothing ahead; where a file system does not have that, through a mapping.
 */
#ifndef COWTRACE_RESIDENT_H
#define COWTRACE_RESIDENT_H

#include <stdint.h>

/**
 * typedef ct_resident_fn - is shown a page
 * @arg: of the caller.
 * @index: of the page in the file.
 * @page: its bytes, as many as a page has: zeros behind the end of the file, as in the
 *	page cache.
 * Return: 0 to go on; anything else ends the walk.
 */
typedef int ct_resident_fn(void *arg, uint64_t index, const void *page);

/**
 * struct ct_resident - what was found
 * @pages: that mincore() called resident; where it tells us nothing, because the file is
 *	somebody else's, those that could be read.
 * @gone: of these, those that could not be read without I/O: they had left meanwhile.
 */
struct ct_resident {
	uint64_t	pages;
	uint64_t	gone;
};

/**
 * ct_resident_walk() - show the resident pages of a file, from its beginning
 * @fd: open for reading.
 * @found: filled in, in case of an error as far as it came.
 * @fn: is shown each.
 * @arg: for @fn.
 * Return: 0, what @fn returned, or a negative errno: -ENODEV for a file that cannot be
 * mapped, -ENOMEM.
 */
int ct_resident_walk(int fd, struct ct_resident *found, ct_resident_fn *fn, void *arg);

#endif /* COWTRACE_RESIDENT_H */
