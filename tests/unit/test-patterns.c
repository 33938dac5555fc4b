// SPDX-License-Identifier: GPL-2.0
/* Which faults are one pattern, which are asked for, and how they are printed. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "explain_print.h"
#include "generate.h"
#include "match.h"
#include "tap.h"

#define TRAITS	(COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE)

static struct ct_schema *schema;

static struct cowtrace_record reused(uint32_t seq)
{
	return plain_record(seq, 1000 * seq);
}

static struct cowtrace_record copied(uint32_t seq, int32_t mappings)
{
	struct cowtrace_record r = plain_record(seq, 1000 * seq);

	r.outcome = COWTRACE_OUTCOME_COPY;
	r.reason = COWTRACE_REASON_MAPPED;
	r.refcount = mappings;
	r.mapcount = mappings;
	r.folio_mapcount = mappings;
	r.duration_ns = 9000;
	return r;
}

static struct ct_patterns patterns_of(const struct cowtrace_record *records, size_t n)
{
	struct ct_patterns p = { .traits = TRAITS, .page_size = 4096 };

	for (size_t i = 0; i < n; i++)
		if (ct_patterns_add(&p, &records[i]))
			abort();
	return p;
}

/* --- what is one pattern ----------------------------------------------------- */

static void differ(const char *claim, size_t expected, const struct cowtrace_record *other)
{
	struct cowtrace_record records[] = { reused(1), *other };
	struct ct_patterns p = patterns_of(records, 2);

	if (!ok(p.nr == expected, "%s", claim))
		note("%zu patterns", p.nr);
	ct_patterns_free(&p);
}

static void check_same(void)
{
	struct cowtrace_record r = reused(2);

	r.pid = r.tgid = 7;
	r.address += 4096;
	r.pfn++;
	r.state |= COWTRACE_PG_DIRTY | COWTRACE_PTE_YOUNG;
	differ("who wrote where, and states that no step looks at, make no difference", 1, &r);
	r = reused(2);
	r.origin = COWTRACE_ORIGIN_REMOTE;
	differ("another origin is another pattern", 2, &r);
	r = reused(2);
	r.state &= ~COWTRACE_PG_LRU;
	differ("a state that a step looks at is another pattern", 2, &r);
	r = reused(2);
	r.state |= COWTRACE_AFTER_SPLIT;
	differ("the rest of a split access is another pattern", 2, &r);
	r = reused(2);
	r.reason = COWTRACE_REASON_EXCLUSIVE;
	r.state |= COWTRACE_PG_EXCLUSIVE;
	differ("another reason is another pattern", 2, &r);
	r = copied(2, 2);
	differ("another outcome is another pattern", 2, &r);
}

static void check_counts(void)
{
	struct cowtrace_record records[] = {
		copied(1, 3), reused(2), copied(3, 2), copied(4, 2), reused(5), copied(6, 5),
	};
	struct ct_patterns p = patterns_of(records, 6);

	ok(p.nr == 3, "copies by another step are another pattern");
	ct_patterns_sort(&p, CT_BY_FAULTS);
	ok(p.patterns[0].faults == 3 && p.faults == 6, "the most frequent comes first");
	ok(p.patterns[0].bytes == 3 * 4096 && p.patterns[0].ns == 27000 && p.bytes == 4 * 4096,
	   "bytes and time are added up");
	ok(p.patterns[0].min_refs == 2 && p.patterns[0].max_refs == 3,
	   "the least and the greatest reference count are kept");
	ok(p.patterns[0].example.refcount == 2, "the example is like most of them");
	ct_patterns_free(&p);
	p = patterns_of(&records[4], 2);
	ct_patterns_sort(&p, CT_BY_TIME);
	ok(p.patterns[0].example.outcome == COWTRACE_OUTCOME_COPY, "by time, the costly come first");
	ct_patterns_free(&p);
}

/* --- which faults are meant -------------------------------------------------- */

static void matches(const char *claim, const char *setting, bool expected)
{
	struct cowtrace_record r = copied(1, 2);
	struct ct_match m = { 0 };
	struct ct_error err;

	ok(!ct_match_add(&m, schema, setting, &err) && ct_match_fits(&m, &r) == expected, "%s",
	   claim);
}

static void refuses(const char *claim, const char *setting, const char *says)
{
	struct ct_match m = { 0 };
	struct ct_error err = { 0 };

	if (!ok(ct_match_add(&m, schema, setting, &err) == -EINVAL && strstr(err.text, says), "%s",
		claim))
		note("%s", err.text);
}

static void check_match(void)
{
	matches("a process is found by its number", "tgid=100", true);
	matches("another process is left out", "tgid=101", false);
	matches("a thread of another number is left out", "pid=101", false);
	matches("a user is found", "uid=0", true);
	matches("a name is found", "comm=writer", true);
	matches("a name that only begins alike is left out", "comm=write", false);
	matches("one outcome of several is enough", "outcome=reuse,copy", true);
	matches("another outcome is left out", "outcome=reuse", false);
	matches("another reason is left out", "reason=swapcache,lru", false);
	matches("a kind is found", "kind=anon", true);
	matches("another path is left out", "path=pmd", false);
	matches("another origin is left out", "origin=kernel", false);
	matches("a fault that is long enough is found", "min_duration_ns=9000", true);
	matches("a shorter one is left out", "min_duration_ns=9001", false);
	refuses("an unknown filter names those that there are", "colour=red", "min_duration_ns");
	refuses("an unknown word names those that there are", "reason=swap", "writeback");
	refuses("a number with more behind it is none", "pid=1x", "number");
	refuses("a filter without a value is none", "pid", "NAME=VALUE");
	refuses("a name that is too long is none", "comm=abcdefghijklmnop", "1 to 15");
}

/* --- what is printed --------------------------------------------------------- */

typedef int print_patterns(FILE *, const struct ct_schema *, const struct ct_patterns *, size_t);
typedef int print_access(FILE *, const struct ct_schema *, const struct ct_access *);

static char *printed(print_patterns *print, struct ct_patterns *p, size_t top)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ct_patterns_sort(p, CT_BY_FAULTS);
	print(f, schema, p, top);
	fclose(f);
	return text;
}

static char *printed_access(print_access *print, const struct ct_access *a)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(f, schema, a);
	fclose(f);
	return text;
}

static struct json_object *at(struct json_object *o, const char *name)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(o, name, &found);
	return found;
}

static const char *text_at(struct json_object *o, const char *name)
{
	return json_object_get_string(at(o, name)) ?: "";
}

static void check_text(void)
{
	struct cowtrace_record records[] = { copied(1, 2), copied(2, 2), reused(3) };
	struct ct_patterns p = patterns_of(records, 3);
	char *text = printed(ct_explain_patterns_text, &p, 1);

	ok(strstr(text, "  1. 2 faults (66.7 %): copy mapped, anon, user, 8.00 KiB copied, 18.0 µs; like fault 0:1\n"),
	   "a pattern has its number, share, cost and an example");
	ok(strstr(text, "     6.1 copied this page because other mappings"), "and its verdict");
	ok(strstr(text, "decided  folio_ref_count(folio) > 1 + folio_test_swapcache(folio)"),
	   "and the step that decided");
	ok(!strstr(text, "skipped") && !strstr(text, "not-reached"),
	   "steps that were not asked are left out");
	ok(!strstr(text, "  2. "), "no more patterns are printed than asked for");
	free(text);
	text = printed(ct_explain_patterns_text, &p, 2);
	ok(strstr(text, "  2. 1 fault (33.3 %): ") && strstr(text, "3 faults in 2 patterns, "),
	   "one fault is no faults");
	free(text);
	ct_patterns_free(&p);
	p = patterns_of(records, 0);
	text = printed(ct_explain_patterns_text, &p, 1);
	ok(!strcmp(text, "There is no such fault in this trace.\n"), "nothing is told as nothing");
	free(text);
	ct_patterns_free(&p);
}

static void check_json(void)
{
	struct cowtrace_record records[] = { copied(1, 2), copied(2, 2), reused(3) };
	struct ct_patterns p = patterns_of(records, 3);
	char *text = printed(ct_explain_patterns_json, &p, 9);
	struct json_object *o = json_tokener_parse(text), *first, *example, *step = NULL;

	first = json_object_array_get_idx(at(o, "patterns"), 0);
	example = at(first, "example");
	ok(json_object_get_int(at(first, "faults")) == 2 &&
	   json_object_get_int(at(o, "faults")) == 3, "JSON counts the faults");
	ok(!strcmp(text_at(first, "needed"), "yes") && !strcmp(text_at(first, "folio"), "page"),
	   "and says what they have in common");
	ok(!strncmp(text_at(example, "verdict"), "6.1 copied", 10) &&
	   !strcmp(text_at(example, "fault"), "0:1"), "the example is explained");
	ok(!strcmp(text_at(at(example, "decision"), "test"), "folio_ref_count()") &&
	   json_object_get_int(at(at(example, "holders"), "mappings")) == 2,
	   "with the deciding test and the holders");
	for (size_t i = 0; i < json_object_array_length(at(example, "steps")); i++)
		if (!strcmp(text_at(json_object_array_get_idx(at(example, "steps"), i), "state"),
			    "decided"))
			step = json_object_array_get_idx(at(example, "steps"), i);
	ok(!strcmp(text_at(step, "function"), "do_wp_page"), "and the step with its function");
	json_object_put(o);
	free(text);
	ct_patterns_free(&p);
}

static void check_access(void)
{
	struct ct_access a = { .records = { copied(7, 2), copied(8, 2) }, .nr = 2, .asked = 1 };
	struct json_object *o;
	char *text;

	a.records[0].path = COWTRACE_PATH_PMD;
	a.records[0].kind = COWTRACE_KIND_THP;
	a.records[0].order = 9;
	a.records[0].outcome = COWTRACE_OUTCOME_SPLIT;
	a.records[1].state |= COWTRACE_AFTER_SPLIT;
	memcpy(a.records[1].comm, "a\nb", 4);
	text = printed_access(ct_explain_access_text, &a);
	ok(strstr(text, "fault 0:7, where the same access began: ") &&
	   strstr(text, "6.1 split the mapping of this huge page"),
	   "the split that an access began with comes first");
	ok(strstr(text, "\nfault 0:8: a?b-100 at 0x7f0000001000 (pte, user)"),
	   "then the fault that was asked for");
	free(text);
	text = printed_access(ct_explain_access_json, &a);
	o = json_tokener_parse(text);
	ok(json_object_array_length(at(o, "access")) == 2 &&
	   json_object_get_int(at(o, "asked")) == 1, "JSON has both and says which was asked for");
	json_object_put(o);
	free(text);
}

int main(void)
{
	schema = schema_of(TRAITS);
	check_same();
	check_counts();
	check_match();
	check_text();
	check_json();
	check_access();
	ct_schema_free(schema);
	return tap_end();
}
