/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the copy of a user stack to the functions that called each other, by the files'
 * own unwind information (.eh_frame) and elfutils: programs of distributions have no
 * frame pointers. Only files that are still the traced ones are used; nothing is
 * guessed, no debug file is looked for, and nothing asked of a network.
 */
#ifndef COWTRACE_UNWIND_H
#define COWTRACE_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "process.h"

/* Frames of one stack; what is deeper is cut. */
#define CT_FRAMES_MAX	256

/*
 * How the unwinding of a stack ended. X(id, mark, sentence): what stands in place of the
 * callers that are missing, and what to say of it.
 */
#define CT_UNWOUND(X)								\
	X(WHOLE,	"",		"unwound to the first function")	\
	X(TRUNCATED,	"[truncated]",	"ended where the copy ends: record with larger --stacks=BYTES") \
	X(UNREADABLE,	"[unreadable]",	"ended where the kernel could not read the stack on, for it was swapped out") \
	X(NO_INFO,	"[no unwind info]", "ended in code without unwind information")	\
	X(NO_FILE,	"[no file]",	"ended in a file that is not here or has changed: export on the traced machine") \
	X(DEEP,		"[too deep]",	"ended after 256 functions")		\
	X(OTHER_ABI,	"[32-bit]",	"are of 32-bit processes, which are not unwound") \
	X(NOTHING,	"[no stack]",	"have no user stack")

#define CT_UNWOUND_ENUM_(id, mark, sentence)	CT_UNWOUND_##id,
enum ct_unwound { CT_UNWOUND(CT_UNWOUND_ENUM_) CT_NR_UNWOUND };

/* The mark, "" for CT_UNWOUND_WHOLE. */
const char *ct_unwound_mark(enum ct_unwound how);

const char *ct_unwound_sentence(enum ct_unwound how);

/**
 * struct ct_frame - a function, or a place where no function is known
 * @name: its symbol, or "[FILE+0xOFFSET]" by the beginning of the function if unwind
 *	information tells it, or the name of what is no file, or "[unknown]".
 * @object: number of the file in the process table, CT_MAP_NONE if not known.
 */
struct ct_frame {
	char		*name;
	uint32_t	object;
};

struct ct_unwinder;

/**
 * ct_unwinder_new() - begin to unwind
 * @processes: of the trace; must outlive the unwinder.
 * Return: the unwinder, NULL without memory.
 */
struct ct_unwinder *ct_unwinder_new(const struct ct_processes *processes);

void ct_unwinder_free(struct ct_unwinder *unwinder);

/**
 * ct_unwind() - the functions of a stack
 * @unwinder: what was unwound before makes the next one quick.
 * @stack: the stack, its numbers in the order of this machine.
 * @copy: @stack->copied bytes of it.
 * @frames: receives CT_FRAMES_MAX numbers of frames at most, the innermost first.
 * @nr: how many; at least one, but for CT_UNWOUND_NOTHING.
 * @how: how it ended.
 * Return: 0 or -ENOMEM.
 */
int ct_unwind(struct ct_unwinder *unwinder, const struct ct_stack *stack, const void *copy,
	      uint32_t *frames, size_t *nr, enum ct_unwound *how);

/**
 * ct_unwind_place() - the frame of a single place
 * @unwinder: the unwinder.
 * @tgid: process number.
 * @address: in it.
 * @time: when.
 * @frame: receives its number.
 * Return: 0 or -ENOMEM.
 */
int ct_unwind_place(struct ct_unwinder *unwinder, uint32_t tgid, uint64_t address,
		    uint64_t time, uint32_t *frame);

/* A frame by its number. */
const struct ct_frame *ct_unwinder_frame(const struct ct_unwinder *unwinder, uint32_t frame);

#endif /* COWTRACE_UNWIND_H */
