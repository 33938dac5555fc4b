// SPDX-License-Identifier: GPL-2.0
/* The texts of the module's files, as its stats.c, schema.c and session.c print them. */
#include <cowtrace/schema_text.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "parts.h"
#include "version.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static const struct cowtrace_word paths[] = { COWTRACE_PATHS(COWTRACE_WORD_) };
static const struct cowtrace_word origins[] = { COWTRACE_ORIGINS(COWTRACE_WORD_) };
static const struct cowtrace_word kinds[] = { COWTRACE_KINDS(COWTRACE_WORD_) };
static const struct cowtrace_word outcomes[] = { COWTRACE_OUTCOMES(COWTRACE_WORD_) };
static const struct cowtrace_word reasons[] = { COWTRACE_REASONS(COWTRACE_WORD_) };
static const struct cowtrace_word states[] = { COWTRACE_STATES(COWTRACE_FLAG_) };
static const struct cowtrace_word evidence[] = { COWTRACE_EVIDENCE(COWTRACE_FLAG_) };
static const struct cowtrace_word present[] = { COWTRACE_PRESENT(COWTRACE_FLAG_) };
static const struct cowtrace_word traits[] = { COWTRACE_TRAITS(COWTRACE_FLAG_) };

static const struct cowtrace_vocabulary vocabularies[] = {
	{ "path", paths, ARRAY_SIZE(paths) },
	{ "origin", origins, ARRAY_SIZE(origins) },
	{ "kind", kinds, ARRAY_SIZE(kinds) },
	{ "outcome", outcomes, ARRAY_SIZE(outcomes) },
	{ "reason", reasons, ARRAY_SIZE(reasons) },
	{ "state", states, ARRAY_SIZE(states) },
	{ "evidence", evidence, ARRAY_SIZE(evidence) },
	{ "present", present, ARRAY_SIZE(present) },
	{ "trait", traits, ARRAY_SIZE(traits) },
};

void ct_bpf_print_schema(struct ct_bpf *b, FILE *to)
{
	struct utsname uts;

	uname(&uts);
	COWTRACE_SCHEMA_PRINT(fprintf, to, COWTRACE_VERSION, uts.release, "bpf",
			      (unsigned long)sysconf(_SC_PAGESIZE), b->kernel.traits,
			      vocabularies);
}

static const struct counter {
	const char	*name;
	size_t		offset;
} counters[] = {
#define COUNTER(name, sentence)	{ #name, offsetof(struct cow_bpf_counters, name) },
	COWTRACE_COUNTERS(COUNTER)
};

static uint64_t value(const struct cow_bpf_counters *c, size_t i)
{
	return *(const __u64 *)((const char *)c + counters[i].offset);
}

/* What a filter rejected here the programs took for recorded. */
static void set_right(struct cow_bpf_counters *c, uint64_t filtered)
{
	c->filtered_exit += filtered;
	c->recorded -= filtered;
}

static uint64_t unfinished(const struct cow_bpf_counters *c)
{
	return c->handed_on - c->exits;
}

static void print_tally(struct ct_bpf *b, FILE *to)
{
	for (size_t o = 0; o < COWTRACE_NR_OUTCOMES; o++)
		for (size_t r = 0; r < COWTRACE_NR_REASONS; r++) {
			const struct ct_bpf_tally *t = &b->tally[o][r];

			if (t->count)
				fprintf(to, "fault %s %s %llu %llu %llu\n", outcomes[o].name,
					reasons[r].name, (unsigned long long)t->count,
					(unsigned long long)t->bytes, (unsigned long long)t->ns);
		}
}

void ct_bpf_print_stats(struct ct_bpf *b, FILE *to)
{
	struct cow_bpf_counters sum, c;
	uint64_t filtered = 0;

	for (unsigned int cpu = 0; cpu < b->nr_cpus; cpu++)
		filtered += b->cpus[cpu].filtered;
	ct_bpf_sum(b, &sum);
	set_right(&sum, filtered);
	fprintf(to, "state %s\n", b->enabled ? "running" : "off");
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		fprintf(to, "%s %llu\n", counters[i].name, (unsigned long long)value(&sum, i));
		if (counters[i].offset != offsetof(struct cow_bpf_counters, exits))
			continue;
		/* The exits that did not come stand beside those that did. */
		fprintf(to, "skipped_exits %llu\n", (unsigned long long)
			(b->attached ? sum.skipped_exits : unfinished(&sum)));
		fprintf(to, "asleep %llu\n", (unsigned long long)
			(b->attached ? unfinished(&sum) - sum.skipped_exits : 0));
	}
	print_tally(b, to);
	for (unsigned int cpu = 0; cpu < b->nr_cpus; cpu++) {
		ct_bpf_of_cpu(b, cpu, &c);
		set_right(&c, b->cpus[cpu].filtered);
		fprintf(to, "cpu %u", cpu);
		for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
			fprintf(to, " %s %llu", counters[i].name,
				(unsigned long long)value(&c, i));
		putc('\n', to);
	}
}

void ct_bpf_print_lost(struct ct_bpf *b, FILE *to)
{
	struct ct_bpf_missed missed = ct_bpf_missed(b);
	struct cow_bpf_counters sum;

	ct_bpf_sum(b, &sum);
	fprintf(to, "full %llu\n", (unsigned long long)sum.dropped_full);
	fprintf(to, "events_full 0\n");
	fprintf(to, "missed_no_instance %llu\n", (unsigned long long)sum.no_instance);
	fprintf(to, "missed_recursion %llu\n", (unsigned long long)missed.fault);
	fprintf(to, "missed_witness %llu\n", (unsigned long long)missed.witness);
	fprintf(to, "skipped_exits %llu\n", (unsigned long long)
		(b->attached ? sum.skipped_exits : unfinished(&sum)));
	fprintf(to, "asleep %llu\n", (unsigned long long)
		(b->attached ? unfinished(&sum) - sum.skipped_exits : 0));
	fprintf(to, "disarmed %d\n", b->blind);
	fprintf(to, "disarmed_checks %u\n", b->blind_checks);
}

/* Of witnesses whose silence is evidence: their path, and one. */
static const unsigned int silent[CT_BPF_NR_POINTS] = {
	[CT_BPF_WP_COPY] = COWTRACE_PATH_PTE + 1,
	[CT_BPF_PMD_COPY] = COWTRACE_PATH_PMD + 1,
	[CT_BPF_PMD_REUSE] = COWTRACE_PATH_PMD + 1,
	[CT_BPF_HUGETLB_COPY] = COWTRACE_PATH_HUGETLB + 1,
};

static const char *state_of(struct ct_bpf *b, enum ct_bpf_point point)
{
	if (b->kernel.probe[point] == CT_BPF_ABSENT)
		return "absent";
	if (!b->attached)
		return "off";
	if (b->blind)
		return "disarmed";
	if (silent[point] && !(b->settings.watched & (1u << (silent[point] - 1))))
		return "blind";
	return "armed";
}

static const char *const probe_names[] = {
	[CT_BPF_ABSENT] = "-", [CT_BPF_TRAMPOLINE] = "fentry", [CT_BPF_KPROBE] = "kprobe",
};

void ct_bpf_print_probes(struct ct_bpf *b, FILE *to)
{
	struct cow_bpf_counters sum;
	uint64_t hits[CT_BPF_NR_POINTS];

	ct_bpf_sum(b, &sum);
	hits[CT_BPF_WP] = sum.entries + sum.proofs - sum.pmd_entries - sum.hugetlb_entries;
	hits[CT_BPF_WP_COPY] = sum.wp_copy_hits;
	hits[CT_BPF_WP_REUSE] = sum.wp_reuse_hits;
	hits[CT_BPF_PMD] = sum.pmd_entries;
	hits[CT_BPF_PMD_COPY] = sum.pmd_copy_hits;
	hits[CT_BPF_PMD_REUSE] = sum.pmd_reuse_hits;
	hits[CT_BPF_HUGETLB] = sum.hugetlb_entries;
	hits[CT_BPF_HUGETLB_COPY] = sum.hugetlb_copy_hits;
	fputs("# symbol backend state hits\n", to);
	for (int i = 0; i < CT_BPF_NR_POINTS; i++)
		if (i != CT_BPF_SWAP)
			fprintf(to, "%s %s %s %llu\n", b->kernel.symbol[i],
				probe_names[b->kernel.probe[i]], state_of(b, i),
				(unsigned long long)hits[i]);
}
