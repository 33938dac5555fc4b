// SPDX-License-Identifier: GPL-2.0
/*
 * cowtrace duplicates: a planted set of pages that are alike is found, none missed, none
 * invented, and nothing is read that is not in the page cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"

#define PLACE	"/mnt/alike"
#define COMMAND	"cowtrace duplicates --json --top 400 " PLACE " /tmp/alike"

/* Content number @id; no two are alike. */
static void fill(char *page, uint64_t id)
{
	uint64_t state = id + 1, word;
	size_t i;

	for (i = 0; i < PAGE; i += sizeof(word)) {
		word = next_random(&state);
		memcpy(page + i, &word, sizeof(word));
	}
}

static int file_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	need(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

static void add(int fd, const char *page, size_t size)
{
	need(write(fd, page, size) == (ssize_t)size, "write: %s", strerror(errno));
}

/* Contents @from to @to less one; a bit of each page is another one where @flip says so. */
static int contents(const char *path, uint64_t from, uint64_t to, bool flip)
{
	int fd = file_new(path);
	char page[PAGE];

	for (; from < to; from++) {
		fill(page, from);
		if (flip)
			page[from * 41 % PAGE] ^= 1 << from % 8;
		add(fd, page, PAGE);
	}
	need(!fsync(fd), "fsync: %s", strerror(errno));
	return fd;
}

static size_t resident(int fd, size_t pages)
{
	static unsigned char in[128];
	void *mem = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	size_t i, n = 0;

	need(mem != MAP_FAILED && !mincore(mem, pages * PAGE, in), "mincore: %s",
	     strerror(errno));
	for (i = 0; i < pages; i++)
		n += in[i] & 1;
	munmap(mem, pages * PAGE);
	return n;
}

static int dropped;

/* 326 pages in the page cache; 63 of them are there again, see the claims. */
static void plant(void)
{
	static const char zeros[3 * PAGE];
	char page[PAGE];
	int fd;

	contents(PLACE "/one", 0, 100, false);
	contents(PLACE "/two", 50, 150, false);
	contents(PLACE "/nearly", 0, 100, true);
	need(!link(PLACE "/one", PLACE "/same"), "link: %s", strerror(errno));
	fd = contents("/tmp/alike/memory", 200, 210, false);
	for (int i = 200; i < 210; i++) {
		fill(page, i);
		add(fd, page, PAGE);
	}
	add(fd, zeros, sizeof(zeros));
	fill(page, 0);
	/* What is behind the end of a file is zero in the page cache. */
	add(fd, page, 100);
	fill(page, 300);
	/* In tmpfs: ext4 with small blocks does not read the rest of a page that it writes to. */
	add(file_new("/tmp/alike/short"), page, 100);
	memset(page + 100, 0, PAGE - 100);
	add(file_new(PLACE "/padded"), page, PAGE);
	dropped = contents(PLACE "/dropped", 0, 100, false);
	sync();
	lru_drain();
	need(!posix_fadvise(dropped, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise: %s",
	     strerror(errno));
}

static void found(const char *text, const char *sum, long long pages, const char *name,
		  const char *claim)
{
	char key[32];
	long long n;

	snprintf(key, sizeof(key), "\"%s\":{", sum);
	n = json_number(strstr(text, key), "pages");
	check(n == pages, name, claim, "%lld instead of %lld", n, pages);
}

void run_duplicates(void)
{
	static char text[1 << 18];
	size_t before;

	need(ext4_on_mnt(), "no ext4 on /mnt: start the guest with --disk");
	need(!system("rm -rf " PLACE "; mkdir -p " PLACE " /tmp/alike"), "no " PLACE);
	need(!system("mount -t tmpfs none /tmp/alike"), "no tmpfs");
	plant();
	before = resident(dropped, 100);
	need(!before, "%zu pages of a file stay in the page cache", before);
	output_of(COMMAND, text, sizeof(text));
	check(json_number(text, "resident") == 326 && json_number(text, "compared") == 326,
	      "compared", "each page in the page cache is compared, that of a hard link once",
	      "%lld resident, %lld compared", json_number(text, "resident"),
	      json_number(text, "compared"));
	found(text, "across", 51, "across",
	      "all pages that two files have are found, a padded one too, and no other");
	found(text, "within", 10, "within",
	      "all pages that a file has twice are found, and no other");
	found(text, "zero", 2, "zero", "pages of zeros stand apart");
	check(json_number(text, "distinct") == 326 - 63, "distinct",
	      "pages that differ in one bit are no duplicates", "%lld contents",
	      json_number(text, "distinct"));
	check(!resident(dropped, 100), "dropped", "nothing is read that is not in the page cache",
	      "%zu pages came", resident(dropped, 100));
	system("umount -l /tmp/alike; rm -rf " PLACE);
}
