// SPDX-License-Identifier: GPL-2.0
/*
 * Faults whose decisive step is known from the source of each kernel, recorded
 * and explained by the command, and by the lines of the file events.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cowtrace/decision.h>

#include "truth-huge.h"

#define TRACE	"/tmp/explain.trace"
#define HUGE_WRITES	5
#define THP	"/sys/kernel/mm/transparent_hugepage/enabled"

static char *lasting_pages(void)
{
	char *mem = map_pages(N);

	touch(mem, N);
	lru_drain();
	return mem;
}

/* Written while a child maps them too. */
static void shared_with_child(void)
{
	char *mem = lasting_pages();
	struct partner p = partner_start();

	touch(mem, N);
	partner_end(&p);
}

/* Swapped in by a read, then written, by the only owner of the slots. */
static void from_swap(void)
{
	char *mem = lasting_pages();
	int i;

	if (!file_has("/proc/swaps", "/dev/"))
		return;
	page_out(mem);
	/* From 6.12 on an exclusive page would be mapped writable at once. */
	fork_and_forget();
	for (i = 0; i < N; i++)
		read_one(mem + i * PAGE);
	lru_drain();
	touch(mem, N);
}

/* Some pages of a huge page that a child maps too. */
static void huge(void)
{
	char *mem = map_thp(1);
	struct partner p = partner_start();
	int i;

	for (i = 0; i < HUGE_WRITES; i++)
		poke(mem + i * PAGE, 2);
	partner_end(&p);
}

/* What the suite records: "cowtest load explain". */
void explained(void)
{
	shared_with_child();
	from_swap();
	huge();
}

/* What a command prints. */
static const char *printed(const char *command)
{
	static char text[1 << 18];

	output_of(command, text, sizeof(text));
	need(*text, "no output of %s", command);
	return text;
}

/* The text behind "NAME":" after @from, to the next quote. */
static bool text_at(const char *from, const char *name, char *to, size_t size)
{
	char key[64];
	size_t n;

	snprintf(key, sizeof(key), "\"%s\":\"", name);
	from = from ? strstr(from, key) : NULL;
	if (!from)
		return false;
	from += strlen(key);
	n = strcspn(from, "\"");
	snprintf(to, size, "%.*s", (int)n, from);
	return true;
}

/* The test of the step that decided the first explanation. */
static bool decisive(const char *json, char *to, size_t size)
{
	const char *end = strstr(json, "\"state\":\"decided\""), *at, *last = NULL;

	for (at = json; end && (at = strstr(at, "\"test\":")) && at < end; at++)
		last = at;
	return last && text_at(last, "test", to, size);
}

/* The most frequent pattern of an outcome and reason; fails the suite without any. */
static const char *pattern_of(const char *outcome, const char *reason)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "cowtrace explain --json --top 1 --comm cowtest -f kind=anon,thp -f outcome=%s -f reason=%s "
		 TRACE, outcome, reason);
	return printed(command);
}

static void expect(const char *name, const char *claim, const char *outcome, const char *reason,
		   const char *needed, const char *step)
{
	const char *json = pattern_of(outcome, reason), *at = strstr(json, "\"patterns\":");
	const char *count = at ? strstr(at, "\"faults\":") : NULL;
	char found[128] = "", need_found[16] = "";
	long faults = count ? strtol(count + strlen("\"faults\":"), NULL, 10) : 0;

	decisive(json, found, sizeof(found));
	text_at(at, "needed", need_found, sizeof(need_found));
	check(faults >= N && !strcmp(found, step) && !strcmp(need_found, needed), name, claim,
	      "%ld faults, needed %s, decided by %s", faults, need_found, found);
}

static void judge_shared(bool old)
{
	expect("mapped", "a page that a child maps too is copied for its count, and has to be",
	       "copy", "mapped", "yes", old ? "page_count(page) != 1" :
	       "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)");
}

static void judge_swap(bool old)
{
	if (!file_has("/proc/swaps", "/dev/"))
		skip("swap", "no swap disk");
	else if (old)
		expect("swap", "5.10 copies a page of one owner because the swap cache holds it, for nobody",
		       "copy", "swapcache", "no", "page_count(page) != 1");
	else
		expect("swap", "a page of one owner in the swap cache is kept, and its slot freed",
		       "reuse", "swapcache-freed", "none",
		       "folio_test_swapcache(folio): folio_free_swap(folio)");
}

/* The number that a pattern gives leads to the fault, and to both records of its access. */
static void judge_split(void)
{
	char command[128], fault[32] = "", comm[16] = "";
	const char *json;

	json = strstr(pattern_of("split", "mapped"), "\"example\":");
	text_at(json, "fault", fault, sizeof(fault));
	snprintf(command, sizeof(command), "cowtrace explain --json " TRACE " %s", fault);
	json = printed(command);
	text_at(json, "comm", comm, sizeof(comm));
	check(strstr(json, "\"outcome\":\"split\"") && strstr(json, "\"outcome\":\"copy\"") &&
	      !strcmp(comm, "cowtest"), "split",
	      "the split of a huge page is explained with the copy that the same access goes on with",
	      "%.300s", json);
	snprintf(command, sizeof(command), "cowtrace explain " TRACE " %s", fault);
	check(strstr(printed(command), "split the mapping of this huge page"), "text",
	      "and in plain sentences", "%.300s", printed(command));
}

/* JSON without what makes it readable. */
static const char *compact(const char *json)
{
	static char text[1 << 18];
	char *to = text;

	for (; *json; json++)
		if (*json != ' ' && *json != '\n')
			*to++ = *json;
	*to = '\0';
	return text;
}

/* Nothing else in the guest has large folios mapped page by page. */
static void judge_folio(void)
{
	const char *json = strstr(compact(printed("cowtrace report --json " TRACE)),
				  "\"large_folios\":");

	check(json && strstr(json, "\"order\":9,\"bytes\":2097152,\"faults\":5,\"reuses\":0,"
			     "\"copies\":5,\"bytes_copied\":20480,") &&
	      strstr(json, "\"folios\":1,\"split\":1,\"copied\":{\"none\":0,\"quarter\":1,"),
	      "folio", "five pages of one folio that was split, up to a quarter of it, are copied",
	      "%.300s", json ?: "no such member");
}

/* --- the lines of the file events ------------------------------------------------- */

/* As the line has them: of the swap slot where it is known or missing, of our mappings. */
static void counts_text(const struct cowtrace_record *r, char *to, size_t size)
{
	size_t n = 0;

	if (r->present & COWTRACE_HAS_SWAPCOUNT)
		n = snprintf(to, size, " swapcount=%u", r->swapcount);
	else if (r->state & COWTRACE_PG_SWAPCACHE)
		n = snprintf(to, size, " swapcount=-");
	if (r->present & COWTRACE_HAS_MAPPED_HERE)
		n += snprintf(to + n, size - n, " mapped_here=%u", r->mapped_here);
	snprintf(to + n, size - n, " pfn=%#llx ", (unsigned long long)r->pfn);
}

static void test_text(const struct cowtrace_record *r, char *to, size_t size)
{
	struct cowtrace_decision d = cowtrace_decision(r, traits);

	if (d.measured && d.value > d.limit)
		snprintf(to, size, " test=%s:%d>%d refs=", d.test, d.value, d.limit);
	else if (d.measured)
		snprintf(to, size, " test=%s:%d refs=", d.test, d.value);
	else
		snprintf(to, size, " test=%s refs=", d.test ?: "-");
}

/* The line of the record in @lines, its end replaced by a NUL; NULL for none. */
static char *line_of(const struct cowtrace_record *r, const char *lines)
{
	static char line[2048];
	char start[128];
	const char *at;

	snprintf(start, sizeof(start), "%llu.%06llu [%03u] %s-%u %s %s path=",
		 (unsigned long long)(r->time_ns / 1000000000),
		 (unsigned long long)(r->time_ns % 1000000000 / 1000), r->cpu, r->comm, r->pid,
		 outcome_name(r->outcome), reason_name(r->reason));
	at = strstr(lines, start);
	if (!at)
		return NULL;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

static void explained_child(void *unused)
{
	(void)unused;
	explained();
}

/* The same faults, read from both files. */
static void lines_beside_records(void)
{
	static char lines[1 << 18];
	struct held_child c = child_held(explained_child, NULL);
	char pid[16], want[128];
	size_t i, swapped = 0, tested = 0, counted = 0;
	struct stats s;
	struct trace t;
	ssize_t n, used = 0;
	int fd;

	snprintf(pid, sizeof(pid), "%d", c.pid);
	need(!cow_write("filter/tree", pid), "filter/tree does not take %s", pid);
	fd = cow_open("events", O_RDONLY);
	need(fd >= 0, "opening events: %s", strerror(-fd));
	enable();
	child_go(&c);
	need(!child_wait(c.pid), "the load failed");
	disable();
	while ((n = read(fd, lines + used, sizeof(lines) - 1 - used)) > 0)
		used += n;
	close(fd);
	stats_read(&s);
	trace_read(&t);
	for (i = 0; i < t.n; i++) {
		char *line = line_of(&t.r[i], lines);

		test_text(&t.r[i], want, sizeof(want));
		tested += line && strstr(line, want);
		counts_text(&t.r[i], want, sizeof(want));
		counted += line && strstr(line, want);
		swapped += !!strncmp(want, " pfn", 4);
	}
	need(!s.events_dropped, "%llu lines were dropped", s.events_dropped);
	check(tested == t.n && t.n >= N, "line-test",
	      "the line of each record names the test that decided it", "%zu of %zu", tested, t.n);
	check(counted == t.n && swapped, "line-counts",
	      "and has the counts of its slot and its mappings, where there are any",
	      "%zu of %zu, %zu have some", counted, t.n, swapped);
	trace_free(&t);
	cow_write("filter/tree", "any");
}

void run_explain(void)
{
	char was[64] = "";
	bool old;
	int status;

	module_start(1024);
	traits = kernel_traits();
	old = !(traits & COWTRACE_TRAIT_EXCLUSIVE);
	need(file_read(THP, was, sizeof(was)) > 0 && !file_write(THP, "madvise"), "no " THP);
	status = system("cowtrace record -q -o " TRACE
			" -- /usr/libexec/cowtrace/cowtest load explain");
	need(!status, "cowtrace record ended with %#x", status);
	judge_shared(old);
	judge_swap(old);
	judge_split();
	judge_folio();
	lines_beside_records();
	/* What was chosen stands in brackets. */
	if (strchr(was, '['))
		file_write(THP, strtok(strchr(was, '[') + 1, "]"));
}
