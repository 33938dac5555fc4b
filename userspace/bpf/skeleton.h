/* SPDX-License-Identifier: GPL-2.0 */
/* What bpftool made of the programs, after the types that it takes for known. */
#ifndef COWTRACE_BPF_SKELETON_H
#define COWTRACE_BPF_SKELETON_H

#include "shared.h"

#include "cowtrace.skel.h"

#endif /* COWTRACE_BPF_SKELETON_H */
