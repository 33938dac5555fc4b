/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which faults a kernel lets cowtrace see, path by path: the module's file
 * "probes" in words.
 */
#ifndef COWTRACE_PROBES_H
#define COWTRACE_PROBES_H

#include <stdbool.h>

#include <cowtrace/vocab.h>

/**
 * enum ct_probe_state - how a probe is
 * @CT_PROBE_ABSENT: the kernel has no such function.
 * @CT_PROBE_OFF: nobody traces, or nobody wants this probe.
 * @CT_PROBE_ARMED: it works.
 * @CT_PROBE_BLIND: it works, but another witness of its path does not.
 * @CT_PROBE_DISARMED: kprobes or ftrace are switched off.
 */
enum ct_probe_state {
	CT_PROBE_ABSENT,
	CT_PROBE_OFF,
	CT_PROBE_ARMED,
	CT_PROBE_BLIND,
	CT_PROBE_DISARMED,
};

/* Of no path there are more. */
#define CT_WITNESSES_MAX	2

/**
 * struct ct_probe - one function
 * @symbol: its name on this kernel.
 * @state: how its probe is.
 * @optional: a witness whose silence is no evidence, and that some kernels need.
 */
struct ct_probe {
	char			symbol[64];
	enum ct_probe_state	state;
	bool			optional;
};

/**
 * struct ct_path_probes - the probes of one path
 * @fault: the function that handles the fault.
 * @witnesses: the functions that testify to what it did.
 * @nr_witnesses: number of them.
 */
struct ct_path_probes {
	struct ct_probe	fault;
	struct ct_probe	witnesses[CT_WITNESSES_MAX];
	unsigned int	nr_witnesses;
};

/**
 * struct ct_probes - all paths
 * @paths: by enum cowtrace_path.
 */
struct ct_probes {
	struct ct_path_probes paths[COWTRACE_NR_PATHS];
};

/**
 * ct_probes_parse() - read what the module says
 * @probes: filled in; what @text does not name is absent.
 * @text: the file "probes": "SYMBOL BACKEND STATE HITS" a line.
 *
 * Return: whether each function is one that this version knows.
 */
bool ct_probes_parse(struct ct_probes *probes, const char *text);

/**
 * ct_probes_look() - look at the kernel's symbols, when there is no module to ask
 * @probes: filled in; what is there is CT_PROBE_OFF.
 * @kallsyms: path of the kernel's list of symbols.
 *
 * Return: whether the list could be read.
 */
bool ct_probes_look(struct ct_probes *probes, const char *kallsyms);

/* Has the path all witnesses whose silence counts? Not whether they are armed. */
bool ct_path_has_witnesses(const struct ct_path_probes *path);

#endif /* COWTRACE_PROBES_H */
