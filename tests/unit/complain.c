// SPDX-License-Identifier: GPL-2.0
/* What main.c of the command gives to the report, for tests: errors are kept. */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "confine.h"
#include "generate.h"

struct ct_error last_complaint;

void ct_complain(const struct ct_error *err)
{
	last_complaint = *err;
}

int ct_parse_number(const char *text, unsigned long long min, unsigned long long max,
		    unsigned long long *value)
{
	*value = strtoull(text, NULL, 10);
	return *value < min || *value > max ? -EINVAL : 0;
}

int ct_parse_seconds(const char *text, unsigned long long *ns)
{
	*ns = strtod(text, NULL) * 1e9;
	return *ns ? 0 : -EINVAL;
}

/*
 * As the command, but in this process: what it says of an error stays here. A test that
 * links confine.o has the real ones.
 */
__attribute__((weak))
int ct_confined(int (*run)(void *arg, struct ct_error *err), void *arg)
{
	struct ct_error err;

	if (!run(arg, &err))
		return CT_EXIT_OK;
	ct_complain(&err);
	return CT_EXIT_FAIL;
}

__attribute__((weak))
int ct_confined_at_once(int (*run)(void *arg), void *arg, int failed)
{
	(void)failed;
	return run(arg);
}

__attribute__((weak))
int ct_confined_report(FILE *out, const char *trace_path, ct_report_fn *print, const void *arg)
{
	return ct_report_on(out, trace_path, print, arg);
}
