// SPDX-License-Identifier: GPL-2.0
/* The experiments that cowtrace brings along, as one text: userspace/experiments/. */
extern const char ct_experiments_text_begin[], ct_experiments_text_end[];

asm(".section .rodata\n"
	".global ct_experiments_text_begin, ct_experiments_text_end\n"
	"ct_experiments_text_begin:\n"
	"	.incbin \"" CT_EXPERIMENTS "\"\n"
	"ct_experiments_text_end:\n"
	"	.byte 0\n"
	".previous\n");
