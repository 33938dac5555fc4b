// SPDX-License-Identifier: GPL-2.0
/* The kernel's types: its own, or those of a file that must be of the same kernel. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf.h"
#include "parts.h"

#define WHENCE \
	"--btf takes a copy of this kernel's /sys/kernel/btf/vmlinux, or what pahole -J made of its debug image"

static const char *btf_path;

void ct_bpf_set_btf(const char *path)
{
	btf_path = path;
}

const char *ct_bpf_btf_path(void)
{
	return btf_path;
}

/* By its number, where the file is hidden; kernels have it since 5.11 (5329722057d4). */
static struct btf *loaded_types(void)
{
	struct btf *btf = NULL;
	__u32 id = 0;

	while (!btf && !bpf_btf_get_next_id(id, &id)) {
		char name[16] = "";
		struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
		__u32 size = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf &&
		    !strcmp(name, "vmlinux"))
			btf = btf__load_from_kernel_by_id(id);
		close(fd);
	}
	return btf;
}

static bool same_struct(const struct btf *a, const struct btf *b, const char *name)
{
	__s32 id[2] = { btf__find_by_name_kind(a, name, BTF_KIND_STRUCT),
			btf__find_by_name_kind(b, name, BTF_KIND_STRUCT) };
	const struct btf_type *s, *t;

	if (id[0] <= 0 || id[1] <= 0)
		return id[0] <= 0 && id[1] <= 0;
	s = btf__type_by_id(a, id[0]);
	t = btf__type_by_id(b, id[1]);
	if (s->size != t->size || btf_vlen(s) != btf_vlen(t))
		return false;
	for (int i = 0; i < btf_vlen(s); i++)
		if (btf_members(s)[i].offset != btf_members(t)[i].offset ||
		    strcmp(btf__name_by_offset(a, btf_members(s)[i].name_off),
			   btf__name_by_offset(b, btf_members(t)[i].name_off)))
			return false;
	return true;
}

/* Of what the programs read. */
static const char *other_struct(const struct btf *given, const struct btf *own)
{
	static const char *const names[] = {
		"page", "folio", "vm_fault", "vm_area_struct", "mm_struct", "task_struct",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!same_struct(given, own, names[i]))
			return names[i];
	return NULL;
}

static int refuse(const struct ct_bpf_kernel *k, const char *why, struct ct_error *err)
{
	struct utsname uts;

	return ct_error_set(err, -EINVAL, "%s is of another kernel than this one, %s: %s: " WHENCE,
			    k->path, uname(&uts) ? "?" : uts.release, why);
}

static int open_given(struct ct_bpf_kernel *k, const struct btf *own, struct ct_error *err)
{
	const char *other;
	char text[128];
	int code;

	k->btf = btf__parse(btf_path, NULL);
	code = errno;
	if (!k->btf && (access(btf_path, R_OK) || code == EIO))
		return ct_error_set(err, -code, "cannot read %s: %s: " WHENCE, btf_path,
				    strerror(code));
	if (!k->btf)
		return ct_error_set(err, -EINVAL, "%s holds no BTF: " WHENCE, btf_path);
	other = own ? other_struct(k->btf, own) : NULL;
	if (!other)
		return 0;
	snprintf(text, sizeof(text), "its struct %s is another", other);
	return refuse(k, text, err);
}

int ct_bpf_open_types(struct ct_bpf_kernel *k, struct ct_error *err)
{
	struct btf *own;
	int ret = 0;

	own = btf__load_vmlinux_btf();
	k->trampolines = own;
	k->path = btf_path;
	if (!btf_path) {
		k->btf = own;
		return own ? 0 :
			ct_error_set(err, -EOPNOTSUPP,
				     "this kernel's BTF is not to be had, neither /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF) nor its image: load the module instead, or give a file: "
				     WHENCE);
	}
	if (!own)
		own = loaded_types();
	ret = open_given(k, own, err);
	btf__free(own);
	return ret;
}

int ct_bpf_check_functions(const struct ct_bpf_kernel *k, struct ct_error *err)
{
	bool there[CT_BPF_NR_POINTS] = { false };
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];

	if (!k->path || !f) {
		if (f)
			fclose(f);
		return 0;
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*1[tT] %255s", symbol) != 1)
			continue;
		for (int i = 0; i < CT_BPF_NR_POINTS; i++)
			there[i] |= !strcmp(symbol, k->symbol[i]);
	}
	fclose(f);
	for (int i = 0; i < CT_BPF_NR_POINTS; i++) {
		char text[128];

		if (k->probe[i] == CT_BPF_ABSENT || there[i])
			continue;
		snprintf(text, sizeof(text), "there is no %s() here", k->symbol[i]);
		return refuse(k, text, err);
	}
	return 0;
}
