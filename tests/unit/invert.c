// SPDX-License-Identifier: GPL-2.0
/*
 * invert DIR HEADER...: copies each HEADER to DIR with a switch at each point
 * that decides something, and writes DIR/points, a line a point:
 * HEADER:LINE TAB WHAT TAB TEXT. A program built with those headers inverts the
 * Nth point, and no other, when INVERTED=N is in its environment.
 *
 * A point is, in the bodies of functions:
 *	if	 a condition of if, while, for or ?:
 *	operand	 each operand of && and ||
 *	return	 what a function of type bool returns
 *	bool	 what a variable of type bool is set to at its declaration, or
 *		 anything else is set to when && or || make it
 *	drop	 a condition of if before a return: the step is left out
 *	word	 an outcome, a reason or evidence that is returned, assigned or or-ed in:
 *		 another one is given instead, evidence is not; the same of what a
 *		 policy answers, of its cause, and of what is not known
 *	answer	 of COWTRACE_REUSE_(), COWTRACE_COPY_() and COWTRACE_OPEN_() that which
 *		 they answer: another one is given instead
 *	step	 of the same the step
 *	text	 a string: another one is given instead
 *	case	 a label of switch: the value goes to default
 *	flag	 each flag of a mask of several: it is left out
 *	edge	 the right side of <, >, <= and >=: it is moved by one, but not where
 *		 ?: chooses no word: a minimum has no edge
 *
 * It understands as much C as a header of pure functions needs, and ends with
 * an error at anything else, so that nothing is passed over.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS	65536
#define MAX_POINTS	4096

struct token {
	const char	*at;
	size_t		len;
	int		line;
};

/*
 * Tokens first to last of a point; several may begin or end at one token. What
 * is changed is chosen_by to chosen_to: the same, but for a label of switch.
 */
struct point {
	int		first, last;
	const char	*what;
	int		chosen_by, chosen_to;
};

/* Of the header that is being read. */
static const char *path, *name;
static struct token tokens[MAX_TOKENS];
static int nr_tokens, pos;
static struct point points[MAX_POINTS];
static int nr_points;
static bool returns_bool;
/* Points of the headers before it. */
static int before;

static __attribute__((noreturn)) void give_up(int token, const char *why)
{
	fprintf(stderr, "invert: %s:%d: %s at '%.*s'\n", path, tokens[token].line, why,
		(int)tokens[token].len, tokens[token].at);
	exit(1);
}

/* --- tokens ------------------------------------------------------------- */

/* @begins: whether only blanks stand before it in its line. */
static const char *skip_blank(const char *s, int *line, bool *begins)
{
	for (;;) {
		if (*s == '\n') {
			(*line)++;
			*begins = true;
			s++;
		} else if (isspace((unsigned char)*s)) {
			s++;
		} else if (!strncmp(s, "/*", 2)) {
			for (s += 2; *s && strncmp(s, "*/", 2); s++)
				*line += *s == '\n';
			s += *s ? 2 : 0;
		} else if (*s == '#' && *begins) {
			/* A directive with its continuations is no code to invert. */
			for (; *s && *s != '\n'; s++)
				if (*s == '\\' && s[1] == '\n') {
					(*line)++;
					s++;
				}
		} else {
			*begins = false;
			return s;
		}
	}
}

static size_t token_length(const char *s)
{
	static const char * const operators[] = {
		"<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&",
		"||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
	};
	size_t i, len = 0;

	if (isalnum((unsigned char)*s) || *s == '_') {
		while (isalnum((unsigned char)s[len]) || s[len] == '_')
			len++;
		return len;
	}
	if (*s == '"' || *s == '\'') {
		for (len = 1; s[len] && s[len] != *s; len++)
			len += s[len] == '\\';
		return len + 1;
	}
	for (i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strncmp(s, operators[i], strlen(operators[i])))
			return strlen(operators[i]);
	return 1;
}

static void tokenize(const char *s)
{
	bool begins = true;
	int line = 1;

	for (s = skip_blank(s, &line, &begins); *s; s = skip_blank(s, &line, &begins)) {
		struct token *t = &tokens[nr_tokens++];

		t->at = s;
		t->len = token_length(s);
		t->line = line;
		s += t->len;
		if (nr_tokens == MAX_TOKENS - 1)
			give_up(nr_tokens - 1, "too many tokens");
	}
	tokens[nr_tokens] = (struct token){ "", 0, line };
}

static bool token_is(int i, const char *text)
{
	return tokens[i].len == strlen(text) && !strncmp(tokens[i].at, text, tokens[i].len);
}

static bool next_is(const char *text)
{
	return token_is(pos, text);
}

static bool take(const char *text)
{
	if (!next_is(text))
		return false;
	pos++;
	return true;
}

static void want(const char *text)
{
	char why[64];

	if (take(text))
		return;
	snprintf(why, sizeof(why), "'%s' is missing", text);
	give_up(pos, why);
}

static bool is_name(int i)
{
	return isalpha((unsigned char)*tokens[i].at) || *tokens[i].at == '_';
}

static bool is_type(int i)
{
	static const char * const types[] = {
		"bool", "char", "const", "enum", "int", "long", "short", "signed", "static",
		"struct", "unsigned", "void", "__s8", "__s16", "__s32", "__s64", "__u8", "__u16",
		"__u32", "__u64",
	};
	size_t k;

	for (k = 0; k < sizeof(types) / sizeof(*types); k++)
		if (token_is(i, types[k]))
			return true;
	return false;
}

static bool starts_with(int i, const char *prefix)
{
	return tokens[i].len > strlen(prefix) && !strncmp(tokens[i].at, prefix, strlen(prefix));
}

static bool is_word(int i)
{
	return starts_with(i, "COWTRACE_OUTCOME_") || starts_with(i, "COWTRACE_REASON_") ||
	       starts_with(i, "COWTRACE_EV_") || starts_with(i, "COWTRACE_ANSWER_") ||
	       token_is(i, "COWTRACE_NOT_KNOWN");
}

/* A macro that makes a prediction of a step, and a reason or a cause. */
static bool is_prediction(int i)
{
	return token_is(i, "COWTRACE_REUSE_") || token_is(i, "COWTRACE_COPY_") ||
	       token_is(i, "COWTRACE_OPEN_");
}

/* --- expressions -------------------------------------------------------- */

/* One of several at the same place. */
static void add_beside(int first, int last, const char *what)
{
	if (nr_points == MAX_POINTS)
		give_up(first, "too many points");
	points[nr_points++] = (struct point){ first, last, what, first, last };
}

static void add_point(int first, int last, const char *what)
{
	int i;

	for (i = 0; i < nr_points; i++)
		if (points[i].first == first && points[i].last == last)
			return;
	add_beside(first, last, what);
}

static void add_prediction(int first, int last)
{
	add_beside(first, last, "answer");
	add_beside(first, last, "step");
	/* The reason of a copy is a word of its own. */
	if (!token_is(first, "COWTRACE_COPY_"))
		add_beside(first, last, "word");
}

static void drop_edges(int first, int last)
{
	int i, kept = 0;

	for (i = 0; i < nr_points; i++)
		if (strcmp(points[i].what, "edge") || points[i].first < first ||
		    points[i].last > last)
			points[kept++] = points[i];
	nr_points = kept;
}

/* Loosest first; && and || as they are, all else that binds tighter alike. */
enum strength { COMMA, ASSIGN, TERNARY, OR, AND, BITS, NR_STRENGTHS };

static void expression(enum strength weakest);

static enum strength strength_of(int i)
{
	static const char * const assigns[] = {
		"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=",
	};
	static const char * const others[] = {
		"|", "^", "&", "==", "!=", "<", ">", "<=", ">=", "<<", ">>", "+", "-", "*", "/",
		"%",
	};
	size_t k;

	if (token_is(i, ","))
		return COMMA;
	if (token_is(i, "?"))
		return TERNARY;
	if (token_is(i, "||"))
		return OR;
	if (token_is(i, "&&"))
		return AND;
	for (k = 0; k < sizeof(assigns) / sizeof(*assigns); k++)
		if (token_is(i, assigns[k]))
			return ASSIGN;
	for (k = 0; k < sizeof(others) / sizeof(*others); k++)
		if (token_is(i, others[k]))
			return BITS;
	return NR_STRENGTHS;
}

static void list(const char *end)
{
	while (!next_is(end)) {
		if (take(".")) {
			pos++;
			want("=");
		}
		if (take("{"))
			list("}");
		else
			expression(ASSIGN);
		if (!take(","))
			break;
	}
	want(end);
}

/* A type in parentheses, and a star or two. */
static void type_name(void)
{
	while (is_type(pos) || (is_name(pos) && pos && is_type(pos - 1)) || next_is("*"))
		pos++;
}

static void operand(void)
{
	if (take("!") || take("~") || take("-") || take("+") || take("*") || take("&") ||
	    take("++") || take("--")) {
		operand();
		return;
	}
	if (take("(")) {
		if (is_type(pos)) {
			type_name();
			want(")");
			if (take("{"))
				list("}");
			else
				operand();
			return;
		}
		expression(COMMA);
		want(")");
	} else if (is_name(pos) || isdigit((unsigned char)*tokens[pos].at) ||
		   *tokens[pos].at == '"') {
		pos++;
	} else {
		give_up(pos, "something is missing");
	}
	for (;;) {
		int name = pos - 1;

		if (take("(")) {
			list(")");
			if (is_prediction(name))
				add_prediction(name, pos - 1);
		} else if (take("[")) {
			expression(COMMA);
			want("]");
		} else if (take("->") || take(".")) {
			pos++;
		} else if (!take("++") && !take("--")) {
			return;
		}
	}
}

/* Is the whole of it in parentheses, or a "!" of something? Then that is inverted. */
static bool is_chain(int first, int last, enum strength s)
{
	int i, depth = 0;

	for (i = first; i <= last; i++) {
		depth += token_is(i, "(") || token_is(i, "[");
		depth -= token_is(i, ")") || token_is(i, "]");
		if (!depth && strength_of(i) == s)
			return true;
	}
	return false;
}

static void operands(int first, int last, enum strength s)
{
	/* a && b && c: a and b were taken when they were read. */
	if (!is_chain(first, last, s))
		add_point(first, last, "operand");
}

static void ternary(int first)
{
	int mark = pos;
	bool decides;

	add_point(first, mark - 1, "if");
	want("?");
	if (!next_is(":"))
		expression(COMMA);
	want(":");
	expression(TERNARY);
	for (decides = false; mark < pos; mark++)
		decides |= is_word(mark) || is_prediction(mark);
	if (!decides)
		drop_edges(first, pos - 1);
}

static void expression(enum strength weakest)
{
	int first = pos;

	operand();
	for (;;) {
		enum strength s = strength_of(pos);
		int second;

		if (s == NR_STRENGTHS || s < weakest)
			return;
		if (s == TERNARY) {
			ternary(first);
			continue;
		}
		second = ++pos;
		expression(s == ASSIGN ? ASSIGN : s + 1);
		if (s == OR || s == AND) {
			operands(first, second - 2, s);
			operands(second, pos - 1, s);
		} else if (token_is(second - 1, "<") || token_is(second - 1, ">") ||
			   token_is(second - 1, "<=") || token_is(second - 1, ">=")) {
			add_point(second, pos - 1, "edge");
		} else if (s == ASSIGN && (is_chain(second, pos - 1, AND) ||
					   is_chain(second, pos - 1, OR))) {
			add_point(second, pos - 1, "bool");
		}
	}
}

/* --- statements --------------------------------------------------------- */

static void statement(void);

static void condition(bool step)
{
	int first, last;

	want("(");
	first = pos;
	expression(COMMA);
	last = pos - 1;
	add_point(first, last, "if");
	want(")");
	if (step && next_is("return"))
		add_beside(first, last, "drop");
}

static void declaration(void)
{
	bool truth = false;

	while (!next_is("=") && !next_is(";") && !next_is(",")) {
		truth |= next_is("bool");
		if (!is_name(pos) && !next_is("*") && !next_is("[") && !next_is("]") &&
		    !isdigit((unsigned char)*tokens[pos].at))
			give_up(pos, "this declares nothing");
		pos++;
	}
	for (;;) {
		if (take("=")) {
			int first = pos;

			if (take("{"))
				list("}");
			else
				expression(ASSIGN);
			if (truth)
				add_point(first, pos - 1, "bool");
		}
		if (!take(","))
			break;
		while (take("*"))
			;
		pos++;
	}
	want(";");
}

/* Of the switch around this statement. */
static int switch_by, switch_to;

static void switch_statement(void)
{
	int by = switch_by, to = switch_to;

	want("(");
	switch_by = pos;
	expression(COMMA);
	switch_to = pos - 1;
	want(")");
	statement();
	switch_by = by;
	switch_to = to;
}

static void label(void)
{
	int first = pos;

	expression(OR);
	add_point(first, pos - 1, "case");
	points[nr_points - 1].chosen_by = switch_by;
	points[nr_points - 1].chosen_to = switch_to;
	want(":");
}

static void statement(void)
{
	if (take("{")) {
		while (!take("}"))
			statement();
	} else if (take("if")) {
		condition(true);
		statement();
		if (take("else"))
			statement();
	} else if (take("while")) {
		condition(false);
		statement();
	} else if (take("switch")) {
		switch_statement();
	} else if (take("for")) {
		int first;

		want("(");
		if (is_type(pos)) {
			declaration();
		} else {
			expression(COMMA);
			want(";");
		}
		first = pos;
		expression(COMMA);
		add_point(first, pos - 1, "if");
		want(";");
		expression(COMMA);
		want(")");
		statement();
	} else if (take("case")) {
		label();
	} else if (take("default")) {
		want(":");
	} else if (take("break") || take("continue")) {
		want(";");
	} else if (take("return")) {
		int first = pos;

		if (!next_is(";")) {
			expression(COMMA);
			if (returns_bool)
				add_point(first, pos - 1, "return");
		}
		want(";");
	} else if (is_type(pos)) {
		declaration();
	} else if (!take(";")) {
		expression(COMMA);
		want(";");
	}
}

/* Words that are given, not compared with or tested for; flags beside others. */
static void words(int first, int last)
{
	int i;

	for (i = first; i <= last; i++) {
		if (starts_with(i, "COWTRACE_") && (token_is(i - 1, "|") || token_is(i + 1, "|")))
			add_point(i, i, "flag");
		if (*tokens[i].at == '"')
			add_point(i, i, "text");
		if (!is_word(i))
			continue;
		if (token_is(i - 1, "return") || token_is(i - 1, "=") || token_is(i - 1, "|=") ||
		    token_is(i - 1, "?") || token_is(i - 1, ":") || token_is(i - 1, "{") ||
		    token_is(i - 1, ","))
			add_point(i, i, "word");
		else if (token_is(i - 1, "~") && token_is(i - 2, "&="))
			add_point(i, i, "word");
	}
}

/* Everything outside of functions is passed over: only a body follows ")". */
static void file(void)
{
	int depth = 0, first;

	while (pos < nr_tokens) {
		if (take("{")) {
			depth++;
		} else if (take("}")) {
			depth--;
		} else if (!depth && token_is(pos, ")") && token_is(pos + 1, "{")) {
			first = ++pos;
			statement();
			words(first, pos - 1);
			returns_bool = false;
		} else {
			if (!depth && next_is(";"))
				returns_bool = false;
			if (!depth && next_is("bool") && token_is(pos + 2, "("))
				returns_bool = true;
			pos++;
		}
	}
	if (depth)
		give_up(pos, "the braces do not match");
}

/* --- output ------------------------------------------------------------- */

/* By their place; the longer first where several begin. */
static int compare(const void *a, const void *b)
{
	const struct point *p = a, *q = b;

	return p->first != q->first ? p->first - q->first : q->last - p->last;
}

static void write_points(FILE *f)
{
	int i;

	for (i = 0; i < nr_points; i++) {
		const struct token *from = &tokens[points[i].first], *to = &tokens[points[i].last];
		const char *s;
		bool blank = false;

		fprintf(f, "%s:%d\t%s\t", name, from->line, points[i].what);
		for (s = from->at; s < to->at + to->len; s++) {
			if (isspace((unsigned char)*s)) {
				blank = true;
				continue;
			}
			fprintf(f, "%s%c", blank ? " " : "", *s);
			blank = false;
		}
		fputc('\n', f);
	}
}

static const char prologue[] =
	"#ifndef INVERTED_H\n"
	"#define INVERTED_H\n"
	"#include <stdlib.h>\n"
	"static int inverted;\n"
	"__attribute__((constructor)) static void read_inverted(void)\n"
	"{\n"
	"	inverted = atoi(getenv(\"INVERTED\") ?: \"0\");\n"
	"}\n"
	"#define INVERT_CONDITION(n, x)	(!!(x) != (inverted == (n)))\n"
	"static inline int invert_case(int n, int label, int value)\n"
	"{\n"
	"	return inverted == n && value == label ? -1 : value;\n"
	"}\n"
	"#define INVERT_TEXT(n, x)	(inverted == (n) ? \"inverted\" : (x))\n"
	"#define INVERT_FLAG(n, x)	(inverted == (n) ? 0 : (x))\n"
	"#define INVERT_EDGE(n, x)	((x) + (inverted == (n)))\n"
	/* The next word of the list. */
	"#define INVERT_OUTCOME(n, x)	(((x) + (inverted == (n))) % COWTRACE_NR_OUTCOMES)\n"
	"#define INVERT_REASON(n, x)	(((x) + (inverted == (n))) % COWTRACE_NR_REASONS)\n"
	"#define INVERT_ANSWER(n, x)	(((x) + (inverted == (n))) % COWTRACE_NR_ANSWERS)\n"
	"#define INVERT_NOT_KNOWN(n, x)	((x) + (inverted == (n)))\n"
	"#define INVERT_DROP(n, x)	(inverted != (n) && (x))\n"
	"#define INVERT_PART(n, x, part, nr)	({ __auto_type p_ = (x);	\\\n"
	"	p_.part = (p_.part + (inverted == (n))) % (nr); p_; })\n"
	"#define INVERT_PREDICTED(n, x)	INVERT_PART(n, x, answer, COWTRACE_NR_ANSWERS)\n"
	"#define INVERT_STEP(n, x)	INVERT_PART(n, x, step, COWTRACE_NR_STEPS)\n"
	"#define INVERT_WHY(n, x)	INVERT_PART(n, x, reason, COWTRACE_NR_REASONS)\n"
	"#define INVERT_CAUSE(n, x)	INVERT_PART(n, x, cause, COWTRACE_NR_CAUSES)\n"
	"#endif\n";

static const char *switch_of(const struct point *p)
{
	if (!strcmp(p->what, "edge"))
		return "INVERT_EDGE";
	if (!strcmp(p->what, "flag"))
		return "INVERT_FLAG";
	if (!strcmp(p->what, "text"))
		return "INVERT_TEXT";
	if (!strcmp(p->what, "drop"))
		return "INVERT_DROP";
	if (!strcmp(p->what, "step"))
		return "INVERT_STEP";
	if (!strcmp(p->what, "answer"))
		return "INVERT_PREDICTED";
	if (strcmp(p->what, "word"))
		return "INVERT_CONDITION";
	if (starts_with(p->first, "COWTRACE_EV_"))
		return "INVERT_FLAG";
	if (token_is(p->first, "COWTRACE_REUSE_"))
		return "INVERT_WHY";
	if (token_is(p->first, "COWTRACE_OPEN_"))
		return "INVERT_CAUSE";
	if (token_is(p->first, "COWTRACE_NOT_KNOWN"))
		return "INVERT_NOT_KNOWN";
	if (starts_with(p->first, "COWTRACE_ANSWER_"))
		return "INVERT_ANSWER";
	return starts_with(p->first, "COWTRACE_OUTCOME_") ? "INVERT_OUTCOME" : "INVERT_REASON";
}

static void open_switch(FILE *f, const struct point *p, int number)
{
	const struct token *from = &tokens[p->first], *to = &tokens[p->last];

	if (strcmp(p->what, "case"))
		fprintf(f, "%s(%d, ", switch_of(p), number);
	else
		fprintf(f, "invert_case(%d, %.*s, ", number, (int)(to->at + to->len - from->at),
			from->at);
}

static void write_header(FILE *f, const char *text)
{
	int i, k;

	fprintf(f, "%s#line 1 \"%s\"\n", prologue, path);
	for (i = 0; i < nr_tokens; i++) {
		const char *end = tokens[i].at + tokens[i].len;

		fprintf(f, "%.*s", (int)(tokens[i].at - text), text);
		for (k = 0; k < nr_points; k++)
			if (points[k].chosen_by == i)
				open_switch(f, &points[k], before + k + 1);
		fprintf(f, "%.*s", (int)tokens[i].len, tokens[i].at);
		for (k = 0; k < nr_points; k++)
			if (points[k].chosen_to == i)
				fputc(')', f);
		text = end;
	}
	fputs(text, f);
}

static FILE *open_in(const char *dir, const char *file)
{
	char where[4096];
	FILE *f;

	snprintf(where, sizeof(where), "%s/%s", dir, file);
	f = fopen(where, "w");
	if (!f) {
		fprintf(stderr, "invert: cannot write %s\n", where);
		exit(1);
	}
	return f;
}

static void close_file(FILE *f)
{
	bool bad = ferror(f);

	if (fclose(f) || bad) {
		fprintf(stderr, "invert: cannot write all\n");
		exit(1);
	}
}

static const char *read_header(void)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n;

	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (!n || n == sizeof(text) - 1) {
		fprintf(stderr, "invert: cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	text[n] = '\0';
	return text;
}

static void invert(const char *dir, FILE *list)
{
	const char *text = read_header();
	FILE *f;

	nr_tokens = 0;
	nr_points = 0;
	pos = 0;
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	tokenize(text);
	file();
	qsort(points, nr_points, sizeof(*points), compare);
	write_points(list);
	f = open_in(dir, name);
	write_header(f, text);
	close_file(f);
	before += nr_points;
}

int main(int argc, char **argv)
{
	FILE *list;
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: invert DIR HEADER...\n");
		return 2;
	}
	list = open_in(argv[1], "points");
	for (i = 2; i < argc; i++) {
		path = argv[i];
		invert(argv[1], list);
	}
	close_file(list);
	return 0;
}
