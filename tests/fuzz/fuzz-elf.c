// SPDX-License-Identifier: GPL-2.0
/*
 * Files that were mapped: build-id, symbols and unwind information of an ELF file that
 * anybody may have made. The input is struct head, up to STACK bytes of a user stack, and
 * the file.
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fuzz.h"
#include "generate.h"
#include "map.h"
#include "object_file.h"
#include "sideband_build_id.h"
#include "symbol.h"
#include "unwind.h"

#define BASE	0x400000ull
#define LENGTH	0x100000ull
#define TGID	77
#define STACK	512

/* libelf leaks string tables of files that are not whole (seen with elfutils 0.192). */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf.so\n";
}

/* By device and inode the file is always the traced one; by build-id it has to be asked. */
static struct ct_object object = { .build_id_size = CT_BUILD_ID_MAX };
static struct ct_processes *processes;

struct mmap2 {
	struct {
		uint32_t	type;
		uint16_t	misc, size;
	} header;
	uint32_t	pid, tid;
	uint64_t	addr, len, pgoff;
	uint32_t	maj, min;
	uint64_t	ino, generation;
	uint32_t	prot, flags;
	char		path[40];
	uint64_t	id[3];
};

static void make_table(const char *path)
{
	struct mmap2 m = {
		{ 10, 0, sizeof(m) }, TGID, TGID, BASE, LENGTH, 0, 0, 0, 0, 0, 5, 2, "",
		{ TGID | (uint64_t)TGID << 32, 1, 0 },
	};
	struct bytes sideband = { 0 };
	char *trace = temporary_file();
	struct stat st;

	if (stat(path, &st))
		abort();
	m.maj = major(st.st_dev);
	m.min = minor(st.st_dev);
	m.ino = st.st_ino;
	snprintf(m.path, sizeof(m.path), "%s", path);
	add_comm(&sideband, 1, TGID, "elf", 1);
	append_bytes(&sideband, &m, sizeof(m));
	processes = make_processes(trace, sideband);
	unlink(trace);
	free(trace);
}

/* The recorder does it as root: what it finds has to stand in the file. */
static void find_build_id(const char *path, const uint8_t *file, size_t size)
{
	struct ct_build_ids *ids = ct_build_ids_new();
	struct {
		struct ct_mmap2	m;
		char		path[40];
	} r = { 0 };
	struct stat st;

	MUST(ids && !stat(path, &st));
	r.m.maj = major(st.st_dev);
	r.m.min = minor(st.st_dev);
	r.m.ino = st.st_ino;
	snprintf(r.path, sizeof(r.path), "%s", path);
	ct_build_ids_apply(ids, &r.m);
	MUST(!r.m.header.misc || (r.m.build_id_size && r.m.build_id_size <= CT_BUILD_ID_MAX &&
				  memmem(file, size, r.m.build_id, r.m.build_id_size)));
	ct_build_ids_free(ids);
}

static void find_symbols(const struct ct_object *of, uint64_t place)
{
	struct ct_symbols *symbols = ct_symbols_new();
	uint64_t past, offset;

	MUST(symbols);
	for (offset = 0; offset < 8; offset++)
		ct_symbols_find(symbols, 1, of, place + offset * 0x40, &past);
	ct_symbols_free(symbols);
}

static void unwind(struct ct_stack *stack, const uint8_t *copy)
{
	struct ct_unwinder *unwinder = ct_unwinder_new(processes);
	uint32_t frames[CT_FRAMES_MAX];
	enum ct_unwound how;
	size_t nr, i;

	MUST(unwinder && !ct_unwind(unwinder, stack, copy, frames, &nr, &how));
	MUST(nr <= CT_FRAMES_MAX && how < CT_NR_UNWOUND);
	for (i = 0; i < nr; i++)
		MUST(*ct_unwinder_frame(unwinder, frames[i])->name);
	ct_unwinder_free(unwinder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_stack stack = {
		.abi = 2, .pid = TGID, .tgid = TGID, .time_ns = 1000, .asked = STACK,
	};
	uint32_t place, copied;
	uint8_t copy[STACK];

	if (size < 16)
		return 0;
	memcpy(&place, data, 4);
	memcpy(&copied, data + 4, 4);
	/* The stack pointer, and where it ran. */
	stack.regs[7] = 0x7fff00000000ull;
	stack.regs[6] = stack.regs[7] + data[8];
	stack.regs[16] = BASE + place % LENGTH;
	data += 16;
	size -= 16;
	stack.copied = copied % (STACK + 1) & ~7u;
	if (stack.copied > size)
		stack.copied = 0;
	stack.size = sizeof(stack) + stack.copied;
	memcpy(copy, data, stack.copied);
	object.path = fuzz_file(data + stack.copied, size - stack.copied);
	if (!processes)
		make_table(object.path);
	find_build_id(object.path, data + stack.copied, size - stack.copied);
	find_symbols(&object, place % LENGTH);
	find_symbols(ct_processes_object(processes, 0), place % LENGTH);
	unwind(&stack, copy);
	return 0;
}
