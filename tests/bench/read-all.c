// SPDX-License-Identifier: GPL-2.0
/*
 * Reads all records of a trace and does nothing with them.
 *
 * usage: read-all TRACE
 */
#include <inttypes.h>
#include <stdio.h>

#include "reader.h"

int main(int argc, char **argv)
{
	const struct ct_trace_info *info;
	struct ct_reader *reader;
	struct ct_error err;
	struct ct_event event;

	if (argc != 2) {
		fprintf(stderr, "usage: read-all TRACE\n");
		return 2;
	}
	if (ct_reader_open(argv[1], &reader, &err)) {
		fprintf(stderr, "read-all: %s\n", err.text);
		return 1;
	}
	while (ct_reader_next(reader, &event))
		;
	info = ct_reader_info(reader);
	printf("%" PRIu64 " records, %" PRIu64 " lost, %" PRIu64 " damaged parts\n",
	       info->records, info->lost, info->damages);
	ct_reader_close(reader);
	return 0;
}
