// SPDX-License-Identifier: GPL-2.0
#include "object_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bytes.h"

static unsigned int refused;
static char first_refused[128];

/* The path comes from the trace: it may name a FIFO, a terminal, a device. */
static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == EACCES && !refused++)
		ct_clean_text(first_refused, sizeof(first_refused), path, strlen(path));
	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
	}
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

static bool is_object(Elf *elf, const struct stat *st, const struct ct_object *object)
{
	if (object->build_id_size)
		return has_build_id(elf, object);
	return object->inode && st->st_ino == object->inode &&
	       ((uint64_t)major(st->st_dev) << 32 | minor(st->st_dev)) == object->device;
}

struct ct_object_file ct_object_file(const char *path, const struct ct_object *object)
{
	struct ct_object_file file = { NULL, -1 };
	struct stat st;

	if (*path != '/')
		return file;
	file.fd = open_regular(path, &st);
	if (file.fd < 0)
		return file;
	/* Not mapped: a file that is cut while it is read must not kill us. */
	file.elf = elf_begin(file.fd, ELF_C_READ, NULL);
	if (!file.elf || elf_kind(file.elf) != ELF_K_ELF || !is_object(file.elf, &st, object))
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
