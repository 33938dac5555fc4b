/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an experiment changes on the machine. Each change is written to a
 * journal before it is made, so that a later start can undo what a killed one
 * has left.
 */
#ifndef COWTRACE_HOST_H
#define COWTRACE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"
#include "experiment.h"

/* Where changes stand until they are undone. */
#define CT_HOST_JOURNAL	"/run/cowtrace-experiment.undo"

/**
 * ct_host_recover() - undo what an earlier run has left
 * @tell: receives one line when there was something, else an empty string.
 * @size: bytes of @tell.
 * @err: what is wrong; also when another run is still at work. What could not be
 *	undone stays in the journal.
 * Return: 0 or a negative errno.
 */
int ct_host_recover(char *tell, size_t size, struct ct_error *err);

/* One action in the journal, with its end. */
#define CT_HOST_ACTION	512

/**
 * ct_host_begin() - open the journal
 * @recovery: what a later start has to do first if this run is killed: actions
 *	one line each, see ct_host_note().
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_host_begin(const char *recovery, struct ct_error *err);

/**
 * ct_host_set() - write a setting, to be put back by ct_host_undo_to()
 * @path: file of one value.
 * @value: what to write.
 * @err: what is wrong.
 * Return: 0 or a negative errno, -ENOENT when there is no such file.
 */
int ct_host_set(const char *path, const char *value, struct ct_error *err);

/**
 * ct_host_note() - write into the journal how to undo a change to come
 * @action: "swapoff DEVICE", "write PATH VALUE", "rmdir PATH", "umount PATH",
 *	"rmmod NAME", or "tracing DIR NAME VALUE": a setting of the module, as far
 *	as it takes it, unless somebody has claimed the module since.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
__attribute__((format(printf, 2, 3)))
int ct_host_note(struct ct_error *err, const char *action, ...);

/**
 * ct_host_module() - have a module of the kernel
 * @name: of the module.
 * @parameter: for modprobe, or NULL.
 * @there: a path that exists when it is there.
 * @err: names the command that failed.
 * Return: 0 or a negative errno.
 */
int ct_host_module(const char *name, const char *parameter, const char *there,
		   struct ct_error *err);

/* Take the last note back: the change was not made. */
void ct_host_forget(void);

/* How many changes are noted: for ct_host_undo_to(). */
size_t ct_host_mark(void);

/**
 * ct_host_undo_to() - undo the changes since a mark, the last first
 * @mark: as of ct_host_mark().
 * @err: the first that could not be undone.
 * Return: 0 or a negative errno.
 */
int ct_host_undo_to(size_t mark, struct ct_error *err);

/**
 * ct_host_end() - undo all
 * @err: the first that could not be undone.
 *
 * The journal stays, with what is there for recovery alone: whoever called for
 * this removes it by ct_host_recover(), when its own part is put back.
 *
 * Return: 0 or a negative errno.
 */
int ct_host_end(struct ct_error *err);

/* The letter of a task's state, as of /proc/TID/stat; 'X' when it is no more. */
char ct_task_state(pid_t tid);

/* Read a file of one line, without its newline. Return: 0 or a negative errno. */
int ct_host_read(const char *path, char *text, size_t size);

/* Write to a file of the kernel. Return: 0 or a negative errno. */
int ct_host_write(const char *path, const char *text);

/* The same, with an error for the user. */
int ct_host_put(const char *path, const char *text, struct ct_error *err);

#endif /* COWTRACE_HOST_H */
