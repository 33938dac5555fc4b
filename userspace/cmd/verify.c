// SPDX-License-Identifier: GPL-2.0
/* cowtrace whatif --verify: predictions for kernels, held against these kernels. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "command.h"
#include "confine.h"
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

/**
 * struct job - runs on their way through three processes
 * @args: the command line.
 * @n: number of @files that were opened.
 * @files: of the runs.
 * @trace: what the runs call their traces; written by a process that has parsed them, so
 *	not to be trusted.
 */
struct job {
	const struct arguments	*args;
	size_t			n;
	struct ct_verify_files	files[RUNS];
	char			(*trace)[CT_VERIFY_NAME];
};

static int failed(const struct ct_error *err)
{
	ct_complain(err);
	return CT_EXIT_USAGE;
}

/* Without rights: which files to open is known only to who has parsed the runs. */
static int name_traces(void *arg)
{
	struct job *job = arg;
	struct ct_error err;
	size_t i;

	for (i = 0; i < job->n; i++)
		if (ct_verify_trace(&job->files[i], job->trace[i], sizeof(job->trace[i]), &err))
			return failed(&err);
	return CT_EXIT_OK;
}

static int open_traces(struct job *job, struct ct_error *err)
{
	char name[sizeof(*job->trace)];
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < job->n; i++) {
		memcpy(name, job->trace[i], sizeof(name));
		name[sizeof(name) - 1] = '\0';
		ret = ct_verify_open_trace(&job->files[i], name, err);
	}
	return ret;
}

/* Without rights. */
static int compare(void *arg)
{
	struct ct_verify_run run[RUNS];
	struct job *job = arg;
	struct ct_error err;
	size_t parsed = 0;
	int ret = 0;

	while (!ret && parsed < job->n) {
		ret = ct_verify_parse(&job->files[parsed], &run[parsed], &err);
		parsed++;
	}
	if (!ret)
		ret = print(run, job->args, &err);
	while (parsed)
		ct_verify_free(&run[--parsed]);
	if (ret < 0)
		return failed(&err);
	return ret ? CT_EXIT_FAIL : CT_EXIT_OK;
}

static int verify(struct job *job)
{
	const struct arguments *a = job->args;
	struct ct_error err;
	int status, ret;

	while (job->n < a->n) {
		ret = ct_verify_open(a->files[job->n], &job->files[job->n], &err);
		job->n++;
		if (ret)
			return failed(&err);
	}
	status = ct_confined_at_once(name_traces, job, CT_EXIT_USAGE);
	if (status)
		return status;
	if (open_traces(job, &err))
		return failed(&err);
	return ct_confined_at_once(compare, job, CT_EXIT_USAGE);
}

static int run_job(const struct arguments *args)
{
	struct job job = { .args = args };
	size_t size = args->n * sizeof(*job.trace);
	struct ct_error err;
	int status;

	job.trace = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.trace == MAP_FAILED) {
		ct_error_set(&err, -errno, "out of memory");
		return failed(&err);
	}
	status = verify(&job);
	while (job.n)
		ct_verify_close(&job.files[--job.n]);
	munmap(job.trace, size);
	return status;
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

	argp_err_exit_status = CT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.n < 2 || a.n > RUNS) {
		fprintf(stderr, "cowtrace: --verify takes 2 to %d runs, each what cowtrace experiment run --all --json -o TRACE has printed on a kernel\n",
			RUNS);
		return CT_EXIT_USAGE;
	}
	return run_job(&a);
}
