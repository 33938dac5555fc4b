/* SPDX-License-Identifier: GPL-2.0 */
/* Tools that probe the functions that cowtrace probes, of the suites beside-*. */
#ifndef COWTEST_BESIDE_H
#define COWTEST_BESIDE_H

#include <sys/types.h>

/* What the tasks are called whose faults are known. */
#define BURST		"burst"
#define HANG_NS		60000000000ull

/**
 * struct seen - what a tool saw of a burst
 * @calls: entries of do_wp_page().
 * @returns: returns of it.
 * @copies: entries of ptep_clear_flush(), which each copy calls once.
 * @copied: returns of it.
 */
struct seen {
	unsigned int calls, returns, copies, copied;
};

/**
 * struct tool - something else that probes the same functions
 * @name: for claims.
 * @missing: why it cannot be had, or NULL.
 * @start: it sees from then on.
 * @stop: it is gone.
 * @clear: forget what was seen so far. NULL for a tool that counts by task.
 * @seen: by task @pid; for a tool that counts by task after stop(), else at once.
 * @calls: entries of do_wp_page() by all tasks, missed ones included, or NULL.
 */
struct tool {
	const char	*name;
	const char	*(*missing)(void);
	void		(*start)(void);
	void		(*stop)(void);
	void		(*clear)(void);
	struct seen	(*seen)(pid_t pid);
	long long	(*calls)(void);
};

extern const struct tool tool_bpftrace, tool_graph, tool_kprobes, tool_fprobes;

#endif /* COWTEST_BESIDE_H */
