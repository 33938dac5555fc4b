// SPDX-License-Identifier: GPL-2.0
/*
 * Files that processes had mapped: anybody may have made them, and may have named them.
 * What is opened here is a terminal: its other side knows for ever that it was.
 */
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "generate.h"
#include "object_file.h"
#include "sideband_build_id.h"
#include "tap.h"

struct terminal {
	char	path[64];
	int	other_side;
};

/* A mapping of @path by a process that is no more. */
struct mapped {
	struct ct_mmap2	m;
	char		path[256];
};

static struct mapped mapping_of(const char *path)
{
	struct mapped r = { .m = { .addr = 0x400000, .len = 0x1000 } };
	struct stat st;

	if (stat(path, &st))
		abort();
	r.m.maj = major(st.st_dev);
	r.m.min = minor(st.st_dev);
	r.m.ino = st.st_ino;
	snprintf(r.path, sizeof(r.path), "%s", path);
	return r;
}

/* Bytes of the build-id that is found. */
static unsigned int id_size(struct mapped r)
{
	struct ct_build_ids *ids = ct_build_ids_new();

	ct_build_ids_apply(ids, &r.m);
	ct_build_ids_free(ids);
	return r.m.header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID ? r.m.build_id_size : 0;
}

/* --- what is opened ------------------------------------------------------------------ */

static bool new_terminal(struct terminal *t)
{
	t->other_side = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	return t->other_side >= 0 && !grantpt(t->other_side) && !unlockpt(t->other_side) &&
	       !ptsname_r(t->other_side, t->path, sizeof(t->path)) && !access(t->path, R_OK);
}

/* Whether somebody has, and has closed it again. */
static bool was_opened(const struct terminal *t)
{
	struct pollfd other_side = { .fd = t->other_side, .events = POLLIN };

	return poll(&other_side, 1, 0) && other_side.revents & POLLHUP;
}

static void open_and_close(const struct terminal *t)
{
	close(open(t->path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
}

static void read_as_object(const struct terminal *t)
{
	struct mapped r = mapping_of(t->path);
	struct ct_object object = {
		.path = t->path, .inode = r.m.ino, .device = (uint64_t)r.m.maj << 32 | r.m.min,
	};
	struct ct_object_file file = ct_object_file(t->path, &object);

	ct_object_file_close(&file);
	object = (struct ct_object){ .path = t->path, .build_id_size = CT_BUILD_ID_MAX };
	file = ct_object_file(t->path, &object);
	ct_object_file_close(&file);
}

static void check_terminal(void)
{
	struct terminal t;

	if (!new_terminal(&t)) {
		printf("ok %d - # SKIP no terminals here\n", ++tap_count);
		return;
	}
	id_size(mapping_of(t.path));
	ok(!was_opened(&t), "a mapped file's path that leads to a terminal now is never opened");
	read_as_object(&t);
	ok(!was_opened(&t), "nor is it when a trace is read");
	open_and_close(&t);
	ok(was_opened(&t), "who opens it is noticed");
	close(t.other_side);
}

static void check_identity(void)
{
	struct mapped own = mapping_of("/proc/self/exe"), other = own;

	ok(id_size(own) == CT_BUILD_ID_MAX, "the build-id of a file that is still there is found");
	other.m.ino++;
	ok(!id_size(other), "not that of another inode");
	other = own;
	other.m.min++;
	ok(!id_size(other), "nor that of the same inode on another device");
}

/* --- what is read -------------------------------------------------------------------- */

#define SEGMENTS	1000
/* Of each segment; and what is enough of all. */
#define LARGE		(256u << 10)
#define ENOUGH		(4u << 20)

/* Another note, of a length that is padded, and the build-id. */
struct notes {
	Elf64_Nhdr	other;
	char		other_text[12];
	Elf64_Nhdr	note;
	char		owner[4];
	uint8_t		id[CT_BUILD_ID_MAX];
};

static const struct notes notes = {
	.other = { 4, 5, 7 },
	.other_text = "abc\0defg",
	.note = { sizeof(notes.owner), sizeof(notes.id), NT_GNU_BUILD_ID },
	.owner = ELF_NOTE_GNU,
	.id = { 1, 2, 3 },
};

struct wide {
	Elf64_Ehdr	header;
	Elf64_Phdr	ph;
	struct notes	notes;
};

struct narrow {
	Elf32_Ehdr	header;
	Elf32_Phdr	ph;
	struct notes	notes;
};

static struct wide wide(void)
{
	return (struct wide){
		{ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		  .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		  .e_phoff = offsetof(struct wide, ph), .e_ehsize = sizeof(Elf64_Ehdr),
		  .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 },
		{ .p_type = PT_NOTE, .p_offset = offsetof(struct wide, notes),
		  .p_filesz = sizeof(notes), .p_align = 4 },
		notes,
	};
}

static struct narrow narrow(void)
{
	return (struct narrow){
		{ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
		  .e_type = ET_DYN, .e_machine = EM_386, .e_version = EV_CURRENT,
		  .e_phoff = offsetof(struct narrow, ph), .e_ehsize = sizeof(Elf32_Ehdr),
		  .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1 },
		{ .p_type = PT_NOTE, .p_offset = offsetof(struct narrow, notes),
		  .p_filesz = sizeof(notes), .p_align = 4 },
		notes,
	};
}

static unsigned int id_size_of(const char *path, const void *data, size_t size)
{
	write_file(path, data, size);
	return id_size(mapping_of(path));
}

static void check_classes(const char *path)
{
	struct narrow n = narrow();
	struct wide w = wide();
	size_t cut, wrong = 0;

	ok(id_size_of(path, &w, sizeof(w)) == sizeof(w.notes.id),
	   "a build-id that is not the first note is found");
	ok(id_size_of(path, &n, sizeof(n)) == sizeof(n.notes.id), "and that of a 32-bit program");
	for (cut = 0; cut < offsetof(struct wide, notes) + sizeof(notes); cut++)
		wrong += !!id_size_of(path, &w, cut);
	ok(!wrong, "a file that is cut anywhere has none");
	w.notes.note.n_descsz = CT_BUILD_ID_MAX + 1;
	w.ph.p_filesz += 4;
	ok(!id_size_of(path, &w, sizeof(w)), "one that is too long is none");
}

/* Bytes that this process has read; UINT64_MAX where the kernel does not count them. */
static uint64_t bytes_read(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	unsigned long long n;

	if (!f || fscanf(f, "rchar: %llu", &n) != 1)
		n = UINT64_MAX;
	if (f)
		fclose(f);
	return n;
}

/* What is not written of a file takes no room: anybody can have one of any size. */
static void check_large(const char *path)
{
	static struct {
		Elf64_Ehdr	header;
		Elf64_Phdr	ph[SEGMENTS];
	} made;
	uint64_t before = bytes_read();
	struct wide w = wide();

	if (before == UINT64_MAX) {
		printf("ok %d - # SKIP this kernel does not count what is read\n", ++tap_count);
		return;
	}
	made.header = w.header;
	made.header.e_phnum = SEGMENTS;
	for (int i = 0; i < SEGMENTS; i++) {
		made.ph[i] = w.ph;
		made.ph[i].p_offset = sizeof(made) + i * sizeof(notes);
		made.ph[i].p_filesz = LARGE;
	}
	write_file(path, &made, sizeof(made));
	if (truncate(path, sizeof(made) + SEGMENTS * sizeof(notes) + LARGE))
		abort();
	before = bytes_read();
	id_size(mapping_of(path));
	before = bytes_read() - before;
	ok(before < ENOUGH, "whatever a file says of its size, little of it is read");
	note("%llu bytes", (unsigned long long)before);
}

int main(void)
{
	char *path = temporary_file();

	check_terminal();
	check_identity();
	check_classes(path);
	check_large(path);
	unlink(path);
	free(path);
	return tap_end();
}
