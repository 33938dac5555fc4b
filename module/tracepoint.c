// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/perf_event.h>

#include "session.h"
#include "tracepoint.h"

/* Called under the kernel's tracepoint locks when the first user comes. */
static int cow_trace_reg(void)
{
	return cow_session_trace(true);
}

static void cow_trace_unreg(void)
{
	cow_session_trace(false);
}

#define CREATE_TRACE_POINTS
#include "wp_fault.h"

/*
 * perf lets anybody count an event, of his own tasks, and to count this one arms the probes
 * for all: that is for who may watch all.
 */
static int may_count(struct trace_event_call *call, struct perf_event *event)
{
	/* A child's goes on with what its parent's was allowed. */
	return event->parent || perfmon_capable() ? 0 : -EPERM;
}

void __init cow_tracepoint_init(void)
{
	event_wp_fault.perf_perm = may_count;
}

void cow_trace_fault(const struct cowtrace_record *r)
{
	trace_wp_fault(r);
}
