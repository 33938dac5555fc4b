// SPDX-License-Identifier: GPL-2.0
/* cowtrace counts: what the module has counted until now, as a report; changes nothing. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "module.h"
#include "module_load.h"
#include "report.h"
#include "report_parts.h"
#include "temporary.h"
#include "writer.h"

#define BY_HAND	"write counts to mode and 1 to enabled below cowtrace/ in debugfs, or count a command by cowtrace run"

/* One file of the module as a chunk; the writer keeps its first error. */
static int take(struct ct_module *m, struct ct_writer *w, const char *name, struct ct_error *err)
{
	char *text;
	int ret = m->source.get(&m->source, name, &text, err);

	if (ret)
		return ret;
	if (!strcmp(name, "schema"))
		ct_writer_chunk(w, CT_CHUNK_SCHEMA, UINT32_MAX, text, strlen(text));
	else
		ret = ct_writer_state(w, name, text);
	free(text);
	return ret == -ENOMEM ? ct_error_set(err, ret, "out of memory") : 0;
}

/* A trace without records, as cowtrace run makes it. */
static int snapshot(struct ct_module *m, const char *path, struct ct_error *err)
{
	static const char *const files[] = { "schema", "counts", "stats", "lost" };
	struct ct_writer *w;
	int ret = ct_writer_open(path, &w), end;

	if (!ret) {
		for (size_t i = 0; !ret && i < sizeof(files) / sizeof(*files); i++)
			ret = take(m, w, files[i], err);
		end = ct_writer_close(w);
		if (ret || !end)
			return ret;
		ret = end;
	}
	return ct_error_set(err, ret, "cannot write %s: %s: make room, or set TMPDIR", path,
			    strerror(-ret));
}

/* Loaded by us it would have counted nothing. */
static int open_loaded(struct ct_module *m, struct ct_error *err)
{
	if (!geteuid() && !ct_module_is_loaded())
		return ct_error_set(err, -ENOENT,
				    "the module is not loaded, so nothing has been counted: modprobe cowtrace, then " BY_HAND);
	return ct_module_open(m, err);
}

static int print(const struct ct_report_opts *opts)
{
	char path[4096] = "";
	struct ct_error err;
	struct ct_module m;
	int fd, ret, status = CT_REPORT_FAILED;

	ret = open_loaded(&m, &err);
	if (ret) {
		ct_complain(&err);
		return status;
	}
	fd = ct_temporary_open(path, sizeof(path));
	if (fd < 0) {
		ret = ct_error_set(&err, fd, "cannot create %s: %s: set TMPDIR", path,
				   strerror(-fd));
	} else {
		close(fd);
		ret = snapshot(&m, path, &err);
	}
	ct_module_close(&m);
	if (ret)
		ct_complain(&err);
	else
		status = ct_report_print(stdout, path, opts);
	if (fd >= 0)
		unlink(path);
	return status;
}

static const struct argp_option options[] = {
	{ "json", CT_REPORT_KEY_JSON, NULL, 0, "print one JSON object with every table, all rows",
	  0 },
	{ "top", 't', "N", 0, "rows of the table of processes (default 10)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char *none = "";

	if (key == ARGP_KEY_ARG)
		argp_error(state, "it takes no argument \"%s\"", arg);
	return ct_report_option(key, arg, state, state->input, &none);
}

int ct_cmd_counts(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Say what the module has counted since it was switched on: how many "
		       "write-protect faults, copied or reused, why, how long and whose. May be asked "
		       "at any time, and as often as one likes: nothing is changed.\v"
		       "To have all faults of the machine counted: " BY_HAND ".\n\n"
		       "Exit status:\n" CT_REPORT_STATUS_LINES,
	};
	struct ct_report_opts opts = { 0 };

	argp_err_exit_status = CT_REPORT_FAILED;
	opts.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (argp_parse(&argp, argc, argv, 0, NULL, &opts))
		return CT_REPORT_FAILED;
	return print(&opts);
}
