// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

#include "proof.h"

struct task_struct *cow_prover __read_mostly;
/* Where it will fault. */
static unsigned long proof_page __read_mostly;
/* What the handlers found; written by the prover's own fault. */
static bool seen, witnessed;

bool cow_proof_at(const struct vm_fault *vmf)
{
	return READ_ONCE(cow_prover) == current && (vmf->address & PAGE_MASK) == proof_page;
}

void cow_proof_seen(const struct cowtrace_record *r)
{
	WRITE_ONCE(seen, true);
	WRITE_ONCE(witnessed, r->evidence & COWTRACE_EV_WITNESS);
}

/* Read first, which maps the zero page, then write. */
static int provoke(unsigned long addr)
{
	char __user *byte = (char __user *)addr;
	char value;

	if (get_user(value, byte))
		return -EFAULT;
	WRITE_ONCE(proof_page, addr);
	WRITE_ONCE(cow_prover, current);
	if (put_user(value, byte)) {
		WRITE_ONCE(cow_prover, NULL);
		return -EFAULT;
	}
	WRITE_ONCE(cow_prover, NULL);
	return READ_ONCE(seen) ? 0 : -ENODATA;
}

int cow_prove(void)
{
	unsigned long addr;
	int err;

	/* mlockall(MCL_FUTURE) fills each mapping at once: nothing is left to copy. */
	if (!current->mm || (current->mm->def_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED)
		return -EDEADLK;

	/* MAP_NORESERVE keeps it apart from its neighbours, and so from huge pages. */
	addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(addr))
		return addr;

	seen = false;
	witnessed = false;
	err = provoke(addr);
	vm_munmap(addr, PAGE_SIZE);
	return err;
}

bool cow_proof_witnessed(void)
{
	return READ_ONCE(witnessed);
}
