/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far reading a trace has come: one line on a terminal, from one second on,
 * which is gone when reading ends.
 */
#ifndef COWTRACE_PROGRESS_H
#define COWTRACE_PROGRESS_H

#include <stdint.h>

/**
 * ct_progress_start() - let every reader of this program tell how far it is
 *
 * Only if standard error is a terminal. Nothing is ever written anywhere else.
 */
void ct_progress_start(void);

/* No more of it: the program writes something else to the terminal meanwhile. */
void ct_progress_stop(void);

/**
 * ct_progress() - something was read
 * @doing: what is done, a word.
 * @done: bytes of it.
 * @total: bytes in all, 0 when that is not known.
 *
 * To be called often: it looks at the clock and mostly does nothing.
 */
void ct_progress(const char *doing, uint64_t done, uint64_t total);

/* Takes the line away, if there is one; before anything else is printed. */
void ct_progress_erase(void);

#endif /* COWTRACE_PROGRESS_H */
