// SPDX-License-Identifier: GPL-2.0
#include "group.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define LINE_MAX_	1024

struct walk {
	const char		*name;
	struct ct_group_info	*info;
	ct_group_fn		*fn;
	void			*arg;
	uint32_t		last;
	uint64_t		written;
};

/* The value of "key=" at a word of @fields, NULL for none. */
static const char *find(const char *fields, const char *key)
{
	size_t n = strlen(key);

	for (; *fields; fields += strcspn(fields, " "), fields += *fields == ' ')
		if (!strncmp(fields, key, n) && fields[n] == '=')
			return fields + n + 1;
	return NULL;
}

bool ct_group_text(const struct ct_group_event *e, const char *key, char *buf, size_t size)
{
	const char *value = find(e->fields, key);
	size_t n = value ? strcspn(value, " ") : 0;

	if (!value || n >= size)
		return false;
	memcpy(buf, value, n);
	buf[n] = '\0';
	return true;
}

bool ct_group_number(const struct ct_group_event *e, const char *key, uint64_t *value)
{
	const char *text = find(e->fields, key);
	unsigned long long n;
	char *end;

	/* strtoull() would skip what is no number. */
	if (!text || !(isdigit((unsigned char)*text) ||
		       (*text == '-' && isdigit((unsigned char)text[1]))))
		return false;
	errno = 0;
	n = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	if (errno || (*end && *end != ' '))
		return false;
	*value = n;
	return true;
}

/* Cuts @line into the parts of an event. */
static bool parse(char *line, struct ct_group_event *e)
{
	unsigned long long seconds, ns;
	unsigned int cpu;
	int at = 0;
	char *comm, *space;

	if (sscanf(line, "%llu.%9llu [%u] %n", &seconds, &ns, &cpu, &at) != 3 || !at)
		return false;
	e->time_ns = seconds * 1000000000ull + ns;
	e->cpu = cpu;
	e->word = line + at;
	/* The name is the last, as it may hold spaces. */
	comm = strstr(e->word, " comm=");
	space = strchr(e->word, ' ');
	if (!comm || !space)
		return false;
	*space = '\0';
	*comm = '\0';
	e->comm = comm + strlen(" comm=");
	if (comm == space || sscanf(space + 1, "seq=%u pid=%u tgid=%u%n", &e->seq, &e->pid,
				    &e->tgid, &at) != 3)
		return false;
	e->fields = space + 1 + at;
	e->fields += *e->fields == ' ';
	return e->seq;
}

static int take_line(struct walk *w, const char *text, size_t length)
{
	struct ct_group_event e = { 0 };
	char line[LINE_MAX_];

	if (length < sizeof(line))
		ct_clean_text(line, sizeof(line), text, length);
	if (length >= sizeof(line) || !parse(line, &e) || e.seq <= w->last) {
		w->info->bad++;
		return 0;
	}
	e.lost = e.seq - w->last - 1;
	w->info->lost += e.lost;
	w->info->events++;
	w->last = e.seq;
	return w->fn(w->arg, &e);
}

/* Behind the name of the group in a chunk of its events, NULL for one of another. */
static const char *of_group(const char *name, const char *data, size_t length)
{
	size_t n = strlen(name);

	return length > n && !memcmp(data, name, n) && data[n] == '\n' ? data + n + 1 : NULL;
}

static int take(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct walk *w = arg;
	const char *at = of_group(w->name, data, length), *end = (const char *)data + length;
	int ret = 0;

	(void)cpu;
	if (!at)
		return 0;
	w->info->there = true;
	while (!ret && at < end) {
		const char *stop = memchr(at, '\n', end - at);

		ret = take_line(w, at, (stop ?: end) - at);
		at = stop ? stop + 1 : end;
	}
	return ret;
}

static int find_stats(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct walk *w = arg;
	char wanted[64];
	int n = snprintf(wanted, sizeof(wanted), "groups/%s/stats\n", w->name);
	char *text;

	(void)cpu;
	if (length < (size_t)n || memcmp(data, wanted, n))
		return 0;
	w->info->there = true;
	text = strndup((const char *)data + n, length - n);
	if (!text)
		return -ENOMEM;
	ct_text_number(text, "events", &w->written);
	free(text);
	return 0;
}

int ct_group_walk(struct ct_reader *reader, const char *name, struct ct_group_info *info,
		  ct_group_fn *fn, void *arg)
{
	struct walk w = { .name = name, .info = info, .fn = fn, .arg = arg };
	int ret;

	memset(info, 0, sizeof(*info));
	ret = ct_reader_chunks(reader, CT_CHUNK_STATE, find_stats, &w) ?:
	      ct_reader_chunks(reader, CT_CHUNK_GROUP, take, &w);
	/* After the last that can be read no gap tells of them. */
	if (!ret && w.written > w.last)
		info->lost += w.written - w.last;
	return ret;
}

static int is_chunk(void *arg, uint32_t cpu, const void *data, size_t length)
{
	(void)cpu;
	return !!of_group(arg, data, length);
}

bool ct_group_there(struct ct_reader *reader, const struct ct_state *state, const char *name)
{
	char stats[64];

	snprintf(stats, sizeof(stats), "groups/%s/stats", name);
	/* One that was cut off has only events. */
	return ct_state_text(state, stats) ||
	       ct_reader_chunks(reader, CT_CHUNK_GROUP, is_chunk, (void *)name) > 0;
}

bool ct_group_stat(const struct ct_state *state, const char *name, const char *count,
		   uint64_t *value)
{
	char file[64];

	snprintf(file, sizeof(file), "groups/%s/stats", name);
	return ct_state_number(state, file, count, value);
}
