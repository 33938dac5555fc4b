/* SPDX-License-Identifier: GPL-2.0 */
/* The CPUs of this machine: how many there can be, and word of those that come online. */
#ifndef COWTRACE_CPUS_H
#define COWTRACE_CPUS_H

/* One more than the greatest number that a CPU can ever have here. */
unsigned int ct_cpus_possible(void);

/**
 * ct_cpus_watch() - be told of CPUs that come online
 * Return: a descriptor for ct_cpus_came(), which polls as readable when one did, or a
 * negative errno: outside of the first network namespace nobody is told.
 */
int ct_cpus_watch(void);

/* The number of a CPU that came online; -1 when there is no more to be told. */
int ct_cpus_came(int fd);

#endif /* COWTRACE_CPUS_H */
