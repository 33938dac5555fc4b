// SPDX-License-Identifier: GPL-2.0
/* cowtrace doctor: what this kernel and machine support. */
#include <argp.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "doctor.h"

static const char *const state_names[] = {
	[OK] = "ok", [MISSING] = "missing", [REFUSED] = "refused", [UNKNOWN] = "unknown",
};

static const struct {
	const char	*name;
	void		(*look)(struct finding *f);
} checks[] = {
	{ "kernel", check_kernel },
	{ "root", check_root },
	{ "pid namespace", check_namespace },
	{ "lockdown", check_lockdown },
	{ "Secure Boot", check_secure_boot },
	{ "signatures", check_required },
	{ "module signature", check_signature },
	{ "signing key", check_key },
	{ "module installed", check_installed },
	{ "kernel headers", check_headers },
	{ "module loaded", check_loaded },
	{ "kernel log", check_refusal },
	{ "debugfs", check_debugfs },
	{ "kernel config", check_config },
	{ "ftrace", check_ftrace },
	{ "kprobes", check_kprobes },
	{ "backend", check_backend },
	{ "BPF backend", check_bpf },
	{ "PTE faults", check_pte },
	{ "huge PMD faults", check_pmd },
	{ "hugetlb faults", check_hugetlb },
	{ "perf events", check_perf },
	{ "swap", check_swap },
	{ "KSM", check_ksm },
	{ "huge pages", check_thp },
	{ "delayacct", check_delayacct },
};

#define NR_CHECKS	(sizeof(checks) / sizeof(*checks))

static void print_text(const char *name, const struct finding *f)
{
	printf("%-8s %-17s %s", state_names[f->state], name, f->found);
	if (f->state != OK && f->consequence[0])
		printf("; %s%s", f->vital ? "vital: " : "", f->consequence);
	if (f->state != OK && f->next[0])
		printf(": %s", f->next);
	putchar('\n');
}

static void add_json(struct json_object *list, const char *name, const struct finding *f)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_object_new_string(name));
	json_object_object_add(o, "state", json_object_new_string(state_names[f->state]));
	json_object_object_add(o, "vital", json_object_new_boolean(f->vital));
	json_object_object_add(o, "found", json_object_new_string(f->found));
	json_object_object_add(o, "consequence", json_object_new_string(f->consequence));
	json_object_object_add(o, "next", json_object_new_string(f->next));
	json_object_array_add(list, o);
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "print a JSON array of the checks", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "What this kernel and machine support, what is missing, and what to do about it.\v"
	       "Exit status 0: all that tracing needs is there; 1: what is marked vital is not.",
};

int ct_cmd_doctor(int argc, char **argv)
{
	struct json_object *list = NULL;
	bool json = false, able = true;

	argp_parse(&argp, argc, argv, 0, NULL, &json);
	know_machine();
	if (json)
		list = json_object_new_array();
	for (size_t i = 0; i < NR_CHECKS; i++) {
		struct finding f = { 0 };

		checks[i].look(&f);
		able &= f.state == OK || !f.vital;
		if (json)
			add_json(list, checks[i].name, &f);
		else
			print_text(checks[i].name, &f);
	}
	if (json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
	free(machine.config);
	return able ? CT_EXIT_OK : CT_EXIT_FAIL;
}
