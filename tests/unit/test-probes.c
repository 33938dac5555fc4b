// SPDX-License-Identifier: GPL-2.0
/* The module's file "probes" and the kernel's symbols, path by path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "probes.h"
#include "tap.h"

static const char armed[] =
	"# symbol backend state hits\n"
	"do_wp_page fprobe armed 3\n"
	"do_huge_pmd_wp_page fprobe armed 0\n"
	"hugetlb_cow fprobe armed 0\n"
	"ptep_clear_flush fprobe off 0\n"
	"ptep_set_access_flags fprobe absent 0\n"
	"pmdp_set_access_flags fprobe blind 0\n"
	"pmdp_huge_clear_flush fprobe absent 0\n"
	"hugepage_add_new_anon_rmap fprobe disarmed 0\n";

static void check_text(void)
{
	struct ct_probes p;

	ok(ct_probes_parse(&p, armed), "each function that the module probes is known");
	ok(p.paths[COWTRACE_PATH_PTE].fault.state == CT_PROBE_ARMED, "an armed probe is armed");
	ok(p.paths[COWTRACE_PATH_PTE].witnesses[0].state == CT_PROBE_OFF,
	   "a witness that nobody wants is off");
	ok(p.paths[COWTRACE_PATH_PMD].witnesses[0].state == CT_PROBE_BLIND,
	   "a witness of a path that lacks another one is blind");
	ok(p.paths[COWTRACE_PATH_PMD].witnesses[1].state == CT_PROBE_ABSENT,
	   "a function that the kernel does not have is absent");
	ok(p.paths[COWTRACE_PATH_HUGETLB].witnesses[0].state == CT_PROBE_DISARMED,
	   "a disarmed probe is disarmed");
	ok(!strcmp(p.paths[COWTRACE_PATH_HUGETLB].fault.symbol, "hugetlb_cow"),
	   "a function keeps the name that this kernel has for it");
	ok(ct_path_has_witnesses(&p.paths[COWTRACE_PATH_PTE]), "a witness that is off is there");
	ok(p.paths[COWTRACE_PATH_PTE].witnesses[1].optional,
	   "a witness whose silence is no evidence may be missing");
	ok(!ct_path_has_witnesses(&p.paths[COWTRACE_PATH_PMD]),
	   "a path lacks a witness of which one is absent");
	ok(!ct_probes_parse(&p, "do_wp_page fprobe armed 3\nmremap kretprobe armed 1\n"),
	   "a function of a later module is noticed");
	ok(p.paths[COWTRACE_PATH_PTE].fault.state == CT_PROBE_ARMED,
	   "and those beside it are read all the same");
	ok(p.paths[COWTRACE_PATH_PMD].fault.state == CT_PROBE_ABSENT,
	   "a function of which the text says nothing is absent");
}

static void check_symbols(void)
{
	static const char list[] =
		"ffffffff81000000 t do_wp_page\n"
		"ffffffff81000010 T ptep_clear_flush\n"
		"ffffffff81000020 d pmdp_set_access_flags\n"
		"ffffffff81000030 t __pfx_hugetlb_wp\n"
		"0000000000000000 t hugetlb_add_new_anon_rmap\t[x]\n";
	char *path = temporary_file();
	struct ct_probes p;

	write_file(path, list, strlen(list));
	ok(ct_probes_look(&p, path), "the kernel's symbols are read");
	ok(p.paths[COWTRACE_PATH_PTE].fault.state == CT_PROBE_OFF, "a local function is found");
	ok(p.paths[COWTRACE_PATH_PTE].witnesses[0].state == CT_PROBE_OFF,
	   "a global function is found");
	ok(p.paths[COWTRACE_PATH_PMD].witnesses[0].state == CT_PROBE_ABSENT,
	   "data of that name is no function");
	ok(p.paths[COWTRACE_PATH_HUGETLB].fault.state == CT_PROBE_ABSENT,
	   "the padding before a function is not the function");
	remove(path);
	ok(!ct_probes_look(&p, path), "a list that is not there is told");
	free(path);
}

int main(void)
{
	check_text();
	check_symbols();
	return tap_end();
}
