/* SPDX-License-Identifier: GPL-2.0 */
/* lines: an open file that gives one line of text after the other, like a trace pipe. */
#ifndef COW_LINES_H
#define COW_LINES_H

#include <linux/fs.h>
#include <linux/mutex.h>

#define COW_LINE_MAX	1024

/**
 * struct cow_lines - the reader of such a file
 * @mutex: one read at a time: io_uring issues several on one open file.
 * @next: put the next line into @line and its length into @len. Return: 1, 0 when there
 *	is none and will be none, -EAGAIN when there will be.
 * @pos: what of @line was read.
 * @len: length of @line.
 * @line: the line being read.
 */
struct cow_lines {
	struct mutex	mutex;	/* of reads */
	int		(*next)(struct cow_lines *lines);
	size_t		pos;
	size_t		len;
	char		line[COW_LINE_MAX];
};

/*
 * Copy the name of a task, of TASK_COMM_LEN bytes: it names itself as it likes, and a line
 * must stay one, and no command to a terminal.
 */
void cow_lines_comm(char *to, const char *comm);

/* Before the first read. The rest is zero. */
void cow_lines_init(struct cow_lines *lines, int (*next)(struct cow_lines *lines));

/*
 * The read operation of a file whose private data is the reader: waits for the first line
 * unless the file is open without blocking.
 */
ssize_t cow_lines_read(struct file *file, char __user *to, size_t count, loff_t *ppos);

#endif /* COW_LINES_H */
