/* SPDX-License-Identifier: GPL-2.0 */
/* What is traced: a command that waits for the tracing, or a tree of processes. */
#ifndef COWTRACE_CAPTURE_TARGET_H
#define COWTRACE_CAPTURE_TARGET_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/**
 * struct ct_child - a command that is forked but not executed yet
 * @pid: its process.
 * @gate: closed without a byte, the child ends; with one, it executes.
 * @answer: gives the errno of execvp(), or ends when it succeeded.
 */
struct ct_child {
	pid_t	pid;
	int	gate;
	int	answer;
};

/**
 * struct ct_dispositions - what a child has to get back before it executes
 * @mask: signal mask.
 * @pipe: what was done about SIGPIPE.
 * @child: what was done about SIGCHLD.
 */
struct ct_dispositions {
	sigset_t		mask;
	struct sigaction	pipe;
	struct sigaction	child;
};

/**
 * ct_child_fork() - fork the process of a command
 * @child: filled in.
 * @argv: the command; argv[0] is looked for in PATH.
 * @before: signal dispositions of the command.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_child_fork(struct ct_child *child, char **argv, const struct ct_dispositions *before,
		  struct ct_error *err);

/**
 * ct_child_release() - let it execute
 * @child: the child.
 * Return: 0, or the errno of execvp() as a negative number.
 */
int ct_child_release(struct ct_child *child);

/* End a child that was not released, and wait for it. */
void ct_child_abandon(struct ct_child *child);

/**
 * ct_process_tree() - a process and all its descendants
 * @root: the process.
 * @pids: receives an array that the caller frees.
 * @n: receives its length, at least 1.
 * Return: 0, -ESRCH when there is no such process, or another negative errno.
 */
int ct_process_tree(pid_t root, pid_t **pids, size_t *n);

#endif /* COWTRACE_CAPTURE_TARGET_H */
