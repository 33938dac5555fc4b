/* SPDX-License-Identifier: GPL-2.0 */
/* schema: the record layout and the vocabulary as text, for any reader. */
#ifndef COW_SCHEMA_H
#define COW_SCHEMA_H

struct seq_file;

/* Text of the file schema. */
int cow_schema_show(struct seq_file *m, void *v);

#endif /* COW_SCHEMA_H */
