// SPDX-License-Identifier: GPL-2.0
/* What the group files has counted, as a trace has it, and what designs of a break cost. */
#include <string.h>

#include "files.h"
#include "tap.h"

static char stats[] =
	"state off\nran_ns 2500000000\nlimited 1\nseconds 60\n"
	"private-mapped 5\nmkwrite 3\nwrite 21\nlookup 100\nlookup-read 40\n"
	"probe do_wp_page hits 9 missed 2\nprobe __do_fault hits 1 missed 4\n";

static char table[] =
	"site a private-mapped counted private write faults\n"
	"site b mkwrite counted calls of page_mkwrite\n"
	"site c write counted pages that are written\n"
	"site f gup absent pages that GUP takes\n"
	"site h lookup counted lookups\n"
	"site h lookup-read counted lookups of a batch\n"
	"fs 254:0 ext4 vda 5 3 21 0 60 40\n"
	"fs - - - 0 0 0 0 10 0\n"
	"no-file 0 0 0 0 30 0\n"
	"others 0 0 1 0 2 3\n"
	"made-room 7\n"
	"file 254:0 12 3 exact 5 3 20 0 58 37 a name of several words\n"
	"file 0:21 13 0 at-least 0 0 0 0 10 0 \n";

int main(void)
{
	struct ct_state state = { .nr = 2, .file = {
		{ .name = "groups/files/stats", .text = stats },
		{ .name = "groups/files/table", .text = table },
	} };
	struct ct_state none = { 0 };
	struct ct_files_price price;
	struct ct_files f;

	ok(ct_files_load(&none, &f), "a trace without the group says so");
	if (!ok(!ct_files_load(&state, &f), "a trace with it is read"))
		return tap_end();
	ok(f.nr_sites == 6 && f.sites[4].total == 100, "sites have the totals of stats");
	ok(!f.sites[3].counted && ct_files_absent(&f, 'f') && !ct_files_absent(&f, 'h'),
	   "what the kernel cannot count is absent, not 0");
	ok(f.nr_fs == 2 && !strcmp(f.fs[0].type, "ext4") && f.fs[0].counts[2] == 21,
	   "file systems are read");
	ok(f.nr_rows == 2 && f.rows[0].ino == 12 && f.rows[0].generation == 3 &&
	   f.rows[0].exact && f.rows[0].counts[5] == 37, "files are read");
	ok(!strcmp(f.rows[0].name, "a name of several words"), "a name may have blanks");
	ok(!f.rows[1].exact && !*f.rows[1].name, "a file may have no name, and be a lower bound");
	ok(f.nobody[4] == 30 && f.others[5] == 3 && f.made_room == 7,
	   "what is in no row is kept apart");
	ok(f.missed == 6 && f.limited && f.seconds == 60 && f.ran_ns == 2500000000ull,
	   "what was missed and how long it ran");
	ok(ct_files_class(&f, f.fs[0].counts, 'h') == 100, "a class is the sum of its sites");
	ok(!ct_files_class(&f, f.fs[0].counts, 'b'), "page_mkwrite is no second page");
	price = ct_files_price(&f, f.rows[0].counts);
	ok(price.at_sites == 25 && price.in_lookup == 95 && price.beside_lookup == 5,
	   "one design looks at each site, the other at lookups and where there is none");
	ct_files_free(&f);
	return tap_end();
}
