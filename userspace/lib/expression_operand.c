// SPDX-License-Identifier: GPL-2.0
/* The numbers and names of an expression, and its program step by step. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "expression_parse.h"

static void skip_blanks(struct ct_parser *p)
{
	while (*p->at && strchr(" \t\r\n#", *p->at))
		p->at += *p->at == '#' ? strcspn(p->at, "\n") : 1;
}

void ct_parser_take(struct ct_parser *p, size_t length)
{
	p->at += length;
	p->end = p->at;
	skip_blanks(p);
}

struct ct_complaint ct_parser_complaint(const struct ct_parser *p, const char *at, size_t length)
{
	return (struct ct_complaint) { .text = p->text, .at = at - p->text, .length = length };
}

int ct_parser_emit(struct ct_parser *p, struct ct_step step, unsigned int takes)
{
	struct ct_complaint c = ct_parser_complaint(p, p->at, 0);

	if (p->e->nr == CT_EXPRESSION_STEPS)
		return ct_complain_at(p->err, -E2BIG, &c, "more than %d operands and operators",
				      CT_EXPRESSION_STEPS);
	p->waiting += 1 - takes;
	if (p->waiting > CT_EXPRESSION_STACK)
		return ct_complain_at(p->err, -E2BIG, &c, "more than %d operands wait for others",
				      CT_EXPRESSION_STACK);
	p->e->steps[p->e->nr++] = step;
	return 0;
}

static int emit_number(struct ct_parser *p, int64_t n)
{
	return ct_parser_emit(p, (struct ct_step) { .op = CT_OP_NUMBER, .number = n }, 0);
}

static int emit_name(struct ct_parser *p, const struct ct_name *name, struct ct_operand *o)
{
	struct ct_step step = {
		.op = name->op, .where = name->where, .present = name->present, .name = name->name,
	};

	o->field = ct_name_vocabulary(name);
	if (o->field) {
		step.op = CT_OP_WORD;
		step.number = ct_vocabulary_unknown(o->field);
	}
	return ct_parser_emit(p, step, 0);
}

static int digits(struct ct_parser *p, const struct ct_operand *o)
{
	struct ct_complaint c = ct_parser_complaint(p, p->at, o->length);
	bool hex = p->at[0] == '0' && (p->at[1] | 0x20) == 'x';
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(p->at, &end, hex ? 16 : 10);
	if (end != p->at + o->length)
		return ct_complain_at(p->err, -EINVAL, &c,
				      "no number: a number is decimal, or 0x and hexadecimal");
	if (errno || n > INT64_MAX)
		return ct_complain_at(p->err, -EINVAL, &c, "a number is at most %lld",
				      (long long)INT64_MAX);
	if (!hex && *p->at == '0' && o->length > 1)
		return ct_complain_at(p->err, -EINVAL, &c,
				      "to C this is octal: write it without the leading 0, or with 0x");
	ct_parser_take(p, o->length);
	return emit_number(p, n);
}

/* Right of a field with words: one of them. */
static int word(struct ct_parser *p, const struct ct_vocabulary *field, struct ct_operand *o)
{
	const struct cowtrace_word *w = ct_vocabulary_find(field, p->at, o->length);
	struct ct_complaint c = ct_parser_complaint(p, p->at, o->length);
	char typed[CT_NAME_TEXT], nearest[CT_NAME_TEXT];

	c.list = true;
	c.vocabulary = field;
	if (w) {
		o->word = field;
		ct_parser_take(p, o->length);
		return emit_number(p, w->value);
	}
	ct_clean_text(typed, sizeof(typed), p->at, o->length);
	if (!strcmp(typed, "unknown"))
		return ct_complain_at(p->err, -EINVAL, &c,
				      "a %s that is unknown makes the expression unknown",
				      field->field);
	if (!ct_name_nearest(field, p->at, o->length, nearest))
		return ct_complain_at(p->err, -EINVAL, &c, "there is no %s \"%s\"", field->field,
				      typed);
	return ct_complain_at(p->err, -EINVAL, &c, "there is no %s \"%s\": did you mean %s?",
			      field->field, typed, nearest);
}

static int no_name(struct ct_parser *p, const struct ct_operand *o)
{
	const struct ct_vocabulary *field = ct_name_as_word(p->at, o->length);
	struct ct_complaint c = ct_parser_complaint(p, p->at, o->length);
	char typed[CT_NAME_TEXT], nearest[CT_NAME_TEXT];

	ct_clean_text(typed, sizeof(typed), p->at, o->length);
	if (field)
		return ct_complain_at(p->err, -EINVAL, &c, "%s is a word of %s: write %s == %s",
				      typed, field->field, field->field, typed);
	c.list = true;
	if (!ct_name_nearest(NULL, p->at, o->length, nearest))
		return ct_complain_at(p->err, -EINVAL, &c, "there is no name \"%s\"", typed);
	return ct_complain_at(p->err, -EINVAL, &c, "there is no name \"%s\": did you mean %s?",
			      typed, nearest);
}

static int named(struct ct_parser *p, const struct ct_vocabulary *field, struct ct_operand *o)
{
	const struct ct_name *name = ct_name_find(p->at, o->length);
	struct ct_complaint c = ct_parser_complaint(p, p->at, o->length);
	const char *refusal = name ? ct_name_refusal(name) : NULL;

	if (field)
		return word(p, field, o);
	if (!name)
		return no_name(p, o);
	c.list = true;
	if (refusal)
		return ct_complain_at(p->err, -EINVAL, &c, "%s %s", name->name, refusal);
	ct_parser_take(p, o->length);
	if (*p->at == '(') {
		c.list = false;
		return ct_complain_at(p->err, -EINVAL, &c, "%s is a value: there are no calls",
				      name->name);
	}
	return emit_name(p, name, o);
}

int ct_parser_need_number(struct ct_parser *p, const struct ct_operand *o)
{
	const struct ct_vocabulary *of = o->field ? o->field : o->word;
	struct ct_complaint c = ct_parser_complaint(p, o->start, o->length);

	if (!of)
		return 0;
	c.list = true;
	c.vocabulary = of;
	return ct_complain_at(p->err, -EINVAL, &c,
			      "%s is no number: write %s == WORD or %s != WORD",
			      o->field ? of->field : "this word", of->field, of->field);
}

int ct_parser_value(struct ct_parser *p, const struct ct_vocabulary *field,
		    struct ct_operand *o)
{
	return *p->at >= '0' && *p->at <= '9' ? digits(p, o) : named(p, field, o);
}
