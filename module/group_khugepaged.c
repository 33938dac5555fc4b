// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/mman.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/tracepoint.h>

#include "group_khugepaged.h"
#include "groups.h"
#include "register.h"
#include "task.h"

#define LOG_EVENTS	4096

/*
 * What is counted, a number a CPU. Hits of the tracepoint are scans, or unmatched, whose
 * beginning was not seen, or cut: under way when the group was switched off. Crowded had
 * no room, and are unmatched too.
 */
static DEFINE_PER_CPU(struct counters {
	u64	scans[2];
	u64	tracepoint;
	u64	unmatched;
	u64	crowded;
	u64	cut;
}, counters);

#define COUNT(what)	this_cpu_inc(counters.what)

static struct cow_group_state *state;

static void begin(struct cow_scan *s, struct mm_struct *mm, unsigned long address)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	s->origin = current->flags & PF_KTHREAD ? COW_SCAN_KHUGEPAGED : COW_SCAN_MADVISE;
	s->address = address;
	for (i = 0; i < COW_NR_LIMITS; i++)
		s->limits[i] = READ_ONCE(cow_limits[i]);
	s->owner = cow_mm_owner(mm, s->owner_comm);
}

/* What the kernel says of a scan. */
static void tell(struct cow_scan *s, int status, int writable, int none, int unmapped,
		 int referenced)
{
	s->told = true;
	s->status = status;
	s->writable = writable;
	s->none = none;
	s->unmapped = unmapped;
	s->referenced = referenced;
}

static void finish(struct cow_scan *s)
{
	COUNT(scans[s->origin]);
	cow_group_event(&cow_group_khugepaged, &s->event);
}

#ifdef MADV_COLLAPSE

/* --- a call a scan ---------------------------------------------------------------- */

#define ROOMS	64

/**
 * struct room - a scan under way
 * @task: whose, NULL for none. It sleeps while it allocates and copies.
 * @scan: what is known so far.
 */
struct room {
	struct task_struct	*task;
	struct cow_scan		scan;
};

/*
 * Not in the data of the kretprobe: that is freed when a task returns after the group was
 * switched off, and the tracepoint inside the call would write to it.
 */
static struct room rooms[ROOMS];

static DEFINE_PER_CPU(struct cow_range_walk, walks);

static struct room *room_of(struct task_struct *task)
{
	unsigned int i;

	for (i = 0; i < ROOMS; i++)
		if (READ_ONCE(rooms[i].task) == task)
			return &rooms[i];
	return NULL;
}

static struct room *take_room(void)
{
	unsigned int i;

	for (i = 0; i < ROOMS; i++)
		if (!READ_ONCE(rooms[i].task) && !cmpxchg(&rooms[i].task, NULL, current))
			return &rooms[i];
	COUNT(crowded);
	return NULL;
}

/*
 * hpage_collapse_scan_pmd(mm, vma, address, ...), later collapse_single_pmd(address, vma,
 * ...), which is for files too. Addresses of the kernel are negative.
 */
static bool scan_enter(void *data, struct pt_regs *regs)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)cow_arg1(regs);
	unsigned long address = (long)cow_arg0(regs) < 0 ? cow_arg2(regs) : cow_arg0(regs);
	struct cow_range_walk *walk;
	struct room *room;

	if (!vma_is_anonymous(vma))
		return false;
	room = take_room();
	if (!room)
		return false;
	begin(&room->scan, vma->vm_mm, address);
	/* Preemption is off, and no interrupt scans: nobody else on this CPU walks meanwhile. */
	walk = this_cpu_ptr(&walks);
	cow_range_walk(walk, vma->vm_mm, address);
	room->scan.counts = walk->counts;
	*(struct room **)data = room;
	return true;
}

static void scan_leave(void *data, struct pt_regs *regs)
{
	struct room *room = *(struct room **)data;

	/* It was thrown out if the group was switched off and on meanwhile. */
	if (READ_ONCE(room->task) != current)
		return;
	if (!room->scan.told)
		room->scan.status = regs_return_value(regs);
	finish(&room->scan);
	WRITE_ONCE(room->task, NULL);
}

static void scanned(struct mm_struct *mm, struct page *page, int status, int writable, int none,
		    int unmapped, int referenced)
{
	struct room *room = room_of(current);

	/* What was told already has not returned when the group was switched off. */
	if (room && !room->scan.told)
		tell(&room->scan, status, writable, none, unmapped, referenced);
	else
		COUNT(unmatched);
}

/* Of these the return is not seen any more. */
static void cut_scans(void)
{
	unsigned int i;

	for (i = 0; i < ROOMS; i++)
		if (rooms[i].task && rooms[i].scan.told)
			this_cpu_inc(counters.cut);
}

static void forget_scans(void)
{
	memset(rooms, 0, sizeof(rooms));
}

#else

/* --- what khugepaged looks up ------------------------------------------------------- */

/**
 * struct lookups - the range that khugepaged is looking at; only it writes here
 * @mm: whose, NULL for none.
 * @address: the first of the range.
 * @last: the last PTE that was looked up.
 * @page: the head of the page that it maps.
 * @over: the second pass has begun, which isolates the pages for the copy.
 * @walk: what was found.
 */
static struct lookups {
	struct mm_struct	*mm;
	unsigned long		address;
	unsigned long		last;
	struct page		*page;
	bool			over;
	struct cow_range_walk	walk;
} lookups;

static bool is_khugepaged(void)
{
	return current->flags & PF_KTHREAD && !strcmp(current->comm, "khugepaged");
}

/* vm_normal_page(vma, address, pte), which each scan calls for each PTE that maps a page. */
static void lookup_hit(struct pt_regs *regs)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)cow_arg0(regs);
	unsigned long address = cow_arg1(regs);
	pte_t pte = native_make_pte(cow_arg2(regs));
	struct lookups *l = &lookups;

	if (!is_khugepaged())
		return;
	if (l->mm != vma->vm_mm || l->address != (address & PMD_MASK)) {
		memset(l, 0, sizeof(*l));
		l->mm = vma->vm_mm;
		l->address = address & PMD_MASK;
	} else if (address <= l->last) {
		l->over = true;
	}
	if (l->over)
		return;
	l->last = address;
	cow_range_pte(&l->walk, pte);
	l->page = pfn_valid(pte_pfn(pte)) ? cow_head(pte_page(pte)) : NULL;
}

static void scanned(struct mm_struct *mm, struct page *page, int status, int writable, int none,
		    int unmapped, int referenced)
{
	bool seen = page && lookups.mm == mm && lookups.page == cow_head(page);
	struct cow_scan s;

	begin(&s, mm, seen ? lookups.address : 0);
	if (seen)
		s.counts = lookups.walk.counts;
	lookups.mm = NULL;
	tell(&s, status, writable, none, unmapped, referenced);
	finish(&s);
}

static void cut_scans(void)
{
}

static void forget_scans(void)
{
	memset(&lookups, 0, sizeof(lookups));
}

#endif

/* --- the kernel's own event ---------------------------------------------------------- */

static struct tracepoint *tracepoint;

#ifdef COW_SCANNED_ARGS
static void on_scanned(void *data, struct mm_struct *mm, COW_SCANNED_ARGS int referenced, int none,
		       int status, int unmapped)
{
	COUNT(tracepoint);
	scanned(mm, cow_scanned_page(), status, cow_scanned_writable(), none, unmapped,
		referenced);
}
#endif

static void find_tracepoint(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "mm_khugepaged_scan_pmd"))
		tracepoint = tp;
}

static const char *khugepaged_missing(void)
{
#ifdef COW_SCANNED_ARGS
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	return tracepoint ? NULL : "tracepoint mm_khugepaged_scan_pmd";
#else
	return "tracepoint mm_khugepaged_scan_pmd with arguments that are known";
#endif
}

static int khugepaged_start(void)
{
#ifdef COW_SCANNED_ARGS
	int err = cow_register_tracepoint(tracepoint, on_scanned);

	if (err)
		pr_warn_ratelimited("khugepaged: tracepoint %s cannot be registered (%d)\n",
				    tracepoint->name, err);
	return err;
#else
	return -EOPNOTSUPP;
#endif
}

static void khugepaged_stop(void)
{
#ifdef COW_SCANNED_ARGS
	tracepoint_probe_unregister(tracepoint, on_scanned, NULL);
	tracepoint_synchronize_unregister();
#endif
	cut_scans();
}

static void khugepaged_clear(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&counters, cpu), 0, sizeof(struct counters));
	forget_scans();
}

static const struct cow_group_probe probes[] = {
#ifdef MADV_COLLAPSE
	{
		.names		= { "collapse_single_pmd", "hpage_collapse_scan_pmd" },
		.sentence	= "a scan: its range is walked before, its verdict taken behind it",
		.required	= true,
		.enter		= scan_enter,
		.leave		= scan_leave,
		.data_size	= sizeof(struct room *),
	},
#else
	{
		.names		= { "vm_normal_page" },
		.sentence	= "khugepaged looks up the page of a PTE",
		.required	= true,
		.hit		= lookup_hit,
	},
#endif
	{
		.names		= { "max_ptes_none_store", "khugepaged_max_ptes_none_store" },
		.sentence	= "the limit of empty PTEs changes",
		.enter		= cow_limit_none_enter,
		.leave		= cow_limit_leave,
		.data_size	= sizeof(struct cow_limit_data),
	},
	{
		.names		= { "max_ptes_swap_store", "khugepaged_max_ptes_swap_store" },
		.sentence	= "the limit of PTEs that are not present changes",
		.enter		= cow_limit_swap_enter,
		.leave		= cow_limit_leave,
		.data_size	= sizeof(struct cow_limit_data),
	},
	{
		.names		= { "max_ptes_shared_store", "khugepaged_max_ptes_shared_store" },
		.sentence	= "the limit of PTEs of shared pages changes",
		.enter		= cow_limit_shared_enter,
		.leave		= cow_limit_leave,
		.data_size	= sizeof(struct cow_limit_data),
	},
};

static void khugepaged_show(struct seq_file *m)
{
	struct counters sum = { 0 };
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct counters *c = per_cpu_ptr(&counters, cpu);

		for (i = 0; i < ARRAY_SIZE(sum.scans); i++)
			sum.scans[i] += READ_ONCE(c->scans[i]);
		sum.tracepoint += READ_ONCE(c->tracepoint);
		sum.unmatched += READ_ONCE(c->unmatched);
		sum.crowded += READ_ONCE(c->crowded);
		sum.cut += READ_ONCE(c->cut);
	}
	seq_printf(m, "estimate %s\n", cow_estimate_name(COW_OWN_ESTIMATE));
	seq_printf(m, "scans_khugepaged %llu\n", sum.scans[COW_SCAN_KHUGEPAGED]);
	seq_printf(m, "scans_madvise %llu\n", sum.scans[COW_SCAN_MADVISE]);
	seq_printf(m, "tracepoint %llu\n", sum.tracepoint);
	seq_printf(m, "unmatched %llu\n", sum.unmatched);
	seq_printf(m, "crowded %llu\n", sum.crowded);
	seq_printf(m, "cut %llu\n", sum.cut);
	for (i = 0; i < COW_NR_LIMITS; i++)
		if (READ_ONCE(cow_limits[i]) >= 0)
			seq_printf(m, "%s %d\n", cow_limit_name(i), READ_ONCE(cow_limits[i]));
}

const struct cow_group cow_group_khugepaged = {
	.name		= "khugepaged",
	.sentence	= "what khugepaged finds where it looks for room for a huge page",
	.missing	= khugepaged_missing,
	.probes		= probes,
	.nr_probes	= ARRAY_SIZE(probes),
	.prepare	= cow_limits_read,
	.start		= khugepaged_start,
	.stop		= khugepaged_stop,
	.clear		= khugepaged_clear,
	.show		= khugepaged_show,
	.event_size	= sizeof(struct cow_scan),
	.log_events	= LOG_EVENTS,
	.print		= cow_scan_print,
	.state		= &state,
};
