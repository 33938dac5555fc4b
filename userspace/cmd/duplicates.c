// SPDX-License-Identifier: GPL-2.0
/* cowtrace duplicates: pages of files in the page cache that are alike. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command.h"
#include "duplicates_print.h"
#include "map.h"
#include "progress.h"
#include "resident.h"

/* Of ioprio_set(): this process, the class that waits for a disk that nobody uses. */
#define IOPRIO_WHO_PROCESS	1
#define IOPRIO_CLASS_IDLE	(3 << 13)

#define DEFAULT_MB	256
#define FILES_TOLD	8

struct arguments {
	char			**paths;
	bool			json, one_fs;
	unsigned long long	top, memory_mb;
};

enum { KEY_JSON = 0x200, KEY_TOP, KEY_MEMORY };

static const struct argp_option options[] = {
	{ "one-file-system", 'x', NULL, 0, "stay on the file system of each PATH", 0 },
	{ "memory", KEY_MEMORY, "MB", 0,
	  "memory for contents, 32 bytes each (default 256): pages for which it is too small are counted as not compared", 0 },
	{ "top", KEY_TOP, "N", 0, "rows of each table (default 10)", 0 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'x':
		a->one_fs = true;
		return 0;
	case KEY_JSON:
		a->json = true;
		return 0;
	case KEY_TOP:
		if (ct_parse_number(arg, 0, 1000000, &a->top))
			argp_error(state, "--top %s: use a number from 0 to 1000000", arg);
		return 0;
	case KEY_MEMORY:
		if (ct_parse_number(arg, 1, 1 << 20, &a->memory_mb))
			argp_error(state, "--memory %s: use 1 to 1048576 MB", arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no file or directory is named: cowtrace duplicates / looks at all");
		return 0;
	case ARGP_KEY_ARGS:
		a->paths = state->argv + state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Only what nobody else wants: CPU, disk. A kernel that refuses does the scan no harm. */
static void step_back(void)
{
	struct sched_param param = { 0 };

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		setpriority(PRIO_PROCESS, 0, 19);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE);
}

struct scan {
	struct ct_duplicates	*d;
	struct ct_dup_scan	*result;
	/* Inodes that were scanned: they may have several names. */
	struct ct_map		seen;
};

/* Return: 1 for one that was, 0, or -ENOMEM. */
static int seen_before(struct scan *s, const struct stat *st)
{
	uint32_t *seen = ct_map_slot(&s->seen, st->st_dev, st->st_ino);

	if (!seen)
		return -ENOMEM;
	if (*seen != CT_MAP_NONE)
		return 1;
	*seen = 1;
	return 0;
}

static void skip(struct scan *s, const char *path, int err)
{
	s->result->skipped++;
	if (s->result->skipped > FILES_TOLD)
		return;
	ct_progress_erase();
	fprintf(stderr, "cowtrace: %s is left out: %s%s\n", path, strerror(err),
		err == EACCES || err == EPERM ? ": run as root to see it" : "");
	if (s->result->skipped == FILES_TOLD)
		fprintf(stderr, "cowtrace: more files that are left out are only counted\n");
}

static int take(void *arg, uint64_t index, const void *page)
{
	struct scan *s = arg;

	ct_dup_page(s->d, index, page);
	s->result->bytes += s->result->page_size;
	ct_progress("comparing", s->result->bytes, 0);
	return 0;
}

/* Return: 0, or -ENOMEM: all else is told and left out. */
static int scan_file(struct scan *s, const char *path, const char *access)
{
	int fd = open(access, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK | O_NOFOLLOW);
	struct ct_resident found;
	struct stat st;
	int64_t number;
	int ret;

	if (fd < 0 && errno == EPERM)
		fd = open(access, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st)) {
		skip(s, path, errno);
		ret = 0;
		goto out;
	}
	ret = S_ISREG(st.st_mode) ? seen_before(s, &st) : 1;
	if (ret) {
		ret = ret < 0 ? ret : 0;
		goto out;
	}
	number = ct_dup_file_add(s->d, path);
	ret = number < 0 ? number : 0;
	if (ret)
		goto out;
	ret = ct_resident_walk(fd, &found, take, s);
	s->result->resident += found.pages;
	s->result->gone += found.gone;
	/* Files of the kernel's own, in /proc and /sys, have no pages at all. */
	if (ret && ret != -ENODEV && ret != -ENOMEM)
		skip(s, path, -ret);
	ret = ret == -ENOMEM ? ret : 0;
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

static int walk(struct scan *s, const struct arguments *a)
{
	FTS *fts = fts_open(a->paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW |
			    (a->one_fs ? FTS_XDEV : 0), NULL);
	FTSENT *e;
	int ret = 0;

	if (!fts)
		return -errno;
	while (!ret && (e = fts_read(fts))) {
		if (e->fts_info == FTS_F && e->fts_statp->st_size)
			ret = scan_file(s, e->fts_path, e->fts_accpath);
		else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
			skip(s, e->fts_path, e->fts_errno);
	}
	fts_close(fts);
	return ret;
}

static int complain(int err)
{
	struct ct_error e;

	if (err == -ENOMEM)
		ct_error_set(&e, err, "no memory for the contents of pages: name fewer directories, or less by --memory");
	else
		ct_error_set(&e, err, "cannot print the duplicates: %s", strerror(-err));
	ct_complain(&e);
	return CT_EXIT_FAIL;
}

int ct_cmd_duplicates(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "PATH...",
		.doc = "Compare the pages of files that are in the page cache, and tell which are alike: "
		       "what KSM for files could save.\v"
		       "Runs when nobody else wants the CPU, and never reads what is not in memory. Needs "
		       "no module. A page of a file that is written to meanwhile is compared as it was "
		       "when it was its turn.",
	};
	struct arguments a = { .top = 10, .memory_mb = DEFAULT_MB };
	struct ct_dup_scan result = { .page_size = sysconf(_SC_PAGESIZE) };
	struct scan s = { .result = &result };
	int ret;

	argp_err_exit_status = CT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	s.d = ct_duplicates_open(a.memory_mb << 20, result.page_size);
	if (!s.d)
		return complain(-ENOMEM);
	step_back();
	ct_progress_start();
	ret = walk(&s, &a);
	ct_progress_stop();
	if (!ret)
		ret = a.json ? ct_dup_json(stdout, s.d, &result, a.top) :
			       ct_dup_text(stdout, s.d, &result, a.top);
	if (!ret && fflush(stdout))
		ret = -EIO;
	ct_duplicates_close(s.d);
	ct_map_free(&s.seen);
	if (ret)
		return complain(ret);
	return ct_dup_nothing(&result) ? CT_EXIT_FAIL : CT_EXIT_OK;
}
