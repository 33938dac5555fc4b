// SPDX-License-Identifier: GPL-2.0
/* swap_info_struct.swap_map: a byte a slot, until the swap tables of 7.x */
#include <linux/swap.h>

unsigned char probe(struct swap_info_struct *si, unsigned long offset);
unsigned char probe(struct swap_info_struct *si, unsigned long offset)
{
	return si->swap_map[offset] & ~(SWAP_HAS_CACHE | COUNT_CONTINUED);
}
