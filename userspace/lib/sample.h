/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sampling: of the faults that passed the filters, each was recorded with the
 * probability of 1 in sample_every, independently of all others. How many there were
 * is counted, so that a count of the recorded ones is made an estimate of all by the
 * rate that came out: all / recorded.
 */
#ifndef COWTRACE_SAMPLE_H
#define COWTRACE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "ledger.h"
#include "state.h"
#include "summary.h"
#include "timeline.h"
#include "whatif.h"

/**
 * struct ct_sample - how a trace was sampled
 * @every: the setting sample_every when tracing began, 0 where the trace does not say.
 * @recorded: faults that were chosen; records that were lost afterwards included.
 * @all: faults that were chosen or left out; 0 where the trace does not say.
 * @factor: by which counts are multiplied, 1 where each fault was recorded.
 * @changed: @every is not the rate that came out: the setting changed under way, and
 *	the estimates lean to the part of the time where more was recorded.
 */
struct ct_sample {
	uint64_t	every;
	uint64_t	recorded;
	uint64_t	all;
	double		factor;
	bool		changed;
};

/**
 * ct_sample_read() - how a trace was sampled
 * @sample: filled in.
 * @state: the module's counters at its end.
 * @meta: what the trace says about itself, or NULL.
 */
void ct_sample_read(struct ct_sample *sample, const struct ct_state *state,
		    struct json_object *meta);

/* Is a count an estimate? */
static inline bool ct_sampled(const struct ct_sample *sample)
{
	return sample->factor > 1;
}

/**
 * ct_sample_error() - the standard error of an estimate
 * @sample: how it was sampled.
 * @estimate: a number of faults, already multiplied.
 *
 * Of @all faults, n are of some kind: the root of n (1 - n / all) (factor - 1). All of
 * them are counted, and have none.
 *
 * Return: faults, 0 where each was recorded.
 */
double ct_sample_error(const struct ct_sample *sample, uint64_t estimate);

/* Make counts of records estimates of all faults; nothing else of these is changed. */
void ct_sample_summary(const struct ct_sample *sample, struct ct_summary *summary);
void ct_sample_forks(const struct ct_sample *sample, struct ct_forks *forks);
void ct_sample_whatif(const struct ct_sample *sample, struct ct_whatif *whatif);
void ct_sample_timeline(const struct ct_sample *sample, struct ct_timeline *timeline);

#endif /* COWTRACE_SAMPLE_H */
