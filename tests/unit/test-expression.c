// SPDX-License-Identifier: GPL-2.0
/* What expressions mean: the compiler's own values, and three-valued logic. */
#include <string.h>

#include "says.h"

#define RECORDS		500

static struct random_state dice = { 5 };

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
		struct cowtrace_record r = random_record(&dice);

		r.present = COWTRACE_HAS_PAGE;
		r.evidence = 0;
		/* Small and ordered: neither C nor an expression divides by 0 or shifts by -1. */
		r.uid = 1 + below(&dice, 4);
		r.tgid = r.uid + below(&dice, 4);
		r.pid = r.tgid + below(&dice, 4);
		r.kind = 1 + below(&dice, COWTRACE_NR_KINDS - 1);
		compute(&r, values);
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			r.time_ns = values[i];
			same[i] = same[i] &&
				  answer(truths[i], &r, 0, -1, NULL) == !!values[i] &&
				  answer(exact[i], &r, 0, -1, NULL) == CT_TRUE;
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

int main(void)
{
	check_compiler();
	check_edges();
	check_kleene();
	return tap_end();
}
