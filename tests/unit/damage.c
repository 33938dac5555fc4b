// SPDX-License-Identifier: GPL-2.0
/*
 * Damages traces in every way that disks, crashes and people do, and some that
 * only malice does, and reports each of them: there must be a report of what is
 * whole or one line that says why there is none. The sanitizers do the rest.
 *
 * usage: damage SEED COUNT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "command.h"
#include "forks.h"
#include "format.h"
#include "generate.h"
#include "report_html.h"
#include "tap.h"
#include "whatif_view.h"

#define ORIGINALS	6

static struct bytes originals[ORIGINALS];

static size_t place(struct random_state *random, const struct bytes *b)
{
	return below(random, b->size + 1);
}

static void truncate_it(struct random_state *random, struct bytes *b)
{
	b->size = place(random, b);
}

static void flip_bits(struct random_state *random, struct bytes *b)
{
	uint64_t n = 1 + below(random, 8);

	while (b->size && n--)
		b->data[below(random, b->size)] ^= 1 << below(random, 8);
}

static void overwrite(struct random_state *random, struct bytes *b)
{
	uint64_t n = 1 + below(random, 64);

	while (b->size && n--)
		b->data[below(random, b->size)] = next_random(random) >> 32;
}

static void zero_out(struct random_state *random, struct bytes *b)
{
	size_t at = place(random, b);
	size_t n = below(random, b->size - at + 1);

	memset(b->data + at, 0, n);
}

static void delete_part(struct random_state *random, struct bytes *b)
{
	size_t at = place(random, b);
	size_t n = below(random, b->size - at + 1);

	memmove(b->data + at, b->data + at + n, b->size - at - n);
	b->size -= n;
}

static void insert(struct bytes *b, size_t at, const void *data, size_t n)
{
	size_t old = b->size;

	append_bytes(b, data, n);
	memmove(b->data + at + n, b->data + at, old - at);
	memcpy(b->data + at, data, n);
}

static void duplicate_part(struct random_state *random, struct bytes *b)
{
	size_t at = place(random, b);
	size_t n = below(random, b->size - at + 1);
	char *copy = malloc(n + 1);

	memcpy(copy, b->data + at, n);
	insert(b, place(random, b), copy, n);
	free(copy);
}

static void splice_other(struct random_state *random, struct bytes *b)
{
	const struct bytes *other = &originals[below(random, ORIGINALS)];
	size_t from = place(random, other);

	insert(b, place(random, b), other->data + from, below(random, other->size - from + 1));
}

static void append_noise(struct random_state *random, struct bytes *b)
{
	uint64_t n = below(random, 200), noise;

	while (n--) {
		noise = next_random(random);
		append_bytes(b, &noise, sizeof(noise));
	}
}

/* The @n-th chunk, by the headers as they stand; false when there is none. */
static bool chunk_at(const struct bytes *b, uint64_t n, size_t *at, size_t *size)
{
	size_t i = sizeof(struct ct_file_header);

	while (i + sizeof(struct ct_chunk_header) <= b->size) {
		uint32_t length = ct_le32(b->data + i + 12);
		size_t whole = sizeof(struct ct_chunk_header) + ((size_t)length + 7) / 8 * 8;

		if (ct_le32(b->data + i) != CT_CHUNK_MAGIC || whole > b->size - i)
			return false;
		if (!n--) {
			*at = i;
			*size = whole;
			return true;
		}
		i += whole;
	}
	return false;
}

static uint64_t count_chunks(const struct bytes *b)
{
	size_t at, size;
	uint64_t n = 0;

	while (chunk_at(b, n, &at, &size))
		n++;
	return n;
}

static void swap_chunks(struct random_state *random, struct bytes *b)
{
	uint64_t n = count_chunks(b), i = below(random, n);
	size_t at, size;
	char *copy;

	if (!chunk_at(b, i, &at, &size))
		return;
	copy = malloc(size);
	memcpy(copy, b->data + at, size);
	memmove(b->data + at, b->data + at + size, b->size - at - size);
	b->size -= size;
	if (chunk_at(b, below(random, n - 1), &at, &(size_t){ 0 }))
		insert(b, at, copy, size);
	free(copy);
}

/* Malice: the payload is changed and every checksum is right again. */
static void forge_payload(struct random_state *random, struct bytes *b)
{
	uint64_t n = 1 + below(random, 6);
	size_t at, size, length, i;
	struct ct_chunk_header h;

	if (!chunk_at(b, below(random, count_chunks(b)), &at, &size))
		return;
	memcpy(&h, b->data + at, sizeof(h));
	length = ct_le32(b->data + at + 12);
	while (length && n--) {
		i = at + sizeof(h) + below(random, length);
		switch (below(random, 4)) {
		case 0:
			b->data[i] ^= 1 << below(random, 8);
			break;
		case 1:
			b->data[i] = next_random(random) >> 40;
			break;
		case 2:
			/* Digits turn offsets, sizes and versions into others. */
			b->data[i] = '0' + below(random, 10);
			break;
		default:
			b->data[i] = " \n\t\"{}0xff-"[below(random, 11)];
		}
	}
	if (!below(random, 4)) {
		length = below(random, length + 1);
		h.length = htole32(length);
	}
	if (!below(random, 6))
		h.type = htole32(1 + below(random, 8));
	if (!below(random, 6))
		h.cpu = htole32(next_random(random) >> (32 + below(random, 32)));
	h.payload_crc = htole32(crc32(0, (void *)(b->data + at + sizeof(h)), length));
	h.header_crc = htole32(crc32(0, (void *)&h, offsetof(struct ct_chunk_header, header_crc)));
	memcpy(b->data + at, &h, sizeof(h));
}

static void foreign_file(struct random_state *random, struct bytes *b)
{
	static const char * const starts[] = {
		"\177ELF\2\1\1", "PERFILE2", "#!/bin/sh\n", "{\"a\":1}", "COWTRACE", "CWCK", "",
	};
	const char *start = starts[below(random, sizeof(starts) / sizeof(*starts))];

	b->size = 0;
	append_bytes(b, start, strlen(start));
	append_noise(random, b);
}

static const struct {
	const char	*name;
	void		(*make)(struct random_state *random, struct bytes *b);
} damages[] = {
	{ "truncated",	truncate_it },
	{ "bits flipped", flip_bits },
	{ "bytes overwritten", overwrite },
	{ "zeroed",	zero_out },
	{ "a part deleted", delete_part },
	{ "a part duplicated", duplicate_part },
	{ "another trace spliced in", splice_other },
	{ "noise appended", append_noise },
	{ "chunks swapped", swap_chunks },
	{ "forged with right checksums", forge_payload },
	{ "forged with right checksums", forge_payload },
	{ "a foreign file", foreign_file },
};

#define NR_DAMAGES (sizeof(damages) / sizeof(*damages))

/* What a report or a refusal must be; NULL if it is. */
static const char *judge(int status, long printed)
{
	switch (status) {
	case CT_REPORT_OK:
	case CT_REPORT_DAMAGED:
		return printed > 0 && !last_complaint.code ? NULL : "a report that is empty";
	case CT_REPORT_FAILED:
		if (printed)
			return "an error after a half report";
		if (!*last_complaint.text || strchr(last_complaint.text, '\n'))
			return "an error that is not one line";
		return NULL;
	default:
		return "an unknown status";
	}
}

/* All formats in turn; what they tell beside it is not kept. */
static int export(const char *path, uint64_t i)
{
	static const char *const formats[] = { "jsonl", "csv", "perfetto", "prometheus", "folded" };
	char *argv[] = {
		"export", "-o", "/dev/null", "--processes", "9", "--format",
		(char *)formats[i % (sizeof(formats) / sizeof(*formats))], (char *)path, NULL
	};
	FILE *told = stderr;
	int status;

	stderr = fopen("/dev/null", "w");
	status = ct_cmd_export(8, argv);
	fclose(stderr);
	stderr = told;
	return status;
}

int main(int argc, char **argv)
{
	uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, i, statuses[3] = { 0 };
	struct random_state random = { 2 * (argc > 1 ? strtoull(argv[1], NULL, 10) : 0) + 1 };
	uint64_t of[NR_DAMAGES] = { 0 };
	char *path = temporary_file();
	size_t k;

	if (!count) {
		fprintf(stderr, "usage: damage SEED COUNT\n");
		return 2;
	}
	for (i = 0; i < ORIGINALS; i++) {
		struct trace_shape shape = { i + 1, 1 + i % 3, 40 * i, 2 + 6 * (i % 2) };

		make_trace(path, &shape);
		originals[i] = read_file(path);
	}
	for (i = 0; i < count; i++) {
		const struct bytes *from = &originals[below(&random, ORIGINALS)];
		uint64_t n = below(&random, 2) ? 1 : 2 + below(&random, 2);
		uint64_t start = random.x;
		struct ct_report_opts opts = { .json = i & 1 };
		struct ct_forks_opts forks_opts = { .report = opts };
		struct ct_whatif_opts whatif_opts = {
			.report = opts, .policy = { "one=refcount == 1" }, .nr = i & 1,
			.against = i & 2 ? "minimal" : NULL,
		};
		struct bytes b = { 0 };
		const char *wrong;
		FILE *null = fopen("/dev/null", "w");
		char buffer[1 << 16];
		int status;
		long printed;

		append_bytes(&b, from->data, from->size);
		while (n--) {
			k = below(&random, NR_DAMAGES);
			damages[k].make(&random, &b);
			of[k]++;
		}
		write_file(path, b.data, b.size);
		free(b.data);
		memset(&last_complaint, 0, sizeof(last_complaint));
		/* The report goes nowhere, but its first bytes stay in the buffer. */
		buffer[0] = '\0';
		setvbuf(null, buffer, _IOFBF, sizeof(buffer));
		status = i % 5 == 4 ? ct_report_html(null, path, &opts) :
			 i % 5 == 3 ? export(path, i / 5) :
			 i % 5 == 2 ? ct_whatif_print(null, path, &whatif_opts) :
			 i % 5 ? ct_forks_print(null, path, &forks_opts) :
				 ct_report_print(null, path, &opts);
		printed = i % 5 == 3 ? status != CT_REPORT_FAILED : !!*buffer;
		fclose(null);
		wrong = judge(status, printed);
		if (wrong) {
			ok(false, "damaged trace %lu of random state %#lx gives no %s: %s",
			   (unsigned long)i, (unsigned long)start, wrong, last_complaint.text);
			break;
		}
		statuses[status]++;
	}
	for (k = 0; k < NR_DAMAGES; k++)
		note("%lu times %s", (unsigned long)of[k], damages[k].name);
	note("%lu whole, %lu damaged, %lu refused", (unsigned long)statuses[0],
	     (unsigned long)statuses[1], (unsigned long)statuses[2]);
	ok(i == count, "each of %lu damaged traces gives a report or one line of error",
	   (unsigned long)count);
	ok(statuses[1] > count / 4, "more than a quarter of them still gives a report");
	for (i = 0; i < ORIGINALS; i++)
		free(originals[i].data);
	remove(path);
	free(path);
	return tap_end();
}
