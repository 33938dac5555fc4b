// SPDX-License-Identifier: GPL-2.0
/* A summary of what was counted and not recorded: the tables that this can fill. */
#include "summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "map.h"

static void count(struct ct_count *to, const struct ct_counted *from)
{
	bool copied = ct_copied(from->outcome);

	to->faults += from->faults;
	to->copies += copied ? from->faults : 0;
	to->reuses += from->outcome == COWTRACE_OUTCOME_REUSE ? from->faults : 0;
	to->splits += from->outcome == COWTRACE_OUTCOME_SPLIT ? from->faults : 0;
	to->bytes = ct_add(to->bytes, from->bytes);
	to->ns += from->ns;
	to->copy_ns += copied ? from->ns : 0;
}

/* All that is known of a duration is its power of two: it stands at the end of that. */
static void add_times(struct ct_histogram *h, const struct ct_counted *from)
{
	h->count += from->faults;
	h->sum += from->ns;
	for (unsigned int i = 0; i < CT_COUNTS_BUCKETS; i++) {
		uint32_t limit = (2ull << i) - 1;

		if (!from->log2[i])
			continue;
		h->bucket[ct_histogram_bucket(limit)] += from->log2[i];
		if (limit > h->max)
			h->max = limit;
	}
}

static int take_pair(struct ct_summary *s, const struct ct_counted *it)
{
	struct ct_histogram **time = &s->outcome_time[it->outcome];
	struct ct_pair *grown;

	/* Read while faults happen, a later line may know what none before it did. */
	if (!it->faults)
		return 0;
	if (!*time)
		*time = calloc(1, sizeof(**time));
	grown = ct_grow(s->pairs, s->nr_pairs, sizeof(*grown));
	if (!*time || !grown)
		return -ENOMEM;
	s->pairs = grown;
	grown[s->nr_pairs] = (struct ct_pair){
		.outcome = it->outcome,
		.reason = it->reason,
		.bytes = it->bytes,
	};
	add_times(&grown[s->nr_pairs++].time, it);
	add_times(*time, it);
	count(&s->total, it);
	count(&s->outcomes[it->outcome], it);
	return 0;
}

static int take_process(struct ct_summary *s, const struct ct_counted_process *it)
{
	struct ct_process_count *grown = ct_grow(s->by_process, s->nr_processes, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->by_process = grown;
	grown[s->nr_processes] = (struct ct_process_count){
		.number = s->nr_processes,
		.process = CT_MAP_NONE,
		.tgid = it->tgid,
		.at_least = it->at_least,
		.count = it->count,
	};
	memcpy(grown[s->nr_processes].comm, it->comm, sizeof(it->comm));
	s->nr_processes++;
	return 0;
}

/* As ct_summary_sort() has pairs. */
static int by_faults(const void *one, const void *other)
{
	const struct ct_counted *a = one, *b = other;

	return (a->faults < b->faults) - (a->faults > b->faults);
}

static int take_counts(struct ct_summary *s, const char *text, struct ct_error *err)
{
	int ret = ct_counts_parse(text, ct_reader_schema(s->reader), &s->counts, err);

	if (ret)
		return ret;
	if (s->counts->nr_pairs)
		qsort(s->counts->pairs, s->counts->nr_pairs, sizeof(*s->counts->pairs), by_faults);
	for (size_t i = 0; !ret && i < s->counts->nr_pairs; i++)
		ret = take_pair(s, &s->counts->pairs[i]);
	for (size_t i = 0; !ret && i < s->counts->nr_processes; i++)
		ret = take_process(s, &s->counts->processes[i]);
	return ret ? ct_error_set(err, ret, "out of memory") : 0;
}

int ct_summary_count(struct ct_reader *reader, const char *text, uint64_t elapsed_ns,
		     struct ct_summary **out, struct ct_error *err)
{
	struct ct_summary *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return ct_error_set(err, -ENOMEM, "out of memory");
	s->reader = reader;
	s->last_ns = elapsed_ns;
	ret = ct_processes_load(reader, &s->processes, err) ?: take_counts(s, text, err);
	if (ret) {
		ct_summary_free(s);
		return ret;
	}
	ct_summary_sort(s);
	*out = s;
	return 0;
}
