// SPDX-License-Identifier: GPL-2.0
/* Bad expressions: what is said about them, and where; files; limits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "says.h"

#define NO_WORD	"kind is no number: write kind == WORD or kind != WORD"
#define NO_NUMBER "no number: a number is decimal, or 0x and hexadecimal"
#define NO_END	"expected the end or an operator: || && | ^ & == != < <= > >= << >> + - * / % ?:, not "

/* What a message lists as accepted. */
enum lists { NOTHING, NAMES, KINDS };

static const struct {
	const char	*text;
	/* Under the place; as long as what is wrong. */
	const char	*mark;
	const char	*message;
	enum lists	lists;
} refusals[] = {
	{ "refcnt == 1", "^~~~~~", "there is no name \"refcnt\": did you mean refcount?", NAMES },
	{ "1 && REFCOUNT", "     ^~~~~~~~",
	  "there is no name \"REFCOUNT\": did you mean refcount?", NAMES },
	{ "maybe_pind", "^~~~~~~~~~",
	  "there is no name \"maybe_pind\": did you mean maybe_pinned?", NAMES },
	{ "!x", " ^", "there is no name \"x\"", NAMES },
	{ "xx", "^~", "there is no name \"xx\"", NAMES },
	{ "lru-ref", "    ^~~", "there is no name \"ref\"", NAMES },
	{ "f\xc3\xb6\xc3\xb6 + \xc3\xa9", "^~~", "there is no name \"f\xc3\xb6\xc3\xb6\"", NAMES },
	{ "1 + (ksm | )", "           ^",
	  "expected a number, a name, (, !, - or ~, not \")\"", NAMES },
	{ "refcount ==  ", "           ^",
	  "expected a number, a name, (, !, - or ~, not the end", NAMES },
	{ "", "^", "expected a number, a name, (, !, - or ~, not the end", NAMES },
	{ "&& 1", "^~", "expected a number, a name, (, !, - or ~, not \"&&\"", NAMES },
	{ "1 ?: 2", "   ^", "expected a number, a name, (, !, - or ~, not \":\"", NAMES },
	{ "1 ? 2", "     ^", "expected an operator or the : of ?:, not the end", NOTHING },
	{ "1 ? 2, 3", "     ^", "expected an operator or the : of ?:, not \",\"", NOTHING },
	{ "(1 + 2", "      ^", "expected an operator or ), not the end", NOTHING },
	{ "(1 2)", "   ^", "expected an operator or ), not \"2\"", NOTHING },
	{ "1 + 2)", "     ^", NO_END "\")\"", NOTHING },
	{ "ksm and lru", "    ^~~", NO_END "\"and\"", NOTHING },
	{ "refcount = 1", "         ^",
	  "=: an expression changes nothing: compare by ==", NOTHING },
	{ "order <<= 1", "      ^~~", "<<=: an expression changes nothing", NOTHING },
	{ "++order", "^~", "++: an expression changes nothing", NOTHING },
	{ "1 --order", "  ^~",
	  "--: an expression changes nothing: write - -x for the opposite of -x", NOTHING },
	{ "refcount(1)", "^~~~~~~~", "refcount is a value: there are no calls", NOTHING },
	{ "12x", "^~~", NO_NUMBER, NOTHING },
	{ "1 + 0x", "    ^~", NO_NUMBER, NOTHING },
	{ "1 + 010", "    ^~~",
	  "to C this is octal: write it without the leading 0, or with 0x", NOTHING },
	{ "9223372036854775808", "^~~~~~~~~~~~~~~~~~~",
	  "a number is at most 9223372036854775807", NOTHING },
	{ "99999999999999999999", "^~~~~~~~~~~~~~~~~~~~",
	  "a number is at most 9223372036854775807", NOTHING },
	{ "ksm + exit-lru", "      ^~~~~~~~",
	  "exit-lru is seen at the exit: a policy decides before", NAMES },
	{ "outcome", "^~~~~~~",
	  "outcome is known only after the decision: a policy decides before", NAMES },
	{ "comm == 1", "^~~~",
	  "comm is text, and expressions know numbers only: take --filter comm=NAME", NAMES },
	{ "kind", "^~~~", NO_WORD, KINDS },
	{ "!kind", " ^~~~", NO_WORD, KINDS },
	{ "1 == kind", "     ^~~~", NO_WORD, KINDS },
	{ "kind < thp", "^~~~", NO_WORD, KINDS },
	{ "kind == 6", "^~~~", NO_WORD, KINDS },
	{ "kind == (thp)", "         ^~~", "thp is a word of kind: write kind == thp", NOTHING },
	{ "kind == ksm + 1", "        ^~~",
	  "this word is no number: write kind == WORD or kind != WORD", KINDS },
	{ "1 ? kind : 0", "    ^~~~", NO_WORD, KINDS },
	{ "kind == thq", "        ^~~", "there is no kind \"thq\": did you mean thp?", KINDS },
	{ "kind == refcount", "        ^~~~~~~~", "there is no kind \"refcount\"", KINDS },
	{ "kind != unknown", "        ^~~~~~~",
	  "a kind that is unknown makes the expression unknown", KINDS },
	{ "thp", "^~~", "thp is a word of kind: write kind == thp", NOTHING },
	{ "ksm || pmd", "       ^~~", "pmd is a word of path: write path == pmd", NOTHING },
	{ "a \xff", "^", "there is no name \"a\"", NAMES },
	{ "1 \033[31m", "  ^", NO_END "\"?\"", NOTHING },
	{ "ksm\t= 1", "    ^", "=: an expression changes nothing: compare by ==", NOTHING },
};

/* The @n-th line of a text, in a buffer of its own. */
static const char *line(const char *text, int n)
{
	static char of[1024];

	while (n-- && text)
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	snprintf(of, sizeof(of), "%.*s", text ? (int)strcspn(text, "\n") : 0,
		 text ? text : "");
	return of;
}

static bool lists(const char *text, enum lists what)
{
	const char *list = strstr(text, "\naccepted: ");

	if (what == NOTHING)
		return !list;
	return list && !!strstr(list, "refcount, ") == (what == NAMES) &&
	       !!strstr(list, "anon, ksm, zero, file, special, thp, hugetlb") == (what == KINDS);
}

static void check_refusals(void)
{
	static struct ct_expression_error err;
	struct ct_expression *e;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const char *mark = refusals[i].mark;
		bool refused = ct_expression_parse(refusals[i].text, &e, &err) == -EINVAL &&
			       err.code == -EINVAL;

		if (!ok(refused && !strcmp(line(err.text, 0), refusals[i].message) &&
			!strncmp(line(err.text, 2), "  ", 2) &&
			!strcmp(line(err.text, 2) + 2, mark) &&
			err.place == strspn(mark, " ") && lists(err.text, refusals[i].lists),
			"refused where it is wrong: %s",
			i + 3 < ARRAY_SIZE(refusals) ? refusals[i].text : "what is no text"))
			note("%s", err.text);
	}
}

static bool refused_as(const char *text, int code, const char *message, const char *shown)
{
	static struct ct_expression_error err;
	struct ct_expression *e;

	if (!ct_expression_parse(text, &e, &err)) {
		ct_expression_free(e);
		return false;
	}
	if (err.code == code && !strcmp(line(err.text, 0), message) &&
	    (!shown || !strcmp(line(err.text, 1), shown)))
		return true;
	note("%s", err.text);
	return false;
}

static void check_lines(void)
{
	static char text[1024] = "", shown[1024];

	ok(refused_as("ksm ||\n  lru & # x\n\tfoo == 1 || \xff\n# end\n", -EINVAL,
		      "line 3: there is no name \"foo\"", "   foo == 1 || ?"),
	   "of several lines the one that is wrong is shown");
	ok(refused_as("ksm ||   # nothing follows\n\n", -EINVAL,
		      "line 1: expected a number, a name, (, !, - or ~, not the end",
		      "  ksm ||   # nothing follows"),
	   "what is missing is missing behind the last thing that is there");
	ok(refused_as("ksm ||\n", -EINVAL,
		      "line 1: expected a number, a name, (, !, - or ~, not the end", "  ksm ||"),
	   "the end of a line belongs to it");
	ok(refused_as("1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + x", -EINVAL,
		      "there is no name \"x\"",
		      "  1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + x"),
	   "56 bytes before the place are shown");
	for (int i = 0; i < 40; i++)
		strcat(text, "1 && ");
	strcat(text, "(x \xc3\xa9 y) && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1 && 1");
	snprintf(shown, sizeof(shown), "  ...%.56s%.41s...", text + 201 - 56, text + 201);
	ok(refused_as(text, -EINVAL, "there is no name \"x\"", shown),
	   "a long line is cut on both sides of the place");
	memset(text, 'x', 200);
	text[200] = '\0';
	snprintf(shown, sizeof(shown), "  %.32s...", text);
	ok(refused_as(text, -EINVAL, "there is no name \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"", shown),
	   "a long name is cut");
}

/* @n times @what, and @end. */
static char *repeated(const char *what, size_t n, const char *end)
{
	char *text = calloc(1, n * strlen(what) + strlen(end) + 1), *to = text;

	if (!text)
		abort();
	while (n--)
		to = stpcpy(to, what);
	memcpy(to, end, strlen(end) + 1);
	return text;
}

static bool accepts(char *text)
{
	struct ct_expression *e = parsed(text);

	ct_expression_free(e);
	free(text);
	return e;
}

static bool refuses(char *text, const char *message)
{
	bool refused = refused_as(text, -E2BIG, message, NULL);

	free(text);
	return refused;
}

static void check_limits(void)
{
	ok(accepts(repeated("1+", 127, "-1")), "256 operands and operators are accepted");
	ok(refuses(repeated("1+", 128, "1"), "more than 256 operands and operators"),
	   "257 are refused");
	ok(accepts(repeated("!", CT_EXPRESSION_DEPTH, "1")), "32 levels are accepted");
	ok(refuses(repeated("!", CT_EXPRESSION_DEPTH + 1, "1"), "nested deeper than 32 levels"),
	   "33 are refused");
	ok(refuses(repeated("(", 10000, ""), "nested deeper than 32 levels"),
	   "thousands of parentheses are refused");
	ok(refuses(repeated("1?", 33, "1"), "nested deeper than 32 levels"),
	   "branches within branches are levels");
	ok(accepts(repeated("(1)&", 63, "1")), "levels one after the other do not add up");
	ok(refuses(repeated("1||1&&1|1^1&1==1<1<<1+1*(", 10, "1"),
		   "more than 64 operands wait for others"), "operands that wait are limited");
	ok(accepts(repeated("1||1&&1|1^1&1==1<1<<1+1*(", 6, "1||1&&1|1))))))")),
	   "64 may wait");
	ok(refuses(repeated("1||1&&1|1^1&1==1<1<<1+1*(", 6, "1||1&&1|1^1))))))"),
		   "more than 64 operands wait for others"), "65 may not");
	ok(accepts(repeated(" ", CT_EXPRESSION_TEXT - 1, "1")), "16384 bytes are accepted");
	ok(refuses(repeated(" ", CT_EXPRESSION_TEXT, "1"),
		   "an expression has at most 16384 bytes, not 16385"), "16385 are refused");
}

/* The accepted names fill lines of one width, below each other. */
static void check_layout(void)
{
	static const char head[] = "\naccepted: ";
	static struct ct_expression_error err;
	struct ct_expression *e;
	const char *at, *end;
	bool right;

	right = ct_expression_parse("x", &e, &err) == -EINVAL;
	at = right ? strstr(err.text, head) : NULL;
	right = at && at[strlen(head)] != ',' && at[strlen(head)] != ' ';
	for (; at; at = *end ? end : NULL) {
		end = at + 1 + strcspn(at + 1, "\n");
		right = right && end - at - 1 <= 78 && (!*end || end - at - 1 > 60) &&
			(*end ? end[-1] == ',' : end[-1] != ',') &&
			(at[1] == 'a' || strspn(at + 1, " ") == strlen(head) - 1);
	}
	if (!ok(right, "the accepted names stand in lines of up to 78 columns"))
		note("%s", err.text);
}

static void check_text(void)
{
	struct ct_expression *e = parsed(" # reuse\n\n ksm  ||\t(lru&1)# yes\r\n\t&& 1 \n");

	ok(e && !strcmp(ct_expression_text(e), "ksm || (lru&1) && 1"),
	   "the text comes back without comments and on one line");
	ct_expression_free(e);
}

/* Each name that is listed for people is accepted, and each word of a field is one. */
static void check_list(void)
{
	char *text = NULL, *at, name[64] = "", word[64], expression[160];
	bool all = true;
	int names = 0, words = 0;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	ct_expression_names(f);
	fclose(f);
	for (at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
		struct ct_expression *e;

		if (sscanf(at, "    == %63s", word) == 1) {
			snprintf(expression, sizeof(expression), "%s == %s", name, word);
			words++;
		} else if (sscanf(at, "  %63s", name) == 1) {
			/* A field with words is seen with each of them. */
			snprintf(expression, sizeof(expression), "%s", name);
			names++;
			if (!strcmp(name, "kind") || !strcmp(name, "path") ||
			    !strcmp(name, "origin"))
				continue;
		}
		e = parsed(expression);
		all = all && e && strlen(at) > strlen(word) + 8;
		ct_expression_free(e);
	}
	free(text);
	ok(all && names > 40 && words == COWTRACE_NR_KINDS - 1 + COWTRACE_NR_PATHS +
	   COWTRACE_NR_ORIGINS - 1, "what is listed is accepted");
}

static void check_file(void)
{
	static const char policy[] = "# as 5.9, but merged pages too\n\nrefcount == 1\n";
	char path[] = "/tmp/cowtrace-policy-XXXXXX", *text = NULL;
	struct ct_expression *e;
	struct ct_error err = { 0 };
	char *big = repeated("#", CT_EXPRESSION_TEXT + 1, "");

	close(mkstemp(path));
	write_file(path, policy, strlen(policy));
	ok(!ct_expression_read_file(path, &text, &err), "a policy is read from a file");
	e = text ? parsed(text) : NULL;
	ok(e && !strcmp(ct_expression_text(e), "refcount == 1"), "its comments are left out");
	ct_expression_free(e);
	free(text);

	write_file(path, "1 \0 2", 5);
	ok(ct_expression_read_file(path, &text, &err) == -EINVAL && strstr(err.text, path),
	   "a file that is no text is refused");
	write_file(path, big, CT_EXPRESSION_TEXT + 1);
	ok(ct_expression_read_file(path, &text, &err) == -E2BIG && strstr(err.text, path),
	   "a file that is too long is refused");
	write_file(path, big, CT_EXPRESSION_TEXT);
	ok(!ct_expression_read_file(path, &text, &err) && strlen(text) == CT_EXPRESSION_TEXT,
	   "a file as long as may be is read whole");
	free(text);
	free(big);
	unlink(path);
	ok(ct_expression_read_file(path, &text, &err) == -ENOENT && strstr(err.text, path),
	   "a file that is not there is named");
	ok(ct_expression_read_file("/", &text, &err) == -EISDIR, "a directory is no policy");
}

int main(void)
{
	check_refusals();
	check_lines();
	check_limits();
	check_layout();
	check_text();
	check_list();
	check_file();
	return tap_end();
}
