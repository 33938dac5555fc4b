/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of cowtrace, and what all of them share. */
#ifndef COWTRACE_COMMAND_H
#define COWTRACE_COMMAND_H

#include "error.h"

/**
 * struct ct_command - one command
 * @name: the word on the command line.
 * @run: gets the command line from the command's own name on; returns the exit
 *	status.
 * @sentence: what it does, for the help text.
 */
struct ct_command {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*sentence;
};

int ct_cmd_run(int argc, char **argv);
int ct_cmd_counts(int argc, char **argv);
int ct_cmd_top(int argc, char **argv);
int ct_cmd_record(int argc, char **argv);
int ct_cmd_report(int argc, char **argv);
int ct_cmd_forks(int argc, char **argv);
int ct_cmd_whatif(int argc, char **argv);
int ct_cmd_events(int argc, char **argv);
int ct_cmd_explain(int argc, char **argv);
int ct_cmd_experiment(int argc, char **argv);
/* Of whatif, with --verify. */
int ct_cmd_whatif_verify(int argc, char **argv);
int ct_cmd_export(int argc, char **argv);
int ct_cmd_duplicates(int argc, char **argv);
int ct_cmd_crosscheck(int argc, char **argv);
int ct_cmd_doctor(int argc, char **argv);

/* Exit codes, for help and man page alike. X(id, value, sentence) */
#define CT_EXITS(X)							\
	X(OK,		0, "done; also a recording of -a or -p that was interrupted") \
	X(FAIL,		1, "failed; doctor: tracing lacks something; experiment: not all is as expected; crosscheck: the backends do not agree; whatif --verify: a policy is wrong, or too much undetermined; report, forks, whatif, export: the trace is damaged, what is whole was used") \
	X(USAGE,	2, "unknown command, option or argument; report, forks, whatif, export: nothing could be reported") \
	X(CUT,		3, "record: the trace ends early, what is in it is whole") \
	X(OWN,		125, "run, record with CMD: cowtrace itself failed") \
	X(NOEXEC,	126, "run, record with CMD: CMD cannot be executed") \
	X(NOCMD,	127, "run, record with CMD: CMD was not found")

#define CT_EXIT_ENUM_(id, v, s)	CT_EXIT_##id = (v),
enum ct_exit { CT_EXITS(CT_EXIT_ENUM_) };

/**
 * ct_complain() - print one line of error, prefixed by the program's name
 * @err: what happened, why, and the next step.
 */
void ct_complain(const struct ct_error *err);

/**
 * ct_parse_number() - read an option's number
 * @text: all of it must be a decimal number.
 * @min: smallest accepted value.
 * @max: greatest accepted value.
 * @value: receives the number.
 * Return: 0 or -EINVAL.
 */
int ct_parse_number(const char *text, unsigned long long min, unsigned long long max,
		    unsigned long long *value);

/**
 * ct_parse_seconds() - read an option's time
 * @text: seconds, with a fraction if need be, greater than 0.
 * @ns: receives nanoseconds.
 * Return: 0 or -EINVAL.
 */
int ct_parse_seconds(const char *text, unsigned long long *ns);

#endif /* COWTRACE_COMMAND_H */
