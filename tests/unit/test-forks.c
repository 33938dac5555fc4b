// SPDX-License-Identifier: GPL-2.0
/* What `cowtrace forks` prints of a trace. */
#include <stdlib.h>
#include <string.h>

#include "forks.h"
#include "generate.h"
#include "numbers.h"
#include "tap.h"
#include "writer.h"

#define SECOND	1000000000ull

static char *path;

static void write_faults(struct ct_writer *w, uint32_t *seq, unsigned int n, uint64_t time,
			 uint32_t tgid, int maps)
{
	while (n--) {
		struct cowtrace_record r = plain_record(++*seq, time++);

		r.tgid = r.pid = tgid;
		r.mapcount = maps;
		r.present |= COWTRACE_HAS_EXCLUSIVE;
		if (maps > 1) {
			r.outcome = COWTRACE_OUTCOME_COPY;
			r.reason = COWTRACE_REASON_MAPPED;
		}
		ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
}

/* A server with two snapshots, a helper by vfork() and one file page. */
static void make_snapshots(void)
{
	static const uint8_t id[20] = { 1 };
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_EXCLUSIVE);
	struct cowtrace_record file;
	struct bytes b = { 0 };
	uint32_t seq = 0;

	add_comm(&b, 1, 100, "server", 0);
	add_map(&b, 2, 100, 0x400000, 0x1000, 0, id, "/usr/bin/server");
	add_fork(&b, SECOND, 200, 100);
	add_newtask(&b, SECOND, 200, 100, 0x11);
	add_memory(&b, SECOND + 1000, 200, 150 << 10, 50 << 10);
	add_exit(&b, 3 * SECOND, 200);
	add_fork(&b, 4 * SECOND, 300, 100);
	add_newtask(&b, 4 * SECOND, 300, 100, 0x4111);
	add_comm(&b, 4 * SECOND + 1, 300, "helper", 1);
	add_fork(&b, 5 * SECOND, 400, 100);
	add_comm(&b, 6 * SECOND, 400, "saver", 1);
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, b.data, b.size);
	write_faults(w, &seq, 30, 2 * SECOND, 100, 2);
	write_faults(w, &seq, 4, 2 * SECOND + 100, 200, 2);
	write_faults(w, &seq, 5, 3 * SECOND + 1, 100, 1);
	write_faults(w, &seq, 10, 5 * SECOND + 1, 100, 2);
	file = plain_record(++seq, 7 * SECOND);
	file.kind = COWTRACE_KIND_FILE;
	file.outcome = COWTRACE_OUTCOME_COPY;
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &file, sizeof(file));
	ct_writer_chunk(w, CT_CHUNK_STATE, UINT32_MAX, "lost\nfull 0\n", 12);
	ct_writer_close(w);
	free(b.data);
}

/* To be freed. */
static char *printed(const struct ct_forks_opts *opts, int *status)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	*status = ct_forks_print(f, path, opts);
	fclose(f);
	return text;
}

static void says(const char *claim, struct ct_forks_opts opts, const char *expected)
{
	int status;
	char *text = printed(&opts, &status);

	if (!ok(strstr(text, expected) && status == CT_REPORT_OK, "%s", claim))
		note("status %d: %s", status, text);
	free(text);
}

static void check_text(void)
{
	struct ct_forks_opts all = { .sort = CT_FORK_SORT_COPIES };
	struct ct_forks_opts last = { .child = 400 };

	says("forks come with what they caused, the most copies first", all,
	     "      at parent               child until by parent by child  after  reuses   copied   share    time\n"
	     "    0 ns server (100)           200 exit         30        4      -       5  136 KiB  68.0 % 19.5 µs\n"
	     "  4.00 s server (100)           400 exec         10        -      -       - 40.0 KiB       ? 5.00 µs\n");
	says("the sum is told first", all,
	     "2 forks caused 44 of the 45 copies in this trace\n"
	     "  176 KiB copied, 22.0 µs spent on copies, 2.50 µs on their other faults\n"
	     "  of 49 shared pages that were written, 89.8 % had to be copied\n");
	says("and how much of the memory it is, where that is known", all,
	     "  of 200 KiB that 1 of them shared, 68.0 % had to be copied; no other child");
	says("of one fork too", (struct ct_forks_opts){ .child = 200 },
	     "  of 200 KiB that it shared, 68.0 % had to be copied\n");
	says("or that it is not", last, "  how much was shared and never written is not known");
	says("a vfork() is told apart", all, "1 more child shared the memory itself");
	says("a fork that may be one is told", all, "1 of these may be such a child too");
	says("forks and causes are shown to add up", all,
	     "          49         44          5   176 KiB   24.5 µs  2 forks above\n"
	     "           1          1          -  4.00 KiB    500 ns  file: a private mapping of a file, which all\n");
	says("to all faults", all,
	     "          50         45          5   180 KiB   25.0 µs  all of the trace, the sum of these\n");
	says("the code that wrote is named", all,
	     "          49         44          5   176 KiB   24.5 µs  server+0x100\n");
	says("one fork comes with its details", last, "for 1.00 s, until it became saver.\n");
	says("and the others in one line", last,
	     "          39         34          5   136 KiB   19.5 µs  1 other fork\n");
	says("forks can be sorted by time", (struct ct_forks_opts){ .sort = CT_FORK_SORT_START },
	     "Forks, in the order of time:");
	says("and be those of one name", (struct ct_forks_opts){ .comm = "server" },
	     "2 forks above");
	says("rows that are left out are counted",
	     (struct ct_forks_opts){ .report.top = 1 }, "and 1 more: --top 2 shows all");
}

static void check_json(void)
{
	static const struct expected_number numbers[] = {
		{ "faults.copies", 45, "all copies of the trace" },
		{ "chosen.copies", 44, "the copies of the chosen forks" },
		{ "other.copies", 0, "the copies of other forks" },
		{ "causes.1.copies", 1, "the copies without a fork, by cause" },
		{ "nr_forks", 2, "the number of forks" },
		{ "nr_sharing", 1, "the number of vforks" },
		{ "forks.0.child", 200, "the child" },
		{ "forks.0.parent", 100, "the parent" },
		{ "forks.0.start_ns", SECOND, "the time" },
		{ "forks.0.end_ns", 3 * SECOND, "the end" },
		{ "forks.0.copies_memory", 1, "what is known of the memory" },
		{ "forks.1.copies_memory", -1, "null for what is not" },
		{ "forks.0.shared_bytes", 200 << 10, "the memory that was shared" },
		{ "forks.1.shared_bytes", -1, "null where nobody looked in time" },
		{ "forks.0.total.copies", 34, "the copies of a fork" },
		{ "forks.0.by_parent.copies", 30, "those of the parent" },
		{ "forks.0.by_child.copies", 4, "those of the child" },
		{ "forks.0.after.reuses", 5, "the reuses after its end" },
		{ "forks.0.reasons.0.copies", 34, "the reasons" },
		{ "forks.0.sites.0.file_offset", 0x100, "the code" },
	};
	struct ct_forks_opts opts = { .report.json = true };
	char *text;
	int status;

	text = printed(&opts, &status);
	ok(check_numbers_in(text, "it has ", numbers, sizeof(numbers) / sizeof(*numbers)) &&
	   status == CT_REPORT_OK, "the JSON ledger parses");
	free(text);
}

/* Numbers of 7 digits, as most machines give them. */
static void check_width(void)
{
	struct ct_writer *w = begin_trace(path, 0);
	struct ct_forks_opts opts = { 0 };
	struct bytes b = { 0 };
	int status;
	char *text;

	add_comm(&b, 1, 4194302, "fifteen-letters", 0);
	add_fork(&b, 30 * SECOND, 4194303, 4194302);
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, b.data, b.size);
	ct_writer_close(w);
	text = printed(&opts, &status);
	ok(strstr(text, " fifteen- (4194302) 4194303 alive "),
	   "a name gives way to long numbers, which stay apart");
	ok(widest_line(text) <= 100, "and the row stays within 100 columns");
	free(text);
	free(b.data);
}

static void check_unknown(void)
{
	static const char * const metas[] = {
		"{\"sideband\":{\"events\":true}}", "{\"sideband\":{\"events\":false}}",
	};
	struct ct_forks_opts opts = { 0 };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct ct_writer *w = begin_trace(path, 0);

		ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, metas[i], strlen(metas[i]));
		ct_writer_close(w);
		if (i)
			says("but not where none could be seen", opts, "Which forks there were is");
		else
			says("a trace without a fork says so", opts, "No fork() is in this trace.");
	}
	opts.report.json = true;
	says("their number is null then", opts, "\"nr_forks\":null");
}

/* A page of a large folio, which parent and child have both copied. */
static void check_copied_twice(void)
{
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_EXCLUSIVE);
	struct bytes b = { 0 };
	uint32_t seq = 0;

	add_comm(&b, 1, 100, "server", 0);
	add_fork(&b, SECOND, 200, 100);
	add_newtask(&b, SECOND, 200, 100, 0x11);
	add_memory(&b, SECOND + 1000, 200, 4096, 0);
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, b.data, b.size);
	write_faults(w, &seq, 1, 2 * SECOND, 100, 2);
	write_faults(w, &seq, 1, 2 * SECOND + 1, 200, 2);
	ct_writer_close(w);
	says("copies that are more than what was shared are explained",
	     (struct ct_forks_opts){ .sort = CT_FORK_SORT_COPIES },
	     "of 4.00 KiB that it shared, 200.0 % had to be copied; both sides copied some of it");
	free(b.data);
}

static void check_errors(void)
{
	struct trace_shape shape = { 5, 2, 2000, 100 };
	struct ct_forks_opts opts = { .child = 4711 };
	size_t widest;
	char *text;
	int status;

	text = printed(&opts, &status);
	ok(status == CT_REPORT_FAILED && !*text &&
	   strstr(last_complaint.text, "none of the 2 forks in this trace is such a one"),
	   "a fork that is not there is an error that says so");
	free(text);
	make_trace(path, &shape);
	opts.child = 0;
	text = printed(&opts, &status);
	widest = widest_line(text);
	ok(status == CT_REPORT_OK && widest <= 100, "no line is wider than 100 columns");
	note("widest %zu", widest);
	free(text);
}

int main(void)
{
	path = temporary_file();
	make_snapshots();
	check_text();
	check_json();
	check_errors();
	check_width();
	check_unknown();
	check_copied_twice();
	remove(path);
	free(path);
	return tap_end();
}
