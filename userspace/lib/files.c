// SPDX-License-Identifier: GPL-2.0
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "group.h"
#include "map.h"

#define TABLE	"groups/files/table"
#define STATS	"groups/files/stats"
#define LINE_SIZE	2048

/*
 * The line at *@at, which moves to the next. On its own, as scanf() and strtoull() would go
 * on in the next one, and the former looks at all that follows. A longer one is cut.
 */
static bool next_line(const char **at, char *line)
{
	size_t n;

	if (!*at || !**at)
		return false;
	n = strcspn(*at, "\n");
	ct_clean_text(line, LINE_SIZE, *at, n);
	*at += n;
	*at += **at == '\n';
	return true;
}

static const char *take_counts(const char *at, uint64_t *to, unsigned int nr)
{
	char *end = (char *)at;
	unsigned int i;

	for (i = 0; i < nr; i++)
		to[i] = strtoull(end, &end, 10);
	return end;
}

/* A word that was cut may have been cut in the middle of a character. */
static void clean(char *word, size_t size)
{
	char copy[sizeof(((struct ct_file_row *)0)->name)];

	snprintf(copy, sizeof(copy), "%s", word);
	ct_clean_text(word, size, copy, strlen(copy));
}

static void take_site(const struct ct_state *state, struct ct_files *f, const char *line)
{
	struct ct_file_site *s = &f->sites[f->nr_sites];
	char counted[16];
	int at = 0;

	if (f->nr_sites == CT_FILE_SITES ||
	    sscanf(line, "site %c %23s %15s %n", &s->letter, s->name, counted, &at) != 3 || !at ||
	    s->letter < 'a' || s->letter > 'h')
		return;
	s->counted = !strcmp(counted, "counted");
	clean(s->name, sizeof(s->name));
	ct_clean_text(s->what, sizeof(s->what), line + at, strlen(line + at));
	if (s->counted)
		ct_group_stat(state, "files", s->name, &s->total);
	f->nr_sites++;
}

static int take_fs(struct ct_files *f, const char *line)
{
	struct ct_file_row *r = ct_grow(f->fs, f->nr_fs, sizeof(*r));
	int at = 0;

	if (!r)
		return -ENOMEM;
	f->fs = r;
	r += f->nr_fs;
	memset(r, 0, sizeof(*r));
	if (sscanf(line, "fs %23s %15s %31s %n", r->device, r->type, r->name, &at) != 3 || !at)
		return 0;
	clean(r->device, sizeof(r->device));
	clean(r->type, sizeof(r->type));
	clean(r->name, sizeof(r->name));
	take_counts(line + at, r->counts, f->nr_sites);
	r->exact = true;
	f->nr_fs++;
	return 0;
}

static int take_file(struct ct_files *f, const char *line)
{
	struct ct_file_row *r = ct_grow(f->rows, f->nr_rows, sizeof(*r));
	unsigned long long ino;
	char exact[16];
	int at = 0;

	if (!r)
		return -ENOMEM;
	f->rows = r;
	r += f->nr_rows;
	memset(r, 0, sizeof(*r));
	if (sscanf(line, "file %23s %llu %u %15s %n", r->device, &ino, &r->generation, exact,
		   &at) != 4 || !at)
		return 0;
	r->ino = ino;
	r->exact = !strcmp(exact, "exact");
	line = take_counts(line + at, r->counts, f->nr_sites);
	line += *line == ' ';
	clean(r->device, sizeof(r->device));
	ct_clean_text(r->name, sizeof(r->name), line, strlen(line));
	f->nr_rows++;
	return 0;
}

static int take(const struct ct_state *state, struct ct_files *f, const char *line)
{
	if (!strncmp(line, "site ", 5))
		take_site(state, f, line);
	else if (!strncmp(line, "fs ", 3))
		return take_fs(f, line);
	else if (!strncmp(line, "file ", 5))
		return take_file(f, line);
	else if (!strncmp(line, "no-file ", 8))
		take_counts(line + 8, f->nobody, f->nr_sites);
	else if (!strncmp(line, "others ", 7))
		take_counts(line + 7, f->others, f->nr_sites);
	else if (!strncmp(line, "made-room ", 10))
		f->made_room = strtoull(line + 10, NULL, 10);
	return 0;
}

static uint64_t missed(const char *stats)
{
	char line[LINE_SIZE];
	unsigned long long n;
	uint64_t sum = 0;

	while (next_line(&stats, line))
		if (sscanf(line, "probe %*s hits %*u missed %llu", &n) == 1)
			sum += n;
	return sum;
}

int ct_files_load(const struct ct_state *state, struct ct_files *f)
{
	const char *at = ct_state_text(state, TABLE);
	char line[LINE_SIZE];
	uint64_t limited = 0;
	int ret = 0;

	memset(f, 0, sizeof(*f));
	if (!at)
		return -ENOENT;
	while (!ret && next_line(&at, line))
		ret = take(state, f, line);
	if (ret) {
		ct_files_free(f);
		return ret;
	}
	ct_group_stat(state, "files", "ran_ns", &f->ran_ns);
	ct_group_stat(state, "files", "seconds", &f->seconds);
	ct_group_stat(state, "files", "limited", &limited);
	f->limited = limited;
	f->missed = missed(ct_state_text(state, STATS));
	return 0;
}

void ct_files_free(struct ct_files *f)
{
	free(f->fs);
	free(f->rows);
	memset(f, 0, sizeof(*f));
}

/* Says the same of a page that another site of its class counts already. */
static bool is_again(const struct ct_file_site *s)
{
	return !strcmp(s->name, "mkwrite") || !strcmp(s->name, "splice-use") ||
		!strcmp(s->name, "reclaim-look");
}

uint64_t ct_files_class(const struct ct_files *f, const uint64_t *counts, char letter)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < f->nr_sites; i++)
		if (f->sites[i].letter == letter && !is_again(&f->sites[i]))
			sum += counts[i];
	return sum;
}

bool ct_files_absent(const struct ct_files *f, char letter)
{
	unsigned int i;

	for (i = 0; i < f->nr_sites; i++)
		if (f->sites[i].letter == letter && f->sites[i].counted)
			return false;
	return true;
}

struct ct_files_price ct_files_price(const struct ct_files *f, const uint64_t *counts)
{
	static const char *const beside[] = {
		"private-mapped", "shared-mapped", "splice-use", "gup", "reclaim",
	};
	struct ct_files_price p = { .in_lookup = ct_files_class(f, counts, 'h') };
	unsigned int i, j;
	int letter;

	for (letter = 'a'; letter <= 'g'; letter++)
		p.at_sites += ct_files_class(f, counts, letter);
	for (i = 0; i < f->nr_sites; i++)
		for (j = 0; j < sizeof(beside) / sizeof(*beside); j++)
			if (!strcmp(f->sites[i].name, beside[j]))
				p.beside_lookup += counts[i];
	return p;
}
