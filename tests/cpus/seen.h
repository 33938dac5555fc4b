/* SPDX-License-Identifier: GPL-2.0 */
/* seen: what the CPUs of a guest did in the code and to the memory that was told. */
#ifndef SEEN_H
#define SEEN_H

#include <stdint.h>

/* CPUs that a guest may have. */
#define SEEN_MAX_CPUS	16
/* Where modules are: x86-64 without KASLR. */
#define SEEN_MODULES	0xffffffffc0000000ul

/* Forget all code and areas. Numbers of areas go on. */
void seen_forget(void);

/* Count the instructions from @from to before @to, and watch what they store. */
void seen_add_code(uint64_t from, uint64_t to);

/* Watch all stores to the cache lines of this memory. Areas have the numbers 0, 1, … */
void seen_add_area(uint64_t from, uint64_t to);

/* Of the code told? */
int seen_is_code(uint64_t address);

/* @cpu executes the instruction at @address. */
void seen_instruction(unsigned int cpu, uint64_t address);

/* @cpu stores @size bytes at @address; the instruction stands at @store. */
void seen_store(unsigned int cpu, uint64_t address, uint64_t size, uint64_t store);

/* The code told reads at @address; the instruction stands at @load. */
void seen_load(uint64_t address, uint64_t load);

/* Start from zero. Context: nobody else is at work, as for all that is below. */
void seen_clear(void);

/* Append what was seen to a file, as plugin.c describes it. */
void seen_print(const char *file, uint64_t run);

#endif /* SEEN_H */
