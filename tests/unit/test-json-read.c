// SPDX-License-Identifier: GPL-2.0
/* JSON that somebody else wrote may be printed once it is read. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "generate.h"
#include "json_read.h"
#include "tap.h"

static bool becomes(const char *text, const char *printed)
{
	struct json_object *o;
	const char *got;
	bool same;

	if (ct_json_text(text, strlen(text), &o))
		abort();
	got = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	same = !strcmp(got, printed);
	if (!same)
		note("%s", got);
	json_object_put(o);
	return same;
}

static void check_file(const char *text, const char *value)
{
	char *path = temporary_file();
	struct json_object *o, *name;

	write_file(path, text, strlen(text));
	o = ct_json_file(path);
	ok(json_object_object_get_ex(o, "name", &name) &&
	   !strcmp(json_object_get_string(name), value), "so is a file");
	json_object_put(o);
	unlink(path);
	ok(!ct_json_file(path), "a file that is not there is nothing");
	free(path);
}

int main(void)
{
	struct json_object *o = NULL;

	ok(becomes("{\"a\":[1,-2,1.50,true,null,\"b\"]}", "{\"a\":[1,-2,1.50,true,null,\"b\"]}"),
	   "what is plain stays as it is");
	ok(becomes("\"x\\u001b]0;y\\u0007\\u007f\\u009b31m\\u202e\"", "\"x?]0;y????31m???\""),
	   "what a terminal acts on becomes question marks");
	ok(becomes("{\"a\\u001bb\":{\"c\\n\":[\"d\\r\"]}}", "{\"a?b\":{\"c?\":[\"d?\"]}}"),
	   "in names of members and in what lies deep, too");
	ok(becomes("[NaN,Infinity,-Infinity,1e999,2.5]", "[null,null,null,null,2.5]"),
	   "a number that JSON does not have is null");
	ok(!ct_json_text("{\"a\":", 5, &o) && !o, "half a text is nothing");
	check_file("{\"name\":\"\\u001b[2J\"}", "?[2J");
	return tap_end();
}
