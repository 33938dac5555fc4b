// SPDX-License-Identifier: GPL-2.0
#include "capture_source.h"

#include <errno.h>
#include <unistd.h>

int ct_source_permitted(struct ct_error *err)
{
	if (!geteuid())
		return 0;
	return ct_error_set(err, -EACCES,
			    "tracing needs root, because it shows what all processes do: run cowtrace by sudo");
}
