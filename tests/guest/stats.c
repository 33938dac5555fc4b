// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "process.h"
#include "report.h"
#include "stats.h"

#define NAMED(member)	{ #member, offsetof(struct counters, member) }

static const struct {
	const char	*name;
	size_t		offset;
} counter_names[] = {
	NAMED(entries), NAMED(proofs), NAMED(filtered_entry), NAMED(sampled_out), NAMED(nested),
	NAMED(handed_on), NAMED(exits), NAMED(recorded), NAMED(counted),
	NAMED(filtered_exit), NAMED(dropped_full), NAMED(pmd_entries), NAMED(hugetlb_entries),
	NAMED(unread),
};

static void set_counter(struct counters *c, const char *name, unsigned long long value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counter_names); i++)
		if (!strcmp(name, counter_names[i].name))
			*(unsigned long long *)((char *)c + counter_names[i].offset) = value;
}

#define COUNT_NAME(id, v, n, s)	[v] = n,
static const char * const outcome_names[] = { COWTRACE_OUTCOMES(COUNT_NAME) };
static const char * const reason_names[] = { COWTRACE_REASONS(COUNT_NAME) };

static unsigned int index_of(const char * const *names, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return i;
	unmet("stats has the unknown word '%s'", name);
}

static void parse_cpu(struct stats *s, char *line)
{
	char *save, *word, *name;
	unsigned int cpu;

	strtok_r(line, " ", &save);
	word = strtok_r(NULL, " ", &save);
	need(word, "stats has a line of a CPU without a number");
	cpu = atoi(word);
	need(cpu < MAX_CPUS, "stats has a line for CPU %u", cpu);
	if (cpu >= s->cpus)
		s->cpus = cpu + 1;
	while ((name = strtok_r(NULL, " ", &save)) && (word = strtok_r(NULL, " ", &save)))
		set_counter(&s->cpu[cpu], name, strtoull(word, NULL, 10));
}

void stats_read(struct stats *s)
{
	/* Static, so that reading faults nothing anew. */
	static char text[1 << 16];
	char *line, *save, name[64], outcome[32], reason[32];
	ssize_t n = cow_read("stats", text, sizeof(text));
	unsigned long long value;

	need(n > 0, "reading stats: %s", strerror(-n));
	memset(s, 0, sizeof(*s));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "cpu ", 4)) {
			parse_cpu(s, line);
		} else if (sscanf(line, "fault %31s %31s %llu", outcome, reason, &value) == 3) {
			s->faults[index_of(outcome_names, COWTRACE_NR_OUTCOMES, outcome)]
				 [index_of(reason_names, COWTRACE_NR_REASONS, reason)] = value;
			s->tally += value;
		} else if (sscanf(line, "%63s %llu", name, &value) == 2) {
			set_counter(&s->sum, name, value);
			if (!strcmp(name, "skipped_exits"))
				s->skipped_exits = value;
			else if (!strcmp(name, "asleep"))
				s->asleep = value;
			else if (!strcmp(name, "events_dropped"))
				s->events_dropped = value;
		}
	}
}

void stats_read_at_rest(struct stats *s)
{
	struct stats before;

	/* The CPUs' lines are the last: what they had before the sums is what they have after. */
	do {
		stats_read(&before);
		stats_read(s);
	} while (memcmp(before.cpu, s->cpu, sizeof(s->cpu)));
}

void faults_seen(unsigned long long faults)
{
	struct stats s;

	for (stats_read(&s); s.sum.entries < faults; stats_read(&s))
		sleep_ms(5);
}

static const char *counters_broken(const struct counters *c, const char *where)
{
	static char what[256];

	if (c->entries !=
	    c->filtered_entry + c->sampled_out + c->nested + c->unread + c->handed_on)
		snprintf(what, sizeof(what),
			 "%s: entries %llu, but filtered_entry %llu + sampled_out %llu + nested %llu + unread %llu + handed_on %llu",
			 where, c->entries, c->filtered_entry, c->sampled_out, c->nested,
			 c->unread, c->handed_on);
	else if (c->exits != c->recorded + c->counted + c->filtered_exit + c->dropped_full)
		snprintf(what, sizeof(what),
			 "%s: exits %llu, but recorded %llu + counted %llu + filtered_exit %llu + dropped_full %llu",
			 where, c->exits, c->recorded, c->counted, c->filtered_exit,
			 c->dropped_full);
	else
		return NULL;
	return what;
}

const char *stats_broken(const struct stats *s)
{
	static char what[256];
	struct counters sum = { 0 };
	const char *broken = counters_broken(&s->sum, "sum");
	unsigned int cpu;
	size_t i;

	for (cpu = 0; cpu < s->cpus && !broken; cpu++) {
		char where[16];

		snprintf(where, sizeof(where), "cpu %u", cpu);
		broken = counters_broken(&s->cpu[cpu], where);
		for (i = 0; i < sizeof(sum) / sizeof(long long); i++)
			((unsigned long long *)&sum)[i] +=
				((const unsigned long long *)&s->cpu[cpu])[i];
	}
	if (broken)
		return broken;
	for (i = 0; i < ARRAY_SIZE(counter_names); i++) {
		unsigned long long cpus, all;

		cpus = *(unsigned long long *)((char *)&sum + counter_names[i].offset);
		all = *(const unsigned long long *)((const char *)&s->sum +
						    counter_names[i].offset);
		if (cpus == all)
			continue;
		snprintf(what, sizeof(what), "%s: the CPUs have %llu, the sum %llu",
			 counter_names[i].name, cpus, all);
		return what;
	}
	if (s->sum.handed_on != s->sum.exits + s->skipped_exits + s->asleep)
		snprintf(what, sizeof(what),
			 "handed_on %llu, but exits %llu + skipped_exits %llu + asleep %llu",
			 s->sum.handed_on, s->sum.exits, s->skipped_exits, s->asleep);
	else if (s->tally != s->sum.recorded + s->sum.counted + s->sum.dropped_full)
		snprintf(what, sizeof(what),
			 "the lines fault add up to %llu, but recorded %llu + counted %llu + dropped_full %llu",
			 s->tally, s->sum.recorded, s->sum.counted, s->sum.dropped_full);
	else
		return NULL;
	return what;
}

unsigned long long stats_outcome(const struct stats *s, unsigned int outcome)
{
	unsigned long long sum = 0;
	int reason;

	for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
		sum += s->faults[outcome][reason];
	return sum;
}

unsigned long long missed(void)
{
	return value_in(COW_DIR "/lost", "missed_no_instance") +
	       value_in(COW_DIR "/lost", "missed_recursion");
}

const char *outcome_name(unsigned int outcome)
{
	return outcome < COWTRACE_NR_OUTCOMES ? outcome_names[outcome] : "?";
}

const char *reason_name(unsigned int reason)
{
	return reason < COWTRACE_NR_REASONS ? reason_names[reason] : "?";
}
