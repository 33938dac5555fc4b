// SPDX-License-Identifier: GPL-2.0
/* The report: its numbers, its sentences, its columns, its exit status. */
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>
#include <json-c/json.h>

#include "generate.h"
#include "numbers.h"
#include "reported.h"
#include "tap.h"
#include "writer.h"

static char *path;

struct trace {
	struct ct_writer *w;
	uint32_t	seq;
};

static struct trace begin(void)
{
	return (struct trace){ .w = begin_trace(path, 0) };
}

static void faults(struct trace *t, unsigned int n, uint8_t outcome, uint8_t reason,
		   uint32_t tgid, uint64_t ip)
{
	while (n--) {
		struct cowtrace_record r;

		t->seq++;
		r = plain_record(t->seq, 1000 * t->seq);
		r.outcome = outcome;
		r.reason = reason;
		r.pid = tgid;
		r.tgid = tgid;
		r.ip = ip;
		r.refcount = outcome == COWTRACE_OUTCOME_COPY ? 2 : 1;
		r.mapcount = r.refcount;
		ct_writer_chunk(t->w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
}

static void says(const char *claim, const char *expected, int expected_status)
{
	int status;
	char *text = report(path, false, &status);

	if (!ok(strstr(text, expected) && status == expected_status, "%s", claim))
		note("status %d: %s", status, text);
	free(text);
}

static void check_numbers(void)
{
	static const struct expected_number numbers[] = {
		{ "faults.faults", 18, "all faults are counted" },
		{ "faults.copies", 12, "copies and unshares are copies" },
		{ "faults.reuses", 5, "reuses are counted" },
		{ "faults.bytes_copied", 12 * 4096, "each copy is a page" },
		{ "faults.time_ns", 18 * 500, "the time of all faults is added up" },
		{ "faults.copy_time_ns", 12 * 500, "the time of copies is added up" },
		{ "faults.first_ns", 1000, "the first fault is found" },
		{ "faults.last_ns", 18500, "the last fault is found" },
		{ "reasons.0.faults", 10, "the most frequent reason comes first" },
		{ "reasons.0.bytes_copied", 10 * 4096, "a reason has its bytes" },
		{ "reasons.0.duration.p50_ns", 500, "a reason has its median" },
		{ "reasons.0.held.total", 20, "the references of copied pages are added up" },
		{ "reasons.0.held.mappings", 20, "mappings are among them" },
		{ "processes.0.pid", 100, "the process with the most copies comes first" },
		{ "processes.0.copies", 12, "a process has its copies" },
		{ "processes.1.faults", 5, "another process has its own faults" },
		{ "processes.1.parent", 100, "a process has its parent" },
		{ "sites.0.file_offset", 0x100, "a code site is an offset in its file" },
		{ "sites.0.faults", 16, "a child's code is its parent's" },
		{ "sites.1.address", 0x99, "an unmapped code site is an address" },
		{ "lost.module.full", 4, "the module's losses are told" },
		{ "lost.left_out.filtered_entry", 3, "what was filtered is told" },
		{ "lost.sideband_lost", 6, "losses of the side-band are told" },
		{ "lost.sequence_lost", 0, "no gap is made up" },
		{ "damage.places", 0, "no damage is made up" },
	};
	static const uint8_t id[20] = { 1 };
	struct bytes sideband = { 0 };
	struct trace t = begin();
	char *text;
	int status;

	add_map(&sideband, 1, 100, 0x400000, 0x1000, 0, id, "/bin/x");
	add_fork(&sideband, 2, 200, 100);
	add_lost(&sideband, 3, 6);
	ct_writer_chunk(t.w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	free(sideband.data);
	faults(&t, 10, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED, 100, 0x400100);
	faults(&t, 1, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_KSM, 100, 0x400100);
	faults(&t, 1, COWTRACE_OUTCOME_UNSHARE, COWTRACE_REASON_MAPPED, 100, 0x99);
	faults(&t, 5, COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_SOLE_REF, 200, 0x400100);
	faults(&t, 1, COWTRACE_OUTCOME_RACED, COWTRACE_REASON_NONE, 300, 0x99);
	ct_writer_chunk(t.w, CT_CHUNK_STATE, UINT32_MAX, "lost\nfull 4\n", 12);
	ct_writer_chunk(t.w, CT_CHUNK_STATE, UINT32_MAX, "stats\nfiltered_entry 3\n", 23);
	ct_writer_close(t.w);

	text = report(path, true, &status);
	ok(check_numbers_in(text, "", numbers, sizeof(numbers) / sizeof(*numbers)) &&
	   status == CT_REPORT_OK, "the JSON report parses");
	free(text);
	says("the text begins with how many faults", "18 write-protect faults of 3 processes", 0);
	says("losses come with what to do", "4  records that did not fit into a buffer: use", 0);
}

static void put(struct trace *t, struct cowtrace_record r)
{
	t->seq++;
	r.seq = t->seq;
	r.time_ns = 1000 * t->seq;
	ct_writer_chunk(t->w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
}

/* A fault of a huge page, with one reference of the fault itself on hugetlb pages. */
static struct cowtrace_record huge(uint8_t path, uint8_t outcome, uint8_t reason)
{
	struct cowtrace_record r = plain_record(0, 0);

	r.path = path;
	r.kind = path == COWTRACE_PATH_PMD ? COWTRACE_KIND_THP : COWTRACE_KIND_HUGETLB;
	r.order = 9;
	r.refcount = path == COWTRACE_PATH_PMD ? 2 : 3;
	r.mapcount = 2;
	r.folio_mapcount = 2;
	r.outcome = outcome;
	r.reason = reason;
	return r;
}

static void make_huge_trace(void)
{
	struct cowtrace_record rest = plain_record(0, 0), doubt = plain_record(0, 0);
	struct trace t = begin();

	put(&t, huge(COWTRACE_PATH_PMD, COWTRACE_OUTCOME_SPLIT, COWTRACE_REASON_MAPPED));
	rest.outcome = COWTRACE_OUTCOME_COPY;
	rest.reason = COWTRACE_REASON_KSM;
	rest.evidence |= COWTRACE_EV_WITNESS;
	rest.state |= COWTRACE_AFTER_SPLIT;
	rest.order = 9;
	put(&t, rest);
	put(&t, huge(COWTRACE_PATH_HUGETLB, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED));
	put(&t, huge(COWTRACE_PATH_PMD, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_ZERO));
	doubt.outcome = COWTRACE_OUTCOME_RACED;
	doubt.reason = COWTRACE_REASON_NONE;
	doubt.evidence = COWTRACE_EV_PTE | COWTRACE_EV_UNSTABLE;
	put(&t, doubt);
	put(&t, doubt);
	doubt.outcome = COWTRACE_OUTCOME_UNKNOWN;
	doubt.evidence = 0;
	put(&t, doubt);
	ct_writer_close(t.w);
}

static void check_huge_numbers(void)
{
	static const struct expected_number numbers[] = {
		{ "faults.splits", 1, "splits are counted" },
		{ "faults.copies", 3, "a split is no copy" },
		{ "faults.bytes_copied", 4096 + 2 * 2097152, "a huge copy is a huge page" },
		{ "paths.0.faults", 4, "the path of one page has its faults" },
		{ "paths.1.splits", 1, "the path of huge PMDs has its splits" },
		{ "paths.1.bytes_copied", 2097152, "and its bytes" },
		{ "paths.2.bytes_copied", 2097152, "the path of hugetlb pages has its bytes" },
		{ "faults.after_split.faults", 1, "the rest of a split access is counted" },
		{ "faults.after_split.copies", 1, "and what became of it" },
		{ "faults.unstable", 2, "unstable records are counted" },
		{ "faults.shifted", 0, "no flag of evidence is made up" },
		{ "evidence.0.faults", 6, "each flag of evidence has its faults" },
		{ "evidence.2.faults", 2, "and no others" },
		{ "doubts.0.faults", 2, "what is raced is counted by its evidence" },
		{ "doubts.1.faults", 1, "and so is what is unknown" },
	};
	char *text;
	int status;

	text = report(path, true, &status);
	check_numbers_in(text, "", numbers, sizeof(numbers) / sizeof(*numbers));
	free(text);
}

/* Is it there, or not? */
static void shows(const char *claim, const char *expected, bool there)
{
	int status;
	char *text = report(path, false, &status);

	if (!ok(!!strstr(text, expected) == there, "%s", claim))
		note("%s", text);
	free(text);
}

static void check_huge(void)
{
	struct trace t = begin();

	put(&t, plain_record(0, 0));
	faults(&t, 1, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED, 1, 2);
	ct_writer_close(t.w);
	shows("faults of one path get no table of paths", "By path", false);
	shows("a table of holders has no column for nothing", " fault  unattributed", false);
	shows("without large folios nothing is said of them", "part of a large folio,", false);
	shows("without splits there is no table of them", "Splits by reason", false);
	shows("without doubt there is no table of it", "Unknown and raced", false);

	make_huge_trace();
	check_huge_numbers();
	says("splits are neither copies nor reuses", "1 split a huge page (14.3 %)", 0);
	says("what is neither of the three is counted apart", "3 did none of these (42.9 %)", 0);
	says("splits have their reasons", "Splits by reason\n", 0);
	says("several paths get a table",
	     "  pmd                      2          -          1          1  2.00 MiB", 0);
	says("what a split went on with is told", "1 fault of one page went on with an access", 0);
	says("the fault's own reference has a column",
	     "  mapped             3.00      2.00           -           -          -       -    1.00 "
	     "            -\n", 0);
	says("pages of large folios are told apart",
	     "  1 of these pages is part of a large folio,", 0);
	says("who held split pages is told", "Who held the split huge pages", 0);
	says("flags of evidence are explained",
	     "  unstable                 2    28.6 %  the reference count moved", 0);
	says("what is raced is shown with its evidence",
	     "  raced     pte                 2    28.6 %  pte unstable\n", 0);
	says("doubts that a witness might have settled are told",
	     "  3 without a witness that was armed", 0);
	says("what is unknown without evidence says so",
	     "  unknown   pte                 1    14.3 %  none\n", 0);
}

/* A fault of a page that parent 100 and child 200 map. */
static void at_once(struct trace *t, uint32_t tgid, uint64_t from, uint64_t to, uint8_t outcome,
		    uint8_t reason)
{
	struct cowtrace_record r = plain_record(++t->seq, from);

	r.duration_ns = to - from;
	r.tgid = tgid;
	r.pid = outcome == COWTRACE_OUTCOME_RACED ? tgid + 1 : tgid;
	r.outcome = outcome;
	r.reason = reason;
	r.refcount = outcome == COWTRACE_OUTCOME_REUSE ? 1 : 2;
	r.mapcount = r.refcount;
	r.new_pfn = tgid;
	r.evidence |= COWTRACE_EV_WATCHED;
	if (reason == COWTRACE_REASON_LOCKED)
		r.state |= COWTRACE_PG_LOCKED;
	ct_writer_chunk(t->w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
}

static void make_contended_trace(void)
{
	struct trace t = begin();

	at_once(&t, 100, 1000, 2000, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED);
	at_once(&t, 200, 1500, 2500, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED);
	at_once(&t, 100, 3000, 4000, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED);
	at_once(&t, 100, 3100, 4100, COWTRACE_OUTCOME_RACED, COWTRACE_REASON_NONE);
	at_once(&t, 100, 5000, 6000, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED);
	at_once(&t, 100, 7000, 7300, COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_SOLE_REF);
	at_once(&t, 100, 8000, 9000, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_LOCKED);
	ct_writer_close(t.w);
}

static void check_contention(void)
{
	static const struct expected_number numbers[] = {
		{ "contention.groups", 2, "groups of faults that met are counted" },
		{ "contention.faults", 4, "and their faults" },
		{ "contention.one_entry", 1, "those of threads apart" },
		{ "contention.meetings.0.groups", 1, "a race is counted" },
		{ "contention.meetings.2.groups", 1, "a double copy too" },
		{ "contention.lost.winner_shown", 1, "the loser saw the winner's page" },
		{ "contention.lost.bytes_thrown_away", 4096, "its copy was thrown away" },
		{ "contention.last_copies.bytes", 4096, "so was the last copy of a double one" },
		{ "contention.page_lock.locked", 1, "pages found locked are counted" },
		{ "contention.page_lock.outcomes.0.time_ns", 1000, "with what followed" },
		{ "contention.kinds.0.met.faults", 3, "copies that met others are counted" },
		{ "contention.kinds.0.alone.p50_ns", 1000, "and those that met nobody" },
		{ "contention.pairs.0.pairs", 1, "pairs of processes are counted" },
		{ "contention.pairs.1.processes.1.pid", 200, "and named" },
		{ "contention.pages.0.address", 0x7f0000001000, "pages are named" },
		{ "contention.pages.0.pid", 100, "and whose they are" },
		{ "contention.sites.0.faults", 4, "and code sites" },
	};
	struct trace t = begin();
	char *text;
	int status;

	faults(&t, 5, COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED, 1, 2);
	ct_writer_close(t.w);
	says("faults that did not meet are told in one line",
	     "No contention: no two faults of one page frame overlapped in time.\n", 0);
	shows("and in no table", "Contention:", false);
	make_contended_trace();
	text = report(path, true, &status);
	check_numbers_in(text, "", numbers, sizeof(numbers) / sizeof(*numbers));
	free(text);
	says("what met is told",
	     "  4 faults met in 2 groups of 2; 1 of these in one page-table", 0);
	says("with what happened",
	     "  double-copy              1          2   2.00 µs  all who", 0);
	says("what a lost race cost is told",
	     "each took 1.00 µs on average; the median of a copy that met nobody is 1.00 µs", 0);
	says("what the page lock cost is told",
	     "each took 1.00 µs on average; the median of a reuse that met nobody is 300 ns", 0);
	says("who met is told", "  writer (100) and writer (200)\n", 0);
	says("threads are told apart", "  threads of writer (100)\n", 0);
}

static void check_columns(void)
{
	struct trace_shape shape = { 5, 2, 2000, 100 };
	size_t widest;
	char *text;
	int status;

	make_trace(path, &shape);
	text = report(path, false, &status);
	ok(!strchr(text, '\033'), "a report into a file has no colours");
	widest = widest_line(text);
	ok(widest <= 100, "no line of a report with every table is wider than 100 columns");
	note("widest %zu", widest);
	free(text);
}

/* Numbers of 7 digits, as most machines give them. */
static void check_parent(void)
{
	struct cowtrace_record r = plain_record(1, 300);
	struct bytes b = { 0 };
	struct trace t = begin();
	int status;
	char *text;

	add_comm(&b, 1, 4194302, "fifteen-letters", 0);
	add_fork(&b, 200, 4194303, 4194302);
	ct_writer_chunk(t.w, CT_CHUNK_SIDEBAND, 0, b.data, b.size);
	r.tgid = 4194303;
	put(&t, r);
	ct_writer_close(t.w);
	text = report(path, false, &status);
	ok(strstr(text, "  fifteen- (4194302)\n"), "a parent's name gives way to its number");
	ok(widest_line(text) <= 100, "and the row stays within 100 columns");
	free(text);
	free(b.data);
}

static void check_sentences(void)
{
	struct trace t = begin();
	struct bytes b;

	ct_writer_close(t.w);
	says("a trace without a fault says so", "No write-protect fault was recorded.", 0);
	t = begin();
	faults(&t, 2, COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_EXCLUSIVE, 1, 2);
	ct_writer_close(t.w);
	says("a trace without a copy says so", "no page was copied", 0);
	says("a trace without the module's counters says that loss is not known",
	     "what was lost before it reached the file", 0);
	t = begin();
	ct_writer_chunk(t.w, CT_CHUNK_STATE, UINT32_MAX, "lost\nfull 0\n", 12);
	ct_writer_close(t.w);
	says("a trace that lost nothing says so", "Nothing.", 0);
	b = read_file(path);
	write_file(path, b.data, b.size - 3);
	free(b.data);
	says("a trace that was cut says so, and the exit status too", "The trace has no end",
	     CT_REPORT_DAMAGED);
	write_file(path, "hello", 5);
	says("a file that is no trace gives no report", "", CT_REPORT_FAILED);
	ok(strstr(last_complaint.text, "no cowtrace trace"), "and one line that says why");
}

int main(void)
{
	path = temporary_file();
	check_numbers();
	check_huge();
	check_contention();
	check_columns();
	check_parent();
	check_sentences();
	remove(path);
	free(path);
	return tap_end();
}
