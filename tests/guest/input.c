// SPDX-License-Identifier: GPL-2.0
/* What the settings refuse: the errno, nothing changed, and a line in the log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

/* The kernel prints ten refusals in five seconds and keeps the rest to itself. */
#define BURST		10
#define INTERVAL_MS	5100
#define REFUSALS	500

struct bad {
	const char	*file;
	const char	*text;
	int		err;
	/* Not strlen(text): NUL bytes are part of it. */
	size_t		size;
};

#define BAD(file, text, err)	{ file, text, err, sizeof(text) - 1 }

static char long_text[300];

static const struct bad bads[] = {
	BAD("enabled", "", EINVAL),
	BAD("enabled", "\n", EINVAL),
	BAD("enabled", "2", EINVAL),
	BAD("enabled", "-1", EINVAL),
	BAD("enabled", "on", EINVAL),
	BAD("enabled", "1 1", EINVAL),
	BAD("enabled", "1\0", EINVAL),
	BAD("enabled", "\0001", EINVAL),
	BAD("reset", "0", EINVAL),
	BAD("reset", "yes", EINVAL),
	BAD("reset", "", EINVAL),
	BAD("buffer_kb", "", EINVAL),
	BAD("buffer_kb", "0", EINVAL),
	BAD("buffer_kb", "-64", EINVAL),
	BAD("buffer_kb", "63", EINVAL),
	BAD("buffer_kb", "32", EINVAL),
	BAD("buffer_kb", "96", EINVAL),
	BAD("buffer_kb", "131072", EINVAL),
	BAD("buffer_kb", "64k", EINVAL),
	BAD("buffer_kb", "0x40", EINVAL),
	BAD("buffer_kb", "4294967360", ERANGE),
	BAD("buffer_kb", "99999999999999999999", ERANGE),
	BAD("sample_every", "0", EINVAL),
	BAD("sample_every", "-1", EINVAL),
	BAD("sample_every", "", EINVAL),
	BAD("sample_every", "ten", EINVAL),
	BAD("sample_every", "1.5", EINVAL),
	BAD("sample_every", "4294967296", ERANGE),
	BAD("witness", "au", EINVAL),
	BAD("witness", "automatic", EINVAL),
	BAD("witness", "1", EINVAL),
	BAD("witness", "", EINVAL),
	BAD("policies", "", EINVAL),
	BAD("policies", "2", EINVAL),
	BAD("policies", "all", EINVAL),
	BAD("policies", "0 1", EINVAL),
	BAD("filter/pid", "", EINVAL),
	BAD("filter/pid", "-1", EINVAL),
	BAD("filter/pid", "all", EINVAL),
	BAD("filter/pid", "12 13", EINVAL),
	BAD("filter/pid", "1\0002", EINVAL),
	BAD("filter/pid", "2147483648", ERANGE),
	BAD("filter/pid", "99999999999999999999", ERANGE),
	BAD("filter/tgid", "ANY", EINVAL),
	BAD("filter/tgid", "-5", EINVAL),
	BAD("filter/tgid", "4294967295", ERANGE),
	BAD("filter/uid", "root", EINVAL),
	BAD("filter/uid", "-1", EINVAL),
	BAD("filter/uid", "4294967295", ERANGE),
	BAD("filter/comm", "", EINVAL),
	BAD("filter/comm", "\n", EINVAL),
	BAD("filter/comm", "sixteen-bytes-is", EINVAL),
	BAD("filter/comm", "redis\0server", EINVAL),
	BAD("filter/tree", "", EINVAL),
	BAD("filter/tree", "-1", EINVAL),
	BAD("filter/tree", "none", EINVAL),
	BAD("filter/tree", "0", ESRCH),
	BAD("filter/tree", "4194304", ESRCH),
	BAD("filter/tree", "99999999999", ERANGE),
	BAD("filter/outcome", "", EINVAL),
	BAD("filter/outcome", "copied", EINVAL),
	BAD("filter/outcome", "copy,", EINVAL),
	BAD("filter/outcome", ",copy", EINVAL),
	BAD("filter/outcome", "copy reuse", EINVAL),
	BAD("filter/outcome", "copy,any", EINVAL),
	BAD("filter/outcome", "cop", EINVAL),
	BAD("filter/reason", "mapped,", EINVAL),
	BAD("filter/reason", "7", EINVAL),
	BAD("filter/reason", "", EINVAL),
	BAD("filter/min_duration_ns", "-1", EINVAL),
	BAD("filter/min_duration_ns", "1us", EINVAL),
	BAD("filter/min_duration_ns", "", EINVAL),
	BAD("filter/min_duration_ns", "4294967296", ERANGE),
};

/* What each file holds while the bad values come, and what its log line says. */
static const struct {
	const char	*file;
	const char	*value;
	const char	*says;
} settings[] = {
	{ "enabled", NULL, "enabled accepts 0 or 1" },
	{ "reset", NULL, "reset accepts 1" },
	{ "buffer_kb", "512", "buffer_kb accepts a power of two from 64 to 65536" },
	{ "sample_every", "7", "sample_every accepts 1 to 4294967295" },
	{ "witness", "off", "witness accepts auto, on or off" },
	{ "policies", "1", "policies accepts 0 or 1" },
	{ "filter/pid", "4711", "pid accepts a thread id or any" },
	{ "filter/tgid", "4712", "tgid accepts a process id or any" },
	{ "filter/uid", "33", "uid accepts a user id or any" },
	{ "filter/comm", "redis-server", "comm accepts a command name" },
	{ "filter/tree", "1", "tree accepts the id of a running process" },
	{ "filter/outcome", "reuse,copy", "outcome accepts outcomes joined by commas" },
	{ "filter/reason", "mapped,zero", "reason accepts reasons joined by commas" },
	{ "filter/min_duration_ns", "1000", "min_duration_ns accepts 0 to 4294967295" },
};

static char state[16384];

/* All settings in one text: what must not change. */
static const char *all_settings(void)
{
	static char now[16384];
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		n += sprintf(now + n, "%s=", settings[i].file);
		if (strcmp(settings[i].file, "reset"))
			n += cow_read(settings[i].file, now + n, sizeof(now) - n);
	}
	return now;
}

static int write_to(const char *file, const char *text, size_t size)
{
	int fd = cow_open(file, O_WRONLY);
	ssize_t n = fd < 0 ? fd : write(fd, text, size);

	n = n < 0 && fd >= 0 ? -errno : n;
	if (fd >= 0)
		close(fd);
	return n < 0 ? n : 0;
}

static const char *printable(const struct bad *b)
{
	static char text[128];
	size_t i, n = 0;

	for (i = 0; i < b->size && n < 100; i++)
		n += sprintf(text + n, b->text[i] >= ' ' ? "%c" : "\\%o", b->text[i]);
	text[n] = '\0';
	return text;
}

static void table(void)
{
	char wrong[512] = "", changed[512] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bads); i++) {
		const struct bad *b = &bads[i];
		int err = write_to(b->file, b->text, b->size);

		if (err != -b->err && !*wrong)
			snprintf(wrong, sizeof(wrong), "'%s' to %s: %d instead of %d", printable(b),
				 b->file, err, -b->err);
		if (strcmp(state, all_settings()) && !*changed)
			snprintf(changed, sizeof(changed), "'%s' to %s", printable(b), b->file);
	}
	note("%zu bad values", ARRAY_SIZE(bads));
	check(!*wrong, "errno", "each bad value gets its errno", "%s", wrong);
	check(!*changed, "unchanged", "no bad value changes any setting", "%s", changed);
}

/* The same for every file: too long, a second write, a write in the middle. */
static void shapes(void)
{
	char long_wrong[64] = "", second_wrong[64] = "", offset_wrong[64] = "";
	size_t i;

	memset(long_text, '1', sizeof(long_text));
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		const char *name = settings[i].file, *value = settings[i].value;
		int fd;

		if (write_to(name, long_text, 257) != -EINVAL)
			strcpy(long_wrong, name);
		fd = cow_open(name, O_WRONLY);
		if (pwrite(fd, "1", 1, 1) != -1 || (errno != EINVAL && errno != ESPIPE))
			strcpy(offset_wrong, name);
		close(fd);
		if (!value || !strcmp(name, "filter/tree"))
			continue;
		/* The first half of a line is a value; the second half is none. */
		fd = cow_open(name, O_WRONLY);
		if (write(fd, value, strlen(value)) != (ssize_t)strlen(value) ||
		    write(fd, "1\n", 2) != -1 || errno != EINVAL)
			strcpy(second_wrong, name);
		close(fd);
	}
	check(!*long_wrong, "long", "more than 256 bytes are EINVAL for each setting", "%s",
	      long_wrong);
	check(!*second_wrong, "second", "a second write to the same opening is EINVAL", "%s",
	      second_wrong);
	check(!*offset_wrong, "offset", "a write in the middle is refused", "%s", offset_wrong);
	check(!strcmp(state, all_settings()), "shapes-unchanged", "none of these changes a setting",
	      "%s", all_settings());
}

static void read_only(void)
{
	static const char * const files[] = { "schema", "stats", "lost", "probes", "events",
					      "cpu0" };
	char wrong[128] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		int err = write_to(files[i], "1\n", 2);

		if (err != -EINVAL && err != -EACCES && err != -EBADF)
			snprintf(wrong, sizeof(wrong), "%s: %d", files[i], err);
	}
	check(!*wrong, "read-only", "a write to a result is refused", "%s", wrong);
}

/* One line for each setting, then a burst. First of all, while none has been printed. */
static void log_lines(void)
{
	int fd = log_open();
	char silent[256] = "";
	size_t i, n = 0, lines = 0, most;
	const char *log, *at;
	uint64_t begin;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		if (n++ == BURST - 1) {
			sleep_ms(INTERVAL_MS);
			n = 0;
		}
		write_to(settings[i].file, "no such value at all", 20);
		log = log_read(fd);
		if (!strstr(log, settings[i].says))
			snprintf(silent, sizeof(silent), "%s: %.150s", settings[i].file, log);
	}
	check(!*silent, "log", "the kernel log names what each setting accepts", "%s", silent);

	begin = now_ns();
	for (i = 0; i < REFUSALS; i++)
		write_to("enabled", "2", 1);
	/* As many intervals as this took, and those in which it began and ended. */
	most = BURST * (2 + (now_ns() - begin) / 1000000 / (INTERVAL_MS - 100));
	for (at = log_read(fd); (at = strstr(at, "enabled accepts")); at++)
		lines++;
	note("%d refusals in %llu ms: %zu lines", REFUSALS,
	     (unsigned long long)(now_ns() - begin) / 1000000, lines);
	check(lines >= 1 && lines <= most, "rate",
	      "many refusals write few lines: ten in five seconds", "%zu, at most %zu", lines,
	      most);
	close(fd);
}

static void busy(void)
{
	int cpu, running_buffer, running_reset, running_witness, running_policies;
	int open_buffer, open_reset;

	enable();
	running_buffer = write_to("buffer_kb", "64", 2);
	running_reset = write_to("reset", "1", 1);
	running_witness = write_to("witness", "auto", 4);
	running_policies = write_to("policies", "0", 1);
	disable();
	check(running_buffer == -EBUSY && running_reset == -EBUSY &&
	      running_witness == -EBUSY && running_policies == -EBUSY, "busy-running",
	      "buffer_kb, reset, witness and policies are EBUSY while tracing is on",
	      "%d %d %d %d", running_buffer, running_reset, running_witness, running_policies);
	cpu = cow_open("cpu1", O_RDONLY);
	open_buffer = write_to("buffer_kb", "64", 2);
	open_reset = write_to("reset", "1", 1);
	close(cpu);
	check(open_buffer == -EBUSY && open_reset == -EBUSY, "busy-open",
	      "buffer_kb and reset are EBUSY while a file cpuN is open", "%d %d", open_buffer,
	      open_reset);
	check(!strcmp(state, all_settings()), "busy-unchanged", "neither changes anything", "%s",
	      all_settings());
	check(!write_to("buffer_kb", "64", 2) && !write_to("reset", "1", 1) &&
	      !write_to("witness", "auto\n", 5) && !write_to("policies", "0\n", 2), "at-rest",
	      "all four are taken at rest", "refused");
}

#define MOST_SEEDS	64

static void full_tree(void)
{
	int log = log_open(), err = cow_write("filter/tree", "any"), i;

	for (i = 0; i < MOST_SEEDS && !err; i++)
		err = cow_write("filter/tree", "1");
	need(!err, "filter/tree does not take %d processes: %s", i, strerror(-err));
	err = cow_write("filter/tree", "1");
	check(err == -E2BIG && strstr(log_read(log), "write any to clear"), "tree-full",
	      "one process more than tree has room for: E2BIG and a sentence with the remedy",
	      "%s", strerror(-err));
	err = cow_write("filter/tree", "any") ?: cow_write("filter/tree", "1");
	check(!err, "tree-cleared", "it takes others once it was cleared", "%s", strerror(-err));
	need(!cow_write("filter/tree", "any"), "filter/tree does not take any");
	close(log);
}

static void nothing_in_reset(void)
{
	static char text[64];
	ssize_t n = cow_read("reset", text, sizeof(text));

	check(!n, "reset-read", "who may read reset all the same finds nothing in it", "%zd", n);
}

void run_input(void)
{
	size_t i;

	module_start(1024);
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].value)
			need(!cow_write(settings[i].file, settings[i].value), "%s does not take %s",
			     settings[i].file, settings[i].value);
	strcpy(state, all_settings());
	note("settings: %zu bytes of them are compared", strlen(state));
	log_lines();
	table();
	shapes();
	read_only();
	busy();
	full_tree();
	nothing_in_reset();
}
