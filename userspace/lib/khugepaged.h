/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What khugepaged found in the ranges that it scanned: events of the group khugepaged,
 * judged and added up. An estimate is how a kernel asks whether the page of a PTE is
 * mapped by others too; precise is the count that each page has of its own mappings.
 */
#ifndef COWTRACE_KHUGEPAGED_H
#define COWTRACE_KHUGEPAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group.h"

#define CT_KHUGE_GROUP	"khugepaged"

/* X(id, word, function, kernels) */
#define CT_ESTIMATES(X)							\
	X(PRECISE, "precise", "page_mapcount()", "until 6.9")		\
	X(LIKELY, "likely", "folio_likely_mapped_shared()", "6.10 to 6.14") \
	X(MAYBE, "maybe", "folio_maybe_mapped_shared()", "6.15 on")

#define CT_ESTIMATE_ENUM_(id, w, f, k)	CT_ESTIMATE_##id,
enum ct_estimate { CT_ESTIMATES(CT_ESTIMATE_ENUM_) CT_NR_ESTIMATES };

extern const char * const ct_estimate_names[CT_NR_ESTIMATES];
extern const char * const ct_estimate_functions[CT_NR_ESTIMATES];
extern const char * const ct_estimate_kernels[CT_NR_ESTIMATES];

/*
 * Numbers of a scan. X(member, key of the event, sentence). The first group is by the
 * look at the range, the last by the kernel until it had seen enough.
 */
#define CT_KHUGE_NUMBERS(X)						\
	X(ptes, "ptes", "PTEs of the range that were looked at")	\
	X(none, "none", "of these empty")				\
	X(zero, "zero", "of the zero page")				\
	X(unmapped, "unmapped", "not present: in swap, or being migrated") \
	X(special, "special", "present without a page that can be looked at") \
	X(present, "present", "that map a page")			\
	X(writable, "writable", "of the latter, writable")		\
	X(referenced, "referenced", "of the latter, referenced lately")	\
	X(large, "large", "of the latter, of a page of a large folio")	\
	X(max_none, "max_ptes_none", "limit: PTEs that are empty or of the zero page") \
	X(max_swap, "max_ptes_swap", "limit: PTEs that are not present") \
	X(max_shared, "max_ptes_shared", "limit: PTEs whose page is shared") \
	X(kernel_none, "kernel_none", "empty or of the zero page, as the kernel counted") \
	X(kernel_unmapped, "kernel_unmapped", "not present, likewise")	\
	X(kernel_referenced, "kernel_referenced", "referenced, likewise") \
	X(kernel_writable, "kernel_writable", "1 when the kernel saw one that is writable")

/* X(id, word, sentence): how far the kernel's own estimate was right. */
#define CT_KHUGE_FINDINGS(X)						\
	X(RIGHT, "right", "the kernel's estimate and the precise count are on the same side of the limit") \
	X(FALSE_EXCLUSIVE, "false-exclusive", "the estimate is within the limit, the precise count is not") \
	X(FALSE_SHARED, "false-shared", "the estimate is over the limit, the precise count is not") \
	X(OPEN, "-", "no limit applied, or one of the counts is not known")

#define CT_KHUGE_FINDING_ENUM_(id, w, s)	CT_KHUGE_##id,
enum ct_khuge_finding { CT_KHUGE_FINDINGS(CT_KHUGE_FINDING_ENUM_) CT_NR_KHUGE_FINDINGS };

extern const char * const ct_khuge_finding_names[CT_NR_KHUGE_FINDINGS];
extern const char * const ct_khuge_finding_sentences[CT_NR_KHUGE_FINDINGS];

#define CT_KHUGE_WORD	48

/**
 * struct ct_khuge_scan - one scan of the range of a PMD; -1 is a number that is not known
 * @seq: its number in the group.
 * @madvise: MADV_COLLAPSE asked for it, not khugepaged.
 * @before: the range was read at once before the scan; else while it went on, until it
 *	had seen enough.
 * @address: the first of the range, 0 for not known.
 * @owner: process whose memory it is, 0 for not known.
 * @owner_comm: its name.
 * @table: what mapped the range: pte, huge, none or "-".
 * @own: estimate of the kernel, CT_NR_ESTIMATES for not known.
 * @shared: PTEs of shared pages, by estimate.
 * @status: verdict of the kernel, a number of its own.
 * @verdict: its name, "status N" where the trace does not have the names.
 * @finding: enum ct_khuge_finding.
 * @collapsed: a huge page took the place of the range.
 * @shared_bytes: of a wrong collapse: copies of pages that others still map.
 * @filled_bytes: likewise: memory where nothing was mapped.
 * @missed_bytes: of a scan that was wrongly refused: what is still mapped by PTEs.
 */
struct ct_khuge_scan {
	uint32_t	seq;
	bool		madvise;
	bool		before;
	uint64_t	address;
	uint32_t	owner;
	char		owner_comm[32];
	char		table[8];
#define CT_KHUGE_MEMBER_(member, key, sentence)	int64_t member;
	CT_KHUGE_NUMBERS(CT_KHUGE_MEMBER_)
	enum ct_estimate own;
	int64_t		shared[CT_NR_ESTIMATES];
	int64_t		status;
	char		verdict[CT_KHUGE_WORD];
	enum ct_khuge_finding finding;
	bool		collapsed;
	uint64_t	shared_bytes;
	uint64_t	filled_bytes;
	uint64_t	missed_bytes;
};

/**
 * ct_khuge_read() - read and judge an event of the group
 * @event: the event.
 * @state: of the trace, which has the names of the verdicts.
 * @page_size: in bytes.
 * @scan: filled in.
 */
void ct_khuge_read(const struct ct_group_event *event, const struct ct_state *state,
		   uint64_t page_size, struct ct_khuge_scan *scan);

/* Would a limit on what @estimate counts refuse the range? 0, 1, or -1 for not known. */
int ct_khuge_over(const struct ct_khuge_scan *scan, enum ct_estimate estimate);

/**
 * ct_khuge_verdict() - name of a verdict
 * @format: text of the format file of the event mm_khugepaged_scan_pmd.
 * @status: the number.
 * @to: receives the name.
 * @size: bytes of @to.
 * Return: false when the text has none for it, or it does not fit.
 */
bool ct_khuge_verdict(const char *format, int64_t status, char *to, size_t size);

#define CT_KHUGE_VERDICTS	64

/**
 * struct ct_khuge_false - estimates that were wrong on one side
 * @scans: how many.
 * @acted: of these, where the kernel's verdict rests on it: the range was collapsed, or
 *	refused for being shared.
 * @shared_bytes: sum of those that acted.
 * @filled_bytes: likewise.
 * @missed_bytes: likewise.
 * @first: number of the first event, 0 for none.
 */
struct ct_khuge_false {
	uint64_t	scans, acted;
	uint64_t	shared_bytes, filled_bytes, missed_bytes;
	uint32_t	first;
};

/**
 * struct ct_khugepaged - all scans of a trace
 * @info: how many events there are, and how many are lost.
 * @scans: by origin: khugepaged, MADV_COLLAPSE.
 * @read: scans whose PTEs were looked at.
 * @before: of these, at once before the scan.
 * @own: estimate of the kernel, CT_NR_ESTIMATES for not known.
 * @nr_verdicts: number of @verdicts, in the order of the first scan of each.
 * @verdicts: name, number and scans by origin.
 * @sum: PTEs of all scans, by the words of CT_KHUGE_NUMBERS up to "large"; unknown are 0.
 * @estimates: by estimate: scans of which it is known, PTEs, scans that it would refuse,
 *	of those to which a limit applied.
 * @limited: scans to which a limit applied, whose PTEs were looked at.
 * @false_exclusive: see there.
 * @false_shared: likewise.
 */
struct ct_khugepaged {
	struct ct_group_info	info;
	uint64_t		scans[2];
	uint64_t		read, before, limited;
	enum ct_estimate	own;
	unsigned int		nr_verdicts;
	struct {
		char		name[CT_KHUGE_WORD];
		int64_t		status;
		uint64_t	scans[2];
	} verdicts[CT_KHUGE_VERDICTS];
	struct {
#define CT_KHUGE_SUM_(member, key, sentence)	uint64_t member;
		CT_KHUGE_NUMBERS(CT_KHUGE_SUM_)
	} sum;
	struct {
		uint64_t	known, ptes, over;
	} estimates[CT_NR_ESTIMATES];
	struct ct_khuge_false	false_exclusive, false_shared;
};

/* Add one scan; @sum was zeroed, but for @own. */
void ct_khugepaged_add(struct ct_khugepaged *sum, const struct ct_khuge_scan *scan);

/**
 * ct_khugepaged_sum() - add up a trace
 * @reader: the trace.
 * @state: of it.
 * @sum: filled in.
 * Return: 0 or -ENOMEM.
 */
int ct_khugepaged_sum(struct ct_reader *reader, const struct ct_state *state,
		      struct ct_khugepaged *sum);

#endif /* COWTRACE_KHUGEPAGED_H */
