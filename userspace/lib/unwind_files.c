// SPDX-License-Identifier: GPL-2.0
#include "unwind_files.h"

#include <gelf.h>
#include <stdlib.h>

#include "map.h"
#include "object_file.h"

/**
 * struct file - a file
 * @file: NULL in it when it could not be opened.
 * @low: lowest address that it has, in itself.
 * @high: behind the highest.
 */
struct file {
	struct ct_object_file file;
	uint64_t	low;
	uint64_t	high;
};

struct ct_unwind_files {
	struct file	*list;
	size_t		nr;
	struct ct_map	by_key;
};

struct ct_unwind_files *ct_unwind_files_new(void)
{
	elf_version(EV_CURRENT);
	return calloc(1, sizeof(struct ct_unwind_files));
}

void ct_unwind_files_close(struct ct_unwind_files *files)
{
	for (size_t i = 0; i < files->nr; i++)
		ct_object_file_close(&files->list[i].file);
	files->nr = 0;
	ct_map_free(&files->by_key);
}

void ct_unwind_files_free(struct ct_unwind_files *files)
{
	if (!files)
		return;
	ct_unwind_files_close(files);
	free(files->list);
	free(files);
}

size_t ct_unwind_files_nr(const struct ct_unwind_files *files)
{
	return files->nr;
}

Elf *ct_unwind_files_get(const struct ct_unwind_files *files, uint32_t file)
{
	return files->list[file].file.elf;
}

/* As libdwfl does it: the first segment is where a file begins. */
static bool read_range(struct file *f)
{
	GElf_Ehdr header;
	bool found = false;
	GElf_Phdr ph;
	size_t n = 0;

	if (gelf_getclass(f->file.elf) != ELFCLASS64 || !gelf_getehdr(f->file.elf, &header) ||
	    header.e_machine != EM_X86_64 || elf_getphdrnum(f->file.elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(f->file.elf, i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (!found)
			f->low = ph.p_vaddr & -(ph.p_align ?: 1);
		if (ph.p_vaddr + ph.p_memsz > f->high)
			f->high = ph.p_vaddr + ph.p_memsz;
		found = true;
	}
	return found && f->low < f->high;
}

/* Where an offset stands in the addresses of a file. */
static bool address_of(const struct file *f, uint64_t offset, uint64_t *address)
{
	GElf_Phdr ph;
	size_t n = 0;

	elf_getphdrnum(f->file.elf, &n);
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(f->file.elf, i, &ph) && ph.p_type == PT_LOAD &&
		    offset - ph.p_offset < ph.p_filesz) {
			*address = offset - ph.p_offset + ph.p_vaddr;
			return true;
		}
	return false;
}

uint32_t ct_unwind_files_open(struct ct_unwind_files *files, uint32_t key,
			      const struct ct_object *object, uint64_t offset, uint64_t address,
			      uint64_t *bias)
{
	size_t known = files->nr;
	struct file *f = CT_ELEMENT(&files->by_key, key, 0, files->list, &files->nr);
	uint64_t in_file;

	if (!f)
		return CT_MAP_NONE;
	if (files->nr > known) {
		f->file = ct_object_file(object->path, object);
		if (f->file.elf && !read_range(f))
			ct_object_file_close(&f->file);
	}
	if (!f->file.elf || !address_of(f, offset, &in_file))
		return CT_MAP_NONE;
	*bias = address - in_file;
	return f - files->list;
}

Dwfl_Module *ct_unwind_files_report(struct ct_unwind_files *files, uint32_t file, Dwfl *dwfl,
				    uint64_t bias)
{
	Dwfl_Module *module;
	const struct file *f;
	void **data;

	if (file == CT_MAP_NONE)
		return NULL;
	f = &files->list[file];
	if (f->low + bias >= f->high + bias)
		return NULL;
	module = dwfl_report_module(dwfl, "", f->low + bias, f->high + bias);
	if (!module)
		return NULL;
	dwfl_module_info(module, &data, NULL, NULL, NULL, NULL, NULL, NULL);
	/* The list of files moves, what they are does not. */
	*data = f->file.elf;
	return module;
}

int ct_unwind_files_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			char **file_name, Elf **elf)
{
	(void)module;
	(void)name;
	(void)base;
	*file_name = NULL;
	/* One more user of the same: libdwfl ends it. */
	*elf = elf_begin(-1, ELF_C_READ, *data);
	return -1;
}

int ct_unwind_files_no_debug(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			     const char *file_name, const char *link, GElf_Word crc,
			     char **debug_name)
{
	(void)module;
	(void)data;
	(void)name;
	(void)base;
	(void)file_name;
	(void)link;
	(void)crc;
	*debug_name = NULL;
	return -1;
}
