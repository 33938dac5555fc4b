// SPDX-License-Identifier: GPL-2.0
/* Files, devices, and what their drivers answer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "truth.h"

static void private_run(void *unused)
{
	(void)unused;
	begin(map_file("/tmp/truth", MAP_PRIVATE));
	read_pages();
	write_pages();
}

static void private_judge(const struct trace *t)
{
	ALL(t, "file", "a private mapping of a file is copied because file", COPY, FILE, FILE,
	    USER);
	check(pfns_agree(t), "file-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

static void mkwrite_run(void *unused)
{
	struct statfs f;

	(void)unused;
	if (statfs("/mnt", &f) || f.f_type != 0xef53) {
		strcpy(sh->why_not, "no ext4 on /mnt");
		return;
	}
	begin(map_file("/mnt/truth", MAP_SHARED));
	read_pages();
	write_pages();
}

static void mkwrite_judge(const struct trace *t)
{
	ALL(t, "mkwrite", "a shared mapping of a file on ext4 is made writable", MKWRITE, NONE,
	    FILE, USER);
}

static const struct pattern patterns[] = {
	{ "file", private_run, private_judge },
	{ "mkwrite", mkwrite_run, mkwrite_judge },
};

void run_truth_file(void)
{
	truth_run(patterns, ARRAY_SIZE(patterns));
}
