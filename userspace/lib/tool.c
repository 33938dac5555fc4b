// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

static int spawn(const char *root, char *const argv[], int output, pid_t *pid)
{
	static char *const env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	static const char *const places[] = { "usr/sbin", "sbin", "usr/bin", "bin" };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int err = ENOENT;
	char path[512];
	sigset_t none;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	/* The caller may hold signals back; the tool shall not. */
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	for (size_t i = 0; err == ENOENT && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", root, places[i], argv[0]);
		err = posix_spawn(pid, path, &actions, &attr, argv, env);
	}
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

int ct_tool_run(const char *root, char *const argv[], char *said, size_t size)
{
	char rest[512];
	size_t used = 0;
	int fds[2], status, err;
	ssize_t n;
	pid_t pid;

	said[0] = '\0';
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	err = spawn(root, argv, fds[1], &pid);
	close(fds[1]);
	if (err) {
		close(fds[0]);
		return err;
	}
	while (used < size - 1 && (n = read(fds[0], said + used, size - 1 - used)) > 0)
		used += n;
	said[used] = '\0';
	/* Who cannot write ends before it has done its work. */
	while (read(fds[0], rest, sizeof(rest)) > 0)
		;
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
