/* SPDX-License-Identifier: GPL-2.0 */
/* Running experiments on this machine. */
#ifndef COWTRACE_EXPERIMENT_RUN_H
#define COWTRACE_EXPERIMENT_RUN_H

#include <stdbool.h>

#include "capture_source.h"
#include "experiment.h"

/**
 * struct ct_exp_run_opts - how they are run
 * @all: nobody asked for one of them by name: what is skipped or unseen is no failure.
 * @json: print the result as JSON.
 * @quiet: do not say which is under way.
 * @backend: that traces it.
 * @output: file that keeps the trace, NULL for none.
 */
struct ct_exp_run_opts {
	bool		all, json, quiet;
	enum ct_backend	backend;
	const char	*output;
};

/**
 * ct_experiments_run() - run experiments under trace, judge and print what was seen
 * @opts: how.
 * @all: which.
 * @command_line: of cowtrace, for the trace.
 * @err: filled in when it fails.
 * Return: 0 when all is as expected, 1 when not, or a negative errno.
 */
int ct_experiments_run(const struct ct_exp_run_opts *opts, const struct ct_experiments *all,
		       char **command_line, struct ct_error *err);

/* In the traced process: act what the memory behind @fd says. Returns an exit status. */
int ct_experiments_stage(int fd);

#endif /* COWTRACE_EXPERIMENT_RUN_H */
