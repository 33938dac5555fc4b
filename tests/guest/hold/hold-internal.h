/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace-hold: what its files know of each other. */
#ifndef COWTRACE_HOLD_INTERNAL_H
#define COWTRACE_HOLD_INTERNAL_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "hold.h"

struct task_struct;

/**
 * struct watch - hear of the page before it is unmapped or replaced
 * @notifier: registered with the mm that maps it.
 * @address: where.
 * @page: a reference to it is taken when the mapping goes; NULL for none.
 * @taken: that reference was taken.
 * @stall: stop the first fault that replaces the page.
 * @stalled: it has stopped.
 * @resume: it may go on.
 */
struct watch {
	struct mmu_notifier	notifier;
	unsigned long		address;
	struct page		*page;
	atomic_t		taken;
	atomic_t		stall;
	struct completion	stalled;
	struct completion	resume;
};

/* Of the calling process. Return: 0 or -ENOMEM. */
int watch_start(struct watch *w, unsigned long address, struct page *page, bool stall);
/* Afterwards the page, if there was one, has a reference more. */
void watch_end(struct watch *w);

/**
 * struct holding - one page that is held
 * @list: of the open file.
 * @kind: enum hold_kind.
 * @page: the page.
 * @references: plain references to it.
 * @hammer: HOLD_HAMMER: the watchpoints.
 * @blows: how often it came; when odd, it has a reference.
 * @watch: HOLD_LOCK and HOLD_STALL.
 */
struct holding {
	struct list_head	list;
	enum hold_kind		kind;
	struct page		*page;
	unsigned int		references;
	struct perf_event * __percpu *hammer;
	atomic_t		blows;
	struct watch		watch;
};

/* Return: the new holding, or an error pointer. */
struct holding *holding_take(const struct hold_request *request);
void holding_release(struct holding *h);
/* Return: page_count() or a negative errno. */
int page_count_of(unsigned long frame);

/**
 * struct hold_map - the page that an open file maps
 * @page: it.
 * @answer: enum hold_answer of the next write fault.
 */
struct hold_map {
	struct page	*page;
	atomic_t	answer;
};

int hold_map_init(struct hold_map *map);
void hold_map_exit(struct hold_map *map);
/* The file's private data must begin with the struct hold_map. */
int hold_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* COWTRACE_HOLD_INTERNAL_H */
