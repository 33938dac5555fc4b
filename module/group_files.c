// SPDX-License-Identifier: GPL-2.0
/*
 * files: how often pages of files are reached, and by whom. Entries only: an attempt
 * that a function gives up counts as one that it ends.
 */
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "compat/files.h"
#include "file_table.h"
#include "groups.h"
#include "sample.h"

static struct cow_group_state *state;

static void count(struct address_space *mapping, enum cow_file_site site, unsigned int n)
{
	if (mapping)
		cow_file_add(mapping->host, site, n);
}

/* The file that a fault is in; NULL for a mapping of none, and of devices. */
static struct address_space *faulted(const struct vm_fault *vmf)
{
	struct address_space *mapping;

	if (!vmf->vma->vm_file)
		return NULL;
	mapping = vmf->vma->vm_file->f_mapping;
	if (!S_ISREG(mapping->host->i_mode) && !S_ISBLK(mapping->host->i_mode))
		return NULL;
	return mapping;
}

/* --- (a), (b): write faults ------------------------------------------------------- */

/* do_wp_page(vmf), with the page table locked: the page stays what it is. */
static void hit_wp(struct pt_regs *regs)
{
	const struct vm_fault *vmf = (const struct vm_fault *)cow_arg0(regs);
	pte_t pte = vmf->orig_pte;
	struct page *page = cow_normal_page(pte, pte_pfn(pte), cow_end_pfn);

	if (!page || !cow_file_mapping(page))
		return;
	count(faulted(vmf), vmf->vma->vm_flags & VM_SHARED ? COW_FILE_SHARED_MAPPED :
	      COW_FILE_PRIVATE_MAPPED, 1);
}

/* __do_fault(vmf): no PTE is there. */
static void hit_fault(struct pt_regs *regs)
{
	const struct vm_fault *vmf = (const struct vm_fault *)cow_arg0(regs);

	if (vmf->flags & FAULT_FLAG_WRITE)
		count(faulted(vmf), vmf->vma->vm_flags & VM_SHARED ? COW_FILE_SHARED_ABSENT :
		      COW_FILE_PRIVATE_ABSENT, 1);
}

/* do_page_mkwrite(vmf) */
static void hit_mkwrite(struct pt_regs *regs)
{
	count(faulted((const struct vm_fault *)cow_arg0(regs)), COW_FILE_MKWRITE, 1);
}

/* --- (c): write(2) ---------------------------------------------------------------- */

static void wrote(struct page *page, size_t offset, size_t bytes)
{
	count(cow_file_mapping(page), COW_FILE_WRITE,
	      DIV_ROUND_UP(offset_in_page(offset) + bytes, PAGE_SIZE));
}

/* copy_folio_from_iter_atomic(folio, offset, bytes, iter), and the same of a page */
static void hit_write(struct pt_regs *regs)
{
	wrote((struct page *)cow_arg0(regs), cow_arg1(regs), cow_arg2(regs));
}

/* iov_iter_copy_from_user_atomic(page, iter, offset, bytes) */
static void hit_write_old(struct pt_regs *regs)
{
	wrote((struct page *)cow_arg0(regs), cow_arg2(regs), cow_arg3(regs));
}

/* --- (d): truncation and hole punching ---------------------------------------------- */

#ifdef COW_HAVE_FOLIO
/* truncate_cleanup_folio(folio), locked and in the page cache */
static void hit_truncate(struct pt_regs *regs)
{
	struct page *page = (struct page *)cow_arg0(regs);

	count(cow_file_mapping(page), COW_FILE_TRUNCATE, cow_nr_pages(page));
}

/*
 * truncate_inode_partial_folio(folio, start, end), which is called for the first and the
 * last folio whether it is whole or not. What is whole goes by the function above, but
 * those pages of a large folio that are behind the end of the file: its split drops them.
 */
static void hit_part(struct pt_regs *regs)
{
	struct folio *folio = (struct folio *)cow_arg0(regs);
	struct address_space *mapping = cow_file_mapping(&folio->page);
	u64 start = cow_arg1(regs), end = (u64)cow_arg2(regs) + 1 ?: U64_MAX;
	u64 first = folio_pos(folio), last = first + folio_size(folio), dropped;
	unsigned int n;

	if (!mapping || (start <= first && end >= last))
		return;
	n = start > first && offset_in_page(start);
	if (end < last && offset_in_page(end))
		n += !n || start >> PAGE_SHIFT != end >> PAGE_SHIFT;
	count(mapping, COW_FILE_TRUNCATE_PART, n);
	dropped = DIV_ROUND_UP_ULL(max3(start, first, (u64)i_size_read(mapping->host)), PAGE_SIZE);
	last = min(end, last) >> PAGE_SHIFT;
	if (dropped < last)
		count(mapping, COW_FILE_TRUNCATE, last - dropped);
}
#else
/* truncate_cleanup_page(page), and (mapping, page) in the first ones of 5.10 */
static void hit_truncate(struct pt_regs *regs)
{
	struct page *page = (struct page *)cow_arg0(regs);

	if (!cow_is_page(page))
		page = (struct page *)cow_arg1(regs);
	count(cow_file_mapping(page), COW_FILE_TRUNCATE, cow_nr_pages(page));
}

static bool is_cached(struct address_space *mapping, u64 index)
{
	void *entry = xa_load(&mapping->i_pages, index);

	return entry && !xa_is_value(entry);
}

/* Zeroing of the first and the last page is inlined: those in the cache at the call. */
static void parts(struct address_space *mapping, u64 start, u64 end)
{
	unsigned int n = 0;

	if (offset_in_page(start))
		n += is_cached(mapping, start >> PAGE_SHIFT);
	if (offset_in_page(end) &&
	    !(offset_in_page(start) && start >> PAGE_SHIFT == end >> PAGE_SHIFT))
		n += is_cached(mapping, end >> PAGE_SHIFT);
	count(mapping, COW_FILE_TRUNCATE_PART, n);
}

/* truncate_inode_pages_range(mapping, start, end) */
static void hit_range(struct pt_regs *regs)
{
	parts((struct address_space *)cow_arg0(regs), cow_arg1(regs), (u64)cow_arg2(regs) + 1);
}

/* shmem_undo_range(inode, start, end, …) */
static void hit_shmem_range(struct pt_regs *regs)
{
	const struct inode *inode = (const struct inode *)cow_arg0(regs);

	parts(inode->i_mapping, cow_arg1(regs), (u64)cow_arg2(regs) + 1);
}
#endif

/* --- (e): splice and sendfile --------------------------------------------------------- */

#ifdef COW_HAVE_ITER_PIPE
/* copy_page_to_iter(page, offset, bytes, iter), where that is a pipe */
static void hit_splice(struct pt_regs *regs)
{
	const struct iov_iter *iter = (const struct iov_iter *)cow_arg3(regs);

	if (iov_iter_is_pipe(iter))
		count(cow_file_mapping((struct page *)cow_arg0(regs)), COW_FILE_SPLICE,
		      cow_spliced(cow_arg1(regs), cow_arg2(regs), cow_pipe_room(iter->pipe)));
}
#else
/* splice_folio_into_pipe(pipe, folio, position, size), where it goes on to the next folio */
static void hit_splice(struct pt_regs *regs)
{
	const struct pipe_inode_info *pipe = (const struct pipe_inode_info *)cow_arg0(regs);
	struct folio *folio = (struct folio *)cow_arg1(regs);
	size_t offset = offset_in_folio(folio, cow_arg2(regs));
	size_t size = min_t(size_t, cow_arg3(regs), folio_size(folio) - offset);

	count(cow_file_mapping(&folio->page), COW_FILE_SPLICE,
	      cow_spliced(offset, size, cow_pipe_room(pipe)));
}
#endif

/* page_cache_pipe_buf_confirm(pipe, buf) */
static void hit_confirm(struct pt_regs *regs)
{
	const struct pipe_buffer *buf = (const struct pipe_buffer *)cow_arg1(regs);

	count(cow_file_mapping(buf->page), COW_FILE_SPLICE_USE, 1);
}

/* --- (f): GUP ------------------------------------------------------------------------- */

/*
 * The fast one comes with a page that it has no reference to, and the mapping of which
 * may be anything by now. What was an inode until now stays one: preemption is off. That
 * the mapping is the host's own is what hardly any other memory has in its place.
 */
static void grabbed(struct page *page, unsigned int n, unsigned int flags)
{
	struct address_space *mapping = cow_file_mapping(page);
	struct super_block *sb;
	struct inode *inode;
	dev_t dev;

	if (!mapping || !(flags & (FOLL_GET | FOLL_PIN)))
		return;
	if (get_kernel_nofault(inode, &mapping->host) || mapping != &inode->i_data ||
	    get_kernel_nofault(sb, &inode->i_sb) || get_kernel_nofault(dev, &sb->s_dev))
		return;
	cow_file_add(inode, COW_FILE_GUP, n);
}

/* try_grab_page(page, flags): one page */
static void hit_grab(struct pt_regs *regs)
{
	grabbed((struct page *)cow_arg0(regs), 1, cow_arg1(regs));
}

/* try_grab_folio(folio or page, pages, flags) and the like */
static void hit_grab_many(struct pt_regs *regs)
{
	grabbed((struct page *)cow_arg0(regs), cow_arg1(regs), cow_arg2(regs));
}

/* --- (g): reclaim --------------------------------------------------------------------- */

/* __remove_mapping(mapping, folio, reclaimed, …): for reclaim, else for an invalidation */
static void hit_remove(struct pt_regs *regs)
{
	struct page *page = (struct page *)cow_arg1(regs);

	count(cow_file_mapping(page), (bool)cow_arg2(regs) ? COW_FILE_RECLAIM :
	      COW_FILE_INVALIDATE, cow_nr_pages(page));
}

/* folio_referenced(folio, …) */
static void hit_referenced(struct pt_regs *regs)
{
	struct page *page = (struct page *)cow_arg0(regs);

	count(cow_file_mapping(page), COW_FILE_RECLAIM_LOOK, cow_nr_pages(page));
}

/* --- (h): lookups, all with the mapping first ---------------------------------------------- */

static void hit_lookup(struct pt_regs *regs)
{
	count((struct address_space *)cow_arg0(regs), COW_FILE_LOOKUP, 1);
}

static void hit_lookup_read(struct pt_regs *regs)
{
	count((struct address_space *)cow_arg0(regs), COW_FILE_LOOKUP_READ, 1);
}

static void hit_lookup_batch(struct pt_regs *regs)
{
	count((struct address_space *)cow_arg0(regs), COW_FILE_LOOKUP_BATCH, 1);
}

/* filemap_get_folios_tag(mapping, start, end, tag, …): without a tag, filemap_get_folios()
 * calls it, and was counted.
 */
static void hit_lookup_tag(struct pt_regs *regs)
{
	if ((__force unsigned int)cow_arg3(regs) != (__force unsigned int)XA_PRESENT)
		hit_lookup_batch(regs);
}

/* filemap_map_pages(vmf, …) */
static void hit_lookup_map(struct pt_regs *regs)
{
	const struct vm_fault *vmf = (const struct vm_fault *)cow_arg0(regs);

	count(vmf->vma->vm_file->f_mapping, COW_FILE_LOOKUP_MAP, 1);
}

/* --- the group ------------------------------------------------------------------------- */

#define BATCH(newest, sentence_, ...)						\
	{ .names = { newest, ##__VA_ARGS__ }, .sentence = sentence_, .hit = hit_lookup_batch }

static const struct cow_group_probe probes[] = {
	{ .names = { "do_wp_page" }, .hit = hit_wp,
	  .sentence = "private-mapped, shared-mapped: a write fault on a page of a file" },
	{ .names = { "__do_fault" }, .hit = hit_fault,
	  .sentence = "private-absent, shared-absent: a write fault where no PTE is" },
	{ .names = { "do_page_mkwrite" }, .hit = hit_mkwrite,
	  .sentence = "mkwrite: the file system is asked" },
	{ .names = { "copy_folio_from_iter_atomic", "copy_page_from_iter_atomic" },
	  .hit = hit_write, .sentence = "write: pages of a copy into the page cache" },
	{ .names = { "iov_iter_copy_from_user_atomic" }, .hit = hit_write_old,
	  .sentence = "write: the same until 5.14" },
#ifdef COW_HAVE_FOLIO
	{ .names = { "truncate_cleanup_folio" }, .hit = hit_truncate,
	  .sentence = "truncate: pages of a folio that is removed" },
	{ .names = { "truncate_inode_partial_folio" }, .hit = hit_part,
	  .sentence = "truncate-part: pages of a folio that are zeroed in part" },
#else
	{ .names = { "truncate_cleanup_page" }, .hit = hit_truncate,
	  .sentence = "truncate: pages of a page that is removed" },
	{ .names = { "truncate_inode_pages_range" }, .hit = hit_range,
	  .sentence = "truncate-part: first and last page of a range, when they are cached" },
	{ .names = { "shmem_undo_range" }, .hit = hit_shmem_range,
	  .sentence = "truncate-part: the same in tmpfs" },
#endif
#ifdef COW_HAVE_ITER_PIPE
	{ .names = { "copy_page_to_iter" }, .hit = hit_splice,
	  .sentence = "splice: pages of a copy to a pipe" },
#else
	{ .names = { "splice_folio_into_pipe" }, .hit = hit_splice,
	  .sentence = "splice: pages of a folio for which the pipe has room" },
#endif
	{ .names = { "page_cache_pipe_buf_confirm" }, .hit = hit_confirm,
	  .sentence = "splice-use: a buffer of a pipe that holds a page of a file" },
	{ .names = { "try_grab_page" }, .hit = hit_grab,
	  .sentence = "gup: one page, slow GUP until 6.x" },
	{ .names = { "try_grab_folio" }, .hit = hit_grab_many,
	  .sentence = "gup: pages of a folio" },
	{ .names = { "try_grab_folio_fast", "try_grab_compound_head" }, .hit = hit_grab_many,
	  .sentence = "gup: pages of a folio, fast GUP" },
	{ .names = { "__remove_mapping" }, .hit = hit_remove,
	  .sentence = "reclaim, invalidate: pages of a folio" },
	{ .names = { "folio_referenced", "page_referenced" }, .hit = hit_referenced,
	  .sentence = "reclaim-look: pages of a folio" },
	{ .names = { "filemap_get_entry", "__filemap_get_folio", "find_get_entry" },
	  .hit = hit_lookup, .sentence = "lookup: calls" },
	{ .names = { "filemap_get_read_batch" }, .hit = hit_lookup_read,
	  .sentence = "lookup-read: calls; until 5.11 read(2) makes lookups of one page" },
	BATCH("find_get_entries", "lookup-batch: calls"),
	BATCH("find_lock_entries", "lookup-batch: calls"),
	BATCH("filemap_get_folios", "lookup-batch: calls", "find_get_pages_range"),
	BATCH("filemap_get_folios_contig", "lookup-batch: calls", "find_get_pages_contig"),
	BATCH("filemap_get_folios_dirty", "lookup-batch: calls"),
	BATCH("find_get_pages_range_tag", "lookup-batch: calls"),
	{ .names = { "filemap_get_folios_tag" }, .hit = hit_lookup_tag,
	  .sentence = "lookup-batch: calls, but those by filemap_get_folios()" },
	{ .names = { "filemap_map_pages" }, .hit = hit_lookup_map,
	  .sentence = "lookup-map: calls" },
};

static const struct {
	const char *name, *letter, *sentence;
} sites[] = {
#define SITE(id, name_, letter_, sentence_)	\
	[COW_FILE_##id] = { .name = name_, .letter = letter_, .sentence = sentence_ },
	COW_FILE_SITES(SITE)
#undef SITE
};

/* Is a probe of the site there? Its sentence begins with those that it is for. */
static bool has(const char *site)
{
	size_t len = strlen(site);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		const char *at = probes[i].sentence, *end = strchr(at, ':');

		while (cow_group_has(&cow_group_files, i) && at < end) {
			if (!strncmp(at, site, len) && (at[len] == ':' || at[len] == ','))
				return true;
			at += strcspn(at, ",:") + 2;
		}
	}
	return false;
}

static void show(struct seq_file *m)
{
	int i;

	for (i = 0; i < COW_NR_FILE_SITES; i++)
		if (has(sites[i].name))
			seq_printf(m, "%s %llu\n", sites[i].name, cow_file_sum(i));
}

static int table(struct seq_file *m)
{
	int i;

	for (i = 0; i < COW_NR_FILE_SITES; i++)
		seq_printf(m, "site %s %s %s %s\n", sites[i].letter, sites[i].name,
			   has(sites[i].name) ? "counted" : "absent", sites[i].sentence);
	return cow_file_table_show(m);
}

const struct cow_group cow_group_files = {
	.name		= "files",
	.sentence	= "how often pages of files are reached, and by whom",
	.probes		= probes,
	.nr_probes	= ARRAY_SIZE(probes),
	.start		= cow_file_table_init,
	.show		= show,
	.table		= table,
	.seconds	= 60,
	.free		= cow_file_table_free,
	.state		= &state,
};
