/* SPDX-License-Identifier: GPL-2.0 */
/* Options that commands share, and how their end is told. */
#ifndef COWTRACE_OPTIONS_H
#define COWTRACE_OPTIONS_H

#include <argp.h>

#include "capture_session.h"

#define CT_SETTINGS_MAX	32

/**
 * struct ct_options - what the shared options say
 * @settings: NAME=VALUE, see ct_settings_assign(); each is freed by
 *	ct_options_free().
 * @nr_settings: number of @settings.
 * @groups: of events beside the core, by comma; NULL for none, freed likewise.
 * @backend: which is wanted.
 * @duration_ns: 0 for no limit.
 * @quiet: no live line, no summary.
 */
struct ct_options {
	char		*settings[CT_SETTINGS_MAX];
	size_t		nr_settings;
	char		*groups;
	enum ct_backend	backend;
	unsigned long long duration_ns;
	bool		quiet;
};

/* What "--wait-children" says in the help of run and record. */
#define CT_WAIT_CHILDREN	"go on until all processes that CMD left behind have ended"

/* Parses into a struct ct_options, given as the child's input. */
extern const struct argp ct_options_argp;

/**
 * struct ct_traced - what is traced, one of these
 * @system: everything.
 * @pid: a running process and its children, 0 for none.
 * @argv: a command and its children, NULL for none.
 */
struct ct_traced {
	bool		system;
	pid_t		pid;
	char		**argv;
};

/* -a, -p PID or -- CMD, of which one must be given, into a struct ct_traced. */
extern const struct argp ct_traced_argp;

/* --pid and --comm into a struct ct_options, of whoever shows faults. */
extern const struct argp ct_who_argp;

/* These and --filter, of whoever chooses among the faults of a trace: see ct_match_add(). */
extern const struct argp ct_match_argp;

/**
 * ct_usage() - end because of a wrong command line, with one line that says why
 * @state: of argp.
 * @format: as of printf(): what is wrong.
 */
__attribute__((format(printf, 2, 3), noreturn))
void ct_usage(const struct argp_state *state, const char *format, ...);

/**
 * ct_options_add() - set a setting
 * @options: the options.
 * @name: its name.
 * @value: its value.
 * Return: 0 or ENOSPC, as argp expects.
 */
int ct_options_add(struct ct_options *options, const char *name, const char *value);

/* Was a setting given a value? */
bool ct_options_has(const struct ct_options *options, const char *name);

/**
 * ct_options_filter() - set what --filter says
 * @options: the options.
 * @arg: NAME=VALUE.
 * @state: of argp, for an error.
 * Return: as ct_options_add().
 */
int ct_options_filter(struct ct_options *options, const char *arg,
		      const struct argp_state *state);

/**
 * ct_options_session() - put the options into those of a session
 * @options: the options; must outlive @session.
 * @session: settings, duration and progress are filled in.
 */
void ct_options_session(const struct ct_options *options, struct ct_session_opts *session);

void ct_options_free(struct ct_options *options);

/**
 * ct_tell_losses() - one line for each thing that is missing in a trace
 * @result: of the session.
 * @output: name of the trace.
 * Return: whether the trace ends early.
 */
bool ct_tell_losses(const struct ct_session_result *result, const char *output);

/**
 * ct_exit_as_command() - end as the command has ended
 * @result: of the session that ran it.
 * @argv: the command.
 * @own: exit status if the command ended with 0.
 * Return: the exit status; does not return if a signal has killed the command.
 */
int ct_exit_as_command(const struct ct_session_result *result, char **argv, int own);

#endif /* COWTRACE_OPTIONS_H */
