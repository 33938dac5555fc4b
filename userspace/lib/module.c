// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "module.h"
#include "module_load.h"
#include "module_log.h"

static struct ct_module *to_module(struct ct_source *source)
{
	return (struct ct_module *)((char *)source - offsetof(struct ct_module, source));
}

int ct_debugfs_dir(char *path, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int ret = -ENOENT;

	if (!f)
		return -ENOENT;
	while (ret && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "debugfs")) {
			snprintf(path, size, "%s", m->mnt_dir);
			ret = 0;
		}
	endmntent(f);
	return ret;
}

/* Root was refused: lockdown does that to settings, else a capability is missing. */
static int explain_eperm(const char *what, struct ct_error *err)
{
	char mode[32];

	if (!ct_lockdown("", mode, sizeof(mode)) && strcmp(mode, "none"))
		return ct_error_set(err, -EPERM,
				    "cannot open %s: the kernel is locked down (%s), which closes all settings in debugfs: results stay readable (cowtrace counts); to change anything boot without lockdown%s",
				    what, mode, strcmp(mode, "integrity") ? "" :
				    ", or use the tracepoint (perf record -e cowtrace:wp_fault) or --backend bpf");
	return ct_error_set(err, -EPERM,
			    "cannot open %s although this is root: lockdown or a container without CAP_SYS_ADMIN is in the way: run cowtrace on the host, cowtrace doctor says more",
			    what);
}

static int explain_open(const char *what, int code, struct ct_error *err)
{
	if (code == EPERM)
		return explain_eperm(what, err);
	if (code == EACCES)
		return ct_error_set(err, -EACCES,
				    "cannot open %s: only root may: run cowtrace by sudo", what);
	if (code == ENOENT)
		return ct_error_set(err, -ENOENT,
				    "the loaded module has no file %s: load the module of this version: modprobe -r cowtrace; modprobe cowtrace",
				    what);
	if (code == EBUSY)
		return ct_error_set(err, -EBUSY,
				    "somebody else is reading %s, and it has one reader only: end that first",
				    what);
	return ct_error_set(err, -code, "cannot open %s: %s", what, strerror(code));
}

int ct_module_open_file(struct ct_module *m, const char *what, int flags, struct ct_error *err)
{
	int fd = openat(m->dir, what, flags | O_CLOEXEC);

	return fd >= 0 ? fd : explain_open(what, errno, err);
}

static int module_get(struct ct_source *source, const char *what, char **text,
		      struct ct_error *err)
{
	size_t used = 0, size = 4096;
	char *buf = NULL, *grown;
	ssize_t n;
	int fd;

	fd = ct_module_open_file(to_module(source), what, O_RDONLY, err);
	if (fd < 0)
		return fd;
	for (;;) {
		grown = realloc(buf, size);
		if (!grown) {
			n = -1;
			errno = ENOMEM;
			break;
		}
		buf = grown;
		n = read(fd, buf + used, size - 1 - used);
		if (n <= 0)
			break;
		used += n;
		if (used == size - 1)
			size *= 2;
	}
	if (n < 0) {
		n = ct_error_set(err, -errno, "cannot read %s: %s", what, strerror(errno));
		free(buf);
	} else {
		buf[used] = '\0';
		*text = buf;
	}
	close(fd);
	return n;
}

/* Why switching on can fail, when the kernel log does not say it. */
static const struct {
	int		code;
	const char	*why;
} enable_errors[] = {
	{ ENODEV,     "this kernel has no do_wp_page() that can be probed: cowtrace doctor says more" },
	{ EOPNOTSUPP, "the kernel refused the probe (blacklisted, or no probe support): cowtrace doctor says more" },
	{ ENODATA,    "the probes are in place but a provoked fault was not seen: write 1 to /proc/sys/kernel/ftrace_enabled and to /sys/kernel/debug/kprobes/enabled" },
	{ ENOMEM,     "no memory for the buffers: use a smaller --buffer-kb" },
	{ EBUSY,      "somebody else is tracing: end that first" },
};

static int explain_enable(int code, const char *logged, struct ct_error *err)
{
	const char *why = strerror(code);

	for (size_t i = 0; i < sizeof(enable_errors) / sizeof(*enable_errors); i++)
		if (enable_errors[i].code == code)
			why = enable_errors[i].why;
	return ct_error_set(err, -code, "tracing cannot be switched on: %s%s%s%s", why,
			    *logged ? " (kernel: " : "", logged, *logged ? ")" : "");
}

static int explain_set(struct ct_module *m, const char *what, const char *value, int code,
		       struct ct_error *err)
{
	char logged[256];

	ct_log_last(m->log, logged, sizeof(logged));
	if (!strcmp(what, "enabled") && !strcmp(value, "1"))
		return explain_enable(code, logged, err);
	if (!strncmp(what, "groups/", 7) && !strcmp(value, "1"))
		return ct_error_set(err, -code, "the group cannot be switched on: %s%s%s%s",
				    strerror(code), *logged ? " (kernel: " : "", logged,
				    *logged ? ")" : "");
	if (code == EBUSY)
		return ct_error_set(err, -EBUSY,
				    "cannot set %s while somebody traces or reads records: end that first",
				    what);
	if (*logged)
		return ct_error_set(err, -code, "%s does not accept \"%s\": %s (kernel: %s)",
				    what, value, strerror(code), logged);
	return ct_error_set(err, -code, "%s does not accept \"%s\": %s", what, value,
			    strerror(code));
}

static int module_set(struct ct_source *source, const char *what, const char *value,
		      struct ct_error *err)
{
	struct ct_module *m = to_module(source);
	size_t length = strlen(value);
	ssize_t n;
	int fd, ret = 0;

	fd = ct_module_open_file(m, what, O_WRONLY, err);
	if (fd < 0)
		return fd;
	ct_log_mark(m->log);
	do {
		n = write(fd, value, length);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		ret = explain_set(m, what, value, errno, err);
	close(fd);
	return ret;
}

static int module_open_cpu(struct ct_source *source, unsigned int cpu, struct ct_error *err)
{
	char what[32];

	snprintf(what, sizeof(what), "cpu%u", cpu);
	return ct_module_open_file(to_module(source), what, O_RDONLY | O_NONBLOCK, err);
}

static int module_open_lines(struct ct_source *source, const char *what, struct ct_error *err)
{
	return ct_module_open_file(to_module(source), what, O_RDONLY | O_NONBLOCK, err);
}

static ssize_t module_read_cpu(struct ct_source *source, int fd, void *data, size_t size)
{
	ssize_t n = read(fd, data, size);

	(void)source;
	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

static int open_dir(struct ct_module *m, struct ct_error *err)
{
	char mount[256], path[512];

	if (ct_debugfs_dir(mount, sizeof(mount)))
		return ct_error_set(err, -ENOENT,
				    "debugfs is not mounted: mount -t debugfs none /sys/kernel/debug");
	if (!ct_module_is_loaded()) {
		int ret = ct_module_load(m->log, err);

		if (ret)
			return ret;
		m->loaded_here = true;
		fprintf(stderr, "cowtrace: loaded the module, it is unloaded at the end\n");
	}
	snprintf(path, sizeof(path), "%s/cowtrace", mount);
	m->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0 && errno == ENOENT)
		return ct_error_set(err, -ENOENT,
				    "the module is loaded but has no directory in %s: the kernel was booted with debugfs=off or no-mount",
				    mount);
	return m->dir < 0 ? explain_open(path, errno, err) : 0;
}

static int module_claim(struct ct_source *source, struct ct_error *err)
{
	return ct_module_claim(to_module(source), err);
}

static void module_close(struct ct_source *source)
{
	ct_module_close(to_module(source));
}

int ct_module_open(struct ct_module *m, struct ct_error *err)
{
	int ret;

	*m = (struct ct_module){
		.source = {
			.name = "module",
			.get = module_get,
			.set = module_set,
			.open_cpu = module_open_cpu,
			.open_lines = module_open_lines,
			.read_cpu = module_read_cpu,
			.claim = module_claim,
			.close = module_close,
		},
		.dir = -1,
		.log = -1,
	};
	ret = ct_source_permitted(err);
	if (ret)
		return ret;
	m->log = ct_log_open();
	ret = open_dir(m, err);
	if (ret)
		ct_module_close(m);
	return ret;
}

int ct_module_claim(struct ct_module *m, struct ct_error *err)
{
	char *enabled;
	int ret;

	if (flock(m->dir, LOCK_EX | LOCK_NB))
		return ct_error_set(err, -EBUSY,
				    "another cowtrace is tracing: end it first, or read along by: cowtrace events, cowtrace top");
	ret = module_get(&m->source, "enabled", &enabled, err);
	if (ret)
		return ret;
	if (enabled[0] != '0')
		ret = ct_error_set(err, -EBUSY,
				   "tracing is already on, somebody else switched it on: write 0 to cowtrace/enabled in debugfs, or read along by: cowtrace events, cowtrace counts, cowtrace top");
	free(enabled);
	return ret;
}

void ct_module_close(struct ct_module *m)
{
	if (m->dir >= 0)
		close(m->dir);
	if (m->log >= 0)
		close(m->log);
	m->dir = m->log = -1;
	if (m->loaded_here && ct_module_unload())
		fprintf(stderr, "cowtrace: the module stays loaded, somebody else uses it now\n");
	m->loaded_here = false;
}
