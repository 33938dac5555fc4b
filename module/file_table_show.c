// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "file_table_parts.h"

/* What one CPU has: its files into @rows. Return: how many. */
static size_t take(const struct cow_file_table *t, struct cow_file_fs *sums, u64 *nobody,
		   u64 *made_room, struct cow_file_row *rows)
{
	const struct cow_file_row *all = &t->rows[0][0];
	unsigned int begin;
	size_t n;
	int i;

	do {
		n = 0;
		begin = read_seqcount_begin(&t->moved);
		memcpy(sums, t->fs, sizeof(t->fs));
		*made_room = t->made_room;
		for (i = 0; i < COW_FILE_ROWS; i++)
			if (READ_ONCE(all[i].total))
				rows[n++] = all[i];
	} while (read_seqcount_retry(&t->moved, begin));
	cow_file_add_counts(nobody, t->nobody);
	return n;
}

/**
 * struct sum - a file system on all CPUs
 * @counts: of its files, those that made room included.
 * @fs: on the first CPU that has it; @fs.gone is of all CPUs.
 */
struct sum {
	u64		counts[COW_NR_FILE_SITES];
	struct cow_file_fs	fs;
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
	struct cow_file_row	*rows;
	size_t		nr_rows;
	u64		nobody[COW_NR_FILE_SITES];
	u64		made_room;
};

static struct sum *sum_of(struct whole *w, const struct cow_file_fs *fs)
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

static void add_cpu(struct whole *w, const struct cow_file_table *t, struct cow_file_fs *fs)
{
	struct cow_file_row *rows = w->rows + w->nr_rows;
	u64 made_room;
	size_t i, n;

	n = take(t, fs, w->nobody, &made_room, rows);
	w->nr_rows += n;
	w->made_room += made_room;
	for (i = 0; i < n; i++)
		cow_file_add_counts(sum_of(w, &fs[rows[i].fs])->counts, rows[i].counts);
	for (i = 0; i < COW_FILE_FS_MAX; i++) {
		struct sum *s;

		if (!fs[i].dev && i != COW_FILE_FS_OTHERS)
			continue;
		s = sum_of(w, &fs[i]);
		cow_file_add_counts(s->fs.gone, fs[i].gone);
		cow_file_add_counts(s->counts, fs[i].gone);
	}
}

static int by_file(const void *x, const void *y)
{
	const struct cow_file_row *a = x, *b = y;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return a->generation < b->generation ? -1 : a->generation > b->generation;
}

static int by_total(const void *x, const void *y)
{
	const struct cow_file_row *a = x, *b = y;

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
		cow_file_add_counts(w->rows[to - 1].counts, w->rows[i].counts);
		w->rows[to - 1].total += w->rows[i].total;
		if (!*w->rows[to - 1].name)
			memcpy(w->rows[to - 1].name, w->rows[i].name, COW_FILE_NAME_LEN);
	}
	w->nr_rows = to;
	sort(w->rows, to, sizeof(*w->rows), by_total, NULL);
}

/* A part of its counts may stand in others. A set is the same on all CPUs. */
static bool is_partial(const struct cow_file_row *r)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (test_bit(cow_file_set(r->dev, r->ino), cow_file_table_of(cpu)->full))
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
		const struct cow_file_fs *fs = &w->sums[i].fs;

		cow_file_add_counts(others, fs->gone);
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
		const struct cow_file_row *r = &w->rows[i];

		seq_printf(m, "file %u:%u %llu %u %s", MAJOR(r->dev), MINOR(r->dev), r->ino,
			   r->generation, is_partial(r) ? "at-least" : "exact");
		show_counts(m, r->counts);
		/* The name is the rest of the line, whatever its owner has put there. */
		seq_printf(m, " %*pE\n", (int)strnlen(r->name, COW_FILE_NAME_LEN), r->name);
	}
}

int cow_file_table_show(struct seq_file *m)
{
	struct whole w = { .nr_sums = 1 };
	struct cow_file_fs *fs;
	int cpu, err = -ENOMEM;

	w.sums = kvcalloc(num_possible_cpus() * COW_FILE_FS_MAX + 1, sizeof(*w.sums), GFP_KERNEL);
	w.rows = kvcalloc(num_possible_cpus() * COW_FILE_ROWS, sizeof(*w.rows), GFP_KERNEL);
	fs = kvcalloc(COW_FILE_FS_MAX, sizeof(*fs), GFP_KERNEL);
	if (w.sums && w.rows && fs) {
		for_each_possible_cpu(cpu)
			if (cow_file_table_of(cpu))
				add_cpu(&w, cow_file_table_of(cpu), fs);
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
		const struct cow_file_table *t = cow_file_table_of(cpu);
		const struct cow_file_row *rows;
		u64 here;

		if (!t)
			continue;
		rows = &t->rows[0][0];
		do {
			begin = read_seqcount_begin(&t->moved);
			here = t->nobody[site];
			for (i = 0; i < COW_FILE_FS_MAX; i++)
				here += t->fs[i].gone[site];
			for (i = 0; i < COW_FILE_ROWS; i++)
				here += READ_ONCE(rows[i].counts[site]);
		} while (read_seqcount_retry(&t->moved, begin));
		sum += here;
	}
	return sum;
}
