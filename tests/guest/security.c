// SPDX-License-Identifier: GPL-2.0
/* Who may open what. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "security.h"

#define DEBUGFS		"/sys/kernel/debug"
#define EVENT		"/sys/kernel/tracing/events/cowtrace/wp_fault"
#define NOBODY		65534
#define GROUP		4711

struct cow_file cow_files[COW_FILES];
size_t nr_cow_files;

static int take(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct cow_file *f = &cow_files[nr_cow_files];

	(void)at;
	if (type != FTW_F)
		return 0;
	need(nr_cow_files < COW_FILES, "more than %d files", COW_FILES);
	need(!st->st_uid && !st->st_gid, "%s belongs to %u", path, st->st_uid);
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->name = f->path + strlen(COW_DIR) + 1;
	f->mode = st->st_mode & 07777;
	nr_cow_files++;
	return 0;
}

void cow_files_find(void)
{
	nr_cow_files = 0;
	need(!nftw(COW_DIR, take, 16, FTW_PHYS) && nr_cow_files > 30, "%zu files", nr_cow_files);
}

bool cow_file_set(const struct cow_file *f)
{
	static const char * const names[] = {
		"enabled", "reset", "buffer_kb", "sample_every", "witness", "mode", "durations",
		"processes", "policies",
	};
	const char *end = strrchr(f->name, '/');
	size_t i;

	if (end && !strncmp(f->name, "groups/", 7))
		return !strcmp(end, "/enabled") || !strcmp(end, "/seconds");
	for (i = 0; !end && i < ARRAY_SIZE(names); i++)
		if (!strcmp(f->name, names[i]))
			return true;
	return end && !strncmp(f->name, "filter/", 7);
}

int said(const char *command, char *text, size_t size)
{
	char line[1024];
	FILE *pipe;
	size_t n;
	int status;

	snprintf(line, sizeof(line), "exec 2>&1; %s", command);
	pipe = popen(line, "r");
	need(pipe, "no pipe");
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void become_nobody(gid_t group)
{
	need(!setgroups(0, NULL) && !setresgid(group, group, group) &&
	     !setresuid(NOBODY, NOBODY, NOBODY), "cannot become nobody");
}

static void modes(void)
{
	size_t i, settings = 0, results = 0;
	char wrong[256] = "";

	for (i = 0; i < nr_cow_files; i++) {
		const struct cow_file *f = &cow_files[i];
		mode_t want = !cow_file_set(f) ? 0400 : !strcmp(f->name, "reset") ? 0200 : 0600;

		settings += cow_file_set(f);
		results += !cow_file_set(f);
		if (f->mode != want)
			snprintf(wrong, sizeof(wrong), "%s is %#o", f->name, f->mode);
	}
	check(!*wrong && settings >= 15 && results >= 12, "modes",
	      "settings are 0600 (reset 0200), all else is 0400, and root's", "%s; %zu, %zu", wrong,
	      settings, results);
	note("%zu settings, %zu results", settings, results);
}

/* With either, debugfs would close the file when the kernel is locked down. */
static void plain(void)
{
	char wrong[256] = "";
	size_t i;

	for (i = 0; i < nr_cow_files; i++) {
		int fd = open(cow_files[i].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		void *map;

		need(fd >= 0, "%s: %s", cow_files[i].path, strerror(errno));
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED || errno != ENODEV)
			snprintf(wrong, sizeof(wrong), "mmap of %s: %s", cow_files[i].name,
				 strerror(errno));
		if (!ioctl(fd, _IO('c', 1)) || errno != ENOTTY)
			snprintf(wrong, sizeof(wrong), "ioctl on %s: %s", cow_files[i].name,
				 strerror(errno));
		close(fd);
	}
	check(!*wrong, "plain", "no file can be mapped, or takes an ioctl", "%s", wrong);
}

/* --- others than root ---------------------------------------------------------------- */

/* In a child. Opens nothing but @but. */
static void opens_nothing(const char *but)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };
	size_t i, k;

	for (i = 0; i < nr_cow_files; i++)
		for (k = 0; k < ARRAY_SIZE(flags); k++) {
			int fd = open(cow_files[i].path, flags[k] | O_NONBLOCK | O_CLOEXEC);
			bool may = but && !flags[k] && !strcmp(cow_files[i].name, but);

			if (may != (fd >= 0) || (fd < 0 && errno != EACCES)) {
				note("%s by flags %#x: %d, %s", cow_files[i].name, flags[k], fd,
				     strerror(errno));
				_exit(1);
			}
			if (fd >= 0)
				close(fd);
		}
}

static void as_nobody(void *unused)
{
	(void)unused;
	become_nobody(NOBODY);
	opens_nothing(NULL);
}

static void as_member(void *but)
{
	become_nobody(GROUP);
	need(!access(COW_DIR, R_OK | X_OK), "the group cannot enter: %s", strerror(errno));
	opens_nothing(but);
}

/* Whom the kernel knows as nobody, and this name space as root. */
static void as_root_of_namespace(void *unused)
{
	(void)unused;
	become_nobody(NOBODY);
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER))
		_exit(3);
	need(!file_write("/proc/self/uid_map", "0 65534 1") && !getuid(), "no name space");
	opens_nothing(NULL);
}

static void traces_nothing(void *unused)
{
	(void)unused;
	become_nobody(NOBODY);
	_exit(open(EVENT "/format", O_RDONLY) >= 0 || errno != EACCES);
}

static void remount(const char *options)
{
	need(!mount("debugfs", DEBUGFS, "debugfs", MS_REMOUNT, options), "remount %s: %s", options,
	     strerror(errno));
}

static void others(void)
{
	char options[64];
	int status;
	size_t i;

	check(!child_wait(child(as_nobody, NULL)), "nobody",
	      "nobody else opens a file of the module", "it does");
	/* Then only the files' own modes are in the way. */
	remount("mode=755");
	check(!child_wait(child(as_nobody, NULL)), "open-door",
	      "not where debugfs lets everybody in, either", "it does");
	status = child_wait(child(as_root_of_namespace, NULL));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		skip("namespace", "nobody may make a user name space here");
	else
		check(!status, "namespace", "nor root of a user name space", "it does, %#x",
		      status);
	check(!child_wait(child(traces_nothing, NULL)), "tracepoint",
	      "nor the event of the tracepoint", "it does");
	snprintf(options, sizeof(options), "mode=750,gid=%d", GROUP);
	remount(options);
	check(!child_wait(child(as_member, NULL)), "group",
	      "a group that may enter debugfs sees names and opens nothing", "it does");
	for (i = 0; i < nr_cow_files && strcmp(cow_files[i].name, "stats"); i++)
		;
	need(!chown(cow_files[i].path, 0, GROUP) && !chmod(cow_files[i].path, 0440), "chown: %s",
	     strerror(errno));
	check(!child_wait(child(as_member, "stats")), "given",
	      "a result that root gives to it, it reads, and nothing more", "it does not");
	need(!chown(cow_files[i].path, 0, 0) && !chmod(cow_files[i].path, 0400), "chown: %s",
	     strerror(errno));
	remount("mode=700,gid=0");
}

static void commands(void)
{
	static const char * const tracing[] = {
		"record -a --duration 1 -o /tmp/x", "run -- true", "events --duration 1", "counts",
		"top --batch", "record --backend bpf -a --duration 1 -o /tmp/x",
	};
	char line[256], text[4096], wrong[512] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tracing); i++) {
		int status;

		snprintf(line, sizeof(line),
			 "cd /tmp; /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups cowtrace %s",
			 tracing[i]);
		status = said(line, text, sizeof(text));
		if (!status || !strstr(text, "sudo"))
			snprintf(wrong, sizeof(wrong), "%s: %d, %.300s", tracing[i], status, text);
	}
	check(!*wrong, "commands",
	      "what traces says to nobody that it needs root, and how to get it", "%s", wrong);
}

/* --- counting by perf ----------------------------------------------------------------- */

#define PARANOID	"/proc/sys/kernel/perf_event_paranoid"

/* Exits with the errno of an event that counts in this process alone. */
static void count_own(void *uid)
{
	struct perf_event_attr attr = {
		.type		= PERF_TYPE_TRACEPOINT,
		.size		= sizeof(attr),
		.exclude_kernel	= 1,
	};
	char id[16] = "";

	need(file_read(EVENT "/id", id, sizeof(id)) > 0, "no " EVENT "/id");
	attr.config = atoi(id);
	need(!setresuid((uintptr_t)uid, (uintptr_t)uid, (uintptr_t)uid), "setresuid");
	_exit(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0 ? errno : 0);
}

static int counting_fails(uintptr_t uid)
{
	int status = child_wait(child(count_own, (void *)uid));

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The least that a kernel asks for, where distributions ask for more. */
static void counters(void)
{
	char before[16] = "";
	int nobody, root;

	need(file_read(PARANOID, before, sizeof(before)) > 0, "no " PARANOID);
	need(!file_write(PARANOID, "1"), PARANOID " cannot be set");
	nobody = counting_fails(NOBODY);
	root = counting_fails(0);
	file_write(PARANOID, before);
	check(nobody == EPERM && !root, "counting",
	      "by perf root can count the event, and nobody else, as that arms the probes",
	      "errno %d, %d", nobody, root);
}

void run_security(void)
{
	module_start(256);
	cow_files_find();
	modes();
	plain();
	others();
	commands();
	counters();
	secrets();
	readers();
	locked();
}
