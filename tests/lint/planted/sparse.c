// SPDX-License-Identifier: GPL-2.0
/* sparse: a pointer of user space is followed by the kernel. */
#include <linux/compiler.h>

int planted(const int __user *at);
int planted(const int __user *at)
{
	return *at;
}
