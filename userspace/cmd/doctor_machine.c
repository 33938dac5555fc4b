// SPDX-License-Identifier: GPL-2.0
/* What is known of this machine before anything is checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "doctor.h"

struct machine machine;

bool first_line(const char *path, char *line, size_t size)
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

void know_machine(void)
{
	uname(&machine.uts);
	find_module();
	find_config();
	ct_signing_look(&machine.signing, "", machine.module, machine.config);
}
