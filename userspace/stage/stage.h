/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Acting out experiments. It runs as a traced command, and tells what it did by
 * a log in shared memory, so that a stage that dies leaves what it had done.
 */
#ifndef COWTRACE_STAGE_H
#define COWTRACE_STAGE_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "experiment.h"

#define CT_STAGE_TEXT	CT_ERROR_TEXT

/**
 * enum ct_stage_state - how far an experiment or a step came
 * @CT_STAGE_WAITING: not begun.
 * @CT_STAGE_RUNNING: begun.
 * @CT_STAGE_DONE: done.
 * @CT_STAGE_REFUSED: the host lacks what it needs; the text names the command
 *	that provides it.
 * @CT_STAGE_FAILED: an operation failed; the text says which and why.
 * @CT_STAGE_UNSEEN: not to be acted out: who traces does not see what decides; the text
 *	says what.
 */
enum ct_stage_state {
	CT_STAGE_WAITING,
	CT_STAGE_RUNNING,
	CT_STAGE_DONE,
	CT_STAGE_REFUSED,
	CT_STAGE_FAILED,
	CT_STAGE_UNSEEN,
};

/**
 * struct ct_stage_part - what one actor did in a step
 * @tgid: process whose faults are meant, in this pid namespace.
 * @base: first address of the area.
 * @bytes: of it.
 * @grain: bytes from one touched address to the next.
 * @count: how many were touched.
 * @shared: of "collapse": pages of the area that /proc/kpagecount counts more than one
 *	mapping of, before it was scanned.
 * @none: likewise, where nothing was mapped.
 */
struct ct_stage_part {
	uint32_t	tgid;
	uint32_t	count;
	uint64_t	base;
	uint64_t	bytes;
	uint64_t	grain;
	uint32_t	shared;
	uint32_t	none;
};

/**
 * struct ct_stage_step - one step
 * @state: enum ct_stage_state.
 * @began: CLOCK_MONOTONIC in ns.
 * @ended: likewise.
 * @part: one for each of its operations.
 */
struct ct_stage_step {
	uint32_t		state;
	uint64_t		began, ended;
	struct ct_stage_part	part[CT_EXP_PARTIES];
};

/**
 * struct ct_stage_log - one experiment
 * @state: enum ct_stage_state.
 * @code: 0 or a negative errno: -ENODEV for what the host lacks, -ENOSYS and
 *	-EOPNOTSUPP for what the kernel lacks.
 * @text: why it was refused or failed.
 * @step: its steps.
 */
struct ct_stage_log {
	uint32_t		state;
	int32_t			code;
	char			text[CT_STAGE_TEXT];
	struct ct_stage_step	step[CT_EXP_STEPS];
};

/**
 * ct_stage_run() - act out experiments, one after the other
 * @all: the experiments.
 * @log: one for each, in shared memory, zeroed.
 * @cpus: on which the actors may run.
 * @recovery: for ct_host_begin().
 * @tell: called before each, with its number; may be NULL.
 * @err: what is wrong with the stage itself.
 *
 * Settings of the machine that were changed are put back. Call it in a process
 * of its own: children that are left over are ended.
 *
 * Return: 0, also when experiments were refused or failed, or a negative errno.
 */
int ct_stage_run(const struct ct_experiments *all, struct ct_stage_log *log,
		 const cpu_set_t *cpus, const char *recovery,
		 void (*tell)(const struct ct_experiments *all, size_t number),
		 struct ct_error *err);

#endif /* COWTRACE_STAGE_H */
