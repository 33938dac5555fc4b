/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of `cowtrace crosscheck` have in common. */
#ifndef COWTRACE_CROSSCHECK_PARTS_H
#define COWTRACE_CROSSCHECK_PARTS_H

#include <stdbool.h>
#include <stdio.h>

#include "capture_settings.h"
#include "capture_source.h"
#include "capture_target.h"
#include "crosscheck.h"
#include "schema.h"

/**
 * struct crosscheck_side - one of the two backends
 * @source: of its records.
 * @settings: of the source.
 * @schema: of the records.
 * @fds: a stream of records for each CPU; -1 for one that has ended.
 * @nr_fds: number of them.
 * @records: that came.
 * @lost: the source's text at the end; NULL before, and where it could not be read.
 */
struct crosscheck_side {
	struct ct_source	*source;
	struct ct_settings	*settings;
	struct ct_schema	*schema;
	int			*fds;
	size_t			nr_fds;
	uint64_t		records;
	char			*lost;
};

/**
 * struct crosscheck - all of it
 * @argv: the command; or:
 * @pid: a process; or neither: the whole system.
 * @process: of @pid, -1 while that is not watched.
 * @duration_ns: end after that time, 0: not by time.
 * @buffer_kb: setting of both sides.
 * @witness: likewise.
 * @progress: a live line is wanted.
 * @side: the module, and BPF.
 * @child: the command.
 * @status: as of waitpid(), when @ran.
 * @ran: the command was executed, and has ended.
 * @exec_error: why it was not, a negative errno, or 0.
 * @elapsed_ns: for which both watched.
 * @cross: what came of it.
 */
struct crosscheck {
	char			**argv;
	pid_t			pid;
	int			process;
	unsigned long long	duration_ns;
	const char		*buffer_kb;
	const char		*witness;
	bool			progress;
	struct crosscheck_side	side[2];
	struct ct_child		child;
	int			status;
	bool			ran;
	int			exec_error;
	uint64_t		elapsed_ns;
	struct ct_cross		cross;
};

/* Names of the sides. */
extern const char *const crosscheck_names[2];

/**
 * crosscheck_trace() - have both watch the same faults, and compare
 * @c: what and how; receives what came of it.
 * @err: what is wrong.
 *
 * Ends with the command, the process or the time, or by SIGINT or SIGTERM, which a command
 * gets too: at the second it is left alone.
 * Return: 0 or a negative errno.
 */
int crosscheck_trace(struct crosscheck *c, struct ct_error *err);

/* Let go of both sides. What they print (schemas, losses) ends with them. */
void crosscheck_close(struct crosscheck *c);

/* Print what came of it. Return: 0 or -EIO. */
int crosscheck_text(FILE *out, const struct crosscheck *c);
int crosscheck_json(FILE *out, const struct crosscheck *c);

#endif /* COWTRACE_CROSSCHECK_PARTS_H */
