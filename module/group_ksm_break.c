// SPDX-License-Identifier: GPL-2.0
/* How KSM pages are broken: all of it goes through do_wp_page(). */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "compat/compat.h"
#include "group_ksm_parts.h"
#include "sample_entry.h"

/* Tasks inside one function at a time; each place is taken by an atomic exchange. */
#define PLACES	64

/**
 * struct place - a task at something
 * @task: who; NULL for a place that is free.
 * @mm: in which it breaks a page.
 * @address: of the page.
 * @what: the cause of its breaks, or whether it mapped a copy.
 */
struct place {
	struct task_struct	*task;
	const struct mm_struct	*mm;
	unsigned long		address;
	int			what;
};

/* Those that break pages on purpose, and those inside do_wp_page() with a KSM page. */
static struct place causing[PLACES], breaking[PLACES];
/* So that nobody looks for a task where there is none. */
static atomic_t nr_causing, nr_breaking;

void ksm_break_clear(void)
{
	memset(causing, 0, sizeof(causing));
	memset(breaking, 0, sizeof(breaking));
	atomic_set(&nr_causing, 0);
	atomic_set(&nr_breaking, 0);
}

/* Return: the place, or -1 when all are taken. */
static int take(struct place *places, atomic_t *nr)
{
	unsigned int i, at;

	for (i = 0; i < PLACES; i++) {
		at = (current->pid + i) % PLACES;
		if (!READ_ONCE(places[at].task) && !cmpxchg(&places[at].task, NULL, current)) {
			atomic_inc(nr);
			return at;
		}
	}
	return -1;
}

static void give(struct place *places, atomic_t *nr, int at)
{
	/* Who takes the place next writes the rest of it anew, after what we read of it. */
	smp_store_release(&places[at].task, NULL);
	atomic_dec(nr);
}

/* The place of the current task, which alone changes it, NULL for none. */
static struct place *mine(struct place *places, const atomic_t *nr)
{
	unsigned int i, at;

	if (!atomic_read(nr))
		return NULL;
	for (i = 0; i < PLACES; i++) {
		at = (current->pid + i) % PLACES;
		if (READ_ONCE(places[at].task) == current)
			return &places[at];
	}
	return NULL;
}

/* --- why ------------------------------------------------------------------------ */

static bool cause(void *data, enum ksm_count what)
{
	int at = take(causing, &nr_causing);

	if (at < 0) {
		ksm_count(KSM_UNMARKED);
		return false;
	}
	causing[at].what = what;
	*(int *)data = at;
	return true;
}

void ksm_cause_leave(void *data, struct pt_regs *regs)
{
	give(causing, &nr_causing, *(int *)data);
}

bool ksm_madvise_enter(void *data, struct pt_regs *regs)
{
	return (int)cow_arg3(regs) == MADV_UNMERGEABLE && cause(data, KSM_UNMERGE);
}

bool ksm_del_vmas_enter(void *data, struct pt_regs *regs)
{
	return cause(data, KSM_UNMERGE);
}

bool ksm_run_enter(void *data, struct pt_regs *regs)
{
	return cause(data, KSM_OFF);
}

bool ksm_undo_enter(void *data, struct pt_regs *regs)
{
	return cause(data, KSM_UNDONE);
}

static enum ksm_count cause_of(unsigned int fault_flags)
{
	const struct place *p = mine(causing, &nr_causing);

	if (p)
		return p->what;
	if (fault_flags & COWTRACE_FAULT_FLAG_UNSHARE)
		return KSM_UNSHARE;
	return fault_flags & FAULT_FLAG_REMOTE ? KSM_REMOTE : KSM_WRITE;
}

/* --- the fault -------------------------------------------------------------------- */

/* Under the lock of the PTE, as sample_page(). Return: whether it is KSM's. */
static bool look(struct ksm_break *b, pte_t pte)
{
	struct page *page;

	b->pfn = pte_pfn(pte);
	b->zero = is_ksm_zero_pte(pte);
	if (b->zero)
		return true;
	page = cow_normal_page(pte, b->pfn, cow_end_pfn);
	if (!page || ((unsigned long)READ_ONCE(cow_head(page)->mapping) & COW_MAPPING_FLAGS) !=
		     COW_MAPPING_KSM)
		return false;
	b->users = cow_page_mapcount(page);
	b->refs = page_ref_count(page);
	return true;
}

bool ksm_wp_enter(void *data, struct pt_regs *regs)
{
	const struct vm_fault *vmf = (const struct vm_fault *)cow_arg0(regs);
	struct ksm_break *b = data;

	if (!look(b, vmf->orig_pte))
		return false;
	b->mm = vmf->vma->vm_mm;
	b->pmd = vmf->pmd;
	b->address = vmf->address & PAGE_MASK;
	b->cause = cause_of(vmf->flags);
	b->place = take(breaking, &nr_breaking);
	if (b->place >= 0) {
		breaking[b->place].mm = b->mm;
		breaking[b->place].address = b->address;
		breaking[b->place].what = false;
	}
	b->began = ktime_get_mono_fast_ns();
	return true;
}

/*
 * ptep_clear_flush(): inside do_wp_page() it is called to map a copy. Reclaim, when the
 * copy needs memory, calls it for other pages.
 */
void ksm_flush_hit(struct pt_regs *regs)
{
	const struct vm_area_struct *vma = (const struct vm_area_struct *)cow_arg0(regs);
	struct place *p = mine(breaking, &nr_breaking);

	if (p && p->mm == vma->vm_mm && p->address == (cow_arg1(regs) & PAGE_MASK))
		p->what = true;
}

/* Has another page taken its place? As exit_table(), of the page tables. */
static bool replaced(const struct ksm_break *b)
{
	pte_t *slot = cow_pte_slot(READ_ONCE(*b->pmd), b->address), pte;

	if (!slot)
		return false;
	pte = ptep_get(slot);
	return pte_present(pte) && pte_pfn(pte) != b->pfn;
}

/* Return: KSM_NR_COUNTS for a copy, else what became of it. */
static enum ksm_count result_of(const struct ksm_break *b, unsigned long ret)
{
	if (ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_COMPLETED))
		return KSM_RETRIED;
	if (ret & COWTRACE_FAULT_OOM)
		return KSM_OOM;
	if (b->place < 0) {
		if (!replaced(b))
			return KSM_RACED;
		ksm_count(KSM_UNWITNESSED);
		return KSM_NR_COUNTS;
	}
	return breaking[b->place].what ? KSM_NR_COUNTS : KSM_RACED;
}

static void count_copy(const struct ksm_break *b)
{
	if (b->zero) {
		ksm_count(KSM_ZERO_BROKEN);
		return;
	}
	ksm_count(b->cause);
	if (b->users == 1) {
		ksm_count(KSM_ONE_USER);
		if (b->refs == 1)
			ksm_count(KSM_ONE_HOLD);
	}
}

void ksm_wp_leave(void *data, struct pt_regs *regs)
{
	const struct ksm_break *b = data;
	struct ksm_event e = {
		.head.type	= KSM_EV_BREAK,
		.mm		= b->mm,
		.address	= b->address,
		.pfn		= b->zero ? 0 : b->pfn,
		.ns		= ktime_get_mono_fast_ns() - b->began,
		.users		= b->users,
		.refs		= b->refs,
		.what		= b->cause,
		.result		= result_of(b, regs_return_value(regs)),
	};

	if (b->place >= 0)
		give(breaking, &nr_breaking, b->place);
	if (e.result == KSM_NR_COUNTS)
		count_copy(b);
	else
		ksm_count(e.result);
	ksm_event(&e);
}
