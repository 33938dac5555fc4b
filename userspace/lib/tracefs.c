// SPDX-License-Identifier: GPL-2.0
#include "tracefs.h"

#include <stddef.h>

FILE *ct_tracefs_event(const char *event, const char *file)
{
	static const char * const dirs[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[128];
	FILE *f = NULL;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && !f; i++) {
		snprintf(path, sizeof(path), "%s/events/%s/%s", dirs[i], event, file);
		f = fopen(path, "re");
	}
	return f;
}
