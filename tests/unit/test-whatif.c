// SPDX-License-Identifier: GPL-2.0
/* What `cowtrace whatif` prints of made traces whose numbers are known. */
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "numbers.h"
#include "tap.h"
#include "whatif_view.h"
#include "writer.h"

#define MS	1000000ull
#define MANY	66000u
#define K5_10	COWTRACE_TRAIT_RET_WRITE
#define K6_1	(COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE)
#define K6_12	(COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST | \
		 COWTRACE_TRAIT_LARGE_COPY)

static char *path;

/* A trace in the making. */
struct scene {
	struct ct_writer *w;
	struct bytes	b;
	uint32_t	seq;
};

static struct scene begin(uint32_t traits)
{
	return (struct scene){ .w = begin_trace(path, traits) };
}

static void end(struct scene *s)
{
	ct_writer_chunk(s->w, CT_CHUNK_SIDEBAND, 0, s->b.data, s->b.size);
	ct_writer_chunk(s->w, CT_CHUNK_STATE, UINT32_MAX, "lost\nfull 0\n", 12);
	ct_writer_chunk(s->w, CT_CHUNK_STATE, UINT32_MAX, "stats\nsampled_out 0\n", 20);
	ct_writer_close(s->w);
	free(s->b.data);
}

static void put(struct scene *s, struct cowtrace_record r, unsigned int n, uint32_t ns)
{
	r.duration_ns = ns;
	while (n--) {
		r.seq = ++s->seq;
		r.time_ns = s->seq * MS;
		r.address += 4096;
		ct_writer_chunk(s->w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
}

static struct cowtrace_record anon(uint8_t outcome, uint8_t reason, int refs)
{
	struct cowtrace_record r = plain_record(0, 0);

	r.outcome = outcome;
	r.reason = reason;
	r.refcount = refs;
	r.folio_mapcount = 1;
	if (outcome == COWTRACE_OUTCOME_COPY)
		r.new_pfn = 0x2000;
	return r;
}

/* In the swap cache, its slot shared by so many entries. */
static struct cowtrace_record cached(uint16_t entries)
{
	struct cowtrace_record r = anon(COWTRACE_OUTCOME_COPY, COWTRACE_REASON_SWAPCACHE, 2);

	r.state |= COWTRACE_PG_SWAPCACHE | COWTRACE_EXIT_SWAPCACHE;
	r.present |= COWTRACE_HAS_SWAPCOUNT;
	r.swapcount = entries;
	return r;
}

static struct cowtrace_record mapped(void)
{
	struct cowtrace_record r = anon(COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED, 2);

	r.mapcount = 2;
	r.folio_mapcount = 2;
	return r;
}

/* To be freed. */
static char *printed(const struct ct_whatif_opts *opts, int *status)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	*status = ct_whatif_print(f, path, opts);
	fclose(f);
	return text;
}

static void says(const char *claim, struct ct_whatif_opts opts, const char *expected)
{
	int status;
	char *text = printed(&opts, &status);

	if (!ok(strstr(text, expected) && status == CT_REPORT_OK, "%s", claim))
		note("status %d: %s", status, text);
	free(text);
}

static void numbers(const char *claim, struct ct_whatif_opts opts,
		    const struct expected_number *list, size_t n)
{
	char *text;
	int status;

	opts.report.json = true;
	text = printed(&opts, &status);
	ok(check_numbers_in(text, claim, list, n) && status == CT_REPORT_OK, "%s: it is JSON",
	   claim);
	free(text);
}

#define NUMBERS(claim, opts, list) numbers(claim, opts, list, sizeof(list) / sizeof(*(list)))

/*
 * 5.10: 10 copies for the swap cache that nobody needed, 4 that somebody needed for
 * their slot, 6 of mapped pages, 20 reuses, of 4000, 5000, 3000 and 1000 ns; a race.
 */
static void make_swap(void)
{
	struct scene s = begin(K5_10);
	struct cowtrace_record r;

	add_comm(&s.b, 1, 100, "server", 0);
	put(&s, cached(0), 10, 4000);
	put(&s, cached(1), 4, 5000);
	put(&s, mapped(), 6, 3000);
	put(&s, anon(COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_SOLE_REF, 1), 20, 1000);
	put(&s, anon(COWTRACE_OUTCOME_RACED, COWTRACE_REASON_NONE, 1), 1, 1000);
	r = anon(COWTRACE_OUTCOME_MKWRITE, COWTRACE_REASON_NONE, 1);
	r.kind = COWTRACE_KIND_FILE;
	r.state &= ~COWTRACE_PG_ANON;
	r.vm_flags |= COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE;
	put(&s, r, 2, 1000);
	end(&s);
}

static void check_policies(void)
{
	static const struct expected_number list[] = {
		{ "faults", 43, "all faults are counted" },
		{ "happened.faults", 40, "those that were decided" },
		{ "happened.copy", 20, "what happened to them" },
		{ "happened.bytes_copied", 20 * 4096, "and what was copied" },
		{ "happened.not_decided.raced", 1, "a race is not decided" },
		{ "happened.not_asked.mkwrite", 2, "a shared page is nobody's to decide" },
		{ "policies.1.own", 1, "which policy is the kernel's" },
		{ "policies.1.as_happened", 40, "which predicts all" },
		{ "policies.1.otherwise", 0, "and nothing else" },
		{ "policies.0.answers.reuse", 30, "mapcount reuses what has no entries" },
		{ "policies.0.answers.copy", 10, "and copies the rest" },
		{ "policies.0.happened.copy.reuse", 10, "copies it would not have made" },
		{ "policies.0.avoided.faults", 10, "these are avoided" },
		{ "policies.0.avoided.bytes", -10 * 4096, "with their bytes" },
		{ "policies.0.avoided.time_ns", -10 * 2900, "at the mean of a copy, less that of a reuse" },
		{ "policies.2.answers.reuse", 30, "5.18 frees the slot" },
		{ "policies.5.answers.copy", 10, "minimal copies for entries and mappings" },
		{ "prices.0.mean_ns", 1000, "a reuse has a price" },
		{ "prices.1.mean_ns", 3900, "and a copy" },
		{ "self.right", 40, "the kernel's own is right about all" },
		{ "self.determined", 40, "of these" },
		{ "patterns.0.faults", 10, "the pattern in which they differ" },
		{ "patterns.0.nr_processes", 1, "its processes" },
		{ "patterns.0.processes.0.pid", 100, "by number" },
		{ "patterns.0.sites.0.faults", 10, "its places" },
		{ "patterns.0.example.cpu", 0, "an example for explain" },
		{ "patterns.0.example.seq", 1, "and its number" },
	};

	make_swap();
	NUMBERS("swap on 5.10: ", (struct ct_whatif_opts){ .nr = 0 }, list);
	says("the table holds a policy against what happened", (struct ct_whatif_opts){ .nr = 0 },
	     "  mapcount                 10        30            -  40.0 KiB       10        - -40.0 KiB  -29.0 µs\n");
	says("and marks the kernel's own", (struct ct_whatif_opts){ .nr = 0 },
	     "* refcount                 20        20            -  80.0 KiB        -        -         -         -\n");
	says("with its prediction", (struct ct_whatif_opts){ .nr = 0 },
	     "  refcount predicts 40 of 40 determined faults (100.0 %); none is undetermined\n");
	says("what differs comes with answers and reasons", (struct ct_whatif_opts){ .nr = 0 },
	     "       reuse         mapcount (mapcount-one), swapcache (swapcache-freed), exclusive");
	says("what was not decided is told", (struct ct_whatif_opts){ .nr = 0 },
	     "  1 fault in no row: the kernel did not come to decide: raced 1\n");
	says("lower bounds are named", (struct ct_whatif_opts){ .nr = 0 }, "  Lower bounds: all copies and reuses of pages from swap");
	says("one policy can be shown alone",
	     (struct ct_whatif_opts){ .policy = { "minimal" }, .nr = 1 },
	     "Where it differs from what happened");
}

static void check_against(void)
{
	static const struct expected_number list[] = {
		{ "against.reasons.0.faults", 10, "unneeded ones of a reason" },
		{ "against.reasons.0.needed", 4, "needed ones of it" },
		{ "against.reasons.0.bytes", -10 * 4096, "the bytes" },
		{ "against.reasons.0.time_ns", -10 * 2900, "the time" },
		{ "against.reasons.1.needed", 6, "another reason" },
		{ "against.patterns.0.faults", 10, "the pattern" },
	};
	struct ct_whatif_opts opts = { .against = "minimal" };

	NUMBERS("against minimal: ", opts, list);
	says("copies that nobody needed come by reason", opts,
	     "  swapcache                 14         10    71.4 %            -  -40.0 KiB   -29.0 µs\n");
	says("with their sum", opts,
	     "  all                       20         10    50.0 %            -  -40.0 KiB   -29.0 µs\n");
}

static void check_diff(void)
{
	static const struct expected_number list[] = {
		{ "diff.patterns.0.faults", 10, "where they disagree" },
		{ "diff.patterns.1.faults", -1, "and nowhere else" },
	};
	struct ct_whatif_opts opts = { .diff = { "refcount", "swapcache" } };

	NUMBERS("refcount and swapcache: ", opts, list);
	says("two policies are set side by side", opts,
	     "  copy                          -            10            10             -             -\n");
}

static void check_own(void)
{
	static const struct expected_number list[] = {
		{ "policies.6.answers.reuse", 30, "it is asked about each fault" },
		{ "policies.6.answers.copy", 10, "whose kind it may decide" },
	};
	struct ct_whatif_opts opts = {
		.policy = { "mine=mapcount == 1 && swapcount == 0" }, .nr = 1,
	};

	NUMBERS("an own policy: ", opts, list);
	says("an own policy has its row", opts,
	     "  mine                     10        30            -  40.0 KiB       10        - -40.0 KiB  -29.0 µs\n");
	opts.policy[0] = "mine=address >> 12 & 1";
	says("a policy may tell faults apart that are alike to all others", opts,
	     "  mine                     20        20 ");
	opts.policy[0] = "mine=pincount == 0";
	says("what it does not find is its cause", opts, "  mine             pincount                   40  100.0 %");
}

static void check_refusals(void)
{
	static const struct {
		const char *policy, *text;
	} bad[] = {
		{ "nobody", "there is no policy \"nobody\": give one of mapcount, refcount, swapcache, exclusive, large-exclusive, minimal" },
		{ "minimal=ksm", "there is a policy minimal already" },
		{ "all=ksm", "there is a policy all already" },
		{ "A B=ksm", "\"A B\" is no name for a policy" },
		{ "mine=refcount ==", "policy mine cannot be asked" },
		{ "mine=@/nowhere", "/nowhere" },
	};
	struct ct_whatif_opts opts = { .nr = 1 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int status;
		char *text;

		opts.policy[0] = bad[i].policy;
		text = printed(&opts, &status);
		if (!ok(status == CT_REPORT_FAILED && !*text &&
			strstr(last_complaint.text, bad[i].text), "refused: --policy %s", bad[i].policy))
			note("%s", last_complaint.text);
		free(text);
	}
}

/* A huge page that 6.1 split for a reference too many, and goes on page by page. */
static void check_not_faulted(void)
{
	static const struct expected_number list[] = {
		{ "policies.0.answers.not-faulted", 1, "mapcount would have kept the huge page" },
		{ "policies.0.happened.split.reuse", 1, "which was split" },
		{ "policies.0.avoided.faults", 2, "both records are avoided" },
		{ "policies.0.avoided.bytes", -4096, "and the copy of one page" },
		{ "policies.0.avoided.time_ns", -(6000 - 500 + 2000), "the second in full" },
		{ "policies.3.answers.not-faulted", 0, "the kernel's own would not" },
	};
	struct scene s = begin(K6_1);
	struct cowtrace_record r = anon(COWTRACE_OUTCOME_SPLIT, COWTRACE_REASON_UNATTRIBUTED, 2);

	r.path = COWTRACE_PATH_PMD;
	r.kind = COWTRACE_KIND_THP;
	r.order = COWTRACE_PMD_ORDER;
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	put(&s, r, 1, 6000);
	r.path = COWTRACE_PATH_PTE;
	r.kind = COWTRACE_KIND_ANON;
	r.outcome = COWTRACE_OUTCOME_COPY;
	r.reason = COWTRACE_REASON_LARGE;
	r.state |= COWTRACE_AFTER_SPLIT;
	r.folio_mapcount = 512;
	r.refcount = 513;
	put(&s, r, 1, 2000);
	r = anon(COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_EXCLUSIVE, 1);
	r.path = COWTRACE_PATH_PMD;
	r.kind = COWTRACE_KIND_THP;
	r.order = COWTRACE_PMD_ORDER;
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	r.state |= COWTRACE_PG_EXCLUSIVE;
	put(&s, r, 1, 500);
	end(&s);
	NUMBERS("a huge page: ", (struct ct_whatif_opts){ .nr = 0 }, list);
	says("a fault that would not have been is told", (struct ct_whatif_opts){ .nr = 0 },
	     "  mapcount: 1 fault of one page would not have been, it would have kept the huge page that was split\n  first\n");
}

/* 6.12 reuses an exclusive page with a pin; a reference that nothing explains. */
static void check_added(void)
{
	static const struct expected_number list[] = {
		{ "policies.1.added.faults", 6, "refcount would have copied what was reused" },
		{ "policies.1.added.bytes", 6 * 4096, "with their bytes" },
		{ "policies.1.added.time_ns", 6 * (3000 - 1000), "and their time" },
		{ "policies.5.undetermined.0.faults", 2, "minimal does not know whose a reference is" },
		{ "hole.0.faults", 2, "mapcount reuses such a page" },
		{ "self.right", 9, "one prediction fails" },
		{ "self.determined", 10, "of all" },
		{ "self.wrong.0.evidence.shifted", 1, "and its evidence is told" },
	};
	struct scene s = begin(K6_12);
	struct cowtrace_record r;

	r = anon(COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_EXCLUSIVE, 1 + COWTRACE_PIN_BIAS);
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	r.state |= COWTRACE_PG_EXCLUSIVE;
	put(&s, r, 5, 1000);
	r = mapped();
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	put(&s, r, 2, 3000);
	r = anon(COWTRACE_OUTCOME_COPY, COWTRACE_REASON_UNATTRIBUTED, 3);
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	put(&s, r, 2, 3000);
	r = mapped();
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	r.outcome = COWTRACE_OUTCOME_REUSE;
	r.evidence |= COWTRACE_EV_SHIFTED;
	put(&s, r, 1, 1000);
	end(&s);
	NUMBERS("pins on 6.12: ", (struct ct_whatif_opts){ .nr = 0 }, list);
	says("what was foreseen wrongly comes with its evidence", (struct ct_whatif_opts){ .nr = 0 },
	     "where the sample says copy mapped: mapped more than once, not exclusive;\n             evidence: pte 1, shifted 1; like fault 0:10\n");
	says("what mapcount lets through is listed", (struct ct_whatif_opts){ .nr = 0 },
	     "What mapcount reuses and minimal does not vouch for\n");
	says("lower bounds are those of the kernel", (struct ct_whatif_opts){ .nr = 0 },
	     "  Lower bounds: copies of mapcount, refcount and swapcache, and reuses of each policy.");
}

/* The history of a trace stands in for the mark that 5.10 has not. */
static void check_history(void)
{
	static const struct expected_number list[] = {
		{ "policies.3.answers.reuse", 1, "the page of memory that never forked" },
		{ "policies.3.undetermined.0.faults", 1, "not that of a process from before" },
	};
	struct scene s = begin(K5_10);
	struct cowtrace_record r = anon(COWTRACE_OUTCOME_COPY, COWTRACE_REASON_UNATTRIBUTED, 3);

	add_comm(&s.b, 1, 100, "program", 1);
	add_comm(&s.b, 1, 200, "older", 0);
	put(&s, r, 1, 1000);
	r.tgid = 200;
	put(&s, r, 1, 1000);
	end(&s);
	NUMBERS("exclusive on 5.10: ", (struct ct_whatif_opts){ .nr = 0 }, list);
}

/* More patterns and processes than are told apart: outcomes and reasons of later schemas. */
static void check_bounds(void)
{
	static const struct expected_number list[] = {
		{ "faults", MANY, "all faults are counted" },
		{ "happened.faults", 4 * 256 + MANY - 65536 - 256, "and all that were decided" },
		{ "policies.1.answers.reuse", 4 * 256 + MANY - 65536 - 256, "with their answers" },
		{ "beyond.faults_of_more_patterns", MANY - 8192 - (MANY - 65536),
		  "patterns beyond are put together" },
		{ "beyond.faults_of_more_processes", MANY - 65536, "and processes counted" },
	};
	struct cowtrace_record *r = calloc(MANY, sizeof(*r));
	struct scene s = begin(K5_10);
	uint32_t i;

	if (!r)
		abort();
	for (i = 0; i < MANY; i++) {
		r[i] = plain_record(i + 1, i + 1);
		r[i].tgid = i + 1;
		r[i].outcome = i >> 8;
		r[i].reason = i;
		r[i].present &= ~COWTRACE_HAS_NEW_PFN;
	}
	ct_writer_chunk(s.w, CT_CHUNK_RECORDS, 0, r, MANY * sizeof(*r));
	end(&s);
	free(r);
	NUMBERS("beyond the bounds: ", (struct ct_whatif_opts){ .report.top = 10 }, list);
	says("what is beyond is told", (struct ct_whatif_opts){ .nr = 0 },
	     "There were too many processes or places: 464 and 0 faults count to none.");
}

static void check_random(void)
{
	struct ct_whatif_opts all[] = {
		{ .nr = 0 }, { .against = "minimal" }, { .diff = { "mapcount", "exclusive" } },
		{ .policy = { "one=refcount == 1" }, .nr = 1 },
	};
	struct trace_shape shape = { 5, 2, 2000, 100 };
	size_t i;

	make_trace(path, &shape);
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		int status;
		char *text = printed(&all[i], &status);
		size_t widest = widest_line(text);

		if (!ok(status == CT_REPORT_OK && widest <= 100, "no line is wider than 100 columns (%zu)", i))
			note("widest %zu", widest);
		free(text);
	}
}

/* What was counted by pattern must add up to what was counted by policy. */
static void check_sums(void)
{
	struct ct_whatif_opts opts = { .report.json = true };
	struct json_object *o;
	bool good = true;
	int status, i;
	char *text, where[64];

	text = printed(&opts, &status);
	o = json_tokener_parse(text);
	for (i = 0; i < COWTRACE_NR_POLICIES; i++) {
		static const char * const answers[] = {
			"not-asked", "reuse", "copy", "undetermined", "not-faulted",
		};
		int64_t sum = 0;
		size_t k;

		for (k = 0; k < 5; k++) {
			snprintf(where, sizeof(where), "policies.%d.answers.%s", i, answers[k]);
			sum += number(o, where);
		}
		good = good && sum == number(o, "happened.faults") && sum > 0;
	}
	ok(good, "the answers of each policy add up to the faults that were decided");
	json_object_put(o);
	free(text);
}

int main(void)
{
	path = temporary_file();
	check_policies();
	check_against();
	check_diff();
	check_own();
	check_refusals();
	check_not_faulted();
	check_added();
	check_history();
	check_bounds();
	check_random();
	check_sums();
	remove(path);
	free(path);
	return tap_end();
}
