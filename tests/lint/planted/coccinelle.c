// SPDX-License-Identifier: GPL-2.0
/* coccinelle: what was freed is read. */
#include <linux/slab.h>

struct planted {
	int one;
};

int planted(struct planted *p)
{
	kfree(p);
	return p->one;
}
