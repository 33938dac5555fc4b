// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "command.h"
#include "progress.h"
#include "spelling.h"
#include "version.h"

static const struct ct_command commands[] = {
	{ "run",    ct_cmd_run,    "trace a command and its children, print the verdict at its end" },
	{ "counts", ct_cmd_counts, "what the module has counted until now, as a report" },
	{ "top",    ct_cmd_top,    "the same live: who copies, why, how much a second" },
	{ "record", ct_cmd_record, "trace a command, a process or the whole system into a file" },
	{ "report", ct_cmd_report, "how many faults copied, how many reused, why and where" },
	{ "forks",  ct_cmd_forks,  "the ledger of each fork: what it had copied, by parent and by child" },
	{ "events", ct_cmd_events, "print faults as they come, one line each" },
	{ "explain", ct_cmd_explain, "one fault, or the most frequent patterns, in plain sentences" },
	{ "whatif", ct_cmd_whatif, "what other generations of the kernel would have decided, and what that is worth" },
	{ "export", ct_cmd_export, "a trace in the formats of other tools: JSON lines, CSV, Perfetto, Prometheus" },
	{ "experiment", ct_cmd_experiment, "run patterns of faults, and hold this kernel against its source" },
	{ "duplicates", ct_cmd_duplicates, "pages of files in the page cache that are alike: what KSM for files could save" },
	{ "crosscheck", ct_cmd_crosscheck, "module and BPF on the same faults, and where they differ" },
	{ "doctor", ct_cmd_doctor, "what this kernel and machine support, and what to do about the rest" },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static const struct {
	int		code;
	const char	*sentence;
} exits[] = {
#define EXIT_(id, v, s)	{ (v), (s) },
	CT_EXITS(EXIT_)
};

static void help(void)
{
	puts("Usage: cowtrace [--help|--version] COMMAND [OPTION...]\n\n"
	     "Explains write-protect faults: reuse or copy, why, and who else held the page.\n\n"
	     "Commands:");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].sentence);
	puts("\nExit status:");
	for (size_t i = 0; i < sizeof(exits) / sizeof(*exits); i++)
		printf("  %-10d %s\n", exits[i].code, exits[i].sentence);
	puts("  other      run, record with CMD: CMD's own\n\n"
	     "cowtrace COMMAND --help explains a command, cowtrace doctor this machine.");
}

void ct_complain(const struct ct_error *err)
{
	ct_progress_erase();
	fprintf(stderr, "cowtrace: %s\n", err->text);
}

int ct_parse_number(const char *text, unsigned long long min, unsigned long long max,
		    unsigned long long *value)
{
	uint64_t number;

	if (!ct_number(text, &number) || number < min || number > max)
		return -EINVAL;
	*value = number;
	return 0;
}

int ct_parse_seconds(const char *text, unsigned long long *ns)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(seconds) || seconds <= 0 || seconds > 1e9)
		return -EINVAL;
	*ns = seconds * 1e9;
	return 0;
}

static int unknown(const char *name)
{
	const struct ct_command *nearest = &commands[0];

	for (size_t i = 1; i < NR_COMMANDS; i++)
		if (ct_spelling_distance(name, commands[i].name) <
		    ct_spelling_distance(name, nearest->name))
			nearest = &commands[i];
	fprintf(stderr, "cowtrace: there is no command \"%s\", the nearest is %s: cowtrace --help lists all\n",
		name, nearest->name);
	return CT_EXIT_USAGE;
}

static int run(const struct ct_command *command, int argc, char **argv)
{
	static char name[64];

	/* What argp calls the program in its texts. */
	snprintf(name, sizeof(name), "cowtrace %s", command->name);
	argv[0] = name;
	argp_err_exit_status = CT_EXIT_USAGE;
	ct_progress_start();
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "cowtrace: give a command: cowtrace --help lists all\n");
		return CT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help();
		return CT_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("cowtrace " COWTRACE_VERSION);
		return CT_EXIT_OK;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	return unknown(argv[1]);
}
