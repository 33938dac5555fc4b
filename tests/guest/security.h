/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the suite security. */
#ifndef COWTEST_SECURITY_H
#define COWTEST_SECURITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct cow_file - a file of the module, as stat() has it
 * @path: whole.
 * @name: behind COW_DIR.
 * @mode: permissions.
 */
struct cow_file {
	char		path[128];
	const char	*name;
	mode_t		mode;
};

#define COW_FILES	128
extern struct cow_file cow_files[COW_FILES];
extern size_t nr_cow_files;

/* Look for all files below COW_DIR. */
void cow_files_find(void);
/* Is it one that can be written to? */
bool cow_file_set(const struct cow_file *f);

/* What a command prints, standard error too. Return: its exit status, 128 + N by signal N. */
int said(const char *command, char *text, size_t size);

/* Become nobody, with this group. */
void become_nobody(gid_t group);

/* security-content.c: what is told, and to whom. */
void secrets(void);
/* security-reader.c: who reads a trace. */
void readers(void);
/* security-locked.c: lockdown, for which there is no way back. */
void locked(void);

#endif /* COWTEST_SECURITY_H */
