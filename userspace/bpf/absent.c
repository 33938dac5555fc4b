// SPDX-License-Identifier: GPL-2.0
/* In the place of the backend, where what builds it was missing. */
#include <errno.h>

#include "bpf.h"

int ct_bpf_open(struct ct_source **source, struct ct_error *err)
{
	*source = NULL;
	return ct_error_set(err, -EOPNOTSUPP,
			    "this cowtrace was built without BPF (" CT_BPF_WHY "): apt-get install clang llvm bpftool libbpf-dev, and build it again");
}

void ct_bpf_set_btf(const char *path)
{
	(void)path;
}

bool ct_bpf_built(const char **how)
{
	if (how)
		*how = CT_BPF_WHY;
	return false;
}
