/* SPDX-License-Identifier: GPL-2.0 */
/* What those share that read the text of experiments. */
#ifndef COWTRACE_EXPERIMENT_PARSE_H
#define COWTRACE_EXPERIMENT_PARSE_H

#include <stdbool.h>

#include "experiment.h"

/**
 * struct ct_exp_parser - where reading is
 * @file: name of the text.
 * @line: in it, from 1.
 * @all: the experiments that were read.
 * @e: the one that is read, NULL before the first.
 * @step: of it, NULL before the first and after what is no step.
 * @err: filled in by what is wrong.
 */
struct ct_exp_parser {
	const char		*file;
	unsigned int		line;
	struct ct_experiments	*all;
	struct ct_experiment	*e;
	struct ct_exp_step	*step;
	struct ct_error		*err;
};

/**
 * struct ct_exp_form - how an operation is written
 * @name: of it.
 * @area: whether an area follows.
 * @least: words that follow, at least.
 * @greatest: and at most.
 */
struct ct_exp_form {
	const char	*name;
	bool		area;
	unsigned int	least, greatest;
};

extern const struct ct_exp_form ct_exp_forms[CT_EXP_NR_VERBS];
extern const char *const ct_exp_kernel_names[CT_EXP_NR_KERNELS];

/* What is wrong, with the line. Return: -EINVAL. */
__attribute__((format(printf, 2, 3)))
int ct_exp_wrong(struct ct_exp_parser *p, const char *format, ...);

/* The next word of a line; NULL at its end. */
char *ct_exp_next(char **rest);

/* Letters, digits and - _ . alone, and no more than CT_EXP_WORD takes. */
bool ct_exp_is_name(const char *word);

/* Reads a number from @least to @greatest. Returns whether it is one. */
bool ct_exp_number(const char *word, unsigned int least, unsigned int greatest,
		   unsigned int *value);

/* One operation, and a line of a step. Return: 0 or a negative errno. */
int ct_exp_parse_op(struct ct_exp_parser *p, char *text);
int ct_exp_parse_step(struct ct_exp_parser *p, char *rest);

#endif /* COWTRACE_EXPERIMENT_PARSE_H */
