// SPDX-License-Identifier: GPL-2.0
/* KSM, which runs only while pages are to be merged. */
#include <errno.h>
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

/* How many of @n pages, from the first on, are the same page. */
static size_t same(const uint64_t *entry, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!(entry[i] & CT_PM_PRESENT) || !(entry[i] & CT_PM_FRAME) ||
		    (entry[i] & CT_PM_FRAME) != (entry[0] & CT_PM_FRAME))
			break;
	return i;
}

/* Let ksmd scan until all are one, or it has had time enough. Returns how many are. */
static size_t scan_until_same(const char *mem, uint64_t *entry, size_t n, long long *done)
{
	uint64_t end = ct_now_ns() + LIMIT_NS;
	long long first = scans();
	size_t merged;

	do {
		usleep(1000);
		/* Before the pages: what these scans have done can be seen below. */
		*done = scans() - first;
		ct_pagemap(mem, entry, n);
		merged = same(entry, n);
	} while (merged < n && *done < SCANS && ct_now_ns() < end);
	return merged;
}

int ct_act_merge(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]), n = bytes / PAGE, merged;
	char *mem = t->scene->base[t->op->area];
	uint64_t *entry;
	long long done;

	memset(mem, 0x5a, bytes);
	if (madvise(mem, bytes, MADV_MERGEABLE))
		return ct_error_set(err, -errno, "MADV_MERGEABLE: %s", strerror(errno));
	entry = calloc(n, sizeof(*entry));
	if (!entry)
		return ct_error_set(err, -ENOMEM, "no memory");
	if (ct_host_write(KSM "run", "1")) {
		free(entry);
		return ct_error_set(err, -ENODEV, "KSM cannot be started by %srun", KSM);
	}
	merged = scan_until_same(mem, entry, n, &done);
	/* Comes back when ksmd is at rest. */
	ct_host_write(KSM "run", "0");
	free(entry);
	return merged == n ? 0 :
	       ct_error_set(err, -ENODEV,
			    "KSM did not merge: %zu of %zu pages are one after %lld scans: is there much else to scan, or max_page_sharing small?",
			    merged, n, done);
}

int ct_act_unmerge(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]);

	return madvise(t->scene->base[t->op->area], bytes, MADV_UNMERGEABLE) ?
	       ct_error_set(err, -errno, "MADV_UNMERGEABLE: %s", strerror(errno)) : 0;
}
