// SPDX-License-Identifier: GPL-2.0
/* Lockdown after the load: fs/debugfs/file.c, debugfs_locked_down(). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"
#include "security.h"

#define LOCKDOWN	"/sys/kernel/security/lockdown"
#define TRACING		"/sys/kernel/tracing"
#define EVENT		TRACING "/events/cowtrace/wp_fault"

static long long recorded(void)
{
	return value_in(COW_DIR "/stats", "recorded");
}

/* Each result by itself, if it has something to say now. */
static void results(const char *mode)
{
	char text[256], wrong[256] = "", name[64];
	size_t i, seen = 0;

	for (i = 0; i < nr_cow_files; i++) {
		int fd = open(cow_files[i].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));

		if (cow_file_set(&cow_files[i]) ? fd >= 0 || errno != EPERM :
						  got < 0 && errno != EAGAIN)
			snprintf(wrong, sizeof(wrong), "%s: %d, %s", cow_files[i].name, fd,
				 strerror(errno));
		seen += got > 0;
		if (fd >= 0)
			close(fd);
	}
	snprintf(name, sizeof(name), "%s-results", mode);
	check(!*wrong && seen >= 10, name, "all results can be read, and no setting",
	      "%s; %zu read", wrong, seen);
}

static void settings(void)
{
	char wrong[256] = "";
	size_t i;

	for (i = 0; i < nr_cow_files; i++) {
		int fd = open(cow_files[i].path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0 || errno != EPERM)
			snprintf(wrong, sizeof(wrong), "%s: %s", cow_files[i].name,
				 strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	check(!*wrong, "settings", "no file can be opened for writing", "%s", wrong);
	check(chmod(COW_DIR "/stats", 0444) && errno == EPERM, "chmod",
	      "nor can its mode be changed", "%s", strerror(errno));
}

static void commands(void)
{
	char text[1 << 14];
	int status = said("cowtrace record --backend module -a --duration 1 -o /tmp/x", text,
			  sizeof(text));

	check(status && strstr(text, "locked down (integrity)") &&
	      strstr(text, "cowtrace counts") && strstr(text, "perf record -e cowtrace:wp_fault"), "says",
	      "the command says what keeps it out, and what is left", "%d, %.400s", status, text);
	status = said("cowtrace counts", text, sizeof(text));
	check(!status && strstr(text, "write-protect faults"), "counts",
	      "what was counted can be asked for", "%d, %.300s", status, text);
	status = said("cowtrace doctor", text, sizeof(text));
	check(strstr(text, "settings in debugfs are closed, results are not"), "doctor",
	      "doctor says it, too", "%d", status);
}

static void event(void)
{
	need(!file_write(TRACING "/trace", "") && !file_write(EVENT "/enable", "1"),
	     "the event cannot be enabled");
	security_load();
	file_write(EVENT "/enable", "0");
	check(file_has(TRACING "/trace", " wp_fault: "), "event",
	      "the tracepoint goes on to work in integrity", "no event");
}

static void integrity(void)
{
	long long before;
	int fd;

	cow_write("reset", "1");
	enable();
	fd = cow_open("sample_every", O_WRONLY);
	need(fd >= 0, "sample_every: %s", strerror(-fd));
	need(!file_write(LOCKDOWN, "integrity"), "lockdown: %s", strerror(errno));
	before = recorded();
	security_load();
	check(before >= 0 && recorded() > before, "goes-on", "what was switched on goes on",
	      "%lld, then %lld", before, recorded());
	results("integrity");
	settings();
	commands();
	event();
	/* It was asked when it was opened. */
	check(write(fd, "2", 1) == 1, "held",
	      "only a setting that was open before still takes a value", "%s", strerror(errno));
	check(module_load("-nosymbol", "") == -EPERM, "unsigned",
	      "no module without a signature is loaded", "it is");
	close(fd);
}

void locked(void)
{
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	if (access(LOCKDOWN, W_OK)) {
		skip("lockdown", "this kernel has no lockdown");
		return;
	}
	integrity();
	need(!file_write(LOCKDOWN, "confidentiality"), "lockdown: %s", strerror(errno));
	results("confidentiality");
	check(cow_open("../../tracing/trace", O_RDONLY) < 0 &&
	      file_write(EVENT "/enable", "1") == -EPERM, "closed-event",
	      "confidentiality closes the tracepoint too", "it does not");
}
