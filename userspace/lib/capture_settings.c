// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_settings.h"

#define FILTER		"filter/"
#define TREE		FILTER "tree"

/* Every setting, and the value that lets all faults pass, where it is about that. */
static const struct {
	const char	*name;
	const char	*open;
} known[] = {
	{ "buffer_kb",			NULL },
	{ "witness",			NULL },
	{ "policies",			NULL },
	{ "mode",			NULL },
	{ "durations",			NULL },
	{ "processes",			NULL },
	{ "sample_every",		"1" },
	{ FILTER "pid",			"any" },
	{ FILTER "tgid",		"any" },
	{ FILTER "uid",			"any" },
	{ FILTER "comm",		"any" },
	{ TREE,				"any" },
	{ FILTER "outcome",		"any" },
	{ FILTER "reason",		"any" },
	{ FILTER "min_duration_ns",	"0" },
};

#define NR_KNOWN	(sizeof(known) / sizeof(*known))

struct ct_settings {
	struct ct_source *source;
	char		*saved[NR_KNOWN];
	bool		changed[NR_KNOWN];
};

const char *ct_settings_name(size_t i)
{
	return i < NR_KNOWN ? known[i].name : NULL;
}

static int get(struct ct_settings *s, size_t i, char **value, struct ct_error *err)
{
	int ret = s->source->get(s->source, known[i].name, value, err);

	if (!ret)
		(*value)[strcspn(*value, "\n")] = '\0';
	return ret;
}

static void free_settings(struct ct_settings *s)
{
	for (size_t i = 0; i < NR_KNOWN; i++)
		free(s->saved[i]);
	free(s);
}

int ct_settings_save(struct ct_settings **out, struct ct_source *source, struct ct_error *err)
{
	struct ct_settings *s = calloc(1, sizeof(*s));
	int ret = 0;

	if (!s)
		return ct_error_set(err, -ENOMEM, "no memory for the settings");
	s->source = source;
	for (size_t i = 0; i < NR_KNOWN && !ret; i++)
		ret = get(s, i, &s->saved[i], err);
	if (ret)
		free_settings(s);
	else
		*out = s;
	return ret;
}

/* A setting that has the value already is left alone: some refuse while others read. */
static int set(struct ct_settings *s, size_t i, const char *value, struct ct_error *err)
{
	int ret;

	if (!s->changed[i] && !strcmp(s->saved[i], value))
		return 0;
	ret = s->source->set(s->source, known[i].name, value, err);
	if (!ret)
		s->changed[i] = true;
	return ret;
}

int ct_settings_clear(struct ct_settings *s, struct ct_error *err)
{
	int ret = 0;

	for (size_t i = 0; i < NR_KNOWN && !ret; i++)
		if (known[i].open)
			ret = set(s, i, known[i].open, err);
	return ret;
}

static int unknown(const char *assignment, struct ct_error *err)
{
	char names[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < NR_KNOWN; i++) {
		const char *name = known[i].name;

		if (!strncmp(name, FILTER, strlen(FILTER)))
			name += strlen(FILTER);
		used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
				 name);
	}
	return ct_error_set(err, -EINVAL, "\"%s\" sets nothing: give NAME=VALUE, NAME one of %s",
			    assignment, names);
}

int ct_settings_assign(struct ct_settings *s, const char *assignment, struct ct_error *err)
{
	const char *equals = strchr(assignment, '=');
	size_t length = equals ? (size_t)(equals - assignment) : 0;

	for (size_t i = 0; length && i < NR_KNOWN; i++) {
		const char *name = known[i].name;
		const char *bare = strchr(name, '/') ? strchr(name, '/') + 1 : name;

		if ((strlen(name) == length && !strncmp(name, assignment, length)) ||
		    (strlen(bare) == length && !strncmp(bare, assignment, length)))
			return set(s, i, equals + 1, err);
	}
	return unknown(assignment, err);
}

bool ct_settings_filter(const char *assignment)
{
	size_t length = strcspn(assignment, "=");

	for (size_t i = 0; i < NR_KNOWN; i++) {
		const char *name = known[i].name;

		/* Which processes are traced, the command says otherwise. */
		if (strncmp(name, FILTER, strlen(FILTER)) || !strcmp(name, TREE))
			continue;
		name += strlen(FILTER);
		if (strlen(name) == length && !strncmp(name, assignment, length))
			return true;
	}
	return false;
}

static size_t index_of(const char *name)
{
	size_t i = 0;

	while (strcmp(known[i].name, name))
		i++;
	return i;
}

int ct_settings_add_process(struct ct_settings *s, pid_t pid, struct ct_error *err)
{
	char text[16];
	int ret;

	snprintf(text, sizeof(text), "%d", pid);
	ret = s->source->set(s->source, TREE, text, err);
	if (!ret)
		s->changed[index_of(TREE)] = true;
	return ret;
}

struct json_object *ct_settings_json(const struct ct_settings *s)
{
	struct json_object *o = json_object_new_object();
	struct ct_error ignored;
	char *value;

	for (size_t i = 0; i < NR_KNOWN; i++)
		if (!s->source->get(s->source, known[i].name, &value, &ignored)) {
			value[strcspn(value, "\n")] = '\0';
			json_object_object_add(o, known[i].name, json_object_new_string(value));
			free(value);
		}
	return o;
}

/* The tree is set by adding one process after another; those that ended are left out. */
static void restore_tree(struct ct_settings *s, size_t i)
{
	struct ct_error ignored;
	char *seed, *rest = s->saved[i];

	s->source->set(s->source, TREE, "any", &ignored);
	while ((seed = strsep(&rest, " ")))
		if (atoi(seed) > 0 && (!kill(atoi(seed), 0) || errno == EPERM))
			s->source->set(s->source, TREE, seed, &ignored);
}

void ct_settings_restore(struct ct_settings *s)
{
	struct ct_error err;

	if (!s)
		return;
	for (size_t i = 0; i < NR_KNOWN; i++) {
		if (!s->changed[i])
			continue;
		if (!strcmp(known[i].name, TREE))
			restore_tree(s, i);
		else if (s->source->set(s->source, known[i].name, s->saved[i], &err))
			fprintf(stderr, "cowtrace: a setting was not put back: %s\n", err.text);
	}
	free_settings(s);
}
