// SPDX-License-Identifier: GPL-2.0
/* KSM, which runs only while pages are to be merged. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "host.h"
#include "scene.h"

#define KSM	"/sys/kernel/mm/ksm/"
#define PAGE	4096ul
/*
 * The first scan takes checksums, the second merges; a page with a reference
 * more waits for another, and smart_scan passes up to eight over a page that
 * was not merged before.
 */
#define SCANS	100
/* Where others have much to scan: before the director loses patience. */
#define LIMIT_NS	100000000000ull

static long long scans(void)
{
	char text[32];

	return ct_host_read(KSM "full_scans", text, sizeof(text)) ? 0 : atoll(text);
}

/* How many pages, from the first on, are the same page. */
static size_t same(const char *mem, size_t pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t first = 0, entry, mask = (1ull << 55) - 1;
	size_t n;

	for (n = 0; fd >= 0 && n < pages; n++) {
		if (pread(fd, &entry, sizeof(entry), ((uintptr_t)mem / PAGE + n) * sizeof(entry)) !=
		    sizeof(entry) || !(entry >> 63))
			break;
		if (!n)
			first = entry & mask;
		if (!first || (entry & mask) != first)
			break;
	}
	if (fd >= 0)
		close(fd);
	return n;
}

int ct_act_merge(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]), merged;
	char *mem = t->scene->base[t->op->area];
	uint64_t end = ct_now_ns() + LIMIT_NS;
	long long first, done;

	memset(mem, 0x5a, bytes);
	if (madvise(mem, bytes, MADV_MERGEABLE))
		return ct_error_set(err, -errno, "MADV_MERGEABLE: %s", strerror(errno));
	if (ct_host_write(KSM "run", "1"))
		return ct_error_set(err, -ENODEV, "KSM cannot be started by %srun", KSM);
	first = scans();
	do {
		usleep(1000);
		/* Before the pages: what these scans have done can be seen below. */
		done = scans() - first;
		merged = same(mem, bytes / PAGE);
	} while (merged < bytes / PAGE && done < SCANS && ct_now_ns() < end);
	/* Comes back when ksmd is at rest. */
	ct_host_write(KSM "run", "0");
	return merged == bytes / PAGE ? 0 :
	       ct_error_set(err, -ENODEV,
			    "KSM did not merge: %zu of %zu pages are one after %lld scans: is there much else to scan, or max_page_sharing small?",
			    merged, bytes / PAGE, done);
}

int ct_act_unmerge(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]);

	return madvise(t->scene->base[t->op->area], bytes, MADV_UNMERGEABLE) ?
	       ct_error_set(err, -errno, "MADV_UNMERGEABLE: %s", strerror(errno)) : 0;
}
