/* SPDX-License-Identifier: GPL-2.0 */
/*
 * file_table: how often pages of files are reached, per site, file system and file.
 * Counted per CPU, in memory that does not grow: a file that finds no room takes that
 * of the one with the least counts, which go on in the sum of its file system.
 */
#ifndef COW_FILE_TABLE_H
#define COW_FILE_TABLE_H

#include <linux/types.h>

struct inode;
struct seq_file;

/*
 * Sites at which a page of a file is reached: id, name, letter of the class that it
 * belongs to, what is counted.
 */
#define COW_FILE_SITES(X)								\
	X(PRIVATE_ABSENT, "private-absent", "a", "private write faults where no PTE is") \
	X(PRIVATE_MAPPED, "private-mapped", "a", "private write faults on a mapped page") \
	X(SHARED_ABSENT, "shared-absent", "b", "shared write faults where no PTE is") \
	X(SHARED_MAPPED, "shared-mapped", "b", "shared write faults on a mapped page") \
	X(MKWRITE, "mkwrite", "b", "calls of page_mkwrite by these")			\
	X(WRITE, "write", "c", "pages that write(2) and the like copied into")		\
	X(TRUNCATE, "truncate", "d", "pages removed by truncation and hole punching")	\
	X(TRUNCATE_PART, "truncate-part", "d", "pages zeroed in part by these")		\
	X(SPLICE, "splice", "e", "pages put into a pipe by splice, sendfile and the like") \
	X(SPLICE_USE, "splice-use", "e", "pages confirmed by those who take them out of it") \
	X(GUP, "gup", "f", "pages that get_user_pages() took references to")		\
	X(RECLAIM, "reclaim", "g", "pages that reclaim was about to remove")		\
	X(RECLAIM_LOOK, "reclaim-look", "g", "pages whose references reclaim looked at")	\
	X(INVALIDATE, "invalidate", "g", "pages that an invalidation was about to remove") \
	X(LOOKUP, "lookup", "h", "lookups of one page")					\
	X(LOOKUP_READ, "lookup-read", "h", "lookups of a batch of pages by read(2)")	\
	X(LOOKUP_BATCH, "lookup-batch", "h", "lookups of a batch of pages by others")	\
	X(LOOKUP_MAP, "lookup-map", "h", "lookups of pages to map around a read fault")

enum cow_file_site {
#define COW_FILE_ID(id, name, letter, sentence)	COW_FILE_##id,
	COW_FILE_SITES(COW_FILE_ID)
#undef COW_FILE_ID
	COW_NR_FILE_SITES,
};

/**
 * cow_file_table_init() - make an empty table
 * Return: 0 or -ENOMEM. Context: nothing is added meanwhile.
 */
int cow_file_table_init(void);
void cow_file_table_free(void);

/**
 * cow_file_add() - count
 * @inode: whose pages, NULL for those of no file, as in the swap cache.
 * @site: where they were reached.
 * @n: how many.
 *
 * Context: preemption off, on a CPU never inside itself: kprobe handlers are not nested.
 */
void cow_file_add(struct inode *inode, enum cow_file_site site, unsigned int n);

/* The sum of a site over all CPUs, files or none. */
u64 cow_file_sum(enum cow_file_site site);

/**
 * cow_file_table_show() - print all, sums of file systems first
 * @m: to where: "fs DEVICE TYPE NAME COUNT…", "no-file COUNT…", "others COUNT…",
 *	"made-room N", "file DEVICE INODE GENERATION exact|at-least COUNT… NAME"; "-" for
 *	what is not known.
 * Return: 0 or -ENOMEM.
 */
int cow_file_table_show(struct seq_file *m);

#endif /* COW_FILE_TABLE_H */
