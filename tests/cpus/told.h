/* SPDX-License-Identifier: GPL-2.0 */
/*
 * told: the code and the memory of the module, for the plugin. Each is a line:
 *
 *   code NAME SIZE SYMBOL
 *   area NAME SIZE SYMBOL [+N|*|cpu]...
 *
 * Both begin at the address of SYMBOL (a section of the module or a symbol of
 * /proc/kallsyms), plus N, dereferenced (*), and in the area of each CPU (cpu), from
 * left to right.
 */
#ifndef TOLD_H
#define TOLD_H

#include <stdio.h>

/* Read these lines and look the symbols up, which takes a while. Exits on an error. */
void told_read(FILE *where);

/*
 * Tell the plugin where all that is now: what is allocated for a session moves. Prints
 * "area NUMBER NAME CPU FROM TO" of each area; one behind a NULL is not there.
 */
void told_tell(int nr_cpus);

#endif /* TOLD_H */
