// SPDX-License-Identifier: GPL-2.0
/* The report for people, in 100 columns. */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "bytes.h"
#include "report_parts.h"
#include "units.h"

#define COLUMNS		100
#define DEFAULT_TOP	10

struct page {
	FILE	*out;
	const struct ct_report *r;
	const struct ct_report_opts *opts;
	size_t	column;
};

static void put(struct page *p, const char *text)
{
	fputs(text, p->out);
	p->column += ct_text_width(text);
}

static void end_line(struct page *p)
{
	fputc('\n', p->out);
	p->column = 0;
}

static void heading(struct page *p, const char *text)
{
	end_line(p);
	fprintf(p->out, p->opts->color ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

static void spaces(struct page *p, size_t n)
{
	p->column += n;
	while (n--)
		fputc(' ', p->out);
}

/* Text in a column: to the left for a width below zero, as printf() has it. */
static void cell(struct page *p, int width, const char *text)
{
	size_t have = ct_text_width(text);
	size_t want = width < 0 ? -width : width;

	if (width > 0 && have < want)
		spaces(p, want - have);
	put(p, text);
	if (width < 0 && have < want)
		spaces(p, want - have);
}

/* The rest of the line and as many more as it takes, below where it begins. */
static void wrapped(struct page *p, const char *text)
{
	size_t indent = p->column;

	while (*text) {
		size_t n = strcspn(text, " ");
		char word[128];

		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		if (p->column > indent && p->column + 1 + ct_text_width(word) > COLUMNS) {
			end_line(p);
			spaces(p, indent);
		} else if (p->column > indent) {
			spaces(p, 1);
		}
		put(p, word);
		text += n + strspn(text + n, " ");
	}
	end_line(p);
}

__attribute__((format(printf, 2, 3)))
static void say(struct page *p, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	wrapped(p, text);
}

static void count_cell(struct page *p, int width, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, n ? ct_format_count(text, n) : "-");
}

static void bytes_cell(struct page *p, int width, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, n ? ct_format_bytes(text, n) : "-");
}

static void ns_cell(struct page *p, int width, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, ct_format_ns(text, n));
}

static void share_cell(struct page *p, int width, uint64_t part, uint64_t whole)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, ct_format_share(text, part, whole));
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* The traced command, as far as it fits. */
static void command_line(const struct ct_report *r, char *to, size_t size)
{
	struct json_object *target, *argv;
	char word[256], line[1024] = "";
	size_t i, n;

	*to = '\0';
	if (!r->meta || !json_object_object_get_ex(r->meta, "target", &target) ||
	    !json_object_object_get_ex(target, "argv", &argv) ||
	    !json_object_is_type(argv, json_type_array))
		return;
	n = json_object_array_length(argv);
	for (i = 0; i < n && strlen(line) + 1 < sizeof(line); i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(argv, i));

		ct_clean_text(word, sizeof(word), s ? s : "", s ? strlen(s) : 0);
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "",
			 word);
	}
	ct_clean_text(to, size, line, strlen(line));
}

static void title(struct page *p)
{
	const struct ct_report *r = p->r;
	char path[256], command[200];

	ct_clean_text(path, sizeof(path), r->path, strlen(r->path));
	command_line(r, command, sizeof(command));
	say(p, "%s: kernel %s, cowtrace module %s by %s",
	    strcmp(path, "-") ? path : "standard input", r->schema->kernel ?: "-", r->schema->module ?: "-", r->schema->backend ?: "-");
	if (*command)
		say(p, "traced: %s", command);
}

static void totals(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	uint64_t span = s->last_ns - s->first_ns;
	uint64_t rest = s->total.faults - s->total.reuses - s->total.copies - s->total.splits;
	char n[CT_UNIT_TEXT], t[CT_UNIT_TEXT], rate[CT_UNIT_TEXT], share[CT_UNIT_TEXT];

	end_line(p);
	if (!s->total.faults) {
		say(p, "No write-protect fault was recorded.");
		return;
	}
	if (span >= 1000000000)
		say(p, "%s write-protect fault%s of %zu process%s in %s, %s a second",
		    ct_format_count(n, s->total.faults), plural(s->total.faults), s->nr_processes,
		    s->nr_processes == 1 ? "" : "es", ct_format_ns(t, span),
		    ct_format_count(rate, s->total.faults / (span / 1e9)));
	else
		say(p, "%s write-protect fault%s of %zu process%s in %s",
		    ct_format_count(n, s->total.faults), plural(s->total.faults), s->nr_processes,
		    s->nr_processes == 1 ? "" : "es", ct_format_ns(t, span));
	spaces(p, 2);
	say(p, "%s reused the page (%s)", ct_format_count(n, s->total.reuses),
	    ct_format_share(share, s->total.reuses, s->total.faults));
	spaces(p, 2);
	if (s->total.copies) {
		char b[CT_UNIT_TEXT];

		say(p, "%s copied it (%s): %s copied, %s spent",
		    ct_format_count(n, s->total.copies),
		    ct_format_share(share, s->total.copies, s->total.faults),
		    ct_format_bytes(b, s->total.bytes), ct_format_ns(t, s->total.copy_ns));
	} else {
		say(p, "no page was copied");
	}
	if (s->total.splits) {
		spaces(p, 2);
		say(p, "%s split a huge page (%s), to go on page by page",
		    ct_format_count(n, s->total.splits),
		    ct_format_share(share, s->total.splits, s->total.faults));
	}
	if (rest) {
		spaces(p, 2);
		say(p, "%s did %s (%s)", ct_format_count(n, rest),
		    s->total.splits ? "none of these" : "neither",
		    ct_format_share(share, rest, s->total.faults));
	}
}

static void word_head(struct page *p, const char *what, const char *of, const char *third)
{
	spaces(p, 2);
	cell(p, -15, what);
	cell(p, 11, "faults");
	cell(p, 10, of);
	cell(p, 10, third);
	cell(p, 10, "time");
	put(p, "  meaning");
	end_line(p);
}

static void word_row(struct page *p, const char *name, uint64_t n, uint64_t whole,
		     uint64_t bytes, uint64_t ns, const char *sentence)
{
	spaces(p, 2);
	cell(p, -15, name);
	count_cell(p, 11, n);
	share_cell(p, 10, n, whole);
	bytes_cell(p, 10, bytes);
	ns_cell(p, 10, ns);
	spaces(p, 2);
	wrapped(p, sentence);
}

/* One row for each word of a vocabulary that occurs, the most frequent first. */
static void words(struct page *p, const char *title_, const char *vocab,
		  const struct ct_count *counts)
{
	const struct ct_summary *s = p->r->summary;
	bool done[256] = { false };
	int i, best;

	heading(p, title_);
	word_head(p, vocab, "share", "copied");
	for (;;) {
		best = -1;
		for (i = 0; i < 256; i++)
			if (counts[i].faults && !done[i] &&
			    (best < 0 || counts[i].faults > counts[best].faults))
				best = i;
		if (best < 0)
			return;
		done[best] = true;
		word_row(p, ct_report_word(p->r, vocab, best), counts[best].faults,
			 s->total.faults, counts[best].bytes, counts[best].ns,
			 ct_report_sentence(p->r, vocab, best));
	}
}

static void path_row(struct page *p, const char *name, const struct ct_count *c)
{
	spaces(p, 2);
	cell(p, -15, name);
	count_cell(p, 11, c->faults);
	count_cell(p, 11, c->reuses);
	count_cell(p, 11, c->copies);
	count_cell(p, 11, c->splits);
	bytes_cell(p, 10, c->bytes);
	ns_cell(p, 10, c->ns);
	end_line(p);
}

/* Nothing where all faults took the path of one PTE. */
static void paths(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	const struct ct_count *after = &s->after_split;
	char n[CT_UNIT_TEXT], copies[CT_UNIT_TEXT], reuses[CT_UNIT_TEXT];
	int i;

	if (s->paths[COWTRACE_PATH_PTE].faults == s->total.faults)
		return;
	heading(p, "By path: one page, a huge page mapped by a PMD, a hugetlb page");
	spaces(p, 2);
	cell(p, -15, "path");
	cell(p, 11, "faults");
	cell(p, 11, "reuses");
	cell(p, 11, "copies");
	cell(p, 11, "splits");
	cell(p, 10, "copied");
	cell(p, 10, "time");
	end_line(p);
	for (i = 0; i < 256; i++)
		if (s->paths[i].faults)
			path_row(p, ct_report_word(p->r, "path", i), &s->paths[i]);
	if (!after->faults)
		return;
	spaces(p, 2);
	say(p, "%s fault%s of one page went on with an access that had just split its huge page: "
	       "%s copied, %s reused", ct_format_count(n, after->faults), plural(after->faults),
	    ct_format_count(copies, after->copies), ct_format_count(reuses, after->reuses));
}

static bool copied(const struct ct_pair *pair)
{
	return pair->outcome == COWTRACE_OUTCOME_COPY ||
	       pair->outcome == COWTRACE_OUTCOME_UNSHARE;
}

static bool reused(const struct ct_pair *pair)
{
	return pair->outcome == COWTRACE_OUTCOME_REUSE;
}

static bool was_split(const struct ct_pair *pair)
{
	return pair->outcome == COWTRACE_OUTCOME_SPLIT;
}

static void reasons(struct page *p, const char *title_, bool (*member)(const struct ct_pair *),
		    uint64_t whole)
{
	const struct ct_summary *s = p->r->summary;
	char name[64];
	size_t i;

	if (!whole)
		return;
	heading(p, title_);
	word_head(p, "reason", "share", "copied");
	for (i = 0; i < s->nr_pairs; i++) {
		const struct ct_pair *pair = &s->pairs[i];

		if (!member(pair))
			continue;
		snprintf(name, sizeof(name), "%s%s", ct_report_word(p->r, "reason", pair->reason),
			 pair->outcome == COWTRACE_OUTCOME_UNSHARE ? "*" : "");
		word_row(p, name, pair->time.count, whole, pair->bytes, pair->time.sum,
			 ct_report_sentence(p->r, "reason", pair->reason));
	}
	if (member == copied && s->outcomes[COWTRACE_OUTCOME_UNSHARE].faults) {
		spaces(p, 2);
		say(p, "* unshare: a private copy for a read-only pin");
	}
}

static void average_cell(struct page *p, int width, uint64_t sum, uint64_t n)
{
	char text[CT_UNIT_TEXT];
	double average = (double)sum / n;

	snprintf(text, sizeof(text), average < 99.95 ? "%.2f" : "%.0f", average);
	cell(p, width, sum ? text : "-");
}

/* Columns of the table of holders. */
static const struct holder {
	const char	*name;
	size_t		offset;
	int		width;
	bool		rare;	/* shown only where it is not 0 throughout */
} holder_columns[] = {
	{ "total", offsetof(struct ct_held, total), 8, false },
	{ "mappings", offsetof(struct ct_held, mappings), 10, false },
	{ "swap cache", offsetof(struct ct_held, swapcache), 12, false },
	{ "page cache", offsetof(struct ct_held, pagecache), 12, false },
	{ "LRU batch", offsetof(struct ct_held, lru), 11, false },
	{ "pins", offsetof(struct ct_held, pins), 8, false },
	{ "fault", offsetof(struct ct_held, fault), 8, true },
	{ "unattributed", offsetof(struct ct_held, unattributed), 14, false },
};

#define NR_HOLDERS	(sizeof(holder_columns) / sizeof(*holder_columns))

static uint64_t held_by(const struct ct_held *held, size_t column)
{
	return *(const uint64_t *)((const char *)held + holder_columns[column].offset);
}

static void holder_row(struct page *p, const struct ct_pair *pair, const bool *shown)
{
	size_t c;

	spaces(p, 2);
	cell(p, -15, ct_report_word(p->r, "reason", pair->reason));
	for (c = 0; c < NR_HOLDERS; c++)
		if (shown[c])
			average_cell(p, holder_columns[c].width, held_by(&pair->held, c),
				     pair->held.known);
	end_line(p);
}

static void holders(struct page *p, const char *title_, bool (*member)(const struct ct_pair *))
{
	const struct ct_summary *s = p->r->summary;
	bool shown[NR_HOLDERS], any = false;
	char count[CT_UNIT_TEXT];
	uint64_t large = 0;
	size_t i, c;

	for (c = 0; c < NR_HOLDERS; c++)
		shown[c] = !holder_columns[c].rare;
	for (i = 0; i < s->nr_pairs; i++) {
		if (!member(&s->pairs[i]))
			continue;
		any |= s->pairs[i].held.known;
		large += s->pairs[i].held.large;
		for (c = 0; c < NR_HOLDERS; c++)
			shown[c] |= held_by(&s->pairs[i].held, c);
	}
	if (!any)
		return;
	heading(p, title_);
	spaces(p, 2);
	cell(p, -15, "reason");
	for (c = 0; c < NR_HOLDERS; c++)
		if (shown[c])
			cell(p, holder_columns[c].width, holder_columns[c].name);
	end_line(p);
	for (i = 0; i < s->nr_pairs; i++)
		if (member(&s->pairs[i]) && s->pairs[i].held.known)
			holder_row(p, &s->pairs[i], shown);
	if (large) {
		spaces(p, 2);
		say(p, "%s of these pages %s part of a large folio, whose references count as a whole",
		    ct_format_count(count, large), large == 1 ? "is" : "are");
	}
}

/* The flags that say how far a verdict or a reason can be relied on. */
static void evidence(struct page *p)
{
	static const uint16_t flags[] = {
		COWTRACE_EV_WITNESS, COWTRACE_EV_COUNTED, COWTRACE_EV_TRIED,
		COWTRACE_EV_DRAINED, COWTRACE_EV_SHIFTED, COWTRACE_EV_UNSTABLE,
	};
	const struct ct_summary *s = p->r->summary;
	bool any = false;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		uint64_t n = ct_summary_flagged(s, flags[i]);

		if (!n)
			continue;
		if (!any) {
			heading(p, "What outcomes and reasons rest on");
			spaces(p, 2);
			cell(p, -15, "evidence");
			cell(p, 11, "faults");
			cell(p, 10, "share");
			put(p, "  meaning");
			end_line(p);
			any = true;
		}
		spaces(p, 2);
		cell(p, -15, ct_report_word(p->r, "evidence", flags[i]));
		count_cell(p, 11, n);
		share_cell(p, 10, n, s->total.faults);
		spaces(p, 2);
		wrapped(p, ct_report_sentence(p->r, "evidence", flags[i]));
	}
}

static void durations(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	size_t i;

	heading(p, "How long a fault took, from entry to exit of the kernel's function");
	spaces(p, 2);
	cell(p, -10, "outcome");
	cell(p, -16, "reason");
	cell(p, 11, "faults");
	cell(p, 10, "average");
	cell(p, 10, "median");
	cell(p, 10, "99 %");
	cell(p, 10, "longest");
	end_line(p);
	for (i = 0; i < s->nr_pairs; i++) {
		const struct ct_pair *pair = &s->pairs[i];

		spaces(p, 2);
		cell(p, -10, ct_report_word(p->r, "outcome", pair->outcome));
		cell(p, -16, pair->reason ? ct_report_word(p->r, "reason", pair->reason) : "-");
		count_cell(p, 11, pair->time.count);
		ns_cell(p, 10, pair->time.sum / pair->time.count);
		ns_cell(p, 10, ct_histogram_percentile(&pair->time, 50));
		ns_cell(p, 10, ct_histogram_percentile(&pair->time, 99));
		ns_cell(p, 10, pair->time.max);
		end_line(p);
	}
}

static void count_cells(struct page *p, const struct ct_count *c)
{
	count_cell(p, 11, c->faults);
	count_cell(p, 11, c->copies);
	count_cell(p, 11, c->reuses);
	bytes_cell(p, 10, c->bytes);
	ns_cell(p, 10, c->ns);
}

static void count_heads(struct page *p)
{
	cell(p, 11, "faults");
	cell(p, 11, "copies");
	cell(p, 11, "reuses");
	cell(p, 10, "copied");
	cell(p, 10, "time");
}

static size_t rows(const struct page *p, size_t n)
{
	size_t top = p->opts->top ? p->opts->top : DEFAULT_TOP;

	return n < top ? n : top;
}

static void more(struct page *p, size_t shown, size_t n)
{
	char text[CT_UNIT_TEXT];

	if (shown == n)
		return;
	spaces(p, 2);
	say(p, "and %s more: --top %zu shows all", ct_format_count(text, n - shown), n);
}

/* Names of the bits, "none" when there is none. */
static void evidence_names(const struct page *p, uint16_t evidence, char *to, size_t size)
{
	size_t used = 0;
	uint32_t bit;

	snprintf(to, size, "none");
	for (bit = 1; bit <= evidence; bit <<= 1)
		if ((evidence & bit) && used < size)
			used += snprintf(to + used, size - used, "%s%s", used ? " " : "",
					 ct_report_word(p->r, "evidence", bit));
}

static void doubts(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	char names[1024], count[CT_UNIT_TEXT];
	size_t i, n = rows(p, s->nr_doubts);
	uint64_t unwatched = 0;

	if (!n)
		return;
	heading(p, "Unknown and raced faults, by their evidence");
	spaces(p, 2);
	cell(p, -10, "outcome");
	cell(p, -10, "path");
	cell(p, 11, "faults");
	cell(p, 10, "share");
	put(p, "  evidence");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_doubt *d = &s->doubts[i];

		spaces(p, 2);
		cell(p, -10, ct_report_word(p->r, "outcome", d->outcome));
		cell(p, -10, ct_report_word(p->r, "path", d->path));
		count_cell(p, 11, d->faults);
		share_cell(p, 10, d->faults, s->total.faults);
		spaces(p, 2);
		evidence_names(p, d->evidence, names, sizeof(names));
		wrapped(p, names);
	}
	more(p, n, s->nr_doubts);
	for (i = 0; i < s->nr_doubts; i++)
		if (!(s->doubts[i].evidence & (COWTRACE_EV_WATCHED | COWTRACE_EV_RET)))
			unwatched += s->doubts[i].faults;
	if (unwatched) {
		spaces(p, 2);
		say(p, "%s without a witness that was armed: cowtrace doctor says what this "
		       "kernel has, --witness sets it", ct_format_count(count, unwatched));
	}
}

static void parent_of(const struct page *p, uint32_t process, char *to, size_t size)
{
	const struct ct_processes *table = p->r->summary->processes;
	const struct ct_process *it;
	const char *name;

	snprintf(to, size, "-");
	if (process == CT_MAP_NONE)
		return;
	it = ct_processes_get(table, process);
	if (it->parent == CT_MAP_NONE)
		return;
	name = ct_processes_name(table, it->parent, it->start);
	snprintf(to, size, "%s (%u)", name ?: "?", ct_processes_get(table, it->parent)->tgid);
}

static void processes(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	size_t i, n = rows(p, s->nr_processes);
	char parent[CT_NAME_MAX], pid[CT_UNIT_TEXT];

	heading(p, "Processes");
	spaces(p, 2);
	cell(p, -16, "process");
	cell(p, 8, "pid");
	count_heads(p);
	put(p, "  parent");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_process_count *it = &s->by_process[i];

		spaces(p, 2);
		cell(p, -16, it->comm);
		snprintf(pid, sizeof(pid), "%u", it->tgid);
		cell(p, 8, pid);
		count_cells(p, &it->count);
		spaces(p, 2);
		parent_of(p, it->process, parent, sizeof(parent));
		put(p, parent);
		end_line(p);
	}
	more(p, n, s->nr_processes);
}

static void site_name(const struct page *p, const struct ct_site_count *site, char *to, size_t size)
{
	const struct ct_object *object;

	if (site->object == CT_MAP_NONE) {
		snprintf(to, size, "0x%" PRIx64, site->offset);
		return;
	}
	object = ct_processes_object(p->r->summary->processes, site->object);
	if (site->symbol)
		snprintf(to, size, "%s %s+0x%" PRIx64, ct_base_name(object->path), site->symbol,
			 site->past);
	else
		snprintf(to, size, "%s+0x%" PRIx64, ct_base_name(object->path), site->offset);
}

static void sites(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	size_t i, n = rows(p, s->nr_sites);
	char name[512];

	if (!s->nr_sites)
		return;
	heading(p, "Code sites: the user instruction that faulted");
	spaces(p, 1);
	count_heads(p);
	put(p, "  object and symbol");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_site_count *it = &s->by_site[i];

		spaces(p, 1);
		count_cells(p, &it->count);
		spaces(p, 2);
		site_name(p, it, name, sizeof(name));
		put(p, name);
		end_line(p);
	}
	more(p, n, s->nr_sites);
}

/* One line of what is missing; nothing for 0. */
static bool loss_line(struct page *p, uint64_t n, const char *sentence, const char *next)
{
	char text[CT_UNIT_TEXT];

	if (!n)
		return false;
	cell(p, 13, ct_format_count(text, n));
	spaces(p, 2);
	if (next)
		say(p, "%s: %s", sentence, next);
	else
		wrapped(p, sentence);
	return true;
}

static bool loss_lines(struct page *p, const char *title_, const struct ct_loss *loss)
{
	bool any = false;
	uint64_t n = 0;

	for (; loss->name; loss++) {
		if (!ct_state_number(&p->r->state, loss->file, loss->name, &n) || !n)
			continue;
		if (!any && title_)
			heading(p, title_);
		any |= loss_line(p, n, loss->sentence, loss->next);
	}
	return any;
}

static bool damages(struct page *p)
{
	const struct ct_trace_info *info = p->r->info;
	char n[CT_UNIT_TEXT];
	size_t i, kind;

	if (!info->damages)
		return false;
	for (kind = 0; kind < CT_NR_DAMAGE_KINDS; kind++) {
		uint64_t bytes = 0;
		char cpus[64] = "";

		for (i = 0; i < info->damages && i < CT_DAMAGE_LISTED; i++) {
			const struct ct_damage *d = &info->listed[i];

			if (d->kind != kind)
				continue;
			bytes += d->bytes;
			if (d->cpu != UINT32_MAX && strlen(cpus) < sizeof(cpus) - 16)
				snprintf(cpus + strlen(cpus), sizeof(cpus) - strlen(cpus),
					 "%s%u", *cpus ? ", " : " of CPU ", d->cpu);
		}
		if (!bytes)
			continue;
		cell(p, 13, ct_format_bytes(n, bytes));
		spaces(p, 2);
		say(p, "damaged: %s%s", ct_damage_sentence(kind), cpus);
	}
	if (info->damages > CT_DAMAGE_LISTED) {
		cell(p, 13, ct_format_bytes(n, info->damaged_bytes));
		spaces(p, 2);
		say(p, "damaged in all, in %s places", ct_format_count(n, info->damages));
	}
	return true;
}

static void losses(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	const struct ct_trace_info *info = p->r->info;
	bool counted = ct_state_text(&p->r->state, "lost");
	bool any;

	heading(p, "What was lost");
	any = loss_lines(p, NULL, ct_losses);
	any |= loss_line(p, info->lost, "records missing in the sequences of the CPUs", NULL);
	any |= loss_line(p, info->repeated, "records that stood in the trace twice and count once",
			 NULL);
	any |= loss_line(p, ct_processes_lost(s->processes),
			 "process events dropped by perf: names and symbols may be missing",
			 NULL);
	any |= loss_line(p, ct_processes_bad(s->processes),
			 "process events that make no sense", NULL);
	any |= damages(p);
	if (!info->ended) {
		spaces(p, 2);
		say(p, "The trace has no end: its writer was killed, the disk was full, or it is "
		       "still being written.");
		any = true;
	}
	if (!counted) {
		spaces(p, 2);
		say(p, "The module's own counters are not in the trace: what was lost before it "
		       "reached the file is not known.");
	} else if (!any) {
		spaces(p, 2);
		say(p, "Nothing.");
	}
	loss_lines(p, "Left out on request", ct_left_out);
}

int ct_report_text(FILE *out, const struct ct_report *r, const struct ct_report_opts *opts)
{
	const struct ct_summary *s = r->summary;
	struct page p = { out, r, opts, 0 };

	title(&p);
	totals(&p);
	if (s->total.faults) {
		words(&p, "What the kernel did", "outcome", s->outcomes);
		paths(&p);
		reasons(&p, "Copies by reason", copied, s->total.copies);
		reasons(&p, "Reuses by reason", reused, s->total.reuses);
		reasons(&p, "Splits by reason", was_split, s->total.splits);
		holders(&p, "Who held the copied pages: references a page, on average", copied);
		holders(&p, "Who held the split huge pages: references a huge page, on average",
			was_split);
		evidence(&p);
		doubts(&p);
		durations(&p);
		words(&p, "Where the writes came from", "origin", s->origins);
		words(&p, "Kinds of page", "kind", s->kinds);
		processes(&p);
		sites(&p);
	}
	losses(&p);
	return ferror(out) ? -1 : 0;
}
