// SPDX-License-Identifier: GPL-2.0
/* What an expression says of a fault. */
#include <cowtrace/holders.h>

#include "expression_parts.h"

static const char by_zero[] = "division by zero", out_of_range[] = "shift out of range";

/**
 * struct value - a number, or none
 * @n: the number.
 * @lacks: why it is unknown, NULL if it is known.
 */
struct value {
	int64_t		n;
	const char	*lacks;
};

struct fault {
	const struct cowtrace_record *r;
	uint32_t	traits;
	int		exclusive;
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

static struct value exclusive(const struct fault *f, const struct ct_step *s)
{
	if (f->r->present & COWTRACE_HAS_EXCLUSIVE)
		return known(!!(f->r->state & COWTRACE_PG_EXCLUSIVE));
	return known_if(f->exclusive >= 0, f->exclusive > 0, s->name);
}

static struct value part(const struct fault *f, const struct ct_step *s)
{
	struct cowtrace_holders h = cowtrace_holders(f->r, f->traits);

	return known_if(h.known, s->op == CT_OP_PINS ? h.pins :
			s->op == CT_OP_LRU_REF ? h.lru : h.unattributed, s->name);
}

static struct value load(const struct fault *f, const struct ct_step *s)
{
	const struct cowtrace_record *r = f->r;
	const void *at = (const char *)r + s->where;
	int32_t pages;

	if ((r->present & s->present) != s->present)
		return unknown(s->name);
	switch (s->op) {
	case CT_OP_U8:
		return known(*(const uint8_t *)at);
	case CT_OP_U16:
		return known(*(const uint16_t *)at);
	case CT_OP_U32:
		return known(*(const uint32_t *)at);
	case CT_OP_U64:
		return known(*(const uint64_t *)at);
	case CT_OP_S32:
		return known(*(const int32_t *)at);
	case CT_OP_WORD:
		return known_if(*(const uint8_t *)at != s->number, *(const uint8_t *)at, s->name);
	case CT_OP_STATE:
		return known(r->state >> s->where & 1);
	case CT_OP_EXCLUSIVE:
		return exclusive(f, s);
	case CT_OP_MM_SHARED:
		/* The kernel keeps it for large folios only. */
		return known_if(r->order && f->traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE,
				r->state >> s->where & 1, s->name);
	case CT_OP_PAGES:
		pages = cowtrace_folio_pages(r);
		return known_if(pages, pages, s->name);
	default:
		return part(f, s);
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

enum ct_truth ct_expression_eval(const struct ct_expression *e, const struct cowtrace_record *r,
				 uint32_t traits, int exclusive, const char **cause)
{
	const struct fault fault = { r, traits, exclusive };
	struct value stack[CT_EXPRESSION_STACK], *top = stack;

	/* @top is behind the last operand; the parser has counted them. */
	for (const struct ct_step *s = e->steps; s < e->steps + e->nr; s++) {
		if (s->op == CT_OP_NUMBER) {
			*top++ = known(s->number);
		} else if (s->op < CT_OP_NOT) {
			*top++ = load(&fault, s);
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
