/* SPDX-License-Identifier: GPL-2.0 */
/* Which memory took part in which fork: what the files of the ledger share. */
#ifndef COWTRACE_LEDGER_PARTS_H
#define COWTRACE_LEDGER_PARTS_H

#include "ledger.h"

/*
 * The memory of processes: one that was there before, one that a fork made, or
 * one that an exec made.
 *
 * @end: when the last process that had it was gone.
 * @line_end: when all that it was forked into were gone as well.
 * @fork: the fork that made it, CT_MAP_NONE if none did.
 * @begun: its beginning was seen.
 * @first: its own forks are so many from here in ct_memories.by_memory.
 * @nr: number of them.
 */
struct memory {
	uint64_t	end;
	uint64_t	line_end;
	uint32_t	fork;
	bool		begun;
	uint32_t	first;
	uint32_t	nr;
};

/*
 * All of them.
 *
 * @list: by number: those of a process stand together, a new one for each exec.
 * @base: the first one of each process.
 * @same_as: of each memory the one that it really is: a child of vfork() has
 *	that of its parent.
 * @of: which one each fork shared.
 * @made: which one each fork made.
 * @by_memory: forks by the memory that they shared, in the order of time.
 * @outlived_by: of each place in @by_memory the next earlier one of the same
 *	memory whose line ends later, CT_MAP_NONE for none.
 */
struct ct_memories {
	struct memory	*list;
	uint32_t	*base;
	uint32_t	*same_as;
	uint32_t	*of;
	uint32_t	*made;
	uint32_t	*by_memory;
	uint32_t	*outlived_by;
};

/* Number of the memory that a process had. */
uint32_t ct_ledger_memory(const struct ct_forks *f, uint32_t process, uint64_t time);

/* The newest fork that a memory took part in; if @open, its line is still there. */
uint32_t ct_ledger_newest(const struct ct_forks *f, uint32_t memory, uint64_t time, bool open);

/*
 * The fork of a page that others map although no fork of its memory was there, by what perf
 * told: the next one, or the last where none comes. CT_MAP_NONE where it may have been before.
 */
uint32_t ct_ledger_told_late(const struct ct_forks *f, uint32_t memory, uint64_t time);

/* When the line of the fork at a place in ct_memories.by_memory ends. */
static inline uint64_t ct_ledger_line_end(const struct ct_memories *m, uint32_t place)
{
	return m->list[m->made[m->by_memory[place]]].line_end;
}

#endif /* COWTRACE_LEDGER_PARTS_H */
