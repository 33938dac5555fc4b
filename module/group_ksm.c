// SPDX-License-Identifier: GPL-2.0
/* What ksmd merges, and when its stable tree gives it up. */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include "compat/compat.h"
#include "group_ksm_parts.h"

/* The head of struct (ksm_)stable_node in mm/ksm.c, the same from 5.10 to 7.2. */
struct ksm_node {
	unsigned long		tree[5];
	struct hlist_head	hlist;
	unsigned long		kpfn;
};

/* struct (ksm_)rmap_item there: one PTE that ksmd knows. */
struct ksm_item {
	void			*rmap_list;
	void			*anon_vma;
	struct mm_struct	*mm;
	unsigned long		address;
	unsigned long		oldchecksum;
	struct ksm_node		*head;
	struct hlist_node	hlist;
};

/* In the address of an item that hangs on a node of the stable tree. */
#define STABLE_FLAG	0x200

/*
 * Items are read by the layout above, once it has proved true: ksmd hands the same PTE to
 * its functions as an item and as what everybody knows. Where it proves false no item is
 * read any more.
 */
static enum { LAYOUT_UNPROVEN, LAYOUT_PROVEN, LAYOUT_WRONG } layout;
static const char * const layout_names[] = { "unproven", "proven", "wrong" };

/* What ksmd is at: it is one task, and whoever does its work holds its mutex. */
static const struct ksm_item *trying, *removing;
static u64 merged_pfn;

/* --- merges ----------------------------------------------------------------------- */

static void prove(bool good)
{
	if (layout != LAYOUT_WRONG)
		WRITE_ONCE(layout, good ? LAYOUT_PROVEN : LAYOUT_WRONG);
}

/**
 * struct try - a call of try_to_merge_with_ksm_page() or try_to_merge_one_page()
 * @item: the PTE.
 * @page: that it maps.
 * @kpage: that it shall map, NULL for @page itself.
 * @mm: of the PTE.
 * @address: of the page.
 * @began: ktime_get_mono_fast_ns() at entry.
 */
struct try {
	const struct ksm_item	*item;
	struct page		*page;
	struct page		*kpage;
	const struct mm_struct	*mm;
	unsigned long		address;
	u64			began;
};

static bool merge_enter(void *data, struct pt_regs *regs)
{
	struct try *t = data;

	t->item = (const struct ksm_item *)cow_arg0(regs);
	t->page = (struct page *)cow_arg1(regs);
	t->kpage = (struct page *)cow_arg2(regs);
	t->began = ktime_get_mono_fast_ns();
	WRITE_ONCE(trying, t->item);
	return true;
}

static enum ksm_count merged_how(const struct try *t)
{
	if (!t->kpage)
		return KSM_FIRST;
	return t->kpage == t->page ? KSM_INHERITED : KSM_JOINED;
}

static void merge_leave(void *data, struct pt_regs *regs)
{
	const struct try *t = data;
	/* ksmd holds references to both. */
	struct page *kpage = t->kpage ?: t->page;
	struct ksm_event e = {
		.head.type	= KSM_EV_MERGE,
		.pfn		= page_to_pfn(kpage),
		.ns		= ktime_get_mono_fast_ns() - t->began,
		.what		= merged_how(t),
	};

	WRITE_ONCE(trying, NULL);
	if ((int)regs_return_value(regs)) {
		ksm_count(KSM_GAVE_UP);
		return;
	}
	ksm_count(e.what);
	merged_pfn = e.pfn;
	if (READ_ONCE(layout) != LAYOUT_PROVEN)
		return;
	e.mm = t->item->mm;
	e.address = t->item->address & PAGE_MASK;
	e.users = cow_page_mapcount(kpage);
	ksm_event(&e);
}

/* Where the VMA has the page, which is an anonymous one of its own. */
static unsigned long address_in(const struct vm_area_struct *vma, struct page *page)
{
#ifdef COW_HAVE_FOLIO
	unsigned long index = page_folio(page)->index;
#else
	unsigned long index = cow_head(page)->index;
#endif

	index += page - cow_head(page);
	return vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
}

/* What is merged into the zero page becomes no item of the stable tree. */
static bool one_enter(void *data, struct pt_regs *regs)
{
	const struct vm_area_struct *vma = (const struct vm_area_struct *)cow_arg0(regs);
	const struct ksm_item *item = READ_ONCE(trying);
	struct try *t = data;

	if (item)
		prove(item->mm == vma->vm_mm && (item->address & PAGE_MASK) >= vma->vm_start &&
		      item->address < vma->vm_end);
	t->kpage = (struct page *)cow_arg2(regs);
	if (!t->kpage || !is_zero_pfn(page_to_pfn(t->kpage)))
		return false;
	t->page = (struct page *)cow_arg1(regs);
	t->mm = vma->vm_mm;
	t->address = address_in(vma, t->page);
	t->began = ktime_get_mono_fast_ns();
	return true;
}

static void one_leave(void *data, struct pt_regs *regs)
{
	const struct try *t = data;
	struct ksm_event e = {
		.head.type	= KSM_EV_ZERO,
		.mm		= t->mm,
		.address	= t->address,
		.ns		= ktime_get_mono_fast_ns() - t->began,
		.what		= KSM_ZERO_MERGED,
	};

	if ((int)regs_return_value(regs))
		return;
	ksm_count(KSM_ZERO_MERGED);
	ksm_event(&e);
}

/* --- the stable tree: what pages_shared and pages_sharing count ------------------------- */

static void append_hit(struct pt_regs *regs)
{
	const struct ksm_node *node = (const struct ksm_node *)cow_arg1(regs);

	/*
	 * Two items hang on a new node, and the page of the last merge is that of both. A
	 * merge that was under way when the group was switched on was not seen.
	 */
	if (merged_pfn)
		prove(READ_ONCE(node->kpfn) == merged_pfn);
	ksm_count(KSM_ADDED);
}

static void removed(const struct ksm_item *item, unsigned long kpfn)
{
	struct ksm_event e = {
		.head.type	= KSM_EV_REMOVE,
		.mm		= item->mm,
		.address	= item->address & PAGE_MASK,
		.pfn		= kpfn,
		/* ksmd holds the structure, not the memory. */
		.dead		= !atomic_read(&item->mm->mm_users),
	};

	ksm_count(KSM_REMOVED);
	ksm_event(&e);
}

/*
 * Called for each page that ksmd looks at; an item that hangs on a node leaves it. Where
 * the node's page is gone, remove_node_from_stable_tree() is called from inside this,
 * with the same item among the others. Before an item hangs on a node this was called
 * for it once more, so that what stands in removing is never met on a node later.
 */
static void item_hit(struct pt_regs *regs)
{
	const struct ksm_item *item = (const struct ksm_item *)cow_arg0(regs);

	removing = NULL;
	if (READ_ONCE(layout) != LAYOUT_PROVEN || !(item->address & STABLE_FLAG))
		return;
	removing = item;
	removed(item, READ_ONCE(item->head->kpfn));
}

static void node_hit(struct pt_regs *regs)
{
	const struct ksm_node *node = (const struct ksm_node *)cow_arg0(regs);
	const struct ksm_item *item;

	if (READ_ONCE(layout) != LAYOUT_PROVEN)
		return;
	hlist_for_each_entry(item, &node->hlist, hlist)
		if (item != removing)
			removed(item, node->kpfn);
}

/* --- ends of processes ------------------------------------------------------------------ */

static void exit_hit(struct pt_regs *regs)
{
	struct ksm_event e = {
		.head.type	= KSM_EV_EXIT,
		.mm		= (const struct mm_struct *)cow_arg0(regs),
	};

	ksm_count(KSM_EXITS);
	ksm_event(&e);
}

/* --- the group -------------------------------------------------------------------------- */

static const struct cow_group_probe probes[] = {
	{
		.names		= { "do_wp_page" },
		.sentence	= "breaks of KSM pages",
		.required	= true,
		.enter		= ksm_wp_enter,
		.leave		= ksm_wp_leave,
		.data_size	= sizeof(struct ksm_break),
	},
	{
		.names		= { "ptep_clear_flush" },
		.sentence	= "copies that were mapped",
		.required	= true,
		.hit		= ksm_flush_hit,
	},
	{
		.names		= { "ksm_madvise" },
		.sentence	= "breaks by MADV_UNMERGEABLE and mremap()",
		.required	= true,
		.enter		= ksm_madvise_enter,
		.leave		= ksm_cause_leave,
		.data_size	= sizeof(int),
	},
	{
		.names		= { "ksm_del_vmas" },
		.sentence	= "breaks by PR_SET_MEMORY_MERGE, where there is one",
		.enter		= ksm_del_vmas_enter,
		.leave		= ksm_cause_leave,
		.data_size	= sizeof(int),
	},
	{
		.names		= { "run_store" },
		.sentence	= "breaks by 2 in /sys/kernel/mm/ksm/run",
		.required	= true,
		.enter		= ksm_run_enter,
		.leave		= ksm_cause_leave,
		.data_size	= sizeof(int),
	},
	{
		.names		= { "break_cow" },
		.sentence	= "merges that ksmd undoes",
		.required	= true,
		.enter		= ksm_undo_enter,
		.leave		= ksm_cause_leave,
		.data_size	= sizeof(int),
	},
	{
		.names		= { "try_to_merge_with_ksm_page" },
		.sentence	= "merges",
		.required	= true,
		.enter		= merge_enter,
		.leave		= merge_leave,
		.data_size	= sizeof(struct try),
	},
	{
		.names		= { "try_to_merge_one_page" },
		.sentence	= "merges into the zero page",
		.required	= true,
		.enter		= one_enter,
		.leave		= one_leave,
		.data_size	= sizeof(struct try),
	},
	{
		.names		= { "stable_tree_append" },
		.sentence	= "PTEs that pages_shared and pages_sharing count",
		.required	= true,
		.hit		= append_hit,
	},
	{
		.names		= { "remove_rmap_item_from_tree" },
		.sentence	= "PTEs that they count no more",
		.required	= true,
		.hit		= item_hit,
	},
	{
		.names		= { "remove_node_from_stable_tree" },
		.sentence	= "those of a page that is gone",
		.required	= true,
		.hit		= node_hit,
	},
	{
		.names		= { "__ksm_exit" },
		.sentence	= "ends of processes",
		.required	= true,
		.hit		= exit_hit,
	},
};

static void clear(void)
{
	ksm_counts_clear();
	ksm_break_clear();
	trying = NULL;
	removing = NULL;
	merged_pfn = 0;
	ksm_print_init();
}

static void show(struct seq_file *m)
{
	int i;

	seq_printf(m, "layout %s\n", layout_names[READ_ONCE(layout)]);
	seq_printf(m, "zero_told %d\n", ksm_zero_told);
	for (i = 0; i < KSM_NR_COUNTS; i++)
		seq_printf(m, "%s %lld\n", ksm_count_names[i], ksm_counted(i));
}

static struct cow_group_state *state;

const struct cow_group cow_group_ksm = {
	.name		= "ksm",
	.sentence	= "pages that KSM merges, and how they are broken again",
	.probes		= probes,
	.nr_probes	= ARRAY_SIZE(probes),
	.clear		= clear,
	.show		= show,
	.event_size	= sizeof(struct ksm_event),
	.log_events	= 16384,
	.print		= ksm_print,
	.state		= &state,
};
