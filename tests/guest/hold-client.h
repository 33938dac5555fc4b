/* SPDX-License-Identifier: GPL-2.0 */
/* The tests' side of the module in hold/: see hold/hold.h. All fail the suite. */
#ifndef COWTEST_HOLD_CLIENT_H
#define COWTEST_HOLD_CLIENT_H

#include <stdint.h>

#include "hold/hold.h"

/* Load the module; main() unloads it after the suite. */
void hold_load(void);
/* A file through which pages are held until it is closed. */
int hold_open(void);
/* Hold the page that stands at @at now. */
void hold_take(int fd, enum hold_kind kind, const void *at, uint32_t arg);
void hold_release(int fd);
/* Wait until the fault that HOLD_STALL is for stands still. */
void hold_wait(int fd);
/* page_count() of the page at @at. */
int hold_count(int fd, const void *at);
/* What the driver says to the next write to its page. */
void hold_answer(int fd, enum hold_answer answer);
/* Map the file's page at HOLD_MAP_PAGE or HOLD_MAP_PFN. */
char *hold_map(int fd, int flags, unsigned long offset);

#endif /* COWTEST_HOLD_CLIENT_H */
