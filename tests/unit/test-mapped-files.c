// SPDX-License-Identifier: GPL-2.0
/*
 * Files that processes had mapped: anybody may have made them, and may have named them.
 * What is opened here is a terminal: its other side knows for ever that it was.
 */
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

int main(void)
{
	check_terminal();
	check_identity();
	return tap_end();
}
