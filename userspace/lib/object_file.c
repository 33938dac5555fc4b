// SPDX-License-Identifier: GPL-2.0
#include "object_file.h"

#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "open_regular.h"

static unsigned int refused;
static char first_refused[128];

static int open_object(const char *path, const struct ct_object *object)
{
	int fd = ct_open_regular(path, object->device, object->inode);

	if (fd == -EACCES && !refused++)
		ct_clean_text(first_refused, sizeof(first_refused), path, strlen(path));
	return fd;
}

/* The build-id in a note segment or section. */
static bool note_is(Elf_Data *data, const struct ct_object *object)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0)
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp((char *)data->d_buf + name, "GNU", 4))
			return note.n_descsz == object->build_id_size &&
			       !memcmp((char *)data->d_buf + desc, object->build_id,
				       object->build_id_size);
	return false;
}

static bool has_build_id(Elf *elf, const struct ct_object *object)
{
	Elf_Scn *section = NULL;
	size_t i, n = 0;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_NOTE &&
		    note_is(elf_getdata_rawchunk(elf, ph.p_offset, ph.p_filesz,
						 ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
			    object))
			return true;
	}
	/* In a debug file the segments have lost their bytes. */
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr sh;

		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_NOTE &&
		    note_is(elf_getdata(section, NULL), object))
			return true;
	}
	return false;
}

struct ct_object_file ct_object_file(const char *path, const struct ct_object *object)
{
	struct ct_object_file file = { NULL, -1 };

	if (*path != '/' || (!object->build_id_size && !object->inode))
		return file;
	file.fd = open_object(path, object);
	if (file.fd < 0)
		return file;
	/* Not mapped: a file that is cut while it is read must not kill us. */
	file.elf = elf_begin(file.fd, ELF_C_READ, NULL);
	if (!file.elf || elf_kind(file.elf) != ELF_K_ELF ||
	    (object->build_id_size && !has_build_id(file.elf, object)))
		ct_object_file_close(&file);
	return file;
}

unsigned int ct_object_files_refused(const char **first)
{
	*first = first_refused;
	return refused;
}

void ct_object_file_close(struct ct_object_file *file)
{
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct ct_object_file){ NULL, -1 };
}
