// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "mutate.h"
#include "process.h"
#include "report.h"
#include "stats.h"

#include <cowtrace/record.h>

#define KEPT		512
#define KEPT_SIZE	256
#define CHANGES		4

static struct {
	size_t	file, size;
	char	text[KEPT_SIZE];
} kept[KEPT];
static size_t nr_kept;

/* What some setting takes, and what is near to that. */
static const char * const words[] = {
	"0", "1", "2", "-1", "+1", "7", "33", "63", "64", "65", "96", "128", "256", "300", "1024",
	"65535", "65536", "131072", "2147483647", "2147483648", "4294967295", "4294967296",
	"18446744073709551615", "18446744073709551616", "0x40", "010", "1e3", "64k", "1.5", "3601",
	"auto", "on", "off", "any", "records", "counts", "y", "n", "cowtest", "redis-server",
	"sixteen-bytes-is", "kthreadd", "%s%n", "../enabled", "",
};

static uint64_t below(uint64_t *random, uint64_t n)
{
	return next_random(random) % n;
}

static const char *word(uint64_t *random)
{
	uint64_t n = below(random, ARRAY_SIZE(words) + COWTRACE_NR_OUTCOMES + COWTRACE_NR_REASONS);

	if (n < ARRAY_SIZE(words))
		return words[n];
	n -= ARRAY_SIZE(words);
	return n < COWTRACE_NR_OUTCOMES ? outcome_name(n) : reason_name(n - COWTRACE_NR_OUTCOMES);
}

static void insert(struct value *v, size_t at, const void *bytes, size_t n)
{
	if (n > MUTATE_MOST - v->size)
		n = MUTATE_MOST - v->size;
	memmove(v->text + at + n, v->text + at, v->size - at);
	memcpy(v->text + at, bytes, n);
	v->size += n;
}

static void append_word(struct value *v, uint64_t *random)
{
	static const char between[] = ",,,\n\t :=";
	const char *w = word(random);

	if (v->size)
		insert(v, v->size, &between[below(random, sizeof(between))], 1);
	insert(v, v->size, w, strlen(w));
}

/* A part of it once more, or a whole page of one byte. */
static void swell(struct value *v, uint64_t *random)
{
	char bytes[MUTATE_MOST];
	size_t n = 1 + below(random, below(random, 8) ? 64 : sizeof(bytes));

	if (v->size && below(random, 2)) {
		n = 1 + below(random, v->size);
		memcpy(bytes, v->text + v->size - n, n);
	} else {
		memset(bytes, below(random, 2) ? '9' : below(random, 256), n);
	}
	insert(v, below(random, v->size + 1), bytes, n);
}

static void change(struct value *v, uint64_t *random)
{
	size_t at = v->size ? below(random, v->size) : 0, n;
	char byte = below(random, 256);

	switch (below(random, 8)) {
	case 0:
		if (v->size)
			v->text[at] ^= 1 << below(random, 8);
		return;
	case 1:
		insert(v, at, &byte, 1);
		return;
	case 2:
		n = v->size ? 1 + below(random, v->size - at) : 0;
		memmove(v->text + at, v->text + at + n, v->size - at - n);
		v->size -= n;
		return;
	case 3:
		if (v->size)
			v->text[at] = '0' + below(random, 10);
		return;
	case 4:
		swell(v, random);
		return;
	case 5:
		insert(v, v->size, "\n", 1);
		return;
	default:
		append_word(v, random);
	}
}

static bool take_kept(struct value *v, uint64_t *random, size_t file)
{
	size_t i, tried;

	if (!nr_kept)
		return false;
	i = below(random, nr_kept);
	/* Now and then that of another file. */
	for (tried = 0; below(random, 64) && kept[i].file != file; tried++) {
		if (tried == nr_kept)
			return false;
		i = (i + 1) % nr_kept;
	}
	v->size = kept[i].size;
	memcpy(v->text, kept[i].text, v->size);
	return true;
}

void mutate_make(struct value *v, uint64_t *random, size_t file)
{
	size_t n;

	if (!below(random, 2) || !take_kept(v, random, file)) {
		v->size = 0;
		append_word(v, random);
	}
	for (n = below(random, CHANGES); n; n--)
		change(v, random);
}

void mutate_keep(const struct value *v, size_t file)
{
	if (nr_kept == KEPT || v->size > KEPT_SIZE)
		return;
	kept[nr_kept].file = file;
	kept[nr_kept].size = v->size;
	memcpy(kept[nr_kept++].text, v->text, v->size);
}

size_t mutate_kept(void)
{
	return nr_kept;
}
