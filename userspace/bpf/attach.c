// SPDX-License-Identifier: GPL-2.0
/* The programs: attached, and asked what the kernel did not show them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "programs.h"
#include "skeleton.h"

static const char *const tree_programs[] = { "on_fork", "on_exit" };

/* A path is watched when none of its witnesses is missing. */
static void describe(struct ct_bpf *b)
{
	struct cow_bpf_settings *s = &b->settings;

	s->watched = 0;
	if (ct_bpf_wanted(b, CT_BPF_WP_COPY))
		s->watched |= 1u << COWTRACE_PATH_PTE;
	if (ct_bpf_wanted(b, CT_BPF_PMD_COPY) && ct_bpf_wanted(b, CT_BPF_PMD_REUSE))
		s->watched |= 1u << COWTRACE_PATH_PMD;
	if (ct_bpf_wanted(b, CT_BPF_HUGETLB_COPY))
		s->watched |= 1u << COWTRACE_PATH_HUGETLB;
	s->callers = ct_bpf_wanted(b, CT_BPF_SWAP);
	s->hugetlb_vmf = b->kernel.hugetlb_vmf;
	s->node_shift = b->kernel.node_shift;
	s->wake_at = ct_bpf_ring_bytes(b) / 4;
}

static int attach(struct ct_bpf *b, size_t i)
{
	const struct ct_bpf_program *p = &ct_bpf_programs[i];
	struct bpf_program *prog = bpf_object__find_program_by_name(b->skel->obj, p->name);
	const char *symbol = b->kernel.symbol[p->point];
	struct bpf_kprobe_multi_opts opts = {
		.sz = sizeof(opts),
		.syms = &symbol,
		.cnt = 1,
		.retprobe = p->at_return,
	};
	struct bpf_link *link;

	switch (ct_bpf_probe_of(b, p)) {
	case CT_BPF_ABSENT:
		return 0;
	case CT_BPF_KPROBE:
		link = bpf_program__attach_kprobe(prog, p->at_return, symbol);
		break;
	case CT_BPF_MULTI:
		link = bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
		break;
	default:
		link = bpf_program__attach(prog);
		break;
	}
	if (!link)
		return -errno;
	b->links[i] = link;
	return 0;
}

int ct_bpf_attach(struct ct_bpf *b, struct ct_error *err)
{
	int ret;

	ret = ct_bpf_load(b, err);
	if (ret)
		return ret;
	describe(b);
	b->skel->bss->settings = b->settings;
	b->attached = true;
	/* Exits before entries, and witnesses before both: what is seen is seen whole. */
	for (size_t i = ct_bpf_nr_programs; i-- > 0;) {
		ret = attach(b, i);
		if (!ret)
			continue;
		ct_error_set(err, ret, "no BPF program can be attached to %s(): %s (libbpf: %s)",
			     b->kernel.symbol[ct_bpf_programs[i].point], strerror(-ret),
			     ct_bpf_libbpf_said());
		ct_bpf_detach(b);
		return ret;
	}
	return 0;
}

static uint64_t recursion_misses(int fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.recursion_misses;
}

struct ct_bpf_missed ct_bpf_missed_in_all(const struct ct_bpf *b)
{
	struct ct_bpf_missed m = { 0 };

	for (size_t i = 0; b->skel && i < ct_bpf_nr_programs; i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(b->skel->obj, ct_bpf_programs[i].name);

		if (bpf_program__fd(prog) < 0)
			continue;
		if (ct_bpf_is_witness(ct_bpf_programs[i].point))
			m.witness += recursion_misses(bpf_program__fd(prog));
		else
			m.fault += recursion_misses(bpf_program__fd(prog));
	}
	return m;
}

/* Programs count from their load on: what was missed before a reset is taken off. */
struct ct_bpf_missed ct_bpf_missed(const struct ct_bpf *b)
{
	struct ct_bpf_missed m = ct_bpf_missed_in_all(b);

	m.fault -= b->missed.fault;
	m.witness -= b->missed.witness;
	return m;
}

void ct_bpf_detach(struct ct_bpf *b)
{
	if (!b->skel || !b->attached)
		return;
	/* Entries first: what has begun may still end. */
	for (size_t i = 0; i < ct_bpf_nr_programs; i++) {
		bpf_link__destroy(b->links[i]);
		b->links[i] = NULL;
	}
	b->attached = false;
}

int ct_bpf_attach_tree(struct ct_bpf *b, struct ct_error *err)
{
	int ret = ct_bpf_load(b, err);

	for (int i = 0; !ret && i < 2; i++) {
		struct bpf_program *program;

		if (b->tree_links[i])
			continue;
		program = bpf_object__find_program_by_name(b->skel->obj, tree_programs[i]);
		b->tree_links[i] = bpf_program__attach(program);
		if (!b->tree_links[i])
			ret = ct_error_set(err, -errno,
					   "forks cannot be followed, no BPF program can be attached to them: %s",
					   strerror(errno));
	}
	return ret;
}

void ct_bpf_detach_tree(struct ct_bpf *b)
{
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(b->tree_links[i]);
		b->tree_links[i] = NULL;
	}
}
