// SPDX-License-Identifier: GPL-2.0
/* cowtrace experiment: what each kernel must do with a page, and what this one does. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "capture_settings.h"
#include "command.h"
#include "experiment_parts.h"
#include "host.h"
#include "module.h"
#include "options.h"

struct arguments {
	bool			all, json, why, quiet;
	enum ct_backend		backend;
	const char		*output;
	char			**names;
	size_t			nr_names;
	char			*settings[CT_SETTINGS_MAX];
	size_t			nr_settings;
};

/* What the traced process gets: the numbers here, then the experiments, then the log. */
struct handover {
	size_t	n;
	bool	tell;
	pid_t	runner;
	cpu_set_t cpus;
	/* What a later start has to put back of the session if all this is killed. */
	char	recovery[8192];
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
	  "module, bpf or auto, as of cowtrace run; bpf leaves out what khugepaged's scans decide",
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
		a->all = true;
		return 0;
	case 'o':
		a->output = arg;
		return 0;
	case 'q':
		a->quiet = true;
		return 0;
	case KEY_BACKEND:
		if (ct_backend_parse(arg, &a->backend))
			ct_usage(state, "--backend is auto, module or bpf, not \"%s\"", arg);
		return 0;
	case KEY_JSON:
		a->json = true;
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

	for (i = 0; !ret && a->all && i < own.n; i++)
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

static void tell(const struct ct_experiments *all, size_t number)
{
	fprintf(stderr, "\r\033[K[%zu/%zu] %s", number + 1, all->n, all->list[number].name);
	if (number + 1 == all->n)
		fprintf(stderr, "\r\033[K");
}

/* In the traced process. */
static int stage(int fd)
{
	struct ct_experiments all;
	struct handover *h;
	struct ct_error err;
	struct stat st;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(*h))
		return CT_EXIT_USAGE;
	h = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		return CT_EXIT_FAIL;
	close(fd);
	all.n = h->n;
	all.list = (struct ct_experiment *)(h + 1);
	if ((st.st_size - sizeof(*h)) / (sizeof(*all.list) + sizeof(struct ct_stage_log)) != all.n)
		return CT_EXIT_USAGE;
	/* Whatever ends the runner: what was changed is put back. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != h->runner)
		return CT_EXIT_FAIL;
	if (!ct_stage_run(&all, (struct ct_stage_log *)(all.list + all.n),
			  &h->cpus, h->recovery, h->tell ? tell : NULL, &err))
		return CT_EXIT_OK;
	ct_complain(&err);
	return CT_EXIT_FAIL;
}

static bool has_scans(const struct ct_experiment *e)
{
	unsigned int s;

	for (s = 0; s < e->nr_steps; s++)
		if (ct_exp_is_scan(e, &e->step[s]))
			return true;
	return false;
}

/* What the steps are judged by besides faults, NULL for nothing. */
static const char *groups_of(const struct ct_experiments *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (has_scans(&all->list[i]))
			return CT_KHUGE_GROUP;
	return NULL;
}

/* Scans are seen by the module alone. */
static void leave_out_scans(struct ct_experiments *all)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		if (!has_scans(&all->list[i]))
			all->list[n++] = all->list[i];
		else
			fprintf(stderr,
				"cowtrace: %s is left out: khugepaged's scans are seen by the module alone\n",
				all->list[i].name);
	all->n = n;
}

static void note_session(const struct ct_experiments *all, char *to, size_t size)
{
	char dir[256], path[512], value[256];
	const char *name;
	size_t i, n = 0;

	*to = '\0';
	if (ct_debugfs_dir(dir, sizeof(dir) - sizeof("/cowtrace")))
		return;
	strcat(dir, "/cowtrace");
	/* The session loads it for as long. */
	if (access("/sys/module/cowtrace", F_OK))
		n += snprintf(to, size, "rmmod cowtrace\n");
	for (i = 0; (name = ct_settings_name(i)) && n < size; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (!ct_host_read(path, value, sizeof(value)))
			n += snprintf(to + n, size - n, "tracing %s %s %s\n", dir, name, value);
	}
	if (groups_of(all) && n < size)
		n += snprintf(to + n, size - n, "tracing %s groups/%s/enabled 0\n", dir,
			      groups_of(all));
	/* The last is undone first. */
	if (n < size)
		snprintf(to + n, size - n, "tracing %s enabled 0\n", dir);
}

static int trace(int handover, const struct ct_experiments *all, enum ct_backend backend,
		 const char *output, char **command_line, struct ct_session_result *result,
		 struct ct_error *err)
{
	char number[16];
	char *argv[] = { "/proc/self/exe", "experiment", "stage", number, NULL };
	struct ct_session_opts opts = {
		.open = ct_backend_open,
		.backend = backend,
		.target = CT_TARGET_COMMAND,
		.argv = argv,
		.command_line = command_line,
		.output = output,
		.groups = groups_of(all),
	};

	snprintf(number, sizeof(number), "%d", handover);
	return ct_session_run(&opts, result, err);
}

static int judge(const struct arguments *a, struct ct_exp_run *run, const char *trace,
		 struct ct_error *err)
{
	struct ct_reader *reader;
	int ret = ct_reader_open(trace, &reader, err);

	if (ret)
		return ret;
	ret = ct_experiments_judge(run, reader, err);
	ct_reader_close(reader);
	if (!ret && a->json)
		ret = ct_experiments_json(stdout, run) ? ct_error_set(err, -EIO, "cannot print the result") : 0;
	else if (!ret)
		ct_experiments_text(stdout, run);
	if (!ret && fflush(stdout))
		ret = ct_error_set(err, -errno, "cannot print: %s", strerror(errno));
	return ret;
}

static uint64_t lost(const struct ct_session_result *result)
{
	uint64_t n = result->capture.unwritten;
	size_t i;

	for (i = 0; i < result->nr_lost; i++)
		n += result->lost[i].count;
	return n;
}

/*
 * Who watches stays on one CPU, and leaves the batches of the others alone: what
 * is stored of a trace fills them. The actors have them all.
 */
static void stand_aside(cpu_set_t *all)
{
	cpu_set_t first;
	int cpu = 0;

	CPU_ZERO(all);
	if (sched_getaffinity(0, sizeof(*all), all))
		return;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, all))
		cpu++;
	CPU_ZERO(&first);
	CPU_SET(cpu, &first);
	sched_setaffinity(0, sizeof(first), &first);
}

static int run_all(const struct arguments *a, const struct ct_experiments *all,
		   char **command_line, struct ct_error *err)
{
	size_t size = sizeof(struct handover) +
		      all->n * (sizeof(struct ct_experiment) + sizeof(struct ct_stage_log));
	int fd = memfd_create("cowtrace-experiments", 0);
	int store = a->output ? -1 : memfd_create("cowtrace-trace", MFD_CLOEXEC);
	struct ct_session_result result = { 0 };
	struct ct_exp_run run = { .all = all, .trace = a->output };
	const char *output = a->output;
	struct handover *h;
	char path[64], left[128];
	int ret;

	if (fd < 0 || (!output && store < 0) || ftruncate(fd, size))
		return ct_error_set(err, -errno, "no memory: %s", strerror(errno));
	h = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		return ct_error_set(err, -errno, "no memory: %s", strerror(errno));
	h->n = all->n;
	h->runner = getpid();
	h->tell = !a->quiet && isatty(STDERR_FILENO);
	stand_aside(&h->cpus);
	/* Of BPF nothing outlives its process. */
	if (a->backend != CT_BACKEND_BPF)
		note_session(all, h->recovery, sizeof(h->recovery));
	memcpy(h + 1, all->list, all->n * sizeof(*all->list));
	run.log = (struct ct_stage_log *)((struct ct_experiment *)(h + 1) + all->n);
	if (!output) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", store);
		output = path;
	}
	ret = trace(fd, all, a->backend, output, command_line, &result, err);
	run.lost = lost(&result);
	if (!ret)
		ret = judge(a, &run, output, err);
	/* The session has put back its own; of a stage that died something is left. */
	if (!ret)
		ret = ct_host_recover(left, sizeof(left), err);
	munmap(h, size);
	close(fd);
	if (store >= 0)
		close(store);
	free(run.result);
	if (ret)
		return ret;
	if (!result.ran || result.status)
		fprintf(stderr, "cowtrace: the process that acts the experiments ended early (wait status %#x): what it did not reach is skipped\n",
			result.status);
	/* Asked for by name and refused: it was not shown. */
	if (run.total[CT_VERDICT_SKIPPED] && !a->all)
		return 1;
	return run.total[CT_VERDICT_DIFFERENT] || run.total[CT_VERDICT_UNKNOWN] ||
	       !result.ran || result.status;
}

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
	if (!a.all && !a.nr_names) {
		fprintf(stderr, "cowtrace: name experiments or files, or give --all: cowtrace experiment list shows them\n");
		return CT_EXIT_USAGE;
	}
	ret = choose(&a, &all, &err);
	if (ret) {
		ct_experiments_free(&all);
		ct_complain(&err);
		return CT_EXIT_USAGE;
	}
	if (a.backend == CT_BACKEND_BPF)
		leave_out_scans(&all);
	if (!all.n) {
		ct_experiments_free(&all);
		return CT_EXIT_USAGE;
	}
	ret = ct_host_recover(text, sizeof(text), &err);
	if (!ret && *text)
		fprintf(stderr, "cowtrace: %s\n", text);
	if (!ret)
		ret = run_all(&a, &all, argv, &err);
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
		(a.json ? ct_experiments_list_json : ct_experiments_list)(&all);
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
	if (!ct_experiments_compare(stdout, a.names, a.nr_names, a.why, a.json, &err))
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
	/* How run calls itself: see trace(). */
	if (!strcmp(argv[1], "stage") && argc == 3 && !ct_parse_number(argv[2], 3, 1 << 20, &fd))
		return stage(fd);
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
