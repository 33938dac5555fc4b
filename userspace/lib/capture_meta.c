// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture_meta.h"
#include "clock.h"
#include "version.h"

static const char *const target_names[] = {
	[CT_TARGET_SYSTEM] = "system",
	[CT_TARGET_COMMAND] = "command",
	[CT_TARGET_PROCESS] = "process",
};

static void add_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

static void add_number(struct json_object *o, const char *name, int64_t number)
{
	json_object_object_add(o, name, json_object_new_int64(number));
}

static void add_words(struct json_object *o, const char *name, char **words)
{
	struct json_object *list = json_object_new_array();

	while (*words)
		json_object_array_add(list, json_object_new_string(*words++));
	json_object_object_add(o, name, list);
}

static struct json_object *machine(void)
{
	struct json_object *o = json_object_new_object();
	struct utsname uts;

	uname(&uts);
	add_text(o, "release", uts.release);
	add_text(o, "version", uts.version);
	add_text(o, "arch", uts.machine);
	add_text(o, "host", uts.nodename);
	add_number(o, "page_size", sysconf(_SC_PAGESIZE));
	add_number(o, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	return o;
}

static struct json_object *target(const struct ct_session_opts *opts, pid_t pid)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "kind", target_names[opts->target]);
	if (pid)
		add_number(o, "pid", pid);
	if (opts->target == CT_TARGET_COMMAND)
		add_words(o, "argv", opts->argv);
	return o;
}

/* Build-ids are always there: where the kernel gives none, capture reads the files. */
static struct json_object *sideband(bool events)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "sample_type", CT_SIDEBAND_SAMPLE_TYPE);
	add_text(o, "clock", "monotonic");
	json_object_object_add(o, "build_ids", json_object_new_boolean(true));
	json_object_object_add(o, "events", json_object_new_boolean(events));
	return o;
}

static struct json_object *start_time(void)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "realtime_ns", ct_clock_ns(CLOCK_REALTIME));
	add_number(o, "monotonic_ns", ct_now_ns());
	return o;
}

int ct_meta_write(struct ct_writer *w, const struct ct_session_opts *opts,
		  const struct ct_source *source, const struct ct_settings *settings,
		  pid_t pid, bool events)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	int ret;

	add_text(o, "cowtrace", COWTRACE_VERSION);
	add_text(o, "source", source->name);
	json_object_object_add(o, "kernel", machine());
	add_words(o, "command_line", opts->command_line);
	json_object_object_add(o, "target", target(opts, pid));
	json_object_object_add(o, "start", start_time());
	json_object_object_add(o, "settings", ct_settings_json(settings));
	json_object_object_add(o, "sideband", sideband(events));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	ret = text ? ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, text, strlen(text)) : -ENOMEM;
	json_object_put(o);
	return ret;
}
