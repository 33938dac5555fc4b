// SPDX-License-Identifier: GPL-2.0
#include "tracefs.h"

#include <stddef.h>
#include <string.h>

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

uint64_t ct_tracefs_number(const char *event)
{
	FILE *f = ct_tracefs_event(event, "id");
	unsigned long long n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

bool ct_tracefs_field(const char *event, const char *field, unsigned int size,
		      unsigned int *offset)
{
	FILE *f = ct_tracefs_event(event, "format");
	char line[256], want[64];
	bool found = false;

	if (!f)
		return false;
	snprintf(want, sizeof(want), " %s;\toffset:", field);
	while (!found && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, want);
		unsigned int has;

		found = at && sscanf(at + strlen(want), "%u;\tsize:%u;", offset, &has) == 2 &&
			has == size;
	}
	fclose(f);
	return found;
}
