// SPDX-License-Identifier: GPL-2.0
#include "verdict.h"

struct cow_verdicts __percpu *cow_verdicts;

int __init cow_verdict_init(void)
{
	cow_verdicts = alloc_percpu(struct cow_verdicts);
	return cow_verdicts ? 0 : -ENOMEM;
}

void cow_verdict_exit(void)
{
	free_percpu(cow_verdicts);
}

void cow_verdict_ask(struct cow_verdict *v, const struct cowtrace_record *r, u64 key)
{
	cow_memo_set(&v->memo, r, key);
	v->v = cowtrace_classify(r, COW_TRAITS);
}
