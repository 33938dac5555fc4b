// SPDX-License-Identifier: GPL-2.0
/* cowtrace doctor: the three paths of a fault, and what testifies to its outcome. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "probes.h"

/**
 * struct kernel - what is known of the running kernel
 * @asked: the module said it; otherwise its symbols did.
 * @probes: of each path.
 * @traits: COWTRACE_TRAIT_*, 0 when not asked.
 * @witness: the setting, auto when not asked.
 */
struct kernel {
	bool		asked;
	struct ct_probes probes;
	unsigned int	traits;
	char		witness[8];
};

/* Returns whether anything is known. */
static bool ask(struct kernel *k)
{
	char *text, *at;

	if (!ask_module("probes", &text))
		return ct_probes_look(&k->probes, "/proc/kallsyms");
	k->asked = true;
	ct_probes_parse(&k->probes, text);
	free(text);
	if (ask_module("schema", &text)) {
		at = strstr(text, "\ntraits ");
		if (at)
			sscanf(at, " traits %x", &k->traits);
		free(text);
	}
	if (ask_module("witness", &text)) {
		sscanf(text, "%7s", k->witness);
		free(text);
	}
	return true;
}

/* Some kernels need it, and nobody misses it on the others. */
static bool idle(const struct ct_probe *witness)
{
	return witness->optional && witness->state != CT_PROBE_ARMED;
}

/* "f() and g()", those that are absent or those that are there. */
static void name_witnesses(const struct ct_path_probes *path, bool absent, char *to, size_t size)
{
	size_t used = 0;

	*to = '\0';
	for (unsigned int i = 0; i < path->nr_witnesses; i++) {
		const struct ct_probe *w = &path->witnesses[i];
		bool is_absent = w->state == CT_PROBE_ABSENT;

		if (!idle(w) && is_absent == absent && used < size)
			used += snprintf(to + used, size - used, "%s%s()", used ? " and " : "",
					 w->symbol);
	}
}

/* Does the return code tell a copy or a reuse from a lost race? */
static bool coded(const struct kernel *k, enum cowtrace_path path)
{
	return path != COWTRACE_PATH_HUGETLB && (k->traits & COWTRACE_TRAIT_RET_WRITE);
}

/* Does it leave nothing to witness? Unsharing, from 5.19 on, has no code of its own. */
static bool told(const struct kernel *k, enum cowtrace_path path)
{
	return coded(k, path) && (path == COWTRACE_PATH_PMD ||
				  !(k->traits & COWTRACE_TRAIT_EXCLUSIVE));
}

static const char *unsettled(enum cowtrace_path path)
{
	if (path == COWTRACE_PATH_PMD)
		return "a reuse beside other threads cannot be told from a lost race and is raced";
	return "a copy cannot be told from a lost race and is raced";
}

static void check_path(struct finding *f, enum cowtrace_path id, const char *unseen)
{
	static struct kernel k = { .witness = "auto" };
	static bool asked, known;
	const struct ct_path_probes *path;
	char names[200];

	if (!asked)
		known = ask(&k);
	asked = true;
	if (!known) {
		found(f, UNKNOWN, "neither the module nor /proc/kallsyms can be asked");
		means(f, false, "what can be probed is not known", "run it as root");
		return;
	}
	path = &k.probes.paths[id];
	name_witnesses(path, false, names, sizeof(names));
	if (path->fault.state == CT_PROBE_ABSENT) {
		found(f, MISSING, "no %s() in this kernel", path->fault.symbol);
		means(f, id == COWTRACE_PATH_PTE, unseen, "");
	} else if (path->fault.state == CT_PROBE_DISARMED) {
		found(f, REFUSED, "the probe on %s() is disarmed", path->fault.symbol);
		means(f, true, "faults are not seen now",
		      "write 1 to /proc/sys/kernel/ftrace_enabled and /sys/kernel/debug/kprobes/enabled");
	} else if (k.asked && !strcmp(k.witness, "off")) {
		found(f, coded(&k, id) ? OK : MISSING, "%s(), its witness switched off",
		      path->fault.symbol);
		means(f, false, unsettled(id),
		      "--witness auto, or write auto to cowtrace/witness in debugfs");
	} else if (told(&k, id)) {
		found(f, OK, "%s(), outcomes told by its return code", path->fault.symbol);
	} else if (!ct_path_has_witnesses(path)) {
		name_witnesses(path, true, names, sizeof(names));
		found(f, MISSING, "%s(), but no %s in this kernel", path->fault.symbol, names);
		means(f, false, unsettled(id), "");
	} else {
		found(f, OK, "%s(), outcomes witnessed by %s", path->fault.symbol, names);
	}
}

void check_pte(struct finding *f)
{
	check_path(f, COWTRACE_PATH_PTE, "no fault can be seen");
}

void check_pmd(struct finding *f)
{
	check_path(f, COWTRACE_PATH_PMD, "faults of huge pages mapped by a PMD are not recorded");
}

void check_hugetlb(struct finding *f)
{
	check_path(f, COWTRACE_PATH_HUGETLB, "faults of hugetlb pages are not recorded");
}
