/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting switched on for as long as somebody looks: a process of its own holds the
 * module, and puts all back when whoever looks has ended, however that ended.
 */
#ifndef COWTRACE_KEEPER_H
#define COWTRACE_KEEPER_H

#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/**
 * struct ct_keeper - the process that holds the module
 * @pid: its number, 0 for none.
 * @fd: while it is open all stays switched on; polls as hung up when the keeper has ended.
 */
struct ct_keeper {
	pid_t	pid;
	int	fd;
};

/**
 * ct_keeper_start() - load the module where it is not, and count from zero
 * @keeper: filled in.
 * @settings: NAME=VALUE, see ct_settings_assign().
 * @nr: number of them.
 * @err: what is wrong.
 *
 * Processes, durations and the settings are as given, everything else lets all
 * faults pass. Context: before any thread was made.
 *
 * Return: 0, -EBUSY when somebody else traces, or another negative errno.
 */
int ct_keeper_start(struct ct_keeper *keeper, char *const *settings, size_t nr,
		    struct ct_error *err);

/**
 * ct_keeper_stop() - switch off, put all settings back, unload what was loaded
 * @keeper: of ct_keeper_start(); one that is all zero is none.
 *
 * What could not be put back is said on standard error. Whoever has files of the
 * module open keeps it loaded: close them first.
 */
void ct_keeper_stop(struct ct_keeper *keeper);

#endif /* COWTRACE_KEEPER_H */
