// SPDX-License-Identifier: GPL-2.0
#include "page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "bytes.h"
#include "meta.h"
#include "report_lost.h"
#include "units.h"

void put(struct page *p, const char *text)
{
	fputs(text, p->out);
	p->column += ct_text_width(text);
}

void end_line(struct page *p)
{
	fputc('\n', p->out);
	p->column = 0;
}

void heading(struct page *p, const char *text)
{
	end_line(p);
	fprintf(p->out, p->opts->color ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

void spaces(struct page *p, size_t n)
{
	p->column += n;
	while (n--)
		fputc(' ', p->out);
}

void cell(struct page *p, int width, const char *text)
{
	size_t have = ct_text_width(text);
	size_t want = width < 0 ? -width : width;

	if (width > 0 && have < want)
		spaces(p, want - have);
	put(p, text);
	if (width < 0 && have < want)
		spaces(p, want - have);
}

void wrapped(struct page *p, const char *text)
{
	size_t indent = p->column;

	while (*text) {
		size_t n = strcspn(text, " ");
		char word[128];

		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		if (!p->unwrapped && p->column > indent &&
		    p->column + 1 + ct_text_width(word) > COLUMNS) {
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

void say(struct page *p, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	wrapped(p, text);
}

void count_cell(struct page *p, int width, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, n ? ct_format_count(text, n) : "-");
}

void bytes_cell(struct page *p, int width, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, n ? ct_format_bytes(text, n) : "-");
}

const char *process_text(char *to, size_t width, const char *name, uint32_t number)
{
	char digits[CT_UNIT_TEXT];
	size_t bytes = strlen(name), room;

	room = width - snprintf(digits, sizeof(digits), " (%u)", number);
	/* More bytes than columns: a character of several goes as a whole. */
	while (ct_text_width(name) - ct_text_width(name + bytes) > room ||
	       (name[bytes] & 0xc0) == 0x80)
		bytes--;
	snprintf(to, PROCESS_TEXT, "%.*s%s", (int)bytes, name, digits);
	return to;
}

void ns_cell(struct page *p, int width, uint64_t n)
{
	const struct ct_counts *counts = p->r->summary ? p->r->summary->counts : NULL;
	char text[CT_UNIT_TEXT];

	cell(p, width, counts && !counts->timed ? "-" : ct_format_ns(text, n));
}

void share_cell(struct page *p, int width, uint64_t part, uint64_t whole)
{
	char text[CT_UNIT_TEXT];

	cell(p, width, ct_format_share(text, part, whole));
}

const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void page_words(struct json_object *words, char *to, size_t size)
{
	size_t i, used = 0, n = 0;

	*to = '\0';
	if (json_object_is_type(words, json_type_array))
		n = json_object_array_length(words);
	for (i = 0; i < n && used + 1 < size; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(words, i)) ?: "";

		if (i)
			to[used++] = ' ';
		ct_clean_text(to + used, size - used, s, strlen(s));
		used += strlen(to + used);
	}
}

void command_line(const struct ct_report *r, char *to, size_t size)
{
	page_words(ct_meta_member(r->meta, "target", "argv"), to, size);
}

/* That what follows is estimated, and how far that can be relied on. */
static void sampling(struct page *p)
{
	const struct ct_sample *s = &p->r->sample;
	char recorded[CT_UNIT_TEXT], all[CT_UNIT_TEXT];

	if (!ct_sampled(s))
		return;
	if (s->all)
		say(p, "sampled: %s of %s faults were %s, 1 in %.4g, each by chance",
		    ct_format_count(recorded, s->recorded), ct_format_count(all, s->all),
		    p->r->summary && p->r->summary->counts ? "counted" : "recorded", s->factor);
	else
		say(p, "sampled: 1 in %.4g faults was recorded, each by chance", s->factor);
	spaces(p, 2);
	say(p, "counts, bytes and times below are estimates of all of them: the standard error of a count n is at most the root of %.4g n",
	    s->factor - 1);
	if (!s->changed)
		return;
	spaces(p, 2);
	say(p, "sample_every was %llu when tracing began and changed under way: the estimates lean to the time in which more was recorded",
	    (unsigned long long)s->every);
}

void title(struct page *p)
{
	const struct ct_report *r = p->r;
	char path[256], command[200];

	ct_clean_text(path, sizeof(path), r->path, strlen(r->path));
	command_line(r, command, sizeof(command));
	say(p, "%s: kernel %s, cowtrace %s by %s",
	    r->summary && r->summary->counts ? "counted" :
	    strcmp(path, "-") ? path : "standard input", r->schema->kernel ?: "-",
	    r->schema->module ?: "-", r->schema->backend ?: "-");
	if (*command)
		say(p, "traced: %s", command);
	sampling(p);
}

void count_cells(struct page *p, const struct ct_count *c)
{
	count_cell(p, 11, c->faults);
	count_cell(p, 11, c->copies);
	count_cell(p, 11, c->reuses);
	bytes_cell(p, 10, c->bytes);
	ns_cell(p, 10, c->ns);
}

void count_heads(struct page *p)
{
	cell(p, 11, "faults");
	cell(p, 11, "copies");
	cell(p, 11, "reuses");
	cell(p, 10, "copied");
	cell(p, 10, "time");
}

size_t rows(const struct page *p, size_t n)
{
	size_t top = p->opts->top ? p->opts->top : DEFAULT_TOP;

	return n < top ? n : top;
}

void more(struct page *p, size_t shown, size_t n)
{
	char text[CT_UNIT_TEXT];

	if (shown == n)
		return;
	spaces(p, 2);
	say(p, "and %s more: --top %zu shows all", ct_format_count(text, n - shown), n);
}

void site_name(const struct ct_processes *processes, const struct ct_site *site, char *to,
	       size_t size)
{
	const struct ct_object *object;

	if (site->object == CT_MAP_NONE) {
		snprintf(to, size, "0x%" PRIx64, site->offset);
		return;
	}
	object = ct_processes_object(processes, site->object);
	if (site->symbol)
		snprintf(to, size, "%s %s+0x%" PRIx64, ct_base_name(object->path), site->symbol,
			 site->past);
	else
		snprintf(to, size, "%s+0x%" PRIx64, ct_base_name(object->path), site->offset);
}

static void lost_line(void *arg, const struct ct_lost *lost)
{
	char text[CT_UNIT_TEXT];
	struct page *p = arg;

	if (lost->unit == CT_LOST_STATEMENT) {
		spaces(p, 2);
		wrapped(p, lost->what);
		return;
	}
	cell(p, 13, lost->unit == CT_LOST_BYTES ? ct_format_bytes(text, lost->n) :
						  ct_format_count(text, lost->n));
	spaces(p, 2);
	if (lost->next)
		say(p, "%s: %s", lost->what, lost->next);
	else
		wrapped(p, lost->what);
}

/* Under a heading that no line is no reason for. */
static void left_out_line(void *arg, const struct ct_lost *lost)
{
	struct page **p = arg;

	if (p[0])
		heading(p[0], "Left out on request");
	p[0] = NULL;
	lost_line(p[1], lost);
}

void losses(struct page *p, const struct ct_processes *processes)
{
	struct page *unheaded[2] = { p, p };

	heading(p, "What was lost");
	if (!ct_report_lost(p->r, processes, lost_line, p)) {
		spaces(p, 2);
		say(p, "Nothing.");
	}
	ct_report_left_out(p->r, left_out_line, unheaded);
}
