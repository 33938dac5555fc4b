/* SPDX-License-Identifier: GPL-2.0 */
/* Build-ids of mapped files. */
#ifndef COWTRACE_SIDEBAND_BUILD_ID_H
#define COWTRACE_SIDEBAND_BUILD_ID_H

#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/types.h>

/* Longest build-id of a perf record: a SHA-1. */
#define CT_BUILD_ID_MAX	20

/**
 * struct ct_mmap2 - PERF_RECORD_MMAP2, as linux/perf_event.h describes it
 * @header: misc has PERF_RECORD_MISC_MMAP_BUILD_ID when the union is a build-id.
 * @pid: process.
 * @tid: thread.
 * @addr: start of the mapping.
 * @len: bytes of it.
 * @pgoff: offset in the file in bytes.
 * @maj: device of the file.
 * @min: device of the file.
 * @ino: inode.
 * @ino_generation: generation of the inode.
 * @build_id_size: bytes of @build_id in use.
 * @build_id: the build-id.
 * @prot: PROT_*.
 * @flags: MAP_*.
 * @filename: with its NUL and padding to 8 bytes.
 */
struct ct_mmap2 {
	struct perf_event_header header;
	uint32_t	pid;
	uint32_t	tid;
	uint64_t	addr;
	uint64_t	len;
	uint64_t	pgoff;
	union {
		struct {
			uint32_t	maj;
			uint32_t	min;
			uint64_t	ino;
			uint64_t	ino_generation;
		};
		struct {
			uint8_t		build_id_size;
			uint8_t		reserved_1;
			uint16_t	reserved_2;
			uint8_t		build_id[CT_BUILD_ID_MAX];
		};
	};
	uint32_t	prot;
	uint32_t	flags;
	char		filename[];
};

struct ct_build_ids;

/**
 * ct_build_ids_new() - an empty memory of build-ids that were read
 * Return: it, or NULL without memory.
 */
struct ct_build_ids *ct_build_ids_new(void);

void ct_build_ids_free(struct ct_build_ids *ids);

/**
 * ct_build_ids_apply() - replace the inode of a record by the file's build-id
 * @ids: files that are known.
 * @m: a record without build-id; stays as it is when none can be read.
 */
void ct_build_ids_apply(struct ct_build_ids *ids, struct ct_mmap2 *m);

#endif /* COWTRACE_SIDEBAND_BUILD_ID_H */
