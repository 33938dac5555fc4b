// SPDX-License-Identifier: GPL-2.0
#include "duplicates_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "json.h"
#include "units.h"

/* Of the JSON form: greater major when a reader of the old one would misread it. */
#define VERSION	"1.0"

static int by_shared(const void *x, const void *y)
{
	const struct ct_dup_file *const *a = x, *const *b = y;

	if ((*a)->shared != (*b)->shared)
		return (*a)->shared > (*b)->shared ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

/* Files with a page that another page is like, most such pages first. */
static const struct ct_dup_file **sorted(const struct ct_duplicates *d, size_t *nr)
{
	const struct ct_dup_file **files = calloc(ct_dup_files(d) + 1, sizeof(*files));
	size_t i;

	*nr = 0;
	if (!files)
		return NULL;
	for (i = 0; i < ct_dup_files(d); i++)
		if (ct_dup_file(d, i)->shared)
			files[(*nr)++] = ct_dup_file(d, i);
	qsort(files, *nr, sizeof(*files), by_shared);
	return files;
}

static void line(FILE *out, const char *what, uint64_t pages, uint64_t page_size,
		 const char *means)
{
	char count[CT_UNIT_TEXT], bytes[CT_UNIT_TEXT];

	fprintf(out, "  %-12s%14s%12s  %s\n", what, ct_format_count(count, pages),
		ct_format_bytes(bytes, pages * page_size), means);
}

static void sums_text(FILE *out, const struct ct_dup_sums *s, const struct ct_dup_scan *scan)
{
	fprintf(out, "Pages of files in the page cache that are alike\n");
	line(out, "resident", scan->resident, scan->page_size, "in the page cache");
	line(out, "compared", s->pages, scan->page_size, "of these");
	line(out, "duplicates", s->all.pages, scan->page_size,
	     "would go if each content were there once");
	line(out, "  across", s->across.pages, scan->page_size, "contents that several files have");
	line(out, "  within", s->within.pages, scan->page_size, "contents that one file repeats");
	line(out, "  zero", s->zero.pages, scan->page_size, "the page of zeros");
	if (scan->gone)
		line(out, "gone", scan->gone, scan->page_size,
		     "not compared: they could not be read without I/O any more");
	if (s->no_room)
		line(out, "no room", s->no_room, scan->page_size,
		     "not compared: give more memory by --memory");
	if (scan->skipped)
		fprintf(out, "  %" PRIu64 " files and directories were left out.\n", scan->skipped);
}

static void contents_text(FILE *out, const struct ct_duplicates *d,
			  const struct ct_dup_content *list, size_t n, size_t all)
{
	char text[CT_UNIT_TEXT];
	size_t i;

	if (!n)
		return;
	fprintf(out, "\n  %12s  %-8s%s\n", "copies", "where", "first seen");
	for (i = 0; i < n; i++)
		fprintf(out, "  %12s  %-8s%s, page %" PRIu64 "\n",
			ct_format_count(text, list[i].copies),
			list[i].zero ? "zero" : list[i].across ? "across" : "within",
			ct_dup_file(d, list[i].file)->path, (uint64_t)list[i].index);
	if (all > n)
		fprintf(out, "  and %zu more contents: --top %zu shows all\n", all - n, all);
}

static void files_text(FILE *out, const struct ct_dup_file **files, size_t nr, size_t top)
{
	char shared[CT_UNIT_TEXT], pages[CT_UNIT_TEXT];
	size_t i;

	if (!nr || !top)
		return;
	fprintf(out, "\n  %12s%12s  %s\n", "with a like", "of pages", "file");
	for (i = 0; i < nr && i < top; i++)
		fprintf(out, "  %12s%12s  %s\n", ct_format_count(shared, files[i]->shared),
			ct_format_count(pages, files[i]->pages), files[i]->path);
	if (nr > top)
		fprintf(out, "  and %zu more files: --top %zu shows all\n", nr - top, nr);
}

static struct json_object *sum_json(const struct ct_dup_sum *s, uint64_t page_size)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "contents", s->contents);
	add_number(o, "pages", s->pages);
	add_number(o, "bytes", s->pages * page_size);
	return o;
}

static struct json_object *content_json(const struct ct_duplicates *d,
					const struct ct_dup_content *c)
{
	struct json_object *o = json_object_new_object();
	char hash[40];

	snprintf(hash, sizeof(hash), "%016" PRIx64 "%016" PRIx64, c->hash[0], c->hash[1]);
	add_text(o, "xxh3_128", hash);
	add_number(o, "copies", c->copies);
	add(o, "across", json_object_new_boolean(c->across));
	add(o, "zero", json_object_new_boolean(c->zero));
	add_text(o, "first_path", ct_dup_file(d, c->file)->path);
	add_number(o, "first_page", c->index);
	return o;
}

static struct json_object *file_json(const struct ct_dup_file *f)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "path", f->path);
	add_number(o, "pages", f->pages);
	add_number(o, "shared", f->shared);
	return o;
}

static struct json_object *all_json(const struct ct_dup_sums *s, const struct ct_dup_scan *scan)
{
	struct json_object *o = json_object_new_object(), *not = json_object_new_object();

	add_text(o, "version", VERSION);
	add_number(o, "page_size", scan->page_size);
	add_number(o, "resident", scan->resident);
	add_number(o, "compared", s->pages);
	add_number(o, "distinct", s->distinct);
	add(o, "duplicates", sum_json(&s->all, scan->page_size));
	add(o, "across", sum_json(&s->across, scan->page_size));
	add(o, "within", sum_json(&s->within, scan->page_size));
	add(o, "zero", sum_json(&s->zero, scan->page_size));
	add_number(not, "gone", scan->gone);
	add_number(not, "no_room", s->no_room);
	add_number(not, "files_left_out", scan->skipped);
	add(o, "not_compared", not);
	return o;
}

struct tables {
	struct ct_dup_sums		sums;
	struct ct_dup_content		*contents;
	size_t				nr_contents, all_contents;
	const struct ct_dup_file	**files;
	size_t				nr_files;
};

static int tables_of(struct tables *t, const struct ct_duplicates *d, size_t top)
{
	ct_dup_sums(d, &t->sums);
	t->contents = calloc(top + 1, sizeof(*t->contents));
	t->files = sorted(d, &t->nr_files);
	if (!t->contents || !t->files)
		return -ENOMEM;
	t->all_contents = ct_dup_top(d, t->contents, top);
	t->nr_contents = t->all_contents < top ? t->all_contents : top;
	return 0;
}

int ct_dup_text(FILE *out, const struct ct_duplicates *d, const struct ct_dup_scan *scan,
		size_t top)
{
	struct tables t = { 0 };
	int ret = tables_of(&t, d, top);

	if (!ret) {
		sums_text(out, &t.sums, scan);
		contents_text(out, d, t.contents, t.nr_contents, t.all_contents);
		files_text(out, t.files, t.nr_files, top);
		ret = ferror(out) ? -EIO : 0;
	}
	free(t.contents);
	free(t.files);
	return ret;
}

int ct_dup_json(FILE *out, const struct ct_duplicates *d, const struct ct_dup_scan *scan,
		size_t top)
{
	struct json_object *o, *contents, *files;
	struct tables t = { 0 };
	int ret = tables_of(&t, d, top);
	size_t i;

	if (!ret) {
		o = all_json(&t.sums, scan);
		contents = json_object_new_array();
		for (i = 0; i < t.nr_contents; i++)
			json_object_array_add(contents, content_json(d, &t.contents[i]));
		add(o, "contents", contents);
		files = json_object_new_array();
		for (i = 0; i < t.nr_files && i < top; i++)
			json_object_array_add(files, file_json(t.files[i]));
		add(o, "files", files);
		ret = json_print(out, o);
	}
	free(t.contents);
	free(t.files);
	return ret;
}
