// SPDX-License-Identifier: GPL-2.0
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/bpf.h"
#include "module.h"
#include "module_load.h"

static const char *const names[] = {
	[CT_BACKEND_AUTO] = "auto", [CT_BACKEND_MODULE] = "module", [CT_BACKEND_BPF] = "bpf",
};

int ct_backend_parse(const char *name, enum ct_backend *backend)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i])) {
			*backend = i;
			return 0;
		}
	return -EINVAL;
}

static int open_module(struct ct_source **source, struct ct_error *err)
{
	static struct ct_module module;
	int ret = ct_module_open(&module, err);

	*source = &module.source;
	return ret;
}

static int open_any(struct ct_source **source, struct ct_error *err)
{
	int ret = open_module(source, err);
	struct ct_error other;

	/* What is loaded is there to be used, and what is wrong with it to be told. */
	if (!ret || geteuid() || !ct_bpf_built(NULL) || (ct_module_is_loaded() && ret != -EPERM))
		return ret;
	if (ct_bpf_open(source, &other)) {
		struct ct_error module = *err;

		return ct_error_set(err, ret, "%s (nor is there the bpf backend: %.200s)",
				    module.text, other.text);
	}
	fprintf(stderr, "cowtrace: %s: going on with the bpf backend\n", err->text);
	return 0;
}

int ct_backend_open(enum ct_backend backend, struct ct_source **source, struct ct_error *err)
{
	switch (backend) {
	case CT_BACKEND_MODULE:
		return open_module(source, err);
	case CT_BACKEND_BPF:
		return ct_bpf_open(source, err);
	default:
		return open_any(source, err);
	}
}
