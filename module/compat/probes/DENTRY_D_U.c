// SPDX-License-Identifier: GPL-2.0
/* dentry.d_u, which holds d_alias: until 7.x */
#include <linux/dcache.h>

struct hlist_node *probe(struct dentry *dentry);
struct hlist_node *probe(struct dentry *dentry)
{
	return &dentry->d_u.d_alias;
}
