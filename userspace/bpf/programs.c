// SPDX-License-Identifier: GPL-2.0
#include "programs.h"

const struct ct_bpf_program ct_bpf_programs[] = {
	{ "wp_entry", CT_BPF_WP, true, false, false, 1 },
	{ "wp_exit", CT_BPF_WP, true, true, true, 1 },
	{ "wp_entry_kprobe", CT_BPF_WP, false, false, false, 0 },
	{ "wp_exit_kprobe", CT_BPF_WP, false, true, true, 0 },
	{ "wp_copy", CT_BPF_WP_COPY, true, false, false, 0 },
	{ "wp_copy_kprobe", CT_BPF_WP_COPY, false, false, false, 0 },
	{ "wp_reuse", CT_BPF_WP_REUSE, true, false, false, 0 },
	{ "wp_reuse_kprobe", CT_BPF_WP_REUSE, false, false, false, 0 },
	{ "swap_entry_seen", CT_BPF_SWAP, true, false, true, 1 },
	{ "swap_exit_seen", CT_BPF_SWAP, true, true, true, 1 },
	{ "swap_entry_kprobe", CT_BPF_SWAP, false, false, true, 0 },
	{ "swap_exit_kprobe", CT_BPF_SWAP, false, true, true, 0 },
	{ "pmd_entry", CT_BPF_PMD, true, false, true, 1 },
	{ "pmd_exit", CT_BPF_PMD, true, true, true, 1 },
	{ "pmd_entry_kprobe", CT_BPF_PMD, false, false, true, 0 },
	{ "pmd_exit_kprobe", CT_BPF_PMD, false, true, true, 0 },
	{ "pmd_copy", CT_BPF_PMD_COPY, true, false, false, 0 },
	{ "pmd_copy_kprobe", CT_BPF_PMD_COPY, false, false, false, 0 },
	{ "pmd_reuse", CT_BPF_PMD_REUSE, true, false, false, 0 },
	{ "pmd_reuse_kprobe", CT_BPF_PMD_REUSE, false, false, false, 0 },
	{ "hugetlb_entry_1", CT_BPF_HUGETLB, true, false, false, 1 },
	{ "hugetlb_exit_1", CT_BPF_HUGETLB, true, true, false, 1 },
	{ "hugetlb_entry_2", CT_BPF_HUGETLB, true, false, false, 2 },
	{ "hugetlb_exit_2", CT_BPF_HUGETLB, true, true, false, 2 },
	{ "hugetlb_entry_6", CT_BPF_HUGETLB, true, false, false, 6 },
	{ "hugetlb_exit_6", CT_BPF_HUGETLB, true, true, false, 6 },
	{ "hugetlb_entry_kprobe", CT_BPF_HUGETLB, false, false, false, 0 },
	{ "hugetlb_exit_kprobe", CT_BPF_HUGETLB, false, true, false, 0 },
	{ "hugetlb_copy", CT_BPF_HUGETLB_COPY, true, false, false, 0 },
	{ "hugetlb_copy_kprobe", CT_BPF_HUGETLB_COPY, false, false, false, 0 },
};

#define NR_PROGRAMS	(sizeof(ct_bpf_programs) / sizeof(*ct_bpf_programs))
const size_t ct_bpf_nr_programs = NR_PROGRAMS;
_Static_assert(NR_PROGRAMS <= CT_BPF_PROGRAMS_MAX, "a link for each program");

bool ct_bpf_is_witness(enum ct_bpf_point point)
{
	switch (point) {
	case CT_BPF_WP_COPY:
	case CT_BPF_WP_REUSE:
	case CT_BPF_PMD_COPY:
	case CT_BPF_PMD_REUSE:
	case CT_BPF_HUGETLB_COPY:
		return true;
	default:
		return false;
	}
}

/* As module/session.c: where the return code leaves no question, nobody testifies. */
bool ct_bpf_wanted(const struct ct_bpf *b, enum ct_bpf_point point)
{
	bool coded = b->kernel.traits & COWTRACE_TRAIT_RET_WRITE;

	if (b->kernel.probe[point] == CT_BPF_ABSENT)
		return false;
	if (!ct_bpf_is_witness(point))
		return true;
	if (b->witness == CT_BPF_WITNESS_OFF)
		return false;
	if (b->witness == CT_BPF_WITNESS_ON || point == CT_BPF_HUGETLB_COPY)
		return true;
	return !coded || (point == CT_BPF_WP_COPY &&
			  (b->kernel.traits & COWTRACE_TRAIT_EXCLUSIVE));
}

enum ct_bpf_probe ct_bpf_probe_of(const struct ct_bpf *b, const struct ct_bpf_program *p)
{
	const struct ct_bpf_kernel *k = &b->kernel;
	enum ct_bpf_probe probe = k->probe[p->point];
	bool fits = false;

	if (!ct_bpf_wanted(b, p->point))
		return CT_BPF_ABSENT;
	if (k->graph && p->preempted)
		probe = CT_BPF_MULTI;
	/* Of a function whose number of arguments is not expected: by registers too. */
	for (size_t i = 0; i < NR_PROGRAMS; i++)
		fits |= ct_bpf_programs[i].trampoline && ct_bpf_programs[i].point == p->point &&
			(!ct_bpf_programs[i].args || ct_bpf_programs[i].args == k->args[p->point]);
	if (probe == CT_BPF_TRAMPOLINE && !fits)
		probe = CT_BPF_KPROBE;
	if ((probe == CT_BPF_TRAMPOLINE) != p->trampoline ||
	    (p->trampoline && p->args && p->args != k->args[p->point]))
		return CT_BPF_ABSENT;
	return probe;
}
