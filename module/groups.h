/* SPDX-License-Identifier: GPL-2.0 */
/* groups: which groups there are. */
#ifndef COW_GROUPS_H
#define COW_GROUPS_H

#include "group.h"

extern const struct cow_group * const cow_groups[];
extern const unsigned int cow_nr_groups;

#endif /* COW_GROUPS_H */
