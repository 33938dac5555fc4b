/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a program in the guest speaks to the plugin that watches the guest: by
 * storing a value with an instruction whose displacement nobody else uses. The
 * plugin knows the instruction when QEMU translates it. Without the plugin it is
 * a store to a variable.
 */
#ifndef TELL_H
#define TELL_H

/* The upper three bytes of the displacement; the lowest is enum telling. */
#define TELL_MAGIC	0x636f7700

/**
 * enum telling - what is told
 * @TELL_FORGET: all code and areas told so far; the value is ignored. The first is
 *	what wakes the plugin.
 * @TELL_CODE_FROM: first address of code whose instructions are counted.
 * @TELL_CODE_TO: the address behind it.
 * @TELL_AREA_FROM: first address of memory whose lines are watched.
 * @TELL_AREA_TO: the address behind it. Areas have the numbers 0, 1, … in the
 *	order in which they are told, also across TELL_FORGET.
 * @TELL_START: count and watch from now on, from zero; the value names the run.
 * @TELL_STOP: no longer, and write down what was seen.
 */
enum telling {
	TELL_FORGET,
	TELL_CODE_FROM,
	TELL_CODE_TO,
	TELL_AREA_FROM,
	TELL_AREA_TO,
	TELL_START,
	TELL_STOP,
};

/* mov %rax,disp32(%rdx), which is encoded as 48 89 82 and four bytes. */
#define TELL(what, value)							\
do {										\
	static unsigned long told_;						\
										\
	asm volatile("movq %%rax, %c[disp](%%rdx)"				\
		     : : "a" ((unsigned long)(value)),				\
			 "d" ((unsigned long)&told_ - (TELL_MAGIC | (what))),	\
			 [disp] "i" (TELL_MAGIC | (what)) : "memory");		\
} while (0)

#endif /* TELL_H */
