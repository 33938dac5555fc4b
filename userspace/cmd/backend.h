/* SPDX-License-Identifier: GPL-2.0 */
/* Which backend gives the records: the module or BPF. */
#ifndef COWTRACE_BACKEND_H
#define COWTRACE_BACKEND_H

#include "capture_source.h"

/**
 * ct_backend_parse() - read a name
 * @name: auto, module or bpf.
 * @backend: receives it.
 * Return: 0 or -EINVAL.
 */
int ct_backend_parse(const char *name, enum ct_backend *backend);

/* As ct_source_open: with CT_BACKEND_AUTO it says so when it is not the module. */
int ct_backend_open(enum ct_backend backend, struct ct_source **source, struct ct_error *err);

#endif /* COWTRACE_BACKEND_H */
