/* SPDX-License-Identifier: GPL-2.0 */
/* The ledger of forks: what `cowtrace forks` prints. */
#ifndef COWTRACE_CMD_FORKS_H
#define COWTRACE_CMD_FORKS_H

#include <stdint.h>
#include <stdio.h>

#include "ledger.h"
#include "report_parts.h"

/* Of the JSON form: greater major when a reader of the old one would misread it. */
#define CT_LEDGER_VERSION	"1.0"

/* What forks can be sorted by. X(id, name, sentence) */
#define CT_FORK_SORTS(X)						\
	X(COPIES, "copies", "most copies first")			\
	X(BYTES,  "bytes",  "most bytes copied first")			\
	X(TIME,	  "time",   "most time in faults first")		\
	X(START,  "start",  "in the order of time")

#define CT_FORK_SORT_ENUM_(id, n, s)	CT_FORK_SORT_##id,
enum ct_fork_sort { CT_FORK_SORTS(CT_FORK_SORT_ENUM_) CT_NR_FORK_SORTS };

/**
 * struct ct_forks_opts - which forks are printed, and how
 * @report: form, rows and colour.
 * @sort: the order of the forks.
 * @child: only the fork of this child; 0 for all.
 * @parent: only forks of this parent; likewise.
 * @comm: only forks of parents of this name; NULL for all.
 */
struct ct_forks_opts {
	struct ct_report_opts report;
	enum ct_fork_sort sort;
	uint32_t	child;
	uint32_t	parent;
	const char	*comm;
};

/**
 * struct ct_forks_view - the forks that are printed
 * @r: the trace.
 * @f: the ledger.
 * @opts: the options.
 * @chosen: numbers of the forks that were asked for, in their order.
 * @nr: number of them.
 * @sum: what these caused.
 * @rest: what the other forks caused.
 * @unsettled: faults that these may have caused too.
 * @shared: memory that those of which it is known shared, in bytes.
 * @of_shared: what of it was copied.
 * @nr_shared: number of them.
 */
struct ct_forks_view {
	const struct ct_report *r;
	const struct ct_forks *f;
	const struct ct_forks_opts *opts;
	uint32_t	*chosen;
	size_t		nr;
	struct ct_count	sum;
	struct ct_count	rest;
	struct ct_count	unsettled;
	uint64_t	shared;
	uint64_t	of_shared;
	size_t		nr_shared;
};

/**
 * ct_forks_print() - read a whole trace and print the ledger of its forks
 * @out: where it goes. Errors go to standard error, one line each.
 * @trace_path: trace file, "-" for standard input.
 * @opts: how.
 * Return: enum ct_report_status.
 */
int ct_forks_print(FILE *out, const char *trace_path, const struct ct_forks_opts *opts);

/**
 * ct_forks_choose() - which forks are printed, in their order, and what they add up to
 * @view: @r, @f and @opts are given, the rest is filled in; @chosen is to be freed.
 * @err: filled in on failure.
 * Return: 0, -ENOENT for options that no fork fits, -ENOMEM.
 */
int ct_forks_choose(struct ct_forks_view *view, struct ct_error *err);

int ct_forks_text(FILE *out, const struct ct_forks_view *view);
int ct_forks_json(FILE *out, const struct ct_forks_view *view);

struct page;

/* What the forks that are printed caused in all, in sentences. */
void ct_forks_said(struct page *p, const struct ct_forks_view *view);

/* Process number and name of a fork's parent and child; "?" for no name. */
uint32_t ct_fork_pid(const struct ct_forks *forks, uint32_t process);
const char *ct_fork_parent_name(const struct ct_forks *forks, const struct ct_fork *fork);
/* What the child called by exec, NULL if it did not. */
const char *ct_fork_exec_name(const struct ct_forks *forks, const struct ct_fork *fork);

/*
 * How much memory the child shared with its parent, in bytes: what it had when it
 * was first looked at, UINT64_MAX when that was not in time.
 */
uint64_t ct_fork_shared(const struct ct_forks *forks, const struct ct_fork *fork);

/* Had the recorder events of processes, without which no fork can be told? */
bool ct_forks_seen(const struct ct_report *report);

/* "alive", "exit" or "exec". */
const char *ct_fork_end_name(enum ct_fork_end how);

/* Reasons and places of a fork: @nr of them from the returned one on. */
const struct ct_fork_reason *ct_fork_reasons(const struct ct_forks *forks, uint32_t fork,
					     size_t *nr);
const struct ct_fork_site *ct_fork_sites(const struct ct_forks *forks, uint32_t fork, size_t *nr);

#endif /* COWTRACE_CMD_FORKS_H */
