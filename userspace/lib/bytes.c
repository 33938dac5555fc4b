// SPDX-License-Identifier: GPL-2.0
#include "bytes.h"

#include <errno.h>
#include <stdlib.h>

/* Bytes of the UTF-8 character at @s that may be shown, 0 for none. */
static size_t printable(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char	mask, lead;
		uint32_t	least;
	} forms[] = {
		{ 0xe0, 0xc0, 0xa0 },	/* from U+00A0: those before are controls */
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	size_t i, k;

	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		uint32_t c = *s & ~forms[i].mask;

		if ((*s & forms[i].mask) != forms[i].lead)
			continue;
		if (left < i + 2)
			return 0;
		for (k = 1; k < i + 2; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[k] & 0x3f);
		}
		if (c < forms[i].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return 0;
		/* Marks that reorder or hide what stands beside them. */
		if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
			return 0;
		return i + 2;
	}
	return 0;
}

bool ct_number(const char *text, uint64_t *number)
{
	char *end;

	/* strtoull() takes signs and spaces, which are no part of a number here. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end;
}

void ct_clean_text(char *to, size_t size, const char *from, size_t length)
{
	const unsigned char *s = (const unsigned char *)from;
	size_t in = 0, out = 0;

	while (in < length && s[in] && out + 1 < size) {
		size_t n = printable(s + in, length - in);

		if (n && out + n >= size)
			break;
		if (n)
			memcpy(to + out, s + in, n);
		else
			to[out] = '?';
		out += n ? n : 1;
		in += n ? n : 1;
	}
	to[out] = '\0';
}
