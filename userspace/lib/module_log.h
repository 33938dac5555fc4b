/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says about cowtrace in its log. */
#ifndef COWTRACE_MODULE_LOG_H
#define COWTRACE_MODULE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/**
 * ct_log_open() - open the kernel log at its end
 * Return: a descriptor, or -1 when this process may not read the log; the other
 * functions accept -1 and find nothing.
 */
int ct_log_open(void);

/**
 * ct_log_mark() - forget what was logged so far
 * @fd: of ct_log_open().
 */
void ct_log_mark(int fd);

/**
 * ct_log_rewind() - go back to the oldest line that the kernel still has
 * @fd: of ct_log_open().
 */
void ct_log_rewind(int fd);

/**
 * ct_log_last() - newest line about cowtrace from the current position on
 * @fd: of ct_log_open().
 * @line: receives the message without priority and time; empty when none came.
 * @size: bytes of @line.
 * Return: whether a line was found.
 */
bool ct_log_last(int fd, char *line, size_t size);

#endif /* COWTRACE_MODULE_LOG_H */
