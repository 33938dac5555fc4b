/* SPDX-License-Identifier: GPL-2.0 */
/* Where the linker leads calls with --wrap, and where they were led before. */
#ifndef WRAPPED_H
#define WRAPPED_H

#include <stddef.h>
#include <sys/stat.h>

#include "json_read.h"
#include "reader_parts.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

/* What lstat() is, with files of any size. */
int __real_lstat64(const char *path, struct stat *st);
int __wrap_lstat64(const char *path, struct stat *st);

int __real_ct_json_text(const char *text, size_t length, struct json_object **object);
int __wrap_ct_json_text(const char *text, size_t length, struct json_object **object);
int __real_ct_reader_open_fd(int fd, const char *path, struct ct_reader **reader,
			     struct ct_error *err);
int __wrap_ct_reader_open_fd(int fd, const char *path, struct ct_reader **reader,
			     struct ct_error *err);

#endif /* WRAPPED_H */
