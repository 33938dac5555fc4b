// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "lines.h"

void cow_lines_init(struct cow_lines *l, int (*next)(struct cow_lines *lines))
{
	mutex_init(&l->mutex);
	l->next = next;
}

void cow_lines_comm(char *to, const char *comm)
{
	size_t i;

	for (i = 0; i < TASK_COMM_LEN - 1 && comm[i]; i++)
		to[i] = isprint(comm[i]) ? comm[i] : '?';
	to[i] = '\0';
}

static int next_line(struct cow_lines *l, bool block)
{
	int got;

	while ((got = l->next(l)) == -EAGAIN && block) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		schedule_timeout_interruptible(HZ / 20);
	}
	if (got > 0)
		l->pos = 0;
	return got;
}

static ssize_t copy_lines(struct cow_lines *l, char __user *to, size_t count, bool block)
{
	size_t done = 0, n;
	int got;

	while (done < count) {
		if (l->pos == l->len) {
			/* Wait only while there is nothing to give. */
			got = next_line(l, !done && block);
			if (got <= 0)
				return done ?: got;
		}
		n = min(count - done, l->len - l->pos);
		if (copy_to_user(to + done, l->line + l->pos, n))
			return done ?: -EFAULT;
		l->pos += n;
		done += n;
	}
	return done;
}

ssize_t cow_lines_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	struct cow_lines *l = file->private_data;
	bool block = !(file->f_flags & O_NONBLOCK);
	ssize_t done;

	if (!block && !mutex_trylock(&l->mutex))
		return -EAGAIN;
	if (block && mutex_lock_interruptible(&l->mutex))
		return -ERESTARTSYS;
	done = copy_lines(l, to, count, block);
	mutex_unlock(&l->mutex);
	return done;
}
