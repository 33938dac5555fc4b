/* SPDX-License-Identifier: GPL-2.0 */
/* What is traced: a command that waits for the tracing, or a tree of processes. */
#ifndef COWTRACE_CAPTURE_TARGET_H
#define COWTRACE_CAPTURE_TARGET_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "capture_settings.h"
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
 * ct_target_add() - trace a process and all its descendants
 * @settings: of the source.
 * @pid: the process. A child that is forked after its parent was added is in the tree
 *	by itself; those that were forked before are found.
 * @pids: receives an array that the caller frees; nothing on failure.
 * @n: receives its length.
 * @err: what is wrong. For how many there is no room is told on standard error.
 * Return: 0 or a negative errno.
 */
int ct_target_add(struct ct_settings *settings, pid_t pid, pid_t **pids, size_t *n,
		  struct ct_error *err);

/**
 * ct_target_watch() - see when a process ends
 * @pid: the process.
 * @process: receives a descriptor that can be read then.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_target_watch(pid_t pid, int *process, struct ct_error *err);

#endif /* COWTRACE_CAPTURE_TARGET_H */
