// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/seqlock.h>
#include <linux/sort.h>
#include <cowtrace/vocab.h>

#include "add.h"
#include "count.h"
#include "count_parts.h"
#include "tables.h"

#define SET_BITS	6
#define SETS		BIT(SET_BITS)
#define WAYS		8

/* What outcomes come to for a process. */
enum class {
	OTHER,
	REUSE,
	COPY,
	SPLIT,
	CLASSES,
};

static const u8 classes[COWTRACE_NR_OUTCOMES] = {
	[COWTRACE_OUTCOME_REUSE]	= REUSE,
	[COWTRACE_OUTCOME_COPY]		= COPY,
	[COWTRACE_OUTCOME_UNSHARE]	= COPY,
	[COWTRACE_OUTCOME_SPLIT]	= SPLIT,
};

/**
 * struct sums - faults of one process on one CPU, on a cache line of its own
 * @comm: its name at its last fault here.
 * @faults: by enum class.
 * @bytes: copied.
 * @ns: of all of them.
 */
struct sums {
	char	comm[TASK_COMM_LEN];
	u64	faults[CLASSES];
	u64	bytes;
	u64	ns;
};

static_assert(sizeof(struct sums) == SMP_CACHE_BYTES);

/**
 * struct table - the processes of one CPU, a set-associative cache that loses nothing
 * @others: sums of those that had to make room.
 * @last: of the process that faulted last.
 * @last_tgid: whose @last is.
 * @moved: odd while a process makes room.
 * @full: a bit a set: some process of it had to make room.
 * @tgid: whose slots, 0 for nobody's: half a line to look through for a set.
 * @slots: their sums.
 */
struct table {
	struct sums	others;
	struct sums	*last;
	u32		last_tgid;
	seqcount_t	moved;
	DECLARE_BITMAP(full, SETS);
	u32		tgid[SETS][WAYS] ____cacheline_aligned;
	struct sums	slots[SETS][WAYS];
} ____cacheline_aligned;

/* Of struct table. */
static DEFINE_PER_CPU(struct cow_table, processes);

static void add(struct sums *to, const struct sums *from)
{
	int i;

	for (i = 0; i < CLASSES; i++)
		to->faults[i] += from->faults[i];
	to->bytes += from->bytes;
	to->ns += from->ns;
}

static u64 all(const struct sums *s)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < CLASSES; i++)
		sum += s->faults[i];
	return sum;
}

/* As they are printed: copies first, then faults. */
static bool less(const struct sums *a, const struct sums *b)
{
	if (a->faults[COPY] != b->faults[COPY])
		return a->faults[COPY] < b->faults[COPY];
	return all(a) < all(b);
}

/* A free slot, or that of the smallest of a full set. */
static unsigned int choose(const struct table *t, unsigned int set)
{
	unsigned int way, smallest = 0;

	for (way = 0; way < WAYS; way++) {
		if (!t->tgid[set][way])
			return way;
		if (less(&t->slots[set][way], &t->slots[set][smallest]))
			smallest = way;
	}
	return smallest;
}

/* Not on the way of a process that faults twice in a row. */
static noinline struct sums *find(struct table *t, u32 tgid)
{
	unsigned int set = hash_32(tgid, SET_BITS), way;
	struct sums *s;

	for (way = 0; way < WAYS; way++)
		if (t->tgid[set][way] == tgid)
			return &t->slots[set][way];
	way = choose(t, set);
	s = &t->slots[set][way];
	/* A reader must see the sums in one of both places. */
	raw_write_seqcount_begin(&t->moved);
	if (t->tgid[set][way]) {
		__set_bit(set, t->full);
		add(&t->others, s);
	}
	memset(s, 0, sizeof(*s));
	t->tgid[set][way] = tgid;
	raw_write_seqcount_end(&t->moved);
	return s;
}

void cow_processes_add(const struct cowtrace_record *r, u64 bytes)
{
	struct table *t = this_cpu_read(processes.at);
	u32 tgid = current->tgid;
	struct sums *s = t->last;

	if (t->last_tgid != tgid) {
		s = find(t, tgid);
		t->last = s;
		t->last_tgid = tgid;
	}
	/* Another thread may give it a new name meanwhile, and half of that is shown. */
	data_race(memcpy(s->comm, current->group_leader->comm, sizeof(s->comm)));
	cow_add(s->faults[classes[r->outcome]], 1);
	cow_add(s->bytes, bytes);
	cow_add(s->ns, r->duration_ns);
}

/* Of tables that are all zero. */
static void begin(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct table *t = per_cpu(processes, cpu).at;

		seqcount_init(&t->moved);
	}
}

int cow_processes_alloc(void)
{
	int err = cow_tables_alloc(&processes, sizeof(struct table));

	if (!err)
		begin();
	return err;
}

void cow_processes_free(void)
{
	cow_tables_free(&processes);
}

void cow_processes_clear(void)
{
	cow_tables_clear(&processes, sizeof(struct table));
	begin();
}

/**
 * struct row - a process of the file counts
 * @tgid: which.
 * @partial: a part of its faults may stand in others.
 * @sums: of it.
 */
struct row {
	u32		tgid;
	bool		partial;
	struct sums	sums;
};

/* Append what one CPU has. Return: how many rows. */
static size_t take(struct row *rows, const struct table *t, struct sums *others)
{
	unsigned int set, way, begin;
	struct sums made_room;
	size_t n;

	do {
		n = 0;
		begin = read_seqcount_begin(&t->moved);
		made_room = t->others;
		for (set = 0; set < SETS; set++)
			for (way = 0; way < WAYS; way++) {
				if (!t->tgid[set][way])
					continue;
				rows[n].tgid = t->tgid[set][way];
				rows[n++].sums = t->slots[set][way];
			}
	} while (read_seqcount_retry(&t->moved, begin));
	add(others, &made_room);
	return n;
}

/* A set is the same on all CPUs. */
static bool is_partial(u32 tgid)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct table *t = per_cpu(processes, cpu).at;

		if (test_bit(hash_32(tgid, SET_BITS), t->full))
			return true;
	}
	return false;
}

static int by_tgid(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return a->tgid < b->tgid ? -1 : a->tgid > b->tgid;
}

static int by_copies(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (less(&b->sums, &a->sums))
		return -1;
	return less(&a->sums, &b->sums) ? 1 : by_tgid(x, y);
}

/* One row a process, with the name that it had for the most of its faults. */
static size_t merge(struct row *rows, size_t n)
{
	size_t i, to = 0;
	u64 most = 0;

	sort(rows, n, sizeof(*rows), by_tgid, NULL);
	for (i = 0; i < n; i++) {
		if (!i || rows[i].tgid != rows[to - 1].tgid) {
			most = all(&rows[i].sums);
			rows[to++] = rows[i];
			continue;
		}
		add(&rows[to - 1].sums, &rows[i].sums);
		if (all(&rows[i].sums) > most) {
			most = all(&rows[i].sums);
			memcpy(rows[to - 1].sums.comm, rows[i].sums.comm, TASK_COMM_LEN);
		}
	}
	for (i = 0; i < to; i++)
		rows[i].partial = is_partial(rows[i].tgid);
	sort(rows, to, sizeof(*rows), by_copies, NULL);
	return to;
}

static void show(struct seq_file *m, const struct sums *s, bool timed)
{
	seq_printf(m, " %llu %llu %llu %llu %llu", all(s), s->faults[COPY], s->faults[REUSE],
		   s->faults[SPLIT], s->bytes);
	cow_count_show_ns(m, s->ns, timed);
}

int cow_processes_show(struct seq_file *m, bool timed)
{
	struct sums others = { 0 };
	struct row *rows;
	size_t i, n = 0;
	int cpu;

	rows = kvmalloc_array(num_possible_cpus(), SETS * WAYS * sizeof(*rows), GFP_KERNEL);
	if (!rows)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		n += take(rows + n, per_cpu(processes, cpu).at, &others);
	n = merge(rows, n);
	for (i = 0; i < n; i++) {
		const char *comm = rows[i].sums.comm;

		seq_printf(m, "process %u", rows[i].tgid);
		show(m, &rows[i].sums, timed);
		/* The name is the rest of the line, whatever its owner has put there. */
		seq_printf(m, " %s %*pE\n", rows[i].partial ? "at-least" : "exact",
			   (int)strnlen(comm, TASK_COMM_LEN), comm);
	}
	seq_puts(m, "others");
	show(m, &others, timed);
	seq_putc(m, '\n');
	kvfree(rows);
	return 0;
}
