// SPDX-License-Identifier: GPL-2.0
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

void cow_trace_fault(const struct cowtrace_record *r)
{
	trace_wp_fault(r);
}
