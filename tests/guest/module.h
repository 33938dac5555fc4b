/* SPDX-License-Identifier: GPL-2.0 */
/* The module: loaded, switched on, and what it knows of this kernel. */
#ifndef COWTEST_MODULE_H
#define COWTEST_MODULE_H

#include <stdbool.h>

/* File name of a variant of the module: "", "-nosymbol", "-blacklisted". */
int module_load(const char *variant, const char *parameters);
/* @flags: O_NONBLOCK, as rmmod does. */
int module_unload(int flags);
bool module_loaded(void);
/* The same of another module, by the name the kernel has for it. */
int module_unload_as(const char *name, int flags);
bool module_loaded_as(const char *name);
/* Load with the backend of this run, a buffer of @kb a CPU; fails the suite. */
void module_start(unsigned int kb);
/* enabled: fails the suite when it is refused. */
void enable(void);
void disable(void);
/* The file events, opened before a child of @fn was traced, which has ended, to be read. */
int events_of(void (*fn)(void *));
/*
 * Until the probes are armed, or nobody has them armed: on 7.2 those of fprobe follow the
 * switch of the event a moment later.
 */
void wait_armed(bool on);

/* COWTRACE_TRAIT_* of this kernel, as the schema has them. */
unsigned int kernel_traits(void);
/* Of what no trait says: does its unwinder know what a return probe of any kind replaced? */
bool kernel_unwinds(void);
/* Does it say by BTF what its structures look like? Without, no BPF program is loaded. */
bool kernel_has_types(void);

#endif /* COWTEST_MODULE_H */
