// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "open_regular.h"
#include "sideband_build_id.h"

#define BUCKETS	1024
/* Anybody may have made the file: it is not read any further, whatever it says of itself. */
#define SEGMENTS_MAX	128
#define NOTES_MAX	(16u << 10)

/* Begins a file of either class. */
union header {
	unsigned char	ident[EI_NIDENT];
	Elf64_Ehdr	wide;
	Elf32_Ehdr	narrow;
};

/* One file that was looked at; size 0 when it has no build-id. */
struct known {
	struct known	*next;
	uint32_t	maj, min;
	uint64_t	ino, generation;
	uint8_t		size;
	uint8_t		id[CT_BUILD_ID_MAX];
};

struct ct_build_ids {
	struct known *buckets[BUCKETS];
};

struct ct_build_ids *ct_build_ids_new(void)
{
	return calloc(1, sizeof(struct ct_build_ids));
}

void ct_build_ids_free(struct ct_build_ids *ids)
{
	struct known *k, *next;

	for (size_t i = 0; ids && i < BUCKETS; i++)
		for (k = ids->buckets[i]; k; k = next) {
			next = k->next;
			free(k);
		}
	free(ids);
}

/* The build-id of notes whose parts are padded to @align. */
static uint8_t id_of_notes(const char *notes, uint64_t size, uint64_t align,
			   uint8_t id[CT_BUILD_ID_MAX])
{
	uint64_t at, name, desc, end;
	Elf64_Nhdr note;

	for (at = 0; at + sizeof(note) <= size; at = (end + align - 1) & -align) {
		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		desc = (name + note.n_namesz + align - 1) & -align;
		end = desc + note.n_descsz;
		if (end > size)
			return 0;
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof(ELF_NOTE_GNU) ||
		    memcmp(notes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			continue;
		if (note.n_descsz > CT_BUILD_ID_MAX)
			return 0;
		memcpy(id, notes + desc, note.n_descsz);
		return note.n_descsz;
	}
	return 0;
}

static uint8_t id_of_segment(int fd, const Elf64_Phdr *ph, uint8_t id[CT_BUILD_ID_MAX])
{
	char notes[NOTES_MAX];
	size_t size = ph->p_filesz < sizeof(notes) ? ph->p_filesz : sizeof(notes);
	ssize_t n = pread(fd, notes, size, ph->p_offset);

	return n > 0 ? id_of_notes(notes, n, ph->p_align == 8 ? 8 : 4, id) : 0;
}

static bool read_at(int fd, uint64_t at, void *to, size_t size)
{
	return pread(fd, to, size, at) == (ssize_t)size;
}

/* What is needed of segment @i; false behind the last. */
static bool read_segment(int fd, const union header *h, unsigned int i, Elf64_Phdr *ph)
{
	Elf32_Phdr narrow;

	if (h->ident[EI_CLASS] == ELFCLASS64)
		return i < h->wide.e_phnum &&
		       read_at(fd, h->wide.e_phoff + i * sizeof(*ph), ph, sizeof(*ph));
	if (i >= h->narrow.e_phnum ||
	    !read_at(fd, h->narrow.e_phoff + i * sizeof(narrow), &narrow, sizeof(narrow)))
		return false;
	ph->p_type = narrow.p_type;
	ph->p_offset = narrow.p_offset;
	ph->p_filesz = narrow.p_filesz;
	ph->p_align = narrow.p_align;
	return true;
}

/*
 * Returns the length of the build-id, 0 when the file has none. Not by libelf, which
 * takes as much time and memory as the file says that it is worth.
 */
static uint8_t id_of_file(int fd, uint8_t id[CT_BUILD_ID_MAX])
{
	union header h;
	uint8_t size = 0;
	Elf64_Phdr ph;

	if (!read_at(fd, 0, &h, sizeof(h)) || memcmp(h.ident, ELFMAG, SELFMAG))
		return 0;
	for (unsigned int i = 0; i < SEGMENTS_MAX && !size && read_segment(fd, &h, i, &ph); i++)
		if (ph.p_type == PT_NOTE)
			size = id_of_segment(fd, &ph, id);
	return size;
}

/*
 * The mapped file itself while the process lives: also right for deleted files
 * and in other mount namespaces, and not asked for its number, which file systems
 * such as overlayfs and btrfs tell otherwise than the mapping does. After that the
 * path has to do, if it still leads to the same file.
 */
static int open_mapped(const struct ct_mmap2 *m)
{
	uint64_t end = m->addr + m->len;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", m->pid,
		 (unsigned long long)m->addr, (unsigned long long)end);
	fd = ct_open_regular(path, 0, 0);
	if (fd >= 0)
		return fd;
	return ct_open_regular(m->filename, (uint64_t)m->maj << 32 | m->min, m->ino);
}

/* A file that cannot be opened now is not remembered: the next process may reach it. */
static struct known *look_at(const struct ct_mmap2 *m)
{
	struct known *k;
	int fd;

	fd = open_mapped(m);
	if (fd < 0)
		return NULL;
	k = calloc(1, sizeof(*k));
	if (k) {
		k->maj = m->maj;
		k->min = m->min;
		k->ino = m->ino;
		k->generation = m->ino_generation;
		k->size = id_of_file(fd, k->id);
	}
	close(fd);
	return k;
}

static struct known *find(struct ct_build_ids *ids, const struct ct_mmap2 *m)
{
	struct known **bucket = &ids->buckets[(m->ino ^ m->min) % BUCKETS];
	struct known *k;

	for (k = *bucket; k; k = k->next)
		if (k->ino == m->ino && k->maj == m->maj && k->min == m->min &&
		    k->generation == m->ino_generation)
			return k;
	k = look_at(m);
	if (k) {
		k->next = *bucket;
		*bucket = k;
	}
	return k;
}

void ct_build_ids_apply(struct ct_build_ids *ids, struct ct_mmap2 *m)
{
	struct known *k;

	if (m->filename[0] != '/' || !m->ino)
		return;
	k = find(ids, m);
	if (!k || !k->size)
		return;
	m->header.misc |= PERF_RECORD_MISC_MMAP_BUILD_ID;
	m->reserved_1 = 0;
	m->reserved_2 = 0;
	m->build_id_size = k->size;
	memset(m->build_id, 0, sizeof(m->build_id));
	memcpy(m->build_id, k->id, k->size);
}
