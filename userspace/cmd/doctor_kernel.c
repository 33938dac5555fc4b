// SPDX-License-Identifier: GPL-2.0
/* What the kernel is, permits and has, whatever becomes of the module. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "module.h"
#include "module_load.h"
#include "sideband.h"

/* Inode of the first pid namespace: PROC_PID_INIT_INO of the kernel. */
#define FIRST_PID_NAMESPACE	0xeffffffcul

void check_kernel(struct finding *f)
{
	unsigned int major = 0, minor = 0;

	sscanf(machine.uts.release, "%u.%u", &major, &minor);
	found(f, OK, "%s %s", machine.uts.release, machine.uts.machine);
	if (major < 5 || (major == 5 && minor < 10)) {
		f->state = UNKNOWN;
		means(f, false, "cowtrace is tested on 5.10 and later",
		      "try it, or use a newer kernel");
	} else if (strcmp(machine.uts.machine, "x86_64")) {
		f->state = UNKNOWN;
		means(f, false, "cowtrace is tested on x86_64", "try it");
	}
}

void check_root(struct finding *f)
{
	if (!geteuid()) {
		found(f, OK, "effective user 0");
		return;
	}
	found(f, MISSING, "effective user %u", geteuid());
	means(f, true, "tracing and some of these checks need root", "sudo cowtrace doctor");
}

void check_namespace(struct finding *f)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st)) {
		found(f, UNKNOWN, "/proc is not mounted");
		means(f, true, "processes cannot be named", "mount -t proc proc /proc");
	} else if (st.st_ino == FIRST_PID_NAMESPACE) {
		found(f, OK, "the machine's own");
	} else {
		found(f, REFUSED, "a container's");
		means(f, false, "the kernel numbers processes otherwise than this container does",
		      "run cowtrace on the host");
	}
}

void check_lockdown(struct finding *f)
{
	char mode[64];

	if (ct_lockdown("", mode, sizeof(mode))) {
		found(f, OK, "no lockdown reported");
	} else if (!strcmp(mode, "none")) {
		found(f, OK, "none");
	} else {
		found(f, REFUSED, "%s", mode);
		means(f, true,
		      "settings in debugfs are closed, results are not, and only signed modules load",
		      strcmp(mode, "integrity") ?
		      "boot without lockdown (lockdown=none, Secure Boot off)" :
		      "boot without lockdown (lockdown=none, Secure Boot off), or use the tracepoint: perf record -e cowtrace:wp_fault");
	}
}

static char config_value(const char *option)
{
	char line[96];
	const char *at;

	snprintf(line, sizeof(line), "\nCONFIG_%s=", option);
	at = strstr(machine.config, line);
	return at ? at[strlen(line)] : 'n';
}

void check_config(struct finding *f)
{
	static const char *const options[] = {
		"KPROBES", "KRETPROBES", "FPROBE", "RELAY", "DEBUG_FS", "PERF_EVENTS",
	};
	char list[256] = "";
	size_t used = 0;

	if (!machine.config) {
		found(f, UNKNOWN, "neither /boot/config-%s nor /proc/config.gz",
		      machine.uts.release);
		means(f, false, "what the kernel was built with is not known", "");
		return;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		used += snprintf(list + used, sizeof(list) - used, "%s%s=%c", used ? " " : "",
				 options[i], config_value(options[i]));
	found(f, OK, "%s", list);
	if (config_value("DEBUG_FS") == 'n' || config_value("RELAY") == 'n' ||
	    (config_value("FPROBE") == 'n' && config_value("KRETPROBES") == 'n')) {
		f->state = MISSING;
		means(f, true, "the module needs DEBUG_FS, RELAY, and KRETPROBES or FPROBE",
		      "use a kernel that was built with them");
	}
}

/* A switch of the kernel that has to stand at 1. */
static void check_switch(struct finding *f, const char *path, const char *consequence)
{
	char value[16], next[128];

	if (!first_line(path, value, sizeof(value))) {
		found(f, UNKNOWN, "%s cannot be read", path);
		means(f, false, consequence, "run it as root, with debugfs mounted");
	} else if (!strcmp(value, "1")) {
		found(f, OK, "%s is 1", path);
	} else {
		found(f, REFUSED, "%s is %s", path, value);
		snprintf(next, sizeof(next), "echo 1 > %s", path);
		means(f, true, consequence, next);
	}
}

void check_ftrace(struct finding *f)
{
	check_switch(f, "/proc/sys/kernel/ftrace_enabled", "probes by ftrace see nothing when it is 0");
}

void check_kprobes(struct finding *f)
{
	char dir[256], path[512];

	if (ct_debugfs_dir(dir, sizeof(dir)))
		snprintf(dir, sizeof(dir), "/sys/kernel/debug");
	snprintf(path, sizeof(path), "%s/kprobes/enabled", dir);
	check_switch(f, path, "kprobes see nothing when it is 0");
}

void check_perf(struct finding *f)
{
	struct ct_sideband *sb;
	struct ct_error err;

	if (ct_sideband_open(&sb, &err)) {
		char paranoid[16] = "?";

		first_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
		found(f, REFUSED, "perf_event_open is refused, perf_event_paranoid is %s",
		      paranoid);
		means(f, false, "processes that end during a trace lose their names and symbols",
		      "run it as root, with CONFIG_PERF_EVENTS");
	} else {
		found(f, OK, "events tell of processes and mappings");
	}
	ct_sideband_close(sb);
}

void check_swap(struct finding *f)
{
	char line[256], name[128], list[200] = "";
	FILE *file = fopen("/proc/swaps", "re");
	size_t used = 0;

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%127s", name) == 1 && used < sizeof(list))
			used += snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? ", " : "", name);
	if (file)
		fclose(file);
	found(f, used ? OK : MISSING, "%s", used ? list : "none");
	if (!used)
		means(f, false, "no faults of swapped pages will be seen", "");
}

void check_ksm(struct finding *f)
{
	char value[16];

	if (!first_line("/sys/kernel/mm/ksm/run", value, sizeof(value))) {
		found(f, MISSING, "the kernel has no KSM");
		means(f, false, "no faults of merged pages will be seen", "");
	} else {
		found(f, OK, "%s", !strcmp(value, "1") ? "running" : "there, not running");
	}
}

void check_thp(struct finding *f)
{
	char line[128], *mode, *end;

	if (!first_line("/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof(line))) {
		found(f, MISSING, "the kernel has no transparent huge pages");
		means(f, false, "no faults of large folios will be seen", "");
		return;
	}
	mode = strchr(line, '[');
	end = mode ? strchr(mode, ']') : NULL;
	if (end)
		*end = '\0';
	found(f, OK, "%s", end ? mode + 1 : line);
}

void check_delayacct(struct finding *f)
{
	char value[16] = "0";

	/* A sysctl from 5.14 on (0cd7c741f01d); before, only the boot parameter tells. */
	if (!first_line("/proc/sys/kernel/task_delayacct", value, sizeof(value))) {
		found(f, UNKNOWN, "no sysctl kernel.task_delayacct");
		means(f, false, "the kernel's own count of copies may be off",
		      "boot with delayacct to compare with it");
	} else if (!strcmp(value, "1")) {
		found(f, OK, "on");
	} else {
		found(f, MISSING, "off");
		means(f, false, "the kernel's own count of copies cannot be compared",
		      "sysctl kernel.task_delayacct=1, or boot with delayacct");
	}
}
