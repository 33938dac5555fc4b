// SPDX-License-Identifier: GPL-2.0
#include "html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "bytes.h"
#include "units.h"

/* --- text and numbers -------------------------------------------------------- */

void html_put(struct html *h, const char *markup)
{
	fputs(markup, h->out);
}

void html_printf(struct html *h, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(h->out, format, args);
	va_end(args);
}

/* U+FFFE and U+FFFF are UTF-8, but no characters of XML. */
static void xml_characters(char *s)
{
	for (; (s = strstr(s, "\xef\xbf")); s += 3)
		if ((s[2] & 0xfe) == 0xbe)
			memcpy(s, "???", 3);
}

void html_text(struct html *h, const char *text)
{
	char clean[HTML_TEXT_MAX + 1], *s;

	ct_clean_text(clean, sizeof(clean), text, strlen(text));
	xml_characters(clean);
	for (s = clean; *s; s++) {
		if (*s == '&')
			fputs("&amp;", h->out);
		else if (*s == '<')
			fputs("&lt;", h->out);
		else if (*s == '>')
			fputs("&gt;", h->out);
		else if (*s == '"')
			fputs("&quot;", h->out);
		else if (*s == '\'')
			fputs("&#39;", h->out);
		else
			fputc(*s, h->out);
	}
	if (strlen(text) > HTML_TEXT_MAX)
		fputs("\xe2\x80\xa6", h->out);
}

void html_say(struct html *h, const char *format, ...)
{
	char text[HTML_TEXT_MAX + 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	html_text(h, text);
}

void html_paragraph(struct html *h, const char *text)
{
	html_printf(h, "<p>%s</p>\n", text);
}

void html_name(struct html *h, const char *name)
{
	html_put(h, "<bdi>");
	html_text(h, name);
	html_put(h, "</bdi>");
}

static void number(struct html *h, uint64_t n, const char *text)
{
	html_printf(h, "<data value=\"%" PRIu64 "\">%s</data>", n, text);
}

void html_count(struct html *h, uint64_t n)
{
	char text[CT_UNIT_TEXT];

	number(h, n, ct_format_count(text, n));
}

void html_bytes(struct html *h, uint64_t bytes)
{
	char text[CT_UNIT_TEXT];

	number(h, bytes, bytes ? ct_format_bytes(text, bytes) : "0");
}

void html_ns(struct html *h, uint64_t ns)
{
	char text[CT_UNIT_TEXT];

	if (h->untimed)
		html_put(h, "<span title=\"not measured\">\xe2\x80\x93</span>");
	else
		number(h, ns, ns ? ct_format_ns(text, ns) : "0");
}

void html_share(struct html *h, uint64_t part, uint64_t whole)
{
	char text[CT_UNIT_TEXT];

	html_put(h, "<span class=\"share\">");
	html_text(h, ct_format_share(text, part, whole));
	html_put(h, "</span>");
}

/* --- tables ------------------------------------------------------------------ */

void html_table(struct html *h, const char *id, const char *caption,
		const struct html_column *columns, size_t nr)
{
	size_t i;

	/* What scrolls must be within reach of the keyboard. */
	html_printf(h, "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
		    "aria-labelledby=\"%s-c\"><table id=\"%s\">\n<caption id=\"%s-c\"><span>", id, id, id);
	html_text(h, caption);
	html_put(h, "</span></caption>\n<thead><tr>");
	for (i = 0; i < nr; i++)
		html_printf(h, "<th scope=\"col\" class=\"%s\">%s</th>",
			    columns[i].class ?: "number", columns[i].name);
	html_put(h, "</tr></thead>\n<tbody>\n");
}

void html_table_end(struct html *h)
{
	html_put(h, "</tbody></table></div>\n");
}

void html_row(struct html *h, const char *name, const char *meaning)
{
	html_put(h, "<tr><th scope=\"row\">");
	html_name(h, name);
	if (meaning && *meaning) {
		html_put(h, "<small>");
		html_text(h, meaning);
		html_put(h, "</small>");
	}
	html_put(h, "</th>");
}

void html_row_end(struct html *h)
{
	html_put(h, "</tr>\n");
}

void html_cell_text(struct html *h, const char *text)
{
	html_put(h, "<td class=\"text\">");
	html_text(h, text);
	html_put(h, "</td>");
}

/* A number of nothing is there, but does not ask to be looked at. */
static void begin_cell(struct html *h, uint64_t n)
{
	html_put(h, n ? "<td>" : "<td class=\"none\">");
}

void html_cell_count(struct html *h, uint64_t n)
{
	begin_cell(h, n);
	html_count(h, n);
	html_put(h, "</td>");
}

void html_cell_bytes(struct html *h, uint64_t bytes)
{
	begin_cell(h, bytes);
	html_bytes(h, bytes);
	html_put(h, "</td>");
}

void html_cell_ns(struct html *h, uint64_t ns)
{
	begin_cell(h, ns);
	html_ns(h, ns);
	html_put(h, "</td>");
}

void html_cell_share(struct html *h, uint64_t part, uint64_t whole)
{
	begin_cell(h, part);
	html_share(h, part, whole);
	html_put(h, "</td>");
}

void html_cell_absent(struct html *h)
{
	html_put(h, "<td class=\"none\"><span title=\"not known\">\xe2\x80\x93</span></td>");
}

void html_cells_count(struct html *h, const struct ct_count *c)
{
	html_cell_count(h, c->faults);
	html_cell_count(h, c->copies);
	html_cell_count(h, c->reuses);
	html_cell_bytes(h, c->bytes);
	html_cell_ns(h, c->ns);
}

size_t html_rows(const struct html *h, size_t n)
{
	size_t top = h->top ? h->top : HTML_ROWS;

	if (top > HTML_ROWS_MAX)
		top = HTML_ROWS_MAX;
	return n < top ? n : top;
}

void html_row_more(struct html *h, size_t n)
{
	char text[CT_UNIT_TEXT];

	html_printf(h, "<tr class=\"more\"><th scope=\"row\">and %s more</th>",
		    ct_format_count(text, n));
}

/* --- bars -------------------------------------------------------------------- */

void html_bar(struct html *h, const char *text)
{
	html_put(h, "<span class=\"bar\" role=\"img\" aria-label=\"");
	html_text(h, text);
	html_put(h, "\" title=\"");
	html_text(h, text);
	html_put(h, "\">");
}

void html_bar_part(struct html *h, const char *class, uint64_t part, uint64_t whole)
{
	if (part && whole)
		html_printf(h, "<i class=\"%s\" style=\"width:%.2f%%\"></i>", class,
			    100.0 * part / whole);
}

void html_bar_end(struct html *h)
{
	html_put(h, "</span>");
}

void html_cell_bar(struct html *h, const char *class, uint64_t part, uint64_t whole)
{
	char text[CT_UNIT_TEXT];

	html_put(h, "<td class=\"bar\">");
	html_bar(h, ct_format_share(text, part, whole));
	html_bar_part(h, class, part, whole);
	html_bar_end(h);
	html_put(h, "</td>");
}
