// SPDX-License-Identifier: GPL-2.0
#include "explain_stack.h"

#include <errno.h>
#include <stdlib.h>

#include "stacks.h"

/* A fault whose stack is looked for. */
struct search {
	struct ct_explain_stack *stack;
	struct ct_reader *reader;
	struct ct_access *access;
	struct ct_error	*err;
};

static int unwind(struct search *s, const struct ct_stack *stack, const void *copy)
{
	uint32_t frames[CT_FRAMES_MAX];
	struct ct_explain_stack *to = s->stack;
	enum ct_unwound how;
	size_t nr;
	int ret;

	ret = ct_processes_load(s->reader, &to->processes, s->err);
	if (ret)
		return ret;
	to->unwinder = ct_unwinder_new(to->processes);
	to->names = calloc(CT_FRAMES_MAX, sizeof(*to->names));
	if (!to->unwinder || !to->names)
		return ct_error_set(s->err, -ENOMEM, "out of memory");
	ret = ct_unwind(to->unwinder, stack, copy, frames, &nr, &how);
	if (ret)
		return ct_error_set(s->err, ret, "out of memory");
	for (size_t i = 0; i < nr; i++)
		to->names[i] = ct_unwinder_frame(to->unwinder, frames[i])->name;
	s->access->stack = to->names;
	s->access->nr_stack = nr;
	s->access->stack_end = how == CT_UNWOUND_WHOLE ? NULL : ct_unwound_mark(how);
	return 1;
}

static int look(void *arg, const struct ct_stack *stack, const void *copy)
{
	struct search *s = arg;
	const struct cowtrace_record *r = &s->access->records[s->access->asked];

	if (stack->cpu != r->cpu || stack->seq != r->seq || stack->time_ns != r->time_ns ||
	    stack->pid != r->pid || !stack->abi)
		return 0;
	return unwind(s, stack, copy);
}

int ct_explain_stack_find(struct ct_explain_stack *stack, struct ct_reader *reader,
			  struct ct_access *access, struct ct_error *err)
{
	struct search s = { stack, reader, access, err };
	int ret;

	err->code = 0;
	ret = ct_stacks_walk(reader, NULL, look, &s);
	if (ret == -ENOMEM && !err->code)
		ct_error_set(err, ret, "out of memory");
	return ret < 0 ? ret : 0;
}

void ct_explain_stack_free(struct ct_explain_stack *stack)
{
	ct_unwinder_free(stack->unwinder);
	ct_processes_free(stack->processes);
	free(stack->names);
}
