/* SPDX-License-Identifier: GPL-2.0 */
/* What a test says: claims, figures, and what it cannot go on without. */
#ifndef COWTEST_REPORT_H
#define COWTEST_REPORT_H

#include <stdbool.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* The backend that this run is about, and where the modules to load are. */
extern const char *backend;
extern const char *suite_name;
/* Claims that failed, in memory that all processes share; NULL where nobody asks. */
extern unsigned int *failed_claims;

/**
 * check() - report one claim
 * @good: whether it holds.
 * @name: short, without the suite's name.
 * @claim: what was claimed, one clause.
 * and a format: what was found instead, printed only when @good is false. Only then, and
 * behind @good, are its arguments looked at: what is seen may have to be asked for first.
 * Return: @good.
 */
#define check(good, name, claim, ...) ({			\
	bool good_ = (good);					\
								\
	if (good_)						\
		claim_holds(name, claim);			\
	else							\
		claim_fails(name, claim, __VA_ARGS__);		\
	good_;							\
})
void claim_holds(const char *name, const char *claim);
void claim_fails(const char *name, const char *claim, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void skip(const char *name, const char *why);
/* A line that is no claim: figures for the log. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What the suite cannot go on without: fails the suite. Only then are the words made. */
#define need(good, ...) ((good) ? (void)0 : unmet(__VA_ARGS__))
_Noreturn void unmet(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* COWTEST_REPORT_H */
