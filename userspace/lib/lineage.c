// SPDX-License-Identifier: GPL-2.0
/* Which memory took part in which fork, asked at a time. */
#include "ledger_parts.h"

uint32_t ct_ledger_memory(const struct ct_forks *f, uint32_t process, uint64_t time)
{
	const struct ct_memories *m = f->memories;

	return m->same_as[m->base[process] + ct_processes_execs(f->processes, process, time)];
}

/* How many forks of its own a memory had until then. */
static uint32_t forks_until(const struct ct_forks *f, const struct memory *it, uint64_t time)
{
	const struct ct_memories *m = f->memories;
	uint32_t low = 0, high = it->nr;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (f->list[m->by_memory[it->first + mid]].start <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t ct_ledger_newest(const struct ct_forks *f, uint32_t memory, uint64_t time, bool open)
{
	const struct ct_memories *m = f->memories;
	const struct memory *it = &m->list[memory];
	uint32_t n = forks_until(f, it, time);
	uint32_t place = n ? it->first + n - 1 : CT_MAP_NONE;

	while (open && place != CT_MAP_NONE && ct_ledger_line_end(m, place) <= time)
		place = m->outlived_by[place];
	return place == CT_MAP_NONE ? it->fork : m->by_memory[place];
}

uint32_t ct_ledger_told_late(const struct ct_forks *f, uint32_t memory, uint64_t time)
{
	const struct memory *it = &f->memories->list[memory];
	uint32_t n = forks_until(f, it, time);

	if (!it->begun || !it->nr)
		return CT_MAP_NONE;
	return f->memories->by_memory[it->first + (n < it->nr ? n : n - 1)];
}

void ct_forks_lineage(const struct ct_forks *f, uint32_t process, uint64_t time,
		      struct ct_lineage *lineage)
{
	const struct ct_memories *m = f->memories;
	const struct ct_process *it = ct_processes_get(f->processes, process);
	size_t execs = ct_processes_execs(f->processes, process, time);
	uint32_t memory = ct_ledger_memory(f, process, time), n;
	uint64_t next = ct_processes_exec(f->processes, process, execs);

	lineage->memory = memory;
	lineage->begun = m->list[memory].begun;
	lineage->fork = ct_ledger_newest(f, memory, time, false);
	lineage->from = execs ? ct_processes_exec(f->processes, process, execs - 1) : it->start;
	lineage->next_fork = UINT64_MAX;
	lineage->until = next < it->end ? next : it->end;
	n = forks_until(f, &m->list[memory], time);
	if (n) {
		uint64_t start = f->list[m->by_memory[m->list[memory].first + n - 1]].start;

		if (start > lineage->from)
			lineage->from = start;
	}
	if (n < m->list[memory].nr)
		lineage->next_fork = f->list[m->by_memory[m->list[memory].first + n]].start;
	if (lineage->next_fork < lineage->until)
		lineage->until = lineage->next_fork;
}
