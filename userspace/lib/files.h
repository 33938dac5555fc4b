/* SPDX-License-Identifier: GPL-2.0 */
/*
 * files: how often pages of files were reached, as the group files has counted it in the
 * kernel (module/file_table.h), and what that means for a break of shared file pages.
 */
#ifndef COWTRACE_FILES_H
#define COWTRACE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"

/* More sites than that are not kept. */
#define CT_FILE_SITES	32

/**
 * struct ct_file_site - a way on which a page of a file is reached
 * @name: of it.
 * @letter: its class: a private write fault, b shared write fault, c write(2), d truncation,
 *	e splice, f GUP, g reclaim, h lookup in the page cache.
 * @what: what is counted, a sentence.
 * @counted: this kernel has what is probed for it.
 * @total: over all files and pages of no file; 0 where it is not counted.
 */
struct ct_file_site {
	char		name[24];
	char		letter;
	char		what[64];
	bool		counted;
	uint64_t	total;
};

/**
 * struct ct_file_row - counts of a file or a file system
 * @counts: by site.
 * @device: "MAJOR:MINOR", "-" for file systems that found no room.
 * @type: of the file system, empty for a file.
 * @name: of the file, the last part of a path to it, empty if it had none; of the file
 *	system, as the kernel's messages call it.
 * @ino: inode number; 0 for a file system.
 * @generation: of that number.
 * @exact: false when a part of the counts may stand in those of others.
 */
struct ct_file_row {
	uint64_t	counts[CT_FILE_SITES];
	char		device[24];
	char		type[16];
	char		name[168];
	uint64_t	ino;
	uint32_t	generation;
	bool		exact;
};

/**
 * struct ct_files - all of it
 * @sites: in the order of counts.
 * @nr_sites: how many.
 * @fs: file systems.
 * @nr_fs: how many.
 * @rows: files, most counts first.
 * @nr_rows: how many.
 * @nobody: counts of pages of no file, as those in the swap cache.
 * @others: counts of files that had to make room; the file systems have them.
 * @made_room: how often one had to.
 * @ran_ns: for how long was counted.
 * @seconds: the limit of that, 0 for none.
 * @limited: it was reached.
 * @missed: calls that the probes did not see: all counts are short by them.
 */
struct ct_files {
	struct ct_file_site	sites[CT_FILE_SITES];
	unsigned int		nr_sites;
	struct ct_file_row	*fs, *rows;
	size_t			nr_fs, nr_rows;
	uint64_t		nobody[CT_FILE_SITES], others[CT_FILE_SITES];
	uint64_t		made_room;
	uint64_t		ran_ns, seconds, missed;
	bool			limited;
};

/**
 * ct_files_load() - read what a trace has of the group files
 * @state: its texts.
 * @files: filled in.
 * Return: 0, -ENOENT when it has none, or -ENOMEM.
 */
int ct_files_load(const struct ct_state *state, struct ct_files *files);

void ct_files_free(struct ct_files *files);

/* The sum of the sites of a class, of counts by site. page_mkwrite is a part of the fault. */
uint64_t ct_files_class(const struct ct_files *files, const uint64_t *counts, char letter);

/* Is no site of the class counted on this kernel? */
bool ct_files_absent(const struct ct_files *files, char letter);

/**
 * struct ct_files_price - how often each design of a break would have to look
 * @at_sites: it stands in the fault path and wherever else a page of a file is reached to be
 *	changed or handed out: classes a to g.
 * @in_lookup: it stands in the lookups: class h.
 * @beside_lookup: what this misses, as these have the page and look nothing up: faults on
 *	mapped pages, GUP, reclaim, pages taken out of pipes.
 */
struct ct_files_price {
	uint64_t	at_sites;
	uint64_t	in_lookup;
	uint64_t	beside_lookup;
};

struct ct_files_price ct_files_price(const struct ct_files *files, const uint64_t *counts);

#endif /* COWTRACE_FILES_H */
