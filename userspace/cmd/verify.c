// SPDX-License-Identifier: GPL-2.0
/* cowtrace whatif --verify: predictions for kernels, held against these kernels. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "verify_table.h"

#define RUNS	16

struct arguments {
	bool	why, json;
	char	**files;
	size_t	n;
};

enum { KEY_JSON = 0x200, KEY_WHY };

static const struct argp_option options[] = {
	{ "why", KEY_WHY, NULL, 0,
	  "list all classes, not only what is wrong, undetermined or of another state", 0 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)arg;
	switch (key) {
	case KEY_JSON:
		a->json = true;
		return 0;
	case KEY_WHY:
		a->why = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->files = state->argv + state->next;
		a->n = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int print(struct ct_verify_run *run, const struct arguments *a, struct ct_error *err)
{
	struct ct_verify_table table;
	int ret = ct_verify_table(run, a->n, &table, err);

	if (!ret && a->json)
		ret = ct_verify_json(stdout, &table);
	else if (!ret)
		ct_verify_text(stdout, &table, a->why);
	if (ret == -EIO || (!ret && fflush(stdout)))
		ret = ct_error_set(err, -EIO, "cannot print the table");
	if (!ret)
		ret = !table.passed;
	ct_verify_table_free(&table);
	return ret;
}

static int verify(const struct arguments *a, struct ct_error *err)
{
	struct ct_verify_run run[RUNS];
	size_t loaded = 0;
	int ret = 0;

	while (!ret && loaded < a->n) {
		ret = ct_verify_load(a->files[loaded], &run[loaded], err);
		loaded++;
	}
	if (!ret)
		ret = print(run, a, err);
	while (loaded)
		ct_verify_free(&run[--loaded]);
	return ret;
}

int ct_cmd_whatif_verify(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "RUN.json RUN.json...",
		.doc = "Hold what the policy of each kernel predicts from the samples of each other "
		       "against what that kernel did, in the same experiments.\v"
		       "RUN.json is what cowtrace experiment run --all --json -o TRACE has printed on a "
		       "kernel, TRACE stands beside it. Exit status: 0, no prediction is wrong, and at most "
		       "10 % of the classes are undetermined; 1, not so; 2, there is no table.",
	};
	struct arguments a = { 0 };
	struct ct_error err;
	int ret;

	argp_err_exit_status = CT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.n < 2 || a.n > RUNS) {
		fprintf(stderr, "cowtrace: --verify takes 2 to %d runs, each what cowtrace experiment run --all --json -o TRACE has printed on a kernel\n",
			RUNS);
		return CT_EXIT_USAGE;
	}
	ret = verify(&a, &err);
	if (ret < 0)
		ct_complain(&err);
	return ret < 0 ? CT_EXIT_USAGE : ret ? CT_EXIT_FAIL : CT_EXIT_OK;
}
