// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "files.h"
#include "module.h"
#include "process.h"
#include "report.h"

int module_load(const char *variant, const char *parameters)
{
	struct utsname u;
	char path[256];
	int fd, err;

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/cowtrace%s.ko", u.release, variant);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0, "%s: %s", path, strerror(errno));
	err = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return err;
}

int module_unload_as(const char *name, int flags)
{
	return syscall(SYS_delete_module, name, flags) ? -errno : 0;
}

int module_unload(int flags)
{
	return module_unload_as("cowtrace", flags);
}

bool module_loaded_as(const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "%s ", name);
	return file_has("/proc/modules", word);
}

bool module_loaded(void)
{
	return module_loaded_as("cowtrace");
}

void module_start(unsigned int kb)
{
	char parameters[64];
	int err;

	snprintf(parameters, sizeof(parameters), "backend=%s buffer_kb=%u", backend, kb);
	err = module_load("", parameters);
	need(!err, "loading the module: %s", strerror(-err));
}

unsigned int kernel_traits(void)
{
	static char text[1 << 16];
	const char *line;

	need(cow_read("schema", text, sizeof(text)) > 0, "no schema");
	line = strstr(text, "\ntraits ");
	need(line, "no traits in the schema");
	return strtoul(line + 8, NULL, 0);
}

bool kernel_has_types(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

bool kernel_unwinds(void)
{
	struct utsname u;

	uname(&u);
	return atoi(u.release) >= 6;
}

void enable(void)
{
	int err = cow_write("enabled", "1");

	need(!err, "writing 1 to enabled: %s", strerror(-err));
}

void disable(void)
{
	int err = cow_write("enabled", "0");

	need(!err, "writing 0 to enabled: %s", strerror(-err));
}

int events_of(void (*fn)(void *))
{
	int fd;

	cow_write("reset", "1");
	fd = cow_open("events", O_RDONLY);
	need(fd >= 0, "opening events: %s", strerror(-fd));
	enable();
	need(!child_wait(child(fn, NULL)), "the load failed");
	disable();
	return fd;
}

void wait_armed(bool on)
{
	while (file_has(COW_DIR "/probes", " armed ") != on &&
	       (on || !file_has(COW_DIR "/enabled", "1")))
		sleep_ms(10);
}
