/* SPDX-License-Identifier: GPL-2.0 */
/* tracepoint: cowtrace:wp_fault, for perf, trace-cmd and bpftrace. */
#ifndef COW_TRACEPOINT_H
#define COW_TRACEPOINT_H

#include <linux/init.h>

struct cowtrace_record;

/* Before the tracepoint can be used. */
void __init cow_tracepoint_init(void);

/* Fire cowtrace:wp_fault. Context: preemption off. */
void cow_trace_fault(const struct cowtrace_record *r);

#endif /* COW_TRACEPOINT_H */
