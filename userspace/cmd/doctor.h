/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of `cowtrace doctor` have in common. */
#ifndef COWTRACE_DOCTOR_H
#define COWTRACE_DOCTOR_H

#include <stdbool.h>

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

/* The module's own account, where it can be asked; to be freed. */
bool ask_module(const char *what, char **text);

struct ct_signing;

/*
 * Secure Boot, whether signatures are required, that of the module file, and the key that
 * dkms signs with; each with the next step.
 */
void tell_secure_boot(struct finding *f, const struct ct_signing *s);
void tell_required(struct finding *f, const struct ct_signing *s);
void tell_signature(struct finding *f, const struct ct_signing *s, bool installed, bool loaded);
void tell_key(struct finding *f, const struct ct_signing *s);

/* Which faults of one page, of a huge PMD and of hugetlb pages can be seen and settled. */
void check_pte(struct finding *f);
void check_pmd(struct finding *f);
void check_hugetlb(struct finding *f);

#endif /* COWTRACE_DOCTOR_H */
