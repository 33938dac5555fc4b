/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each generation of the kernel asks before it reuses or copies a page: one
 * table a generation and path, in the order of the kernel's source. The tables
 * hold words alone; what a fault met at each step is said by ct_steps_walk().
 */
#ifndef COWTRACE_STEPS_H
#define COWTRACE_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

/**
 * enum ct_generation - the generations of do_wp_page() that the traits tell apart
 * @CT_GEN_REFCOUNT: 5.9 to 5.17, read in 5.10 (09854ba94c6a).
 * @CT_GEN_EXCLUSIVE: 5.19 to 6.1, read in 6.1 (6c287605fd56).
 * @CT_GEN_FOLIO: 6.2 on, read in 6.12.
 * @CT_GEN_LARGE: 6.15 on, read in 7.2 (1da190f4d0a6).
 */
enum ct_generation {
	CT_GEN_REFCOUNT,
	CT_GEN_EXCLUSIVE,
	CT_GEN_FOLIO,
	CT_GEN_LARGE,
	CT_NR_GENERATIONS
};

/**
 * enum ct_ask - what a step asks, whatever the generation calls it
 * @CT_ASK_UFFD: is the page write-protected by userfaultfd?
 * @CT_ASK_PAGE: is there a struct page that can be kept?
 * @CT_ASK_SHARED: is the mapping a shared one?
 * @CT_ASK_ANON: is the page anonymous?
 * @CT_ASK_EXCLUSIVE: is it marked as this process's alone?
 * @CT_ASK_LARGE: is it part of a large folio?
 * @CT_ASK_KSM: has KSM merged it?
 * @CT_ASK_FIRST_COUNT: are there more references than could go away?
 * @CT_ASK_DRAIN: may an LRU batch of this CPU hold it? Decides nothing.
 * @CT_ASK_COUNT: are there more references than mapping and swap cache have?
 * @CT_ASK_LOCK: is the page lock free?
 * @CT_ASK_SWAP: does the swap cache let it go?
 * @CT_ASK_RECHECK: under the lock, is there one reference?
 * @CT_ASK_LARGE_MAPPED: is more than one page of the large folio mapped?
 * @CT_ASK_MM_IDS: is the large folio mapped by one address space?
 * @CT_ASK_LARGE_COUNT: are all its references mappings?
 * @CT_ASK_LARGE_RECHECK: the last two again, with the mappings held still.
 * @CT_ASK_HUGE_ZERO: is it the huge zero page?
 * @CT_ASK_PMD: is the PMD still the same?
 * @CT_ASK_MAPCOUNT: is it mapped once?
 */
enum ct_ask {
	CT_ASK_UFFD,
	CT_ASK_PAGE,
	CT_ASK_SHARED,
	CT_ASK_ANON,
	CT_ASK_EXCLUSIVE,
	CT_ASK_LARGE,
	CT_ASK_KSM,
	CT_ASK_FIRST_COUNT,
	CT_ASK_DRAIN,
	CT_ASK_COUNT,
	CT_ASK_LOCK,
	CT_ASK_SWAP,
	CT_ASK_RECHECK,
	CT_ASK_LARGE_MAPPED,
	CT_ASK_MM_IDS,
	CT_ASK_LARGE_COUNT,
	CT_ASK_LARGE_RECHECK,
	CT_ASK_HUGE_ZERO,
	CT_ASK_PMD,
	CT_ASK_MAPCOUNT,
	CT_NR_ASKS
};

/* Which folios a step is for. */
enum ct_step_size { CT_SIZE_ANY, CT_SIZE_SMALL, CT_SIZE_LARGE };

/* What a step can lead to. */
#define CT_WAY_COPY	1u	/* a copy, an unshare or a split */
#define CT_WAY_REUSE	2u
#define CT_WAY_OTHER	4u	/* neither is asked for any more */

/* cowtrace_decision() has so many names for one step at most. */
#define CT_STEP_NAMES	3

/**
 * struct ct_step - one step
 * @ask: what it asks.
 * @function: of the kernel in which it stands.
 * @test: as it stands there.
 * @ways: CT_WAY_*, what it can decide.
 * @size: for which folios.
 * @states: COWTRACE_PG_* and others that it looks at.
 * @names: how cowtrace_decision() calls it.
 */
struct ct_step {
	enum ct_ask	ask;
	const char	*function;
	const char	*test;
	uint8_t		ways;
	uint8_t		size;
	uint32_t	states;
	const char	*names[CT_STEP_NAMES];
};

/**
 * struct ct_steps - the steps of one path
 * @steps: in the order of the kernel's source.
 * @nr: number of them, at most CT_STEPS_MAX.
 */
struct ct_steps {
	const struct ct_step *steps;
	size_t		nr;
};

#define CT_STEPS_MAX	20

/**
 * enum ct_step_state - what became of a fault at a step
 * @CT_STEP_PASSED: asked, and the fault went on.
 * @CT_STEP_DECIDED: this decided.
 * @CT_STEP_FOLLOWED: asked after the step that decided, and bound by it.
 * @CT_STEP_OPEN: the record does not show whether it was asked or what it found.
 * @CT_STEP_SKIPPED: not asked of such a page.
 * @CT_STEP_NOT_REACHED: it was decided before.
 */
enum ct_step_state {
	CT_STEP_PASSED,
	CT_STEP_DECIDED,
	CT_STEP_FOLLOWED,
	CT_STEP_OPEN,
	CT_STEP_SKIPPED,
	CT_STEP_NOT_REACHED,
	CT_NR_STEP_STATES
};

/* No step is known to have decided. */
#define CT_STEP_NONE	SIZE_MAX

/**
 * struct ct_walk - one fault on its way through the steps
 * @steps: of its kernel and path.
 * @state: of each.
 * @decided: the one that decided, CT_STEP_NONE when the record does not show it.
 * @looked_at: states of the page that the steps look at which the fault reached.
 */
struct ct_walk {
	struct ct_steps	steps;
	enum ct_step_state state[CT_STEPS_MAX];
	size_t		decided;
	uint32_t	looked_at;
};

enum ct_generation ct_generation(uint32_t traits);

/* Steps of a path; none for a path that this reader does not know. */
struct ct_steps ct_steps(enum ct_generation generation, uint8_t path);

/**
 * ct_steps_walk() - follow a fault through the steps of its kernel
 * @r: a classified record.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled it.
 * @walk: filled in.
 *
 * The step that decided is the one that cowtrace_decision() names.
 */
void ct_steps_walk(const struct cowtrace_record *r, uint32_t traits, struct ct_walk *walk);

/* Room for what a step found. */
#define CT_FOUND_TEXT	112

/**
 * ct_step_found() - what the sample has for a step, in words
 * @to: CT_FOUND_TEXT bytes; empty when the sample has nothing for it.
 * @r: the record.
 * @traits: of its kernel.
 * @walk: of the record.
 * @i: which step.
 */
void ct_step_found(char *to, const struct cowtrace_record *r, uint32_t traits,
		   const struct ct_walk *walk, size_t i);

/* "passed", "decided", ... */
const char *ct_step_state_name(enum ct_step_state state);

#endif /* COWTRACE_STEPS_H */
