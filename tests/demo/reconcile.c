// SPDX-License-Identifier: GPL-2.0
/*
 * reconcile: read cowtrace's counters and the kernel's own at one instant.
 *
 *   reconcile arm     count calls of do_wp_page() and attempts to copy by two
 *                     kprobe events of ftrace, apart from the module; the
 *                     latter are calls of __delayacct_wpcopy_start(), or of
 *                     wp_page_copy() in kernels before delayacct counted them
 *   reconcile read    print all counters as one JSON object
 *   reconcile disarm  remove the kprobe events
 *
 * Counters in several files cannot be read at once. But when two readings, one
 * after the other, are the same in every number, no fault fell between them,
 * nor into the first: that reading is exact.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRACING		"/sys/kernel/tracing/"
#define EVENTS		TRACING "events/cowdemo/"
#define STATS		"/sys/kernel/debug/cowtrace/stats"

/* How long a quiet moment is waited for, and how long it has to be. */
#define QUIET_TRIES	1500
#define QUIET_NS	20000000

/**
 * struct reading - every counter at one instant
 * @time_ns: that instant, CLOCK_MONOTONIC.
 * @stats: the module's file stats.
 * @profile: kprobe_profile: event, hits, misses.
 * @vmstat: the lines of /proc/vmstat that count what is compared.
 */
struct reading {
	unsigned long long	time_ns;
	char	stats[16384];
	char	profile[1024];
	char	vmstat[16384];
};

static bool complain(const char *path)
{
	fprintf(stderr, "reconcile: %s: %s\n", path, strerror(errno));
	return false;
}

static bool try_put(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | flags);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool put(const char *path, const char *text, int flags)
{
	return try_put(path, text, flags) || complain(path);
}

static bool get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return complain(path);
	while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
		used += n;
	close(fd);
	text[used] = '\0';
	if (n < 0)
		return complain(path);
	if (used < size - 1)
		return true;
	fprintf(stderr, "reconcile: %s is longer than %zu bytes\n", path, size);
	return false;
}

static bool disarm(void)
{
	if (access(EVENTS, F_OK))
		return true;
	return put(EVENTS "enable", "0", 0) &&
	       put(TRACING "kprobe_events", "-:cowdemo/calls\n-:cowdemo/copies\n", O_APPEND);
}

/* Defining an event fails where the kernel does not have the function. */
static bool arm_copies(void)
{
	return try_put(TRACING "kprobe_events", "p:cowdemo/copies __delayacct_wpcopy_start\n",
		       O_APPEND) ||
	       put(TRACING "kprobe_events", "p:cowdemo/copies wp_page_copy\n", O_APPEND);
}

static bool arm(void)
{
	/* The events are wanted for their hit counts, not for their lines. */
	return disarm() && put(TRACING "tracing_on", "0", 0) &&
	       put(TRACING "kprobe_events", "p:cowdemo/calls do_wp_page\n", O_APPEND) &&
	       arm_copies() && put(EVENTS "enable", "1", 0);
}

/* Keep the lines of the counters that only a fault or the swap disk moves. */
static void keep_counters(char *vmstat)
{
	static const char * const names[] = { "pgreuse ", "pswpin ", "pswpout ", "cow_ksm " };
	char *line, *next, *out = vmstat;
	size_t i, n;

	for (line = vmstat; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		n = ++next - line;
		for (i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strncmp(line, names[i], strlen(names[i]))) {
				memmove(out, line, n);
				out += n;
				break;
			}
	}
	*out = '\0';
}

static bool read_once(struct reading *r)
{
	if (!get(STATS, r->stats, sizeof(r->stats)) ||
	    !get(TRACING "kprobe_profile", r->profile, sizeof(r->profile)) ||
	    !get("/proc/vmstat", r->vmstat, sizeof(r->vmstat)))
		return false;
	keep_counters(r->vmstat);
	return true;
}

static bool same(const struct reading *a, const struct reading *b)
{
	return !strcmp(a->stats, b->stats) && !strcmp(a->profile, b->profile) &&
	       !strcmp(a->vmstat, b->vmstat) && strstr(a->stats, "\nasleep 0\n");
}

static bool read_exactly(struct reading *r)
{
	static struct reading first, second;
	const struct timespec pause = { .tv_nsec = QUIET_NS };
	struct timespec between;
	int i;

	for (i = 0; i < QUIET_TRIES; i++) {
		if (!read_once(&first))
			return false;
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_MONOTONIC, &between);
		if (!read_once(&second))
			return false;
		if (same(&first, &second)) {
			*r = second;
			r->time_ns = between.tv_sec * 1000000000ull + between.tv_nsec;
			return true;
		}
	}
	fprintf(stderr, "reconcile: the guest took write-protect faults without a pause for %d s\n",
		QUIET_TRIES / (1000000000 / QUIET_NS));
	return false;
}

static void print_json(struct reading *r)
{
	unsigned long long n, misses;
	const char *comma = "";
	char name[64], *line;

	printf("{\"time_ns\":%llu,\n\"stats\":{", r->time_ns);
	for (line = strtok(r->stats, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "%63s %llu", name, &n) == 2 && strcmp(name, "cpu")) {
			printf("%s\"%s\":%llu", comma, name, n);
			comma = ",";
		}
	printf("},\n\"kprobes\":{");
	comma = "";
	for (line = strtok(r->profile, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, " %63s %llu %llu", name, &n, &misses) == 3) {
			printf("%s\"%s\":{\"hits\":%llu,\"misses\":%llu}", comma, name, n, misses);
			comma = ",";
		}
	printf("},\n\"vmstat\":{");
	comma = "";
	for (line = strtok(r->vmstat, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "%63s %llu", name, &n) == 2) {
			printf("%s\"%s\":%llu", comma, name, n);
			comma = ",";
		}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static struct reading r;
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "arm"))
		return !arm();
	if (!strcmp(what, "disarm"))
		return !disarm();
	if (strcmp(what, "read")) {
		fprintf(stderr, "usage: reconcile arm|read|disarm\n");
		return 2;
	}
	if (!read_exactly(&r))
		return 1;
	print_json(&r);
	return fflush(stdout) || ferror(stdout);
}
