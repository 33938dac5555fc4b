// SPDX-License-Identifier: GPL-2.0
/*
 * WRITES (20000) mutated values written to all files of the module, settings or not, by one
 * process first, then by two at once, while pages are copied and reused under whatever
 * that sets. All from one seed: WRITES_SEED, else a random one, which is printed. On
 * kernels with KCOV a value that led to new code of the module is kept, and changed further.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cover.h"
#include "lib.h"
#include "mutate.h"
#include "security.h"

#define LOAD_PAGES	16
#define REST_MS		20
/* To switch something takes a thousand times what another write takes. */
#define SELDOM		16
#define COUNTED		64

/* What came of the writes, in memory that the writers share. */
static struct outcome {
	unsigned long long	writes;
	unsigned long long	accepted[COW_FILES], refused[COW_FILES];
	unsigned long long	with[256];
	unsigned long long	changed, unlike, results_took, strange;
	char			first_changed[400], first_unlike[400], first_strange[200];
} *outcome;

static uint64_t seed;
static struct value value;
/* The last byte that can be read is followed by none. */
static char *brink;

/* --- one write ------------------------------------------------------------------------------ */

#define AS_IT_IS	3

/* In one go, in two parts, from where not all can be read, or not at the beginning. */
static ssize_t put(int fd, uint64_t how)
{
	struct iovec parts[2];
	size_t half = value.size / 2;

	/* No bytes in two parts would be taken by the kernel, which asks nobody. */
	switch (value.size ? how % 64 : AS_IT_IS) {
	case 0:
		parts[0] = (struct iovec){ value.text, half };
		parts[1] = (struct iovec){ value.text + half, value.size - half };
		return writev(fd, parts, 2);
	case 1:
		half = half < PAGE ? half : PAGE;
		memcpy(brink + PAGE - half, value.text, half);
		return write(fd, brink + PAGE - half, half + 1);
	case 2:
		lseek(fd, 1 + how % 1000, SEEK_SET);
		return write(fd, value.text, value.size);
	default:
		return write(fd, value.text, value.size);
	}
}

static int put_to(const struct cow_file *f, uint64_t how)
{
	int fd = open(f->path, O_WRONLY | O_CLOEXEC), err = -errno;
	ssize_t n;

	if (fd < 0)
		return err;
	cover_reset();
	n = put(fd, how);
	err = n < 0 ? -errno : 0;
	if (cover_new())
		mutate_keep(&value, f - cow_files);
	close(fd);
	return err;
}

static ssize_t get(const struct cow_file *f, char *text, size_t size)
{
	ssize_t n = file_read(f->path, text, size);

	need(n >= 0, "reading %s: %s", f->name, strerror(-n));
	return n;
}

/* Groups end by themselves when their time is over. */
static bool by_itself(const struct cow_file *f)
{
	return !strncmp(f->name, "groups/", 7) && strstr(f->name, "/enabled");
}

static bool switches(const struct cow_file *f)
{
	return strstr(f->name, "enabled");
}

/* What it says can be written to it, and it goes on to say so. */
static void written_back(const struct cow_file *f)
{
	char before[2048], after[2048];
	ssize_t n = get(f, before, sizeof(before));
	int err;

	/* Several were added: they are not added at once. */
	if (!n || (!strcmp(f->name, "filter/tree") && strcmp(before, "any\n")))
		return;
	err = file_write(f->path, before);
	if (!err && get(f, after, sizeof(after)) == n && !memcmp(before, after, n))
		return;
	if (!outcome->unlike++)
		snprintf(outcome->first_unlike, sizeof(outcome->first_unlike),
			 "%s says \"%.100s\", and then, with %s, \"%.100s\"", f->name, before,
			 err ? strerror(-err) : "no error", err ? "" : after);
}

static void unchanged(const struct cow_file *f, const char *before, ssize_t n, int err)
{
	char after[2048];

	if (get(f, after, sizeof(after)) == n && !memcmp(before, after, n))
		return;
	if (!outcome->changed++)
		snprintf(outcome->first_changed, sizeof(outcome->first_changed),
			 "%s refused %zu bytes \"%.60s\" with %s and went from \"%.60s\" to \"%.60s\"",
			 f->name, value.size, value.text, strerror(-err), before, after);
}

static bool documented(const struct cow_file *f, int err)
{
	static const int errors[] = {
		EINVAL, ERANGE, EBUSY, ESRCH, E2BIG, EOPNOTSUPP, ENOMEM, EFAULT,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (err == -errors[i])
			return true;
	/* Each size of the buffers has files of its own. */
	return err == -ENOENT && !strncmp(f->name, "cpu", 3);
}

static void count_refused(const struct cow_file *f, int err)
{
	size_t i = f - cow_files;

	__atomic_add_fetch(&outcome->refused[i], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&outcome->with[-err & 255], 1, __ATOMIC_RELAXED);
	if (!documented(f, err) && !outcome->strange++)
		snprintf(outcome->first_strange, sizeof(outcome->first_strange), "%s: %s", f->name,
			 strerror(-err));
}

/* @alone: nobody else writes, so that what is read before and after can be compared. */
static void write_value(const struct cow_file *f, uint64_t how, bool alone)
{
	bool set = cow_file_set(f), compare = alone && set && !by_itself(f);
	char before[2048] = "";
	ssize_t n = compare ? get(f, before, sizeof(before)) : 0;
	int err;

	__atomic_add_fetch(&outcome->writes, 1, __ATOMIC_RELAXED);
	err = put_to(f, how);
	if (err) {
		count_refused(f, err);
		if (compare)
			unchanged(f, before, n, err);
		return;
	}
	__atomic_add_fetch(&outcome->accepted[f - cow_files], 1, __ATOMIC_RELAXED);
	if (!set)
		outcome->results_took++;
	if (compare && strcmp(f->name, "reset"))
		written_back(f);
}

/*
 * What is taken, and what nearly is, as it is. Without KCOV only these are known to lead
 * somewhere, and are changed further.
 */
static void seeds(void)
{
	static const struct {
		const char	*file;
		const char	*values[6];
	} known[] = {
		{ "enabled",		{ "0", "1", "2" } },
		{ "reset",		{ "1", "0" } },
		{ "seconds",		{ "0", "1", "60", "3600", "3601" } },
		{ "buffer_kb",		{ "64", "128", "512", "63", "96" } },
		{ "sample_every",	{ "1", "2", "1000", "4294967295", "0" } },
		{ "witness",		{ "auto", "on", "off", "of" } },
		{ "mode",		{ "records", "counts", "count" } },
		{ "durations",		{ "0", "1", "2" } },
		{ "processes",		{ "0", "1", "2" } },
		{ "policies",		{ "0", "1", "2" } },
		{ "pid",		{ "any", "1", "33", "-1" } },
		{ "tgid",		{ "any", "1", "33", "-1" } },
		{ "uid",		{ "any", "0", "33", "-1" } },
		{ "comm",		{ "any", "cowtest", "redis server" } },
		{ "tree",		{ "any", "1", "2", "0" } },
		{ "outcome",		{ "any", "copy", "reuse,copy", "unknown", "copy," } },
		{ "reason",		{ "any", "mapped", "zero,ksm,file", "lru", "file,any" } },
		{ "min_duration_ns",	{ "0", "1", "1000", "4294967295", "4294967296" } },
	};
	size_t i, k, v;

	for (i = 0; i < nr_cow_files; i++)
		for (k = 0; k < ARRAY_SIZE(known); k++) {
			if (strcmp(strrchr(cow_files[i].path, '/') + 1, known[k].file))
				continue;
			for (v = 0; v < ARRAY_SIZE(known[k].values) && known[k].values[v]; v++) {
				value.size = strlen(known[k].values[v]);
				memcpy(value.text, known[k].values[v], value.size);
				mutate_keep(&value, i);
				write_value(&cow_files[i], AS_IT_IS, true);
			}
		}
}

static void write_many(unsigned long long writes, uint64_t random, bool alone)
{
	while (writes) {
		const struct cow_file *f = &cow_files[next_random(&random) % nr_cow_files];

		/* Twice as often what is a setting. */
		if (!cow_file_set(f) && next_random(&random) % 2)
			continue;
		if (switches(f) && next_random(&random) % SELDOM)
			continue;
		mutate_make(&value, &random, f - cow_files);
		write_value(f, next_random(&random), alone);
		writes--;
	}
}

/* --- the suite -------------------------------------------------------------------------- */

static unsigned long long writes_asked(void)
{
	return asked("WRITES", 20000);
}

unsigned int mutated_seconds(void)
{
	return writes_asked() / 20;
}

static void load(void *unused)
{
	char *mem = map_pages(LOAD_PAGES);

	(void)unused;
	touch(mem, LOAD_PAGES);
	for (;;) {
		fork_write(mem, LOAD_PAGES);
		sleep_ms(REST_MS);
	}
}

static void second(void *writes)
{
	on_cpu(1);
	cover_begin();
	write_many(*(unsigned long long *)writes, ~seed, false);
}

static void take_seed(void)
{
	seed = asked_seed("WRITES_SEED");
	note("WRITES_SEED=%#llx WRITES=%llu", (unsigned long long)seed, writes_asked());
}

static void report(void)
{
	unsigned long long all = 0, took = 0;
	const char *idle = NULL;
	char errors[512] = "";
	size_t i;

	for (i = 0; i < nr_cow_files; i++) {
		const struct cow_file *f = &cow_files[i];

		all += outcome->accepted[i] + outcome->refused[i];
		took += outcome->accepted[i];
		/* khugepaged's tracepoint or KSM may be missing: then it cannot be switched on. */
		if (cow_file_set(f) && !switches(f) &&
		    (!outcome->accepted[i] || !outcome->refused[i]))
			idle = f->name;
	}
	for (i = 0; i < ARRAY_SIZE(outcome->with); i++)
		if (outcome->with[i])
			snprintf(errors + strlen(errors), sizeof(errors) - strlen(errors),
				 ", %llu with %s", outcome->with[i], strerrorname_np(i));
	note("%llu writes, %llu taken, %llu refused%s", all, took, all - took, errors);
	if (cover_there())
		check(cover_edges() && mutate_kept(), "kcov",
		      "values that run new code of the module are kept, and mutated further",
		      "%u edges, %zu values kept", cover_edges(), mutate_kept());
	if (cover_edges())
		note("%u edges of the module, %zu values kept", cover_edges(), mutate_kept());
	check(all == outcome->writes && all > writes_asked(), "answered",
	      "each mutated write is taken or refused", "%llu of %llu", all, outcome->writes);
	check(!idle, "both", "each setting took some and refused some", "%s did not", idle);
	check(!outcome->strange, "errors",
	      "what is refused is refused with an errno that is documented",
	      "%llu are not, the first is %s", outcome->strange, outcome->first_strange);
	check(!outcome->changed, "unchanged", "what was refused has changed nothing",
	      "%llu times it has: %s", outcome->changed, outcome->first_changed);
	check(!outcome->unlike, "written-back", "what a setting says can be written to it again",
	      "%llu times it cannot: %s", outcome->unlike, outcome->first_unlike);
	check(!outcome->results_took, "results", "what is no setting takes nothing", "%llu writes",
	      outcome->results_took);
}

/* Whatever was set: what it is by default counts as it should. */
static void still_counts(void)
{
	static const char * const any[] = {
		"pid", "tgid", "uid", "comm", "tree", "outcome", "reason",
	};
	struct held_child c;
	static struct stats s;
	char name[64];
	size_t i;

	disable();
	for (i = 0; i < nr_cow_files; i++)
		if (by_itself(&cow_files[i]))
			need(!file_write(cow_files[i].path, "0"), "%s", cow_files[i].name);
	for (i = 0; i < ARRAY_SIZE(any); i++) {
		snprintf(name, sizeof(name), "filter/%s", any[i]);
		need(!cow_write(name, "any"), "%s", name);
	}
	need(!cow_write("witness", "auto") && !cow_write("filter/min_duration_ns", "0") &&
	     !cow_write("sample_every", "1") &&
	     !cow_write("mode", "counts") && !cow_write("reset", "1"), "the defaults");
	c = child_held(pattern, NULL);
	snprintf(name, sizeof(name), "%d", c.pid);
	need(!cow_write("filter/tree", name), "filter/tree");
	enable();
	child_go(&c);
	need(!child_wait(c.pid), "the pattern failed");
	disable();
	stats_read(&s);
	check(s.sum.counted >= 2 * 8192 && s.sum.counted <= 2 * 8192 + 100, "counts",
	      "and the faults of a known pattern are counted", "%llu", s.sum.counted);
}

void run_mutated(void)
{
	unsigned long long writes = writes_asked(), half = writes / 2, quarter = half / 2;
	pid_t loaded, other;

	take_seed();
	outcome = map_shared(sizeof(*outcome));
	brink = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(brink != MAP_FAILED && !munmap(brink + PAGE, PAGE), "no page alone");
	module_start(64);
	cow_files_find();
	loaded = child(load, NULL);
	on_cpu(0);
	cover_init("cowtrace");
	cover_begin();
	seeds();
	write_many(half, seed, true);
	other = child(second, &quarter);
	write_many(writes - half - quarter, seed ^ 0x5eed, false);
	need(!child_wait(other), "the second writer failed");
	child_kill(loaded);
	report();
	still_counts();
}
