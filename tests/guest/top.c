// SPDX-License-Identifier: GPL-2.0
/*
 * cowtrace top in a terminal, which is a window of tmux: what it draws in any size, what
 * its keys do, and what it leaves behind however it ends. Its numbers as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"
#include "outside.h"

#define LOAD		"top-load"
#define PAGES		32
#define COUNTED		256
#define OUT		"/tmp/top.json"
#define SCREEN_ROWS	64
#define WAIT_MS		60000
/* To ask takes a shell and a client of tmux, which the one who is asked waits for. */
#define POLL_MS		50
/* Copies and reuses all the time, and time for others. */
#define REST_MS		50

/* --- the terminal --------------------------------------------------------------------- */

static char screen[1 << 16];
static char *row[SCREEN_ROWS];
static unsigned int rows;

__attribute__((format(printf, 1, 2)))
static void in_tmux(const char *format, ...)
{
	char command[512], what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "tmux -u -f /dev/null -L top %s", what);
	output_of(command, screen, sizeof(screen));
}

static void take(void)
{
	char *rest = screen, *line;

	in_tmux("capture-pane -p -t top");
	rows = 0;
	while ((line = strsep(&rest, "\n")) && rest && rows < SCREEN_ROWS)
		row[rows++] = line;
}

/* The first row with all of these words, -1 for none. */
static int row_with(const char *one, const char *other)
{
	unsigned int i;

	for (i = 0; i < rows; i++)
		if (strstr(row[i], one) && strstr(row[i], other))
			return i;
	return -1;
}

static bool seen(const char *one, const char *other)
{
	take();
	return row_with(one, other) >= 0;
}

/* Wait for it; what never comes fails the claim that asks. */
#define becomes(condition) ({							\
	uint64_t deadline_ = now_ns() + slowness() * WAIT_MS * 1000000ull;	\
	bool is_;								\
										\
	while (!(is_ = (condition)) && now_ns() <= deadline_)			\
		sleep_ms(POLL_MS);						\
	is_;									\
})

static bool shows(const char *one, const char *other)
{
	return becomes(seen(one, other));
}

static bool gone(const char *text)
{
	return becomes(!seen(text, ""));
}

static const char *whole(void)
{
	static char text[4096];
	unsigned int i;

	*text = '\0';
	for (i = 0; i < rows; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "|%s", row[i]);
	return text;
}

static unsigned int widest(void)
{
	unsigned int i, most = 0;

	for (i = 0; i < rows; i++) {
		unsigned int width = 0;
		const char *at;

		for (at = row[i]; *at; at++)
			width += (*at & 0xc0) != 0x80;
		if (width > most)
			most = width;
	}
	return most;
}

/* --- what it shows ---------------------------------------------------------------------- */

/* Copies and reuses without end. */
static void load(void *unused)
{
	char *mem = map_pages(PAGES);

	(void)unused;
	prctl(PR_SET_NAME, LOAD);
	touch(mem, PAGES);
	for (;;) {
		fork_write(mem, PAGES);
		sleep_ms(REST_MS);
	}
}

static void start_top(const char *how)
{
	in_tmux("send-keys -t top 'clear; %s; echo status=$?' Enter", how);
}

/* In one picture a process, with what it @copied, why, and all that stands around them. */
static bool whole_screen(const char *copied)
{
	take();
	return row_with(LOAD, copied) >= 0 && row_with("copy", "mapped") >= 0 &&
	       row_with("cowtrace top", "every") == 0 && row_with("PID", "COPIES/s") >= 0 &&
	       row_with("missed: none", "") >= 0 && row_with("q quit", "") == (int)rows - 1;
}

/* A picture may be taken while it is being drawn: wait for a whole one. */
static bool drawn(void)
{
	return becomes(whole_screen(" KiB"));
}

static void sizes(void)
{
	bool right;

	right = drawn() && rows == 50 && row_with("TOTAL", "SPLITS/s") >= 0;
	check(right, "drawn", "in 200 x 50 it shows who copies, why, all columns and its keys",
	      "%s", whole());
	in_tmux("resize-window -t top -x 80 -y 24");
	right = gone("SPLITS/s") && drawn() && rows == 24 && widest() <= 80;
	check(right, "80x24", "so it does in 80 x 24, without the rarest column", "%s", whole());
	in_tmux("resize-window -t top -x 60 -y 15");
	right = gone("REUSES/s") && drawn() && rows == 15 && widest() <= 60;
	check(right, "60x15", "and in 60 x 15", "%s", whole());
	in_tmux("resize-window -t top -x 20 -y 5");
	right = shows("20x5 is too small", "") && shows("40x8 needed", "") && rows == 5;
	check(right, "20x5", "where there is too little room it says how much it needs", "%s",
	      whole());
	in_tmux("resize-window -t top -x 100 -y 30");
	right = shows("q quit", "") && drawn() && rows == 30;
	check(right, "larger", "and draws again when there is more", "%s", whole());
}

static void press(void)
{
	static char first[sizeof(screen)];

	in_tmux("send-keys -t top v");
	check(shows("q quit", "view:processes") && gone("OUTCOME") && shows(LOAD, ""),
	      "view", "v shows one table instead of both", "%s", whole());
	in_tmux("send-keys -t top v");
	check(shows("q quit", "view:patterns") && gone("PID") && shows("copy", "mapped"),
	      "view-next", "and then the other", "%s", whole());
	in_tmux("send-keys -t top v s");
	check(shows("PID", "*FAULTS/s") && shows("sort:faults", ""), "sort",
	      "s orders by the next column", "%s", whole());
	in_tmux("send-keys -t top +");
	check(shows("cowtrace top", "every 500 ms"), "interval", "+ makes the interval longer", "%s",
	      whole());
	in_tmux("send-keys -t top / n o t h i n g Enter");
	check(shows("processes with \"nothing\"", "") && gone(LOAD) && shows("copy", "mapped"),
	      "filter", "/ picks processes by name", "%s", whole());
	in_tmux("send-keys -t top / t o p - Enter");
	check(shows(LOAD, " KiB"), "filter-next", "as one likes", "%s", whole());
	in_tmux("send-keys -t top h");
	check(shows("q          quit", ""), "help", "h explains the keys", "%s", whole());
	/* Of an interval in which the load may have slept. */
	in_tmux("send-keys -t top h p");
	check(shows("cowtrace top", "PAUSED") && becomes(whole_screen("")), "pause", "p stops",
	      "%s", whole());
	/* The title comes first and the foot last: all is there when both of this have come. */
	in_tmux("send-keys -t top /");
	shows("processes with:", "");
	in_tmux("send-keys -t top Escape");
	shows("q quit", "+/- interval");
	memcpy(first, screen, sizeof(first));
	sleep_ms(1000);
	take();
	check(!memcmp(first, screen, sizeof(first)), "still", "and then nothing changes", "%s",
	      whole());
	in_tmux("send-keys -t top p");
	check(gone("PAUSED") && drawn(), "go-on", "p again goes on", "%s", whole());
}

/* --- what it leaves behind --------------------------------------------------------------- */

static bool unloaded(void)
{
	return becomes(!module_loaded());
}

/* The terminal's modes, and whether it shows its other screen. */
static void modes(char *text, size_t size)
{
	char stty[600];

	/* What the terminal echoes before the shell runs it must not pass for its end. */
	in_tmux("send-keys -t top 'clear; stty -g; echo e\"\"nd' Enter");
	shows("end", "");
	snprintf(stty, sizeof(stty), "%s", row[0]);
	in_tmux("display-message -p -t top '#{alternate_on} #{cursor_flag} #{keypad_flag}'");
	snprintf(text, size, "%s %.20s", stty, screen);
}

static char plain[640];

static void left(const char *name, const char *claim)
{
	bool ended = shows("status=0", "");
	char after[640], terminal[32];

	/* After the last line of the shell, whose terminal it is again. */
	check(ended && unloaded(), name, claim, "%s, module loaded %d", whole(), module_loaded());
	modes(after, sizeof(after));
	snprintf(terminal, sizeof(terminal), "%s-terminal", name);
	check(!strcmp(plain, after), terminal, "the terminal is as it was", "%s, not %s", after,
	      plain);
}

static int top_pid(void)
{
	char text[64];

	output_of("grep -lx cowtrace /proc/[0-9]*/comm 2>/dev/null | tr -dc '0-9\\n'", text,
		  sizeof(text));
	return atoi(text);
}

static void ends(void)
{
	in_tmux("send-keys -t top q");
	left("q", "q ends it with 0, and unloads the module that it loaded");
	start_top("cowtrace top -d 0.2");
	check(drawn(), "again", "it can be started again", "%s", whole());
	in_tmux("send-keys -t top C-c");
	left("ctrl-c", "so does Ctrl-C");
	start_top("cowtrace top -d 0.2");
	shows("q quit", "");
	kill(top_pid(), SIGTERM);
	left("sigterm", "so does SIGTERM");
	start_top("cowtrace top -d 0.2");
	shows("q quit", "");
	kill(top_pid(), SIGKILL);
	check(unloaded(), "sigkill", "killed by SIGKILL, it leaves no module behind", "it does");
	in_tmux("respawn-pane -k -t top sh");
	start_top("TERM=dumb cowtrace top");
	check(shows("cannot place its cursor", "cowtrace top --batch") && shows("status=1", ""),
	      "dumb", "a terminal that cannot be drawn on is refused, with the way to go on", "%s",
	      whole());
	start_top("cowtrace top -d 0.2");
	shows("q quit", "");
	in_tmux("kill-server");
	check(unloaded(), "hangup", "when its terminal goes away it ends, and unloads the module",
	      "it does not");
}

static void in_terminal(void)
{
	pid_t pid = child(load, NULL);

	in_tmux("new-session -d -s top -x 200 -y 50 sh");
	modes(plain, sizeof(plain));
	start_top("cowtrace top -d 0.2");
	sizes();
	press();
	ends();
	kill(pid, SIGKILL);
	child_wait(pid);
}

/* --- its numbers --------------------------------------------------------------------------- */

static char json[1 << 22];

static pid_t start_json(const char *option, const char *value)
{
	pid_t pid;
	int fd;

	/* What it has said before must not pass for what it says now. */
	unlink(OUT);
	*json = '\0';
	pid = fork();
	need(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		fd = open(OUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(126);
		execlp("cowtrace", "cowtrace", "top", "--json", "-d", "0.2", option, value, NULL);
		_exit(127);
	}
	return pid;
}

static unsigned int json_lines(void)
{
	ssize_t size = file_read(OUT, json, sizeof(json));
	unsigned int n = 0;
	const char *at;

	for (at = json; size > 0 && (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

static void wait_lines(unsigned int n)
{
	while (json_lines() < n)
		sleep_ms(20);
}

/* So many more intervals: all that was counted before is in one of them. */
static void intervals(unsigned int more)
{
	wait_lines(json_lines() + more);
}

/* Faults of all intervals, of an outcome and reason or, without, of all. */
static long long of_intervals(const char *outcome, const char *reason)
{
	char what[128], *rest = strdup(json), *line, *all = rest;
	long long sum = 0;
	const char *at;

	if (outcome)
		snprintf(what, sizeof(what), "{\"outcome\":\"%s\",\"reason\":\"%s\",\"interval\":",
			 outcome, reason);
	else
		snprintf(what, sizeof(what), ",\"interval\":");
	while ((line = strsep(&rest, "\n"))) {
		at = strstr(line, what);
		if (at)
			sum += json_number(strstr(at, "\"interval\":"), "faults");
	}
	free(all);
	return sum;
}

/* Waits before anything is counted. */
static void counted_load(void *turn)
{
	char *mem = map_pages(COUNTED);

	prctl(PR_SET_NAME, LOAD);
	touch(mem, COUNTED);
	turn_wait(turn);
	fork_write(mem, COUNTED);
}

static int wait_json(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	status = child_wait(pid);
	json_lines();
	return status;
}

/* Somebody else counts, and top reads along: the file stats says how much. */
static void along(void)
{
	static struct stats s;
	unsigned int o, r, differ = 0;
	pid_t pid, loaded;
	struct turn turn;
	int status;

	turn_init(&turn);
	loaded = child(counted_load, &turn);
	child_sleeps(loaded);
	module_start(1024);
	need(!cow_write("mode", "counts") && !cow_write("filter/comm", LOAD), "settings");
	enable();
	pid = start_json("-s", "faults");
	wait_lines(1);
	turn_give(&turn);
	need(!child_wait(loaded), "the load failed");
	intervals(2);
	status = wait_json(pid);
	stats_read(&s);
	for (o = 0; o < COWTRACE_NR_OUTCOMES; o++)
		for (r = 0; r < COWTRACE_NR_REASONS; r++)
			differ += of_intervals(outcome_name(o), reason_name(r)) !=
				  (long long)s.faults[o][r];
	check(!status && !differ && of_intervals(NULL, NULL) == (long long)s.sum.counted &&
	      s.sum.counted >= 2 * COUNTED, "along",
	      "while somebody else counts, its intervals add up to stats, each outcome and reason to the fault",
	      "%u differ, %lld of %llu", differ, of_intervals(NULL, NULL), s.sum.counted);
	check(file_has(COW_DIR "/enabled", "1") && file_has(COW_DIR "/mode", "counts") &&
	      file_has(COW_DIR "/filter/comm", LOAD), "untouched", "and nothing of theirs is changed",
	      "something is");
	disable();
	need(!module_unload(O_NONBLOCK), "rmmod");
}

static const char *const settings[] = {
	"enabled", "mode", "durations", "processes", "policies", "sample_every", "filter/comm",
	"filter/tgid", "filter/uid", "filter/min_duration_ns", "buffer_kb", "witness",
};

static void all_settings(char *text, size_t size)
{
	char value[256];
	size_t i;

	*text = '\0';
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		memset(value, 0, sizeof(value));
		need(cow_read(settings[i], value, sizeof(value)) > 0, "no %s", settings[i]);
		snprintf(text + strlen(text), size - strlen(text), "%s %s", settings[i], value);
	}
}

/* It counts by itself, and the kernel's own counter of calls says how much. */
static void alone(void)
{
	char before[1024], after[1024];
	struct turn turn;
	long long calls;
	pid_t pid, loaded;
	int fd, status;

	module_start(1024);
	need(!cow_write("filter/uid", "77") && !cow_write("durations", "0"), "settings");
	all_settings(before, sizeof(before));
	outside_init();
	turn_init(&turn);
	loaded = child(counted_load, &turn);
	child_sleeps(loaded);
	fd = outside_count("wp", loaded);
	pid = start_json("-f", "comm=" LOAD);
	wait_lines(1);
	turn_give(&turn);
	need(!child_wait(loaded), "the load failed");
	intervals(2);
	status = wait_json(pid);
	calls = outside_counted(fd);
	outside_exit();
	check(!status && of_intervals(NULL, NULL) == calls && calls >= 2 * COUNTED, "own",
	      "its intervals add up to the kernel's own counter of the load's calls of do_wp_page",
	      "%lld of %lld calls", of_intervals(NULL, NULL), calls);
	all_settings(after, sizeof(after));
	check(!strcmp(before, after), "settings", "and all settings are put back", "%s, not %s", after,
	      before);
}

void run_top(void)
{
	in_terminal();
	along();
	alone();
}
