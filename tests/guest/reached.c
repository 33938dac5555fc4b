// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "group-files.h"
#include "lib.h"

#define FILES	COW_DIR "/groups/files/"

static char text[1 << 20];

static const char *counts(const char *at, long long *to, int nr)
{
	char *end = (char *)at;
	int i;

	for (i = 0; i < nr; i++)
		to[i] = strtoll(end, &end, 10);
	return end;
}

static void add_file(struct reached *t, const char *line)
{
	struct reached_row *r = &t->rows[t->nr_rows];
	int at = 0;

	need(t->nr_rows < REACH_ROWS, "more files than this test has room for");
	if (sscanf(line, "file %u:%u %llu %*u %*s %n", &r->major, &r->minor, &r->ino, &at) < 3)
		return;
	snprintf(r->name, sizeof(r->name), "%s",
		 counts(line + at, r->counts, t->nr_sites) + 1);
	t->nr_rows++;
}

static void add_fs(struct reached *t, const char *line)
{
	struct reached_row *r = &t->fs[t->nr_fs];
	int at = 0;

	need(t->nr_fs < ARRAY_SIZE(t->fs), "more file systems than this test has room for");
	need(sscanf(line, "fs %*s %47s %*s %n", r->name, &at) == 1, "what is this: %s", line);
	counts(line + at, r->counts, t->nr_sites);
	t->nr_fs++;
}

static void take(struct reached *t, const char *line)
{
	char state[16];

	if (sscanf(line, "site %*s %23s %15s", t->sites[t->nr_sites], state) == 2) {
		need(t->nr_sites < REACH_SITES - 1, "more sites than this test has room for");
		t->totals[t->nr_sites] = strcmp(state, "absent") ?
			value_in(FILES "stats", t->sites[t->nr_sites]) : -1;
		t->nr_sites++;
	} else if (!strncmp(line, "fs ", 3)) {
		add_fs(t, line);
	} else if (!strncmp(line, "no-file ", 8)) {
		counts(line + 8, t->nobody, t->nr_sites);
	} else if (!strncmp(line, "others ", 7)) {
		counts(line + 7, t->others, t->nr_sites);
	} else if (!strncmp(line, "file ", 5)) {
		add_file(t, line);
	}
}

void reached_read(struct reached *t)
{
	char *line, *rest = text;
	long long missed;

	memset(t, 0, sizeof(*t));
	need(file_read(FILES "table", text, sizeof(text)) > 0, "no " FILES "table");
	while ((line = strsep(&rest, "\n")))
		take(t, line);
	need(file_read(FILES "stats", text, sizeof(text)) > 0, "no " FILES "stats");
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if ((!strncmp(line, "probe filemap_", 14) || !strncmp(line, "probe find_", 11) ||
		     !strncmp(line, "probe __filemap_", 16)) &&
		    sscanf(line, "probe %*s hits %*d missed %lld", &missed) == 1)
			t->missed += missed;
}

static int number(const struct reached *t, const char *site)
{
	int i;

	for (i = 0; i < t->nr_sites; i++)
		if (!strcmp(t->sites[i], site))
			return i;
	unmet("the module knows no site %s", site);
}

long long reached_by_inode(const struct reached *t, dev_t dev, ino_t ino, const char *site)
{
	int at = number(t, site);
	size_t i;

	for (i = 0; i < t->nr_rows; i++)
		if (t->rows[i].ino == ino && t->rows[i].major == major(dev) &&
		    t->rows[i].minor == minor(dev))
			return t->rows[i].counts[at];
	return 0;
}

long long reached_by_name(const struct reached *t, const char *name, const char *site)
{
	int at = number(t, site);
	long long sum = 0;
	size_t i;

	for (i = 0; i < t->nr_rows; i++)
		if (!strcmp(t->rows[i].name, name))
			sum += t->rows[i].counts[at];
	return sum;
}

long long reached_total(const struct reached *t, const char *site)
{
	return t->totals[number(t, site)];
}

const char *reached_broken(const struct reached *t)
{
	size_t j;
	int i;

	for (i = 0; i < t->nr_sites; i++) {
		long long files = t->others[i], all = 0;

		for (j = 0; j < t->nr_rows; j++)
			files += t->rows[j].counts[i];
		for (j = 0; j < t->nr_fs; j++)
			all += t->fs[j].counts[i];
		if (files != all || (t->totals[i] >= 0 && all + t->nobody[i] != t->totals[i]))
			return t->sites[i];
	}
	return NULL;
}
