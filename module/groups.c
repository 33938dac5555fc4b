// SPDX-License-Identifier: GPL-2.0
#include "groups.h"

const struct cow_group * const cow_groups[] = {
	&cow_group_ksm,
	&cow_group_khugepaged,
	&cow_group_files,
	NULL
};
