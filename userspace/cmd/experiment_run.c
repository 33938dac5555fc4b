// SPDX-License-Identifier: GPL-2.0
/* cowtrace experiment run: the traced process, its session, and the judgement. */
#include "experiment_run.h"

#include <errno.h>
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

/* What the traced process gets: the numbers here, then the experiments, then the log. */
struct handover {
	size_t	n;
	bool	tell;
	pid_t	runner;
	cpu_set_t cpus;
	/* What a later start has to put back of the session if all this is killed. */
	char	recovery[8192];
};

static void tell(const struct ct_experiments *all, size_t number)
{
	fprintf(stderr, "\r\033[K[%zu/%zu] %s", number + 1, all->n, all->list[number].name);
	if (number + 1 == all->n)
		fprintf(stderr, "\r\033[K");
}

int ct_experiments_stage(int fd)
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
static const char *groups_of(const struct ct_experiments *all, enum ct_backend backend)
{
	size_t i;

	if (backend == CT_BACKEND_BPF)
		return NULL;
	for (i = 0; i < all->n; i++)
		if (has_scans(&all->list[i]))
			return CT_KHUGE_GROUP;
	return NULL;
}

/* Scans are seen by the module alone. */
static void mark_unseen(const struct ct_experiments *all, struct ct_stage_log *log)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!has_scans(&all->list[i]))
			continue;
		log[i].state = CT_STAGE_UNSEEN;
		snprintf(log[i].text, sizeof(log[i].text),
			 "khugepaged's scans are seen by the module alone: load it, and leave --backend bpf away");
	}
}

static void note_session(const struct ct_experiments *all, char *to, size_t size)
{
	char dir[256], path[512], value[256];
	const char *name, *groups;
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
	groups = groups_of(all, CT_BACKEND_MODULE);
	if (groups && n < size)
		n += snprintf(to + n, size - n, "tracing %s groups/%s/enabled 0\n", dir, groups);
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
		.groups = groups_of(all, backend),
	};

	snprintf(number, sizeof(number), "%d", handover);
	return ct_session_run(&opts, result, err);
}

static int judge(const struct ct_exp_run_opts *opts, struct ct_exp_run *run,
		 const char *trace, struct ct_error *err)
{
	struct ct_reader *reader;
	int ret = ct_reader_open(trace, &reader, err);

	if (ret)
		return ret;
	ret = ct_experiments_judge(run, reader, err);
	ct_reader_close(reader);
	if (!ret && opts->json)
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

int ct_experiments_run(const struct ct_exp_run_opts *opts, const struct ct_experiments *all,
		       char **command_line, struct ct_error *err)
{
	size_t size = sizeof(struct handover) +
		      all->n * (sizeof(struct ct_experiment) + sizeof(struct ct_stage_log));
	int fd = memfd_create("cowtrace-experiments", 0);
	int store = opts->output ? -1 : memfd_create("cowtrace-trace", MFD_CLOEXEC);
	struct ct_session_result result = { 0 };
	struct ct_exp_run run = { .all = all, .trace = opts->output };
	const char *output = opts->output;
	struct ct_stage_log *log;
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
	h->tell = !opts->quiet && isatty(STDERR_FILENO);
	stand_aside(&h->cpus);
	/* Of BPF nothing outlives its process. */
	if (opts->backend != CT_BACKEND_BPF)
		note_session(all, h->recovery, sizeof(h->recovery));
	memcpy(h + 1, all->list, all->n * sizeof(*all->list));
	log = (struct ct_stage_log *)((struct ct_experiment *)(h + 1) + all->n);
	if (opts->backend == CT_BACKEND_BPF)
		mark_unseen(all, log);
	run.log = log;
	if (!output) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", store);
		output = path;
	}
	ret = trace(fd, all, opts->backend, output, command_line, &result, err);
	run.lost = lost(&result);
	if (!ret)
		ret = judge(opts, &run, output, err);
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
	if ((run.total[CT_VERDICT_SKIPPED] || run.total[CT_VERDICT_UNSEEN]) && !opts->all)
		return 1;
	return run.total[CT_VERDICT_DIFFERENT] || run.total[CT_VERDICT_UNKNOWN] ||
	       !result.ran || result.status;
}
