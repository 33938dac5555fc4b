/* SPDX-License-Identifier: GPL-2.0 */
/* The settings of a source: changed for one trace, and put back after it. */
#ifndef COWTRACE_CAPTURE_SETTINGS_H
#define COWTRACE_CAPTURE_SETTINGS_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "capture_source.h"

struct ct_settings;

/**
 * ct_settings_save() - remember all settings
 * @settings: receives them.
 * @source: whose they are.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_settings_save(struct ct_settings **settings, struct ct_source *source,
		     struct ct_error *err);

/**
 * ct_settings_clear() - let every fault pass: no filter, no sampling
 * @settings: what was saved.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_settings_clear(struct ct_settings *settings, struct ct_error *err);

/**
 * ct_settings_assign() - change one setting
 * @settings: what was saved.
 * @assignment: NAME=VALUE; the name of a filter goes without "filter/".
 * @err: what is wrong, with the known names.
 * Return: 0 or a negative errno.
 */
int ct_settings_assign(struct ct_settings *settings, const char *assignment,
		       struct ct_error *err);

/**
 * ct_settings_add_process() - trace a process and all that it forks
 * @settings: what was saved.
 * @pid: the process; those added before stay.
 * @err: what is wrong.
 * Return: 0 or a negative errno, -ESRCH when it has ended.
 */
int ct_settings_add_process(struct ct_settings *settings, pid_t pid, struct ct_error *err);

/* Name of the @i-th setting, as of the source; NULL when there are fewer. */
const char *ct_settings_name(size_t i);

/**
 * ct_settings_filter() - is a filter assigned, but not that of the tree?
 * @assignment: as of ct_settings_assign().
 */
bool ct_settings_filter(const char *assignment);

/**
 * ct_settings_json() - the settings in force
 * @settings: what was saved.
 * Return: an object of strings by name.
 */
struct json_object *ct_settings_json(const struct ct_settings *settings);

/**
 * ct_settings_restore() - put back what was changed, and free
 * @settings: what was saved; NULL is allowed.
 */
void ct_settings_restore(struct ct_settings *settings);

#endif /* COWTRACE_CAPTURE_SETTINGS_H */
