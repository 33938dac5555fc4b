// SPDX-License-Identifier: GPL-2.0
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *ct_format_count(char *to, uint64_t n)
{
	char digits[CT_UNIT_TEXT];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *at = to;
	int i;

	for (i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return to;
}

/* Three digits that count, never "1000": 999.6 is the next unit's 1.00. */
static char *three_digits(char *to, double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(to, CT_UNIT_TEXT, "%.*f %s", decimals, value, unit);
	return to;
}

char *ct_format_bytes(char *to, uint64_t bytes)
{
	static const char * const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = bytes / 1024.0;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(to, CT_UNIT_TEXT, "%" PRIu64 " B", bytes);
		return to;
	}
	for (; value >= 999.5 && i + 1 < sizeof(units) / sizeof(*units); i++)
		value /= 1024;
	return three_digits(to, value, units[i]);
}

char *ct_format_ns(char *to, uint64_t ns)
{
	static const char * const units[] = { "µs", "ms", "s" };
	double value = ns / 1000.0;
	size_t i = 0;

	if (ns < 1000) {
		snprintf(to, CT_UNIT_TEXT, "%" PRIu64 " ns", ns);
		return to;
	}
	for (; value >= 999.5 && i + 1 < sizeof(units) / sizeof(*units); i++)
		value /= 1000;
	if (value < 999.5)
		return three_digits(to, value, units[i]);
	if (value < 100 * 60)
		snprintf(to, CT_UNIT_TEXT, "%.1f min", value / 60);
	else
		snprintf(to, CT_UNIT_TEXT, "%.1f h", value / 3600);
	return to;
}

char *ct_format_share(char *to, uint64_t part, uint64_t whole)
{
	double share;

	if (!whole) {
		strcpy(to, "-");
		return to;
	}
	share = 100.0 * part / whole;
	/* Rounding must not turn something into nothing, nor most into all. */
	if (part && share < 0.1)
		strcpy(to, "<0.1 %");
	else if (part < whole && share > 99.9)
		strcpy(to, ">99.9 %");
	else
		snprintf(to, CT_UNIT_TEXT, "%.1f %%", share);
	return to;
}

size_t ct_text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}
