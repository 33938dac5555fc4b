// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a trace of random, consistent faults where there is no real one.
 *
 * usage: make-trace OUT
 */
#include "generate.h"

int main(int argc, char **argv)
{
	struct trace_shape shape = { 5, 3, 4000, 100 };

	if (argc != 2) {
		fprintf(stderr, "usage: make-trace OUT\n");
		return 2;
	}
	return make_trace(argv[1], &shape) ? 1 : 0;
}
