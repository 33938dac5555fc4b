// SPDX-License-Identifier: GPL-2.0
#include "probes.h"

#include <stdio.h>
#include <string.h>

/* The functions, under each name that a kernel has for them; the newest first. */
static const struct {
	enum cowtrace_path path;
	const char	*names[2];
	bool		witness;
	bool		optional;
} known[] = {
	{ COWTRACE_PATH_PTE, { "do_wp_page" }, false, false },
	{ COWTRACE_PATH_PTE, { "ptep_clear_flush" }, true, false },
	{ COWTRACE_PATH_PTE, { "ptep_set_access_flags" }, true, true },
	{ COWTRACE_PATH_PMD, { "do_huge_pmd_wp_page" }, false, false },
	{ COWTRACE_PATH_PMD, { "pmdp_set_access_flags" }, true, false },
	{ COWTRACE_PATH_PMD, { "pmdp_huge_clear_flush" }, true, false },
	{ COWTRACE_PATH_HUGETLB, { "hugetlb_wp", "hugetlb_cow" }, false, false },
	{ COWTRACE_PATH_HUGETLB,
	  { "hugetlb_add_new_anon_rmap", "hugepage_add_new_anon_rmap" }, true, false },
};

#define NR_KNOWN	(sizeof(known) / sizeof(*known))

static const char *const state_names[] = {
	[CT_PROBE_ABSENT] = "absent", [CT_PROBE_OFF] = "off", [CT_PROBE_ARMED] = "armed",
	[CT_PROBE_BLIND] = "blind", [CT_PROBE_DISARMED] = "disarmed",
};

static struct ct_probe *place(struct ct_probes *p, size_t function)
{
	struct ct_path_probes *path = &p->paths[known[function].path];
	unsigned int witness = 0;

	if (!known[function].witness)
		return &path->fault;
	for (size_t i = 0; i < function; i++)
		witness += known[i].witness && known[i].path == known[function].path;
	return &path->witnesses[witness];
}

/* Everything absent, by its newest name. */
static void begin(struct ct_probes *p)
{
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < NR_KNOWN; i++) {
		snprintf(place(p, i)->symbol, sizeof(place(p, i)->symbol), "%s",
			 known[i].names[0]);
		place(p, i)->optional = known[i].optional;
		p->paths[known[i].path].nr_witnesses += known[i].witness;
	}
}

/* The probe of a symbol, under that name; NULL for a symbol that is none of them. */
static struct ct_probe *find(struct ct_probes *p, const char *symbol)
{
	for (size_t i = 0; i < NR_KNOWN; i++)
		for (size_t n = 0; n < 2 && known[i].names[n]; n++)
			if (!strcmp(known[i].names[n], symbol)) {
				struct ct_probe *probe = place(p, i);

				snprintf(probe->symbol, sizeof(probe->symbol), "%s", symbol);
				return probe;
			}
	return NULL;
}

bool ct_probes_parse(struct ct_probes *p, const char *text)
{
	char symbol[64], state[32];
	bool all = true;

	begin(p);
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		struct ct_probe *probe;

		if (*text == '#' || sscanf(text, "%63s %*s %31s", symbol, state) != 2)
			continue;
		probe = find(p, symbol);
		all &= !!probe;
		for (size_t i = 0; probe && i < sizeof(state_names) / sizeof(*state_names); i++)
			if (!strcmp(state_names[i], state))
				probe->state = i;
	}
	return all;
}

bool ct_probes_look(struct ct_probes *p, const char *kallsyms)
{
	FILE *file = fopen(kallsyms, "re");
	char line[512], symbol[256];

	begin(p);
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		struct ct_probe *probe;

		if (sscanf(line, "%*s %*1[tT] %255s", symbol) != 1)
			continue;
		probe = find(p, symbol);
		if (probe)
			probe->state = CT_PROBE_OFF;
	}
	fclose(file);
	return true;
}

bool ct_path_has_witnesses(const struct ct_path_probes *path)
{
	for (unsigned int i = 0; i < path->nr_witnesses; i++)
		if (path->witnesses[i].state == CT_PROBE_ABSENT && !path->witnesses[i].optional)
			return false;
	return true;
}
