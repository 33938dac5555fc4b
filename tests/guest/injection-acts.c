// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injection.h"
#include "lib.h"

#define EVENT	"/sys/kernel/tracing/events/cowtrace/wp_fault/enable"

/* --- what is done ---------------------------------------------------------------------- */

static int load(void)
{
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "backend=%s buffer_kb=64", backend);
	return module_load("", parameters);
}

static void unload(void)
{
	need(!module_unload(O_NONBLOCK), "the module cannot be unloaded");
}

/* Then each witness has to be armed. */
static int set_witnessed(void)
{
	return cow_write("witness", "on") ?: cow_write("enabled", "1");
}

static void unset_witnessed(void)
{
	disable();
	need(!cow_write("witness", "auto"), "witness does not take auto");
}

/* Tables are made when they come into use. */
static int set_counts(void)
{
	return cow_write("durations", "1") ?: cow_write("processes", "1") ?:
	       cow_write("mode", "counts");
}

static void unset_counts(void)
{
	need(!cow_write("mode", "records") && !cow_write("durations", "0") &&
	     !cow_write("processes", "0"), "mode, durations and processes cannot be set back");
}

static int events = -1;

static int open_file(const char *name)
{
	events = cow_open(name, O_RDONLY | O_NONBLOCK);
	return events < 0 ? events : 0;
}

static int open_events(void)
{
	return open_file("events");
}

static int open_group_events(void)
{
	return open_file("groups/ksm/events");
}

static void close_events(void)
{
	close(events);
}

static int open_scans(void)
{
	return open_file("groups/khugepaged/events");
}

/* What the kernel has of it is looked for when somebody first asks. */
static int read_probes(void)
{
	static char text[1 << 13];
	ssize_t n = cow_read("groups/ksm/probes", text, sizeof(text));

	return n < 0 ? n : 0;
}

/* All rows of all CPUs are copied to be told, of a group that is off too. */
static int read_table(void)
{
	static char text[1 << 16];
	ssize_t n = cow_read("groups/files/table", text, sizeof(text));

	return n < 0 ? n : 0;
}

static void nothing_to_undo(void)
{
}

/* Of processes: memory for the rows. */
static int read_counts(void)
{
	static char text[1 << 16];
	ssize_t n = set_counts() ?: cow_read("counts", text, sizeof(text));

	return n < 0 ? n : 0;
}

/* Where a work item arms the probes, what comes of it shows a moment later. */
static int set_event(void)
{
	static int log = -1;
	int err;

	/* Opened when it is done for the first time, before anything is made to fail. */
	if (log < 0)
		log = log_open();
	lseek(log, 0, SEEK_END);
	err = file_write(EVENT, "1");
	while (!err && !file_has(COW_DIR "/probes", " armed ")) {
		if (strstr(log_read(log), "cowtrace: no "))
			err = -ENOMEM;
		else
			sleep_ms(10);
	}
	if (err) {
		file_write(EVENT, "0");
		/* It can have come as far as the work item all the same. */
		wait_armed(false);
	}
	return err;
}

static void unset_event(void)
{
	need(!file_write(EVENT, "0"), "the event cannot be disabled");
	wait_armed(false);
}

#define SETTING(act, path, on, off)	{ .name = act, .file = path, .set = on, .unset = off }
#define GROUP(group)							\
	{								\
		.name = group, .file = "groups/" group "/enabled",	\
		.set = "1", .unset = "0", .once = true,			\
	}

const struct act injection_load = { "load", .act = load, .undo = unload };

/* Each way in which a setting takes memory or registers something. */
const struct act injection_acts[] = {
	SETTING("enabled", "enabled", "1", "0"),
	{ "enabled-witness", .act = set_witnessed, .undo = unset_witnessed },
	{ .name = "buffer_kb", .file = "buffer_kb", .set = "128", .unset = "64", .again = true },
	SETTING("pid", "filter/pid", "1", "any"),
	SETTING("tgid", "filter/tgid", "1", "any"),
	SETTING("uid", "filter/uid", "0", "any"),
	SETTING("comm", "filter/comm", "some", "any"),
	SETTING("outcome", "filter/outcome", "copy,reuse", "any"),
	SETTING("reason", "filter/reason", "mapped", "any"),
	SETTING("min-duration", "filter/min_duration_ns", "1", "0"),
	SETTING("tree", "filter/tree", "1", "any"),
	SETTING("sample-every", "sample_every", "2", "1"),
	SETTING("reset", "reset", "1", "1"),
	SETTING("policies", "policies", "1", "0"),
	{ "counts", .act = set_counts, .undo = unset_counts },
	{ "counts-read", .act = read_counts, .undo = unset_counts, .silent = true },
	{ "events", .act = open_events, .undo = close_events, .silent = true },
	{ "event", .act = set_event, .undo = unset_event },
	GROUP("ksm"),
	{ "ksm-probes", .act = read_probes, .undo = nothing_to_undo, .silent = true, .once = true },
	{ "ksm-events", .act = open_group_events, .undo = close_events, .silent = true },
	SETTING("ksm-seconds", "groups/ksm/seconds", "1", "60"),
	GROUP("files"),
	{ "files-table", .act = read_table, .undo = nothing_to_undo, .silent = true },
	GROUP("khugepaged"),
	{ "khugepaged-events", .act = open_scans, .undo = close_events, .silent = true },
	{ .name = NULL },
};

int act_do(const struct act *a)
{
	return a->act ? a->act() : cow_write(a->file, a->set);
}

void act_undo(const struct act *a)
{
	if (a->undo)
		a->undo();
	else
		need(!cow_write(a->file, a->unset), "%s does not take %s", a->file, a->unset);
}

/* --- what is there --------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

/*
 * The lines of @path in the order of the alphabet up to the first of @ends, behind which
 * hits, addresses and flags stand that come and go.
 */
static void sorted(char *to, size_t size, const char *path, const char *ends)
{
	static char text[1 << 16];
	char *lines[512], *rest = text, *line;
	size_t n = 0, i, used = 0;

	*to = '\0';
	if (file_read(path, text, sizeof(text)) <= 0)
		return;
	while ((line = strsep(&rest, "\n")) && n < ARRAY_SIZE(lines)) {
		/* Where they are made to fail, or kept from it. */
		if (!*line || strstr(line, "cow_register_") || strstr(line, "cow_create_") ||
		    strstr(line, "cow_open_channel") || strstr(line, "cow_disarm_kprobe") ||
		    strstr(line, "unregister_fprobe"))
			continue;
		line[strcspn(line, ends)] = '\0';
		lines[n++] = line;
	}
	qsort(lines, n, sizeof(*lines), by_text);
	for (i = 0; i < n && used < size; i++)
		used += snprintf(to + used, size - used, "%s\n", lines[i]);
}

static char paths[1 << 13];
static size_t paths_used;

static int on_path(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	if (paths_used < sizeof(paths))
		paths_used += snprintf(paths + paths_used, sizeof(paths) - paths_used, "%s\n",
				       path + strlen(COW_DIR));
	return 0;
}

/* In the order of the directory, which changes with what is made anew. */
static void list_files(char *to, size_t size)
{
	char *lines[256], *rest = paths, *line;
	size_t n = 0, i, used;

	paths_used = 0;
	*paths = '\0';
	nftw(COW_DIR, on_path, 8, FTW_PHYS);
	while ((line = strsep(&rest, "\n")) && n < ARRAY_SIZE(lines))
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_text);
	used = snprintf(to, size, "loaded %d\n", module_loaded());
	for (i = 0; i < n && used < size; i++)
		used += snprintf(to + used, size - used, "%s\n", lines[i]);
}

void visible_look(struct visible *v)
{
	static char *mem;

	if (!mem)
		mem = map_pages(1);
	touch(mem, 1);
	fork_write(mem, 1);
	memset(v, 0, sizeof(*v));
	list_files(v->module, sizeof(v->module));
	sorted(v->kprobes, sizeof(v->kprobes), "/sys/kernel/debug/kprobes/list", "[");
	sorted(v->functions, sizeof(v->functions), "/sys/kernel/tracing/enabled_functions", "(");
	/* SYMBOL BACKEND STATE HITS */
	sorted(v->probes, sizeof(v->probes), COW_DIR "/probes", "0123456789");
}

const char *visible_differs(const struct visible *a, const struct visible *b)
{
	if (strcmp(a->module, b->module))
		return "what is loaded, or its files";
	if (strcmp(a->kprobes, b->kprobes))
		return "kprobes/list";
	if (strcmp(a->functions, b->functions))
		return "enabled_functions";
	return strcmp(a->probes, b->probes) ? "probes" : NULL;
}
