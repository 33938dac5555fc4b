/* SPDX-License-Identifier: GPL-2.0 */
/* groups: which groups there are. */
#ifndef COW_GROUPS_H
#define COW_GROUPS_H

#include "group.h"

extern const struct cow_group cow_group_ksm;
extern const struct cow_group cow_group_khugepaged;

/* Ends with NULL. */
extern const struct cow_group * const cow_groups[];

extern const struct cow_group cow_group_files;

#endif /* COW_GROUPS_H */
