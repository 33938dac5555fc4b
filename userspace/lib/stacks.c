// SPDX-License-Identifier: GPL-2.0
#include "stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "progress.h"

/**
 * struct ct_known_stack - a stack that was unwound
 * @time_ns: of its record.
 * @pid: of its record.
 * @chain: its number.
 */
struct ct_known_stack {
	uint64_t	time_ns;
	uint32_t	pid;
	uint32_t	chain;
};

struct walk {
	uint64_t	bad;
	ct_stack_fn	*fn;
	void		*arg;
};

/* The head of a stack, its numbers in the order of this machine. */
static void read_head(struct ct_stack *to, const uint8_t *at)
{
	memcpy(to, at, sizeof(*to));
	to->size = le32toh(to->size);
	to->copied = le32toh(to->copied);
	to->asked = le32toh(to->asked);
	to->abi = le32toh(to->abi);
	to->cpu = le32toh(to->cpu);
	to->seq = le32toh(to->seq);
	to->pid = le32toh(to->pid);
	to->tgid = le32toh(to->tgid);
	to->time_ns = le64toh(to->time_ns);
	for (size_t i = 0; i < CT_STACK_REGS; i++)
		to->regs[i] = le64toh(to->regs[i]);
}

static int walk_chunk(void *arg, uint32_t cpu, const void *data, size_t length)
{
	const uint8_t *at = data;
	struct walk *w = arg;
	struct ct_stack stack;
	int ret;

	(void)cpu;
	for (; length; at += stack.size, length -= stack.size) {
		if (length < sizeof(stack))
			break;
		read_head(&stack, at);
		if (stack.size > length || stack.size < sizeof(stack) || stack.size % 8 ||
		    stack.copied > stack.size - sizeof(stack) || stack.copied > stack.asked)
			break;
		ret = w->fn(w->arg, &stack, at + sizeof(stack));
		if (ret)
			return ret;
	}
	w->bad += !!length;
	return 0;
}

int ct_stacks_walk(struct ct_reader *reader, uint64_t *bad, ct_stack_fn *fn, void *arg)
{
	struct walk w = { 0, fn, arg };
	int ret = ct_reader_chunks(reader, CT_CHUNK_STACKS, walk_chunk, &w);

	if (bad)
		*bad = w.bad;
	return ret;
}

int ct_stacks_link(struct ct_stacks *s, uint32_t caller, uint32_t frame, uint32_t *number)
{
	struct ct_chain *chain = CT_ELEMENT(&s->by_link, caller, frame, s->chains,
					    &s->nr_chains);

	if (!chain)
		return -ENOMEM;
	*chain = (struct ct_chain){ caller, frame };
	*number = chain - s->chains;
	return 0;
}

/* From the first function to the one that faulted. */
static int link_frames(struct ct_stacks *s, const uint32_t *frames, size_t nr,
		       enum ct_unwound how, uint32_t *chain)
{
	int ret = 0;

	*chain = CT_MAP_NONE;
	if (how != CT_UNWOUND_WHOLE)
		ret = ct_stacks_link(s, CT_MAP_NONE, CT_STACK_MARK + how, chain);
	while (nr && !ret)
		ret = ct_stacks_link(s, *chain, frames[--nr], chain);
	return ret;
}

/* Bytes of stacks in a trace. */
struct load {
	struct ct_stacks *stacks;
	uint64_t	done;
	uint64_t	total;
};

static int take_stack(void *arg, const struct ct_stack *stack, const void *copy)
{
	uint32_t frames[CT_FRAMES_MAX];
	struct load *load = arg;
	struct ct_stacks *s = load->stacks;
	struct ct_known_stack *known;
	size_t before = s->nr_known, nr;
	enum ct_unwound how;
	int ret;

	load->done += stack->size;
	ct_progress("unwinding stacks", load->done, load->total);
	/* Of a fault that was not recorded. */
	if (!stack->seq)
		return 0;
	known = CT_ELEMENT(&s->by_record, stack->cpu, stack->seq, s->known, &s->nr_known);
	if (!known)
		return -ENOMEM;
	if (s->nr_known == before) {
		s->repeated++;
		return 0;
	}
	known->time_ns = stack->time_ns;
	known->pid = stack->pid;
	ret = ct_unwind(s->unwinder, stack, copy, frames, &nr, &how) ?:
	      link_frames(s, frames, nr, how, &known->chain);
	s->there++;
	s->ends[how]++;
	return ret;
}

static int add_size(void *arg, const struct ct_stack *stack, const void *copy)
{
	uint64_t *total = arg;

	(void)copy;
	*total += stack->size;
	return 0;
}

int ct_stacks_load(struct ct_stacks *s, struct ct_reader *reader,
		   const struct ct_processes *processes)
{
	struct load load = { .stacks = s };
	int ret;

	memset(s, 0, sizeof(*s));
	s->unwinder = ct_unwinder_new(processes);
	if (!s->unwinder)
		return -ENOMEM;
	ret = ct_stacks_walk(reader, NULL, add_size, &load.total);
	if (!ret)
		ret = ct_stacks_walk(reader, &s->bad, take_stack, &load);
	ct_progress_erase();
	return ret;
}

void ct_stacks_free(struct ct_stacks *s)
{
	ct_unwinder_free(s->unwinder);
	ct_map_free(&s->by_link);
	ct_map_free(&s->by_record);
	free(s->chains);
	free(s->known);
	memset(s, 0, sizeof(*s));
}

uint32_t ct_stacks_find(const struct ct_stacks *s, const struct cowtrace_record *r)
{
	uint32_t number = ct_map_find(&s->by_record, r->cpu, r->seq);
	const struct ct_known_stack *known;

	if (number == CT_MAP_NONE)
		return CT_MAP_NONE;
	known = &s->known[number];
	return known->time_ns == r->time_ns && known->pid == r->pid ? known->chain : CT_MAP_NONE;
}

const char *ct_stacks_name(const struct ct_stacks *s, uint32_t chain)
{
	uint32_t frame = s->chains[chain].frame;

	if (frame >= CT_STACK_MARK)
		return ct_unwound_mark(frame - CT_STACK_MARK);
	return ct_unwinder_frame(s->unwinder, frame)->name;
}
