// SPDX-License-Identifier: GPL-2.0
#include "spelling.h"

#include <stdint.h>
#include <string.h>

size_t ct_spelling_distance(const char *typed, const char *word)
{
	size_t row[32], length = strlen(word);

	if (length >= sizeof(row) / sizeof(*row))
		return SIZE_MAX;
	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t i = 1; *typed; typed++, i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= length; k++) {
			size_t best = diagonal + (*typed != word[k - 1]);

			diagonal = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[length];
}
