// SPDX-License-Identifier: GPL-2.0
/* What an outcome rests on, what is in doubt, and what to look at next. */
#include "count.h"
#include "explain_parts.h"

static void note(struct ct_notes *notes, const char *text)
{
	if (notes->nr < CT_NOTES_MAX)
		notes->text[notes->nr++] = text;
}

static void add_rests(const struct cowtrace_record *r, struct ct_notes *rests)
{
	if (r->evidence & COWTRACE_EV_RET)
		note(rests, "the return code settles it");
	if (r->evidence & COWTRACE_EV_WITNESS)
		note(rests, "a witness probe saw the copy being mapped");
	else if (r->evidence & COWTRACE_EV_WATCHED)
		note(rests, "a witness probe was armed and saw no copy");
	if ((r->evidence & COWTRACE_EV_COUNTED) && (r->evidence & COWTRACE_EV_REUSED))
		note(rests, "its CPU ran nothing else and counted one reuse (pgreuse)");
	else if (r->evidence & COWTRACE_EV_COUNTED)
		note(rests, "its CPU ran nothing else and counted no reuse (pgreuse)");
	else if (r->evidence & COWTRACE_EV_REUSED)
		note(rests, "a witness probe saw the reuse");
	if (r->evidence & COWTRACE_EV_PTE)
		note(rests, "the entry was read again at the exit");
	if (r->evidence & COWTRACE_EV_ALONE)
		note(rests, "no other thread or process used the address space");
	if (!rests->nr)
		note(rests, "nothing but the sample at the entry");
}

/* --- doubts ------------------------------------------------------------------ */

static void doubt_sample(const struct cowtrace_record *r, struct ct_notes *doubts)
{
	if (r->evidence & COWTRACE_EV_UNSTABLE)
		note(doubts, "unstable: the reference count moved while it was sampled, the sum is of that moment");
	if (r->evidence & COWTRACE_EV_SHIFTED)
		note(doubts, "shifted: the sampled counts allow the other outcome, so they moved before the kernel tested them");
	if (r->evidence & COWTRACE_EV_DRAINED)
		note(doubts, r->state & COWTRACE_EXIT_LRU ?
		     "drained: the page was in an LRU batch and on a list at the exit, the kernel may have counted a reference less" :
		     "drained: the kernel may have emptied an LRU batch after the sample, and counted a reference less");
	if (r->evidence & COWTRACE_EV_TRIED)
		note(doubts, "tried: a trylock or the freeing of the swap slot decided, and that was after the sample");
	if (r->evidence & COWTRACE_EV_UNLOCKED)
		note(doubts, "unlocked: the fault dropped its locks, so the PTE was not read again");
}

static void doubt_holders(const struct cowtrace_record *r, uint32_t traits,
			  struct ct_notes *doubts)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);

	if (h.lru)
		note(doubts, "the LRU batch is inferred: the page was on no list, and an isolated page looks the same");
	if (r->present & COWTRACE_HAS_PAGE && r->order && !h.known &&
	    r->kind != COWTRACE_KIND_ZERO)
		note(doubts, "this kernel tells no module how often the pages of a large folio are mapped");
	if (r->reason == COWTRACE_REASON_MAPCOUNT_ONE && (h.pins || h.lru || h.unattributed))
		note(doubts, "whoever holds the other references has the same page, and sees the write");
}

static void doubt_need(const struct cowtrace_record *r, const struct ct_explanation *e,
		       struct ct_notes *doubts)
{
	if (e->need == CT_NEED_OPEN && r->state & COWTRACE_PG_SWAPCACHE &&
	    !(r->present & COWTRACE_HAS_SWAPCOUNT))
		note(doubts, "a swap entry of somebody else could have read the page: the record has no count of the slot's users");
	if (e->need == CT_NEED_OPEN && r->reason == COWTRACE_REASON_PINNED)
		note(doubts, "whether the pin was taken while others had the page too is not in the record");
	if (r->reason == COWTRACE_REASON_MAPPED && r->order && r->path == COWTRACE_PATH_PTE &&
	    r->state & COWTRACE_PG_MM_SHARED)
		note(doubts, "FOLIO_MM_IDS_SHARED follows two address spaces, and may stay set when the others are gone");
	if (r->reason == COWTRACE_REASON_LOCKED)
		note(doubts, "the page was locked when sampled: who held the lock is not in the record");
}

/* --- what next --------------------------------------------------------------- */

static const char next_forks[] =
	"cowtrace forks says which fork shared it, and what that fork cost in all";

static void next_after_copy(const struct cowtrace_record *r, enum ct_generation gen,
			    struct ct_notes *next)
{
	bool old = gen == CT_GEN_REFCOUNT;

	switch (r->reason) {
	case COWTRACE_REASON_KSM:
		note(next, "until 5.8 a KSM page with one user left was kept (reuse_ksm_page()); madvise(MADV_UNMERGEABLE) takes memory out of KSM");
		return;
	case COWTRACE_REASON_MAPPED:
		note(next, next_forks);
		return;
	case COWTRACE_REASON_SWAPCACHE:
		note(next, old && r->path == COWTRACE_PATH_PTE ?
		     "from 5.18 the slot is freed first, unless it is still in use (53a05ad9f21d)" :
		     "a fork while the page was swapped out shares its slot: cowtrace forks");
		return;
	case COWTRACE_REASON_WRITEBACK:
		note(next, "once the page is written, a slot without other users is freed");
		return;
	case COWTRACE_REASON_LRU:
		note(next, old ? "from 5.18 the batches of the same CPU are drained first (d4c470970d45)" :
		     "a batch of another CPU empties itself when it is full, or when all CPUs are drained");
		return;
	case COWTRACE_REASON_PINNED:
		note(next, old ? "from 5.19 PageAnonExclusive keeps a page that was pinned by its owner alone (6c287605fd56)" :
		     "who may pin it: a fixed buffer of io_uring, RDMA, vfio, O_DIRECT from 6.3");
		return;
	case COWTRACE_REASON_LOCKED:
		note(next, "who may lock it: reclaim, migration, KSM, another task's fault on it");
		return;
	case COWTRACE_REASON_LARGE:
		if (gen == CT_GEN_FOLIO)
			note(next, "from 6.15 it is kept when one process maps and holds all of the folio (1da190f4d0a6)");
		return;
	case COWTRACE_REASON_UNATTRIBUTED:
		note(next, "who may hold it: vmsplice, O_DIRECT before 6.3, isolation by reclaim or compaction, a fault that copies it just now, a process that has just unmapped it, for a moment DAMON");
		return;
	case COWTRACE_REASON_ZERO:
		note(next, "the memory was read before it was first written: a write first spares this fault");
		return;
	default:
		return;
	}
}

static void add_next(const struct cowtrace_record *r, uint32_t traits, struct ct_notes *next)
{
	if (ct_took_away(r->outcome))
		next_after_copy(r, ct_generation(traits), next);
	if (r->outcome == COWTRACE_OUTCOME_SPLIT)
		note(next, "the same access goes on as a fault of one page, in a record of its own");
	if (r->state & COWTRACE_AFTER_SPLIT)
		note(next, "the same access has split its huge page before, in a record of its own");
	if (r->outcome == COWTRACE_OUTCOME_UFFD)
		note(next, "the fault lasts until the monitor of that userfaultfd answers");
	if ((r->outcome == COWTRACE_OUTCOME_RACED || r->outcome == COWTRACE_OUTCOME_UNKNOWN) &&
	    !(r->evidence & (COWTRACE_EV_WATCHED | COWTRACE_EV_RET)))
		note(next, "cowtrace record --witness on settles more of these");
}

void ct_explain_notes(const struct cowtrace_record *r, uint32_t traits, struct ct_explanation *e)
{
	add_rests(r, &e->rests);
	doubt_sample(r, &e->doubts);
	doubt_holders(r, traits, &e->doubts);
	doubt_need(r, e, &e->doubts);
	add_next(r, traits, &e->next);
}
