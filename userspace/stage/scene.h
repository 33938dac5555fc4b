/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scene of one experiment: its actors and what they do. Each actor is a
 * process or a thread that waits on a socket for the number of an operation.
 */
#ifndef COWTRACE_SCENE_H
#define COWTRACE_SCENE_H

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "experiment.h"
#include "stage.h"

/**
 * struct ct_gate - what actors know of one another, in shared memory
 * @arrived: how many have come to a page in the step under way.
 * @pid: thread id of each actor.
 */
struct ct_gate {
	_Atomic unsigned int	arrived;
	_Atomic pid_t		pid[CT_EXP_ACTORS];
};

/**
 * struct ct_order - what the director says to an actor
 * @op: number of the operation.
 * @parties: how many do something at the same time; 1: no gate.
 */
struct ct_order {
	unsigned int	op;
	unsigned int	parties;
};

/**
 * struct ct_reply - what the actor answers
 * @code: 0 or a negative errno.
 * @part: what was touched.
 * @text: what is wrong.
 */
struct ct_reply {
	int			code;
	struct ct_stage_part	part;
	char			text[CT_STAGE_TEXT];
};

/**
 * struct ct_scene - what all actors of an experiment know
 * @e: the experiment.
 * @cpus: on which actors may run.
 * @gate: see there.
 * @socket: by actor: the director's end, the actor's end.
 * @slow_disk: device, empty when the experiment needs none.
 * @base: by area; the same in all processes that have not unmapped it.
 */
struct ct_scene {
	const struct ct_experiment *e;
	const cpu_set_t	*cpus;
	struct ct_gate	*gate;
	int		socket[CT_EXP_ACTORS][2];
	char		slow_disk[64];
	char		*base[CT_EXP_AREAS];
};

/* Bytes of an area. */
size_t ct_area_bytes(const struct ct_exp_area *area);

/**
 * ct_area_map() - map an area, and touch it so that it is what its kind says
 * @area: the area.
 * @err: what is wrong; -ENODEV when the host or the kernel has no such memory.
 * Return: its address, NULL on failure.
 */
char *ct_area_map(const struct ct_exp_area *area, struct ct_error *err);

/**
 * ct_actor_serve() - take orders until the end
 * @scene: the scene.
 * @actor: number of the actor.
 */
__attribute__((noreturn))
void ct_actor_serve(struct ct_scene *scene, int actor);

/**
 * struct ct_turn - one operation of one actor
 * @scene: the scene.
 * @op: what to do.
 * @order: of the director.
 * @reply: its @part is filled in where the operation has an area.
 */
struct ct_turn {
	struct ct_scene		*scene;
	const struct ct_exp_op	*op;
	struct ct_order		order;
	struct ct_reply		*reply;
};

/* The verbs, apart from those of processes. Return: 0 or a negative errno. */
typedef int ct_act(const struct ct_turn *turn, struct ct_error *err);

ct_act ct_act_touch, ct_act_drain, ct_act_settle, ct_act_pageout, ct_act_protect, ct_act_soft_dirty,
	ct_act_split, ct_act_punch, ct_act_discard, ct_act_unmap;
ct_act ct_act_merge, ct_act_unmerge;
ct_act ct_act_poke, ct_act_keep;
ct_act ct_act_collapse;
ct_act ct_act_hold, ct_act_release;
ct_act ct_act_uffd;
ct_act ct_act_kernel_write, ct_act_mem_write, ct_act_ptrace_write, ct_act_pin_read;

/* Set khugepaged up for an experiment that lets it scan. Return: 0 or a negative errno. */
int ct_khugepaged_set(const struct ct_exp_op *op, struct ct_error *err);

/* Of an entry of /proc/PID/pagemap: the page frame, present, in swap, soft-dirty. */
#define CT_PM_FRAME		((1ull << 55) - 1)
#define CT_PM_SOFT_DIRTY	(1ull << 55)
#define CT_PM_SWAP		(1ull << 62)
#define CT_PM_PRESENT		(1ull << 63)

/* Read the entries of @n pages of this process; 0 where that fails. */
void ct_pagemap(const char *at, uint64_t *entries, size_t n);

/**
 * ct_each() - where "each unit of AREA" stands
 * @scene: the scene.
 * @op: with an area.
 * @part: filled in.
 */
void ct_each(const struct ct_scene *scene, const struct ct_exp_op *op,
	     struct ct_stage_part *part);

#endif /* COWTRACE_SCENE_H */
