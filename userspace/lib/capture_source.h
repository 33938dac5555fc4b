/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where records come from. Capture knows only this: a set of named texts, of
 * which some can be set, and one stream of records per CPU. The names are those
 * of the module's debugfs files; another backend answers to the same names.
 */
#ifndef COWTRACE_CAPTURE_SOURCE_H
#define COWTRACE_CAPTURE_SOURCE_H

#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/**
 * struct ct_source - one origin of records
 * @name: "module" or "bpf"; goes into the trace's META.
 * @get: reads the text @what (schema, stats, lost, probes or a setting) into a
 *	string that the caller frees. Returns 0 or a negative errno.
 * @set: writes a setting. Returns 0 or a negative errno; nothing is changed then.
 * @open_cpu: opens the stream of a CPU. Returns a descriptor that epoll accepts
 *	and that close() ends, or a negative errno: -ENOENT where there is none,
 *	-EBUSY when somebody else reads it.
 * @open_lines: opens a file of lines of text that goes on, without blocking. Returns a
 *	descriptor, or a negative errno: -ENOENT where there is none. NULL: no such files.
 * @read_cpu: reads whole records, in the order in which the CPU wrote them.
 *	Returns bytes, 0 when switched off and drained, -EAGAIN when there are none
 *	now, or another negative errno.
 * @claim: becomes the one that changes settings, until @close. Returns 0 or -EBUSY.
 * @close: lets go of the source, and frees it.
 */
struct ct_source {
	const char	*name;
	int		(*get)(struct ct_source *source, const char *what, char **text,
			       struct ct_error *err);
	int		(*set)(struct ct_source *source, const char *what, const char *value,
			       struct ct_error *err);
	int		(*open_cpu)(struct ct_source *source, unsigned int cpu,
				    struct ct_error *err);
	int		(*open_lines)(struct ct_source *source, const char *what,
				      struct ct_error *err);
	ssize_t		(*read_cpu)(struct ct_source *source, int fd, void *data, size_t size);
	int		(*claim)(struct ct_source *source, struct ct_error *err);
	void		(*close)(struct ct_source *source);
};

/**
 * enum ct_backend - which source is wanted
 * @CT_BACKEND_AUTO: the module, or BPF where it is neither loaded nor can be.
 * @CT_BACKEND_MODULE: cowtrace.ko.
 * @CT_BACKEND_BPF: BPF programs.
 */
enum ct_backend {
	CT_BACKEND_AUTO,
	CT_BACKEND_MODULE,
	CT_BACKEND_BPF,
};

/* Opens a source. Returns 0 or a negative errno. */
typedef int (*ct_source_open)(enum ct_backend backend, struct ct_source **source,
			      struct ct_error *err);

/**
 * ct_source_permitted() - may we open a source at all?
 * @err: who may, and how to become that.
 * Return: 0, or -EACCES for who is not root.
 */
int ct_source_permitted(struct ct_error *err);

#endif /* COWTRACE_CAPTURE_SOURCE_H */
