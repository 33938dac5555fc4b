// SPDX-License-Identifier: GPL-2.0
/* cowtrace counts: what the module has counted until now, as a report; changes nothing. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "live.h"
#include "report.h"
#include "report_parts.h"

static int print(const struct ct_report_opts *opts)
{
	char path[4096];
	struct ct_error err;

	if (ct_live_trace(path, sizeof(path), &err)) {
		ct_complain(&err);
		return CT_REPORT_FAILED;
	}
	return ct_report_print(stdout, path, opts);
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
		       "To have all faults of the machine counted: " CT_LIVE_BY_HAND ".\n\n"
		       "Exit status:\n" CT_REPORT_STATUS_LINES,
	};
	struct ct_report_opts opts = { 0 };

	argp_err_exit_status = CT_REPORT_FAILED;
	opts.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (argp_parse(&argp, argc, argv, 0, NULL, &opts))
		return CT_REPORT_FAILED;
	return print(&opts);
}
