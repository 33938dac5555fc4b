/* SPDX-License-Identifier: GPL-2.0 */
/* Write protection by userfaultfd. All fail the suite. */
#ifndef COWTEST_UFFD_H
#define COWTEST_UFFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @features beside write protection: UFFD_FEATURE_*. -1 where the kernel has not all of them. */
int uffd_open(uint64_t features);
void uffd_register(int fd, char *mem, size_t pages);
/* Protect the pages, or let those who wait for them go on. */
void uffd_protect(int fd, char *mem, size_t pages, bool on);
/* Wait until a thread has written to a protected page and waits. */
void uffd_wait(int fd);

#endif /* COWTEST_UFFD_H */
