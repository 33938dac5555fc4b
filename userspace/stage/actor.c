// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scene.h"

static ct_act *const acts[] = {
	[CT_EXP_VERB_WRITE]		= ct_act_touch,
	[CT_EXP_VERB_READ]		= ct_act_touch,
	[CT_EXP_VERB_DRAIN]		= ct_act_drain,
	[CT_EXP_VERB_SETTLE]		= ct_act_settle,
	[CT_EXP_VERB_PAGEOUT]		= ct_act_pageout,
	[CT_EXP_VERB_MERGE]		= ct_act_merge,
	[CT_EXP_VERB_UNMERGE]		= ct_act_unmerge,
	[CT_EXP_VERB_HOLD]		= ct_act_hold,
	[CT_EXP_VERB_RELEASE]		= ct_act_release,
	[CT_EXP_VERB_PROTECT]		= ct_act_protect,
	[CT_EXP_VERB_SOFT_DIRTY]	= ct_act_soft_dirty,
	[CT_EXP_VERB_UFFD]		= ct_act_uffd,
	[CT_EXP_VERB_SPLIT]		= ct_act_split,
	[CT_EXP_VERB_PUNCH]		= ct_act_punch,
	[CT_EXP_VERB_DISCARD]		= ct_act_discard,
	[CT_EXP_VERB_UNMAP]		= ct_act_unmap,
	[CT_EXP_VERB_KERNEL_WRITE]	= ct_act_kernel_write,
	[CT_EXP_VERB_MEM_WRITE]		= ct_act_mem_write,
	[CT_EXP_VERB_PTRACE_WRITE]	= ct_act_ptrace_write,
	[CT_EXP_VERB_PIN_READ]		= ct_act_pin_read,
	[CT_EXP_VERB_POKE]		= ct_act_poke,
	[CT_EXP_VERB_KEEP]		= ct_act_keep,
	[CT_EXP_VERB_COLLAPSE]		= ct_act_collapse,
};

struct entry {
	struct ct_scene	*scene;
	int		actor;
};

static void *serve(void *arg)
{
	struct entry *e = arg;
	struct entry own = *e;

	free(e);
	ct_actor_serve(own.scene, own.actor);
}

static int do_fork(struct ct_scene *scene, int actor, struct ct_error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return ct_error_set(err, -errno, "fork: %s", strerror(errno));
	/* It may outlive its parent: the director is what it depends on. */
	if (!pid)
		ct_actor_serve(scene, actor);
	return 0;
}

static int do_thread(struct ct_scene *scene, int actor, struct ct_error *err)
{
	struct entry *e = malloc(sizeof(*e));
	pthread_t thread;

	if (e) {
		*e = (struct entry) { scene, actor };
		if (!pthread_create(&thread, NULL, serve, e))
			return 0;
	}
	free(e);
	return ct_error_set(err, -EAGAIN, "no further thread");
}

/* The @n-th of those that may be used. */
static int do_cpu(const cpu_set_t *cpus, unsigned int n, struct ct_error *err)
{
	cpu_set_t set;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE - 1 && (!CPU_ISSET(cpu, cpus) || n--); cpu++)
		;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ?
	       ct_error_set(err, -ENODEV, "CPU %d cannot be used: %s", cpu, strerror(errno)) : 0;
}

static int act(const struct ct_turn *turn, struct ct_error *err)
{
	const struct ct_exp_op *op = turn->op;

	switch (op->verb) {
	case CT_EXP_VERB_FORK:
		return do_fork(turn->scene, op->other, err);
	case CT_EXP_VERB_THREAD:
		return do_thread(turn->scene, op->other, err);
	case CT_EXP_VERB_CPU:
		return do_cpu(turn->scene->cpus, op->number, err);
	case CT_EXP_VERB_WAIT:
		usleep(op->number * 1000);
		return 0;
	default:
		if (op->area >= 0)
			ct_each(turn->scene, op, &turn->reply->part);
		return acts[op->verb](turn, err);
	}
}

/* The first process maps what all others inherit. */
static int map_areas(struct ct_scene *scene, struct ct_error *err)
{
	unsigned int i;

	for (i = 0; i < scene->e->nr_areas; i++) {
		scene->base[i] = ct_area_map(&scene->e->area[i], err);
		if (!scene->base[i])
			return err->code;
	}
	return 0;
}

static void answer(int fd, struct ct_reply *reply, const struct ct_error *err)
{
	if (reply->code)
		snprintf(reply->text, sizeof(reply->text), "%s", err->text);
	if (send(fd, reply, sizeof(*reply), MSG_NOSIGNAL) != sizeof(*reply))
		_exit(1);
}

void ct_actor_serve(struct ct_scene *scene, int actor)
{
	int fd = scene->socket[actor][1];
	struct ct_reply reply = { .code = 0 };
	struct ct_error err = { .code = 0 };
	struct ct_order order;

	scene->gate->pid[actor] = gettid();
	if (!actor)
		reply.code = map_areas(scene, &err);
	/* That it is there. */
	answer(fd, &reply, &err);
	while (recv(fd, &order, sizeof(order), 0) == sizeof(order)) {
		const struct ct_exp_op *op = &scene->e->op[order.op];

		memset(&reply, 0, sizeof(reply));
		if (op->verb != CT_EXP_VERB_EXIT)
			reply.code = act(&(struct ct_turn) { scene, op, order, &reply }, &err);
		answer(fd, &reply, &err);
		if (op->verb != CT_EXP_VERB_EXIT)
			continue;
		if (gettid() == getpid())
			_exit(0);
		pthread_exit(NULL);
	}
	_exit(0);
}
