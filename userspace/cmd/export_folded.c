// SPDX-License-Identifier: GPL-2.0
/*
 * Folded stacks, of which flame graphs are drawn: a line for each distinct chain of
 * functions, from the name of the task to the function that faulted, and its weight.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/decision.h>

#include "bytes.h"
#include "export.h"
#include "progress.h"
#include "stacks.h"
#include "units.h"

/**
 * struct line - a line of the result
 * @comm: name of the task.
 * @chain: number of the chain.
 * @weight: sum of what its faults weigh.
 */
struct line {
	uint64_t	comm[COWTRACE_COMM_LEN / 8];
	uint32_t	chain;
	uint64_t	weight;
};

/**
 * struct folded - what is folded
 * @copied: stacks were copied while the trace was made.
 * @every: of one fault in so many.
 * @faults: that were asked for.
 * @without: those of them that have none.
 */
struct folded {
	struct ct_export *export;
	struct ct_processes *processes;
	struct ct_stacks stacks;
	struct line	*lines;
	size_t		nr_lines;
	struct ct_map	by_comm;
	size_t		nr_comms;
	struct ct_map	by_line;
	bool		copied;
	uint64_t	every;
	uint64_t	faults;
	uint64_t	without;
};

static uint64_t weight_of(const struct ct_export *e, const struct cowtrace_record *r)
{
	switch (e->weight) {
	case CT_WEIGHT_BYTES:
		return cowtrace_copied_pages(r) * e->report->schema->page_size;
	case CT_WEIGHT_NS:
		return r->duration_ns;
	default:
		return 1;
	}
}

/* All that is known of a fault without a stack: where it happened. */
static int leaf_only(struct folded *f, const struct cowtrace_record *r, uint32_t *chain)
{
	uint32_t frame, mark = CT_MAP_NONE;
	int ret = 0;

	if (f->copied)
		ret = ct_stacks_link(&f->stacks, CT_MAP_NONE,
				     CT_STACK_MARK + CT_UNWOUND_NOTHING, &mark);
	if (!ret && !(r->present & COWTRACE_HAS_IP)) {
		*chain = mark;
		return mark != CT_MAP_NONE ? 0 :
		       ct_stacks_link(&f->stacks, CT_MAP_NONE,
				      CT_STACK_MARK + CT_UNWOUND_NOTHING, chain);
	}
	return ret ?: ct_unwind_place(f->stacks.unwinder, r->tgid, r->ip, r->time_ns, &frame) ?:
	       ct_stacks_link(&f->stacks, mark, frame, chain);
}

static int add_fault(struct folded *f, const struct cowtrace_record *r)
{
	uint32_t chain = ct_stacks_find(&f->stacks, r);
	uint64_t comm[COWTRACE_COMM_LEN / 8];
	struct line *line;
	uint32_t *number;
	int ret = 0;

	f->faults++;
	if (chain == CT_MAP_NONE) {
		f->without++;
		if (f->every > 1)
			return 0;
		ret = leaf_only(f, r, &chain);
	}
	if (ret)
		return ret;
	memcpy(comm, r->comm, sizeof(comm));
	number = ct_map_slot(&f->by_comm, comm[0], comm[1]);
	if (!number)
		return -ENOMEM;
	if (*number == CT_MAP_NONE)
		*number = f->nr_comms++;
	line = CT_ELEMENT(&f->by_line, *number, chain, f->lines, &f->nr_lines);
	if (!line)
		return -ENOMEM;
	memcpy(line->comm, comm, sizeof(comm));
	line->chain = chain;
	line->weight = ct_add(line->weight, weight_of(f->export, r));
	return 0;
}

/* A name that does not end its field: ; is what separates. */
static void put_name(FILE *out, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : *name, out);
}

static void put_line(struct folded *f, const struct line *line)
{
	uint32_t chain[CT_FRAMES_MAX + 2], at;
	char comm[4 * COWTRACE_COMM_LEN];
	FILE *out = f->export->out;
	size_t nr = 0;

	for (at = line->chain; at != CT_MAP_NONE && nr < CT_FRAMES_MAX + 2;
	     at = f->stacks.chains[at].caller)
		chain[nr++] = at;
	ct_clean_text(comm, sizeof(comm), (const char *)line->comm, sizeof(line->comm));
	put_name(out, *comm ? comm : "?");
	while (nr) {
		putc(';', out);
		put_name(out, ct_stacks_name(&f->stacks, chain[--nr]));
	}
	fprintf(out, " %" PRIu64 "\n", line->weight);
}

static int by_weight(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	if (x->chain != y->chain)
		return x->chain < y->chain ? -1 : 1;
	return memcmp(x->comm, y->comm, sizeof(x->comm));
}

/* One line for each way in which stacks ended. */
static void tell(const struct folded *f)
{
	char n[CT_UNIT_TEXT], share[CT_UNIT_TEXT];
	uint64_t lost;

	ct_progress_erase();
	if (!f->copied) {
		fputs("cowtrace: the trace has no stacks, only the places that faulted: record with --stacks\n",
		      stderr);
		return;
	}
	for (size_t i = 0; i < CT_NR_UNWOUND; i++)
		if (f->stacks.ends[i])
			fprintf(stderr, "cowtrace: %s stacks, %s, %s\n",
				ct_format_count(n, f->stacks.ends[i]),
				ct_format_share(share, f->stacks.ends[i], f->stacks.there),
				ct_unwound_sentence(i));
	for (const struct ct_loss *loss = ct_stack_losses; loss->name; loss++)
		if (ct_state_number(&f->export->report->state, loss->file, loss->name, &lost) &&
		    lost)
			fprintf(stderr, "cowtrace: %s %s: %s\n", ct_format_count(n, lost),
				loss->sentence, loss->next);
	if (f->every > 1)
		fprintf(stderr,
			"cowtrace: the stack of one fault in %" PRIu64 " was copied: the others are left out\n",
			f->every);
	else if (f->without)
		fprintf(stderr, "cowtrace: %s of %" PRIu64 " faults have no stack in the trace\n",
			ct_format_count(n, f->without), f->faults);
	if (f->stacks.bad)
		fprintf(stderr, "cowtrace: %s chunks have something that is no stack\n",
			ct_format_count(n, f->stacks.bad));
	if (f->stacks.repeated)
		fprintf(stderr, "cowtrace: %s stacks stood in the trace twice and count once\n",
			ct_format_count(n, f->stacks.repeated));
}

static int fold(struct folded *f, struct ct_error *err)
{
	struct ct_export *e = f->export;
	const struct ct_split *split;
	struct ct_event event;
	int ret;

	ret = ct_processes_load(e->report->reader, &f->processes, err);
	if (ret)
		return ret;
	f->copied = ct_state_number(&e->report->state, "stacks", "every", &f->every);
	ret = ct_stacks_load(&f->stacks, e->report->reader, f->processes);
	f->copied |= f->stacks.there;
	while (!ret && ct_export_next(e, &event, &split))
		ret = add_fault(f, event.record);
	if (ret)
		return ct_error_set(err, ret, "out of memory");
	if (f->nr_lines)
		qsort(f->lines, f->nr_lines, sizeof(*f->lines), by_weight);
	for (size_t i = 0; i < f->nr_lines; i++)
		if (f->lines[i].weight)
			put_line(f, &f->lines[i]);
	tell(f);
	return 0;
}

int ct_export_folded(struct ct_export *e, struct ct_error *err)
{
	struct folded f = { .export = e, .every = 1 };
	int ret = fold(&f, err);

	ct_stacks_free(&f.stacks);
	ct_processes_free(f.processes);
	ct_map_free(&f.by_comm);
	ct_map_free(&f.by_line);
	free(f.lines);
	return ret;
}
