// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture_target.h"

/* Rounds of looking for children that were forked while their parents were looked for. */
#define TREE_ROUNDS	8

/* The child's side. Only what is safe after fork() without exec. */
static _Noreturn void execute(int gate, int answer, char **argv,
			      const struct ct_dispositions *before)
{
	ssize_t n;
	char go;
	int err;

	do {
		n = read(gate, &go, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(0);
	sigaction(SIGPIPE, &before->pipe, NULL);
	sigaction(SIGCHLD, &before->child, NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	n = write(answer, &err, sizeof(err));
	_exit(n == sizeof(err) ? 0 : 1);
}

int ct_child_fork(struct ct_child *child, char **argv, const struct ct_dispositions *before,
		  struct ct_error *err)
{
	int gate[2], answer[2];

	if (pipe2(gate, O_CLOEXEC))
		return ct_error_set(err, -errno, "cannot start %s: %s", argv[0], strerror(errno));
	if (pipe2(answer, O_CLOEXEC)) {
		close(gate[0]);
		close(gate[1]);
		return ct_error_set(err, -errno, "cannot start %s: %s", argv[0], strerror(errno));
	}
	child->pid = fork();
	if (!child->pid) {
		close(gate[1]);
		close(answer[0]);
		execute(gate[0], answer[1], argv, before);
	}
	close(gate[0]);
	close(answer[1]);
	child->gate = gate[1];
	child->answer = answer[0];
	if (child->pid < 0) {
		int code = errno;

		close(child->gate);
		close(child->answer);
		return ct_error_set(err, -code, "cannot start %s: %s", argv[0], strerror(code));
	}
	return 0;
}

int ct_child_release(struct ct_child *child)
{
	int code = 0;
	ssize_t n;

	n = write(child->gate, "", 1);
	close(child->gate);
	child->gate = -1;
	if (n == 1) {
		do {
			n = read(child->answer, &code, sizeof(code));
		} while (n < 0 && errno == EINTR);
	}
	close(child->answer);
	child->answer = -1;
	return n == sizeof(code) ? -code : 0;
}

void ct_child_abandon(struct ct_child *child)
{
	close(child->gate);
	close(child->answer);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

struct relation {
	pid_t	pid;
	pid_t	parent;
	bool	inside;
};

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512], *end;
	int parent = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* The name stands in brackets and may hold brackets itself: the last one counts. */
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static int read_relations(struct relation **out, size_t *n)
{
	struct relation *all = NULL, *grown;
	DIR *dir = opendir("/proc");
	struct dirent *d;
	size_t room = 0;

	*n = 0;
	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		if (*n == room) {
			room = room ? room * 2 : 256;
			grown = realloc(all, room * sizeof(*all));
			if (!grown) {
				free(all);
				closedir(dir);
				return -ENOMEM;
			}
			all = grown;
		}
		all[*n] = (struct relation){ .pid = atoi(d->d_name) };
		all[*n].parent = parent_of(all[*n].pid);
		++*n;
	}
	closedir(dir);
	*out = all;
	return 0;
}

static bool is_inside(const struct relation *all, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].pid == pid)
			return all[i].inside;
	return false;
}

/* A process and all its descendants, -ESRCH where it has ended. */
static int process_tree(pid_t root, pid_t **pids, size_t *n)
{
	struct relation *all = NULL;
	size_t nr, found = 0;
	bool grew;
	int ret;

	ret = read_relations(&all, &nr);
	if (ret)
		return ret;
	for (size_t i = 0; i < nr; i++)
		if (all[i].pid == root) {
			all[i].inside = true;
			found = 1;
		}
	/* Children mostly have higher numbers than their parents: few rounds. */
	for (grew = found; grew;) {
		grew = false;
		for (size_t i = 0; i < nr; i++)
			if (!all[i].inside && is_inside(all, nr, all[i].parent)) {
				all[i].inside = grew = true;
				found++;
			}
	}
	*pids = found ? calloc(found, sizeof(**pids)) : NULL;
	*n = 0;
	for (size_t i = 0; *pids && i < nr; i++)
		if (all[i].inside)
			(*pids)[(*n)++] = all[i].pid;
	free(all);
	if (!found)
		return -ESRCH;
	return *pids ? 0 : -ENOMEM;
}

static bool holds(const pid_t *pids, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Adds those of @pids that are new. Returns how many could not be added. */
static size_t add_new(struct ct_settings *settings, const pid_t *pids, size_t n,
		      const pid_t *old, size_t nr_old)
{
	struct ct_error err;
	size_t failed = 0;

	for (size_t i = 0; i < n; i++)
		/* One that has ended meanwhile is no loss. */
		if (!holds(old, nr_old, pids[i]) &&
		    ct_settings_add_process(settings, pids[i], &err) && err.code != -ESRCH)
			failed++;
	return failed;
}

/* Rounds until no process is new. */
int ct_target_add(struct ct_settings *settings, pid_t pid, pid_t **pids, size_t *n,
		  struct ct_error *err)
{
	pid_t *old = NULL;
	size_t nr_old, failed = 0;
	int ret;

	ret = ct_settings_add_process(settings, pid, err);
	if (ret)
		return ret;
	*pids = malloc(sizeof(**pids));
	if (!*pids)
		return ct_error_set(err, -ENOMEM, "no memory for the list of processes");
	(*pids)[0] = pid;
	*n = 1;
	for (int round = 0; round < TREE_ROUNDS; round++) {
		free(old);
		old = *pids;
		nr_old = *n;
		*pids = NULL;
		ret = process_tree(pid, pids, n);
		if (ret) {
			free(old);
			return ct_error_set(err, ret, "cannot list the children of process %d: %s",
					    pid, strerror(-ret));
		}
		failed += add_new(settings, *pids, *n, old, nr_old);
		if (*n <= nr_old)
			break;
	}
	free(old);
	if (failed)
		fprintf(stderr,
			"cowtrace: %zu processes below %d are not traced, there is no room for more: use -a\n",
			failed, pid);
	return 0;
}

int ct_target_watch(pid_t pid, int *process, struct ct_error *err)
{
	*process = syscall(SYS_pidfd_open, pid, 0);
	if (*process >= 0)
		return 0;
	if (errno == ESRCH)
		return ct_error_set(err, -ESRCH,
				    "there is no process %d: ps -e lists those that run", pid);
	if (errno == EINVAL)
		return ct_error_set(err, -EINVAL,
				    "%d is a thread, not a process: give the process that it belongs to",
				    pid);
	return ct_error_set(err, -errno, "cannot watch process %d: %s", pid, strerror(errno));
}
