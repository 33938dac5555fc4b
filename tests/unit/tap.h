/* SPDX-License-Identifier: GPL-2.0 */
/* Test lines: "ok N - claim". One call, one claim. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool good, const char *claim, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(args, claim);
	vprintf(claim, args);
	va_end(args);
	putchar('\n');
	tap_failed += !good;
	return good;
}

/* Says more about the line before. */
#define note(...) do { printf("# " __VA_ARGS__); putchar('\n'); } while (0)

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return !!tap_failed;
}

#endif /* TAP_H */
