/* SPDX-License-Identifier: GPL-2.0 */
/* Running a tool of the system, and what it says. */
#ifndef COWTRACE_TOOL_H
#define COWTRACE_TOOL_H

#include <stddef.h>

/**
 * ct_tool_run() - run a tool, in the C locale, and wait for its end
 * @root: where usr/sbin, usr/bin, sbin and bin are looked into, "" for the system's. A
 *	plain user's PATH lacks some of these even under sudo -E.
 * @argv: its name and arguments, NULL behind the last.
 * @said: receives what it prints, on standard error too; the rest is read and dropped.
 * @size: bytes of @said, the final NUL included.
 * Return: its exit status, -ENOENT when there is no such tool, -EINTR when a signal
 * ended it, or another negative errno.
 */
int ct_tool_run(const char *root, char *const argv[], char *said, size_t size);

#endif /* COWTRACE_TOOL_H */
