// SPDX-License-Identifier: GPL-2.0
#include "capture_groups.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracefs.h"

#define NAME_MAX_	24
#define GROUPS_MAX	8

/* What a group has for files besides its switch and its events; not all have all. */
static const char *const files[] = { "stats", "probes", "table" };

/* Events of the kernel's own whose words a group speaks: stored as the file "format". */
static const struct {
	const char	*group;
	const char	*event;
} formats[] = {
	{ "khugepaged", "huge_memory/mm_khugepaged_scan_pmd" },
};

#define FORMAT_MAX	16384

/**
 * struct group - one of them
 * @name: of it.
 * @fd: its events, -1 for a group that only counts.
 * @live: it is on, and by us.
 * @seconds: its limit, empty to leave it as it is.
 * @before: what it was, to be set again; empty for nothing.
 * @used: bytes in @text.
 * @head: of these the first line, the name.
 * @text: the next payload: whole lines, and the beginning of one.
 */
struct group {
	char	name[NAME_MAX_];
	int	fd;
	bool	live;
	char	seconds[12];
	char	before[12];
	size_t	used;
	size_t	head;
	char	text[CT_GROUPS_MAX];
};

struct ct_groups {
	struct ct_source	*source;
	size_t			nr;
	struct group		*list[GROUPS_MAX];
};

static const char *path(const struct group *g, const char *file)
{
	static char text[64];

	snprintf(text, sizeof(text), "groups/%s/%s", g->name, file);
	return text;
}

static int open_group(struct ct_groups *groups, struct group *g, struct ct_error *err)
{
	char *enabled;
	bool on;
	int ret;

	ret = groups->source->get(groups->source, path(g, "enabled"), &enabled, err);
	if (ret == -ENOENT && strcmp(groups->source->name, "module"))
		return ct_error_set(err, -EINVAL,
				    "the group %s needs the module: the %s backend has no groups",
				    g->name, groups->source->name);
	if (ret == -ENOENT)
		return ct_error_set(err, -EINVAL,
				    "the module has no group \"%s\": ls /sys/kernel/debug/cowtrace/groups lists them",
				    g->name);
	if (ret)
		return ret;
	on = *enabled != '0';
	free(enabled);
	if (on)
		return ct_error_set(err, -EBUSY,
				    "the group %s was switched on by somebody else: write 0 to /sys/kernel/debug/cowtrace/groups/%s/enabled first",
				    g->name, g->name);
	g->fd = groups->source->open_lines(groups->source, path(g, "events"), err);
	return g->fd == -ENOENT || g->fd >= 0 ? 0 : g->fd;
}

static int add(struct ct_groups *groups, const char *name, size_t length, struct ct_error *err)
{
	const char *colon = memchr(name, ':', length);
	size_t i, digits = colon ? name + length - colon - 1 : 0;
	struct group *g;

	if (colon && (!digits || digits >= sizeof(g->seconds) ||
		      strspn(colon + 1, "0123456789") < digits))
		return ct_error_set(err, -EINVAL, "\"%.*s\" is no time: NAME:SECONDS limits a group, 0 for no limit",
				    (int)digits, colon + 1);
	length -= colon ? digits + 1 : 0;
	if (!length || length >= NAME_MAX_ || memchr(name, '/', length) || *name == '.')
		return ct_error_set(err, -EINVAL, "\"%.*s\" is no name of a group: ls /sys/kernel/debug/cowtrace/groups lists them",
				    (int)length, name);
	for (i = 0; i < groups->nr; i++)
		if (strlen(groups->list[i]->name) == length &&
		    !memcmp(groups->list[i]->name, name, length))
			return 0;
	if (groups->nr == GROUPS_MAX)
		return ct_error_set(err, -E2BIG, "more than %d groups", GROUPS_MAX);
	g = calloc(1, sizeof(*g));
	if (!g)
		return ct_error_set(err, -ENOMEM, "no memory for the events of groups");
	memcpy(g->name, name, length);
	memcpy(g->seconds, colon ? colon + 1 : "", digits);
	g->fd = -1;
	g->head = sprintf(g->text, "%s\n", g->name);
	g->used = g->head;
	groups->list[groups->nr++] = g;
	return open_group(groups, g, err);
}

int ct_groups_open(struct ct_groups **out, struct ct_source *source, const char *names,
		   struct ct_error *err)
{
	struct ct_groups *groups;
	int ret = 0;

	*out = NULL;
	if (!names)
		return 0;
	groups = calloc(1, sizeof(*groups));
	if (!groups)
		return ct_error_set(err, -ENOMEM, "no memory for the groups");
	groups->source = source;
	while (!ret) {
		size_t length = strcspn(names, ",");

		ret = add(groups, names, length, err);
		names += length;
		if (!*names++)
			break;
	}
	if (ret)
		ct_groups_close(groups);
	else
		*out = groups;
	return ret;
}

static int limit(struct ct_source *source, struct group *g, struct ct_error *err)
{
	char *before;
	int ret;

	if (!*g->seconds)
		return 0;
	ret = source->get(source, path(g, "seconds"), &before, err);
	if (ret)
		return ret;
	snprintf(g->before, sizeof(g->before), "%.*s", (int)strcspn(before, "\n"), before);
	free(before);
	return source->set(source, path(g, "seconds"), g->seconds, err);
}

int ct_groups_start(struct ct_groups *groups, struct ct_error *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; groups && !ret && i < groups->nr; i++) {
		ret = limit(groups->source, groups->list[i], err);
		if (ret)
			break;
		ret = groups->source->set(groups->source, path(groups->list[i], "enabled"), "1",
					  err);
		groups->list[i]->live = !ret;
	}
	if (ret)
		ct_groups_stop(groups);
	return ret;
}

/* Hand over the whole lines, keep the beginning of the next. */
static void give(struct group *g, ct_groups_fn *fn, void *arg)
{
	const char *end = memrchr(g->text + g->head, '\n', g->used - g->head);
	size_t whole = end ? (size_t)(end + 1 - g->text) : g->head;

	if (whole == g->head)
		return;
	fn(arg, g->text, whole);
	memmove(g->text + g->head, g->text + whole, g->used - whole);
	g->used -= whole - g->head;
}

static void read_group(struct group *g, ct_groups_fn *fn, void *arg)
{
	ssize_t n;

	while (g->fd >= 0) {
		n = read(g->fd, g->text + g->used, sizeof(g->text) - g->used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		g->used += n;
		/* A line is far shorter than half of it. */
		if (g->used > sizeof(g->text) / 2)
			give(g, fn, arg);
	}
	give(g, fn, arg);
}

void ct_groups_read(struct ct_groups *groups, ct_groups_fn *fn, void *arg)
{
	for (size_t i = 0; groups && i < groups->nr; i++)
		read_group(groups->list[i], fn, arg);
}

void ct_groups_stop(struct ct_groups *groups)
{
	struct ct_error ignored;

	for (size_t i = 0; groups && i < groups->nr; i++) {
		if (groups->list[i]->live)
			groups->source->set(groups->source, path(groups->list[i], "enabled"),
					    "0", &ignored);
		groups->list[i]->live = false;
	}
}

/* The kernel has no numbers of its words elsewhere, and they differ between kernels. */
static void write_format(const struct group *g, const char *event, struct ct_writer *writer)
{
	FILE *f = ct_tracefs_event(event, "format");
	char text[FORMAT_MAX];
	size_t n;

	if (!f)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	if (n)
		ct_writer_state(writer, path(g, "format"), text);
}

void ct_groups_state(struct ct_groups *groups, struct ct_writer *writer)
{
	struct ct_error ignored;
	size_t i, j;
	char *text;

	for (i = 0; groups && i < groups->nr; i++) {
		for (j = 0; j < sizeof(formats) / sizeof(*formats); j++)
			if (!strcmp(formats[j].group, groups->list[i]->name))
				write_format(groups->list[i], formats[j].event, writer);
		for (j = 0; j < sizeof(files) / sizeof(*files); j++) {
			const char *name = path(groups->list[i], files[j]);

			if (groups->source->get(groups->source, name, &text, &ignored))
				continue;
			/* The writer keeps its first error and gives it at close. */
			ct_writer_state(writer, name, text);
			free(text);
		}
	}
}

void ct_groups_close(struct ct_groups *groups)
{
	struct ct_error ignored;

	if (!groups)
		return;
	ct_groups_stop(groups);
	for (size_t i = 0; i < groups->nr; i++) {
		/* Not earlier: the counts tell the limit that they were made under. */
		if (*groups->list[i]->before)
			groups->source->set(groups->source, path(groups->list[i], "seconds"),
					    groups->list[i]->before, &ignored);
		if (groups->list[i]->fd >= 0)
			close(groups->list[i]->fd);
		free(groups->list[i]);
	}
	free(groups);
}
