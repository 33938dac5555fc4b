// SPDX-License-Identifier: GPL-2.0
#include "json_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static char *clean(const char *text, size_t length)
{
	char *to = malloc(length + 1);

	if (to)
		ct_clean_text(to, length + 1, text, length);
	return to;
}

static struct json_object *cleaned(struct json_object *o);

static struct json_object *clean_string(struct json_object *o)
{
	char *text = clean(json_object_get_string(o), json_object_get_string_len(o));
	struct json_object *to = text ? json_object_new_string(text) : NULL;

	free(text);
	return to;
}

static struct json_object *clean_members(struct json_object *o)
{
	struct json_object *to = json_object_new_object();

	json_object_object_foreach(o, name, value) {
		char *key = clean(name, strlen(name));

		if (key)
			json_object_object_add(to, key, cleaned(value));
		free(key);
	}
	return to;
}

static struct json_object *clean_elements(struct json_object *o)
{
	struct json_object *to = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(o); i++)
		json_object_array_add(to, cleaned(json_object_array_get_idx(o, i)));
	return to;
}

/* As deep as the tokener lets it be: 32. */
static struct json_object *cleaned(struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_string:
		return clean_string(o);
	case json_type_object:
		return clean_members(o);
	case json_type_array:
		return clean_elements(o);
	case json_type_double:
		return isfinite(json_object_get_double(o)) ? json_object_get(o) : NULL;
	default:
		return json_object_get(o);
	}
}

/* In the place of @o, which it lets go of. */
static struct json_object *clean_instead(struct json_object *o)
{
	struct json_object *to = cleaned(o);

	json_object_put(o);
	return to;
}

int ct_json_text(const char *text, size_t length, struct json_object **object)
{
	struct json_tokener *tokener = json_tokener_new();

	if (!tokener)
		return -ENOMEM;
	*object = clean_instead(json_tokener_parse_ex(tokener, text, length));
	json_tokener_free(tokener);
	return 0;
}

struct json_object *ct_json_file(const char *path)
{
	return clean_instead(json_object_from_file(path));
}
