/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own descriptions of its events. */
#ifndef COWTRACE_TRACEFS_H
#define COWTRACE_TRACEFS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * ct_tracefs_event() - open a file of an event, wherever tracefs is mounted
 * @event: "SYSTEM/NAME".
 * @file: "id" or "format".
 * Return: the file, or NULL.
 */
FILE *ct_tracefs_event(const char *event, const char *file);

/**
 * ct_tracefs_number() - the number by which perf knows an event
 * @event: "SYSTEM/NAME".
 * Return: the number, 0 where there is no such event or no tracefs is mounted.
 */
uint64_t ct_tracefs_number(const char *event);

/**
 * ct_tracefs_field() - where a field of an event stands
 * @event: "SYSTEM/NAME".
 * @field: its name.
 * @size: bytes that it is to have.
 * @offset: receives where it begins.
 * Return: false when there is no such field of that size.
 */
bool ct_tracefs_field(const char *event, const char *field, unsigned int size,
		      unsigned int *offset);

#endif /* COWTRACE_TRACEFS_H */
