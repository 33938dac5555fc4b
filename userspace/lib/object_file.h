/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that was mapped while a trace was taken, if it is still that file: one of the
 * same path with another build-id, or without one another inode, is not opened.
 */
#ifndef COWTRACE_OBJECT_FILE_H
#define COWTRACE_OBJECT_FILE_H

#include <libelf.h>

#include "process.h"

/**
 * struct ct_object_file - an open file
 * @elf: NULL when it could not be opened.
 * @fd: must stay open as long as @elf.
 */
struct ct_object_file {
	Elf	*elf;
	int	fd;
};

/**
 * ct_object_file() - open the file of an object
 * @path: where it is, or where its debug file is.
 * @object: what it has to be.
 * Return: the file; elf_version() was called before.
 */
struct ct_object_file ct_object_file(const char *path, const struct ct_object *object);

/**
 * ct_object_files_refused() - how often a file was not opened for want of the right
 * @first: receives the path of the first, for a terminal.
 */
unsigned int ct_object_files_refused(const char **first);

/* Close it, if it is open. */
void ct_object_file_close(struct ct_object_file *file);

#endif /* COWTRACE_OBJECT_FILE_H */
