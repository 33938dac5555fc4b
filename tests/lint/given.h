/* SPDX-License-Identifier: GPL-2.0 */
/* What the Makefile defines for single files. */
#define CT_BPF_WHY	"no clang"
#define CT_EXPERIMENTS	"/dev/null"
#define REPORT_CSS	"/dev/null"
