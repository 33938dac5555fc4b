/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proof: do the probes see anything? register_kprobe() and register_fprobe()
 * succeed while kprobes are disarmed or ftrace is off, and no fault is seen.
 * So the module provokes one of its own: a write to a page of the current
 * process that maps the zero page, which do_wp_page() must copy.
 */
#ifndef COW_PROOF_H
#define COW_PROOF_H

#include <linux/compiler.h>
#include <linux/types.h>

struct cowtrace_record;
struct task_struct;
struct vm_fault;

/**
 * cow_prove() - provoke a fault and see whether the probes report it
 *
 * Context: process context, may sleep and take mmap_lock; the caller holds
 * none of the kernel's tracing locks, and lets one proof be made at a time.
 *
 * Return: 0 seen; -ENODATA not seen; -EDEADLK this process locks all its
 * memory, so no such fault can be provoked; another errno of vm_mmap().
 */
int cow_prove(void);

/* The task that makes a proof now. */
extern struct task_struct *cow_prover;

bool cow_proof_at(const struct vm_fault *vmf);

/* Is this the fault that cow_prove() provokes? Context: preemption off. */
static __always_inline bool cow_proof_here(const struct vm_fault *vmf)
{
	return unlikely(READ_ONCE(cow_prover)) && cow_proof_at(vmf);
}

/* It reached its exit and was classified. */
void cow_proof_seen(const struct cowtrace_record *r);

/* Did the witness see the copy of the last proof? */
bool cow_proof_witnessed(void);

#endif /* COW_PROOF_H */
