/* SPDX-License-Identifier: GPL-2.0 */
/* The programs of the object, and which of them this kernel gets. */
#ifndef COWTRACE_BPF_PROGRAMS_H
#define COWTRACE_BPF_PROGRAMS_H

#include "parts.h"

/**
 * struct ct_bpf_program - one program of the object
 * @name: of it.
 * @point: what it is for.
 * @trampoline: made for one; else for the registers that kprobes give.
 * @at_return: of the function.
 * @preempted: the kernel may preempt there.
 * @args: for a function of so many arguments, 0 for any.
 */
struct ct_bpf_program {
	const char		*name;
	enum ct_bpf_point	point;
	bool			trampoline;
	bool			at_return;
	bool			preempted;
	unsigned int		args;
};

extern const struct ct_bpf_program ct_bpf_programs[];
extern const size_t ct_bpf_nr_programs;

/* Does it testify to what became of faults? */
bool ct_bpf_is_witness(enum ct_bpf_point point);

/* Is it there, and does the outcome need it? */
bool ct_bpf_wanted(const struct ct_bpf *b, enum ct_bpf_point point);

/* How a program is attached on this kernel; CT_BPF_ABSENT: not at all. */
enum ct_bpf_probe ct_bpf_probe_of(const struct ct_bpf *b, const struct ct_bpf_program *p);

#endif /* COWTRACE_BPF_PROGRAMS_H */
