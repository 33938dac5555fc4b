// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define ACTIONS	64
#define ACTION	CT_HOST_ACTION

static char actions[ACTIONS][ACTION];
static size_t nr_actions;
/* The first of them are for a later start alone. */
static size_t nr_recovery;
static int journal = -1;

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

/* The reader has gone and left tracing on; whoever has claimed it since may go on. */
static int make_idle(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	char path[ACTION];

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	snprintf(path, sizeof(path), "%s/enabled", dir);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		ret = write_patiently(path, "0");
	close(fd);
	return ret;
}

static int undo(const char *action)
{
	char copy[ACTION], *rest = copy, *verb, *what;
	const char *rmmod[] = { "rmmod", NULL, NULL };
	int ret;

	strcpy(copy, action);
	verb = strsep(&rest, " ");
	what = strsep(&rest, " ");
	if (!what)
		return -EINVAL;
	if (!strcmp(verb, "write")) {
		ret = rest ? write_patiently(what, rest) : -EINVAL;
		return ret == -ENOENT ? 0 : ret;
	}
	if (!strcmp(verb, "idle"))
		return make_idle(what);
	if (!strcmp(verb, "swapoff"))
		return swapoff(what) && errno != EINVAL && errno != ENOENT ? -errno : 0;
	if (!strcmp(verb, "rmdir"))
		return rmdir(what) && errno != ENOENT ? -errno : 0;
	if (!strcmp(verb, "umount"))
		return umount(what) && errno != EINVAL ? -errno : 0;
	if (!strcmp(verb, "rmmod")) {
		rmmod[1] = what;
		/* Whoever uses it by now may keep it. */
		spawn(rmmod);
		return 0;
	}
	return -EINVAL;
}

/* The journal as it is in memory, without the actions from @n on. */
static int rewrite(size_t n)
{
	size_t i;

	if (ftruncate(journal, 0) || lseek(journal, 0, SEEK_SET) < 0)
		return -errno;
	dprintf(journal, "%d\n", getpid());
	for (i = 0; i < n; i++)
		dprintf(journal, "%s\n", actions[i]);
	return fdatasync(journal) && errno != EINVAL ? -errno : 0;
}

int ct_host_undo_to(size_t mark, struct ct_error *err)
{
	int first = 0, ret;

	if (mark < nr_recovery)
		mark = nr_recovery;
	while (nr_actions > mark) {
		const char *action = actions[--nr_actions];

		ret = undo(action);
		if (!ret || first)
			continue;
		first = ct_error_set(err, ret, "cannot undo \"%s\": %s: do it by hand", action,
				     strerror(-ret));
	}
	rewrite(mark);
	return first;
}

size_t ct_host_mark(void)
{
	return nr_actions;
}

/* --- the journal -------------------------------------------------------------- */

static int load(FILE *f, pid_t *owner)
{
	char line[ACTION];

	if (!fgets(line, sizeof(line), f))
		return -ENODATA;
	*owner = atoi(line);
	while (nr_actions < ACTIONS && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		strcpy(actions[nr_actions++], line);
	}
	return 0;
}

int ct_host_recover(char *tell, size_t size, struct ct_error *err)
{
	FILE *f = fopen(CT_HOST_JOURNAL, "re");
	size_t n;
	pid_t owner = 0;
	int ret;

	*tell = '\0';
	if (!f)
		return errno == ENOENT ? 0 :
		       ct_error_set(err, -errno, "cannot read %s: %s", CT_HOST_JOURNAL,
				    strerror(errno));
	nr_actions = 0;
	ret = load(f, &owner);
	fclose(f);
	if (!ret && owner > 0 && (!kill(owner, 0) || errno == EPERM)) {
		char path[64], exe[256], own[256];
		ssize_t a, b;

		/* Numbers of processes are used again: it must be this program. */
		snprintf(path, sizeof(path), "/proc/%d/exe", owner);
		a = readlink(path, exe, sizeof(exe));
		b = readlink("/proc/self/exe", own, sizeof(own));
		if (owner != getpid() && a > 0 && a == b && !memcmp(exe, own, a)) {
			nr_actions = 0;
			return ct_error_set(err, -EBUSY,
					    "process %d runs experiments: wait for it, or end it",
					    owner);
		}
	}
	n = nr_actions;
	journal = open(CT_HOST_JOURNAL, O_RDWR | O_CLOEXEC);
	if (journal < 0)
		return ct_error_set(err, -errno, "cannot write %s: %s", CT_HOST_JOURNAL,
				    strerror(errno));
	nr_recovery = 0;
	ret = ct_host_end(err);
	if (!ret)
		unlink(CT_HOST_JOURNAL);
	if (!ret && n)
		snprintf(tell, size, "put back %zu settings that a run which was killed had changed",
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
	int ret;

	nr_actions = 0;
	ret = add_recovery(recovery);
	nr_recovery = nr_actions;
	if (ret)
		return ct_error_set(err, ret, "too much is to be put back");
	journal = open(CT_HOST_JOURNAL, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ret = journal < 0 ? -errno : rewrite(nr_actions);
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

int ct_host_end(struct ct_error *err)
{
	int ret = ct_host_undo_to(0, err);

	close(journal);
	journal = -1;
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
	if (!strcmp(now, value))
		return 0;
	ret = ct_host_note(err, "write %s %s", path, now);
	if (ret)
		return ret;
	ret = ct_host_write(path, value);
	return ret ? ct_error_set(err, ret, "cannot write %s to %s: %s", value, path,
				  strerror(-ret)) : 0;
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
	if (!ret && access(there, F_OK))
		ret = -ENODEV;
	if (!ret)
		return 0;
	/* Nothing to undo, and without effect. */
	nr_actions--;
	rewrite(nr_actions);
	return ct_error_set(err, -ENODEV, "this kernel has no %s: modprobe %s", name, name);
}
