/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own descriptions of its events. */
#ifndef COWTRACE_TRACEFS_H
#define COWTRACE_TRACEFS_H

#include <stdio.h>

/**
 * ct_tracefs_event() - open a file of an event, wherever tracefs is mounted
 * @event: "SYSTEM/NAME".
 * @file: "id" or "format".
 * Return: the file, or NULL.
 */
FILE *ct_tracefs_event(const char *event, const char *file);

#endif /* COWTRACE_TRACEFS_H */
