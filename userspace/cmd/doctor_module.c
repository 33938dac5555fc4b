// SPDX-License-Identifier: GPL-2.0
/* The module and the backends: installed, loaded, refused, and what they say. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/bpf.h"
#include "doctor.h"
#include "module.h"
#include "module_load.h"
#include "module_log.h"

void check_secure_boot(struct finding *f)
{
	tell_secure_boot(f, &machine.signing);
}

void check_required(struct finding *f)
{
	tell_required(f, &machine.signing);
}

void check_signature(struct finding *f)
{
	tell_signature(f, &machine.signing, machine.module[0], ct_module_is_loaded());
}

void check_key(struct finding *f)
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

void check_installed(struct finding *f)
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

void check_headers(struct finding *f)
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

void check_loaded(struct finding *f)
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

void check_refusal(struct finding *f)
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

void check_debugfs(struct finding *f)
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

void check_backend(struct finding *f)
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

void check_bpf(struct finding *f)
{
	struct ct_source *source;
	struct ct_error err;
	const char *how;
	char mode[32];

	if (!ct_bpf_built(&how)) {
		found(f, MISSING, "this cowtrace was built without BPF (%s)", how);
		means(f, false, "there is no backend but the module",
		      "apt-get install clang llvm bpftool libbpf-dev, and build it again");
	} else if (!ct_lockdown("", mode, sizeof(mode)) && !strcmp(mode, "confidentiality")) {
		found(f, REFUSED, "built with %s, but lockdown is in its mode confidentiality", how);
		means(f, false, "BPF programs cannot read the kernel's memory",
		      "boot with lockdown=integrity or none");
	} else if (geteuid()) {
		found(f, UNKNOWN, "built with %s, but only root may load such programs", how);
		means(f, false, "it cannot be tried", "sudo cowtrace doctor");
	} else if (ct_bpf_open(&source, &err)) {
		found(f, MISSING, "built with %s, but %.250s", how, err.text);
		means(f, false, "there is no backend but the module", "");
	} else {
		found(f, OK, "built with %s, and BTF is there: --backend bpf needs no module", how);
		source->close(source);
	}
}
