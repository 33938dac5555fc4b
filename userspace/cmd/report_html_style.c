// SPDX-License-Identifier: GPL-2.0
/* The style sheet of the HTML report: userspace/html/report.css. */
extern const char report_css_begin[], report_css_end[];

asm(".section .rodata\n"
	".global report_css_begin, report_css_end\n"
	"report_css_begin:\n"
	"	.incbin \"" REPORT_CSS "\"\n"
	"report_css_end:\n"
	"	.byte 0\n"
	".previous\n");
