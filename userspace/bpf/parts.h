/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the BPF backend have in common. */
#ifndef COWTRACE_BPF_PARTS_H
#define COWTRACE_BPF_PARTS_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "capture_source.h"
#include "shared.h"

struct cow_bpf;

/**
 * enum ct_bpf_point - what programs are attached to
 * @CT_BPF_WP: each fault of one PTE.
 * @CT_BPF_WP_COPY: witness: the copy of a page being mapped.
 * @CT_BPF_WP_REUSE: witness: a page being reused.
 * @CT_BPF_SWAP: faults that come from a swap-in.
 * @CT_BPF_PMD: each fault of a huge PMD.
 * @CT_BPF_PMD_COPY: witness: the copy of the huge zero page being mapped.
 * @CT_BPF_PMD_REUSE: witness: a huge page being reused.
 * @CT_BPF_HUGETLB: each fault of a hugetlb page.
 * @CT_BPF_HUGETLB_COPY: witness: the copy of a hugetlb page being mapped.
 * @CT_BPF_NR_POINTS: how many there are.
 */
enum ct_bpf_point {
	CT_BPF_WP,
	CT_BPF_WP_COPY,
	CT_BPF_WP_REUSE,
	CT_BPF_SWAP,
	CT_BPF_PMD,
	CT_BPF_PMD_COPY,
	CT_BPF_PMD_REUSE,
	CT_BPF_HUGETLB,
	CT_BPF_HUGETLB_COPY,
	CT_BPF_NR_POINTS,
};

/**
 * enum ct_bpf_probe - how a program is attached
 * @CT_BPF_ABSENT: the kernel has no such function.
 * @CT_BPF_TRAMPOLINE: fentry, fexit.
 * @CT_BPF_KPROBE: kprobe, kretprobe.
 * @CT_BPF_MULTI: likewise, by way of the function graph.
 *
 * A trampoline's program is passed over where the CPU is inside of it already. At the end
 * of a fault no lock is held: a kernel that preempts there has another task run into that,
 * but function graph's programs run without preemption. Its return probes need no storage
 * that may run out, as those of kprobes do.
 */
enum ct_bpf_probe {
	CT_BPF_ABSENT,
	CT_BPF_TRAMPOLINE,
	CT_BPF_KPROBE,
	CT_BPF_MULTI,
};

/**
 * struct ct_bpf_kernel - what this kernel is like, by its BTF
 * @btf: its types.
 * @path: file that these were read from, NULL for the kernel's own.
 * @trampolines: libbpf finds the kernel's own, by which functions are named for CT_BPF_TRAMPOLINE.
 * @traits: COWTRACE_TRAIT_*.
 * @node_shift: see struct cow_bpf_settings.
 * @graph: there is CT_BPF_MULTI.
 * @hugetlb_vmf: see struct cow_bpf_settings.
 * @symbol: the function of each point under its name here.
 * @args: how many arguments it has.
 * @probe: how its entry can be attached to, CT_BPF_MULTI left aside.
 */
struct ct_bpf_kernel {
	struct btf		*btf;
	const char		*path;
	bool			trampolines;
	uint32_t		traits;
	uint32_t		node_shift;
	uint32_t		hugetlb_vmf;
	bool			graph;
	const char		*symbol[CT_BPF_NR_POINTS];
	unsigned int		args[CT_BPF_NR_POINTS];
	enum ct_bpf_probe	probe[CT_BPF_NR_POINTS];
};

/**
 * struct ct_bpf_missed - calls that the kernel did not show to a program
 * @fault: entries and exits of faults.
 * @witness: calls of witnesses.
 */
struct ct_bpf_missed {
	uint64_t	fault;
	uint64_t	witness;
};

/**
 * struct ct_bpf_cpu - the records of one CPU
 * @fd: its stream, -1 while nobody reads it.
 * @seq: number of its last record.
 * @dropped: losses that its records have told of.
 * @filtered: records that a filter rejected.
 * @data: records that were read and not yet taken.
 * @at: of these taken, in records.
 * @nr: number of them.
 * @room: for how many there is memory.
 */
struct ct_bpf_cpu {
	int			fd;
	uint32_t		seq;
	uint32_t		dropped;
	uint64_t		filtered;
	struct cowtrace_record	*data;
	size_t			at;
	size_t			nr;
	size_t			room;
};

/* Faults of one outcome and reason, as struct cow_tally of the module. */
struct ct_bpf_tally {
	uint64_t	count;
	uint64_t	bytes;
	uint64_t	ns;
};

#define CT_BPF_PROGRAMS_MAX	32

enum ct_bpf_witness { CT_BPF_WITNESS_AUTO, CT_BPF_WITNESS_ON, CT_BPF_WITNESS_OFF };

/**
 * struct ct_bpf - the backend
 * @source: the source that it is.
 * @kernel: what the kernel is like.
 * @skel: the programs, NULL while they are not loaded.
 * @rings: their ring, likewise.
 * @members: which processes are traced, a byte each; likewise.
 * @links: of the programs that are attached, by their number.
 * @tree_links: attached for the tree of processes, NULL while there is none.
 * @attached: programs are attached.
 * @enabled: faults are recorded.
 * @blind: the last proof was not seen.
 * @blind_checks: how often that was so.
 * @missed: by programs that are no longer attached.
 * @settings: as the programs get them when faults are switched on.
 * @buffer_kb: of each CPU.
 * @sample_every: of faults.
 * @witness: which witnesses are wanted.
 * @outcomes: wanted outcomes, a bit each.
 * @reasons: wanted reasons, a bit each.
 * @min_duration_ns: shorter faults are not wanted.
 * @seeds: of the tree, as text.
 * @error: what libbpf said last.
 * @queued: records that wait in all @cpus.
 * @nr_cpus: number of @cpus.
 * @cpus: by number.
 * @tally: of the records that were read.
 */
struct ct_bpf {
	struct ct_source	source;
	struct ct_bpf_kernel	kernel;
	struct cow_bpf		*skel;
	struct ring_buffer	*rings;
	unsigned char		*members;
	struct bpf_link		*links[CT_BPF_PROGRAMS_MAX];
	struct bpf_link		*tree_links[2];
	bool			attached;
	bool			enabled;
	bool			blind;
	unsigned int		blind_checks;
	struct ct_bpf_missed	missed;
	struct cow_bpf_settings	settings;
	unsigned int		buffer_kb;
	uint32_t		sample_every;
	enum ct_bpf_witness	witness;
	uint32_t		outcomes;
	uint32_t		reasons;
	uint32_t		min_duration_ns;
	char			seeds[1024];
	size_t			queued;
	unsigned int		nr_cpus;
	struct ct_bpf_cpu	*cpus;
	struct ct_bpf_tally	tally[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
};

/* kernel.c: what the kernel is like. Return: 0 or a negative errno. */
int ct_bpf_look(struct ct_bpf_kernel *k, struct ct_error *err);
void ct_bpf_forget(struct ct_bpf_kernel *k);

/* types.c: open the types for ct_bpf_forget(). Return: 0 or a negative errno. */
int ct_bpf_open_types(struct ct_bpf_kernel *k, struct ct_error *err);
/* Are the functions of a file's types this kernel's? Return: 0 or a negative errno. */
int ct_bpf_check_functions(const struct ct_bpf_kernel *k, struct ct_error *err);
/* The file, NULL if none was given. */
const char *ct_bpf_btf_path(void);

/* settings.c. Return: 0 or a negative errno; whether there is such a text. */
int ct_bpf_change(struct ct_bpf *b, const char *what, const char *value, struct ct_error *err);
bool ct_bpf_print(struct ct_bpf *b, const char *what, FILE *to);

/* load.c: programs. */
int ct_bpf_load(struct ct_bpf *b, struct ct_error *err);
void ct_bpf_unload(struct ct_bpf *b);
size_t ct_bpf_ring_bytes(const struct ct_bpf *b);
/* From now on libbpf's complaints are kept and not printed; those until now are forgotten. */
void ct_bpf_listen(void);
/* The first thing libbpf complained of, empty if of nothing. */
const char *ct_bpf_libbpf_said(void);

/* attach.c. */
int ct_bpf_attach(struct ct_bpf *b, struct ct_error *err);
void ct_bpf_detach(struct ct_bpf *b);
int ct_bpf_attach_tree(struct ct_bpf *b, struct ct_error *err);
void ct_bpf_detach_tree(struct ct_bpf *b);
/* Since the last reset, and since the load. */
struct ct_bpf_missed ct_bpf_missed(const struct ct_bpf *b);
struct ct_bpf_missed ct_bpf_missed_in_all(const struct ct_bpf *b);

/* counters.c. Provoke a fault: did the programs see it? Sets @blind. */
void ct_bpf_prove(struct ct_bpf *b);

/* Sum of the counters of all CPUs, or those of one; zero while nothing is loaded. */
void ct_bpf_sum(const struct ct_bpf *b, struct cow_bpf_counters *sum);
void ct_bpf_of_cpu(const struct ct_bpf *b, unsigned int cpu, struct cow_bpf_counters *c);
void ct_bpf_reset(struct ct_bpf *b);

/* read.c: records, from the ring of all CPUs to the stream of each. */
int ct_bpf_open_ring(struct ct_bpf *b);
int ct_bpf_open_cpu(struct ct_source *source, unsigned int cpu, struct ct_error *err);
ssize_t ct_bpf_read_cpu(struct ct_source *source, int fd, void *data, size_t size);

/* text.c: the texts of the module's files. Each prints to @to. */
void ct_bpf_print_schema(struct ct_bpf *b, FILE *to);
void ct_bpf_print_stats(struct ct_bpf *b, FILE *to);
void ct_bpf_print_lost(struct ct_bpf *b, FILE *to);
void ct_bpf_print_probes(struct ct_bpf *b, FILE *to);

static inline struct ct_bpf *to_bpf(struct ct_source *source)
{
	return (struct ct_bpf *)((char *)source - offsetof(struct ct_bpf, source));
}

#endif /* COWTRACE_BPF_PARTS_H */
