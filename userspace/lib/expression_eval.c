// SPDX-License-Identifier: GPL-2.0
/* What an expression says of a fault. */
#include <cowtrace/facts.h>

#include "expression_parts.h"

static const char by_zero[] = "division by zero", out_of_range[] = "shift out of range";
static const char moved[] = "a count that moved";

/**
 * struct value - a number, or none
 * @n: the number.
 * @lacks: why it is unknown, NULL if it is known.
 */
struct value {
	int64_t		n;
	const char	*lacks;
};

static struct value known(int64_t n)
{
	return (struct value) { n, NULL };
}

static struct value unknown(const char *cause)
{
	return (struct value) { 0, cause };
}

static struct value known_if(bool is_known, int64_t n, const char *name)
{
	return is_known ? known(n) : unknown(name);
}

/* On which side of a limit it was when the kernel looked is not known. */
static struct value counted(const struct cowtrace_record *r, int32_t n)
{
	return known_if(!(r->evidence & COWTRACE_EV_UNSTABLE), n, moved);
}

static struct value load(const struct cowtrace_facts *f, const struct ct_step *s)
{
	const struct cowtrace_record *r = f->record;
	const void *field = (const char *)r + s->where, *fact = (const char *)f + s->where;
	int32_t n;

	if ((r->present & s->present) != s->present)
		return unknown(s->name);
	switch (s->op) {
	case CT_OP_U8:
		return known(*(const uint8_t *)field);
	case CT_OP_U16:
		return known(*(const uint16_t *)field);
	case CT_OP_U32:
		return known(*(const uint32_t *)field);
	case CT_OP_U64:
		return known(*(const uint64_t *)field);
	case CT_OP_S32:
		return known(*(const int32_t *)field);
	case CT_OP_WORD:
		n = *(const uint8_t *)field;
		return known_if(n != s->number, n, s->name);
	case CT_OP_STATE:
		return known(r->state >> s->where & 1);
	case CT_OP_PAGES:
		n = cowtrace_folio_pages(r);
		return known_if(n, n, s->name);
	case CT_OP_REFCOUNT:
		return counted(r, *(const int32_t *)field);
	case CT_OP_FACT_S8:
		n = *(const int8_t *)fact;
		return known_if(n != COWTRACE_NOT_KNOWN, n, s->name);
	case CT_OP_FACT_S32:
		n = *(const int32_t *)fact;
		return known_if(n != COWTRACE_NOT_KNOWN, n, s->name);
	default:
		return f->holders.known ? counted(r, *(const int32_t *)fact) : unknown(s->name);
	}
}

/* Unsigned, so that they wrap around: the kernel is built so too. */
static int64_t wrap(enum ct_op op, uint64_t a, uint64_t b)
{
	return op == CT_OP_ADD ? a + b : op == CT_OP_SUBTRACT ? a - b : a * b;
}

static struct value divide(enum ct_op op, int64_t a, int64_t b)
{
	if (!b)
		return unknown(by_zero);
	/* The least number has no opposite. */
	if (b == -1)
		return known(op == CT_OP_DIVIDE ? wrap(CT_OP_SUBTRACT, 0, a) : 0);
	return known(op == CT_OP_DIVIDE ? a / b : a % b);
}

static struct value shift(enum ct_op op, int64_t a, int64_t b)
{
	if (b < 0 || b > 63)
		return unknown(out_of_range);
	return known(op == CT_OP_LEFT ? (int64_t)((uint64_t)a << b) : a >> b);
}

static struct value calculate(enum ct_op op, int64_t a, int64_t b)
{
	switch (op) {
	case CT_OP_MULTIPLY:
	case CT_OP_ADD:
	case CT_OP_SUBTRACT:
		return known(wrap(op, a, b));
	case CT_OP_DIVIDE:
	case CT_OP_MODULO:
		return divide(op, a, b);
	case CT_OP_LEFT:
	case CT_OP_RIGHT:
		return shift(op, a, b);
	case CT_OP_LESS:
		return known(a < b);
	case CT_OP_AT_MOST:
		return known(a <= b);
	case CT_OP_GREATER:
		return known(a > b);
	case CT_OP_AT_LEAST:
		return known(a >= b);
	case CT_OP_EQUAL:
		return known(a == b);
	case CT_OP_UNEQUAL:
		return known(a != b);
	case CT_OP_BITS_AND:
		return known(a & b);
	case CT_OP_BITS_XOR:
		return known(a ^ b);
	default:
		return known(a | b);
	}
}

/* The first that is unknown is named as the cause. */
static struct value both(enum ct_op op, struct value a, struct value b)
{
	bool settles = op == CT_OP_OR;

	if (op == CT_OP_AND || op == CT_OP_OR) {
		if ((!a.lacks && !!a.n == settles) || (!b.lacks && !!b.n == settles))
			return known(settles);
		return a.lacks ? a : b.lacks ? b : known(!settles);
	}
	if (a.lacks)
		return a;
	return b.lacks ? b : calculate(op, a.n, b.n);
}

static struct value alone(enum ct_op op, struct value a)
{
	if (a.lacks)
		return a;
	return known(op == CT_OP_NOT ? !a.n : op == CT_OP_INVERT ? ~a.n :
		     wrap(CT_OP_SUBTRACT, 0, a.n));
}

static struct value choose(struct value condition, struct value yes, struct value no)
{
	if (!condition.lacks)
		return condition.n ? yes : no;
	return !yes.lacks && !no.lacks && yes.n == no.n ? yes : condition;
}

enum ct_truth ct_expression_eval(const struct ct_expression *e, const struct cowtrace_facts *f,
				 const char **cause)
{
	struct value stack[CT_EXPRESSION_STACK], *top = stack;

	/* @top is behind the last operand; the parser has counted them. */
	for (const struct ct_step *s = e->steps; s < e->steps + e->nr; s++) {
		if (s->op == CT_OP_NUMBER) {
			*top++ = known(s->number);
		} else if (s->op < CT_OP_NOT) {
			*top++ = load(f, s);
		} else if (s->op < CT_OP_MULTIPLY) {
			top[-1] = alone(s->op, top[-1]);
		} else if (s->op < CT_OP_CHOOSE) {
			top--;
			top[-1] = both(s->op, top[-1], top[0]);
		} else {
			top -= 2;
			top[-1] = choose(top[-1], top[0], top[1]);
		}
	}
	if (cause)
		*cause = stack[0].lacks;
	return stack[0].lacks ? CT_UNKNOWN : stack[0].n ? CT_TRUE : CT_FALSE;
}
