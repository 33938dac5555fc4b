/* SPDX-License-Identifier: GPL-2.0 */
/* injection: what of the module is made to fail, and what others can see of it. */
#ifndef COWTEST_INJECTION_H
#define COWTEST_INJECTION_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct act - what can fail
 * @name: of the claim.
 * @file: in the module's directory, and what is written to it, when @act is NULL.
 * @set: is written to @file.
 * @unset: takes that back.
 * @act: 0 or a negative errno.
 * @undo: after @act has succeeded.
 * @again: when it fails and goes on failing nothing may be left of what was there, as the
 *	module says: it has to be set again.
 * @silent: the errno is all that is said: nothing is logged.
 * @once: the module keeps some of what it makes for it: it is loaded anew for each try.
 */
struct act {
	const char	*name;
	const char	*file;
	const char	*set;
	const char	*unset;
	int		(*act)(void);
	void		(*undo)(void);
	bool		again;
	bool		silent;
	bool		once;
};

extern const struct act injection_load;
/* Of the loaded module, which ends with a name of NULL. */
extern const struct act injection_acts[];

/* 0 or a negative errno, and all is as it was after the second. */
int act_do(const struct act *a);
void act_undo(const struct act *a);

/**
 * struct visible - what others can see of the module
 * @module: it is loaded, and the paths of all its files.
 * @kprobes: all kprobes, but those that make it fail.
 * @functions: all functions that ftrace calls somebody for, likewise.
 * @probes: the file probes of the module, without hits.
 */
struct visible {
	char	module[1 << 13];
	char	kprobes[1 << 14];
	char	functions[1 << 14];
	char	probes[1 << 12];
};

/* A write-protect fault and a fork come first: what is left of a hook would be called. */
void visible_look(struct visible *v);
/* What differs, NULL for nothing. */
const char *visible_differs(const struct visible *a, const struct visible *b);

#endif /* COWTEST_INJECTION_H */
