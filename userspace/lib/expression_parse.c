// SPDX-License-Identifier: GPL-2.0
/* The grammar: one pass, each operator goes into the program after its operands. */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "expression_parse.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* Binary operators: those that bind more come with a greater level, longer ones first. */
static const struct operator {
	const char	*sign;
	uint8_t		level;
	uint8_t		op;
} operators[] = {
	{ "||", 1, CT_OP_OR },
	{ "&&", 2, CT_OP_AND },
	{ "==", 6, CT_OP_EQUAL },
	{ "!=", 6, CT_OP_UNEQUAL },
	{ "<<", 8, CT_OP_LEFT },
	{ ">>", 8, CT_OP_RIGHT },
	{ "<=", 7, CT_OP_AT_MOST },
	{ ">=", 7, CT_OP_AT_LEAST },
	{ "|", 3, CT_OP_BITS_OR },
	{ "^", 4, CT_OP_BITS_XOR },
	{ "&", 5, CT_OP_BITS_AND },
	{ "<", 7, CT_OP_LESS },
	{ ">", 7, CT_OP_GREATER },
	{ "+", 9, CT_OP_ADD },
	{ "-", 9, CT_OP_SUBTRACT },
	{ "*", 10, CT_OP_MULTIPLY },
	{ "/", 10, CT_OP_DIVIDE },
	{ "%", 10, CT_OP_MODULO },
};

#define CHANGES	"an expression changes nothing"

/* What C has and an expression has not. Looked for before the operators. */
static const struct {
	const char	*sign;
	const char	*why;
} foreign[] = {
	{ "<<=", CHANGES },
	{ ">>=", CHANGES },
	{ "+=",	 CHANGES },
	{ "-=",	 CHANGES },
	{ "*=",	 CHANGES },
	{ "/=",	 CHANGES },
	{ "%=",	 CHANGES },
	{ "&=",	 CHANGES },
	{ "^=",	 CHANGES },
	{ "|=",	 CHANGES },
	{ "++",	 CHANGES },
	{ "--",	 CHANGES ": write - -x for the opposite of -x" },
	{ "->",	 "a name stands alone" },
};

#define OPERAND		"a number, a name, (, !, - or ~"
#define OPERATOR	"|| && | ^ & == != < <= > >= << >> + - * / % ?:"

static bool starts(const char *text, const char *sign)
{
	return !strncmp(text, sign, strlen(sign));
}

static const struct operator *operator_at(const char *at)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (starts(at, operators[i].sign))
			return &operators[i];
	return NULL;
}

static size_t token_length(const char *at)
{
	const struct operator *operator = operator_at(at);
	size_t length = ct_name_length(at);

	if (operator)
		return strlen(operator->sign);
	return length ? length : !!*at;
}

/* Something else was expected at @p->at. */
static int unexpected(struct ct_parser *p, const char *what, bool list)
{
	struct ct_complaint c = ct_parser_complaint(p, p->at, token_length(p->at));
	char found[32];

	c.list = list;
	if (!*p->at) {
		c.at = p->end - p->text;
		return ct_complain_at(p->err, -EINVAL, &c, "expected %s, not the end", what);
	}
	ct_clean_text(found, sizeof(found), p->at, c.length);
	return ct_complain_at(p->err, -EINVAL, &c, "expected %s, not \"%s\"", what, found);
}

static int refuse_foreign(struct ct_parser *p)
{
	struct ct_complaint c = ct_parser_complaint(p, p->at, 1);

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		if (!starts(p->at, foreign[i].sign))
			continue;
		c.length = strlen(foreign[i].sign);
		return ct_complain_at(p->err, -EINVAL, &c, "%s: %s", foreign[i].sign,
				      foreign[i].why);
	}
	if (*p->at == '=' && p->at[1] != '=')
		return ct_complain_at(p->err, -EINVAL, &c,
				      "=: " CHANGES ": compare by ==");
	return 0;
}

static int descend(struct ct_parser *p)
{
	struct ct_complaint c = ct_parser_complaint(p, p->at, 0);

	if (p->depth++ < CT_EXPRESSION_DEPTH)
		return 0;
	return ct_complain_at(p->err, -E2BIG, &c, "nested deeper than %d levels",
			      CT_EXPRESSION_DEPTH);
}

static int emit_operator(struct ct_parser *p, enum ct_op op, unsigned int takes)
{
	return ct_parser_emit(p, (struct ct_step) { .op = op }, takes);
}

static int choice(struct ct_parser *p);

static int parenthesis(struct ct_parser *p)
{
	int ret;

	ct_parser_take(p, 1);
	ret = choice(p);
	if (ret)
		return ret;
	if (*p->at != ')')
		return unexpected(p, "an operator or )", false);
	ct_parser_take(p, 1);
	return 0;
}

static int unary(struct ct_parser *p, const struct ct_vocabulary *field, struct ct_operand *o)
{
	static const char signs[] = "!-~";
	static const uint8_t ops[] = { CT_OP_NOT, CT_OP_NEGATE, CT_OP_INVERT };
	const char *sign;
	int ret;

	*o = (struct ct_operand) { .start = p->at, .length = ct_name_length(p->at) };
	if (o->length)
		return ct_parser_value(p, field, o);
	ret = refuse_foreign(p);
	if (ret)
		return ret;
	sign = *p->at ? strchr(signs, *p->at) : NULL;
	if (!sign && *p->at != '(')
		return unexpected(p, OPERAND, true);
	ret = descend(p);
	if (ret)
		return ret;
	if (sign) {
		ct_parser_take(p, 1);
		ret = unary(p, NULL, o);
		if (!ret)
			ret = ct_parser_need_number(p, o);
		if (!ret)
			ret = emit_operator(p, ops[sign - signs], 1);
	} else {
		ret = parenthesis(p);
	}
	p->depth--;
	return ret;
}

/* Operators of at least @level. @field: that stands left of this, if it is one with words. */
static int binary(struct ct_parser *p, unsigned int level, const struct ct_vocabulary *field,
		  struct ct_operand *left)
{
	const struct operator *operator;
	struct ct_operand right;
	int ret = unary(p, field, left);

	while (!ret) {
		ret = refuse_foreign(p);
		operator = operator_at(p->at);
		if (ret || !operator || operator->level < level)
			return ret;
		field = operator->op == CT_OP_EQUAL || operator->op == CT_OP_UNEQUAL ?
			left->field : NULL;
		if (!field)
			ret = ct_parser_need_number(p, left);
		if (ret)
			return ret;
		ct_parser_take(p, strlen(operator->sign));
		ret = binary(p, operator->level + 1, field, &right);
		if (ret)
			return ret;
		ret = field && right.word ? 0 : ct_parser_need_number(p, field ? left : &right);
		if (!ret)
			ret = emit_operator(p, operator->op, 2);
		left->field = NULL;
		left->word = NULL;
	}
	return ret;
}

/* The rest of "condition ? yes : no". */
static int branches(struct ct_parser *p)
{
	int ret;

	ct_parser_take(p, 1);
	ret = choice(p);
	if (ret)
		return ret;
	if (*p->at != ':')
		return unexpected(p, "an operator or the : of ?:", false);
	ct_parser_take(p, 1);
	ret = choice(p);
	return ret ? ret : emit_operator(p, CT_OP_CHOOSE, 3);
}

/* What may stand alone: a number in the end. */
static int choice(struct ct_parser *p)
{
	struct ct_operand o;
	int ret = binary(p, 1, NULL, &o);

	if (!ret)
		ret = ct_parser_need_number(p, &o);
	if (ret || *p->at != '?')
		return ret;
	ret = descend(p);
	if (ret)
		return ret;
	ret = branches(p);
	p->depth--;
	return ret;
}

int ct_parser_run(struct ct_parser *p)
{
	int ret;

	ct_parser_take(p, 0);
	ret = choice(p);
	if (!ret && *p->at)
		return unexpected(p, "the end or an operator: " OPERATOR, false);
	return ret;
}
