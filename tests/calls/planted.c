// SPDX-License-Identifier: GPL-2.0
/* A module that calls through a pointer as it may; tests/calls/run spoils it in many ways. */
#include <linux/module.h>

#include "symbols.h"

struct table {
	int	(*function)(const char *text);
};

static noinline int own(const char *text)
{
	return strlen(text);
}

const struct table planted_table[] = { { own } };

static inline int helper(const char *text)
{
	return text[0];
}

static noinline int listed(const struct table *t, const char *text)
{
	int sum = helper(text);

	sum += t->function(text);
	sum++;
	return sum;
}

static noinline int unlisted(const char *text)
{
	return text[1];
}

static int which;
module_param(which, int, 0444);

static int __init planted_init(void)
{
	return listed(&planted_table[which], THIS_MODULE->name) + unlisted(THIS_MODULE->name) +
	       !looked_up("do_wp_page");
}

module_init(planted_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What a check of calls has to see");
