// SPDX-License-Identifier: GPL-2.0
/* cowtrace doctor: what this kernel and machine support. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <json-c/json.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "../bpf/bpf.h"
#include "command.h"
#include "doctor.h"
#include "module.h"
#include "module_load.h"
#include "module_log.h"
#include "sideband.h"
#include "signing.h"

/* Inode of the first pid namespace: PROC_PID_INIT_INO of the kernel. */
#define FIRST_PID_NAMESPACE	0xeffffffcul

static const char *const state_names[] = {
	[OK] = "ok", [MISSING] = "missing", [REFUSED] = "refused", [UNKNOWN] = "unknown",
};

/* What several checks need. */
static struct {
	struct utsname	uts;
	char		module[768];	/* path of the installed module, empty if none */
	char		*config;	/* of the kernel, NULL when unknown */
	struct ct_signing signing;
} machine;

/* First line of a file without its newline. Returns whether it could be read. */
static bool first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool read = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (!read)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* --- what is known beforehand ----------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The installed module, as depmod knows it: relative to the kernel's directory, or not. */
static void find_module(void)
{
	static const char name[] = "cowtrace.ko";
	char path[512], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", machine.uts.release);
	file = fopen(path, "re");
	while (file && !machine.module[0] && getline(&line, &size, file) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		if (strncmp(base_name(line), name, strlen(name)))
			continue;
		if (line[0] == '/')
			snprintf(machine.module, sizeof(machine.module), "%s", line);
		else
			snprintf(machine.module, sizeof(machine.module), "/lib/modules/%s/%s",
				 machine.uts.release, line);
	}
	free(line);
	if (file)
		fclose(file);
}

static char *read_config(const char *path)
{
	size_t used = 0, size = 1 << 20;
	char *text, *grown;
	gzFile file;
	int n;

	/* gzopen() reads plain files too. */
	file = gzopen(path, "re");
	if (!file)
		return NULL;
	text = malloc(size);
	while (text && (n = gzread(file, text + used, size - 1 - used)) > 0) {
		used += n;
		if (used < size - 1)
			continue;
		size *= 2;
		grown = realloc(text, size);
		if (!grown)
			break;
		text = grown;
	}
	gzclose(file);
	if (text)
		text[used] = '\0';
	return text;
}

static void find_config(void)
{
	char path[512];

	snprintf(path, sizeof(path), "/boot/config-%s", machine.uts.release);
	machine.config = read_config(path);
	if (machine.config)
		return;
	snprintf(path, sizeof(path), "/lib/modules/%s/config", machine.uts.release);
	machine.config = read_config(path);
	if (!machine.config)
		machine.config = read_config("/proc/config.gz");
}

/* --- checks ----------------------------------------------------------------- */

static void check_kernel(struct finding *f)
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

static void check_root(struct finding *f)
{
	if (!geteuid()) {
		found(f, OK, "effective user 0");
		return;
	}
	found(f, MISSING, "effective user %u", geteuid());
	means(f, true, "tracing and some of these checks need root", "sudo cowtrace doctor");
}

static void check_namespace(struct finding *f)
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

static void check_lockdown(struct finding *f)
{
	char mode[64];

	if (ct_lockdown("", mode, sizeof(mode))) {
		found(f, OK, "no lockdown reported");
	} else if (!strcmp(mode, "none")) {
		found(f, OK, "none");
	} else {
		found(f, REFUSED, "%s", mode);
		means(f, true, "debugfs is closed, and only signed modules load",
		      "boot without lockdown (lockdown=none, Secure Boot off), or use the tracepoint: perf record -e cowtrace:wp_fault");
	}
}

static void check_secure_boot(struct finding *f)
{
	tell_secure_boot(f, &machine.signing);
}

static void check_required(struct finding *f)
{
	tell_required(f, &machine.signing);
}

static void check_signature(struct finding *f)
{
	tell_signature(f, &machine.signing, machine.module[0], ct_module_is_loaded());
}

static void check_key(struct finding *f)
{
	tell_key(f, &machine.signing);
}

/* Copies the vermagic of a module. Returns whether it could be read. */
static bool vermagic(const char *path, char *magic, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *scn = NULL;
	bool read = false;
	Elf_Data *data;
	GElf_Shdr sh;
	size_t names;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	if (elf && elf_kind(elf) == ELF_K_ELF && !elf_getshdrstrndx(elf, &names))
		while (!read && (scn = elf_nextscn(elf, scn))) {
			const char *name;

			if (!gelf_getshdr(scn, &sh))
				continue;
			name = elf_strptr(elf, names, sh.sh_name);
			data = name && !strcmp(name, ".modinfo") ? elf_getdata(scn, NULL) : NULL;
			for (size_t at = 0; data && data->d_buf && at < data->d_size; at++) {
				const char *entry = (const char *)data->d_buf + at;
				size_t length = strnlen(entry, data->d_size - at);

				if (!strncmp(entry, "vermagic=", 9) && length > 9) {
					snprintf(magic, size, "%.*s", (int)length - 9, entry + 9);
					read = true;
				}
				at += length;
			}
		}
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return read;
}

static void check_installed(struct finding *f)
{
	size_t length = strlen(machine.uts.release);
	bool loaded = ct_module_is_loaded();
	char magic[256];

	if (!machine.module[0]) {
		found(f, MISSING, "no cowtrace.ko in /lib/modules/%s", machine.uts.release);
		means(f, !loaded, "it is not loaded when it is needed",
		      "make && make install && depmod, or insmod cowtrace.ko");
	} else if (!vermagic(machine.module, magic, sizeof(magic))) {
		found(f, OK, "%s", machine.module);
	} else if (!strncmp(magic, machine.uts.release, length) && magic[length] == ' ') {
		found(f, OK, "%s, for this kernel", machine.module);
	} else {
		found(f, REFUSED, "%s, built for %.64s", machine.module, magic);
		means(f, !loaded, "the kernel refuses a module that was built for another one",
		      "rebuild it: make && make install");
	}
}

static void check_headers(struct finding *f)
{
	char path[512];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", machine.uts.release);
	if (!access(path, F_OK)) {
		found(f, OK, "/lib/modules/%s/build", machine.uts.release);
		return;
	}
	found(f, MISSING, "no /lib/modules/%s/build", machine.uts.release);
	means(f, false, "the module cannot be built here", "");
	snprintf(f->next, sizeof(f->next), "apt-get install linux-headers-%s, or the like",
		 machine.uts.release);
}

static void check_loaded(struct finding *f)
{
	char backend[64] = "auto";

	if (!ct_module_is_loaded()) {
		found(f, MISSING, "not loaded");
		means(f, false, "run, record and events load it for as long as they need it",
		      "modprobe cowtrace");
		return;
	}
	first_line("/sys/module/cowtrace/parameters/backend", backend, sizeof(backend));
	found(f, OK, "loaded, backend=%s", backend);
}

static void check_refusal(struct finding *f)
{
	const struct ct_load_cause *cause = NULL;
	int log = ct_log_open();
	char line[256];

	ct_log_rewind(log);
	if (log < 0) {
		found(f, UNKNOWN, "the kernel log cannot be read");
		means(f, false, "refusals of the module are not explained here", "run it as root");
	} else if (!ct_log_last(log, line, sizeof(line))) {
		found(f, OK, "says nothing about cowtrace");
	} else {
		cause = ct_module_is_loaded() ? NULL : ct_load_cause_of_log(line);
		found(f, cause ? REFUSED : OK, "last line: %s", line);
	}
	if (cause)
		means(f, true, cause->cause, cause->next);
	if (log >= 0)
		close(log);
}

static void check_debugfs(struct finding *f)
{
	char dir[256], path[512];
	int fd;

	if (ct_debugfs_dir(dir, sizeof(dir))) {
		found(f, MISSING, "not mounted");
		means(f, true, "the module's files cannot be reached",
		      "mount -t debugfs none /sys/kernel/debug");
		return;
	}
	found(f, OK, "%s", dir);
	if (!ct_module_is_loaded())
		return;
	snprintf(path, sizeof(path), "%s/cowtrace/enabled", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return;
	}
	found(f, REFUSED, "%s: %s", path, strerror(errno));
	means(f, true, "the module's files cannot be reached",
	      "run it as root, outside containers, without lockdown");
}

bool ask_module(const char *what, char **text)
{
	struct ct_error err;
	struct ct_module m;
	bool told = false;

	if (geteuid() || !ct_module_is_loaded())
		return false;
	if (!ct_module_open(&m, &err)) {
		told = !m.source.get(&m.source, what, text, &err);
		ct_module_close(&m);
	}
	return told;
}

static void check_backend(struct finding *f)
{
	char *text, *at, name[64] = "?";

	if (!ask_module("schema", &text)) {
		found(f, UNKNOWN, "the module is not there to be asked");
		means(f, false, "fprobe is taken where the kernel has it, else kretprobe", "");
		return;
	}
	at = strstr(text, "\nbackend ");
	if (at)
		sscanf(at, " backend %63s", name);
	found(f, OK, "%s", name);
	free(text);
}

static void check_bpf(struct finding *f)
{
	struct ct_source *source;
	struct ct_error err;
	char mode[32];

	if (!ct_bpf_built()) {
		found(f, MISSING, "this cowtrace was built without BPF");
		means(f, false, "there is no backend but the module",
		      "apt-get install clang llvm bpftool libbpf-dev, and build it again");
	} else if (!ct_lockdown("", mode, sizeof(mode)) && !strcmp(mode, "confidentiality")) {
		found(f, REFUSED, "lockdown in its mode confidentiality");
		means(f, false, "BPF programs cannot read the kernel's memory",
		      "boot with lockdown=integrity or none");
	} else if (geteuid()) {
		found(f, UNKNOWN, "only root may load such programs");
		means(f, false, "it cannot be tried", "sudo cowtrace doctor");
	} else if (ct_bpf_open(&source, &err)) {
		found(f, MISSING, "%.250s", err.text);
		means(f, false, "there is no backend but the module", "");
	} else {
		found(f, OK, "BTF is there: --backend bpf needs no module");
		source->close(source);
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

static void check_config(struct finding *f)
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

static void check_ftrace(struct finding *f)
{
	check_switch(f, "/proc/sys/kernel/ftrace_enabled", "probes by ftrace see nothing when it is 0");
}

static void check_kprobes(struct finding *f)
{
	char dir[256], path[512];

	if (ct_debugfs_dir(dir, sizeof(dir)))
		snprintf(dir, sizeof(dir), "/sys/kernel/debug");
	snprintf(path, sizeof(path), "%s/kprobes/enabled", dir);
	check_switch(f, path, "kprobes see nothing when it is 0");
}

static void check_perf(struct finding *f)
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

static void check_swap(struct finding *f)
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

static void check_ksm(struct finding *f)
{
	char value[16];

	if (!first_line("/sys/kernel/mm/ksm/run", value, sizeof(value))) {
		found(f, MISSING, "the kernel has no KSM");
		means(f, false, "no faults of merged pages will be seen", "");
	} else {
		found(f, OK, "%s", !strcmp(value, "1") ? "running" : "there, not running");
	}
}

static void check_thp(struct finding *f)
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

static void check_delayacct(struct finding *f)
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

static const struct {
	const char	*name;
	void		(*look)(struct finding *f);
} checks[] = {
	{ "kernel", check_kernel },
	{ "root", check_root },
	{ "pid namespace", check_namespace },
	{ "lockdown", check_lockdown },
	{ "Secure Boot", check_secure_boot },
	{ "signatures", check_required },
	{ "module signature", check_signature },
	{ "signing key", check_key },
	{ "module installed", check_installed },
	{ "kernel headers", check_headers },
	{ "module loaded", check_loaded },
	{ "kernel log", check_refusal },
	{ "debugfs", check_debugfs },
	{ "kernel config", check_config },
	{ "ftrace", check_ftrace },
	{ "kprobes", check_kprobes },
	{ "backend", check_backend },
	{ "BPF backend", check_bpf },
	{ "PTE faults", check_pte },
	{ "huge PMD faults", check_pmd },
	{ "hugetlb faults", check_hugetlb },
	{ "perf events", check_perf },
	{ "swap", check_swap },
	{ "KSM", check_ksm },
	{ "huge pages", check_thp },
	{ "delayacct", check_delayacct },
};

#define NR_CHECKS	(sizeof(checks) / sizeof(*checks))

static void print_text(const char *name, const struct finding *f)
{
	printf("%-8s %-17s %s", state_names[f->state], name, f->found);
	if (f->state != OK && f->consequence[0])
		printf("; %s%s", f->vital ? "vital: " : "", f->consequence);
	if (f->state != OK && f->next[0])
		printf(": %s", f->next);
	putchar('\n');
}

static void add_json(struct json_object *list, const char *name, const struct finding *f)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_object_new_string(name));
	json_object_object_add(o, "state", json_object_new_string(state_names[f->state]));
	json_object_object_add(o, "vital", json_object_new_boolean(f->vital));
	json_object_object_add(o, "found", json_object_new_string(f->found));
	json_object_object_add(o, "consequence", json_object_new_string(f->consequence));
	json_object_object_add(o, "next", json_object_new_string(f->next));
	json_object_array_add(list, o);
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "print a JSON array of the checks", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "What this kernel and machine support, what is missing, and what to do about it.\v"
	       "Exit status 0: all that tracing needs is there; 1: what is marked vital is not.",
};

int ct_cmd_doctor(int argc, char **argv)
{
	struct json_object *list = NULL;
	bool json = false, able = true;

	argp_parse(&argp, argc, argv, 0, NULL, &json);
	uname(&machine.uts);
	find_module();
	find_config();
	ct_signing_look(&machine.signing, "", machine.module, machine.config);
	if (json)
		list = json_object_new_array();
	for (size_t i = 0; i < NR_CHECKS; i++) {
		struct finding f = { 0 };

		checks[i].look(&f);
		able &= f.state == OK || !f.vital;
		if (json)
			add_json(list, checks[i].name, &f);
		else
			print_text(checks[i].name, &f);
	}
	if (json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
	free(machine.config);
	return able ? CT_EXIT_OK : CT_EXIT_FAIL;
}
