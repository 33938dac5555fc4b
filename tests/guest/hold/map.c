// SPDX-License-Identifier: GPL-2.0
/* Pages of a driver that gives any answer to a write that the test wants. */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "hold-internal.h"

static struct hold_map *map_of(const struct vm_fault *vmf)
{
	return vmf->vma->vm_private_data;
}

static vm_fault_t map_fault(struct vm_fault *vmf)
{
	vmf->page = map_of(vmf)->page;
	get_page(vmf->page);
	return 0;
}

static vm_fault_t answer(struct vm_fault *vmf, vm_fault_t allow)
{
	switch (atomic_xchg(&map_of(vmf)->answer, HOLD_ALLOW)) {
	case HOLD_TRUNCATED:
		/* The page has no mapping: do_page_mkwrite() takes it for truncated. */
		return 0;
	case HOLD_NOPAGE:
		return VM_FAULT_NOPAGE;
	case HOLD_SIGBUS:
		return VM_FAULT_SIGBUS;
	case HOLD_POISON:
		return VM_FAULT_HWPOISON;
	default:
		if (allow & VM_FAULT_LOCKED)
			lock_page(vmf->page);
		return allow;
	}
}

static vm_fault_t map_page_mkwrite(struct vm_fault *vmf)
{
	return answer(vmf, VM_FAULT_LOCKED);
}

static vm_fault_t map_pfn_mkwrite(struct vm_fault *vmf)
{
	return answer(vmf, 0);
}

static const struct vm_operations_struct page_ops = {
	.fault		= map_fault,
	.page_mkwrite	= map_page_mkwrite,
};

static const struct vm_operations_struct pfn_ops = {
	.pfn_mkwrite	= map_pfn_mkwrite,
};

int hold_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct hold_map *map = file->private_data;

	if (vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	/* The mapping holds the file, and so the map. */
	vma->vm_private_data = map;
	if (vma->vm_pgoff == HOLD_MAP_PAGE / PAGE_SIZE) {
		vma->vm_ops = &page_ops;
		return 0;
	}
	if (vma->vm_pgoff != HOLD_MAP_PFN / PAGE_SIZE)
		return -EINVAL;
	vma->vm_ops = &pfn_ops;
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(map->page), PAGE_SIZE,
			       vma->vm_page_prot);
}

int hold_map_init(struct hold_map *map)
{
	map->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return map->page ? 0 : -ENOMEM;
}

void hold_map_exit(struct hold_map *map)
{
	put_page(map->page);
}
