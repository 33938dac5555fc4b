// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/seqlock.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat/files.h"
#include "file_table.h"
#include "tables.h"

#define SET_BITS	7
#define SETS		BIT(SET_BITS)
#define WAYS		8
#define ROWS		(SETS * WAYS)

/* File systems on one CPU; the last is for all that find no room. */
#define FS_MAX		32
#define FS_OTHERS	(FS_MAX - 1)

#define NAME_LEN	40
#define TYPE_LEN	16

/**
 * struct row - a file
 * @counts: by enum cow_file_site.
 * @total: of @counts, to choose who makes room; 0 for a row that nobody has.
 * @ino: number of its inode.
 * @dev: of its file system.
 * @generation: of the inode number.
 * @fs: its file system among those of the CPU.
 * @name: the last part of a path to it when the row was made, cut; empty if it had none.
 */
struct row {
	u64	counts[COW_NR_FILE_SITES];
	u64	total;
	u64	ino;
	u32	dev;
	u32	generation;
	u8	fs;
	char	name[NAME_LEN];
};

/**
 * struct fs - a file system
 * @gone: counts of files that had to make room.
 * @dev: as files in it tell, 0 for a slot that is free.
 * @type: name of its type.
 * @id: as the kernel calls it in messages.
 */
struct fs {
	u64	gone[COW_NR_FILE_SITES];
	u32	dev;
	char	type[TYPE_LEN];
	char	id[32];
};

/**
 * struct table - of one CPU
 * @last: the row that was counted into last.
 * @moved: odd while a row is given to another file.
 * @made_room: rows that were.
 * @full: a bit a set: some file of it had to make room.
 * @nobody: counts of pages of no file.
 * @fs: file systems.
 * @rows: files.
 */
struct table {
	struct row	*last;
	seqcount_t	moved;
	u64		made_room;
	DECLARE_BITMAP(full, SETS);
	u64		nobody[COW_NR_FILE_SITES];
	struct fs	fs[FS_MAX];
	struct row	rows[SETS][WAYS];
};

static DEFINE_PER_CPU(struct cow_table, tables);

/* NULL before the group was first switched on. */
static struct table *of_cpu(int cpu)
{
	return per_cpu(tables, cpu).at;
}

static void add(u64 *to, const u64 *from)
{
	int i;

	for (i = 0; i < COW_NR_FILE_SITES; i++)
		to[i] += READ_ONCE(from[i]);
}

static unsigned int set_of(u32 dev, u64 ino)
{
	return hash_64(ino ^ ((u64)dev << 32), SET_BITS);
}

/* The name of a file system is one word of a line. */
static void one_word(char *word)
{
	for (; *word; word++)
		if (*word <= ' ' || *word > '~')
			*word = '?';
}

static u8 fs_of(struct table *t, const struct super_block *sb)
{
	u8 i;

	for (i = 0; i < FS_OTHERS; i++) {
		struct fs *fs = &t->fs[i];

		/* The number of a file system that is gone is given to another one. */
		if (fs->dev == (u32)sb->s_dev && !strncmp(fs->type, sb->s_type->name, TYPE_LEN - 1))
			return i;
		if (fs->dev)
			continue;
		strscpy(fs->type, sb->s_type->name, TYPE_LEN);
		strscpy(fs->id, sb->s_id, sizeof(fs->id));
		one_word(fs->type);
		one_word(fs->id);
		fs->dev = sb->s_dev;
		return i;
	}
	return FS_OTHERS;
}

/*
 * Without the locks of dentries, which the probed code may hold: a name that is being
 * changed may be read half old and half new. RCU keeps what is read, preemption is off.
 */
static void name_of(char *name, struct inode *inode)
{
	struct hlist_node *alias = READ_ONCE(inode->i_dentry.first);
	const struct dentry *dentry = cow_dentry_of_alias(alias);
	const unsigned char *text;
	u32 len;

	memset(name, 0, NAME_LEN);
	if (!alias || get_kernel_nofault(text, &dentry->d_name.name) ||
	    get_kernel_nofault(len, &dentry->d_name.len))
		return;
	if (copy_from_kernel_nofault(name, text, min_t(u32, len, NAME_LEN - 1)))
		memset(name, 0, NAME_LEN);
}

/* A free row, or that of the file with the least counts. */
static struct row *choose(struct row *set)
{
	struct row *r = set;
	int way;

	for (way = 0; way < WAYS; way++) {
		if (!set[way].total)
			return &set[way];
		if (set[way].total < r->total)
			r = &set[way];
	}
	return r;
}

static bool is(const struct row *r, const struct inode *inode)
{
	return r->ino == inode->i_ino && r->dev == (u32)inode->i_sb->s_dev &&
		r->generation == inode->i_generation && r->total;
}

static noinline struct row *find(struct table *t, struct inode *inode)
{
	unsigned int number = set_of(inode->i_sb->s_dev, inode->i_ino), way;
	struct row *set = t->rows[number], *r;

	for (way = 0; way < WAYS; way++)
		if (is(&set[way], inode))
			return &set[way];
	r = choose(set);
	/* A reader must see the counts in one of both places. */
	raw_write_seqcount_begin(&t->moved);
	if (r->total) {
		__set_bit(number, t->full);
		add(t->fs[r->fs].gone, r->counts);
		t->made_room++;
	}
	memset(r->counts, 0, sizeof(r->counts));
	r->total = 0;
	r->ino = inode->i_ino;
	r->dev = inode->i_sb->s_dev;
	r->generation = inode->i_generation;
	r->fs = fs_of(t, inode->i_sb);
	name_of(r->name, inode);
	raw_write_seqcount_end(&t->moved);
	return r;
}

void cow_file_add(struct inode *inode, enum cow_file_site site, unsigned int n)
{
	struct table *t = this_cpu_read(tables.at);
	struct row *r = t->last;

	if (!n)
		return;
	if (!inode) {
		t->nobody[site] += n;
		return;
	}
	if (!is(r, inode)) {
		r = find(t, inode);
		t->last = r;
	}
	r->counts[site] += n;
	r->total += n;
}

int cow_file_table_init(void)
{
	int cpu, err = 0;

	if (of_cpu(cpumask_first(cpu_possible_mask)))
		cow_tables_clear(&tables, sizeof(struct table));
	else
		err = cow_tables_alloc(&tables, sizeof(struct table));
	if (err)
		return err;
	for_each_possible_cpu(cpu) {
		seqcount_init(&of_cpu(cpu)->moved);
		of_cpu(cpu)->last = &of_cpu(cpu)->rows[0][0];
	}
	return 0;
}

void cow_file_table_free(void)
{
	cow_tables_free(&tables);
}

/* What one CPU has: its files into @rows. Return: how many. */
static size_t take(const struct table *t, struct fs *sums, u64 *nobody, u64 *made_room,
		   struct row *rows)
{
	const struct row *all = &t->rows[0][0];
	unsigned int begin;
	size_t n;
	int i;

	do {
		n = 0;
		begin = read_seqcount_begin(&t->moved);
		memcpy(sums, t->fs, sizeof(t->fs));
		*made_room = t->made_room;
		for (i = 0; i < ROWS; i++)
			if (READ_ONCE(all[i].total))
				rows[n++] = all[i];
	} while (read_seqcount_retry(&t->moved, begin));
	add(nobody, t->nobody);
	return n;
}

/**
 * struct sum - a file system on all CPUs
 * @counts: of its files, those that made room included.
 * @fs: on the first CPU that has it; @fs.gone is of all CPUs.
 */
struct sum {
	u64		counts[COW_NR_FILE_SITES];
	struct fs	fs;
};

/**
 * struct whole - the tables of all CPUs in one
 * @sums: file systems; their first is for those that found no room.
 * @nr_sums: how many.
 * @rows: files.
 * @nr_rows: how many.
 * @nobody: counts of pages of no file.
 * @made_room: rows that were given to another file.
 */
struct whole {
	struct sum	*sums;
	size_t		nr_sums;
	struct row	*rows;
	size_t		nr_rows;
	u64		nobody[COW_NR_FILE_SITES];
	u64		made_room;
};

static struct sum *sum_of(struct whole *w, const struct fs *fs)
{
	size_t i;

	for (i = 1; fs->dev && i < w->nr_sums; i++)
		if (w->sums[i].fs.dev == fs->dev && !strcmp(w->sums[i].fs.type, fs->type))
			return &w->sums[i];
	if (!fs->dev)
		return &w->sums[0];
	w->sums[i].fs = *fs;
	memset(w->sums[i].fs.gone, 0, sizeof(fs->gone));
	w->nr_sums++;
	return &w->sums[i];
}

static void add_cpu(struct whole *w, const struct table *t, struct fs *fs)
{
	struct row *rows = w->rows + w->nr_rows;
	u64 made_room;
	size_t i, n;

	n = take(t, fs, w->nobody, &made_room, rows);
	w->nr_rows += n;
	w->made_room += made_room;
	for (i = 0; i < n; i++)
		add(sum_of(w, &fs[rows[i].fs])->counts, rows[i].counts);
	for (i = 0; i < FS_MAX; i++) {
		struct sum *s;

		if (!fs[i].dev && i != FS_OTHERS)
			continue;
		s = sum_of(w, &fs[i]);
		add(s->fs.gone, fs[i].gone);
		add(s->counts, fs[i].gone);
	}
}

static int by_file(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return a->generation < b->generation ? -1 : a->generation > b->generation;
}

static int by_total(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return by_file(x, y);
}

/* One row a file, on however many CPUs it was reached. */
static void merge(struct whole *w)
{
	size_t i, to = 0;

	sort(w->rows, w->nr_rows, sizeof(*w->rows), by_file, NULL);
	for (i = 0; i < w->nr_rows; i++) {
		if (!i || by_file(&w->rows[i], &w->rows[to - 1])) {
			w->rows[to++] = w->rows[i];
			continue;
		}
		add(w->rows[to - 1].counts, w->rows[i].counts);
		w->rows[to - 1].total += w->rows[i].total;
		if (!*w->rows[to - 1].name)
			memcpy(w->rows[to - 1].name, w->rows[i].name, NAME_LEN);
	}
	w->nr_rows = to;
	sort(w->rows, to, sizeof(*w->rows), by_total, NULL);
}

/* A part of its counts may stand in others. A set is the same on all CPUs. */
static bool is_partial(const struct row *r)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (test_bit(set_of(r->dev, r->ino), of_cpu(cpu)->full))
			return true;
	return false;
}

static void show_counts(struct seq_file *m, const u64 *counts)
{
	int i;

	for (i = 0; i < COW_NR_FILE_SITES; i++)
		seq_printf(m, " %llu", counts[i]);
}

static void show(struct seq_file *m, const struct whole *w)
{
	u64 others[COW_NR_FILE_SITES] = { 0 };
	size_t i;

	for (i = 0; i < w->nr_sums; i++) {
		const struct fs *fs = &w->sums[i].fs;

		add(others, fs->gone);
		if (i)
			seq_printf(m, "fs %u:%u %s %s", MAJOR(fs->dev), MINOR(fs->dev),
				   fs->type, fs->id);
		else
			seq_puts(m, "fs - - -");
		show_counts(m, w->sums[i].counts);
		seq_putc(m, '\n');
	}
	seq_puts(m, "no-file");
	show_counts(m, w->nobody);
	seq_puts(m, "\nothers");
	show_counts(m, others);
	seq_printf(m, "\nmade-room %llu\n", w->made_room);
	for (i = 0; i < w->nr_rows; i++) {
		const struct row *r = &w->rows[i];

		seq_printf(m, "file %u:%u %llu %u %s", MAJOR(r->dev), MINOR(r->dev), r->ino,
			   r->generation, is_partial(r) ? "at-least" : "exact");
		show_counts(m, r->counts);
		/* The name is the rest of the line, whatever its owner has put there. */
		seq_printf(m, " %*pE\n", (int)strnlen(r->name, NAME_LEN), r->name);
	}
}

int cow_file_table_show(struct seq_file *m)
{
	struct whole w = { .nr_sums = 1 };
	struct fs *fs;
	int cpu, err = -ENOMEM;

	w.sums = kvcalloc(num_possible_cpus() * FS_MAX + 1, sizeof(*w.sums), GFP_KERNEL);
	w.rows = kvcalloc(num_possible_cpus() * ROWS, sizeof(*w.rows), GFP_KERNEL);
	fs = kvcalloc(FS_MAX, sizeof(*fs), GFP_KERNEL);
	if (w.sums && w.rows && fs) {
		for_each_possible_cpu(cpu)
			if (of_cpu(cpu))
				add_cpu(&w, of_cpu(cpu), fs);
		merge(&w);
		show(m, &w);
		err = 0;
	}
	kvfree(fs);
	kvfree(w.rows);
	kvfree(w.sums);
	return err;
}

u64 cow_file_sum(enum cow_file_site site)
{
	unsigned int begin;
	u64 sum = 0;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		const struct table *t = of_cpu(cpu);
		const struct row *rows;
		u64 here;

		if (!t)
			continue;
		rows = &t->rows[0][0];
		do {
			begin = read_seqcount_begin(&t->moved);
			here = t->nobody[site];
			for (i = 0; i < FS_MAX; i++)
				here += t->fs[i].gone[site];
			for (i = 0; i < ROWS; i++)
				here += READ_ONCE(rows[i].counts[site]);
		} while (read_seqcount_retry(&t->moved, begin));
		sum += here;
	}
	return sum;
}
