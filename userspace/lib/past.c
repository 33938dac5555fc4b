// SPDX-License-Identifier: GPL-2.0
#include "past.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <cowtrace/facts.h>

#include "ledger_parts.h"

/* 16 MiB of pages, a set to a cache line. */
#define WAYS		4u
#define SETS		(1u << 18)
#define TABLE		((size_t)SETS * WAYS * sizeof(struct page))
#define LINEAGES	256u
/* Addresses to which another task wrote, by their last bits. */
#define FOREIGN		(1u << 16)
/* A fork copies the page tables, is told of, and starts the child. */
#define SLACK_NS	10000000u

#define LEVEL_PMD	(1ull << 60)
#define LEVEL_HUGETLB	(2ull << 60)

/*
 * A page that its memory owned alone.
 *
 * @tag: bits of a hash of memory, page and level. One in 2^32 strangers has the same.
 * @since: time in units of 2^24 ns, 0 when free.
 * @fork: the newest fork of that memory then.
 * @pfn: last bits of its frame, 0 when not known.
 */
struct page {
	uint32_t	tag;
	uint32_t	since;
	uint32_t	fork;
	uint32_t	pfn;
};

/* Where a page stands, or may. */
struct place {
	struct page	*set;
	uint32_t	tag;
};

/* What is known of a process: @process + 1, 0 when free. */
struct known {
	uint32_t	process;
	struct ct_lineage line;
};

struct ct_past {
	const struct ct_forks *forks;
	bool		whole;
	uint64_t	forgotten;
	struct known	known[LINEAGES];
	uint8_t		foreign[FOREIGN / 8];
	struct page	*table;
};

struct ct_past *ct_past_new(const struct ct_forks *forks, bool whole)
{
	struct ct_past *past = calloc(1, sizeof(*past));

	if (!past)
		return NULL;
	past->forks = forks;
	past->whole = whole;
	/* Page-aligned, and none of it is there before it is used. */
	past->table = mmap(NULL, TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (past->table != MAP_FAILED) {
		/* It is walked at random: without that it is as well, but slower. */
		madvise(past->table, TABLE, MADV_HUGEPAGE);
		return past;
	}
	free(past);
	return NULL;
}

void ct_past_free(struct ct_past *past)
{
	if (!past)
		return;
	munmap(past->table, TABLE);
	free(past);
}

void ct_past_lost(struct ct_past *past)
{
	past->whole = false;
}

uint64_t ct_past_forgotten(const struct ct_past *past)
{
	return past->forgotten;
}

/* --- the table --------------------------------------------------------------- */

static uint32_t units(uint64_t ns)
{
	return ns >> 24 ?: 1;
}

/* Neighbours stand together: memory is mostly written in order. */
static struct place place_of(const struct ct_past *past, uint32_t memory, uint64_t page)
{
	uint64_t h = (page >> 5 ^ (uint64_t)memory << 36) * 0x9e3779b97f4a7c15ull;
	uint32_t set;

	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	set = ((h >> 32) & ~31u) | (page & 31);
	return (struct place){ &past->table[(set & (SETS - 1)) * WAYS], (uint32_t)h };
}

static struct page *find(const struct place *at)
{
	unsigned int i;

	for (i = 0; i < WAYS; i++)
		if (at->set[i].tag == at->tag && at->set[i].since)
			return &at->set[i];
	return NULL;
}

static void put(struct ct_past *past, const struct place *at, const struct page *page)
{
	struct page *to = find(at);
	unsigned int i;

	if (!to) {
		to = &at->set[0];
		for (i = 1; i < WAYS; i++)
			if (at->set[i].since < to->since)
				to = &at->set[i];
		past->forgotten += !!to->since;
	}
	*to = *page;
}

static uint64_t page_of(const struct cowtrace_record *r)
{
	uint64_t page = r->address >> 12;

	switch (r->path) {
	case COWTRACE_PATH_PMD:
		return page >> COWTRACE_PMD_ORDER | LEVEL_PMD;
	case COWTRACE_PATH_HUGETLB:
		return page >> (r->order & 31) | LEVEL_HUGETLB;
	default:
		return page;
	}
}

/* --- asking ------------------------------------------------------------------ */

static const struct ct_lineage *lineage(struct ct_past *past, uint32_t process, uint64_t time)
{
	struct known *it = &past->known[process % LINEAGES];

	if (it->process != process + 1 || time < it->line.from || time >= it->line.until) {
		ct_forks_lineage(past->forks, process, time, &it->line);
		it->process = process + 1;
	}
	return &it->line;
}

static uint8_t *foreign_at(struct ct_past *past, const struct cowtrace_record *r, uint8_t *bit)
{
	uint32_t place = (r->address >> 12) % FOREIGN;

	*bit = 1u << (place & 7);
	return &past->foreign[place / 8];
}

/* Is it the frame that stood there before the fork, which nobody has written since? */
static bool left_shared(struct ct_past *past, const struct cowtrace_record *r,
			const struct page *old, uint32_t fork)
{
	const struct ct_fork *it = &past->forks->list[fork];
	uint8_t bit, *foreign = foreign_at(past, r, &bit);

	return past->whole && it->known && old && old->pfn == (uint32_t)r->pfn &&
	       old->since + 1 < units(it->start) && r->time_ns > it->start &&
	       !(r->state & COWTRACE_PG_PINNED) && !(*foreign & bit);
}

/* A page of a huge page that was whole when its memory got it. */
static const struct page *of_huge(struct ct_past *past, const struct cowtrace_record *r,
				  uint32_t memory)
{
	const struct page *it;
	struct place at;

	if (r->path != COWTRACE_PATH_PTE || r->order < COWTRACE_PMD_ORDER)
		return NULL;
	at = place_of(past, memory, r->address >> (12 + COWTRACE_PMD_ORDER) | LEVEL_PMD);
	it = find(&at);
	return it && it->pfn >> COWTRACE_PMD_ORDER == (uint32_t)r->pfn >> COWTRACE_PMD_ORDER ?
	       it : NULL;
}

static int says(struct ct_past *past, const struct cowtrace_record *r,
		const struct ct_lineage *line, const struct place *at)
{
	const struct ct_memories *m = past->forks->memories;
	const struct page *own;
	struct place parent;

	if (line->next_fork != UINT64_MAX && line->next_fork - r->time_ns < SLACK_NS)
		return COWTRACE_NOT_KNOWN;
	if (line->begun && line->fork == CT_MAP_NONE)
		return 1;
	own = find(at);
	if (own && own->fork == line->fork)
		return own->pfn == (uint32_t)r->pfn || (r->state & COWTRACE_PG_SWAPCACHE) ?
		       1 : COWTRACE_NOT_KNOWN;
	if (!own) {
		own = of_huge(past, r, line->memory);
		if (own && own->fork == line->fork)
			return 1;
		if (own || line->fork == CT_MAP_NONE)
			return COWTRACE_NOT_KNOWN;
		/* What a child has not written is its parent's. */
		if (m->made[line->fork] == line->memory) {
			parent = place_of(past, m->of[line->fork], page_of(r));
			own = find(&parent);
		}
	}
	return left_shared(past, r, own, line->fork) ? 0 : COWTRACE_NOT_KNOWN;
}

static void note(struct ct_past *past, const struct cowtrace_record *r,
		 const struct ct_lineage *line, const struct place *at)
{
	struct page page = {
		.tag = at->tag,
		.since = units(r->time_ns + r->duration_ns),
		.fork = line->fork,
	};

	if (r->outcome == COWTRACE_OUTCOME_REUSE)
		page.pfn = r->pfn;
	else if (r->outcome != COWTRACE_OUTCOME_COPY)
		return;
	else if (r->present & COWTRACE_HAS_NEW_PFN)
		page.pfn = r->new_pfn;
	put(past, at, &page);
}

static bool shared(const struct cowtrace_record *r)
{
	return r->mapcount > 1 || (r->state & COWTRACE_PG_KSM);
}

int ct_past_take(struct ct_past *past, const struct cowtrace_record *r, uint32_t process)
{
	const struct ct_lineage *line;
	struct place at;
	bool anon = r->state & COWTRACE_PG_ANON;
	int answer = COWTRACE_NOT_KNOWN;
	uint8_t bit, *foreign;

	/* Whose memory another task, or a kernel thread, wrote to is not recorded. */
	if (r->origin == COWTRACE_ORIGIN_REMOTE || !(r->present & COWTRACE_HAS_IP)) {
		foreign = foreign_at(past, r, &bit);
		*foreign |= bit;
	} else if (process != CT_MAP_NONE) {
		line = lineage(past, process, r->time_ns);
		/* Nothing that is told of a page of memory that never forks is asked for. */
		if (line->begun && line->fork == CT_MAP_NONE && line->next_fork == UINT64_MAX)
			return anon ? !shared(r) : COWTRACE_NOT_KNOWN;
		at = place_of(past, line->memory, page_of(r));
		answer = anon ? says(past, r, line, &at) : COWTRACE_NOT_KNOWN;
		note(past, r, line, &at);
	}
	return anon && shared(r) ? 0 : answer;
}
