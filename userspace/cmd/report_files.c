// SPDX-License-Identifier: GPL-2.0
#include "report_files.h"

#include "files.h"
#include "json.h"
#include "units.h"

#define CLASSES	"abcdefgh"

static const char *const heads[] = {
	"private", "shared", "write", "truncate", "splice", "gup", "reclaim", "lookups",
};

static void totals(struct ct_files *f, uint64_t *counts)
{
	unsigned int i;

	for (i = 0; i < f->nr_sites; i++)
		counts[i] = f->sites[i].total;
}

static void sites(struct page *p, const struct ct_files *f)
{
	char text[CT_UNIT_TEXT], letter[8];
	unsigned int i;

	for (i = 0; i < f->nr_sites; i++) {
		const struct ct_file_site *s = &f->sites[i];

		spaces(p, 2);
		snprintf(letter, sizeof(letter), "(%c) ", s->letter);
		put(p, letter);
		cell(p, -15, s->name);
		cell(p, 13, s->counted ? ct_format_count(text, s->total) : "-");
		spaces(p, 2);
		wrapped(p, s->counted ? s->what : "this kernel has nothing to probe for it");
	}
}

/* Here "-" is for what this kernel cannot count. */
static void classes(struct page *p, const struct ct_files *f, const uint64_t *counts)
{
	char text[CT_UNIT_TEXT];
	const char *letter;

	for (letter = CLASSES; *letter; letter++)
		cell(p, 9, ct_files_absent(f, *letter) ? "-" :
		     ct_format_count(text, ct_files_class(f, counts, *letter)));
}

static void head(struct page *p, const char *what)
{
	size_t i;

	spaces(p, 2);
	cell(p, -24, what);
	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		cell(p, 9, heads[i]);
	end_line(p);
}

static void tables(struct page *p, const struct ct_files *f)
{
	size_t i, shown = rows(p, f->nr_rows);
	char name[sizeof(f->fs->type) + sizeof(f->fs->name) + 2];

	head(p, "file system");
	for (i = 0; i < f->nr_fs; i++) {
		uint64_t all = ct_files_price(f, f->fs[i].counts).at_sites +
			       ct_files_class(f, f->fs[i].counts, 'h');

		if (!all)
			continue;
		snprintf(name, sizeof(name), "%s %s", f->fs[i].type, f->fs[i].name);
		spaces(p, 2);
		cell(p, -24, name);
		classes(p, f, f->fs[i].counts);
		end_line(p);
	}
	head(p, "file");
	for (i = 0; i < shown; i++) {
		const struct ct_file_row *r = &f->rows[i];

		snprintf(name, sizeof(name), "%s%.*s", r->exact ? "" : ">=", 22,
			 *r->name ? r->name : "(no name)");
		spaces(p, 2);
		cell(p, -24, name);
		classes(p, f, r->counts);
		end_line(p);
	}
	more(p, shown, f->nr_rows);
}

static void designs(struct page *p, const struct ct_files *f, const uint64_t *counts)
{
	struct ct_files_price price = ct_files_price(f, counts);
	char sites[CT_UNIT_TEXT], lookups[CT_UNIT_TEXT], beside[CT_UNIT_TEXT];

	spaces(p, 2);
	say(p, "A break of shared file pages at each of (a) to (g) would have looked %s times; one in the lookup %s times, and %s times where the page is reached without one. Each times the cost of a look is its price.",
	    ct_format_count(sites, price.at_sites), ct_format_count(lookups, price.in_lookup),
	    ct_format_count(beside, price.beside_lookup));
}

static void loss(struct page *p, const struct ct_files *f)
{
	char text[CT_UNIT_TEXT], calls[CT_UNIT_TEXT];

	spaces(p, 2);
	say(p, "Counted for %s%s, of the whole system. Calls that were begun and given up count too.",
	    ct_format_ns(text, f->ran_ns),
	    f->limited ? ", then the limit of the group was reached" : "");
	if (f->missed) {
		spaces(p, 2);
		say(p, "The probes did not see %s calls: counts are short by these.",
		    ct_format_count(calls, f->missed));
	}
	if (f->made_room) {
		spaces(p, 2);
		say(p, "%s times a file had to make room for another: its counts until then are in those of its file system alone.",
		    ct_format_count(calls, f->made_room));
	}
}

void files_text(struct page *p)
{
	uint64_t counts[CT_FILE_SITES] = { 0 };
	struct ct_files f;

	if (ct_files_load(&p->r->state, &f))
		return;
	totals(&f, counts);
	heading(p, "How often pages of files were reached");
	sites(p, &f);
	tables(p, &f);
	designs(p, &f, counts);
	loss(p, &f);
	ct_files_free(&f);
}

/* --- JSON ----------------------------------------------------------------------------- */

static struct json_object *counts_json(const struct ct_files *f, const uint64_t *counts)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	for (i = 0; i < f->nr_sites; i++)
		add(o, f->sites[i].name,
		    f->sites[i].counted ? json_object_new_int64(counts[i]) : NULL);
	return o;
}

static struct json_object *sites_json(const struct ct_files *f)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < f->nr_sites; i++) {
		const struct ct_file_site *s = &f->sites[i];
		struct json_object *o = json_object_new_object();
		char letter[2] = { s->letter };

		add_text(o, "name", s->name);
		add_text(o, "class", letter);
		add_text(o, "counts", s->what);
		add(o, "total", s->counted ? json_object_new_int64(s->total) : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *designs_json(const struct ct_files *f, const uint64_t *counts)
{
	struct ct_files_price price = ct_files_price(f, counts);
	struct json_object *o = json_object_new_object();

	add_number(o, "at_sites", price.at_sites);
	add_number(o, "in_lookup", price.in_lookup);
	add_number(o, "beside_lookup", price.beside_lookup);
	return o;
}

static struct json_object *rows_json(const struct ct_files *f, const struct ct_file_row *rows,
				     size_t nr)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < nr; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "device", rows[i].device);
		if (*rows[i].type) {
			add_text(o, "type", rows[i].type);
		} else {
			add_number(o, "inode", rows[i].ino);
			add_number(o, "generation", rows[i].generation);
			add(o, "exact", json_object_new_boolean(rows[i].exact));
		}
		add_text(o, "name", *rows[i].name ? rows[i].name : NULL);
		add(o, "sites", counts_json(f, rows[i].counts));
		add(o, "designs", designs_json(f, rows[i].counts));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *files_json(const struct ct_report *r)
{
	uint64_t counts[CT_FILE_SITES] = { 0 };
	struct json_object *o;
	struct ct_files f;

	if (ct_files_load(&r->state, &f))
		return NULL;
	totals(&f, counts);
	o = json_object_new_object();
	add_number(o, "ran_ns", f.ran_ns);
	add_number(o, "seconds", f.seconds);
	add(o, "limited", json_object_new_boolean(f.limited));
	add_number(o, "missed", f.missed);
	add(o, "sites", sites_json(&f));
	add(o, "designs", designs_json(&f, counts));
	add(o, "file_systems", rows_json(&f, f.fs, f.nr_fs));
	add(o, "files", rows_json(&f, f.rows, f.nr_rows));
	add(o, "no_file", counts_json(&f, f.nobody));
	add(o, "others", counts_json(&f, f.others));
	add_number(o, "made_room", f.made_room);
	ct_files_free(&f);
	return o;
}
