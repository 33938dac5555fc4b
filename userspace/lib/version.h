/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COWTRACE_VERSION_H
#define COWTRACE_VERSION_H

/* Version of the command; the module has its own, in the schema. */
#define COWTRACE_VERSION	"0.1.0"

#endif /* COWTRACE_VERSION_H */
