// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>

#include "group_khugepaged.h"

static const char * const tables[] = {
#define TABLE_(id, name)	name,
	COW_TABLES(TABLE_)
};

static const char * const estimates[] = {
#define ESTIMATE_(id, name)	name,
	COW_ESTIMATES(ESTIMATE_)
	"-",
};

const char *cow_estimate_name(enum cow_estimate estimate)
{
	return estimates[estimate];
}

/**
 * struct line - an event while it is printed
 * @buf: where to.
 * @size: bytes of it.
 * @n: used so far.
 */
struct line {
	char	*buf;
	size_t	size;
	size_t	n;
};

/* " key=value", a value that is not known as -. */
static void put(struct line *l, const char *key, bool known, long value)
{
	l->n += scnprintf(l->buf + l->n, l->size - l->n, known ? " %s=%ld" : " %s=-", key, value);
}

static void put_word(struct line *l, const char *key, const char *word)
{
	l->n += scnprintf(l->buf + l->n, l->size - l->n, " %s=%s", key, word);
}

static void put_comm(struct line *l, const char *key, const char *comm)
{
	char word[TASK_COMM_LEN + 1];

	cow_group_word(word, comm, TASK_COMM_LEN);
	put_word(l, key, *word ? word : "-");
}

static void put_counts(struct line *l, const struct cow_range_counts *c)
{
	bool known = c->table == COW_TABLE_PTE;
	unsigned int i;

	put_word(l, "table", tables[c->table]);
	put(l, "ptes", known, c->ptes);
	/* Those that khugepaged does not look up are not known one by one. */
	put(l, "none", known && COW_RANGE_WALKED, c->none);
	put(l, "zero", known && COW_RANGE_WALKED, c->zero);
	put(l, "unmapped", known && COW_RANGE_WALKED, c->unmapped);
	put(l, "special", known, c->special);
	put(l, "present", known, c->present);
	put(l, "writable", known, c->writable);
	put(l, "referenced", known, c->referenced);
	put(l, "large", known, c->large);
	for (i = 0; i < COW_NR_ESTIMATES; i++)
		put(l, estimates[i], known && !c->open[i], c->shared[i]);
}

size_t cow_scan_print(char *buf, size_t size, const void *event)
{
	const struct cow_scan *s = event;
	struct line l = { buf, size, 0 };
	unsigned int i;

	l.n = scnprintf(buf, size, "scan origin=%s",
			s->origin == COW_SCAN_KHUGEPAGED ? "khugepaged" : "madvise");
	if (s->address)
		l.n += scnprintf(buf + l.n, size - l.n, " addr=%#llx", s->address);
	else
		put_word(&l, "addr", "-");
	put(&l, "owner", s->owner, s->owner);
	put_comm(&l, "owner_comm", s->owner_comm);
	put_word(&l, "seen", COW_RANGE_WALKED ? "before" : "while");
	put_counts(&l, &s->counts);
	put_word(&l, "estimate", estimates[COW_OWN_ESTIMATE]);
	for (i = 0; i < COW_NR_LIMITS; i++)
		put(&l, cow_limit_name(i), s->limits[i] >= 0, s->limits[i]);
	put(&l, "status", true, s->status);
	put(&l, "kernel_none", s->told, s->none);
	put(&l, "kernel_unmapped", s->told, s->unmapped);
	put(&l, "kernel_referenced", s->told, s->referenced);
	put(&l, "kernel_writable", s->told && s->writable >= 0, s->writable);
	return l.n;
}
