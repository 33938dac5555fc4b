/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fgraph: keep clear of a number of the function graph that fprobes cannot have.
 *
 * Since 6.14 (commit 4346ba1604093, "fprobe: Rewrite fprobe on function-graph
 * tracer") all fprobes are one user of the function graph. Users have numbers
 * from 0 to 15, which go round with each registration of the first fprobe. The
 * frame of a probed call names its users, but always 0 as well, as a flag of its
 * own (function_graph_enter_regs() in kernel/trace/fgraph.c). A task that sleeps
 * in a probed function until fprobes come back as number 0 therefore returns to
 * an fprobe_return() that finds no data: WARN_ON_ONCE(!fgraph_data).
 */
#ifndef COW_FGRAPH_H
#define COW_FGRAPH_H

#ifdef COW_HAVE_FPROBE_FTRACE_REGS

/**
 * cow_fgraph_hold() - have fprobes registered, under another number than 0
 *
 * Does what it can: nothing when the number cannot be told, or when fprobes of
 * others hold it. Those who register an fprobe before cow_fgraph_release() share
 * the number. Serialised by the caller. Return: 0, or a negative errno when no fprobe
 * can be registered.
 */
int cow_fgraph_hold(void);

void cow_fgraph_release(void);

#else

static inline int cow_fgraph_hold(void)
{
	return 0;
}

static inline void cow_fgraph_release(void)
{
}

#endif

#endif /* COW_FGRAPH_H */
