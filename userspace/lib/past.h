/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a trace's own history says of PageAnonExclusive, for a kernel that has no such
 * mark (until 5.18): forks, execs and exits of its side-band, and its faults so far.
 *
 * A page is exclusive (1) when it cannot be shared by any fork:
 * 1. memory that an exec in the trace has made and that never forked owns all its
 *    anonymous pages;
 * 2. so does any memory a page that it got by a copy, or kept by a reuse, when it has
 *    not forked since. The page must be the same frame, or have come from swap: another
 *    one may have been moved there by mremap().
 * It is not exclusive (0) when
 * 3. it is mapped more than once, or merged by KSM;
 * 4. it is the frame which its memory, or the one that this was forked from, is known
 *    to have had before the last fork, and was not written since.
 * Else it is not known (COWTRACE_NOT_KNOWN): a page that was made after a fork, by a
 * first touch, leaves no record.
 *
 * Threads, and children of vfork() until they exec, share one memory. A fork is told of
 * a moment after the page tables were copied: faults that close to it settle nothing.
 * Claim 4 needs a whole trace; the write of another task to such a page, by ptrace or
 * by the kernel, takes it away. Pages that were pinned when their owner forked are not
 * looked at by claim 4: such a fork copies them for the child.
 */
#ifndef COWTRACE_PAST_H
#define COWTRACE_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "ledger.h"

struct ct_past;

/**
 * ct_past_new() - begin with a trace
 * @forks: its ledger, of which the forks are asked; must outlive the past.
 * @whole: nothing is missing in the trace and nothing was left out.
 * Return: the past, NULL without memory.
 */
struct ct_past *ct_past_new(const struct ct_forks *forks, bool whole);

/* Records are missing here: claims that need a whole trace end. */
void ct_past_lost(struct ct_past *past);

/**
 * ct_past_take() - ask about the page of a fault, then take in what the fault did
 * @past: the past; faults come in the order in which they ended.
 * @record: the fault.
 * @process: that of the fault in the process table, or CT_MAP_NONE.
 * Return: 1, 0 or COWTRACE_NOT_KNOWN: the page before the fault.
 */
int ct_past_take(struct ct_past *past, const struct cowtrace_record *record, uint32_t process);

/* Pages that were forgotten because there were too many: of these nothing is known. */
uint64_t ct_past_forgotten(const struct ct_past *past);

void ct_past_free(struct ct_past *past);

#endif /* COWTRACE_PAST_H */
