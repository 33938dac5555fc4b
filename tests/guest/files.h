/* SPDX-License-Identifier: GPL-2.0 */
/* Files, those of the module in debugfs, and the kernel log. */
#ifndef COWTEST_FILES_H
#define COWTEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COW_DIR		"/sys/kernel/debug/cowtrace"

/* All of these return a length or 0, or a negative errno. */
ssize_t file_read(const char *path, char *buf, size_t size);
int file_write(const char *path, const char *text);
int file_append(const char *path, const char *text);
/* The same below COW_DIR. */
ssize_t cow_read(const char *name, char *buf, size_t size);
int cow_write(const char *name, const char *text);
int cow_open(const char *name, int flags);
/* The number behind "NAME " in a file of "name value" lines, -1 without one. */
long long value_in(const char *path, const char *name);
/* The number behind "NAME": that follows @from in a text of JSON, -1 without one. */
long long json_number(const char *from, const char *name);
bool file_has(const char *path, const char *text);
/* Until it has. */
void file_wait(const char *path, const char *text);
/* Is a disk on /mnt, with a file system that write-protects clean pages? */
bool ext4_on_mnt(void);
/* The device that is mounted at @where; false when nothing is. */
bool disk_of(const char *where, char *device, size_t size);

/* --- the kernel log ---------------------------------------------------- */

/* From now on. */
int log_open(void);
/* What was logged since: all lines, each with its newline. */
const char *log_read(int fd);

#endif /* COWTEST_FILES_H */
