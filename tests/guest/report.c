// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "report.h"

const char *backend = "auto";
const char *suite_name = "";
unsigned int *failed_claims;

static void count_failed(void)
{
	if (failed_claims)
		__atomic_fetch_add(failed_claims, 1, __ATOMIC_RELAXED);
}

void claim_holds(const char *name, const char *claim)
{
	printf("ok %s/%s - %s\n", suite_name, name, claim);
	fflush(stdout);
}

void claim_fails(const char *name, const char *claim, const char *fmt, ...)
{
	va_list args;

	count_failed();
	printf("not ok %s/%s - %s (", suite_name, name, claim);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(")\n");
	fflush(stdout);
}

void skip(const char *name, const char *why)
{
	printf("skip %s/%s - %s\n", suite_name, name, why);
	fflush(stdout);
}

void note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void unmet(const char *fmt, ...)
{
	va_list args;

	count_failed();
	printf("not ok %s/setup - the test can be set up (", suite_name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(")\n");
	fflush(stdout);
	/* From a child as well: the suite's own process leads the group. */
	if (getpid() != getpgrp())
		kill(getpgrp(), SIGTERM);
	_exit(1);
}
