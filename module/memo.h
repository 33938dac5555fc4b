/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memo: what the answer about a fault is remembered by. Answers come from 48 bytes of
 * a record and its vm_flags, and few of them differ in a load.
 */
#ifndef COW_MEMO_H
#define COW_MEMO_H

#include <cowtrace/record.h>
#include <linux/hash.h>
#include <linux/string.h>

/* All that is read of a record but its page frames and vm_flags. */
#define COW_MEMO_FROM	offsetof(struct cowtrace_record, fault_flags)
#define COW_MEMO_WORDS	((sizeof(struct cowtrace_record) - COW_MEMO_FROM) / sizeof(u64))

static_assert(COW_MEMO_FROM % sizeof(u64) == 0);

/**
 * struct cow_memo - of which records something is known
 * @key: their vm_flags, and what else the answer depends on.
 * @words: of them from fault_flags on, as before the answer.
 *
 * All 0 is a record of which nothing is known.
 */
struct cow_memo {
	u64	key;
	u64	words[COW_MEMO_WORDS];
};

static __always_inline const u64 *cow_memo_words(const struct cowtrace_record *r)
{
	return (const u64 *)((const char *)r + COW_MEMO_FROM);
}

/* Counts, states and kind tell most of them apart. */
static __always_inline u32 cow_memo_hash(const struct cowtrace_record *r, unsigned int bits)
{
	const u64 *words = cow_memo_words(r);

	return hash_64(words[1] + words[3] + words[4], bits);
}

/* Is it of such a record? Without a branch a word: nearly always it is. */
static __always_inline bool cow_memo_fits(const struct cow_memo *m,
					  const struct cowtrace_record *r, u64 key)
{
	const u64 *words = cow_memo_words(r);
	u64 differ = m->key ^ key;
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < COW_MEMO_WORDS; i++)
		differ |= m->words[i] ^ words[i];
	return !differ;
}

static inline void cow_memo_set(struct cow_memo *m, const struct cowtrace_record *r, u64 key)
{
	m->key = key;
	memcpy(m->words, cow_memo_words(r), sizeof(m->words));
}

#endif /* COW_MEMO_H */
