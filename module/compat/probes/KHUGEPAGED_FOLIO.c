// SPDX-License-Identifier: GPL-2.0
/* trace_mm_khugepaged_scan_pmd() of 7.2: the folio */
#include <linux/mm.h>
#include <trace/events/huge_memory.h>

static void callback(void *data, struct mm_struct *mm, struct folio *folio, int referenced,
		     int none, int status, int unmapped)
{
}

void probe(void);
void probe(void)
{
	check_trace_callback_type_mm_khugepaged_scan_pmd(callback);
}
