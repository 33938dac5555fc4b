// SPDX-License-Identifier: GPL-2.0
/* clang-tidy: the size of a pointer is taken for that of what it points to. */
#include <stdlib.h>

struct planted {
	long one[8];
};

struct planted *planted(void)
{
	struct planted *p = malloc(sizeof(p));

	return p;
}
