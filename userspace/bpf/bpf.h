/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs as a source of records, where the module may not be loaded. */
#ifndef COWTRACE_BPF_H
#define COWTRACE_BPF_H

#include <stdbool.h>

#include "capture_source.h"

/**
 * ct_bpf_open() - look at what this kernel lets BPF see
 * @source: receives the source, which its own close() frees.
 * @err: what is missing and what to do.
 *
 * Programs are loaded when the first setting needs them.
 *
 * Return: 0 or a negative errno, -EOPNOTSUPP where this cowtrace was built without BPF or
 * the kernel does not give it what it needs.
 */
int ct_bpf_open(struct ct_source **source, struct ct_error *err);

/* The kernel's own types, by a file instead of /sys/kernel/btf/vmlinux; for ct_bpf_open(). */
void ct_bpf_set_btf(const char *path);

/**
 * ct_bpf_built() - whether this cowtrace was built with it
 * @how: receives which libbpf it runs with, or why it was built without; may be NULL. Not
 *       to be freed.
 */
bool ct_bpf_built(const char **how);

#endif /* COWTRACE_BPF_H */
