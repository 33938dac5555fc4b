// SPDX-License-Identifier: GPL-2.0
/* What the kernel is like, by its BTF: the features that module/compat/ finds in headers. */
#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "parts.h"

/* More arguments no trampoline of x86 passes. */
#define ARGS_MAX	6

bool ct_bpf_built(const char **how)
{
	static char library[32];

	snprintf(library, sizeof(library), "libbpf %s", libbpf_version_string());
	if (how)
		*how = library;
	return true;
}

static const struct btf_type *find(const struct btf *btf, const char *name, __u32 kind)
{
	__s32 id = btf__find_by_name_kind(btf, name, kind);

	return id > 0 ? btf__type_by_id(btf, id) : NULL;
}

static bool has_enumerator(const struct btf *btf, const char *type, const char *name)
{
	const struct btf_type *t = find(btf, type, BTF_KIND_ENUM);

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), name))
			return true;
	return false;
}

/* Also of what the type has without a name. */
static bool has_member_of(const struct btf *btf, const struct btf_type *t, const char *name)
{
	for (int i = 0; t && btf_is_composite(t) && i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *its = btf__name_by_offset(btf, m->name_off);
		__s32 id;

		if (!strcmp(its, name))
			return true;
		id = *its ? 0 : btf__resolve_type(btf, m->type);
		if (id > 0 && has_member_of(btf, btf__type_by_id(btf, id), name))
			return true;
	}
	return false;
}

static bool has_member(const struct btf *btf, const char *type, const char *name)
{
	return has_member_of(btf, find(btf, type, BTF_KIND_STRUCT), name);
}

static int find_traits(struct ct_bpf_kernel *k, struct ct_error *err)
{
	bool ret_write = has_enumerator(k->btf, "vm_fault_reason", "VM_FAULT_WRITE");
	bool exclusive = has_enumerator(k->btf, "pageflags", "PG_anon_exclusive");
	bool mm_ids = has_member(k->btf, "folio", "_mm_ids");
	bool folio = find(k->btf, "folio", BTF_KIND_STRUCT);

	/* What module/compat/compat.h refuses. */
	if ((folio && !exclusive) || (mm_ids && ret_write))
		return ct_error_set(err, -EOPNOTSUPP,
				    "the do_wp_page() of this kernel is not known (folios without PageAnonExclusive, or the like): use 5.10, or 5.19 and later");
	k->traits = ret_write ? COWTRACE_TRAIT_RET_WRITE : COWTRACE_TRAIT_SHARED_FIRST;
	if (exclusive)
		k->traits |= COWTRACE_TRAIT_EXCLUSIVE;
	if (mm_ids)
		k->traits |= COWTRACE_TRAIT_LARGE_EXCLUSIVE;
	else if (!ret_write)
		k->traits |= COWTRACE_TRAIT_LARGE_COPY;
	return 0;
}

/* The node stands in the highest bits of the flags, as many as there can be nodes. */
static void find_node_shift(struct ct_bpf_kernel *k)
{
	__s32 id = btf__find_by_name_kind(k->btf, "nodemask_t", BTF_KIND_TYPEDEF);
	__s64 size = id > 0 ? btf__resolve_size(k->btf, id) : 0;
	uint32_t bits = 0;

	/* Of up to 64 nodes the size does not tell: one is as good as any. */
	for (; size > 8 && (1ll << bits) < size * 8; bits++)
		;
	k->node_shift = bits ? 64 - bits : 0;
}

static bool returns_struct(const struct btf *btf, const struct btf_type *proto)
{
	__s32 id = proto->type ? btf__resolve_type(btf, proto->type) : 0;

	return id > 0 && btf_is_composite(btf__type_by_id(btf, id));
}

/* Can a trampoline be put before the function? */
static bool fits_trampoline(const struct btf *btf, const struct btf_type *func)
{
	const struct btf_type *proto = btf__type_by_id(btf, func->type);
	/* Structures are passed since 720e6a435194 (6.1). */
	bool structs = has_member(btf, "btf_func_model", "arg_flags");

	if (!proto || btf_vlen(proto) > ARGS_MAX || returns_struct(btf, proto))
		return false;
	for (int i = 0; i < btf_vlen(proto); i++) {
		__s32 id = btf__resolve_type(btf, btf_params(proto)[i].type);
		const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

		if (!t || (btf_is_composite(t) && !structs))
			return false;
	}
	return true;
}

/* Each under the names that kernels have for it, the newest first. */
static const char *const names[CT_BPF_NR_POINTS][2] = {
	[CT_BPF_WP]	  = { "do_wp_page" },
	[CT_BPF_WP_COPY]  = { "folio_add_new_anon_rmap", "page_add_new_anon_rmap" },
	[CT_BPF_WP_REUSE] = { "ptep_set_access_flags" },
	[CT_BPF_SWAP]	  = { "do_swap_page" },
	[CT_BPF_PMD]	  = { "do_huge_pmd_wp_page" },
	[CT_BPF_PMD_COPY] = { "pmdp_huge_clear_flush" },
	[CT_BPF_PMD_REUSE] = { "pmdp_set_access_flags" },
	[CT_BPF_HUGETLB]  = { "hugetlb_wp", "hugetlb_cow" },
	[CT_BPF_HUGETLB_COPY] = { "hugetlb_add_new_anon_rmap", "hugepage_add_new_anon_rmap" },
};

/* Which argument of hugetlb_wp() is a vm_fault: it changed within 6.12. */
static void find_hugetlb_vmf(struct ct_bpf_kernel *k)
{
	const struct btf_type *func = find(k->btf, names[CT_BPF_HUGETLB][0], BTF_KIND_FUNC), *t;
	const struct btf_type *proto = func ? btf__type_by_id(k->btf, func->type) : NULL;

	for (int i = 0; proto && i < btf_vlen(proto); i++) {
		t = btf__type_by_id(k->btf, btf_params(proto)[i].type);
		if (!t || !btf_is_ptr(t))
			continue;
		t = btf__type_by_id(k->btf, t->type);
		if (t && !strcmp(btf__name_by_offset(k->btf, t->name_off), "vm_fault"))
			k->hugetlb_vmf = i + 1;
	}
}

static void find_function(struct ct_bpf_kernel *k, enum ct_bpf_point point)
{
	const struct btf_type *func = NULL;

	for (int i = 0; i < 2 && !func && names[point][i]; i++) {
		func = find(k->btf, names[point][i], BTF_KIND_FUNC);
		k->symbol[point] = names[point][i];
	}
	if (!func) {
		k->symbol[point] = names[point][0];
		k->probe[point] = CT_BPF_ABSENT;
		return;
	}
	k->args[point] = btf_vlen(btf__type_by_id(k->btf, func->type));
	k->probe[point] = k->trampolines && fits_trampoline(k->btf, func) ? CT_BPF_TRAMPOLINE :
									    CT_BPF_KPROBE;
}

int ct_bpf_look(struct ct_bpf_kernel *k, struct ct_error *err)
{
	int ret = ct_bpf_open_types(k, err);

	if (!ret)
		ret = find_traits(k, err);
	if (ret)
		return ret;
	find_node_shift(k);
	find_hugetlb_vmf(k);
	/* fprobes of the function graph, since 4346ba160409 (6.14). */
	k->graph = has_member(k->btf, "fprobe", "hlist_array");
	for (int i = 0; i < CT_BPF_NR_POINTS; i++)
		find_function(k, i);
	if (k->probe[CT_BPF_WP] == CT_BPF_ABSENT)
		return ct_error_set(err, -EOPNOTSUPP,
				    "%s: this BTF knows no do_wp_page(): load the module instead",
				    k->path ?: "/sys/kernel/btf/vmlinux");
	return ct_bpf_check_functions(k, err);
}

void ct_bpf_forget(struct ct_bpf_kernel *k)
{
	btf__free(k->btf);
	k->btf = NULL;
}
