/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of `cowtrace doctor` have in common. */
#ifndef COWTRACE_DOCTOR_H
#define COWTRACE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/utsname.h>

#include "signing.h"

enum state { OK, MISSING, REFUSED, UNKNOWN };

/**
 * struct finding - what a check found
 * @state: OK and the like.
 * @vital: tracing is impossible like this.
 * @found: what was found.
 * @consequence: what that means for tracing; empty when OK.
 * @next: what to do about it; empty when nothing has to be done.
 */
struct finding {
	enum state	state;
	bool		vital;
	char		found[320];
	char		consequence[256];
	char		next[320];
};

__attribute__((format(printf, 3, 4)))
void found(struct finding *f, enum state state, const char *format, ...);

/* Consequence and next step of a finding that is not OK. */
void means(struct finding *f, bool vital, const char *consequence, const char *next);

/**
 * struct machine - what several checks need
 * @uts: the kernel.
 * @module: path of the installed module, empty if there is none.
 * @config: of the kernel, NULL when it is not known; to be freed.
 * @signing: of modules.
 */
extern struct machine {
	struct utsname	uts;
	char		module[768];
	char		*config;
	struct ct_signing signing;
} machine;

/* Fill in machine. */
void know_machine(void);

/* First line of a file without its newline. Returns whether it could be read. */
bool first_line(const char *path, char *line, size_t size);

/* The module's own account, where it can be asked; to be freed. */
bool ask_module(const char *what, char **text);

/*
 * Secure Boot, whether signatures are required, that of the module file, and the key that
 * dkms signs with; each with the next step.
 */
void tell_secure_boot(struct finding *f, const struct ct_signing *s);
void tell_required(struct finding *f, const struct ct_signing *s);
void tell_signature(struct finding *f, const struct ct_signing *s, bool installed, bool loaded);
void tell_key(struct finding *f, const struct ct_signing *s);

/* --- doctor_kernel.c --------------------------------------------------------- */

void check_kernel(struct finding *f);
void check_root(struct finding *f);
void check_namespace(struct finding *f);
void check_lockdown(struct finding *f);
void check_config(struct finding *f);
void check_ftrace(struct finding *f);
void check_kprobes(struct finding *f);
void check_perf(struct finding *f);
void check_swap(struct finding *f);
void check_ksm(struct finding *f);
void check_thp(struct finding *f);
void check_delayacct(struct finding *f);

/* --- doctor_module.c --------------------------------------------------------- */

void check_secure_boot(struct finding *f);
void check_required(struct finding *f);
void check_signature(struct finding *f);
void check_key(struct finding *f);
void check_installed(struct finding *f);
void check_headers(struct finding *f);
void check_loaded(struct finding *f);
void check_refusal(struct finding *f);
void check_debugfs(struct finding *f);
void check_backend(struct finding *f);
void check_bpf(struct finding *f);

/* --- doctor_paths.c ---------------------------------------------------------- */

/* Which faults of one page, of a huge PMD and of hugetlb pages can be seen and settled. */
void check_pte(struct finding *f);
void check_pmd(struct finding *f);
void check_hugetlb(struct finding *f);

#endif /* COWTRACE_DOCTOR_H */
