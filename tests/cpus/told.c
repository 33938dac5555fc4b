// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tell.h"
#include "told.h"

static int kcore;
static Elf64_Phdr segments[4096];
static int nr_segments;

static void open_kcore(void)
{
	Elf64_Ehdr head;

	kcore = open("/proc/kcore", O_RDONLY);
	if (kcore < 0 || pread(kcore, &head, sizeof(head), 0) != sizeof(head))
		err(1, "/proc/kcore");
	nr_segments = head.e_phnum;
	if (nr_segments > (int)(sizeof(segments) / sizeof(*segments)))
		errx(1, "/proc/kcore has %d segments", nr_segments);
	if (pread(kcore, segments, nr_segments * sizeof(*segments), head.e_phoff) < 0)
		err(1, "/proc/kcore");
}

static unsigned long kernel_word(unsigned long address)
{
	unsigned long word;
	int i;

	for (i = 0; i < nr_segments; i++) {
		const Elf64_Phdr *s = &segments[i];

		if (s->p_type == PT_LOAD && address >= s->p_vaddr &&
		    address - s->p_vaddr < s->p_filesz &&
		    pread(kcore, &word, sizeof(word), s->p_offset + address - s->p_vaddr) ==
			    sizeof(word))
			return word;
	}
	errx(1, "/proc/kcore does not have the word at %#lx", address);
}

/* A line of WHERE, and where its symbol is. */
static struct place {
	bool code;
	char name[64];
	unsigned long size;
	char symbol[64];
	char steps[128];
	unsigned long address;
} places[128];
static int nr_places;
static int nr_areas;

static void read_sections(void)
{
	char path[256];
	FILE *f;
	int i;

	for (i = 0; i < nr_places; i++) {
		snprintf(path, sizeof(path), "/sys/module/cowtrace/sections/%s", places[i].symbol);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%lx", &places[i].address) != 1)
			err(1, "%s", path);
		fclose(f);
	}
}

/* The module's own come last, and count. */
static void read_symbols(void)
{
	char line[512], name[256];
	unsigned long address;
	FILE *f = fopen("/proc/kallsyms", "r");
	int i;

	if (!f)
		err(1, "/proc/kallsyms");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %*c %255s", &address, name) != 2 ||
		    (strchr(line, '[') && !strstr(line, "[cowtrace]")))
			continue;
		for (i = 0; i < nr_places; i++)
			if (!strcmp(places[i].symbol, name))
				places[i].address = address;
	}
	fclose(f);
}

void told_read(FILE *where)
{
	struct place *p = places;
	char line[512], what[16];
	int i;

	strcpy(p->symbol, "__per_cpu_offset");
	for (p++; fgets(line, sizeof(line), where); p++) {
		if (p == places + sizeof(places) / sizeof(*places))
			errx(1, "too much to look at");
		if (sscanf(line, "%15s %63s %lu %63s%127[^\n]", what, p->name, &p->size,
			   p->symbol, p->steps) < 4)
			errx(1, "not understood: %s", line);
		p->code = !strcmp(what, "code");
	}
	nr_places = p - places;
	read_symbols();
	read_sections();
	open_kcore();
	for (i = 0; i < nr_places; i++)
		if (!places[i].address)
			errx(1, "there is no symbol %s", places[i].symbol);
}

static unsigned long offset_of(int cpu)
{
	return kernel_word(places[0].address + cpu * sizeof(long));
}

/* Follow the steps of an expression for a CPU. Return: 0 when a pointer is NULL. */
static unsigned long walk(const struct place *p, int cpu)
{
	const char *steps = p->steps;
	unsigned long at = p->address;
	char step[32];
	int n;

	for (; at && sscanf(steps, " %31s%n", step, &n) == 1; steps += n) {
		if (!strcmp(step, "*"))
			at = kernel_word(at);
		else if (!strcmp(step, "cpu"))
			at += offset_of(cpu);
		else
			at += strtoul(step, NULL, 0);
	}
	return at;
}

static void tell_area(const struct place *p, int nr_cpus)
{
	int cpus = strstr(p->steps, "cpu") ? nr_cpus : 1, cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		unsigned long from = walk(p, cpu);

		if (!from)
			continue;
		TELL(TELL_AREA_FROM, from);
		TELL(TELL_AREA_TO, from + p->size);
		printf("area %d %s %d %016lx %016lx\n", nr_areas++, p->name, cpu, from,
		       from + p->size);
	}
}

void told_tell(int nr_cpus)
{
	const struct place *p;

	TELL(TELL_FORGET, 0);
	for (p = places + 1; p < places + nr_places; p++) {
		if (p->code) {
			TELL(TELL_CODE_FROM, p->address);
			TELL(TELL_CODE_TO, p->address + p->size);
		} else {
			tell_area(p, nr_cpus);
		}
	}
}
