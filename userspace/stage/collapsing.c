// SPDX-License-Identifier: GPL-2.0
/* khugepaged, which scans what madvise() gives it. */
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

#define THP		"/sys/kernel/mm/transparent_hugepage/"
#define KHUGEPAGED	THP "khugepaged/"
#define PAGE		4096ul
#define PAGES		512
/* The first may have passed the range already; before the director loses patience. */
#define SCANS		3
#define LIMIT_NS	60000000000ull

int ct_khugepaged_set(const struct ct_exp_op *op, struct ct_error *err)
{
	char shared[16];
	const char * const settings[][2] = {
		{ KHUGEPAGED "max_ptes_shared", shared },
		{ KHUGEPAGED "max_ptes_none", "511" },
		{ KHUGEPAGED "pages_to_scan", "32768" },
		{ KHUGEPAGED "defrag", "1" },
		{ KHUGEPAGED "scan_sleep_millisecs", "10" },
		/* It scans nothing but what asks for it, and so is through soon. */
		{ THP "enabled", "madvise" },
	};
	size_t i;
	int ret = 0;

	snprintf(shared, sizeof(shared), "%u", op->number);
	if (access(KHUGEPAGED "max_ptes_shared", F_OK))
		return ct_error_set(err, -ENOSYS, "khugepaged of this kernel has no max_ptes_shared");
	for (i = 0; !ret && i < sizeof(settings) / sizeof(*settings); i++)
		ret = ct_host_set(settings[i][0], settings[i][1], err);
	return ret;
}

static long long scans(void)
{
	char text[32];

	return ct_host_read(KHUGEPAGED "full_scans", text, sizeof(text)) ? 0 : atoll(text);
}

/* What the kernel itself says of the pages: each has its own count there. */
static int count(const char *mem, struct ct_stage_part *part, struct ct_error *err)
{
	int fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC), i;
	uint64_t entry[PAGES], maps, frame;

	if (fd < 0)
		return ct_error_set(err, -errno, "/proc/kpagecount: %s", strerror(errno));
	ct_pagemap(mem, entry, PAGES);
	for (i = 0; i < PAGES; i++) {
		frame = entry[i] & CT_PM_FRAME;
		part->none += !(entry[i] & (CT_PM_PRESENT | CT_PM_SWAP));
		if (entry[i] & CT_PM_PRESENT && frame &&
		    pread(fd, &maps, sizeof(maps), frame * sizeof(maps)) == sizeof(maps))
			part->shared += maps > 1;
	}
	close(fd);
	return 0;
}

int ct_act_collapse(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]);
	uint64_t end = ct_now_ns() + LIMIT_NS;
	char *mem = t->scene->base[t->op->area];
	long long first = scans();
	int ret = count(mem, &t->reply->part, err);

	if (ret)
		return ret;
	if (madvise(mem, bytes, MADV_HUGEPAGE))
		return ct_error_set(err, -errno, "MADV_HUGEPAGE: %s", strerror(errno));
	/* Written, it wakes khugepaged, which may have seconds to sleep. */
	ct_host_write(KHUGEPAGED "scan_sleep_millisecs", "10");
	while (scans() < first + SCANS && ct_now_ns() < end)
		usleep(5000);
	madvise(mem, bytes, MADV_NOHUGEPAGE);
	return scans() >= first + SCANS ? 0 :
	       ct_error_set(err, -ENODEV, "khugepaged is not through with its scans after %llu s: is it starved, or is memory short?",
			    LIMIT_NS / 1000000000);
}
