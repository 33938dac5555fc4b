// SPDX-License-Identifier: GPL-2.0
#include "whatif_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "past.h"
#include "splits.h"

#define MEMOS	4096u

/* All that a policy is told of a fault: equal ones are answered once. */
struct state {
	uint64_t	word[7];
};

/* Those of its fields that a policy of the user can read by their names. */
#define FIELD(member)	offsetof(struct cowtrace_record, member)
static const size_t told[] = {
	FIELD(path), FIELD(kind), FIELD(order), FIELD(state), FIELD(refcount), FIELD(mapcount),
	FIELD(folio_mapcount), FIELD(pincount), FIELD(swapcount), FIELD(mapped_here),
	FIELD(fault_flags), FIELD(vm_flags),
};

struct memo {
	struct state	state;
	/* That number + 1, 0 when free. */
	uint32_t	pattern;
};

/*
 * What is kept for the faults to come.
 *
 * @memo: faults that were answered.
 * @splits: huge pages that were split, whose access goes on.
 * @of: the pattern of each of these.
 * @blind: a policy of the user reads more than @memo compares.
 */
struct ct_whatif_memo {
	struct memo	memo[MEMOS];
	struct ct_splits splits;
	uint32_t	of[CT_SPLITS_PLACES];
	bool		blind;
};

struct ct_whatif *ct_whatif_new(const struct ct_schema *schema, const struct ct_processes *table,
				const struct ct_whatif_own *own, size_t nr_own)
{
	struct ct_whatif *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->traits = schema->traits;
	w->page_size = schema->page_size;
	w->table = table;
	w->own = own;
	w->nr_own = nr_own;
	w->kernel = cowtrace_own_policy(w->traits);
	w->words[0] = "none";
	w->memo = calloc(1, sizeof(*w->memo));
	w->tasks = ct_whatif_tasks_new();
	if (!w->memo || !w->tasks) {
		ct_whatif_free(w);
		return NULL;
	}
	for (size_t i = 0; i < nr_own; i++)
		if (!ct_expression_reads_only(own[i].expression, told,
					      sizeof(told) / sizeof(*told)))
			w->memo->blind = true;
	return w;
}

void ct_whatif_free(struct ct_whatif *w)
{
	if (!w)
		return;
	free(w->list);
	free(w->by_process.list);
	free(w->by_site.list);
	free(w->processes);
	ct_map_free(&w->by_process.place);
	ct_map_free(&w->by_site.place);
	ct_map_free(&w->place);
	ct_map_free(&w->process_of);
	ct_sites_free(&w->sites);
	ct_past_free(w->past);
	free(w->memo);
	free(w->tasks);
	free(w);
}

/* --- asking ------------------------------------------------------------------ */

/* The number of a word, 0 where there is no room for one more. */
static uint8_t word_of(struct ct_whatif *w, const char *word)
{
	uint8_t i;

	for (i = 1; i < CT_WHATIF_WORDS && w->words[i]; i++)
		if (!strcmp(w->words[i], word))
			return i;
	if (i == CT_WHATIF_WORDS)
		return 0;
	w->words[i] = word;
	return i;
}

/* Policies of the user are asked where those of the kernels are. */
static struct cowtrace_prediction ask_own(struct ct_whatif *w, const struct ct_whatif_own *own,
					  const struct cowtrace_facts *f)
{
	struct cowtrace_prediction p = cowtrace_settled_(COWTRACE_POLICY_MINIMAL, f);
	const char *cause = NULL;

	if (p.answer != COWTRACE_ANSWER_UNDETERMINED) {
		p.cause = 0;
		return p;
	}
	p = (struct cowtrace_prediction){ 0 };
	switch (ct_expression_eval(own->expression, f, &cause)) {
	case CT_TRUE:
		p.answer = COWTRACE_ANSWER_REUSE;
		break;
	case CT_FALSE:
		p.answer = COWTRACE_ANSWER_COPY;
		break;
	default:
		p.answer = COWTRACE_ANSWER_UNDETERMINED;
		p.cause = cause ? word_of(w, cause) : 0;
		break;
	}
	return p;
}

static uint16_t shape_of(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	const struct cowtrace_holders *h = &f->holders;
	uint16_t shape = 0;

	if (!(r->present & COWTRACE_HAS_PAGE) || r->kind == COWTRACE_KIND_ZERO)
		return 0;
	shape |= r->mapcount > 1 ? CT_SHAPE_MAPPED : 0;
	if (r->order && r->path == COWTRACE_PATH_PTE) {
		shape |= CT_SHAPE_LARGE;
		shape |= f->elsewhere > 0 ? CT_SHAPE_ELSEWHERE : 0;
		shape |= f->elsewhere < 0 ? CT_SHAPE_WHERE_OPEN : 0;
	}
	if (r->state & COWTRACE_PG_SWAPCACHE) {
		shape |= CT_SHAPE_CACHED;
		shape |= f->swapcount > 0 ? CT_SHAPE_ENTRIES : 0;
		shape |= f->swapcount < 0 ? CT_SHAPE_SLOT_OPEN : 0;
	}
	shape |= r->state & COWTRACE_PG_WRITEBACK ? CT_SHAPE_WRITEBACK : 0;
	shape |= r->state & COWTRACE_PG_LOCKED ? CT_SHAPE_LOCKED : 0;
	shape |= h->lru ? CT_SHAPE_LRU : 0;
	shape |= h->pins ? CT_SHAPE_PINS : 0;
	shape |= h->unattributed ? CT_SHAPE_PLAIN : 0;
	shape |= r->evidence & COWTRACE_EV_UNSTABLE ? CT_SHAPE_MOVED : 0;
	return shape;
}

static uint8_t below(uint8_t value, uint8_t limit)
{
	return value < limit ? value : 0;
}

/* @exclusive: what the page's past says, where the kernel does not. */
static void ask_all(struct ct_whatif *w, const struct cowtrace_record *r, int exclusive,
		    struct ct_whatif_key *key)
{
	struct cowtrace_facts f = cowtrace_facts(r, w->traits);
	size_t i;

	if (f.exclusive == COWTRACE_NOT_KNOWN)
		f.exclusive = exclusive;
	memset(key, 0, sizeof(*key));
	for (i = 0; i < COWTRACE_NR_POLICIES; i++)
		key->predicted[i] = i == w->kernel ? cowtrace_foresee(r, w->traits) :
						     cowtrace_predict(i, &f);
	for (i = 0; i < w->nr_own; i++)
		key->predicted[COWTRACE_NR_POLICIES + i] = ask_own(w, &w->own[i], &f);
	key->shape = shape_of(&f);
	key->path = below(r->path, COWTRACE_NR_PATHS);
	key->kind = below(r->kind, COWTRACE_NR_KINDS);
	key->outcome = r->outcome;
	key->reason = r->reason;
	key->exclusive = r->state & COWTRACE_PG_ANON ? f.exclusive : COWTRACE_NOT_KNOWN;
	key->asked = f.asked;
}

/* --- patterns ---------------------------------------------------------------- */

/* Too many patterns: the answers have to tell them apart, then not even these. */
static void coarsen(struct ct_whatif *w, struct ct_whatif_key *key)
{
	size_t i;

	for (i = 0; i < CT_WHATIF_POLICIES; i++) {
		key->predicted[i].reason = 0;
		key->predicted[i].step = 0;
		if (w->nr >= 2 * CT_WHATIF_PATTERNS && key->predicted[i].answer)
			key->predicted[i] = (struct cowtrace_prediction)
				{ .answer = COWTRACE_ANSWER_UNDETERMINED };
	}
	key->shape = 0;
	key->kind = 0;
	key->reason = 0;
	key->exclusive = COWTRACE_NOT_KNOWN;
	key->rest = 1;
}

/* FNV-1a, by words. */
static uint64_t hash(const struct ct_whatif_key *key)
{
	uint64_t h = 0xcbf29ce484222325ull, word;
	const char *at = (const char *)key;
	size_t left;

	for (left = sizeof(*key); left; ) {
		size_t n = left < sizeof(word) ? left : sizeof(word);

		word = 0;
		memcpy(&word, at, n);
		h = (h ^ word) * 0x100000001b3ull;
		h ^= h >> 32;
		at += n;
		left -= n;
	}
	return h;
}

static struct ct_whatif_pattern *find(struct ct_whatif *w, const struct ct_whatif_key *key,
				      bool *full)
{
	uint64_t h = hash(key), salt;
	struct ct_whatif_pattern *it;
	uint32_t place;

	*full = false;
	/* Two keys of one hash: the second stands under the next salt. */
	for (salt = 0; ; salt++) {
		place = ct_map_find(&w->place, h, salt);
		if (place == CT_MAP_NONE)
			break;
		if (!memcmp(&w->list[place].key, key, sizeof(*key)))
			return &w->list[place];
	}
	if (!key->rest && w->nr >= CT_WHATIF_PATTERNS) {
		*full = true;
		return NULL;
	}
	it = CT_ELEMENT(&w->place, h, salt, w->list, &w->nr);
	if (!it)
		return NULL;
	it->key = *key;
	it->process = CT_MAP_NONE;
	it->site = CT_MAP_NONE;
	return it;
}

static struct ct_whatif_pattern *pattern_of(struct ct_whatif *w, struct ct_whatif_key *key)
{
	struct ct_whatif_pattern *it;
	bool full;

	it = find(w, key, &full);
	if (it || !full)
		return it;
	coarsen(w, key);
	return find(w, key, &full);
}

/* --- faults ------------------------------------------------------------------ */

static uint64_t bytes_if_copied(const struct ct_whatif *w, const struct cowtrace_record *r)
{
	uint32_t copied = cowtrace_copied_pages(r);

	if (copied)
		return (uint64_t)copied * w->page_size;
	switch (r->path) {
	case COWTRACE_PATH_PMD:
		return 0;
	case COWTRACE_PATH_HUGETLB:
		return (uint64_t)cowtrace_folio_pages(r) * w->page_size;
	default:
		return w->page_size;
	}
}

static void count(struct ct_whatif *w, struct ct_whatif_pattern *p, const struct cowtrace_record *r)
{
	uint32_t flags = r->evidence;

	if (!p->faults++) {
		p->cpu = r->cpu;
		p->seq = r->seq;
		p->time_ns = r->time_ns;
	}
	p->ns += r->duration_ns;
	p->copied = ct_add(p->copied, (uint64_t)cowtrace_copied_pages(r) * w->page_size);
	p->bytes = ct_add(p->bytes, bytes_if_copied(w, r));
	for (; flags; flags &= flags - 1)
		p->flagged[__builtin_ctz(flags)]++;
	w->total++;
}

/* Policies that would have kept the huge page which this access has split, as bits. */
static uint32_t kept_by(struct ct_whatif *w, const struct cowtrace_record *r)
{
	uint32_t place = r->pid % CT_SPLITS_PLACES, kept = 0;
	struct ct_split split;
	size_t i;

	if (!ct_splits_take(&w->memo->splits, r, &split))
		return 0;
	for (i = 0; i < ct_whatif_nr(w); i++)
		if (w->list[w->memo->of[place]].key.predicted[i].answer == COWTRACE_ANSWER_REUSE)
			kept |= 1u << i;
	return kept;
}

static void state_of(const struct cowtrace_record *r, int exclusive, uint32_t kept,
		     struct state *s)
{
	s->word[0] = r->path | r->kind << 8 | r->outcome << 16 | (uint64_t)r->reason << 24 |
		     (uint64_t)r->order << 32 | (uint64_t)(uint8_t)exclusive << 40;
	s->word[1] = r->state | (uint64_t)r->evidence << 32 | (uint64_t)r->present << 48;
	s->word[2] = (uint32_t)r->refcount | (uint64_t)(uint32_t)r->mapcount << 32;
	s->word[3] = (uint32_t)r->folio_mapcount | (uint64_t)r->pincount << 32;
	s->word[4] = r->swapcount | (uint64_t)r->mapped_here << 16 | (uint64_t)r->fault_flags << 32;
	s->word[5] = kept;
	s->word[6] = r->vm_flags;
}

static struct memo *memo_of(struct ct_whatif *w, const struct state *s)
{
	uint64_t h = 0;
	size_t i;

	for (i = 0; i < sizeof(s->word) / sizeof(*s->word); i++)
		h = (h ^ s->word[i]) * 0x9e3779b97f4a7c15ull;
	return &w->memo->memo[h >> 40 & (MEMOS - 1)];
}

static struct ct_whatif_pattern *answer(struct ct_whatif *w, const struct cowtrace_record *r,
					int exclusive)
{
	uint32_t kept = kept_by(w, r);
	struct ct_whatif_pattern *it;
	struct ct_whatif_key key;
	struct state state;
	struct memo *memo;
	size_t i;

	state_of(r, exclusive, kept, &state);
	memo = memo_of(w, &state);
	if (memo->pattern && !w->memo->blind && !memcmp(&memo->state, &state, sizeof(state)))
		return &w->list[memo->pattern - 1];
	ask_all(w, r, exclusive, &key);
	for (i = 0; i < ct_whatif_nr(w); i++)
		if (kept >> i & 1)
			key.predicted[i] = (struct cowtrace_prediction)
				{ .answer = CT_ANSWER_NOT_FAULTED };
	it = pattern_of(w, &key);
	if (it) {
		memo->state = state;
		memo->pattern = it - w->list + 1;
	}
	return it;
}

int ct_whatif_take(struct ct_whatif *w, const struct cowtrace_record *r)
{
	struct ct_whatif_pattern *it;
	struct ct_whatif_at at;
	int exclusive = COWTRACE_NOT_KNOWN;
	int err;

	err = ct_whatif_who(w, r, &at);
	if (err)
		return err;
	if (w->past)
		exclusive = ct_past_take(w->past, r, at.in_table);
	it = answer(w, r, exclusive);
	if (!it)
		return -ENOMEM;
	if (r->outcome == COWTRACE_OUTCOME_SPLIT)
		w->memo->of[r->pid % CT_SPLITS_PLACES] = it - w->list;
	count(w, it, r);
	return ct_whatif_share(w, it, r, &at);
}
