// SPDX-License-Identifier: GPL-2.0
/* What the programs counted, and whether they see anything at all. */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parts.h"
#include "skeleton.h"

static struct cow_bpf_counters *counters_of_all(const struct ct_bpf *b)
{
	int nr = libbpf_num_possible_cpus();
	struct cow_bpf_counters *all = nr > 0 ? calloc(nr, sizeof(*all)) : NULL;
	__u32 zero = 0;

	if (all && b->skel)
		bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.counters), &zero, all);
	return all;
}

void ct_bpf_of_cpu(const struct ct_bpf *b, unsigned int cpu, struct cow_bpf_counters *c)
{
	struct cow_bpf_counters *all = counters_of_all(b);

	memset(c, 0, sizeof(*c));
	if (all && cpu < (unsigned int)libbpf_num_possible_cpus())
		*c = all[cpu];
	free(all);
}

void ct_bpf_sum(const struct ct_bpf *b, struct cow_bpf_counters *sum)
{
	struct cow_bpf_counters *all = counters_of_all(b);

	memset(sum, 0, sizeof(*sum));
	for (int cpu = 0; all && cpu < libbpf_num_possible_cpus(); cpu++)
		for (size_t i = 0; i < sizeof(*sum) / sizeof(__u64); i++)
			((__u64 *)sum)[i] += ((__u64 *)&all[cpu])[i];
	free(all);
}

void ct_bpf_reset(struct ct_bpf *b)
{
	int nr = libbpf_num_possible_cpus();
	struct cow_bpf_counters *all = nr > 0 ? calloc(nr, sizeof(*all)) : NULL;
	__u32 zero = 0;

	if (all && b->skel)
		bpf_map_update_elem(bpf_map__fd(b->skel->maps.counters), &zero, all, BPF_ANY);
	free(all);
	b->missed = ct_bpf_missed_in_all(b);
	b->blind_checks = 0;
	memset(b->tally, 0, sizeof(b->tally));
}

#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value)	(*(volatile typeof(x) *)&(x) = (value))

/* The first write after a read copies the zero page: a fault that nobody else has. */
static void provoke(void)
{
	long size = sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (page == MAP_FAILED)
		return;
	(void)READ_ONCE(*page);
	WRITE_ONCE(*page, 1);
	munmap(page, size);
}

void ct_bpf_prove(struct ct_bpf *b)
{
	struct cow_bpf_counters before, after;

	if (!b->attached)
		return;
	ct_bpf_sum(b, &before);
	b->skel->bss->settings.prover = syscall(SYS_gettid);
	provoke();
	b->skel->bss->settings.prover = 0;
	ct_bpf_sum(b, &after);
	b->blind = after.proofs == before.proofs;
	if (b->blind)
		b->blind_checks++;
	/* Silence of a witness that sees nothing must not count. */
	if (!b->blind && after.proofs_witnessed == before.proofs_witnessed)
		b->settings.watched &= ~(1u << COWTRACE_PATH_PTE);
	b->skel->bss->settings.watched = b->settings.watched;
}
