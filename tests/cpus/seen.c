// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seen.h"

#define LINE_SHIFT	6
#define LINE_SIZE	64ul
#define MAX_CODE	8
#define MAX_AREAS	1024
/* Lines outside of all areas that the code told writes: stacks, mostly. */
#define NR_OTHERS	65536u

/**
 * struct line - who used a cache line
 * @address: of its first byte, for a line outside of all areas.
 * @bytes: which of it each CPU wrote.
 * @store: the instruction that was first, for each CPU.
 * @loads: how often the code told read it.
 * @read: what that read first.
 * @load: by which instruction.
 *
 * A CPU's entry in @bytes and @store is written by that CPU alone.
 */
struct line {
	uint64_t	address;
	uint64_t	bytes[SEEN_MAX_CPUS];
	uint64_t	store[SEEN_MAX_CPUS];
	uint64_t	loads;
	uint64_t	read;
	uint64_t	load;
};

/**
 * struct area - memory whose lines are watched
 * @from: its first byte, at the start of a line.
 * @to: the byte behind it, likewise.
 * @number: its place in the order of telling.
 * @lines: a struct line each.
 */
struct area {
	uint64_t	from;
	uint64_t	to;
	unsigned int	number;
	struct line	*lines;
};

/**
 * struct code - instructions that are counted
 * @from: its first byte.
 * @to: the byte behind it.
 * @counts: for each CPU, by distance from the first.
 */
struct code {
	uint64_t	from;
	uint64_t	to;
	uint64_t	*counts[SEEN_MAX_CPUS];
};

static struct code code[MAX_CODE];
static unsigned int nr_code;
/* By address. */
static struct area areas[MAX_AREAS];
static unsigned int nr_areas;
/* Of the next area. */
static unsigned int next_number;
static struct line others[NR_OTHERS];
static pthread_mutex_t others_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned int nr_others;

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p) {
		perror("plugin");
		exit(1);
	}
	return p;
}

static void refuse(const char *what)
{
	fprintf(stderr, "plugin: %s\n", what);
	exit(1);
}

static size_t nr_lines(const struct area *a)
{
	return (a->to - a->from) >> LINE_SHIFT;
}

static struct code *code_at(uint64_t address)
{
	unsigned int i;

	for (i = 0; i < nr_code; i++)
		if (address >= code[i].from && address < code[i].to)
			return &code[i];
	return NULL;
}

static struct area *area_at(uint64_t address)
{
	unsigned int low = 0, high = nr_areas;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (address >= areas[middle].to)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nr_areas && address >= areas[low].from ? &areas[low] : NULL;
}

static struct line *other_at(uint64_t address)
{
	unsigned int i = (address >> LINE_SHIFT) * 2654435761u % NR_OTHERS;

	pthread_mutex_lock(&others_mutex);
	while (others[i].address && others[i].address != address)
		i = (i + 1) % NR_OTHERS;
	if (!others[i].address && ++nr_others > NR_OTHERS / 2)
		refuse("the code told writes too many lines outside of all areas");
	others[i].address = address;
	pthread_mutex_unlock(&others_mutex);
	return &others[i];
}

void seen_forget(void)
{
	unsigned int cpu;

	while (nr_code--)
		for (cpu = 0; cpu < SEEN_MAX_CPUS; cpu++)
			free(code[nr_code].counts[cpu]);
	while (nr_areas--)
		free(areas[nr_areas].lines);
	nr_code = 0;
	nr_areas = 0;
}

void seen_add_code(uint64_t from, uint64_t to)
{
	struct code *c = &code[nr_code];
	unsigned int cpu;

	if (nr_code == MAX_CODE || from < SEEN_MODULES || to <= from)
		refuse("too much code, or none of a module");
	*c = (struct code) { .from = from, .to = to };
	for (cpu = 0; cpu < SEEN_MAX_CPUS; cpu++)
		c->counts[cpu] = allocate(to - from, sizeof(uint64_t));
	nr_code++;
}

void seen_add_area(uint64_t from, uint64_t to)
{
	unsigned int i = nr_areas;

	if (nr_areas == MAX_AREAS || to <= from)
		refuse("too many areas, or an empty one");
	from &= ~(LINE_SIZE - 1);
	to = (to + LINE_SIZE - 1) & ~(LINE_SIZE - 1);
	for (; i && areas[i - 1].from > from; i--)
		areas[i] = areas[i - 1];
	/* A line that two areas share belongs to one of them, whole. */
	if (i && areas[i - 1].to > from)
		from = areas[i - 1].to;
	if (i < nr_areas && areas[i + 1].from < to)
		to = areas[i + 1].from;
	if (to < from)
		to = from;
	areas[i] = (struct area) { .from = from, .to = to, .number = next_number++ };
	areas[i].lines = allocate(nr_lines(&areas[i]) + 1, sizeof(struct line));
	nr_areas++;
}

void seen_clear(void)
{
	unsigned int i, cpu;

	for (i = 0; i < nr_code; i++)
		for (cpu = 0; cpu < SEEN_MAX_CPUS; cpu++)
			memset(code[i].counts[cpu], 0,
			       (code[i].to - code[i].from) * sizeof(uint64_t));
	for (i = 0; i < nr_areas; i++)
		memset(areas[i].lines, 0, nr_lines(&areas[i]) * sizeof(struct line));
	memset(others, 0, sizeof(others));
	nr_others = 0;
}

static unsigned int writers(const struct line *l)
{
	unsigned int cpu, n = 0;

	for (cpu = 0; cpu < SEEN_MAX_CPUS; cpu++)
		n += !!l->bytes[cpu];
	return n;
}

static void print_line(FILE *f, const struct line *l, uint64_t address, const char *what)
{
	unsigned int cpu;

	for (cpu = 0; cpu < SEEN_MAX_CPUS; cpu++)
		if (l->bytes[cpu])
			fprintf(f, "%s %016lx %u %016lx %016lx\n", what, address, cpu,
				address + __builtin_ctzl(l->bytes[cpu]), l->store[cpu]);
}

static void print_area(FILE *f, const struct area *a)
{
	size_t i, n = nr_lines(a), written = 0, shared = 0;
	char what[32];

	snprintf(what, sizeof(what), "shared %u", a->number);
	for (i = 0; i < n; i++) {
		unsigned int by = writers(&a->lines[i]);

		written += by > 0;
		shared += by > 1;
		if (by > 1)
			print_line(f, &a->lines[i], a->from + i * LINE_SIZE,
				   what);
		if (a->lines[i].loads)
			fprintf(f, "read %u %016lx %lu %u %016lx %016lx\n", a->number,
				a->from + i * LINE_SIZE, a->lines[i].loads, by, a->lines[i].read,
				a->lines[i].load);
	}
	fprintf(f, "area %u %zu %zu\n", a->number, written, shared);
}

static void print_code(FILE *f)
{
	uint64_t by_cpu[SEEN_MAX_CPUS] = { 0 }, n, at;
	unsigned int i, cpu;

	for (i = 0; i < nr_code; i++)
		for (at = 0; at < code[i].to - code[i].from; at++) {
			for (n = 0, cpu = 0; cpu < SEEN_MAX_CPUS; cpu++) {
				n += code[i].counts[cpu][at];
				by_cpu[cpu] += code[i].counts[cpu][at];
			}
			if (n)
				fprintf(f, "insn %016lx %lu\n", code[i].from + at, n);
		}
	for (cpu = 0; cpu < SEEN_MAX_CPUS; cpu++)
		if (by_cpu[cpu])
			fprintf(f, "cpu %u %lu\n", cpu, by_cpu[cpu]);
}

void seen_print(const char *file, uint64_t run)
{
	FILE *f = fopen(file, "a");
	unsigned int i;

	if (!f) {
		perror(file);
		exit(1);
	}
	fprintf(f, "run %lu\n", run);
	print_code(f);
	for (i = 0; i < nr_areas; i++)
		print_area(f, &areas[i]);
	for (i = 0; i < NR_OTHERS; i++)
		if (writers(&others[i]) > 1)
			print_line(f, &others[i], others[i].address, "other");
	fprintf(f, "end\n");
	if (fclose(f)) {
		perror(file);
		exit(1);
	}
}

static void note(struct line *l, unsigned int cpu, uint64_t bytes, uint64_t store)
{
	if (!l->bytes[cpu])
		l->store[cpu] = store;
	l->bytes[cpu] |= bytes;
}

int seen_is_code(uint64_t address)
{
	return !!code_at(address);
}

void seen_instruction(unsigned int cpu, uint64_t address)
{
	struct code *c = code_at(address);

	if (c)
		c->counts[cpu % SEEN_MAX_CPUS][address - c->from]++;
}

void seen_store(unsigned int cpu, uint64_t address, uint64_t size, uint64_t store)
{
	uint64_t at, n, bytes;
	const struct area *a;

	/* What crosses the end of a line is two stores. */
	for (at = address; at < address + size; at += n) {
		uint64_t line = at & ~(LINE_SIZE - 1);

		n = line + LINE_SIZE - at;
		if (n > address + size - at)
			n = address + size - at;
		bytes = (n == LINE_SIZE ? 0 : 1ul << n) - 1;
		bytes <<= at - line;
		a = area_at(at);
		if (a)
			note(&a->lines[(at - a->from) >> LINE_SHIFT], cpu % SEEN_MAX_CPUS, bytes,
			     store);
		else if (code_at(store))
			note(other_at(line), cpu % SEEN_MAX_CPUS, bytes, store);
	}
}

void seen_load(uint64_t address, uint64_t load)
{
	const struct area *a = area_at(address);
	struct line *l;

	if (!a || address < SEEN_MODULES)
		return;
	l = &a->lines[(address - a->from) >> LINE_SHIFT];
	if (!__atomic_fetch_add(&l->loads, 1, __ATOMIC_RELAXED)) {
		l->read = address;
		l->load = load;
	}
}
