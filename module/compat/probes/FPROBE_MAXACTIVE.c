// SPDX-License-Identifier: GPL-2.0
/* fprobe.nr_maxactive: until 6.13 */
#include <linux/fprobe.h>

int probe(struct fprobe *fp);
int probe(struct fprobe *fp)
{
	return fp->nr_maxactive;
}
