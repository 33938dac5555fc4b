/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that comes into being whole or not at all: it is written beside its place
 * and renamed when it is finished, so that who reads it meanwhile has the old one.
 */
#ifndef COWTRACE_REPLACE_H
#define COWTRACE_REPLACE_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"

struct ct_replace;

/**
 * ct_replace_open() - begin a file
 * @path: its place. What is there and is no regular file (a device, a pipe) is
 *	written to as it is.
 * @replace: receives what ct_replace_end() wants.
 * @file: receives the stream to write to.
 * @err: one line for the user on failure.
 *
 * SIGINT, SIGTERM and SIGHUP take the unfinished file away from here on, one at a time.
 *
 * Return: 0 or a negative errno.
 */
int ct_replace_open(const char *path, struct ct_replace **replace, FILE **file,
		    struct ct_error *err);

/**
 * ct_replace_end() - the file is finished, or it is given up
 * @replace: from ct_replace_open(); freed, and its stream closed.
 * @keep: put it into its place; else what stood there stays.
 * @err: one line for the user on failure, which gives it up.
 * Return: 0 or a negative errno.
 */
int ct_replace_end(struct ct_replace *replace, bool keep, struct ct_error *err);

#endif /* COWTRACE_REPLACE_H */
