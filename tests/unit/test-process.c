// SPDX-License-Identifier: GPL-2.0
/* Processes and mappings over time, from a side-band. */
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "map.h"
#include "process.h"
#include "tap.h"

static char *path;
static const uint8_t id[20] = { 0xab, 0xcd };

static struct ct_processes *table_of(struct bytes sideband)
{
	return make_processes(path, sideband);
}

/* What is mapped there: path, or "-". */
static const char *mapped(struct ct_processes *p, uint32_t tgid, uint64_t address, uint64_t time)
{
	uint32_t process = ct_processes_find(p, tgid, time);
	struct ct_mapping m;

	if (process == CT_MAP_NONE || !ct_processes_map(p, process, address, time, &m))
		return "-";
	return ct_processes_object(p, m.object)->path;
}

static const char *named(struct ct_processes *p, uint32_t tgid, uint64_t time)
{
	uint32_t process = ct_processes_find(p, tgid, time);

	return (process == CT_MAP_NONE ? NULL : ct_processes_name(p, process, time)) ?: "-";
}

static void check_life(void)
{
	struct bytes b = { 0 };
	struct ct_processes *p;
	struct ct_mapping m;

	/* Not in the order of time, as rings of several CPUs give them. */
	add_fork(&b, 500, 20, 10);
	add_comm(&b, 600, 20, "child", 1);
	add_map(&b, 601, 20, 0x1000, 0x1000, 0, id, "/bin/child");
	add_exit(&b, 900, 20);
	add_fork(&b, 1000, 20, 10);
	add_comm(&b, 100, 10, "parent", 1);
	add_map(&b, 101, 10, 0x1000, 0x4000, 0x7000, id, "/bin/parent");
	add_map(&b, 300, 10, 0x2000, 0x1000, 0, NULL, "/lib/over");
	p = table_of(b);

	ok(!strcmp(named(p, 10, 150), "parent"), "a process has the name of its exec");
	ok(!strcmp(named(p, 20, 550), "parent"), "a child has its parent's name until it execs");
	ok(!strcmp(named(p, 20, 650), "child"), "an exec changes the name");
	ok(!strcmp(named(p, 20, 1100), "parent"), "a number used again is another process");
	ok(ct_processes_find(p, 20, 650) != ct_processes_find(p, 20, 1100),
	   "two processes of one number are two");
	ok(ct_processes_find(p, 30, 650) == CT_MAP_NONE, "nobody told of it: it is not there");
	ok(!strcmp(mapped(p, 10, 0x1800, 150), "/bin/parent"),
	   "an address is found in its mapping");
	ok(ct_processes_map(p, ct_processes_find(p, 10, 150), 0x1800, 150, &m) &&
	   m.offset == 0x7800,
	   "the offset in the file counts from the mapping's");
	ok(!strcmp(mapped(p, 10, 0x2800, 150), "/bin/parent"),
	   "before a later mapping the earlier counts");
	ok(!strcmp(mapped(p, 10, 0x2800, 350), "/lib/over"),
	   "a later mapping lies over an earlier one");
	ok(!strcmp(mapped(p, 10, 0x5000, 350), "-"), "the end of a mapping is outside it");
	ok(!strcmp(mapped(p, 20, 0x2800, 550), "/lib/over"), "a child has its parent's mappings");
	ok(!strcmp(mapped(p, 20, 0x1800, 650), "/bin/child"), "an exec brings its own mappings");
	ok(!strcmp(mapped(p, 20, 0x2800, 650), "-"), "an exec throws away what was mapped");
	ok(ct_processes_get(p, ct_processes_find(p, 10, 1))->children == 2, "children are counted");
	ok(ct_processes_get(p, ct_processes_find(p, 20, 650))->end == 900,
	   "the end of a process is known");
	ok(ct_processes_space(p, ct_processes_find(p, 20, 550), 550) ==
	   ct_processes_space(p, ct_processes_find(p, 10, 550), 550),
	   "a child shares the address space of its parent until it execs");
	ok(ct_processes_space(p, ct_processes_find(p, 20, 650), 650) !=
	   ct_processes_space(p, ct_processes_find(p, 10, 650), 650), "and no longer after that");
	ok(ct_processes_object(p, m.object)->build_id_size == 20 &&
	   !memcmp(ct_processes_object(p, m.object)->build_id, id, 20), "the build-id is kept");
	ct_processes_free(p);
}

static const struct ct_process *process_at(struct ct_processes *p, uint32_t tgid, uint64_t time)
{
	return ct_processes_get(p, ct_processes_find(p, tgid, time));
}

/* So many processes of one number, one after the other. */
#define REUSES	40000

static void check_reuse(void)
{
	struct bytes b = { 0 };
	struct ct_processes *p;
	uint32_t i, wrong = 0;

	add_comm(&b, 1, 10, "parent", 0);
	for (i = 1; i <= REUSES; i++) {
		add_fork(&b, 10 * i, 20, 10);
		if (i % 2)
			add_exit(&b, 10 * i + 5, 20);
	}
	p = table_of(b);
	for (i = 1; i <= REUSES; i++)
		wrong += process_at(p, 20, 10 * i)->start != 10 * i ||
			 process_at(p, 20, 10 * i + 9)->start != 10 * i;
	ok(!wrong && process_at(p, 20, 9)->start == 10,
	   "each process of a number is found at its time, before all of them the first");
	ok(process_at(p, 20, 15)->end == 15, "an exit ends a process");
	ok(process_at(p, 20, 25)->end == 30, "without one, the next of its number does");
	ok(process_at(p, 20, 10 * REUSES)->end == UINT64_MAX, "the last one is alive");
	ct_processes_free(p);
}

static void check_memory(void)
{
	struct bytes b = { 0 };
	struct ct_processes *p;
	uint32_t child;

	add_comm(&b, 100, 10, "parent", 0);
	add_fork(&b, 500, 20, 10);
	add_newtask(&b, 501, 20, 10, 0x01200011);
	add_comm(&b, 600, 20, "child", 1);
	add_comm(&b, 700, 20, "again", 1);
	add_fork(&b, 800, 21, 10);
	/* CLONE_VM | CLONE_VFORK */
	add_newtask(&b, 801, 21, 10, 0x4111);
	add_fork(&b, 900, 22, 10);
	add_fork(&b, 910, 23, 10);
	/* A thread of 23 whose number is that of a process: no news of the process. */
	add_newtask(&b, 920, 23, 23, 0x10100);
	add_newtask(&b, 930, 99, 10, 0);
	p = table_of(b);
	child = ct_processes_find(p, 20, 550);

	ok(process_at(p, 20, 550)->memory == CT_MEMORY_COPIED, "a fork() copies the memory");
	ok(process_at(p, 21, 850)->memory == CT_MEMORY_SHARED, "a vfork() shares the memory");
	ok(process_at(p, 22, 950)->memory == CT_MEMORY_UNKNOWN,
	   "without the tracepoint it is not known what a fork does");
	ok(process_at(p, 23, 950)->memory == CT_MEMORY_UNKNOWN, "a thread says nothing of a fork");
	ok(ct_processes_find(p, 99, 950) == CT_MAP_NONE,
	   "a clone whose fork was not told of makes no process");
	ok(!ct_processes_execs(p, child, 599) && ct_processes_execs(p, child, 600) == 1 &&
	   ct_processes_execs(p, child, 800) == 2, "execs are counted over time");
	ok(ct_processes_exec(p, child, 0) == 600 && ct_processes_exec(p, child, 1) == 700 &&
	   ct_processes_exec(p, child, 2) == UINT64_MAX, "the time of each exec is known");
	ok(ct_processes_nr(p) == 5, "all processes are in the table");
	ct_processes_free(p);
}

static void check_anon_bytes(void)
{
	/* One number and the id. */
	static const struct {
		struct perf_event_header h;
		uint64_t	body[5];
	} cut = { { CT_RECORD_MEMORY, 0, sizeof(cut) }, { 24, 4096 } };
	struct bytes b = { 0 };
	struct ct_processes *p;

	add_comm(&b, 100, 10, "parent", 0);
	add_memory(&b, 200, 10, 4096, 0);
	add_fork(&b, 500, 20, 10);
	add_memory(&b, 510, 20, 8192, 4096);
	add_memory(&b, 520, 20, 65536, 0);
	add_fork(&b, 600, 21, 10);
	add_comm(&b, 610, 21, "another", 1);
	add_memory(&b, 620, 21, 8192, 0);
	add_fork(&b, 700, 22, 10);
	add_exit(&b, 710, 22);
	add_memory(&b, 720, 22, 8192, 0);
	add_fork(&b, 800, 22, 10);
	add_memory(&b, 810, 23, 8192, 0);
	add_fork(&b, 900, 24, 10);
	append_bytes(&b, &cut, sizeof(cut));
	p = table_of(b);

	ok(process_at(p, 20, 550)->anon_bytes == 12288,
	   "the memory of a new process is what it had first, in RAM and swapped");
	ok(process_at(p, 10, 550)->anon_bytes == UINT64_MAX,
	   "what a process has that was there before is nothing that was shared");
	ok(process_at(p, 21, 650)->anon_bytes == UINT64_MAX, "nor what one has after exec");
	ok(process_at(p, 22, 750)->anon_bytes == UINT64_MAX &&
	   process_at(p, 22, 850)->anon_bytes == UINT64_MAX, "nor what is told after its end");
	ok(ct_processes_find(p, 23, 950) == CT_MAP_NONE, "memory without a fork makes no process");
	ok(process_at(p, 24, 950)->anon_bytes == UINT64_MAX && ct_processes_bad(p) == 1,
	   "a record that is too short is counted as bad");
	ct_processes_free(p);
}

static void check_hostile(void)
{
	struct bytes b = { 0 };
	struct ct_processes *p;
	uint32_t i;

	add_fork(&b, 5, 7, 7000);
	add_fork(&b, 5, 7000, 7);
	add_comm(&b, 6, 8, "a\033[2Jb\xff", 0);
	add_map(&b, 7, 8, 0, UINT64_MAX, UINT64_MAX, id, "/x");
	add_map(&b, 8, 9, UINT64_MAX - 5, 100, 0, id, "/wraps");
	add_lost(&b, 9, 12);
	/* A chain of forks that no recursion would survive. */
	for (i = 100; i < 20000; i++)
		add_fork(&b, 10 + i, i + 1, i);
	/* A sample without its raw data. */
	append_bytes(&b, "\t\0\0\0\0\0\20\0\0\0\0\0\0\0\0\0", 16);
	append_bytes(&b, "\3\0\0\0\0\0\4\0", 8);
	p = table_of(b);
	ok(!strcmp(named(p, 7, 10), "-"), "processes that fork each other end the search");
	ok(!strcmp(named(p, 8, 10), "a?[2Jb?"), "a name cannot steer a terminal");
	ok(!strcmp(mapped(p, 8, 0x1234, 10), "/x"), "a mapping of everything is searched");
	ok(!strcmp(mapped(p, 20001, 0x1234, 100000), "-"), "a long chain of forks is given up");
	ok(ct_processes_lost(p) == 12, "records that perf lost are counted");
	ok(ct_processes_bad(p) == 2, "records that are too short are counted and left");
	ct_processes_free(p);
}

int main(void)
{
	path = temporary_file();
	check_life();
	check_reuse();
	check_memory();
	check_anon_bytes();
	check_hostile();
	remove(path);
	free(path);
	return tap_end();
}
