/* SPDX-License-Identifier: GPL-2.0 */
/* What the targets of the fuzzer share. Each has an LLVMFuzzerTestOneInput(). */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer calls these, and has the last. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
				 uint8_t *to, size_t room, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* The input is one of a corpus, and read once: all that can be done with it is. */
extern bool fuzz_replay;

/**
 * fuzz_file() - the input as a file
 * @data: its bytes.
 * @size: number of them.
 * Return: a path, valid until the next call.
 */
const char *fuzz_file(const void *data, size_t size);

/**
 * fuzz_text() - the input as a text
 * @data: its bytes.
 * @size: number of them.
 * Return: a copy that ends with a NUL, to be freed.
 */
char *fuzz_text(const void *data, size_t size);

/* What must hold whatever the input is. */
#define MUST(claim)								\
	do {									\
		if (!(claim)) {							\
			fprintf(stderr, "ERROR: must hold: %s (%s:%d)\n", #claim, __FILE__, \
				__LINE__);					\
			abort();						\
		}								\
	} while (0)

#endif /* FUZZ_H */
