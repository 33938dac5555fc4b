// SPDX-License-Identifier: GPL-2.0
/* Accesses that are not made by the process's own code to its own memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

int ct_act_kernel_write(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_stage_part *part = &t->reply->part;
	int fds[2], code = 0;
	unsigned int i;

	if (pipe2(fds, O_CLOEXEC))
		return ct_error_set(err, -errno, "pipe: %s", strerror(errno));
	for (i = 0; !code && i < part->count; i++)
		if (write(fds[1], "k", 1) != 1 ||
		    read(fds[0], t->scene->base[t->op->area] + i * part->grain, 1) != 1)
			code = ct_error_set(err, -errno, "read: %s", strerror(errno));
	close(fds[0]);
	close(fds[1]);
	return code;
}

int ct_act_mem_write(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_stage_part *part = &t->reply->part;
	char path[64];
	unsigned int i;
	int fd, code = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", t->scene->gate->pid[t->op->other]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return ct_error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	for (i = 0; !code && i < part->count; i++)
		if (pwrite(fd, "m", 1, part->base + i * part->grain) != 1)
			code = ct_error_set(err, -errno, "cannot write to %s: %s", path,
					    strerror(errno));
	close(fd);
	return code;
}

int ct_act_ptrace_write(const struct ct_turn *t, struct ct_error *err)
{
	const struct ct_stage_part *part = &t->reply->part;
	pid_t pid = t->scene->gate->pid[t->op->other];
	int status, code = 0;
	unsigned int i;

	if (ptrace(PTRACE_ATTACH, pid, 0, 0) || waitpid(pid, &status, __WALL) != pid)
		return ct_error_set(err, -ENODEV,
				    "cannot trace %s: %s: sysctl kernel.yama.ptrace_scope=0",
				    t->scene->e->actor[t->op->other], strerror(errno));
	for (i = 0; !code && i < part->count; i++)
		if (ptrace(PTRACE_POKEDATA, pid, part->base + i * part->grain, 5l))
			code = ct_error_set(err, -errno, "PTRACE_POKEDATA: %s", strerror(errno));
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return code;
}

int ct_act_pin_read(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = t->reply->part.bytes;
	struct iovec there = { t->scene->base[t->op->area], bytes };
	struct iovec here = { malloc(bytes), bytes };
	int code = 0;

	if (!here.iov_base)
		return ct_error_set(err, -ENOMEM, "no memory");
	if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != (ssize_t)bytes)
		code = ct_error_set(err, -errno, "process_vm_readv: %s", strerror(errno));
	free(here.iov_base);
	return code;
}
