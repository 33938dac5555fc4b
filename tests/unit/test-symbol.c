// SPDX-License-Identifier: GPL-2.0
/* Symbols of this very program, and of files that are not what they seem. */
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "symbol.h"
#include "tap.h"

struct self {
	struct ct_object object;
	uint64_t	offset;
};

/* A function that stands in the symbol table. */
__attribute__((noinline)) void landmark(void)
{
	__asm__ volatile("nop; nop; nop");
}

static int find_self(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct self *self = arg;
	uint64_t address = (uint64_t)landmark - info->dlpi_addr;
	int i, k;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		const char *note = (const char *)info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && address - ph->p_vaddr < ph->p_memsz)
			self->offset = address - ph->p_vaddr + ph->p_offset;
		/* The first notes: sizes, type 3, "GNU", the build-id. */
		for (k = 0; ph->p_type == PT_NOTE && k + 36 <= (int)ph->p_memsz; k += 4) {
			if (memcmp(note + k, "\4\0\0\0\24\0\0\0\3\0\0\0GNU", 16))
				continue;
			memcpy(self->object.build_id, note + k + 16, 20);
			self->object.build_id_size = 20;
		}
	}
	/* The program itself comes first. */
	return 1;
}

int main(void)
{
	struct ct_symbols *symbols = ct_symbols_new();
	struct self self = { .object = { .path = "/proc/self/exe" } };
	struct ct_object other;
	const char *name;
	uint64_t past = 0;
	struct stat st;

	dl_iterate_phdr(find_self, &self);
	if (!ok(self.object.build_id_size == 20, "this program has a build-id"))
		return tap_end();
	name = ct_symbols_find(symbols, 0, &self.object, self.offset + 2, &past);
	ok(name && !strcmp(name, "landmark") && past == 2, "a place in a function has its name");

	other = self.object;
	other.build_id[0] ^= 1;
	ok(!ct_symbols_find(symbols, 1, &other, self.offset, &past),
	   "a file with another build-id is not asked");

	stat("/proc/self/exe", &st);
	other = (struct ct_object){ .path = "/proc/self/exe", .inode = st.st_ino,
				    .device = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev) };
	ok(ct_symbols_find(symbols, 2, &other, self.offset, &past),
	   "without a build-id the same inode is the same file");
	other.inode++;
	ok(!ct_symbols_find(symbols, 3, &other, self.offset, &past),
	   "without a build-id another inode is another file");
	other.inode = 0;
	ok(!ct_symbols_find(symbols, 4, &other, self.offset, &past),
	   "a file of which only the path is known is not asked");
	other.path = "/dev/zero";
	ok(!ct_symbols_find(symbols, 5, &other, 0, &past), "a device is not read");
	other.path = "[vdso]";
	ok(!ct_symbols_find(symbols, 6, &other, 0, &past), "a name in brackets is no file");
	ok(!ct_symbols_find(symbols, 0, &self.object, UINT64_MAX, &past),
	   "a place outside all segments has no name");
	ct_symbols_free(symbols);
	return tap_end();
}
