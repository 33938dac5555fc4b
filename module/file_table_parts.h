/* SPDX-License-Identifier: GPL-2.0 */
/* What counting into the table of files and showing it have in common. */
#ifndef COW_FILE_TABLE_PARTS_H
#define COW_FILE_TABLE_PARTS_H

#include <linux/bitops.h>
#include <linux/seqlock.h>
#include <linux/types.h>

#include "file_table.h"

#define COW_FILE_SET_BITS	7
#define COW_FILE_SETS		BIT(COW_FILE_SET_BITS)
#define COW_FILE_WAYS		8
#define COW_FILE_ROWS		(COW_FILE_SETS * COW_FILE_WAYS)

/* File systems on one CPU; the last is for all that find no room. */
#define COW_FILE_FS_MAX		32
#define COW_FILE_FS_OTHERS	(COW_FILE_FS_MAX - 1)

#define COW_FILE_NAME_LEN	40
#define COW_FILE_TYPE_LEN	16

/**
 * struct cow_file_row - a file
 * @counts: by enum cow_file_site.
 * @total: of @counts, to choose who makes room; 0 for a row that nobody has.
 * @ino: number of its inode.
 * @dev: of its file system.
 * @generation: of the inode number.
 * @fs: its file system among those of the CPU.
 * @name: the last part of a path to it when the row was made, cut; empty if it had none.
 */
struct cow_file_row {
	u64	counts[COW_NR_FILE_SITES];
	u64	total;
	u64	ino;
	u32	dev;
	u32	generation;
	u8	fs;
	char	name[COW_FILE_NAME_LEN];
};

/**
 * struct cow_file_fs - a file system
 * @gone: counts of files that had to make room.
 * @dev: as files in it tell, 0 for a slot that is free.
 * @type: name of its type.
 * @id: as the kernel calls it in messages.
 */
struct cow_file_fs {
	u64	gone[COW_NR_FILE_SITES];
	u32	dev;
	char	type[COW_FILE_TYPE_LEN];
	char	id[32];
};

/**
 * struct cow_file_table - of one CPU
 * @last: the row that was counted into last.
 * @moved: odd while a row is given to another file.
 * @made_room: rows that were.
 * @full: a bit a set: some file of it had to make room.
 * @nobody: counts of pages of no file.
 * @fs: file systems.
 * @rows: files.
 */
struct cow_file_table {
	struct cow_file_row	*last;
	seqcount_t	moved;
	u64		made_room;
	DECLARE_BITMAP(full, COW_FILE_SETS);
	u64		nobody[COW_NR_FILE_SITES];
	struct cow_file_fs	fs[COW_FILE_FS_MAX];
	struct cow_file_row	rows[COW_FILE_SETS][COW_FILE_WAYS];
};

/* Of one CPU; NULL before the group was first switched on. */
struct cow_file_table *cow_file_table_of(int cpu);

/* Which set of rows a file has, the same on all CPUs. */
unsigned int cow_file_set(u32 dev, u64 ino);

static inline void cow_file_add_counts(u64 *to, const u64 *from)
{
	int i;

	for (i = 0; i < COW_NR_FILE_SITES; i++)
		to[i] += READ_ONCE(from[i]);
}

#endif /* COW_FILE_TABLE_PARTS_H */
