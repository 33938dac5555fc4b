// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>

#include "group_khugepaged.h"

#define DIR	"/sys/kernel/mm/transparent_hugepage/khugepaged/"

static const char * const files[] = {
	[COW_LIMIT_NONE]	= DIR "max_ptes_none",
	[COW_LIMIT_SWAP]	= DIR "max_ptes_swap",
	[COW_LIMIT_SHARED]	= DIR "max_ptes_shared",
};

s32 cow_limits[COW_NR_LIMITS] = { -1, -1, -1 };

const char *cow_limit_name(enum cow_limit limit)
{
	return files[limit] + sizeof(DIR) - 1;
}

static s32 read_limit(const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	char text[16];
	loff_t at = 0;
	ssize_t n;
	s32 value;

	if (IS_ERR(file))
		return -1;
	n = kernel_read(file, text, sizeof(text) - 1, &at);
	filp_close(file, NULL);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return kstrtos32(strim(text), 10, &value) ? -1 : value;
}

void cow_limits_read(void)
{
	unsigned int i;

	for (i = 0; i < COW_NR_LIMITS; i++)
		WRITE_ONCE(cow_limits[i], read_limit(files[i]));
}

/* ssize_t store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, ...) */
static bool enter(enum cow_limit limit, struct cow_limit_data *data, struct pt_regs *regs)
{
	data->limit = limit;
	return !kstrtos32((const char *)cow_arg2(regs), 10, &data->value);
}

bool cow_limit_none_enter(void *data, struct pt_regs *regs)
{
	return enter(COW_LIMIT_NONE, data, regs);
}

bool cow_limit_swap_enter(void *data, struct pt_regs *regs)
{
	return enter(COW_LIMIT_SWAP, data, regs);
}

bool cow_limit_shared_enter(void *data, struct pt_regs *regs)
{
	return enter(COW_LIMIT_SHARED, data, regs);
}

void cow_limit_leave(void *data, struct pt_regs *regs)
{
	const struct cow_limit_data *d = data;

	if ((long)regs_return_value(regs) > 0)
		WRITE_ONCE(cow_limits[d->limit], d->value);
}
