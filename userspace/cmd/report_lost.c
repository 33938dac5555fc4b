// SPDX-License-Identifier: GPL-2.0
#include "report_lost.h"

#include <string.h>

#define CPUS_TEXT	64

/**
 * struct lines - where the lines go
 * @fn: is shown them, NULL for nobody.
 * @arg: for it.
 * @any: there was one.
 */
struct lines {
	ct_lost_fn	*fn;
	void		*arg;
	bool		any;
};

/* Nothing for 0. */
static void amount(struct lines *to, uint64_t n, enum ct_lost_unit unit, const char *what,
		   const char *next)
{
	struct ct_lost lost = { n, unit, what, next };

	if (!n)
		return;
	if (to->fn)
		to->fn(to->arg, &lost);
	to->any = true;
}

static void statement(struct lines *to, const char *what)
{
	struct ct_lost lost = { 0, CT_LOST_STATEMENT, what, NULL };

	if (to->fn)
		to->fn(to->arg, &lost);
	to->any = true;
}

static void counters(struct lines *to, const struct ct_report *r, const struct ct_loss *loss)
{
	for (; loss->name; loss++) {
		uint64_t n = 0;

		if (ct_state_number(&r->state, loss->file, loss->name, &n))
			amount(to, n, CT_LOST_COUNT, loss->sentence, loss->next);
	}
}

/* Of those that are listed. */
static void damage(struct lines *to, const struct ct_trace_info *info, enum ct_damage_kind kind)
{
	char cpus[CPUS_TEXT] = "", text[256];
	uint64_t i, bytes = 0;

	for (i = 0; i < info->damages && i < CT_DAMAGE_LISTED; i++) {
		const struct ct_damage *d = &info->listed[i];

		if (d->kind != kind)
			continue;
		bytes += d->bytes;
		if (d->cpu != UINT32_MAX && strlen(cpus) < sizeof(cpus) - 16)
			snprintf(cpus + strlen(cpus), sizeof(cpus) - strlen(cpus), "%s%u",
				 *cpus ? ", " : " of CPU ", d->cpu);
	}
	snprintf(text, sizeof(text), "damaged: %s%s", ct_damage_sentence(kind), cpus);
	amount(to, bytes, CT_LOST_BYTES, text, NULL);
}

static void damages(struct lines *to, const struct ct_trace_info *info)
{
	char text[64];
	int kind;

	for (kind = 0; kind < CT_NR_DAMAGE_KINDS; kind++)
		damage(to, info, kind);
	if (info->damages <= CT_DAMAGE_LISTED)
		return;
	snprintf(text, sizeof(text), "damaged in all, in %llu places",
		 (unsigned long long)info->damages);
	amount(to, info->damaged_bytes, CT_LOST_BYTES, text, NULL);
}

bool ct_report_lost(const struct ct_report *r, const struct ct_processes *processes,
		    ct_lost_fn *fn, void *arg)
{
	struct lines to = { fn, arg, false };

	counters(&to, r, ct_losses);
	counters(&to, r, ct_stack_losses);
	amount(&to, r->info->lost, CT_LOST_COUNT, "records missing in the sequences of the CPUs",
	       NULL);
	amount(&to, r->info->repeated, CT_LOST_COUNT,
	       "records that stood in the trace twice and count once", NULL);
	amount(&to, ct_processes_lost(processes), CT_LOST_COUNT,
	       "process events dropped by perf: names and symbols may be missing", NULL);
	amount(&to, ct_processes_bad(processes), CT_LOST_COUNT,
	       "process events that make no sense", NULL);
	damages(&to, r->info);
	if (!r->info->ended)
		statement(&to, "The trace has no end: its writer was killed, the disk was full, or it is still being written.");
	if (!ct_state_text(&r->state, "lost"))
		statement(&to, "The module's own counters are not in the trace: what was lost before it reached the file is not known.");
	return to.any;
}

bool ct_report_left_out(const struct ct_report *r, ct_lost_fn *fn, void *arg)
{
	struct lines to = { fn, arg, false };

	counters(&to, r, ct_left_out);
	return to.any;
}
