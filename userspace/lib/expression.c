// SPDX-License-Identifier: GPL-2.0
#include "expression.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/record.h>

#include "expression_parse.h"

/* Comments away, blanks made one. */
static void squeeze(struct ct_parser *p, char *to)
{
	p->at = p->text;
	ct_parser_take(p, 0);
	while (*p->at) {
		const char *at = p->at;

		*to++ = *at;
		ct_parser_take(p, 1);
		if (*p->at && p->at > at + 1)
			*to++ = ' ';
	}
	*to = '\0';
}

int ct_expression_parse(const char *text, struct ct_expression **expression,
			struct ct_expression_error *err)
{
	struct ct_parser p = { .text = text, .at = text, .end = text, .err = err };
	struct ct_complaint c = { .text = text };
	size_t length = strlen(text);
	int ret;

	if (length > CT_EXPRESSION_TEXT)
		return ct_complain_at(err, -E2BIG, &c,
				      "an expression has at most %d bytes, not %zu",
				      CT_EXPRESSION_TEXT, length);
	p.e = calloc(1, sizeof(*p.e) + length + 1);
	if (!p.e)
		return ct_complain_at(err, -ENOMEM, &c, "out of memory");
	ret = ct_parser_run(&p);
	if (ret) {
		free(p.e);
		return ret;
	}
	squeeze(&p, p.e->text);
	*expression = p.e;
	return 0;
}

void ct_expression_free(struct ct_expression *expression)
{
	free(expression);
}

const char *ct_expression_text(const struct ct_expression *expression)
{
	return expression->text;
}

#define NO_FIELD	SIZE_MAX

/* Offset of the field that a step reads. */
static size_t field_of(const struct ct_step *step)
{
	switch (step->op) {
	case CT_OP_U8:
	case CT_OP_U16:
	case CT_OP_U32:
	case CT_OP_U64:
	case CT_OP_S32:
	case CT_OP_WORD:
	case CT_OP_REFCOUNT:
		return step->where;
	case CT_OP_STATE:
		return offsetof(struct cowtrace_record, state);
	case CT_OP_PAGES:
		return offsetof(struct cowtrace_record, order);
	default:
		return NO_FIELD;
	}
}

bool ct_expression_reads_only(const struct ct_expression *expression, const size_t *fields,
			      size_t nr)
{
	for (size_t i = 0; i < expression->nr; i++) {
		size_t field = field_of(&expression->steps[i]), k = 0;

		while (k < nr && fields[k] != field)
			k++;
		if (field != NO_FIELD && k == nr)
			return false;
	}
	return true;
}

/* Return: 0 or a negative errno. */
static int read_all(const char *path, char *to, size_t size, size_t *length)
{
	FILE *from = fopen(path, "re");
	int err;

	if (!from)
		return -errno;
	errno = 0;
	*length = fread(to, 1, size, from);
	err = ferror(from) ? -errno : 0;
	fclose(from);
	return err;
}

int ct_expression_read_file(const char *path, char **text, struct ct_error *err)
{
	/* One byte more than allowed, to see that there are more, and the final NUL. */
	char *to = calloc(1, CT_EXPRESSION_TEXT + 2);
	size_t length = 0;
	int ret;

	if (!to)
		return ct_error_set(err, -ENOMEM, "out of memory");
	ret = read_all(path, to, CT_EXPRESSION_TEXT + 1, &length);
	if (ret)
		ct_error_set(err, ret, "cannot read the policy in %.256s: %s", path,
			     strerror(-ret));
	else if (length > CT_EXPRESSION_TEXT)
		ret = ct_error_set(err, -E2BIG,
				   "%.256s is longer than a policy, which has at most %d bytes",
				   path, CT_EXPRESSION_TEXT);
	else if (strlen(to) != length)
		ret = ct_error_set(err, -EINVAL,
				   "%.256s is no text: a policy is one expression", path);
	if (ret) {
		free(to);
		return ret;
	}
	*text = to;
	return 0;
}
