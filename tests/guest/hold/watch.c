// SPDX-License-Identifier: GPL-2.0
/*
 * wp_page_copy() announces the copy to the mm's notifiers after it has decided,
 * and before it takes the page-table lock again: here a fault can be stopped,
 * and a page be kept that somebody has locked without a reference to it.
 */
#include <linux/sched.h>

#include "hold-internal.h"

static struct watch *watch_of(struct mmu_notifier *n)
{
	return container_of(n, struct watch, notifier);
}

static void keep_page(struct watch *w)
{
	/* Still mapped, as far as this watch knows: it cannot be freed. */
	if (w->page && !atomic_xchg(&w->taken, 1))
		get_page(w->page);
}

static int watch_invalidate(struct mmu_notifier *n, const struct mmu_notifier_range *range)
{
	struct watch *w = watch_of(n);

	if (w->address < range->start || w->address >= range->end)
		return 0;
	/* Write protection by fork or mprotect lets the page stay. */
	if (range->event != MMU_NOTIFY_CLEAR && range->event != MMU_NOTIFY_UNMAP)
		return 0;
	keep_page(w);
	if (range->event == MMU_NOTIFY_CLEAR && mmu_notifier_range_blockable(range) &&
	    atomic_xchg(&w->stall, 0)) {
		complete_all(&w->stalled);
		/* A fatal signal ends the wait too: there is nothing to undo. */
		if (wait_for_completion_killable(&w->resume))
			return 0;
	}
	return 0;
}

static void watch_release(struct mmu_notifier *n, struct mm_struct *mm)
{
	keep_page(watch_of(n));
}

static const struct mmu_notifier_ops watch_ops = {
	.release		= watch_release,
	.invalidate_range_start	= watch_invalidate,
};

int watch_start(struct watch *w, unsigned long address, struct page *page, bool stall)
{
	w->notifier.ops = &watch_ops;
	w->address = address & PAGE_MASK;
	w->page = page;
	atomic_set(&w->taken, 0);
	atomic_set(&w->stall, stall);
	init_completion(&w->stalled);
	init_completion(&w->resume);
	return mmu_notifier_register(&w->notifier, current->mm);
}

void watch_end(struct watch *w)
{
	keep_page(w);
	atomic_set(&w->stall, 0);
	complete_all(&w->resume);
	mmu_notifier_unregister(&w->notifier, w->notifier.mm);
}
