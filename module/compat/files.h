/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between kernels around file pages, for the group files. */
#ifndef COW_COMPAT_FILES_H
#define COW_COMPAT_FILES_H

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pipe_fs_i.h>
#include <linux/uio.h>

#include "compat.h"

/* The flag of GUP for a pin: mm/internal.h has it since 6.3, and no header for modules. */
#ifndef FOLL_PIN
#define FOLL_PIN	BIT(19)
#endif

static inline struct dentry *cow_dentry_of_alias(struct hlist_node *alias)
{
#ifdef COW_HAVE_DENTRY_D_U
	return container_of(alias, struct dentry, d_u.d_alias);
#else
	return container_of(alias, struct dentry, d_alias);
#endif
}

/* The address space of a page of a file, NULL for any other page. Takes nothing. */
static inline struct address_space *cow_file_mapping(struct page *page)
{
	unsigned long mapping = (unsigned long)READ_ONCE(cow_head(page)->mapping);

	return mapping & COW_MAPPING_FLAGS ? NULL : (struct address_space *)mapping;
}

/* Can it be a page, or is it something else? */
static inline bool cow_is_page(const struct page *page)
{
	return (unsigned long)page_to_pfn(page) < BIT(MAX_PHYSMEM_BITS - PAGE_SHIFT);
}

/* Pages of the folio of a page. */
static inline unsigned int cow_nr_pages(struct page *page)
{
	return 1u << cow_page_order(page);
}

/*
 * Into how many pages of a file does a splice get, that is to put @size bytes from
 * @offset on into a pipe with room for @room buffers?
 */
static inline unsigned int cow_spliced(size_t offset, size_t size, unsigned int room)
{
	return min_t(size_t, DIV_ROUND_UP(offset_in_page(offset) + size, PAGE_SIZE), room);
}

static inline unsigned int cow_pipe_room(const struct pipe_inode_info *pipe)
{
	unsigned int used = pipe_occupancy(pipe->head, pipe->tail);

	return pipe->max_usage - min(pipe->max_usage, used);
}

#endif /* COW_COMPAT_FILES_H */
