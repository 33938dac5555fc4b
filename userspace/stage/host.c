// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define ACTIONS	64
#define ACTION	CT_HOST_ACTION
#define JOURNAL_NEW	CT_HOST_JOURNAL ".new"
#define LOCK		CT_HOST_JOURNAL ".lock"

static char actions[ACTIONS][ACTION];
static size_t nr_actions;
/* The first of them are for a later start alone. */
static size_t nr_recovery;
static int lock = -1;

int ct_host_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), code;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	code = -errno;
	close(fd);
	if (n < 0)
		return code;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int ct_host_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), code = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		code = -errno;
	close(fd);
	return code;
}

int ct_host_put(const char *path, const char *text, struct ct_error *err)
{
	int ret = ct_host_write(path, text);

	return ret ? ct_error_set(err, ret, "cannot write %s to %s: %s", text, path,
				  strerror(-ret)) : 0;
}

char ct_task_state(pid_t tid)
{
	char path[64], line[512], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (ct_host_read(path, line, sizeof(line)))
		return 'X';
	/* Behind the name, which may hold anything. */
	end = strrchr(line, ')');
	return end && end[1] ? end[2] : 'X';
}

static int spawn(const char *const *argv)
{
	posix_spawn_file_actions_t files;
	int status, code;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	code = posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (code)
		return -code;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EIO : 0;
}

/* --- undoing ------------------------------------------------------------------ */

/* The device is written to for a moment when its last user has gone. */
static int write_patiently(const char *path, const char *value)
{
	int i, ret;

	for (i = 0; i < 100; i++) {
		ret = ct_host_write(path, value);
		if (ret != -EBUSY)
			break;
		usleep(50000);
	}
	return ret;
}

/* A signal ends it half-way, and what is left has to follow. */
static int swap_off(const char *device)
{
	while (swapoff(device))
		if (errno != EINTR)
			return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	return 0;
}

/* Its last user may just be leaving; whoever uses it for longer may keep it. */
static int unload(const char *module)
{
	int i;

	for (i = 0; i < 20; i++) {
		if (!syscall(SYS_delete_module, module, O_NONBLOCK) ||
		    (errno != EAGAIN && errno != EBUSY))
			break;
		usleep(50000);
	}
	return 0;
}

/* The reader has gone and left tracing on; whoever has claimed it since may go on. */
static int set_tracing(const char *dir, const char *name, const char *value)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[2 * ACTION];

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		ct_host_write(path, value);
	close(fd);
	return 0;
}

static int undo(const char *action)
{
	char copy[ACTION], *rest = copy, *verb, *what, *name;
	int ret;

	strcpy(copy, action);
	verb = strsep(&rest, " ");
	what = strsep(&rest, " ");
	if (!what)
		return -EINVAL;
	if (!strcmp(verb, "write")) {
		ret = rest ? write_patiently(what, rest) : -EINVAL;
		/* The device or the module is gone, and its setting with it. */
		return ret == -ENOENT || ret == -ENODEV ? 0 : ret;
	}
	if (!strcmp(verb, "tracing")) {
		name = strsep(&rest, " ");
		return rest ? set_tracing(what, name, rest) : -EINVAL;
	}
	if (!strcmp(verb, "swapoff"))
		return swap_off(what);
	if (!strcmp(verb, "rmdir"))
		return rmdir(what) && errno != ENOENT ? -errno : 0;
	if (!strcmp(verb, "umount"))
		return umount(what) && errno != EINVAL ? -errno : 0;
	if (!strcmp(verb, "rmmod"))
		return unload(what);
	return -EINVAL;
}

/*
 * The journal as it is in memory, up to action @n. It replaces the old one whole:
 * a kill in between must leave one of the two.
 */
static int rewrite(size_t n)
{
	static char text[ACTIONS * (ACTION + 1)];
	int fd = open(JOURNAL_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t i, used = 0;
	int code = 0;

	if (fd < 0)
		return -errno;
	for (i = 0; i < n; i++)
		used += sprintf(text + used, "%s\n", actions[i]);
	errno = 0;
	if (write(fd, text, used) != (ssize_t)used)
		code = errno ? -errno : -ENOSPC;
	/* What has no disk below it need not be synced. */
	else if (fsync(fd) && errno != EINVAL && errno != ENOSYS)
		code = -errno;
	close(fd);
	return code || !rename(JOURNAL_NEW, CT_HOST_JOURNAL) ? code : -errno;
}

int ct_host_undo_to(size_t mark, struct ct_error *err)
{
	size_t i, kept = 0, failed[ACTIONS];
	int first = 0, ret;

	if (mark < nr_recovery)
		mark = nr_recovery;
	while (nr_actions > mark) {
		ret = undo(actions[nr_actions - 1]);
		if (ret && !first)
			first = ct_error_set(err, ret, "cannot undo \"%s\": %s: do it by hand",
					     actions[nr_actions - 1], strerror(-ret));
		if (ret)
			failed[kept++] = nr_actions - 1;
		nr_actions--;
		/* Those that failed stay behind it, for a later start. */
		if (!ret)
			rewrite(nr_actions);
	}
	for (i = kept; i--;)
		memmove(actions[nr_actions++], actions[failed[i]], ACTION);
	rewrite(nr_actions);
	return first;
}

size_t ct_host_mark(void)
{
	return nr_actions;
}

/* --- the journal -------------------------------------------------------------- */

static int load(void)
{
	FILE *f = fopen(CT_HOST_JOURNAL, "re");
	char line[ACTION];

	nr_actions = 0;
	nr_recovery = 0;
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (nr_actions < ACTIONS && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		strcpy(actions[nr_actions++], line);
	}
	fclose(f);
	return 0;
}

/* Held while a stage is at work; a process that ends lets go of it. */
static int take_lock(struct ct_error *err)
{
	lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return ct_error_set(err, -errno,
				    "cannot open %s, which keeps two runs apart: %s: are you root?",
				    LOCK, strerror(errno));
	if (!flock(lock, LOCK_EX | LOCK_NB))
		return 0;
	close(lock);
	lock = -1;
	return ct_error_set(err, -EBUSY, "another process runs experiments: wait for its end");
}

static void drop_lock(void)
{
	close(lock);
	lock = -1;
}

int ct_host_recover(char *tell, size_t size, struct ct_error *err)
{
	size_t n;
	int ret;

	*tell = '\0';
	if (access(CT_HOST_JOURNAL, F_OK) && errno == ENOENT)
		return 0;
	ret = take_lock(err);
	if (ret)
		return ret;
	ret = load();
	n = nr_actions;
	if (ret)
		ct_error_set(err, ret, "cannot read %s: %s", CT_HOST_JOURNAL, strerror(-ret));
	else
		ret = ct_host_undo_to(0, err);
	if (!ret)
		unlink(CT_HOST_JOURNAL);
	drop_lock();
	if (!ret && n)
		snprintf(tell, size, "put back %zu settings that an earlier run had left changed",
			 n);
	return ret;
}

static int add_recovery(const char *text)
{
	size_t n;

	for (; *text; text += n + !!text[n]) {
		n = strcspn(text, "\n");
		if (nr_actions == ACTIONS || n >= ACTION)
			return -E2BIG;
		memcpy(actions[nr_actions], text, n);
		actions[nr_actions++][n] = '\0';
	}
	return 0;
}

int ct_host_begin(const char *recovery, struct ct_error *err)
{
	int ret = take_lock(err);

	if (ret)
		return ret;
	nr_actions = 0;
	ret = add_recovery(recovery);
	nr_recovery = nr_actions;
	if (ret)
		return ct_error_set(err, ret, "too much is to be put back");
	ret = rewrite(nr_actions);
	if (ret)
		return ct_error_set(err, ret,
				    "cannot write %s, which is to tell what was changed: %s: are you root?",
				    CT_HOST_JOURNAL, strerror(-ret));
	return 0;
}

int ct_host_note(struct ct_error *err, const char *format, ...)
{
	va_list args;
	int n, ret;

	if (nr_actions == ACTIONS)
		return ct_error_set(err, -ENOSPC, "more than %d changes", ACTIONS);
	va_start(args, format);
	n = vsnprintf(actions[nr_actions], ACTION, format, args);
	va_end(args);
	if (n >= ACTION)
		return ct_error_set(err, -ENAMETOOLONG, "the change is too long to note");
	ret = rewrite(nr_actions + 1);
	if (ret)
		return ct_error_set(err, ret, "cannot write %s: %s", CT_HOST_JOURNAL,
				    strerror(-ret));
	nr_actions++;
	return 0;
}

void ct_host_forget(void)
{
	nr_actions--;
	rewrite(nr_actions);
}

int ct_host_end(struct ct_error *err)
{
	int ret = ct_host_undo_to(0, err);

	drop_lock();
	return ret;
}

/* --- changes ------------------------------------------------------------------ */

/* Of "always [madvise] never" the word in brackets. */
static void chosen(char *value)
{
	char *open = strchr(value, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(value, open + 1, close - open);
}

int ct_host_set(const char *path, const char *value, struct ct_error *err)
{
	char now[256];
	int ret = ct_host_read(path, now, sizeof(now));

	if (ret)
		return ct_error_set(err, ret, "cannot read %s: %s", path, strerror(-ret));
	chosen(now);
	/* Noted in any case: an actor may change it on its own. */
	ret = ct_host_note(err, "write %s %s", path, now);
	return ret ? ret : ct_host_put(path, value, err);
}

int ct_host_module(const char *name, const char *parameter, const char *there,
		   struct ct_error *err)
{
	const char *argv[] = { "modprobe", name, parameter, NULL };
	int ret;

	if (!access(there, F_OK))
		return 0;
	ret = ct_host_note(err, "rmmod %s", name);
	if (ret)
		return ret;
	ret = spawn(argv);
	/* Not every root has it in PATH. */
	argv[0] = "/sbin/modprobe";
	if (ret && access(there, F_OK))
		ret = spawn(argv);
	if (!ret && access(there, F_OK))
		ret = -ENODEV;
	if (!ret)
		return 0;
	ct_host_forget();
	return ct_error_set(err, -ENODEV, "this kernel has no %s, or there is no modprobe: modprobe %s",
			    name, name);
}
