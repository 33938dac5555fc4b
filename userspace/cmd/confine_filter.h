/* SPDX-License-Identifier: GPL-2.0 */
/* The system calls that are left to who reads a trace. */
#ifndef COWTRACE_CONFINE_FILTER_H
#define COWTRACE_CONFINE_FILTER_H

/**
 * ct_confine_calls() - refuse all other system calls by EPERM, for ever
 *
 * no_new_privs is set. A kernel or a machine without such filters is none the worse
 * off: what is refused by the user's rights still is.
 *
 * Return: 0 or a negative errno.
 */
int ct_confine_calls(void);

#endif /* COWTRACE_CONFINE_FILTER_H */
