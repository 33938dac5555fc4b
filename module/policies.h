/* SPDX-License-Identifier: GPL-2.0 */
/* policies: what each policy of policy.h answers to each fault, counted live. */
#ifndef COW_POLICIES_H
#define COW_POLICIES_H

#include <cowtrace/record.h>
#include <linux/jump_label.h>

struct seq_file;

/* Are they counted? Off, it costs a fault one instruction that does nothing. */
DECLARE_STATIC_KEY_FALSE(cow_policies_on);

void cow_policies_add(const struct cowtrace_record *r);

/* Count a classified fault. Context: preemption off. */
static inline void cow_policies_count(const struct cowtrace_record *r)
{
	if (static_branch_unlikely(&cow_policies_on))
		cow_policies_add(r);
}

/*
 * Switch it on or off, and begin again at zero. Context: may sleep; no handler runs.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int cow_policies_switch(bool on);

/* Begin again at zero. Context: may sleep; no handler runs. */
void cow_policies_reset(void);

/* Let go of what it takes. Context: no handler runs any more. */
void cow_policies_exit(void);

/* A line "policy POLICY ANSWER COUNT" for each answer that was given; none while off. */
void cow_policies_show(struct seq_file *m);

/* The same by what happened: "policy OUTCOME REASON POLICY ANSWER COUNT". */
void cow_policies_show_pairs(struct seq_file *m);

#endif /* COW_POLICIES_H */
