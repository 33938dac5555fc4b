/* SPDX-License-Identifier: GPL-2.0 */
/* Memory, and the kernel's own view of its pages. */
#ifndef COWTEST_PAGES_H
#define COWTEST_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE		4096ul

/* Private anonymous memory of small pages, untouched. */
char *map_pages(size_t pages);
/* A page of addresses where nothing can be read or written. */
void *map_none(void);
/* Memory that children share, zeroed. */
void *map_shared(size_t size);
/* Write one byte of each page. */
void touch(char *mem, size_t pages);
/* One byte, by the one instruction at poke(). */
void poke(volatile char *at, char value);
uint64_t pagemap(const void *at);
uint64_t pfn_of(const void *at);
uint64_t kpage(const char *file, uint64_t pfn);
/* KPF_* of /proc/kpageflags. */
bool page_flag(const void *at, int bit);
bool in_swap(const void *at);
/* Take all pages off the LRU-add batches of all CPUs, where each has a reference more. */
void lru_drain(void);
/* Pin pages for reading, copy them to @to, and let go. */
void pin_pages(char *mem, size_t pages, char *to);
/**
 * ksm_merge() - have KSM make one page of @pages pages that are alike
 * Takes as long as ksmd takes; fails the suite when ksmd has scanned a hundred
 * times and they are still several.
 * Return: false in a kernel without KSM.
 */
bool ksm_merge(char *mem, size_t pages);

#endif /* COWTEST_PAGES_H */
