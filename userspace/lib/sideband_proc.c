// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sideband_proc.h"

/* Records are handed on in pieces of this size; one record is far shorter. */
#define BATCH	(64u << 10)
/* PATH_MAX and what /proc/PID/maps appends (" (deleted)"). */
#define NAME_MAX_BYTES	(4096 + 16)
#define COMM_BYTES	16

struct batch {
	ct_sideband_sink *sink;
	void		*arg;
	struct ct_build_ids *ids;
	uint64_t	time_ns;
	size_t		used;
	int		error;
	char		data[BATCH] __attribute__((aligned(8)));
};

struct comm_record {
	struct perf_event_header header;
	uint32_t	pid;
	uint32_t	tid;
	char		comm[COMM_BYTES];
};

static void flush(struct batch *b)
{
	if (b->used && !b->error)
		b->error = b->sink(b->arg, UINT32_MAX, b->data, b->used);
	b->used = 0;
}

/* Puts a record and its trailer into the batch and returns where it stands. */
static void *append(struct batch *b, const void *record, size_t size, uint32_t pid, uint32_t tid)
{
	struct ct_sideband_id id = { .pid = pid, .tid = tid, .time = b->time_ns };
	size_t padded = (size + 7) & ~(size_t)7;
	struct perf_event_header *at;

	if (b->used + padded + sizeof(id) > BATCH)
		flush(b);
	at = (struct perf_event_header *)(b->data + b->used);
	memcpy(at, record, size);
	memset((char *)at + size, 0, padded - size);
	memcpy((char *)at + padded, &id, sizeof(id));
	at->size = padded + sizeof(id);
	b->used += at->size;
	return at;
}

static void thread(struct batch *b, pid_t pid, pid_t tid)
{
	struct comm_record r = {
		.header = { .type = PERF_RECORD_COMM, .misc = PERF_RECORD_MISC_USER },
		.pid = pid,
		.tid = tid,
	};
	char path[64], comm[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(comm, sizeof(comm), f)) {
		comm[strcspn(comm, "\n")] = '\0';
		/* Names of kernel threads can be longer there than task->comm is. */
		memcpy(r.comm, comm, strnlen(comm, COMM_BYTES - 1));
		append(b, &r, sizeof(r), pid, tid);
	}
	fclose(f);
}

static void threads(struct batch *b, pid_t pid)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			thread(b, pid, atoi(d->d_name));
	if (dir)
		closedir(dir);
}

static void mapping(struct batch *b, pid_t pid, const char *line)
{
	struct {
		struct ct_mmap2	m;
		char		name[NAME_MAX_BYTES];
	} r = {
		.m = {
			.header = { .type = PERF_RECORD_MMAP2, .misc = PERF_RECORD_MISC_USER },
			.pid = pid,
			.tid = pid,
		},
	};
	unsigned long long start, end, offset, inode;
	char perms[5];
	int name = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, perms, &offset,
		   &r.m.maj, &r.m.min, &inode, &name) != 7 || !name || perms[2] != 'x')
		return;
	r.m.addr = start;
	r.m.len = end - start;
	r.m.pgoff = offset;
	r.m.ino = inode;
	r.m.prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) |
		   PROT_EXEC;
	r.m.flags = perms[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	/* The name that perf gives to mappings without one. */
	snprintf(r.name, sizeof(r.name), "%s", line[name] ? line + name : "//anon");
	ct_build_ids_apply(b->ids, append(b, &r, sizeof(r.m) + strlen(r.name) + 1, pid, pid));
}

static void mappings(struct batch *b, pid_t pid)
{
	char path[64], *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while ((n = getline(&line, &size, f)) > 0) {
		line[n - 1] = '\0';
		mapping(b, pid, line);
	}
	free(line);
	fclose(f);
}

static void process(struct batch *b, pid_t pid)
{
	threads(b, pid);
	mappings(b, pid);
}

static int all_processes(struct batch *b)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	if (!dir)
		return -errno;
	while (!b->error && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			process(b, atoi(d->d_name));
	closedir(dir);
	return 0;
}

int ct_sideband_proc(struct ct_build_ids *ids, uint64_t time_ns, const pid_t *pids, size_t n,
		     ct_sideband_sink *sink, void *arg)
{
	struct batch *b = malloc(sizeof(*b));
	int ret = 0;

	if (!b)
		return -ENOMEM;
	b->sink = sink;
	b->arg = arg;
	b->ids = ids;
	b->time_ns = time_ns;
	b->used = 0;
	b->error = 0;
	if (!pids)
		ret = all_processes(b);
	for (size_t i = 0; pids && i < n && !b->error; i++)
		process(b, pids[i]);
	flush(b);
	if (b->error)
		ret = b->error;
	free(b);
	return ret;
}
