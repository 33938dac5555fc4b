// SPDX-License-Identifier: GPL-2.0
#include "sideband_memory.h"

#include <stdio.h>

#include "clock.h"
#include "format.h"

bool ct_memory_read(pid_t pid, struct ct_memory_record *record)
{
	unsigned long long anon, swapped;
	bool has_anon = false, has_swapped = false;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!(has_anon && has_swapped) && fgets(line, sizeof(line), f)) {
		has_anon |= sscanf(line, "RssAnon: %llu kB", &anon) == 1;
		has_swapped |= sscanf(line, "VmSwap: %llu kB", &swapped) == 1;
	}
	fclose(f);
	if (!has_anon || !has_swapped)
		return false;
	*record = (struct ct_memory_record){
		.header = {
			.type = CT_RECORD_MEMORY,
			.misc = PERF_RECORD_MISC_USER,
			.size = sizeof(*record),
		},
		.pid = pid,
		.anon = anon << 10,
		.swapped = swapped << 10,
		.id = { .pid = pid, .tid = pid, .time = ct_now_ns() },
	};
	return true;
}
