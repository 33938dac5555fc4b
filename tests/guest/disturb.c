// SPDX-License-Identifier: GPL-2.0
/* Actors that disturb: settings, readers that are killed, CPUs and memory that come and go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disturb.h"

#define TRACE	"/mnt/storm.trace"
#define BLOCKS	"/sys/devices/system/memory"
/* For one that was asked to end. */
#define END_NS	30000000000ull
/* A block of memory that does not go in this time, in s, stays. */
#define OFFLINE_S	5

static const struct setting {
	const char	*file;
	/* The last ones are refused. */
	const char	*values[6];
} settings[] = {
	{ "enabled", { "1", "0", "1", "1", "0", "2" } },
	{ "sample_every", { "1", "2", "7", "100", "0", "x" } },
	{ "filter/outcome", { "any", "any", "copy", "reuse,copy", "", "nonsense" } },
	{ "filter/reason", { "any", "any", "any", "any", "", "nonsense" } },
	{ "filter/comm", { "any", "any", "fork", "swap", "", "a name of more than 15 bytes" } },
	{ "filter/uid", { "any", "any", "0", "1", "-1", "nobody" } },
	{ "filter/pid", { "any", "any", "any", "1", "-1", "4294967296" } },
	{ "filter/tree", { "any", "any", "1", "2", "-1", "0x" } },
	{ "filter/min_duration_ns", { "0", "0", "1000", "100000", "-1", "4294967296" } },
	{ "mode", { "records", "counts", "records", "counts", "", "both" } },
	{ "durations", { "1", "0", "1", "0", "2", "" } },
	{ "processes", { "1", "0", "1", "0", "2", "" } },
	{ "policies", { "1", "0", "1", "0", "2", "" } },
	{ "witness", { "auto", "on", "off", "auto", "", "perhaps" } },
	{ "reset", { "1", "1", "1", "1", "0", "" } },
	{ "groups/ksm/enabled", { "1", "0", "1", "0", "2", "" } },
	{ "groups/files/enabled", { "1", "0", "1", "0", "2", "" } },
	{ "groups/khugepaged/enabled", { "1", "0", "1", "0", "2", "" } },
	{ "groups/files/seconds", { "0", "1", "0", "1", "-1", "" } },
}, buffer = { "buffer_kb", { "64", "256", "1024", "512", "63", "131072" } };

/* What a setting may say: in use, wrong, and what keeps tracing from being switched on. */
static const int answers[] = { 0, -EBUSY, -EINVAL, -ERANGE, -EAGAIN, -ENODATA, -E2BIG, -ESRCH,
			       -EOPNOTSUPP };

struct disturbed *disturbed;

static void settings_step(struct life *l)
{
	const struct setting *s = &settings[life_below(l, ARRAY_SIZE(settings))];
	unsigned int nth = life_below(l, ARRAY_SIZE(s->values));
	/* Often: few of them come to pass, and a slow guest takes few steps. */
	bool resizes = !life_below(l, 4);
	const char *value;
	size_t i;
	int err;

	if (resizes) {
		s = &buffer;
		/* Only with tracing off, which it hardly ever is otherwise. */
		cow_write("enabled", "0");
	}
	value = s->values[nth];
	err = cow_write(s->file, value);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		if (err == answers[i])
			break;
	if (i == ARRAY_SIZE(answers) && !*disturbed->odd)
		snprintf(disturbed->odd, sizeof(disturbed->odd), "\"%s\" to %s: %s", value, s->file,
			 strerror(-err));
	if (err)
		disturbed->refused++;
	else
		disturbed->accepted++;
	disturbed->resized += !err && resizes;
	sleep_ms(life_below(l, 20));
}

/* A file below COW_DIR, of any CPU and group. */
static int open_some(struct life *l)
{
	static const char * const names[] = {
		"cpu%u", "cpu%u", "events", "stats", "counts", "lost", "probes", "schema",
		"groups/ksm/events", "groups/ksm/stats", "groups/khugepaged/events",
		"groups/khugepaged/probes", "groups/files/table", "groups/files/stats",
	};
	char name[64];

	snprintf(name, sizeof(name), names[life_below(l, ARRAY_SIZE(names))],
		 life_below(l, cpus_there()));
	return cow_open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static void read_on(struct life *l)
{
	static char buf[65536];
	int fds[4], i;

	for (;;) {
		for (i = 0; i < 4; i++)
			fds[i] = open_some(l);
		for (i = 0; i < 64; i++)
			if (read(fds[i % 4], buf, 1 + life_below(l, sizeof(buf))) < 0 &&
			    errno == EFAULT)
				_exit(2);
		for (i = 0; i < 4; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
}

static void kill_after(pid_t pid, unsigned int ms, int sig)
{
	uint64_t deadline;

	if (pid < 0)
		return;
	sleep_ms(ms);
	kill(pid, sig);
	deadline = now_ns() + END_NS;
	while (!waitpid(pid, NULL, WNOHANG)) {
		if (now_ns() > deadline)
			kill(pid, SIGKILL);
		sleep_ms(1);
	}
}

static void readers_step(struct life *l)
{
	pid_t pid = life_fork(l, read_on);

	kill_after(pid, life_below(l, 100), SIGKILL);
}

static void command(struct life *l)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		_exit(127);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	switch (life_below(l, 4)) {
	case 0:
		execlp("cowtrace", "cowtrace", "events", NULL);
		break;
	case 1:
		execlp("cowtrace", "cowtrace", "counts", NULL);
		break;
	case 2:
		execlp("cowtrace", "cowtrace", "run", "--", "true", NULL);
		break;
	}
	execlp("cowtrace", "cowtrace", "record", "-a", "-q", "-o", TRACE, NULL);
	_exit(127);
}

static void command_step(struct life *l)
{
	pid_t pid = life_fork(l, command);

	kill_after(pid, life_below(l, 1000), life_below(l, 2) ? SIGKILL : SIGINT);
	unlink(TRACE);
}

static void cpus_step(struct life *l)
{
	unsigned int cpu = 1 + life_below(l, cpus_there() - 1);

	disturbed->cpus += !cpu_plug(cpu, false);
	sleep_ms(life_below(l, 50));
	cpu_plug(cpu, true);
	sleep_ms(life_below(l, 200));
}

/* Blocks of memory that may go, because only what can move is in them. */
static unsigned int blocks[64];
static unsigned int nr_blocks;

static void blocks_list(void)
{
	DIR *d = opendir(BLOCKS);
	char path[320];
	struct dirent *e;

	while (d && (e = readdir(d)) && nr_blocks < ARRAY_SIZE(blocks)) {
		snprintf(path, sizeof(path), BLOCKS "/%s/valid_zones", e->d_name);
		if (sscanf(e->d_name, "memory%u", &blocks[nr_blocks]) == 1 &&
		    file_has(path, "Movable") && !file_has(path, "Normal") &&
		    !file_has(path, "DMA32"))
			nr_blocks++;
	}
	if (d)
		closedir(d);
}

static int block_set(unsigned int block, const char *state)
{
	char path[64];

	snprintf(path, sizeof(path), BLOCKS "/memory%u/state", block);
	return file_write(path, state);
}

static void enough(int signal)
{
	(void)signal;
}

/*
 * Refused with EBUSY while a page of it is pinned. 5.10 tries again until a signal comes,
 * and in vain where all of us run the code in it: each page is looked up all the time.
 */
static int block_take(unsigned int block)
{
	struct sigaction action = { .sa_handler = enough };
	int err;

	need(!sigaction(SIGALRM, &action, NULL), "sigaction");
	alarm(OFFLINE_S);
	err = block_set(block, "offline");
	alarm(0);
	return err;
}

static void memory_step(struct life *l)
{
	unsigned int block;

	if (!nr_blocks) {
		sleep_ms(100);
		return;
	}
	block = blocks[life_below(l, nr_blocks)];
	if (block_take(block)) {
		disturbed->kept++;
	} else {
		disturbed->blocks++;
		sleep_ms(life_below(l, 50));
		need(!block_set(block, "online_movable"), "memory%u does not come back", block);
	}
	sleep_ms(life_below(l, 500));
}

const struct actor disturbers[DISTURBERS] = {
	{ "settings", settings_step, NULL, 1 },
	{ "readers", readers_step, NULL, 1 },
	{ "command", command_step, NULL, 1 },
	{ "cpus", cpus_step, NULL, 1 },
	{ "memory", memory_step, NULL, 1 },
};

/* --- before and after ------------------------------------------------------- */

/* The first of /proc/swaps. */
static char swap_disk[64];

static void swap_find(void)
{
	FILE *f = fopen("/proc/swaps", "re");

	if (!f || fscanf(f, "%*[^\n] %63s", swap_disk) != 1)
		*swap_disk = '\0';
	if (f)
		fclose(f);
}

void disturb_init(void)
{
	disturbed = map_shared(sizeof(*disturbed));
	swap_find();
	blocks_list();
	note("%u blocks of memory that may go", nr_blocks);
}

bool disturb_memory(void)
{
	return nr_blocks;
}

void disturb_swap(bool on)
{
	int err = 0;

	if (*swap_disk)
		err = on ? swapon(swap_disk, 0) : swapoff(swap_disk);
	need(!err, "swap on %s: %s", swap_disk, strerror(errno));
}

void disturb_put_back(void)
{
	unsigned int i;

	for (i = 1; i < cpus_there(); i++)
		cpu_plug(i, true);
	for (i = 0; i < nr_blocks; i++)
		block_set(blocks[i], "online_movable");
}
