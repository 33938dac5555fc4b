// SPDX-License-Identifier: GPL-2.0
/* checkpatch: no spaces around an assignment. */
int planted(void)
{
	int one=1;

	return one;
}
