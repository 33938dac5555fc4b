// SPDX-License-Identifier: GPL-2.0
/* cowtrace events: faults as they come. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "capture_settings.h"
#include "command.h"
#include "module.h"
#include "options.h"
#include "schema.h"

/* The module wakes readers of its text rarely: how long a line may wait for us. */
#define PERIOD_MS	50
#define ROOM		(64u << 10)
#define CPUS_MAX	4096

struct events {
	struct ct_options	options;
	bool			json;
	struct ct_module	module;
	struct ct_source	*source;
	struct ct_settings	*settings;
	struct ct_schema	*schema;
	int			signals;
	uint64_t		end_ns;
	bool			ours;
	/* Text: the file events alone; JSON: a stream of each CPU. */
	int			fds[CPUS_MAX];
	unsigned int		nr;
	char			data[ROOM];
};

enum { KEY_JSON = 0x200, KEY_COMM };

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "only faults of this process", 1 },
	{ "comm", KEY_COMM, "NAME", 0, "only faults of tasks of this name", 1 },
	{ "json", KEY_JSON, NULL, 0, "print one JSON object a fault", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct events *e = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->options;
		return 0;
	case 'p':
		return ct_options_add(&e->options, "tgid", arg);
	case KEY_COMM:
		return ct_options_add(&e->options, "comm", arg);
	case KEY_JSON:
		e->json = true;
		return 0;
	case ARGP_KEY_ARG:
		ct_usage(state, "it takes no arguments: cowtrace record -- CMD traces a command");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &ct_options_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Print write-protect faults as they come, one line each.\v"
	       "Switches tracing on and off again. While somebody else is tracing it reads along, "
	       "with the filters that they have set; --json then has to wait, because binary records "
	       "have one reader.",
	.children = children,
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* --- JSON ------------------------------------------------------------------- */

static const struct ct_word *exact_word(const struct events *e, const char *vocab, uint64_t value)
{
	return value <= UINT32_MAX ? ct_schema_word(e->schema, vocab, value) : NULL;
}

static struct json_object *flags_value(const struct events *e, const struct ct_field *f,
				       uint64_t value)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t bit = 1; bit; bit <<= 1) {
		const struct ct_word *w = value & bit ? exact_word(e, f->vocab, bit) : NULL;

		if (w)
			json_object_array_add(list, json_object_new_string(w->name));
	}
	return list;
}

static struct json_object *field_value(const struct events *e, const struct ct_field *f,
				       const char *raw)
{
	const struct ct_word *word;
	char text[256];
	uint64_t value;

	if (f->type == CT_TYPE_TEXT) {
		ct_clean_text(text, sizeof(text), raw + f->offset, f->size);
		return json_object_new_string(text);
	}
	value = ct_field_number(f, raw);
	if (!strcmp(f->format, "flags"))
		return flags_value(e, f, value);
	if (!strcmp(f->format, "enum")) {
		word = exact_word(e, f->vocab, value);
		if (word)
			return json_object_new_string(word->name);
	}
	if (!strcmp(f->format, "hex")) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
		return json_object_new_string(text);
	}
	if (f->type == CT_TYPE_SIGNED)
		return json_object_new_int64(value);
	return json_object_new_uint64(value);
}

/* A field that is absent has no value: null. */
static void print_json(const struct events *e, const char *raw, const struct ct_field *present)
{
	struct json_object *o = json_object_new_object();
	uint64_t given = present ? ct_field_number(present, raw) : UINT64_MAX;

	for (size_t i = 0; i < e->schema->nr_fields; i++) {
		const struct ct_field *f = &e->schema->fields[i];
		bool absent = f->present_bit && !(given & f->present_bit);

		json_object_object_add(o, f->name, absent ? NULL : field_value(e, f, raw));
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void print_records(const struct events *e, size_t size)
{
	const struct ct_field *present = ct_schema_field(e->schema, "present");

	for (size_t at = 0; at + e->schema->record_size <= size; at += e->schema->record_size)
		print_json(e, e->data + at, present);
}

static int open_records(struct events *e, struct ct_error *err)
{
	long nr = sysconf(_SC_NPROCESSORS_CONF);

	for (unsigned int cpu = 0; cpu < nr && cpu < CPUS_MAX; cpu++) {
		int fd = e->source->open_cpu(e->source, cpu, err);

		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		e->fds[e->nr++] = fd;
	}
	return 0;
}

/* --- both ------------------------------------------------------------------- */

static int open_text(struct events *e, struct ct_error *err)
{
	int fd = ct_module_open_file(&e->module, "events", O_RDONLY | O_NONBLOCK, err);

	if (fd < 0)
		return fd;
	e->fds[e->nr++] = fd;
	return 0;
}

/* Returns whether all have ended. */
static bool read_all(struct events *e, struct ct_error *err)
{
	size_t room = ROOM;
	bool ended = true;

	if (e->json)
		room -= room % e->schema->record_size;
	for (unsigned int i = 0; i < e->nr; i++) {
		ssize_t n;

		while ((n = e->source->read_cpu(e->source, e->fds[i], e->data, room)) > 0) {
			if (e->json)
				print_records(e, n);
			else
				fwrite(e->data, 1, n, stdout);
		}
		if (n == -EAGAIN)
			ended = false;
		else if (n < 0)
			ct_error_set(err, n, "reading the events failed: %s", strerror(-n));
	}
	return ended;
}

/* Returns whether to go on. */
static bool pause_for_more(struct events *e)
{
	struct pollfd fds[] = {
		{ .fd = e->signals, .events = POLLIN },
		/* A pipe whose reader is gone raises POLLERR, also while nothing is written. */
		{ .fd = STDOUT_FILENO },
	};
	uint64_t now = now_ns();
	int timeout = PERIOD_MS;

	if (e->end_ns && now >= e->end_ns)
		return false;
	if (e->end_ns && e->end_ns - now < PERIOD_MS * 1000000ull)
		timeout = (e->end_ns - now) / 1000000 + 1;
	return !poll(fds, sizeof(fds) / sizeof(*fds), timeout);
}

static int follow(struct events *e, struct ct_error *err)
{
	struct ct_error ignored;
	bool ended = false;

	err->code = 0;
	while (!ended && !err->code) {
		ended = read_all(e, err);
		/* A reader that went away (head, less) is an end as any other. */
		if (fflush(stdout))
			break;
		if (!ended && !pause_for_more(e))
			break;
	}
	if (e->ours) {
		e->source->set(e->source, "enabled", "0", &ignored);
		if (!ended && !ferror(stdout)) {
			read_all(e, err);
			fflush(stdout);
		}
	}
	return err->code;
}

static void tell_losses(struct events *e)
{
	struct ct_error ignored;
	unsigned long long n = 0;
	char *text, *at;

	if (e->source->get(e->source, "lost", &text, &ignored))
		return;
	at = strstr(text, e->json ? "full " : "events_full ");
	if (at && sscanf(at, "%*s %llu", &n) == 1 && n)
		fprintf(stderr,
			"cowtrace: %llu faults not printed, they came faster than they were read: narrow them down by --filter, or use cowtrace record\n",
			n);
	free(text);
}

/* Somebody else is tracing: their filters stand, and their binary records are theirs. */
static int read_along(struct events *e, struct ct_error *err)
{
	if (e->json || e->options.nr_settings)
		return ct_error_set(err, -EBUSY,
				    "somebody else is tracing, so filters and --json are theirs: run cowtrace events without them, or end that trace");
	return open_text(e, err);
}

static int trace(struct events *e, struct ct_error *err)
{
	char *text;
	int ret;

	ret = e->source->get(e->source, "schema", &text, err);
	if (ret)
		return ret;
	ret = ct_schema_parse(text, strlen(text), &e->schema, err);
	free(text);
	if (!ret)
		ret = ct_settings_save(&e->settings, e->source, err);
	if (!ret)
		ret = ct_settings_clear(e->settings, err);
	for (size_t i = 0; !ret && i < e->options.nr_settings; i++)
		ret = ct_settings_assign(e->settings, e->options.settings[i], err);
	if (!ret)
		ret = e->source->set(e->source, "reset", "1", err);
	if (!ret)
		ret = e->json ? open_records(e, err) : open_text(e, err);
	if (!ret)
		ret = e->source->set(e->source, "enabled", "1", err);
	e->ours = !ret;
	return ret;
}

static int take_signals(struct events *e, struct ct_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	e->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return e->signals < 0 ? ct_error_set(err, -errno, "cannot take signals: %s",
					     strerror(errno)) : 0;
}

static int run(struct events *e, struct ct_error *err)
{
	int ret;

	e->source = &e->module.source;
	ret = ct_module_claim(&e->module, err);
	ret = ret == -EBUSY ? read_along(e, err) : ret ? ret : trace(e, err);
	if (!ret) {
		if (e->options.duration_ns)
			e->end_ns = now_ns() + e->options.duration_ns;
		ret = follow(e, err);
		if (!e->options.quiet)
			tell_losses(e);
	}
	while (e->nr)
		close(e->fds[--e->nr]);
	ct_settings_restore(e->settings);
	ct_schema_free(e->schema);
	ct_module_close(&e->module);
	return ret;
}

int ct_cmd_events(int argc, char **argv)
{
	static struct events e;
	struct ct_error err;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &e);
	ret = take_signals(&e, &err);
	if (!ret)
		ret = ct_module_open(&e.module, &err);
	if (!ret)
		ret = run(&e, &err);
	ct_options_free(&e.options);
	if (ret)
		ct_complain(&err);
	return ret ? CT_EXIT_FAIL : CT_EXIT_OK;
}
