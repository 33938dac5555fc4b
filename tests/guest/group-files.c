// SPDX-License-Identifier: GPL-2.0
/*
 * The group files: a load that knows how many pages it reaches, each way on a file of
 * its own, against what the module has counted for that file. Lookups, which no load can
 * know, against the hits of the kernel's own kprobe events on the same functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "group-files.h"
#include "lib.h"
#include "outside.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define DISK	"/mnt/reach-"
#define MEMORY	"/tmp/reach/"
#define PAGES	64
/* As many buffers of a pipe as are filled at once. */
#define PIECE	8
/* Each a millisecond later than the one before. */
#define PAGEOUTS	50

static char buf[(PAGES + 1) * PAGE];

/* --- files ------------------------------------------------------------------ */

/* A file of PAGES pages that are clean, in the page cache, and on no LRU-add batch. */
static int file_of_pages(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	need(fd >= 0, "%s: %s", path, strerror(errno));
	need(write(fd, buf, PAGES * PAGE) == (ssize_t)(PAGES * PAGE), "%s: %s", path,
	     strerror(errno));
	need(!fsync(fd), "fsync: %s", strerror(errno));
	return fd;
}

static char *map_of(int fd, int flags)
{
	char *mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	need(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	return mem;
}

/* Of each page, by the last call of resident(): is it there? */
static unsigned char there[PAGES];

static size_t resident(char *mem)
{
	size_t i, n = 0;

	need(!mincore(mem, PAGES * PAGE, there), "mincore: %s", strerror(errno));
	for (i = 0; i < PAGES; i++)
		n += there[i] & 1;
	return n;
}

/* 5.10 retries a shared fault when it has dirtied the page, and calls that a major one. */
static long faults(void)
{
	static struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

static void read_each(const char *mem)
{
	static volatile char sum;
	size_t i;

	for (i = 0; i < PAGES; i++)
		sum += mem[i * PAGE];
}

/* --- the load ----------------------------------------------------------------- */

/* Each returns how many pages it has reached, as far as it can know. */
typedef long reach_fn(int fd);

static char *mem;
static int ends[2];

static long write_absent(int fd, int flags)
{
	long before;

	mem = map_of(fd, flags);
	before = faults();
	touch(mem, PAGES);
	return faults() - before;
}

static long write_mapped(int fd, int flags)
{
	long before;

	mem = map_of(fd, flags);
	read_each(mem);
	before = faults();
	touch(mem, PAGES);
	return faults() - before;
}

static long private_absent(int fd)
{
	return write_absent(fd, MAP_PRIVATE);
}

static long private_mapped(int fd)
{
	return write_mapped(fd, MAP_PRIVATE);
}

static long shared_absent(int fd)
{
	return write_absent(fd, MAP_SHARED);
}

static long shared_mapped(int fd)
{
	return write_mapped(fd, MAP_SHARED);
}

/* Whole pages, one that is written in three parts, and five bytes across two pages. */
static long writes(int fd)
{
	bool good = pwrite(fd, buf, 16 * PAGE, 0) == 16 * (ssize_t)PAGE;
	int i;

	for (i = 0; i < 3; i++)
		good &= pwrite(fd, buf, 1000, 20 * PAGE + i * 1000) == 1000;
	good &= pwrite(fd, buf, 5, 31 * PAGE - 2) == 5;
	need(good, "pwrite: %s", strerror(errno));
	return 16 + 3 + 2;
}

/* Eight pages go, and a part of the one before. */
static long truncates(int fd)
{
	need(!ftruncate(fd, (PAGES - 8) * PAGE - 100), "ftruncate: %s", strerror(errno));
	return 8;
}

static long one_part(int fd)
{
	(void)fd;
	return 1;
}

static long punches(int fd)
{
	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE, 5 * PAGE),
	     "fallocate: %s", strerror(errno));
	return 5;
}

/* Three pages, the end of the one before and the beginning of the one after. */
static long punches_parts(int fd)
{
	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * PAGE - 10,
			3 * PAGE + 20), "fallocate: %s", strerror(errno));
	return 3;
}

static long two_parts(int fd)
{
	(void)fd;
	return 2;
}

static void drain(size_t bytes)
{
	static int null = -1;

	if (null < 0)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	need(splice(ends[0], NULL, null, NULL, bytes, 0) == (ssize_t)bytes, "splice: %s",
	     strerror(errno));
}

static long splices(int fd)
{
	loff_t at = 0;

	while (at < (loff_t)(PAGES * PAGE)) {
		need(splice(fd, &at, ends[1], NULL, PIECE * PAGE, 0) == PIECE * PAGE,
		     "splice: %s", strerror(errno));
		drain(PIECE * PAGE);
	}
	return PAGES;
}

static long sendfiles(int fd)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	off_t at = 0;

	need(sendfile(null, fd, &at, PAGES * PAGE) == (ssize_t)(PAGES * PAGE), "sendfile: %s",
	     strerror(errno));
	close(null);
	return PAGES;
}

static long all_pages(int fd)
{
	(void)fd;
	return PAGES;
}

/* Fast GUP: the PTEs are there. */
static long vmsplices(int fd)
{
	struct iovec v = { .iov_len = PIECE * PAGE };
	size_t i;

	mem = map_of(fd, MAP_SHARED);
	read_each(mem);
	for (i = 0; i < PAGES; i += PIECE) {
		v.iov_base = mem + i * PAGE;
		need(vmsplice(ends[1], &v, 1, 0) == PIECE * PAGE, "vmsplice: %s",
		     strerror(errno));
		drain(PIECE * PAGE);
	}
	return PAGES;
}

/* Slow GUP: that of another mm, though it is our own. */
static long reads_remotely(int fd)
{
	struct iovec to = { .iov_base = buf, .iov_len = PAGES * PAGE }, from = to;

	mem = map_of(fd, MAP_SHARED);
	read_each(mem);
	from.iov_base = mem;
	need(process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)(PAGES * PAGE),
	     "process_vm_readv: %s", strerror(errno));
	return PAGES;
}

/* Reclaim asks for the PTEs of what it is to take. */
static void read_resident(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (there[i] & 1)
			(void)*(volatile char *)(mem + i * PAGE);
}

/* What the end of its writing holds, or a batch, is passed over: on 7.2 one folio is all. */
static long pages_out(int fd)
{
	size_t before, tries;

	mem = map_of(fd, MAP_SHARED);
	read_each(mem);
	before = resident(mem);
	for (tries = 0; tries < PAGEOUTS && resident(mem); tries++) {
		sleep_ms(tries);
		lru_drain();
		read_resident();
		need(!madvise(mem, PAGES * PAGE, MADV_PAGEOUT), "MADV_PAGEOUT: %s",
		     strerror(errno));
	}
	return before - resident(mem);
}

static long drops(int fd)
{
	size_t before;

	mem = map_of(fd, MAP_SHARED);
	before = resident(mem);
	need(!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise: %s",
	     strerror(errno));
	return before - resident(mem);
}

/**
 * struct way - how a file is reached
 * @file: its name.
 * @site: where that is counted.
 * @reach: does it; where it is the same file as before, says what that did.
 * @known: what it returns, 0 where only the kernel's own count can tell.
 * @claim: what is claimed.
 */
struct way {
	const char	*file, *site;
	reach_fn	*reach;
	long		known;
	const char	*claim;
};

static const struct way ways[] = {
	{ DISK "private-absent", "private-absent", private_absent, PAGES,
	  "each private write fault without a PTE is counted, as the kernel counts it" },
	{ DISK "private-mapped", "private-mapped", private_mapped, PAGES,
	  "each private write fault on a mapped page is counted, as the kernel counts it" },
	{ DISK "shared-absent", "shared-absent", shared_absent, 0,
	  "each shared write fault without a PTE is counted, as the kernel counts it" },
	{ DISK "shared-mapped", "shared-mapped", shared_mapped, 0,
	  "each shared write fault on a mapped page is counted, as the kernel counts it" },
	{ DISK "write", "write", writes, 21,
	  "each page that write(2) copies into is counted, each time" },
	{ DISK "truncate", "truncate", truncates, 8, "each page that a truncation removes" },
	{ DISK "truncate", "truncate-part", one_part, 1, "the page that it zeroes in part" },
	{ DISK "punch", "truncate", punches, 5, "each page that a hole punched removes" },
	{ MEMORY "punch", "truncate", punches_parts, 3, "the same in tmpfs" },
	{ MEMORY "punch", "truncate-part", two_parts, 2, "both pages that it zeroes in part" },
	{ DISK "splice", "splice", splices, PAGES, "each page that splice puts into a pipe" },
	{ DISK "splice", "splice-use", all_pages, PAGES, "each page that is taken out of it" },
	{ DISK "sendfile", "splice", sendfiles, PAGES, "each page that sendfile sends" },
	{ DISK "vmsplice", "gup", vmsplices, PAGES, "each page that fast GUP takes" },
	{ DISK "remote", "gup", reads_remotely, PAGES, "each page that slow GUP takes" },
	{ DISK "pageout", "reclaim", pages_out, PAGES,
	  "each page that reclaim removes, as mincore tells" },
	{ DISK "drop", "invalidate", drops, PAGES,
	  "each page that an invalidation removes, as mincore tells" },
};

static int fds[ARRAY_SIZE(ways)];
static long did[ARRAY_SIZE(ways)];

static bool is_new(size_t i)
{
	return !i || strcmp(ways[i].file, ways[i - 1].file);
}

static void prepare(void)
{
	size_t i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = i % 251;
	need(ext4_on_mnt(), "no ext4 on /mnt: start the guest with --disk");
	mkdir("/tmp/reach", 0700);
	need(!system("mount -t tmpfs tmpfs /tmp/reach"), "no tmpfs");
	need(!pipe(ends), "pipe: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		fds[i] = is_new(i) ? file_of_pages(ways[i].file) : fds[i - 1];
	/* Nothing is to be written later, nor looked up for it. */
	sync();
	lru_drain();
}

static void reach(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		did[i] = ways[i].reach(fds[i]);
}

/* --- lookups, counted by others ------------------------------------------------- */

#define TRACING	"/sys/kernel/tracing"

/* filemap_get_folios() ends in the entry of the one with a tag, where there is no pagevec. */
static const char *const lookups[] = {
	"filemap_get_entry", "__filemap_get_folio", "find_get_entry", "filemap_get_read_batch",
	"find_get_entries", "find_lock_entries", "find_get_pages_range", "find_get_pages_contig",
	"find_get_pages_range_tag", "filemap_get_folios", "filemap_get_folios_contig",
	"filemap_get_folios_tag", "filemap_get_folios_dirty", "filemap_map_pages",
};

static bool defined[ARRAY_SIZE(lookups)];

static bool is_defined(const char *function)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lookups); i++)
		if (!strcmp(lookups[i], function))
			return defined[i];
	return false;
}

/* Only the innermost of those that call each other; what they call is defined before. */
static bool wanted(const char *function)
{
	if (!strcmp(function, "__filemap_get_folio"))
		return !is_defined("filemap_get_entry");
	if (!strcmp(function, "filemap_get_folios"))
		return is_defined("find_get_pages_range_tag");
	return true;
}

/* A kernel that does not have a function refuses the event. */
static void events_define(void)
{
	char line[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lookups); i++) {
		snprintf(line, sizeof(line), "p:cowfiles/%s %s\n", lookups[i], lookups[i]);
		defined[i] = wanted(lookups[i]) && !file_append(TRACING "/kprobe_events", line);
	}
	need(!file_write(TRACING "/events/cowfiles/enable", "1"), "the events stay off");
}

static long long events_hits(void)
{
	long long hits, misses, sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lookups); i++)
		if (defined[i] && kprobe_profile(lookups[i], &hits, &misses))
			sum += hits + misses;
	return sum;
}

static void events_remove(void)
{
	char line[128];
	size_t i;

	file_write(TRACING "/events/cowfiles/enable", "0");
	for (i = 0; i < ARRAY_SIZE(lookups); i++) {
		snprintf(line, sizeof(line), "-:cowfiles/%s\n", lookups[i]);
		if (defined[i])
			file_append(TRACING "/kprobe_events", line);
	}
}

/* --- claims --------------------------------------------------------------------------- */

static void judge(size_t i, const struct reached *table)
{
	const struct way *w = &ways[i];
	long long counted, sum = 0;
	struct stat st;
	char name[64];

	snprintf(name, sizeof(name), "%s-%s", strrchr(w->file, '/') + 1, w->site);
	need(!fstat(fds[i], &st), "fstat: %s", strerror(errno));
	counted = reached_by_inode(table, st.st_dev, st.st_ino, w->site);
	sum = w->known ? w->known : did[i];
	check(did[i] == sum && counted == sum, name, w->claim, "%lld counted, %ld done of %ld",
	      counted, did[i], w->known);
}

static void judge_lookups(const struct reached *table, long long outside, long long missed)
{
	static const char *const sites[] = {
		"lookup", "lookup-read", "lookup-batch", "lookup-map",
	};
	long long ours = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sites); i++)
		if (reached_total(table, sites[i]) >= 0)
			ours += reached_total(table, sites[i]);
	note("lookups: %lld counted, %lld missed, %lld by kprobe events", ours, missed, outside);
	check(ours && ours + missed == outside, "lookups",
	      "lookups in all are those that kprobe events on the same functions count",
	      "%lld counted, %lld missed, %lld by the events", ours, missed, outside);
}

static void judge_sums(const struct reached *table)
{
	const char *broken = reached_broken(table);

	check(!broken, "sums", "the files, those that made room and no file sum up to each total",
	      "not of %s", broken);
}

static void limits_itself(void)
{
	int i;

	need(!cow_write("groups/files/seconds", "1"), "seconds refuses 1");
	check(cow_write("groups/files/seconds", "86401") == -ERANGE, "seconds-range",
	      "more than a day is refused", "it was taken");
	need(!cow_write("groups/files/enabled", "1"), "the group stays off");
	for (i = 0; i < 100 && file_has(COW_DIR "/groups/files/enabled", "1"); i++)
		sleep_ms(100);
	check(file_has(COW_DIR "/groups/files/enabled", "0") &&
	      value_in(COW_DIR "/groups/files/stats", "limited") == 1 &&
	      value_in(COW_DIR "/groups/files/stats", "ran_ns") >= 1000000000, "seconds",
	      "it switches itself off after the seconds that were set, and says so",
	      "it is on after 10 s, or says otherwise");
}

void run_group_files(void)
{
	static struct reached table;
	long long before, outside;
	size_t i;

	module_start(64);
	prepare();
	events_define();
	/* Twice, so that all code and memory of this process is mapped. */
	events_hits();
	reached_read(&table);
	before = events_hits();
	need(!cow_write("groups/files/enabled", "1"), "the group stays off");
	reach();
	sync();
	need(!cow_write("groups/files/enabled", "0"), "the group stays on");
	outside = events_hits() - before;
	events_remove();
	reached_read(&table);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		judge(i, &table);
	judge_sums(&table);
	judge_lookups(&table, outside, table.missed);
	limits_itself();
	reach_redis();
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		unlink(ways[i].file);
	system("umount -l /tmp/reach");
}
