// SPDX-License-Identifier: GPL-2.0
/* cppcheck: what was allocated is forgotten. */
#include <stdlib.h>

int planted(size_t size)
{
	char *p = malloc(size);

	if (!p)
		return -1;
	*p = 1;
	return *p;
}
