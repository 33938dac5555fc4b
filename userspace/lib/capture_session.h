/* SPDX-License-Identifier: GPL-2.0 */
/* One recording from the first setting to the last byte of the trace. */
#ifndef COWTRACE_CAPTURE_SESSION_H
#define COWTRACE_CAPTURE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture.h"
#include "capture_source.h"
#include "error.h"

/**
 * enum ct_target - what is traced
 * @CT_TARGET_SYSTEM: all processes.
 * @CT_TARGET_COMMAND: a command and all that it forks.
 * @CT_TARGET_PROCESS: a process that runs already, its descendants, and all
 *	that they fork.
 */
enum ct_target {
	CT_TARGET_SYSTEM,
	CT_TARGET_COMMAND,
	CT_TARGET_PROCESS,
};

/**
 * struct ct_session_opts - what to record and how
 * @open: opens the source of records.
 * @backend: for @open.
 * @target: enum ct_target.
 * @argv: the command.
 * @pid: the process.
 * @command_line: of cowtrace itself, for META.
 * @output: trace file, "-" for standard output.
 * @duration_ns: end after that time, 0: not by time.
 * @settings: NAME=VALUE, see ct_settings_assign().
 * @nr_settings: number of @settings.
 * @progress: show a live line on standard error, if that is a terminal.
 * @counts: let the kernel count instead of record: the trace has no records, no
 *	processes, and the file counts.
 * @groups: events beside the core to record too, names separated by commas, NULL for none;
 *	not with @counts.
 * @stacks: bytes of the user stack to copy with each fault, 0 for none; not with @counts.
 * @stacks_every: copy that of one fault in so many.
 * @or_records: with @counts, record where the source cannot count.
 * @policies: with @counts, count what policies answer too.
 * @wait_children: a command ends when all that it left behind have ended too.
 */
struct ct_session_opts {
	ct_source_open	open;
	enum ct_backend	backend;
	enum ct_target	target;
	char		**argv;
	pid_t		pid;
	char		**command_line;
	const char	*output;
	uint64_t	duration_ns;
	const char	**settings;
	size_t		nr_settings;
	const char	*groups;
	uint32_t	stacks;
	uint32_t	stacks_every;
	bool		progress;
	bool		wait_children;
	bool		counts;
	bool		or_records;
	bool		policies;
};

#define CT_NR_LOST	16

/**
 * struct ct_lost - one line of the source's "lost"
 * @name: the cause.
 * @count: how many.
 */
struct ct_lost {
	char		name[32];
	uint64_t	count;
};

/**
 * struct ct_session_result - what came of it
 * @capture: what was moved.
 * @elapsed_ns: time for which tracing was on.
 * @sideband_lost: side-band records that the kernel could not hand over.
 * @stacks_lost: stacks likewise.
 * @lost: the source's "lost" at the end.
 * @nr_lost: number of @lost.
 * @exec_error: why the command could not be executed, a negative errno, or 0.
 * @ran: the command was executed and has ended: @status is its wait status.
 * @status: as of waitpid().
 * @left: the command was left running.
 */
struct ct_session_result {
	struct ct_capture_stats capture;
	uint64_t	elapsed_ns;
	uint64_t	sideband_lost;
	uint64_t	stacks_lost;
	struct ct_lost	lost[CT_NR_LOST];
	size_t		nr_lost;
	int		exec_error;
	bool		ran;
	int		status;
	bool		left;
};

/**
 * ct_session_run() - record
 * @opts: what and how.
 * @result: filled in as far as it came.
 * @err: what is wrong.
 *
 * SIGINT and SIGTERM end it, with all data written, and so does the end of the
 * command or of the process. Signals that were sent to this process go on to the
 * command (from a terminal it gets them anyway); a second one ends the recording
 * and leaves the command alone. All settings are put back.
 *
 * Return: 0 when a trace was written, also when @result says that something is
 * missing in it, or a negative errno.
 */
int ct_session_run(const struct ct_session_opts *opts, struct ct_session_result *result,
		   struct ct_error *err);

/* The count of one cause, 0 when the source does not know it. */
uint64_t ct_session_lost(const struct ct_session_result *result, const char *name);

#endif /* COWTRACE_CAPTURE_SESSION_H */
