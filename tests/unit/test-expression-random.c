// SPDX-License-Identifier: GPL-2.0
/* Random expressions: none is misread, and what is known does not depend on what is not. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "says.h"
#include "units.h"

#define TEXTS	30000
#define TREES	10000

static struct random_state dice = { 7 };

/* What texts are made of: all that the grammar has, and what it has not. */
static const char * const pieces[] = {
	"(", ")", "(", ")", "!", "-", "~", "*", "/", "%", "+", "-", "<<", ">>", "<", "<=", ">",
	">=", "==", "!=", "&", "^", "|", "&&", "||", "?", ":", "&&", "||", "==", " ", " ", "\n",
	"0", "1", "2", "63", "64", "0x10", "9223372036854775807", "9223372036854775808", "010",
	"refcount", "mapcount", "swapcache", "ksm", "lru", "order", "pages", "pins", "exclusive",
	"swapcount", "mapped_here", "elsewhere", "maybe-pinned", "pincount", "kind", "path",
	"kind == thp", "kind != ksm", "origin == swapin", "thp", "outcome", "exit-write", "comm",
	"# c\n", "#", "=", "++", ",", ";", "\"", "\\", "\t", "\033", "\x80", "\xc3\xa9", "\xe2\x80",
	"refcount == 1", "!ksm", "pincount", "x",
};

/* What they are made of when they shall be accepted. */
static const char * const operands[] = {
	"0", "1", "2", "refcount", "mapcount", "swapcache", "ksm", "lru", "order", "pages", "pins",
	"lru_ref", "unattributed", "exclusive", "swapcount", "mapped_here", "elsewhere", "drains",
	"mm_shared", "folio_mapcount", "kind == thp", "kind != ksm", "origin == swapin",
	"path == pmd", "!exclusive", "-order", "~swapcount", "(pincount || ksm)", "(lru && ip)",
	"(exclusive ? lru : ksm)",
};

static const char * const signs[] = {
	"&&", "||", "&&", "||", "==", "!=", "<", "<=", "+", "-", "*", "/", "%", "<<", ">>", "&",
	"|",
};

static void random_text(char *to)
{
	size_t n = 1 + below(&dice, 10);

	*to = '\0';
	while (n--)
		sprintf(strchr(to, '\0'), "%s %s ", operands[below(&dice, ARRAY_SIZE(operands))],
			n ? signs[below(&dice, ARRAY_SIZE(signs))] : "");
}

static void random_pieces(char *to)
{
	size_t n = below(&dice, 30);

	*to = '\0';
	while (n--) {
		strcat(to, pieces[below(&dice, ARRAY_SIZE(pieces))]);
		if (below(&dice, 2))
			strcat(to, " ");
	}
}

/* Lines fit for a terminal, the mark under the place that is named. */
static bool is_well_said(const char *text, const struct ct_expression_error *err)
{
	char clean[CT_EXPRESSION_ERROR], shown[CT_EXPRESSION_ERROR], *copy = strdup(err->text);
	char *message = copy, *expression, *mark;
	bool good;

	if (!copy)
		abort();
	strtok(message, "\n");
	expression = strchr(message, '\0') + 1;
	mark = strchr(expression, '\n');
	*mark++ = '\0';
	mark[strcspn(mark, "\n")] = '\0';
	ct_clean_text(clean, sizeof(clean), message, strlen(message));
	ct_clean_text(shown, sizeof(shown), expression, strlen(expression));
	good = !strcmp(clean, message) && !strcmp(shown, expression) &&
	       strspn(mark, " ") + strspn(mark + strspn(mark, " "), "^~") == strlen(mark) &&
	       ct_text_width(expression) + 1 >= strlen(mark) && err->place <= strlen(text) &&
	       strlen(err->text) < sizeof(err->text) - 2;
	free(copy);
	return good;
}

/* The same fault, with everything that it lacks as the dice have it. */
static struct cowtrace_facts filled(const struct cowtrace_record *r, struct cowtrace_facts f)
{
	bool shared = r->mapcount > 1 || r->state & COWTRACE_PG_KSM || f.swapcount > 0;

	f.record = r;
	if (f.exclusive == COWTRACE_NOT_KNOWN)
		f.exclusive = shared ? 0 : below(&dice, 2);
	if (f.swapcount == COWTRACE_NOT_KNOWN)
		f.swapcount = below(&dice, 3);
	if (f.folio_mapcount == COWTRACE_NOT_KNOWN)
		f.folio_mapcount = below(&dice, 9);
	if (f.elsewhere == COWTRACE_NOT_KNOWN)
		f.elsewhere = below(&dice, 2);
	if (f.mm_shared == COWTRACE_NOT_KNOWN)
		f.mm_shared = below(&dice, 2);
	if (f.drains == COWTRACE_NOT_KNOWN)
		f.drains = below(&dice, 2);
	f.holders.known = true;
	return f;
}

/* An answer that is known stays, whatever the record lacked. */
static bool is_settled(const struct ct_expression *e)
{
	struct cowtrace_record r = random_record(&dice), full;
	struct cowtrace_facts f, g;
	const char *cause;
	enum ct_truth truth;

	r.present |= below(&dice, 4) ? COWTRACE_HAS_PAGE : 0;
	f = cowtrace_facts(&r, next_random(&dice));
	truth = ct_expression_eval(e, &f, &cause);
	full = r;
	full.present = 0xffff;
	full.evidence = 0;
	g = filled(&full, f);
	return (truth == CT_UNKNOWN) == !!cause &&
	       (truth == CT_UNKNOWN || truth == ct_expression_eval(e, &g, NULL));
}

static void check_texts(void)
{
	static struct ct_expression_error err;
	int accepted = 0, refused = 0, told = 0;
	bool said = true, settled = true;

	for (int i = 0; i < TEXTS; i++) {
		char text[1024];
		struct ct_expression *e;

		if (i % 2)
			random_pieces(text);
		else
			random_text(text);
		if (ct_expression_parse(text, &e, &err)) {
			if (said && !is_well_said(text, &err)) {
				note("%s", err.text);
				said = false;
			}
			refused++;
			continue;
		}
		for (int k = 0; k < 5 && settled; k++)
			settled = is_settled(e);
		if (!settled && !told++)
			note("%s", ct_expression_text(e));
		ct_expression_free(e);
		accepted++;
	}
	ok(said && refused > TEXTS / 3, "each refusal shows a place, and is fit for a terminal");
	ok(settled && accepted > TEXTS / 4, "an answer that is known rests on nothing unknown");
	note("%d texts accepted, %d refused", accepted, refused);
}

/* A tree as its maker knows it: its value, if it has one. */
struct tree {
	int64_t	n;
	bool	known;
};

static struct tree grow(FILE *to, const struct cowtrace_record *r, int depth);

static struct tree leaf(FILE *to, const struct cowtrace_record *r)
{
	int64_t n = below(&dice, 4);

	switch (below(&dice, 5)) {
	case 0:
		fprintf(to, "%d", (int)n);
		return (struct tree) { n, true };
	case 1:
		fprintf(to, "pid");
		return (struct tree) { r->pid, true };
	case 2:
		fprintf(to, "mapcount");
		return (struct tree) { r->mapcount, true };
	case 3:
		fprintf(to, "swapcache");
		return (struct tree) { !!(r->state & COWTRACE_PG_SWAPCACHE), true };
	default:
		fprintf(to, "pincount");
		return (struct tree) { 0, false };
	}
}

/* In 128 bits, and cut to 64 afterwards. */
static struct tree computed(const char *sign, struct tree a, struct tree b)
{
	__int128 x = a.n, y = b.n, n;

	if (!a.known || !b.known)
		return (struct tree) { 0, false };
	if (strchr("/%", *sign) && !y)
		return (struct tree) { 0, false };
	switch (*sign) {
	case '+':
		n = x + y;
		break;
	case '-':
		n = x - y;
		break;
	case '*':
		n = x * y;
		break;
	case '/':
		n = x / y;
		break;
	case '%':
		n = x % y;
		break;
	case '&':
		n = x & y;
		break;
	case '|':
		n = x | y;
		break;
	case '^':
		n = x ^ y;
		break;
	case '<':
		n = sign[1] ? x <= y : x < y;
		break;
	case '>':
		n = sign[1] ? x >= y : x > y;
		break;
	case '=':
		n = x == y;
		break;
	default:
		n = x != y;
	}
	return (struct tree) { (int64_t)n, true };
}

static struct tree logical(bool and, struct tree a, struct tree b)
{
	bool known = a.known && b.known;
	/* An operand that settles it alone. */
	bool by_a = a.known && and == !a.n, by_b = b.known && and == !b.n;

	if (by_a || by_b)
		return (struct tree) { !and, true };
	return (struct tree) { and, known };
}

static struct tree fork_of(FILE *to, const struct cowtrace_record *r, int depth)
{
	static const char * const signs[] = {
		"+", "-", "*", "/", "%", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=",
		"&&", "||", "&&", "||",
	};
	const char *sign = signs[below(&dice, ARRAY_SIZE(signs))];
	struct tree a, b;

	a = grow(to, r, depth);
	fprintf(to, " %s ", sign);
	b = grow(to, r, depth);
	if (!strcmp(sign, "&&") || !strcmp(sign, "||"))
		return logical(*sign == '&', a, b);
	return computed(sign, a, b);
}

static struct tree choice_of(FILE *to, const struct cowtrace_record *r, int depth)
{
	struct tree c, a, b;

	c = grow(to, r, depth);
	fprintf(to, " ? ");
	a = grow(to, r, depth);
	fprintf(to, " : ");
	b = grow(to, r, depth);
	if (c.known)
		return c.n ? a : b;
	return (struct tree) { a.n, a.known && b.known && a.n == b.n };
}

static struct tree sign_of(FILE *to, const struct cowtrace_record *r, int depth)
{
	char sign = "!-~"[below(&dice, 3)];
	struct tree a;

	fprintf(to, "%c ", sign);
	a = grow(to, r, depth);
	if (sign == '!')
		return (struct tree) { !a.n, a.known };
	return (struct tree) { sign == '-' ? (int64_t)-(__int128)a.n : ~a.n, a.known };
}

static struct tree grow(FILE *to, const struct cowtrace_record *r, int depth)
{
	struct tree t;

	if (!depth || !below(&dice, 6))
		return leaf(to, r);
	fputc('(', to);
	switch (below(&dice, 6)) {
	case 0:
		t = choice_of(to, r, depth - 1);
		break;
	case 1:
		t = sign_of(to, r, depth - 1);
		break;
	default:
		t = fork_of(to, r, depth - 1);
	}
	fputc(')', to);
	return t;
}

static void check_trees(void)
{
	int known = 0, unknown = 0;
	bool same = true;

	for (int i = 0; i < TREES && same; i++) {
		struct cowtrace_record r = random_record(&dice);
		char text[8192];
		FILE *to = fmemopen(text, sizeof(text), "w");
		enum ct_truth want;
		struct tree t;

		if (!to)
			abort();
		r.present = COWTRACE_HAS_PAGE;
		r.pid = below(&dice, 10);
		t = grow(to, &r, below(&dice, 5));
		fclose(to);
		want = !t.known ? CT_UNKNOWN : t.n ? CT_TRUE : CT_FALSE;
		same = says(text, &r, 0, -1, NULL) == (int)want;
		if (!same)
			note("%s is not %d", text, want);
		known += t.known;
		unknown += !t.known;
	}
	ok(same && known > 1000 && unknown > 1000,
	   "%d expressions have the values of the trees that they were written from", TREES);
}

int main(void)
{
	check_texts();
	check_trees();
	return tap_end();
}
