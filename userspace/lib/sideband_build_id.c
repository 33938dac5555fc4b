// SPDX-License-Identifier: GPL-2.0
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "open_regular.h"
#include "sideband_build_id.h"

#define BUCKETS	1024

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
	elf_version(EV_CURRENT);
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

static uint8_t id_of_notes(Elf_Data *data, uint8_t id[CT_BUILD_ID_MAX])
{
	size_t offset = 0, name, desc;
	GElf_Nhdr note;

	while (data && (offset = gelf_getnote(data, offset, &note, &name, &desc))) {
		const char *owner = (const char *)data->d_buf + name;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof(ELF_NOTE_GNU) ||
		    memcmp(owner, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			continue;
		if (!note.n_descsz || note.n_descsz > CT_BUILD_ID_MAX)
			return 0;
		memcpy(id, (const char *)data->d_buf + desc, note.n_descsz);
		return note.n_descsz;
	}
	return 0;
}

/* Returns the length of the build-id, 0 when the file has none. */
static uint8_t id_of_file(int fd, uint8_t id[CT_BUILD_ID_MAX])
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	uint8_t size = 0;
	GElf_Phdr ph;
	size_t n;

	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &n))
		n = 0;
	for (size_t i = 0; i < n && !size; i++)
		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_NOTE)
			size = id_of_notes(elf_getdata_rawchunk(elf, ph.p_offset, ph.p_filesz,
								ph.p_align == 8 ? ELF_T_NHDR8 :
								ELF_T_NHDR), id);
	elf_end(elf);
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
