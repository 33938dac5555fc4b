/* SPDX-License-Identifier: GPL-2.0 */
/* The files of a trace that stacks lead through, each opened once. */
#ifndef COWTRACE_UNWIND_FILES_H
#define COWTRACE_UNWIND_FILES_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

struct ct_unwind_files;

struct ct_unwind_files *ct_unwind_files_new(void);

/* Close all files: what was reported of them must have ended. */
void ct_unwind_files_close(struct ct_unwind_files *files);

void ct_unwind_files_free(struct ct_unwind_files *files);

/* How many are known, those that could not be opened too. */
size_t ct_unwind_files_nr(const struct ct_unwind_files *files);

/**
 * ct_unwind_files_open() - the file of an address
 * @files: the files.
 * @key: a number for @object, the same for each call with it.
 * @object: the file.
 * @offset: of the address in it.
 * @address: in the process.
 * @bias: receives the distance from addresses in the file to those in the process.
 * Return: its number, CT_MAP_NONE if it is not the traced one or not here, or has
 * nothing at @offset, or there is no memory.
 */
uint32_t ct_unwind_files_open(struct ct_unwind_files *files, uint32_t key,
			      const struct ct_object *object, uint64_t offset, uint64_t address,
			      uint64_t *bias);

/* A file by its number. */
Elf *ct_unwind_files_get(const struct ct_unwind_files *files, uint32_t file);

/**
 * ct_unwind_files_report() - tell libdwfl of a file
 * @files: the files.
 * @file: number of the file, or CT_MAP_NONE.
 * @dwfl: of an address space; its callbacks are those below.
 * @bias: as ct_unwind_files_open() gave it.
 * Return: the module, or NULL.
 */
Dwfl_Module *ct_unwind_files_report(struct ct_unwind_files *files, uint32_t file, Dwfl *dwfl,
				    uint64_t bias);

/* Callback find_elf of libdwfl: the file that was reported. */
int ct_unwind_files_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			char **file_name, Elf **elf);

/* Callback find_debuginfo: there is none. */
int ct_unwind_files_no_debug(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			     const char *file_name, const char *link, GElf_Word crc,
			     char **debug_name);

#endif /* COWTRACE_UNWIND_FILES_H */
