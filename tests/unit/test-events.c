// SPDX-License-Identifier: GPL-2.0
/* What `cowtrace events` prints of a fault, and which faults are one access. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cowtrace/vocab.h>

#include "event_print.h"
#include "generate.h"
#include "merge.h"
#include "tap.h"

#define TRAITS	(COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST | COWTRACE_TRAIT_LARGE_COPY)

static struct ct_schema *schema;

/* --- which faults are one access -------------------------------------------- */

static struct cowtrace_record split_record(uint32_t pid, uint32_t seq)
{
	struct cowtrace_record r = plain_record(seq, 1000);

	r.pid = pid;
	r.cpu = 3;
	r.path = COWTRACE_PATH_PMD;
	r.kind = COWTRACE_KIND_THP;
	r.outcome = COWTRACE_OUTCOME_SPLIT;
	r.reason = COWTRACE_REASON_MAPPED;
	r.refcount = 2;
	r.mapcount = 2;
	r.folio_mapcount = 2;
	r.order = 9;
	return r;
}

static struct cowtrace_record rest_record(uint32_t pid, uint32_t seq)
{
	struct cowtrace_record r = plain_record(seq, 2000);

	r.pid = pid;
	r.state |= COWTRACE_AFTER_SPLIT;
	return r;
}

static void links(const char *claim, bool expected, const struct cowtrace_record *records, size_t n)
{
	struct ct_splits splits = { 0 };
	struct ct_split split = { 0 };
	bool found = false;

	for (size_t i = 0; i < n; i++)
		found = ct_splits_take(&splits, &records[i], &split);
	ok(found == expected, "%s", claim);
}

#define RECORDS(...)							\
	(const struct cowtrace_record []){ __VA_ARGS__ },		\
	sizeof((struct cowtrace_record []){ __VA_ARGS__ }) / sizeof(struct cowtrace_record)

static void check_links(void)
{
	struct cowtrace_record other = rest_record(7, 2), plain = plain_record(2, 2000);
	struct ct_splits splits = { 0 };
	struct cowtrace_record r;
	struct ct_split split;

	r = split_record(7, 41);
	ct_splits_take(&splits, &r, &split);
	r = rest_record(7, 2);
	ok(ct_splits_take(&splits, &r, &split) && split.cpu == 3 && split.seq == 41,
	   "the rest of an access names CPU and number of its split");
	other.address += 4096;
	plain.pid = 7;
	links("a split links once", false,
	      RECORDS(split_record(7, 1), rest_record(7, 2), rest_record(7, 3)));
	links("a split of another address is no link", false, RECORDS(split_record(7, 1), other));
	links("a split of another thread is no link", false,
	      RECORDS(split_record(8, 1), rest_record(7, 2)));
	links("other threads may come between", true,
	      RECORDS(split_record(7, 1), rest_record(8, 2), rest_record(7, 3)));
	links("a fault of the thread itself between ends the access", false,
	      RECORDS(split_record(7, 1), plain, rest_record(7, 3)));
	links("a fault that does not say so is no rest of an access", false,
	      RECORDS(split_record(7, 1), plain));
	links("a split that was lost leaves no link", false, RECORDS(rest_record(7, 2)));
	links("two threads in one place leave no wrong link", false,
	      RECORDS(split_record(7, 1), split_record(7 + CT_SPLITS_PLACES, 2),
		      rest_record(7, 3)));
	links("a thread without a number has no link", false,
	      RECORDS(split_record(0, 1), rest_record(0, 2)));
}

/* --- one fault -------------------------------------------------------------- */

/* The fault in words, to be freed. */
static char *printed(void (*print)(FILE *, const struct ct_fault *),
		     const struct cowtrace_record *r, const struct ct_split *split)
{
	struct ct_fault fault = { schema, r, r, split };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(f, &fault);
	fclose(f);
	return text;
}

static void prints(const char *claim, const struct cowtrace_record *r,
		   const struct ct_split *split, const char *expected, bool there)
{
	char *text = printed(ct_fault_text, r, split);

	if (!ok(!!strstr(text, expected) == there, "%s", claim))
		note("%s", text);
	free(text);
}

static void check_text(void)
{
	static const struct ct_split before = { 7, 3, 41, 0x1000 };
	struct cowtrace_record r = plain_record(1, 12345678901);

	prints("a reuse shows the test that allowed it", &r, NULL,
	       " reuse sole-ref (folio_ref_count() 1 <= 1) ", true);
	prints("the path of one page goes without saying", &r, NULL, "path=", false);
	prints("a fault without a split continues nothing", &r, NULL, "continues", false);
	prints("the evidence is named", &r, NULL, " evidence=pte ", true);
	prints("the fault has its number", &r, NULL, " fault=0:1\n", true);
	prints("the time is seconds with microseconds", &r, NULL, "12.345678 [000] writer-100 ",
	       true);
	prints("a holder that holds nothing is left out", &r, NULL, "pins", false);
	r.outcome = COWTRACE_OUTCOME_COPY;
	r.reason = COWTRACE_REASON_MAPPED;
	r.refcount = 3;
	r.mapcount = 3;
	r.folio_mapcount = 3;
	prints("a copy shows the test that failed and its value", &r, NULL,
	       " copy mapped (folio_ref_count() 3 > 1) ", true);
	prints("a holder is counted", &r, NULL, " refs=3 mappings=3 ", true);
	r.state |= COWTRACE_AFTER_SPLIT;
	prints("the rest of an access names its split", &r, &before, " continues=3:41\n", true);
	r.reason = COWTRACE_REASON_KSM;
	prints("a test without a number stands alone", &r, NULL, " (folio_test_ksm()) ", true);
	r.present &= ~COWTRACE_HAS_NEW_PFN;
	prints("an absent field is a dash", &r, NULL, " new_pfn=- ", true);
	r.outcome = COWTRACE_OUTCOME_RACED;
	r.reason = COWTRACE_REASON_NONE;
	prints("an outcome without a reason shows no test", &r, NULL, " raced kind=", true);
	prints("a page that is in no swap cache shows no swap count", &r, NULL, "swapcount", false);
	r.state |= COWTRACE_PG_SWAPCACHE | COWTRACE_EXIT_SWAPCACHE;
	prints("a swap count that the kernel does not give is a dash", &r, NULL,
	       " swapcount=- pfn=", true);
	prints("the last of the 32 states has its name", &r, NULL, "|exit-swapcache ", true);
	r.present |= COWTRACE_HAS_SWAPCOUNT | COWTRACE_HAS_MAPPED_HERE;
	r.swapcount = 2;
	r.mapped_here = 511;
	prints("the counts of slot and page table are printed", &r, NULL,
	       " swapcount=2 mapped_here=511 ", true);
	r.seq = 0;
	prints("a fault without a number shows none", &r, NULL, "fault=", false);
	r = split_record(7, 1);
	prints("another path is named", &r, NULL, " path=pmd ", true);
	r.evidence = 0;
	prints("no evidence is a dash", &r, NULL, " evidence=-", true);
	memcpy(r.comm, "a\nb\033", 5);
	prints("a name cannot break the line", &r, NULL, " a?b?", true);
	r.outcome = 77;
	prints("a word of a later schema is its number", &r, NULL, " ?77 mapped", true);
	r.outcome = COWTRACE_OUTCOME_COPY;
	r.order = 255;
	r.state |= COWTRACE_PG_SWAPCACHE;
	prints("an order that no kernel has is printed", &r, NULL, " order=255 ", true);
}

static struct json_object *member(struct json_object *o, const char *a, const char *b)
{
	struct json_object *found = NULL;

	if (json_object_object_get_ex(o, a, &found) && b)
		json_object_object_get_ex(found, b, &found);
	return found;
}

static void check_json(void)
{
	static const struct ct_split before = { 7, 3, 41, 0x1000 };
	struct cowtrace_record r = plain_record(1, 1000);
	struct json_object *o;
	char *text;

	r.evidence = COWTRACE_EV_PTE | COWTRACE_EV_COUNTED;
	r.mapped_here = 7;
	r.present |= COWTRACE_HAS_MAPPED_HERE;
	text = printed(ct_fault_json, &r, &before);
	o = json_tokener_parse(text);
	ok(!strcmp(json_object_get_string(member(o, "decision", "test")) ?: "",
		   "folio_ref_count()"), "JSON has the deciding test");
	ok(json_object_get_int(member(o, "decision", "value")) == 1 &&
	   json_object_get_int(member(o, "decision", "limit")) == 1,
	   "and what it compared");
	ok(json_object_is_type(member(o, "evidence", NULL), json_type_array) &&
	   !strcmp(json_object_get_string(json_object_array_get_idx(member(o, "evidence", NULL),
								    1)) ?: "", "counted"),
	   "JSON has evidence as names");
	ok(json_object_object_get_ex(o, "swapcount", NULL) && !member(o, "swapcount", NULL) &&
	   json_object_get_int(member(o, "mapped_here", NULL)) == 7,
	   "JSON has the counts, null for what is absent");
	ok(json_object_get_int(member(o, "continues", "cpu")) == 3 &&
	   json_object_get_int(member(o, "continues", "seq")) == 41, "JSON has the split");
	json_object_put(o);
	free(text);
	r.reason = COWTRACE_REASON_EXCLUSIVE;
	text = printed(ct_fault_json, &r, NULL);
	o = json_tokener_parse(text);
	ok(member(o, "decision", NULL) && !member(o, "decision", "value"),
	   "a test without a number has null for it");
	ok(!json_object_object_get_ex(o, "continues", NULL), "without a split there is no link");
	json_object_put(o);
	free(text);
	r.outcome = COWTRACE_OUTCOME_RACED;
	r.reason = COWTRACE_REASON_NONE;
	text = printed(ct_fault_json, &r, NULL);
	o = json_tokener_parse(text);
	ok(json_object_object_get_ex(o, "decision", NULL) && !member(o, "decision", NULL),
	   "an outcome without a reason has no decision");
	json_object_put(o);
	free(text);
}

/* --- all CPUs --------------------------------------------------------------- */

/* Streams of two CPUs, of which each read gives what was put there. */
static struct bytes streams[2];
static bool ended;

static int open_cpu(struct ct_source *source, unsigned int cpu, struct ct_error *err)
{
	(void)source;
	(void)err;
	return cpu < 2 ? dup(STDOUT_FILENO) : -ENOENT;
}

static unsigned int turn;

static ssize_t read_cpu(struct ct_source *source, int fd, void *data, size_t size)
{
	struct bytes *b = &streams[turn++ % 2];
	size_t n = b->size < size ? b->size : size;

	(void)source;
	(void)fd;
	if (!n)
		return ended ? 0 : -EAGAIN;
	memcpy(data, b->data, n);
	b->size = 0;
	return n;
}

static void put(unsigned int cpu, uint32_t seq, uint64_t time_ns)
{
	struct cowtrace_record r = plain_record(seq, time_ns);

	append_bytes(&streams[cpu], &r, sizeof(r));
}

static void check_merge(void)
{
	struct ct_source source = { .open_cpu = open_cpu, .read_cpu = read_cpu };
	struct cowtrace_record r;
	struct ct_merge *m;
	struct ct_error err;
	bool good;

	if (sysconf(_SC_NPROCESSORS_CONF) < 2) {
		printf("ok %d - # SKIP one CPU: nothing to merge\n", ++tap_count);
		return;
	}
	if (ct_merge_open(&source, schema, &m, &err))
		abort();
	put(0, 1, 1000);
	put(0, 2, 3000);
	put(1, 7, 2000);
	ct_merge_read(m, &err);
	good = ct_merge_next(m, &r) && r.seq == 1 && ct_merge_next(m, &r) && r.seq == 7;
	ok(good, "records of two CPUs come in the order of their ends");
	ok(!ct_merge_next(m, &r), "a record waits until what comes before it must have been read");
	/* CPU 1 was taken empty, so it is the only one that is read again. */
	turn = 1;
	ct_merge_read(m, &err);
	ok(ct_merge_next(m, &r) && r.seq == 2, "an empty CPU holds no older record up");
	ok(!ct_merge_ended(m), "streams that may go on have not ended");
	turn = 0;
	put(0, 3, UINT64_MAX - 1000);
	ct_merge_read(m, &err);
	ok(!ct_merge_next(m, &r), "a record of the future waits");
	ended = true;
	turn = 1;
	ct_merge_read(m, &err);
	ok(ct_merge_next(m, &r) && r.seq == 3, "a CPU that ended holds nothing up");
	turn = 0;
	ct_merge_read(m, &err);
	ok(ct_merge_ended(m) && !ct_merge_next(m, &r), "all ends when each CPU has");
	ct_merge_close(m);
	free(streams[0].data);
	free(streams[1].data);
}

int main(void)
{
	schema = schema_of(TRAITS);
	check_links();
	check_text();
	check_json();
	check_merge();
	ct_schema_free(schema);
	return tap_end();
}
