/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace is anybody's file: it is read by a process of its own, which gives up what its
 * caller may do once the trace is open, and before a byte of it is looked at: but for the
 * first eight of a trace that another file names (verify_files.c).
 */
#ifndef COWTRACE_CONFINE_H
#define COWTRACE_CONFINE_H

#include <stdio.h>

#include "report_parts.h"

/* In the environment: root's process stays root's. */
#define CT_KEEP_RIGHTS	"COWTRACE_KEEP_RIGHTS"

/**
 * ct_confined() - run what reads a trace in a process of its own
 * @run: opens its files for writing before the trace; its error is told.
 * @arg: for @run.
 *
 * When @run opens a trace, its process becomes that of the user that sudo was called by,
 * else nobody's, if it was root's. Of all system calls only those are left to it that
 * read, write to what is open, open files for reading, and ask for memory without code.
 * A signal that ends it is told on standard error, but for SIGPIPE, which ends the
 * caller too.
 *
 * Return: the exit status, CT_EXIT_OK or CT_EXIT_FAIL.
 */
int ct_confined(int (*run)(void *arg, struct ct_error *err), void *arg);

/**
 * ct_confined_at_once() - ct_confined(), for what has all open that it reads
 * @run: returns the exit status; its process has no rights from the first line on.
 * @arg: for @run.
 * @failed: the exit status when there is none of @run.
 * Return: the exit status.
 */
int ct_confined_at_once(int (*run)(void *arg), void *arg, int failed);

/* ct_report_on() in a process of its own. */
int ct_confined_report(FILE *out, const char *trace_path, ct_report_fn *print, const void *arg);

#endif /* COWTRACE_CONFINE_H */
