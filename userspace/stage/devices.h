/* SPDX-License-Identifier: GPL-2.0 */
/* Block devices and swap that experiments set up, and what of it the host has. */
#ifndef COWTRACE_DEVICES_H
#define COWTRACE_DEVICES_H

#include <stddef.h>

#include "error.h"

/* How long the slow disk takes for each request. */
#define CT_SLOW_MS	3000

/**
 * ct_swap_there() - whether there is swap whose pages go through the swap cache
 * @err: the command that provides it.
 * Return: 0 or -ENODEV.
 */
int ct_swap_there(struct ct_error *err);

/**
 * ct_zram_swap() - set up swap on zram, to be preferred to all other
 * @err: what is missing.
 * Return: 0 or a negative errno. ct_host_undo_to() takes it away.
 */
int ct_zram_swap(struct ct_error *err);

/**
 * ct_slow_disk() - set up a disk that takes CT_SLOW_MS for each request
 * @path: receives its device.
 * @size: bytes of @path.
 * @err: what is missing.
 * Return: 0 or a negative errno. ct_host_undo_to() takes it away.
 */
int ct_slow_disk(char *path, size_t size, struct ct_error *err);

/* Set up swap on such a disk, to be preferred to all other; as ct_zram_swap(). */
int ct_slow_swap(struct ct_error *err);

/**
 * ct_loop_disk() - a block device over memory, gone with its last descriptor
 * @bytes: its size.
 * @err: what is missing.
 * Return: its descriptor or a negative errno.
 */
int ct_loop_disk(size_t bytes, struct ct_error *err);

/* Have what ct_loop_disk() needs; the module is unloaded by ct_host_undo_to(). */
int ct_loop_module(struct ct_error *err);

#endif /* COWTRACE_DEVICES_H */
