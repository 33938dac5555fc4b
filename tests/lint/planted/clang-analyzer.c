// SPDX-License-Identifier: GPL-2.0
/* clang's analyzer: on one path through it, a null pointer is followed. */
#include <stddef.h>

int planted(int *p, int yes)
{
	int *at = NULL;

	if (yes)
		at = p;
	return *at;
}
