// SPDX-License-Identifier: GPL-2.0
/* What expressions mean: the compiler's own values, three-valued logic, every name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/holders.h>
#include <cowtrace/vocab.h>

#include "expression.h"
#include "generate.h"
#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define RECORDS		500

static struct random_state dice = { 5 };

static struct ct_expression *parsed(const char *text)
{
	static struct ct_expression_error err;
	struct ct_expression *e;

	if (!ct_expression_parse(text, &e, &err))
		return e;
	note("%s", err.text);
	return NULL;
}

/* What @text says of a fault; a text that is refused says nothing that could be expected. */
static int says(const char *text, const struct cowtrace_record *r, uint32_t traits,
		int exclusive, const char **cause)
{
	struct ct_expression *e = parsed(text);
	int truth = e ? (int)ct_expression_eval(e, r, traits, exclusive, cause) : -1;

	ct_expression_free(e);
	return truth;
}

/* Every field and presence bit is as the dice fall, but what the reader holds constant. */
static struct cowtrace_record random_record(void)
{
	struct cowtrace_record r;

	for (size_t i = 0; i < sizeof(r); i++)
		((unsigned char *)&r)[i] = next_random(&dice);
	r.order = below(&dice, 11);
	r.refcount = below(&dice, 6);
	r.mapcount = below(&dice, 4);
	r.folio_mapcount = below(&dice, 9);
	r.kind = below(&dice, COWTRACE_NR_KINDS);
	r.path = below(&dice, COWTRACE_NR_PATHS);
	r.origin = below(&dice, COWTRACE_NR_ORIGINS);
	/* Expressions take 63 bits of an address; no kernel gives more to users. */
	r.address >>= 1;
	r.ip >>= 1;
	r.vm_flags >>= 1;
	r.pfn >>= 1;
	r.time_ns >>= 1;
	return r;
}

/*
 * The same text for the compiler and for the parser. Pairs of operators: which of
 * them binds more, and in which order equals are taken.
 */
#define SECOND(x)							\
	PAIR(x, *) PAIR(x, /) PAIR(x, %) PAIR(x, +) PAIR(x, -)		\
	PAIR(x, <<) PAIR(x, >>) PAIR(x, <) PAIR(x, <=) PAIR(x, >) PAIR(x, >=) \
	PAIR(x, ==) PAIR(x, !=) PAIR(x, &) PAIR(x, ^) PAIR(x, |) PAIR(x, &&) PAIR(x, ||)
#define FIRST								\
	SECOND(*) SECOND(/) SECOND(%) SECOND(+) SECOND(-)		\
	SECOND(<<) SECOND(>>) SECOND(<) SECOND(<=) SECOND(>) SECOND(>=)	\
	SECOND(==) SECOND(!=) SECOND(&) SECOND(^) SECOND(|) SECOND(&&) SECOND(||)
#define PAIR(x, y)		C(pid x tgid y uid)
#define SIGNED(x)							\
	C(- pid x tgid) C(! pid x tgid) C(~ pid x tgid) C(pid x tgid ? uid x pid : tgid x uid) \
	C(pid x - - tgid) C(pid x (tgid - uid | 1))
#define EXPRESSIONS							\
	FIRST								\
	SIGNED(*) SIGNED(/) SIGNED(%) SIGNED(+) SIGNED(-) SIGNED(<<) SIGNED(>>) \
	SIGNED(<) SIGNED(<=) SIGNED(>) SIGNED(>=) SIGNED(==) SIGNED(!=)	\
	SIGNED(&) SIGNED(^) SIGNED(|) SIGNED(&&) SIGNED(||)		\
	C(pid ? tgid ? 1 : 2 : uid ? 3 : 4) C(0 ? 1 : 0 ? 2 : 3) C(1 ? 2 : 0 ? 3 : 4) \
	C((pid > 4 ? tgid : uid) - 3) C(! ! pid - 1) C(- ~ ! pid) C(~ - pid + pid) \
	C(0x10 - 16 + pid) C(0XfF & pid) C(9223372036854775807 - pid < 0) \
	C(refcount == 1 + swapcache && ! ksm)				\
	C(ksm || refcount > 3 ? 0 : refcount <= 1 + swapcache + ! lru)	\
	C(mapcount == 1 && refcount - swapcache - mapcount <= pages)	\
	C(kind == thp && path != hugetlb || kind != thp && order > 0)	\
	C((vm_flags & 0x8) == 0 && address >> 12 & 1)

#define C(...)		#__VA_ARGS__,
static const char * const texts[] = { EXPRESSIONS };
#undef C

/* What the compiler makes of them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wbool-compare"
#pragma GCC diagnostic ignored "-Wbool-operation"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wlogical-not-parentheses"
__attribute__((no_sanitize("shift")))
static void compute(const struct cowtrace_record *r, int64_t *to)
{
	const int64_t pid = r->pid, tgid = r->tgid, uid = r->uid;
	const int64_t refcount = r->refcount, mapcount = r->mapcount, order = r->order;
	const int64_t swapcache = !!(r->state & COWTRACE_PG_SWAPCACHE);
	const int64_t ksm = !!(r->state & COWTRACE_PG_KSM), lru = !!(r->state & COWTRACE_PG_LRU);
	const int64_t pages = 1 << r->order, kind = r->kind, path = r->path;
	const int64_t vm_flags = r->vm_flags, address = r->address;
	const int64_t thp = COWTRACE_KIND_THP, hugetlb = COWTRACE_PATH_HUGETLB;
	size_t i = 0;

#define C(...)		to[i++] = (__VA_ARGS__);
	EXPRESSIONS
#undef C
}
#pragma GCC diagnostic pop

static void check_compiler(void)
{
	static int64_t values[ARRAY_SIZE(texts)];
	struct ct_expression *truths[ARRAY_SIZE(texts)], *exact[ARRAY_SIZE(texts)];
	bool same[ARRAY_SIZE(texts)];
	size_t wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char text[256];

		/* Its value too, for it is more than true or false. */
		snprintf(text, sizeof(text), "(%s) == time_ns", texts[i]);
		truths[i] = parsed(texts[i]);
		exact[i] = parsed(text);
		same[i] = truths[i] && exact[i];
	}
	for (int n = 0; n < RECORDS; n++) {
		struct cowtrace_record r = random_record();

		r.present = COWTRACE_HAS_PAGE;
		/* Small and ordered: neither C nor an expression divides by 0 or shifts by -1. */
		r.uid = 1 + below(&dice, 4);
		r.tgid = r.uid + below(&dice, 4);
		r.pid = r.tgid + below(&dice, 4);
		r.kind = 1 + below(&dice, COWTRACE_NR_KINDS - 1);
		compute(&r, values);
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			r.time_ns = values[i];
			same[i] = same[i] &&
				  ct_expression_eval(truths[i], &r, 0, -1, NULL) == !!values[i] &&
				  ct_expression_eval(exact[i], &r, 0, -1, NULL) == CT_TRUE;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		ct_expression_free(truths[i]);
		ct_expression_free(exact[i]);
		if (!same[i])
			note("%s", texts[i]);
		wrong += !same[i];
	}
	ok(!wrong, "%zu expressions have the values that the C compiler gives them",
	   ARRAY_SIZE(texts));
}

/* Where C has no value, or numbers that C does not take. */
static const struct {
	const char	*text;
	enum ct_truth	truth;
	const char	*cause;
	const char	*claim;
} edges[] = {
	{ "1 / (order - order)", CT_UNKNOWN, "division by zero", "a division by 0 is unknown" },
	{ "1 % 0 || 1", CT_TRUE, NULL, "a division by 0 that decides nothing does not matter" },
	{ "1 << 64", CT_UNKNOWN, "shift out of range", "a shift by 64 is unknown" },
	{ "1 >> -1", CT_UNKNOWN, "shift out of range", "a shift by -1 is unknown" },
	{ "1 << 63 >> 63 == -1", CT_TRUE, NULL, "a shift to the right keeps the sign" },
	{ "9223372036854775807 + 1 == 1 << 63", CT_TRUE, NULL, "sums wrap around" },
	{ "(1 << 63) / -1 == 1 << 63", CT_TRUE, NULL, "the least number divided by -1 wraps" },
	{ "(1 << 63) % -1 == 0", CT_TRUE, NULL, "the least number modulo -1 is 0" },
	{ "-(1 << 63) == 1 << 63", CT_TRUE, NULL, "the least number has no opposite" },
	{ "(1 << 63) * -1 == 1 << 63", CT_TRUE, NULL, "products wrap around" },
	{ "0x7fffffffffffffff == 9223372036854775807", CT_TRUE, NULL,
	  "the greatest number is accepted" },
	{ "(1 << 63) < 0", CT_TRUE, NULL, "numbers are signed" },
	{ "pincount == pincount", CT_UNKNOWN, "pincount", "unknown equals nothing" },
	{ "exclusive ? 0 : pincount", CT_UNKNOWN, "exclusive", "the condition is the first cause" },
	{ "pincount + exclusive", CT_UNKNOWN, "pincount", "the left operand is the first cause" },
	{ "order + exclusive", CT_UNKNOWN, "exclusive", "the right operand may be the only cause" },
	{ "pincount && exclusive", CT_UNKNOWN, "pincount", "so with &&" },
	{ "1 && (0 || exclusive)", CT_UNKNOWN, "exclusive", "what is known is no cause" },
	{ "1 ? exclusive : pincount", CT_UNKNOWN, "exclusive", "a branch may be the cause" },
	{ "pincount * 0", CT_UNKNOWN, "pincount", "arithmetic with unknown is unknown" },
	{ "-pincount", CT_UNKNOWN, "pincount", "the opposite of unknown is unknown" },
	{ "~pincount", CT_UNKNOWN, "pincount", "the complement of unknown is unknown" },
	{ "0 & pincount", CT_UNKNOWN, "pincount", "& is arithmetic" },
	{ "pincount ? order + 1 : 1 + order", CT_TRUE, NULL,
	  "branches that are equal need no condition" },
};

static void check_edges(void)
{
	struct cowtrace_record r = plain_record(0, 0);

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		const char *cause = "none";
		int truth = says(edges[i].text, &r, 0, -1, &cause);
		bool right = cause && edges[i].cause ? !strcmp(cause, edges[i].cause) :
						       cause == edges[i].cause;

		if (!ok(truth == (int)edges[i].truth && right, "%s", edges[i].claim))
			note("%s is %d, cause %s", edges[i].text, truth, cause ? cause : "-");
	}
}

/*
 * Kleene's tables, from what they mean: an answer is known if it is the same
 * whatever the unknown operands turn out to be.
 */
static const struct {
	const char	*format;
	int		operands;
} tables[] = {
	{ "%s && %s", 2 }, { "%s || %s", 2 }, { "!%s", 1 }, { "%s ? %s : %s", 3 },
};

static int two_valued(size_t table, const int *v)
{
	switch (table) {
	case 0:
		return v[0] && v[1];
	case 1:
		return v[0] || v[1];
	case 2:
		return !v[0];
	default:
		return v[0] ? v[1] : v[2];
	}
}

/* @v: of each operand 0, 1 or 2 for unknown. */
static int three_valued(size_t table, const int *v)
{
	int seen = 0;

	for (int fill = 0; fill < 8; fill++) {
		int w[3];

		for (int i = 0; i < 3; i++)
			w[i] = v[i] == 2 ? fill >> i & 1 : v[i];
		seen |= two_valued(table, w) ? 2 : 1;
	}
	return seen == 3 ? CT_UNKNOWN : seen == 2 ? CT_TRUE : CT_FALSE;
}

static void check_kleene(void)
{
	static const char * const words[] = { "0", "1", "pincount" };
	struct cowtrace_record r = plain_record(0, 0);

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		int nr = tables[t].operands == 3 ? 27 : tables[t].operands == 2 ? 9 : 3;
		bool right = true;

		for (int n = 0; n < nr; n++) {
			int v[3] = { n % 3, n / 3 % 3, n / 9 };
			char text[64];

			snprintf(text, sizeof(text), tables[t].format, words[v[0]], words[v[1]],
				 words[v[2]]);
			if (says(text, &r, 0, -1, NULL) == three_valued(t, v))
				continue;
			note("%s", text);
			right = false;
		}
		ok(right, "%s of false, true and unknown is as Kleene has it", tables[t].format);
	}
}

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
	r.path = r.origin = r.kind = value;
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
	r.path = r.origin = r.kind = value + 1;
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
	struct cowtrace_record r = random_record();

	r.refcount = -3;
	r.present = 0xffff;
	COWTRACE_FIELDS(FIELD)
	COWTRACE_STATES(STATE)
	COWTRACE_PATHS(PATH)
	COWTRACE_ORIGINS(ORIGIN)
	COWTRACE_KINDS(KIND)
}

static void check_exclusive(void)
{
	struct cowtrace_record r = plain_record(0, 0);
	const char *cause = NULL;

	ok(says("exclusive", &r, 0, -1, &cause) == CT_UNKNOWN && !strcmp(cause, "exclusive"),
	   "a kernel that does not know exclusive leaves it unknown");
	ok(says("exclusive", &r, 0, 1, NULL) == CT_TRUE, "unless the caller knows that it is");
	ok(says("exclusive", &r, 0, 0, NULL) == CT_FALSE, "or that it is not");
	r.present |= COWTRACE_HAS_EXCLUSIVE;
	ok(says("exclusive", &r, 0, 1, NULL) == CT_FALSE, "the record is believed before the caller");

	r.order = 4;
	r.present |= COWTRACE_HAS_PINCOUNT;
	ok(says("mm_shared", &r, 0, -1, NULL) == CT_UNKNOWN,
	   "mm_shared is unknown to kernels that do not keep it");
	ok(says("mm_shared", &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, NULL) == CT_FALSE,
	   "mm_shared is known of a large folio");
	r.order = 0;
	ok(says("mm_shared", &r, COWTRACE_TRAIT_LARGE_EXCLUSIVE, -1, NULL) == CT_UNKNOWN,
	   "mm_shared is unknown of a small folio");

	ok(says("kind == ksm", &r, 0, -1, NULL) == CT_FALSE, "ksm right of kind is a kind");
	r.state |= COWTRACE_PG_KSM;
	ok(says("ksm && kind != ksm", &r, 0, -1, NULL) == CT_TRUE, "ksm elsewhere is a state");
	ok(says("kind == anon == ksm", &r, 0, -1, NULL) == CT_TRUE,
	   "right of a comparison ksm is a state");
}

static void check_holders(void)
{
	bool same = true, unknown = false, known = false;

	for (int i = 0; i < RECORDS; i++) {
		struct cowtrace_record r = random_record();
		uint32_t traits = next_random(&dice);
		struct cowtrace_holders h = cowtrace_holders(&r, traits);
		char text[128];
		int want = h.known ? CT_TRUE : CT_UNKNOWN;

		snprintf(text, sizeof(text), "pins == %d && lru_ref == %d && unattributed == %d",
			 h.pins, h.lru, h.unattributed);
		same = same && says(text, &r, traits, -1, NULL) == want;
		known |= h.known;
		unknown |= !h.known;
	}
	ok(same && known && unknown, "pins, lru_ref and unattributed are what the holders are");
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
	check_compiler();
	check_edges();
	check_kleene();
	check_names();
	check_exclusive();
	check_holders();
	check_pages();
	return tap_end();
}
