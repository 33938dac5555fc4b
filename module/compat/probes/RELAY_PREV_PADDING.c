// SPDX-License-Identifier: GPL-2.0
/* rchan_callbacks.subbuf_start() with the padding of the last sub-buffer: until 6.16 */
#include <linux/relay.h>

static int start(struct rchan_buf *buf, void *subbuf, void *prev, size_t padding)
{
	return 1;
}

struct rchan_callbacks probe;
struct rchan_callbacks probe = { .subbuf_start = start };
