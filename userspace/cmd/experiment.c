// SPDX-License-Identifier: GPL-2.0
/* cowtrace experiment: what each kernel must do with a page, and what this one does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "command.h"
#include "experiment_parts.h"
#include "experiment_run.h"
#include "host.h"
#include "options.h"

struct arguments {
	struct ct_exp_run_opts	run;
	bool			why;
	char			**names;
	size_t			nr_names;
};

/* The experiments that cowtrace brings along: userspace/experiments/. */
extern const char ct_experiments_text_begin[], ct_experiments_text_end[];

enum { KEY_JSON = 0x200, KEY_WHY, KEY_BACKEND };

static const struct argp_option run_options[] = {
	{ "all", 'a', NULL, 0, "run all experiments that cowtrace brings along", 0 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ "output", 'o', "TRACE", 0, "keep the trace, for report, events and explain", 0 },
	{ "quiet", 'q', NULL, 0, "do not say which experiment is under way", 0 },
	{ "backend", KEY_BACKEND, "NAME", 0,
	  "module, bpf or auto, as of cowtrace run; bpf does not see what khugepaged's scans decide",
	  0 },
	{ 0 },
};

static const struct argp_option list_options[] = {
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ 0 },
};

static const struct argp_option compare_options[] = {
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ "why", KEY_WHY, NULL, 0, "say below each step why each kernel answers so", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a':
		a->run.all = true;
		return 0;
	case 'o':
		a->run.output = arg;
		return 0;
	case 'q':
		a->run.quiet = true;
		return 0;
	case KEY_BACKEND:
		if (ct_backend_parse(arg, &a->run.backend))
			ct_usage(state, "--backend is auto, module or bpf, not \"%s\"", arg);
		return 0;
	case KEY_JSON:
		a->run.json = true;
		return 0;
	case KEY_WHY:
		a->why = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->nr_names = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- which experiments ----------------------------------------------------------- */

static int add_file(const char *path, struct ct_experiments *all, struct ct_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st)) {
		ret = ct_error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > 1 << 20) {
		close(fd);
		return ct_error_set(err, -EINVAL, "%s is no file of experiments", path);
	}
	text = malloc(st.st_size + 1);
	n = text ? read(fd, text, st.st_size) : -1;
	close(fd);
	ret = n < 0 ? ct_error_set(err, -EIO, "cannot read %s", path) :
	      ct_experiments_parse(text, n, path, all, err);
	free(text);
	return ret;
}

static int builtin(struct ct_experiments *all, struct ct_error *err)
{
	return ct_experiments_parse(ct_experiments_text_begin,
				    ct_experiments_text_end - ct_experiments_text_begin,
				    "cowtrace's own experiments", all, err);
}

static const struct ct_experiment *find(const struct ct_experiments *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->list[i].name, name))
			return &all->list[i];
	return NULL;
}

static int add_copy(struct ct_experiments *all, const struct ct_experiment *e,
		    struct ct_error *err)
{
	struct ct_experiment *list = realloc(all->list, (all->n + 1) * sizeof(*list));

	if (!list)
		return ct_error_set(err, -ENOMEM, "no memory for the experiments");
	list[all->n++] = *e;
	all->list = list;
	return 0;
}

/* A name with a slash or an end of .exp is a file. */
static int choose(const struct arguments *a, struct ct_experiments *all, struct ct_error *err)
{
	struct ct_experiments own = { 0 };
	const struct ct_experiment *e;
	size_t i;
	int ret = builtin(&own, err);

	for (i = 0; !ret && a->run.all && i < own.n; i++)
		ret = add_copy(all, &own.list[i], err);
	for (i = 0; !ret && i < a->nr_names; i++) {
		const char *name = a->names[i], *dot = strrchr(name, '.');

		e = find(&own, name);
		if (strchr(name, '/') || (dot && !strcmp(dot, ".exp")))
			ret = add_file(name, all, err);
		else if (!e)
			ret = ct_error_set(err, -EINVAL,
					   "there is no experiment \"%s\": cowtrace experiment list shows all; a file of your own ends in .exp",
					   name);
		else if (!find(all, name))
			ret = add_copy(all, e, err);
	}
	ct_experiments_free(&own);
	return ret;
}

/* --- run -------------------------------------------------------------------------- */

static int cmd_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = run_options,
		.parser = parse,
		.args_doc = "[NAME|FILE.exp]...",
		.doc = "Run experiments, each a pattern of write-protect faults, and hold what this kernel "
		       "does with each page against what its source says.\v"
		       "Settings of the machine that an experiment needs are changed for as long, and put "
		       "back; what a killed run has left is put back by the next. Exit status 1: not all "
		       "is as expected.",
	};
	struct ct_experiments all = { 0 };
	struct arguments a = { 0 };
	struct ct_error err;
	char text[128];
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.run.all && !a.nr_names) {
		fprintf(stderr, "cowtrace: name experiments or files, or give --all: cowtrace experiment list shows them\n");
		return CT_EXIT_USAGE;
	}
	ret = choose(&a, &all, &err);
	if (ret) {
		ct_experiments_free(&all);
		ct_complain(&err);
		return CT_EXIT_USAGE;
	}
	ret = ct_host_recover(text, sizeof(text), &err);
	if (!ret && *text)
		fprintf(stderr, "cowtrace: %s\n", text);
	if (!ret)
		ret = ct_experiments_run(&a.run, &all, argv, &err);
	if (ret < 0)
		ct_complain(&err);
	ct_experiments_free(&all);
	return ret ? CT_EXIT_FAIL : CT_EXIT_OK;
}

/* --- list, compare ------------------------------------------------------------------ */

static int cmd_list(int argc, char **argv)
{
	static const struct argp argp = {
		.options = list_options,
		.parser = parse,
		.args_doc = "[FILE.exp]...",
		.doc = "List the experiments, or those of a file; with --json also what each kernel must answer, and why.",
	};
	struct arguments a = { 0 };
	struct ct_experiments all = { 0 };
	struct ct_error err;
	size_t i;
	int ret = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.nr_names)
		ret = builtin(&all, &err);
	for (i = 0; !ret && i < a.nr_names; i++)
		ret = add_file(a.names[i], &all, &err);
	if (ret)
		ct_complain(&err);
	else
		(a.run.json ? ct_experiments_list_json : ct_experiments_list)(&all);
	ct_experiments_free(&all);
	return ret ? CT_EXIT_USAGE : CT_EXIT_OK;
}

static int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = compare_options,
		.parser = parse,
		.args_doc = "RUN.json...",
		.doc = "Print what several kernels answered side by side: outputs of cowtrace experiment run --json.",
	};
	struct arguments a = { 0 };
	struct ct_error err;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.nr_names) {
		fprintf(stderr, "cowtrace: give files that cowtrace experiment run --json has written\n");
		return CT_EXIT_USAGE;
	}
	if (!ct_experiments_compare(stdout, a.names, a.nr_names, a.why, a.run.json, &err))
		return CT_EXIT_OK;
	ct_complain(&err);
	return CT_EXIT_USAGE;
}

static void help(void)
{
	static const char *const texts[][2] = {
#define KIND_(id, n, s)		{ n, s },
		CT_EXP_KINDS(KIND_)
	}, *const verbs[][2] = {
#define VERB_(id, n, a, l, g, s)	{ n, s },
		CT_EXP_VERBS(VERB_)
	}, *const kernels[][2] = {
#define KERNEL_(id, n, s)	{ n, s },
		CT_EXP_KERNELS(KERNEL_)
	};
	size_t i;

	puts("Usage: cowtrace experiment list|run|compare [OPTION...] [ARG...]\n\n"
	     "  list     which experiments there are\n"
	     "  run      run them, and hold each page against what this kernel must answer\n"
	     "  compare  print runs on several kernels side by side\n\n"
	     "cowtrace experiment run --help explains one of them.\n\n"
	     "An experiment of your own is a file that ends in .exp:\n\n"
	     "  experiment my-pattern\n"
	     "  title The child writes what the parent has written\n"
	     "  area  m anon 64\n"
	     "  do    write m\n"
	     "  do    fork c\n"
	     "  step  child c: write m\n"
	     "        5.10,6.1,6.12,7.2  copy:mapped  the parent maps the page too\n\n"
	     "p is the first process. ANSWER is none, absent, or faults of each page joined by +,\n"
	     "alternatives by |, each OUTCOME or OUTCOME:REASON; operations joined by & run at once.\n"
	     "ANSWER to collapse is VERDICT[:PRECISE/LIKELY/MAYBE]: how khugepaged decided, and how\n"
	     "many pages are shared by each way of asking, - for not known, * for any number.\n\n"
	     "Kinds of memory: area NAME KIND COUNT");
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		printf("  %-13s %s\n", texts[i][0], texts[i][1]);
	puts("\nOperations: do|step ... [ACTOR:] OPERATION [AREA] [WORD]");
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		printf("  %-13s %s\n", verbs[i][0], verbs[i][1]);
	puts("\nKernels:");
	for (i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		printf("  %-13s %s\n", kernels[i][0], kernels[i][1]);
	puts("\nneeds cpus N|swap|zram|slow-swap|slow-disk: what the machine must have, where no\n"
	     "operation says it.");
}

int ct_cmd_experiment(int argc, char **argv)
{
	static const struct {
		const char	*name;
		int		(*run)(int argc, char **argv);
	} commands[] = {
		{ "list", cmd_list },
		{ "run", cmd_run },
		{ "compare", cmd_compare },
	};
	static char name[64];
	unsigned long long fd;
	size_t i;

	if (argc < 2) {
		fprintf(stderr, "cowtrace: give list, run or compare: cowtrace experiment --help explains them\n");
		return CT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help();
		return CT_EXIT_OK;
	}
	/* How run calls itself: see ct_experiments_run(). */
	if (!strcmp(argv[1], "stage") && argc == 3 && !ct_parse_number(argv[2], 3, 1 << 20, &fd))
		return ct_experiments_stage(fd);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "cowtrace experiment %s", commands[i].name);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "cowtrace: experiment takes list, run or compare, not \"%s\"\n", argv[1]);
	return CT_EXIT_USAGE;
}
