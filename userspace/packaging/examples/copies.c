// SPDX-License-Identifier: GPL-2.0
/*
 * How many faults of a trace copied a page, and who held the pages: by the reader
 * library alone.
 *
 *   cc -o copies copies.c $(pkg-config --cflags --libs cowtrace)
 *   ./copies cowtrace.data
 */
#include <stdio.h>

#include <cowtrace/holders.h>
#include <cowtrace/reader.h>

int main(int argc, char **argv)
{
	unsigned long long copies = 0, known = 0, mappings = 0;
	const struct ct_trace_info *info;
	const struct ct_schema *schema;
	const struct ct_word *word;
	struct ct_reader *reader;
	struct ct_event event;
	struct ct_error err;

	if (argc != 2) {
		fprintf(stderr, "usage: copies TRACE\n");
		return 2;
	}
	if (ct_reader_open(argv[1], &reader, &err)) {
		fprintf(stderr, "copies: %s\n", err.text);
		return 1;
	}
	schema = ct_reader_schema(reader);
	while (ct_reader_next(reader, &event)) {
		struct cowtrace_holders h = cowtrace_holders(event.record, schema->traits);

		if (event.record->outcome != COWTRACE_OUTCOME_COPY)
			continue;
		copies++;
		known += h.known;
		mappings += h.mappings;
	}
	info = ct_reader_info(reader);
	word = ct_schema_word(schema, "outcome", COWTRACE_OUTCOME_COPY);
	printf("%llu copies (%s)\n", copies, word ? word->sentence : "?");
	if (known)
		printf("%.2f mappings a page, of %llu whose holders are known\n",
		       (double)mappings / known, known);
	printf("%llu records lost, %llu parts damaged\n", (unsigned long long)info->lost,
	       (unsigned long long)info->damages);
	ct_reader_close(reader);
	return 0;
}
