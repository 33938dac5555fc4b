// SPDX-License-Identifier: GPL-2.0
#include <linux/irqflags.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "group_khugepaged.h"
#include "sample_entry.h"

#define MAX_ORDER_OF_RANGE	(PMD_SHIFT - PAGE_SHIFT)

enum { ANSWER_NO, ANSWER_YES, ANSWER_OPEN };

/* Mappings of one page of a large folio by PTEs. What is being freed has none. */
static int pte_mappings(struct page *page, bool twice)
{
	return max(atomic_read(&page->_mapcount) + 1 - twice, 0);
}

/* folio_likely_mapped_shared() of 6.12 for a large folio. */
static bool likely_shared(int total, int entire, int first, unsigned int pages)
{
	if (total <= 1)
		return false;
	return entire || total > pages || first > 1;
}

/*
 * folio_maybe_mapped_shared() for a large folio. Where the kernel does not keep track of
 * address spaces, a page that is mapped twice proves two: each maps it once. Without such
 * a page there may be two all the same.
 */
static int maybe_shared(struct page *head, int total, bool twice)
{
	if (total <= 1)
		return ANSWER_NO;
#ifdef COW_HAVE_MM_IDS
	return cow_mm_shared(head) ? ANSWER_YES : ANSWER_NO;
#else
	return twice ? ANSWER_YES : ANSWER_OPEN;
#endif
}

static void ask_folio(struct page *head, unsigned int order, s8 *answer)
{
	bool doubled = cow_double_map(head), twice = false;
	int entire = cow_entire_mapcount(head), total = entire, maps, first;
	unsigned int i, pages = 1u << order;

	first = pte_mappings(head, doubled);
	for (i = 0; i < pages; i++) {
		maps = pte_mappings(head + i, doubled);
		total += maps;
		twice |= entire + maps > 1;
	}
	/* Where the folio has the sum itself, its pages need not have a part of it. */
	cow_folio_mapcount(head, order, &total);
	answer[COW_ESTIMATE_LIKELY] = cow_pages_counted ?
				      likely_shared(total, entire, first, pages) : ANSWER_OPEN;
	answer[COW_ESTIMATE_MAYBE] = maybe_shared(head, total, twice);
}

/* NULL for a page that is no part of such a folio any more. */
static const s8 *answers(struct cow_range_walk *walk, struct page *page, struct page *head,
			 unsigned int order)
{
	unsigned int i, pages = 1u << order;

	for (i = 0; i < COW_FOLIO_MEMO; i++)
		if (walk->memo[i].head == head)
			return walk->memo[i].answer;
	/* It may be another's by now; what is looked at is never beyond its own huge page. */
	if (order > MAX_ORDER_OF_RANGE || !IS_ALIGNED(page_to_pfn(head), pages) ||
	    page < head || page >= head + pages)
		return NULL;
	i = walk->next++ % COW_FOLIO_MEMO;
	walk->memo[i].head = head;
	ask_folio(head, order, walk->memo[i].answer);
	return walk->memo[i].answer;
}

static void count(struct cow_range_counts *c, enum cow_estimate estimate, int answer)
{
	c->shared[estimate] += answer == ANSWER_YES;
	c->open[estimate] += answer == ANSWER_OPEN;
}

static void count_page(struct cow_range_walk *walk, pte_t pte, struct page *page)
{
	struct cow_range_counts *c = &walk->counts;
	struct page *head = cow_head(page);
	unsigned long flags = cow_page_flags(head);
	unsigned int order = cow_page_order(page);
	bool mapped_twice = cow_page_mapcount(page) > 1;
	const s8 *large;

	c->present++;
	c->writable += !!pte_write(pte);
	c->referenced += pte_young(pte) || flags & COW_PAGE_REFERENCED;
	count(c, COW_ESTIMATE_PRECISE,
	      order && !cow_pages_counted ? ANSWER_OPEN : mapped_twice);
	if (!order) {
		count(c, COW_ESTIMATE_LIKELY, mapped_twice);
		count(c, COW_ESTIMATE_MAYBE, mapped_twice);
		return;
	}
	c->large++;
	large = answers(walk, page, head, order);
	count(c, COW_ESTIMATE_LIKELY, large ? large[COW_ESTIMATE_LIKELY] : ANSWER_OPEN);
	count(c, COW_ESTIMATE_MAYBE, large ? large[COW_ESTIMATE_MAYBE] : ANSWER_OPEN);
}

void cow_range_pte(struct cow_range_walk *walk, pte_t pte)
{
	struct cow_range_counts *c = &walk->counts;
	struct page *page;

	c->table = COW_TABLE_PTE;
	c->ptes++;
	if (pte_none(pte)) {
		c->none++;
	} else if (!pte_present(pte)) {
		c->unmapped++;
	} else if (is_zero_pfn(pte_pfn(pte))) {
		c->zero++;
	} else {
		page = cow_normal_page(pte, pte_pfn(pte), cow_end_pfn);
		if (page)
			count_page(walk, pte, page);
		else
			c->special++;
	}
}

/* What maps the range; *@table is its page table. */
static enum cow_table find_table(struct mm_struct *mm, unsigned long address, pte_t **table)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud, pud_now;
	pmd_t pmd;

	if (pgd_none(READ_ONCE(*pgd)))
		return COW_TABLE_NONE;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(READ_ONCE(*p4d)))
		return COW_TABLE_NONE;
	pud = pud_offset(p4d, address);
	pud_now = READ_ONCE(*pud);
	if ((pud_val(pud_now) & (_PAGE_PRESENT | _PAGE_PSE)) != _PAGE_PRESENT)
		return COW_TABLE_NONE;
	pmd = READ_ONCE(*pmd_offset(pud, address));
	*table = cow_pte_slot(pmd, address);
	if (*table)
		return COW_TABLE_PTE;
	/* A huge page that is being migrated is not present. */
	return pmd_val(pmd) ? COW_TABLE_HUGE : COW_TABLE_NONE;
}

void cow_range_walk(struct cow_range_walk *walk, struct mm_struct *mm, unsigned long address)
{
	unsigned long irqs;
	unsigned int i;
	pte_t *table;

	memset(walk, 0, sizeof(*walk));
	local_irq_save(irqs);
	rcu_read_lock();
	walk->counts.table = find_table(mm, address, &table);
	if (walk->counts.table == COW_TABLE_PTE)
		for (i = 0; i < PTRS_PER_PTE; i++)
			cow_range_pte(walk, READ_ONCE(table[i]));
	rcu_read_unlock();
	local_irq_restore(irqs);
}
