// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/uaccess.h>

#include "add.h"
#include "compat/files.h"
#include "file_table_parts.h"
#include "tables.h"

static DEFINE_PER_CPU(struct cow_table, tables);

struct cow_file_table *cow_file_table_of(int cpu)
{
	return per_cpu(tables, cpu).at;
}

unsigned int cow_file_set(u32 dev, u64 ino)
{
	return hash_64(ino ^ ((u64)dev << 32), COW_FILE_SET_BITS);
}

/* The name of a file system is one word of a line. */
static void one_word(char *word)
{
	for (; *word; word++)
		if (*word <= ' ' || *word > '~')
			*word = '?';
}

static u8 fs_of(struct cow_file_table *t, const struct super_block *sb)
{
	u8 i;

	for (i = 0; i < COW_FILE_FS_OTHERS; i++) {
		struct cow_file_fs *fs = &t->fs[i];

		/* The number of a file system that is gone is given to another one. */
		if (fs->dev == (u32)sb->s_dev &&
		    !strncmp(fs->type, sb->s_type->name, COW_FILE_TYPE_LEN - 1))
			return i;
		if (fs->dev)
			continue;
		strscpy(fs->type, sb->s_type->name, COW_FILE_TYPE_LEN);
		strscpy(fs->id, sb->s_id, sizeof(fs->id));
		one_word(fs->type);
		one_word(fs->id);
		fs->dev = sb->s_dev;
		return i;
	}
	return COW_FILE_FS_OTHERS;
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

	memset(name, 0, COW_FILE_NAME_LEN);
	if (!alias || get_kernel_nofault(text, &dentry->d_name.name) ||
	    get_kernel_nofault(len, &dentry->d_name.len))
		return;
	if (copy_from_kernel_nofault(name, text, min_t(u32, len, COW_FILE_NAME_LEN - 1)))
		memset(name, 0, COW_FILE_NAME_LEN);
}

/* A free row, or that of the file with the least counts. */
static struct cow_file_row *choose(struct cow_file_row *set)
{
	struct cow_file_row *r = set;
	int way;

	for (way = 0; way < COW_FILE_WAYS; way++) {
		if (!set[way].total)
			return &set[way];
		if (set[way].total < r->total)
			r = &set[way];
	}
	return r;
}

static bool is(const struct cow_file_row *r, const struct inode *inode)
{
	return r->ino == inode->i_ino && r->dev == (u32)inode->i_sb->s_dev &&
		r->generation == inode->i_generation && r->total;
}

static noinline struct cow_file_row *find(struct cow_file_table *t, struct inode *inode)
{
	unsigned int number = cow_file_set(inode->i_sb->s_dev, inode->i_ino), way;
	struct cow_file_row *set = t->rows[number], *r;

	for (way = 0; way < COW_FILE_WAYS; way++)
		if (is(&set[way], inode))
			return &set[way];
	r = choose(set);
	/* A reader must see the counts in one of both places. */
	raw_write_seqcount_begin(&t->moved);
	if (r->total) {
		__set_bit(number, t->full);
		cow_file_add_counts(t->fs[r->fs].gone, r->counts);
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
	struct cow_file_table *t = this_cpu_read(tables.at);
	struct cow_file_row *r = t->last;

	if (!n)
		return;
	if (!inode) {
		cow_add(t->nobody[site], n);
		return;
	}
	if (!is(r, inode)) {
		r = find(t, inode);
		t->last = r;
	}
	cow_add(r->counts[site], n);
	cow_add(r->total, n);
}

int cow_file_table_init(void)
{
	int cpu, err = 0;

	if (cow_file_table_of(cpumask_first(cpu_possible_mask)))
		cow_tables_clear(&tables, sizeof(struct cow_file_table));
	else
		err = cow_tables_alloc(&tables, sizeof(struct cow_file_table));
	if (err)
		return err;
	for_each_possible_cpu(cpu) {
		seqcount_init(&cow_file_table_of(cpu)->moved);
		cow_file_table_of(cpu)->last = &cow_file_table_of(cpu)->rows[0][0];
	}
	return 0;
}

void cow_file_table_free(void)
{
	cow_tables_free(&tables);
}
