// SPDX-License-Identifier: GPL-2.0
/* The names of expressions: each is what the record or its facts have, or is refused. */
#include <errno.h>
#include <string.h>

#include "says.h"

#define RECORDS		500

static struct random_state dice = { 6 };

/* Whether a policy may look at it has been decided for each field, one by one. */
static const char * const may[] = {
	"time_ns", "pid", "tgid", "uid", "address", "ip", "vm_flags", "pfn", "fault_flags",
	"refcount", "mapcount", "folio_mapcount", "pincount", "swapcount", "mapped_here",
	"path", "origin", "kind", "order", "node",
};

static const char * const may_not[] = {
	"seq", "cpu", "type", "magic", "comm", "duration_ns", "new_pfn", "ret", "state",
	"evidence", "present", "outcome", "reason",
};

static bool listed(const char * const *list, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

/* Is the name the value that it should be, and unknown without what it takes? */
static bool reads(const char *name, int64_t value, struct cowtrace_record r, uint16_t present)
{
	const char *cause;
	char text[96];
	int known;

	snprintf(text, sizeof(text), "%s == %lld", name, (long long)value);
	r.present |= present;
	known = says(text, &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, NULL);
	if (!present)
		return known == CT_TRUE;
	r.present &= ~present;
	return known == CT_TRUE && says(text, &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, &cause) ==
	       CT_UNKNOWN && !strcmp(cause, name);
}

#define VALUE_u8(f)	(f)
#define VALUE_u16(f)	(f)
#define VALUE_u32(f)	(f)
#define VALUE_u64(f)	(f)
#define VALUE_s32(f)	(f)
#define VALUE_char16(f)	0
#define FIELD(member, ctype, format, unit, present, sentence)		\
	check_field(#member, VALUE_##ctype(r.member), format, present, &r);

static void check_field(const char *name, int64_t value, const char *format, uint16_t present,
			const struct cowtrace_record *r)
{
	struct ct_expression_error err;
	struct ct_expression *e;

	if (listed(may_not, ARRAY_SIZE(may_not), name))
		ok(ct_expression_parse(name, &e, &err) == -EINVAL, "%s is refused", name);
	else if (!strncmp(format, "enum:", 5))
		ok(ct_expression_parse(name, &e, &err) == -EINVAL, "%s alone is no number", name);
	else
		ok(reads(name, value, *r, present), "%s is the value of the field", name);
	ok(listed(may, ARRAY_SIZE(may), name) != listed(may_not, ARRAY_SIZE(may_not), name),
	   "somebody has decided whether a policy may look at %s", name);
}

/* The words of a field are constants right of it, but for "unknown". */
#define PATH(id, value, name, sentence)		check_word("path", value, name);
#define ORIGIN(id, value, name, sentence)	check_word("origin", value, name);
#define KIND(id, value, name, sentence)		check_word("kind", value, name);

static void check_word(const char *field, int value, const char *name)
{
	struct cowtrace_record r = plain_record(0, 0);
	struct ct_expression_error err;
	struct ct_expression *e;
	const char *cause = "";
	char text[64];
	int is, is_not;

	snprintf(text, sizeof(text), "%s == %s", field, name);
	r.path = value;
	r.origin = value;
	r.kind = value;
	if (!strcmp(name, "unknown")) {
		ok(ct_expression_parse(text, &e, &err) == -EINVAL, "%s is refused", text);
		snprintf(text, sizeof(text), "%s != %s", field,
			 strcmp(field, "kind") ? "remote" : "file");
		ok(says(text, &r, 0, -1, &cause) == CT_UNKNOWN && !strcmp(cause, field),
		   "an unknown %s is unknown to each comparison", field);
		return;
	}
	is = says(text, &r, 0, -1, NULL);
	snprintf(text, sizeof(text), "%s != %s", field, name);
	is_not = says(text, &r, 0, -1, NULL);
	r.path++;
	r.origin++;
	r.kind++;
	ok(is == CT_TRUE && is_not == CT_FALSE && says(text, &r, 0, -1, NULL) == CT_TRUE,
	   "%s == %s is true of that %s alone", field, name, field);
}

#define STATE(id, bit, name, sentence)		check_state(#id, bit, name, sentence);

static void check_state(const char *id, int bit, const char *name, const char *sentence)
{
	struct cowtrace_record r = plain_record(0, 0);
	bool page = !strncmp(id, "PG_", 3);
	uint16_t present = page ? COWTRACE_HAS_PAGE : 0;
	struct ct_expression_error err;
	struct ct_expression *e;
	char typed[32] = "";
	size_t i;

	for (i = 0; i < sizeof(typed) - 1 && name[i]; i++)
		typed[i] = name[i] == '-' ? '_' : name[i];
	if (strncmp(sentence, "entry:", 6)) {
		ok(ct_expression_parse(name, &e, &err) == -EINVAL &&
		   ct_expression_parse(typed, &e, &err) == -EINVAL, "%s is refused", name);
		return;
	}
	/* What the sample found locked may have been let go: a fact. */
	if (!strcmp(name, "locked"))
		return;
	r.order = 9;
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	r.state = 1u << bit;
	ok(says(typed, &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, NULL) == CT_TRUE &&
	   says(name, &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, NULL) == CT_TRUE,
	   "%s is 1 with its bit, written with dashes or not", typed);
	r.state = ~r.state;
	ok(says(typed, &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, NULL) == CT_FALSE,
	   "%s is 0 without its bit", typed);
	r.present &= ~COWTRACE_HAS_PAGE;
	ok(says(typed, &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, 1, NULL) ==
	   (present ? CT_UNKNOWN : CT_FALSE),
	   "%s is %s without a page", typed, present ? "unknown" : "known");
}

static void check_names(void)
{
	struct cowtrace_record r = random_record(&dice);

	r.refcount = -3;
	r.order = 9;
	r.state = COWTRACE_PG_SWAPCACHE;
	r.evidence = 0;
	r.present = 0xffff;
	COWTRACE_FIELDS(FIELD)
	COWTRACE_STATES(STATE)
	COWTRACE_PATHS(PATH)
	COWTRACE_ORIGINS(ORIGIN)
	COWTRACE_KINDS(KIND)
}

static void check_facts(void)
{
	struct cowtrace_record r = plain_record(0, 0);
	const char *cause = NULL;

	ok(says("exclusive", &r, 0, -1, &cause) == CT_UNKNOWN && !strcmp(cause, "exclusive"),
	   "a kernel that does not know exclusive leaves it unknown");
	ok(says("exclusive", &r, 0, 1, NULL) == CT_TRUE, "unless the caller knows that it is");
	ok(says("exclusive", &r, 0, 0, NULL) == CT_FALSE, "or that it is not");

	r.mapcount = 2;
	ok(says("exclusive", &r, 0, -1, NULL) == CT_FALSE, "a page that is mapped twice is not");
	r.mapcount = 1;
	r.state |= COWTRACE_PG_KSM;
	ok(says("exclusive", &r, 0, -1, NULL) == CT_FALSE, "nor is one that was merged");
	r.state &= ~COWTRACE_PG_KSM;
	r.state |= COWTRACE_PG_SWAPCACHE;
	r.present |= COWTRACE_HAS_SWAPCOUNT;
	r.swapcount = 1;
	ok(says("exclusive", &r, 0, -1, NULL) == CT_FALSE, "nor one that is swapped out elsewhere");
	r.swapcount = 0;
	ok(says("exclusive", &r, 0, -1, NULL) == CT_UNKNOWN,
	   "nobody else now does not mean that nobody was");
	r.state &= ~COWTRACE_PG_SWAPCACHE;
	r.present &= ~COWTRACE_HAS_SWAPCOUNT;
	ok(says("swapcount == 0", &r, 0, -1, NULL) == CT_TRUE,
	   "outside of the swap cache nothing is swapped out");
	r.state |= COWTRACE_PG_SWAPCACHE;
	r.outcome = COWTRACE_OUTCOME_COPY;
	ok(says("swapcount == 0", &r, 0, -1, &cause) == CT_UNKNOWN && !strcmp(cause, "swapcount"),
	   "in the swap cache the count has to be known");
	r.state |= COWTRACE_EXIT_UNCACHED;
	ok(says("swapcount == 0", &r, 0, -1, NULL) == CT_TRUE,
	   "a slot that was freed tells its count");

	r.order = 4;
	r.mapcount = 1;
	r.folio_mapcount = 3;
	r.present |= COWTRACE_HAS_MAPPED_HERE;
	r.mapped_here = 3;
	ok(says("elsewhere", &r, 0, -1, NULL) == CT_FALSE &&
	   says("mm_shared", &r, 0, -1, NULL) == CT_FALSE,
	   "a folio that is mapped here alone is not mapped elsewhere");
	r.mapped_here = 2;
	ok(says("elsewhere", &r, 0, -1, NULL) == CT_TRUE, "the mapping too many is elsewhere");
	ok(says("mm_shared", &r, 0, -1, &cause) == CT_UNKNOWN && !strcmp(cause, "mm_shared"),
	   "whether that is another process is not known");

	r = plain_record(0, 0);
	r.state |= COWTRACE_PG_LOCKED;
	ok(says("locked", &r, 0, -1, NULL) == CT_FALSE, "who kept the page got its lock");
	r.outcome = COWTRACE_OUTCOME_RACED;
	ok(says("locked", &r, 0, -1, &cause) == CT_UNKNOWN && !strcmp(cause, "locked"),
	   "a lock that was held may have been let go");
	r.state &= ~COWTRACE_PG_LOCKED;
	ok(says("locked", &r, 0, -1, NULL) == CT_FALSE, "a lock that was free is not held");

	r = plain_record(0, 0);
	ok(says("kind == ksm", &r, 0, -1, NULL) == CT_FALSE, "ksm right of kind is a kind");
	r.state |= COWTRACE_PG_KSM;
	ok(says("ksm && kind != ksm", &r, 0, -1, NULL) == CT_TRUE, "ksm elsewhere is a state");
	ok(says("kind == anon == ksm", &r, 0, -1, NULL) == CT_TRUE,
	   "right of a comparison ksm is a state");
}

static void check_holders(void)
{
	bool same = true, unknown = false, known = false, moved = false;

	for (int i = 0; i < RECORDS; i++) {
		struct cowtrace_record r = random_record(&dice);
		uint32_t traits = next_random(&dice);
		struct cowtrace_holders h = cowtrace_holders(&r, traits);
		bool unstable = r.evidence & COWTRACE_EV_UNSTABLE;
		const char *cause = NULL;
		char text[128];
		int truth;

		snprintf(text, sizeof(text), "pins == %d && lru_ref == %d && unattributed == %d",
			 h.pins, h.lru, h.unattributed);
		truth = says(text, &r, traits, -1, &cause);
		if (!h.known)
			same = same && truth == CT_UNKNOWN && !strcmp(cause, "pins");
		else if (unstable)
			same = same && truth == CT_UNKNOWN && !strcmp(cause, "a count that moved");
		else
			same = same && truth == CT_TRUE;
		known |= h.known && !unstable;
		unknown |= !h.known;
		moved |= h.known && unstable;
	}
	ok(same && known && unknown && moved,
	   "pins, lru_ref and unattributed are what the holders are");
}

static void check_moved(void)
{
	struct cowtrace_record r = plain_record(0, 0);
	const char *cause = NULL;

	r.evidence |= COWTRACE_EV_UNSTABLE;
	ok(says("refcount == 1", &r, 0, -1, &cause) == CT_UNKNOWN &&
	   !strcmp(cause, "a count that moved"), "a reference count that moved is unknown");
	ok(says("mapcount == 1", &r, 0, -1, NULL) == CT_TRUE, "the count of mappings stays known");
}

/* Does it read refcount, state and order at most? */
static bool reads_only(const char *text)
{
	static const size_t fields[] = {
		offsetof(struct cowtrace_record, order), offsetof(struct cowtrace_record, state),
		offsetof(struct cowtrace_record, refcount),
	};
	struct ct_expression *e = parsed(text);
	bool only = e && ct_expression_reads_only(e, fields, ARRAY_SIZE(fields));

	ct_expression_free(e);
	return only;
}

static void check_reads(void)
{
	ok(reads_only("refcount == 1 + swapcache * pages && !pte_young"),
	   "fields are told by their offsets, states and pages are what they come from");
	ok(reads_only("exclusive || pins && 1"), "a fact is no field");
	ok(!reads_only("1 && tgid == 1"), "a field more is noticed");
	ok(!reads_only("refcount == 1 && kind == thp"), "so is one with words");
	ok(!reads_only("time_ns >> 20 & 1 || ksm"), "and the first of several");
}

static void check_pages(void)
{
	struct cowtrace_record r = plain_record(0, 0);

	r.order = 9;
	ok(says("pages == 512", &r, 0, -1, NULL) == CT_TRUE, "an order of 9 is 512 pages");
	r.order = 200;
	ok(says("pages", &r, 0, -1, NULL) == CT_UNKNOWN, "an order that cannot be is unknown");
	r.present = 0;
	r.order = 0;
	ok(says("pages", &r, 0, -1, NULL) == CT_UNKNOWN, "without a page there are no pages");
}

int main(void)
{
	check_names();
	check_facts();
	check_holders();
	check_moved();
	check_pages();
	check_reads();
	return tap_end();
}
