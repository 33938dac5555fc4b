// SPDX-License-Identifier: GPL-2.0
/*
 * The group ksm beside what the kernel's own counters say of loads that are known:
 * /sys/kernel/mm/ksm, and cow_ksm of /proc/vmstat.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

#define KSM	"/sys/kernel/mm/ksm/"
#define TRACE	"/tmp/ksm.trace"
#define KNOWN	"/tmp/ksm.known"
/* While it is there, processes stay that have merged pages. */
#define STAY	"/tmp/ksm.stay"

/* --- what is recorded: "cowtest load ksm" --------------------------------------- */

static struct turn ready;

static char *merged(size_t pages, int fill)
{
	char *mem = map_pages(pages);

	memset(mem, fill, pages * PAGE);
	need(ksm_merge(mem, pages), "no KSM");
	return mem;
}

/* So that no two of them are alike again. */
static void write_apart(char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		poke(mem + i * PAGE, i + 1);
}

static void stay(void)
{
	turn_give(&ready);
	while (!access(STAY, F_OK))
		sleep_ms(20);
}

/* Sleeps until ksmd has been everywhere twice more. */
static void settle(void)
{
	char text[32] = "";
	long long first, now;

	need(!file_write(KSM "run", "1"), "KSM cannot be started");
	file_read(KSM "full_scans", text, sizeof(text));
	first = strtoll(text, NULL, 10);
	do {
		sleep_ms(5);
		file_read(KSM "full_scans", text, sizeof(text));
		now = strtoll(text, NULL, 10);
	} while (now < first + 3);
	need(!file_write(KSM "run", "0"), "KSM cannot be stopped");
}

static void writes(void *unused)
{
	(void)unused;
	write_apart(merged(64, 0xa1), 20);
	stay();
}

static void last_user(void *unused)
{
	(void)unused;
	write_apart(merged(2, 0xa2), 2);
	stay();
}

static void unmerges(void *unused)
{
	char *mem = merged(16, 0xa3);

	(void)unused;
	need(!madvise(mem, 16 * PAGE, MADV_UNMERGEABLE), "MADV_UNMERGEABLE: %s", strerror(errno));
	stay();
}

static void pins(void *unused)
{
	char *mem = merged(5, 0xa4), *to = map_pages(5);

	(void)unused;
	touch(to, 5);
	pin_pages(mem, 5, to);
	stay();
}

static void writes_from_afar(void *unused)
{
	char *mem = merged(4, 0xa5), i;
	int fd = open("/proc/self/mem", O_WRONLY);

	(void)unused;
	for (i = 0; i < 3; i++)
		need(pwrite(fd, &i, 1, (off_t)(mem + i * PAGE)) == 1, "/proc/self/mem: %s",
		     strerror(errno));
	close(fd);
	stay();
}

static char *of_parent;

static void writes_as_child(void *unused)
{
	(void)unused;
	settle();
	write_apart(of_parent, 3);
	stay();
}

static void forks(void *unused)
{
	struct turn parent = ready;
	pid_t pid;

	(void)unused;
	of_parent = merged(8, 0xa6);
	turn_init(&ready);
	pid = child(writes_as_child, NULL);
	turn_wait(&ready);
	ready = parent;
	stay();
	child_wait(pid);
}

static void writes_at_once(void *unused)
{
	(void)unused;
	write_apart(of_parent, 2);
	stay();
}

/* While ksmd rests: it has not seen yet that there is a child. */
static void forks_unseen(void *unused)
{
	struct turn parent = ready;
	pid_t pid;

	(void)unused;
	of_parent = merged(7, 0xaa);
	turn_init(&ready);
	pid = child(writes_at_once, NULL);
	turn_wait(&ready);
	ready = parent;
	stay();
	child_wait(pid);
}

static void ends(void *unused)
{
	(void)unused;
	merged(12, 0xa7);
	turn_give(&ready);
}

static void unmaps(void *unused)
{
	char *mem = merged(6, 0xa8);

	(void)unused;
	need(!munmap(mem, 6 * PAGE), "munmap: %s", strerror(errno));
	stay();
}

static void zeros(void *unused)
{
	char *mem;

	(void)unused;
	need(!file_write(KSM "use_zero_pages", "1"), "no use_zero_pages");
	mem = merged(10, 0);
	file_write(KSM "use_zero_pages", "0");
	write_apart(mem, 4);
	stay();
}

static long long number_in(const char *path)
{
	char text[32] = "";

	return file_read(path, text, sizeof(text)) > 0 ? strtoll(text, NULL, 10) : -1;
}

static void tell_counters(long long cow_ksm)
{
	printf("shared %lld\n", number_in(KSM "pages_shared"));
	printf("sharing %lld\n", number_in(KSM "pages_sharing"));
	printf("zero %lld\n", number_in(KSM "ksm_zero_pages"));
	printf("cow_ksm %lld\n", cow_ksm < 0 ? -1 : value_in("/proc/vmstat", "cow_ksm") - cow_ksm);
	fflush(stdout);
}

static void set_ksm(void)
{
	file_write(KSM "pages_to_scan", "1000");
	/* It makes ksmd pass over pages for some scans. */
	file_write(KSM "smart_scan", "0");
}

static void let(void (*do_it)(void *))
{
	turn_init(&ready);
	child(do_it, NULL);
	turn_wait(&ready);
}

void ksm_load(void)
{
	long long cow_ksm = value_in("/proc/vmstat", "cow_ksm");

	set_ksm();
	let(writes);
	let(last_user);
	let(unmerges);
	let(pins);
	let(writes_from_afar);
	let(forks);
	let(forks_unseen);
	let(ends);
	let(unmaps);
	let(zeros);
	settle();
	tell_counters(cow_ksm);
}

static void merges_alone(void *unused)
{
	(void)unused;
	merged(9, 0xa9);
	stay();
}

/* Of a whole process, where the kernel has that. */
static void merges_all(void *unused)
{
	(void)unused;
	if (!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0)) {
		merged(7, 0xab);
		need(!prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0), "PR_SET_MEMORY_MERGE: %s",
		     strerror(errno));
		printf("whole 1\n");
		fflush(stdout);
	}
	stay();
}

void ksm_off_load(void)
{
	long long cow_ksm = value_in("/proc/vmstat", "cow_ksm");

	set_ksm();
	let(merges_all);
	let(merges_alone);
	need(!file_write(KSM "run", "2"), "KSM cannot be switched off");
	file_write(KSM "run", "0");
	tell_counters(cow_ksm);
}

/* --- what the command makes of it ------------------------------------------------------ */

static char json[1 << 20];

static void traced(const char *load)
{
	char command[256];
	int status, fd = open(STAY, O_CREAT | O_WRONLY, 0600);

	need(fd >= 0, "no " STAY);
	close(fd);
	snprintf(command, sizeof(command),
		 "cowtrace record -q --group ksm -o " TRACE
		 " -- /usr/libexec/cowtrace/cowtest load %s >" KNOWN, load);
	status = system(command);
	unlink(STAY);
	need(!status, "%s ended with %#x", command, status);
}

/* Moves over what was made readable. */
static void reported(const char *options)
{
	char command[128], *from = json, *to = json;

	snprintf(command, sizeof(command), "cowtrace report --json %s " TRACE, options);
	output_of(command, json, sizeof(json));
	for (; *from; from++)
		if (*from != ' ' && *from != '\n')
			*to++ = *from;
	*to = '\0';
}

static long long known(const char *name)
{
	return value_in(KNOWN, name);
}

/* Number @name in the object @part of the group, or of the group itself. */
static long long told(const char *part, const char *name)
{
	const char *at = strstr(json, "\"groups\":{\"ksm\":");
	char key[64];

	need(at, "no group in the report: %.200s", json);
	snprintf(key, sizeof(key), "\"%s\":{", part);
	at = *part ? strstr(at, key) : at;
	return json_number(at, name);
}

static long long ended(const char *cause)
{
	return told(cause, "merges");
}

static long long all_ended(void)
{
	static const char *const causes[] = { "write", "unshare", "remote", "unmerge", "off",
					      "undone", "exit", "unmapped" };
	long long sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(causes); i++)
		sum += ended(causes[i]);
	return sum;
}

/* The kernel's own counts against ours. */
static void judge_sums(const char *prefix)
{
	long long shared = known("shared"), sharing = known("sharing");
	long long merges = told("merges", "all"), attempts;
	char name[64];

	note("%s: merges %lld - ended %lld = still %lld = pages_shared %lld + pages_sharing %lld",
	     prefix, merges, all_ended(), told("", "still"), shared, sharing);
	snprintf(name, sizeof(name), "%s-sum", prefix);
	check(merges > 0 && merges - all_ended() == shared + sharing &&
	      told("", "still") == shared + sharing && !told("", "lost"), name,
	      "merges - breaks - exits = pages_shared + pages_sharing, to the single page",
	      "%lld - %lld is not %lld + %lld (lost %lld)", merges, all_ended(), shared, sharing,
	      told("", "lost"));
	attempts = told("copies", "all") + told("copies", "raced") + told("copies", "oom");
	note("%s: cow_ksm %lld = copies %lld + raced %lld + oom %lld", prefix, known("cow_ksm"),
	     told("copies", "all"), told("copies", "raced"), told("copies", "oom"));
	snprintf(name, sizeof(name), "%s-cow-ksm", prefix);
	if (known("cow_ksm") < 0)
		skip(name, "no cow_ksm in /proc/vmstat of this kernel");
	else
		check(attempts == known("cow_ksm"), name,
		      "cow_ksm = write and unshare attempts on KSM pages", "%lld, %lld",
		      known("cow_ksm"), attempts);
}

static void judge_causes(bool pins_unshare)
{
	check(ended("write") == 20 + 2 + 3, "write", "each page that was written, parent or child",
	      "%lld", ended("write"));
	check(ended("unmerge") == 16, "unmerge", "each page that MADV_UNMERGEABLE took apart",
	      "%lld", ended("unmerge"));
	check(ended("unshare") == (pins_unshare ? 5 : 0), "unshare",
	      "each page that was pinned for reading, where the kernel unshares", "%lld",
	      ended("unshare"));
	check(ended("remote") == 3, "remote", "each page written through /proc/PID/mem", "%lld",
	      ended("remote"));
	check(ended("exit") == 12, "exit", "those of a process that ended", "%lld", ended("exit"));
	check(ended("unmapped") == 6, "unmapped", "those that were unmapped", "%lld",
	      ended("unmapped"));
	check(told("merges", "inherited") == 8 + 5, "inherited", "what a child had from fork",
	      "%lld", told("merges", "inherited"));
	check(told("write", "others") == 2, "others",
	      "what a child wrote before ksmd came by ends no merge that was counted", "%lld",
	      told("write", "others"));
	/* Of pages of one content that are all broken the last has one user. */
	check(told("copies", "one_user") == 1 + 1 + pins_unshare, "one-user",
	      "the last user of a content is told", "%lld", told("copies", "one_user"));
}

/* The core's records of the same copies, all of pages that had no reference but these. */
static void judge_holders(bool kernel_unshares)
{
	const char *at = strstr(json, "\"reason\":\"ksm\"");
	/* break_ksm() held one during its own fault, until it unshared. */
	long long others = kernel_unshares ? 0 : 16;

	at = at ? strstr(at, "\"held\":{") : NULL;
	note("holders: total %lld = mappings %lld + unattributed %lld", json_number(at, "total"),
	     json_number(at, "mappings"), json_number(at, "unattributed"));
	check(at && json_number(at, "total") == json_number(at, "mappings") + others &&
	      json_number(at, "unattributed") == others, "keyhole",
	      "the stable tree is no holder of a KSM page", "%.200s", at ?: "no holders");
}

static void judge_zeros(void)
{
	note("zero pages: merged %lld, copied %lld, still %lld; ksm_zero_pages %lld",
	     told("zero", "merges"), told("zero", "copies"), told("zero", "still"), known("zero"));
	check(told("zero", "merges") == 10, "zero-merges", "zero pages are apart", "%lld",
	      told("zero", "merges"));
	if (known("zero") < 0)
		check(strstr(strstr(json, "\"zero\":{"), "\"copies\":null"), "zero-unmarked",
		      "a kernel that does not mark them tells no copies", "%.200s",
		      strstr(json, "\"zero\":{"));
	else
		check(told("zero", "copies") == 4 && told("zero", "still") == known("zero"),
		      "zero-still", "merged - copied = ksm_zero_pages", "%lld - %lld, %lld",
		      told("zero", "merges"), told("zero", "copies"), known("zero"));
}

static void judge_tree(void)
{
	static char stats[1 << 16];
	long long added, removed;

	/* The module is loaded still, with the counts of the last run. */
	need(cow_read("groups/ksm/stats", stats, sizeof(stats)) > 0, "no stats of the group");
	added = value_in(COW_DIR "/groups/ksm/stats", "items_added");
	removed = value_in(COW_DIR "/groups/ksm/stats", "items_removed");
	check(added > 0 && added - removed == known("shared") + known("sharing"), "tree",
	      "items of the stable tree, added - removed = pages_shared + pages_sharing",
	      "%lld - %lld, %lld + %lld", added, removed, known("shared"), known("sharing"));
	check(strstr(stats, "\nlayout proven\n"), "layout", "the layout of the items is proven",
	      "%.100s", stats);
}

static void judge_vain(void)
{
	long long accessed = ended("write") + ended("unshare") + ended("remote");

	reported("--in-vain 1000");
	check(told("in_vain", "merges") == accessed && told("in_vain", "copy_ns") > 0, "in-vain",
	      "all that an access broke was in vain where it must have lasted 1000 s",
	      "%lld of %lld", told("in_vain", "merges"), accessed);
	reported("--in-vain 0.000000001");
	check(!told("in_vain", "merges"), "not-in-vain", "and none where a ns was enough", "%lld",
	      told("in_vain", "merges"));
}

void run_ksm(void)
{
	bool pins_unshare;

	if (access(KSM "run", F_OK)) {
		skip("ksm", "no KSM in this kernel");
		return;
	}
	module_start(256);
	pins_unshare = kernel_traits() & COWTRACE_TRAIT_EXCLUSIVE;
	traced("ksm");
	reported("");
	judge_sums("load");
	judge_tree();
	judge_causes(pins_unshare);
	judge_zeros();
	/* With is_ksm_zero_pte() came break_ksm() by FAULT_FLAG_UNSHARE. */
	judge_holders(known("zero") >= 0);
	judge_vain();
	traced("ksm-off");
	reported("");
	judge_sums("off");
	check(ended("off") == 9 && !known("shared"), "off",
	      "each page that switching KSM off took apart", "%lld", ended("off"));
	if (known("whole") < 0)
		skip("whole", "no PR_SET_MEMORY_MERGE in this kernel");
	else
		check(ended("unmerge") >= 7, "whole",
		      "those of a process that had PR_SET_MEMORY_MERGE, and gave it up", "%lld",
		      ended("unmerge"));
}
