// SPDX-License-Identifier: GPL-2.0
#include "oracle.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Depth of the tree of a page. */
#define DEPTH	64

/* Bytes of the character at @s: UTF-8 as RFC 3629 has it; 0 for none. */
static size_t utf8(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80 ? 1 : *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : *s >= 0xc0 ? 2 : 0, i;
	uint32_t c = n == 1 ? *s : *s & (0x7f >> n);

	if (!n || n > left || *s >= 0xf8)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* UTF-8, and of control characters only those in @controls. */
static void must_be_clean(const char *text, size_t size, const char *controls)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at, n;

	for (at = 0; at < size; at += n) {
		n = utf8(s + at, size - at);
		MUST(n);
		MUST(s[at] >= 0x20 ? s[at] != 0x7f : s[at] && strchr(controls, s[at]));
		/* U+0080 to U+009F */
		MUST(s[at] != 0xc2 || s[at + 1] >= 0xa0);
	}
}

void must_be_text(const char *text, size_t size)
{
	must_be_clean(text, size, "\n");
}

/*
 * Strict, json-c 0.18 refuses all that is not ASCII, within strings too (its issue 892).
 * That it is UTF-8 is known by then.
 */
static char *ascii(const char *text, size_t size)
{
	char *to = fuzz_text(text, size);
	size_t i;

	for (i = 0; i < size; i++)
		if (to[i] & 0x80)
			to[i] = 'x';
	return to;
}

void must_be_json(const char *text, size_t size)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *o;
	char *shape;

	must_be_clean(text, size, "\n");
	shape = ascii(text, size);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(t, shape, size);
	MUST(json_tokener_get_error(t) == json_tokener_success);
	json_object_put(o);
	json_tokener_free(t);
	free(shape);
}

void must_be_jsonl(const char *text, size_t size)
{
	const char *end;

	for (; size; size -= end + 1 - text, text = end + 1) {
		end = memchr(text, '\n', size);
		MUST(end);
		must_be_json(text, end - text);
	}
}

/* Past one field of a line. */
static const char *csv_field(const char *at)
{
	if (*at != '"')
		return at + strcspn(at, ",\r\"");
	for (at++; *at; at++) {
		if (*at != '"')
			continue;
		if (at[1] != '"')
			return at + 1;
		at++;
	}
	return at;
}

void must_be_csv(const char *text, size_t size)
{
	const char *end = text + size;
	size_t columns = 0, n = 1;

	must_be_clean(text, size, "\r\n");
	while (text < end) {
		text = csv_field(text);
		if (*text == ',') {
			n++;
			text++;
			continue;
		}
		MUST(text[0] == '\r' && text[1] == '\n');
		MUST(!columns || n == columns);
		columns = n;
		n = 1;
		text += 2;
	}
	MUST(text == end);
}

void must_be_folded(const char *text, size_t size)
{
	const char *end, *blank;

	must_be_clean(text, size, "\n");
	for (; size; size -= end + 1 - text, text = end + 1) {
		end = memchr(text, '\n', size);
		MUST(end);
		blank = memrchr(text, ' ', end - text);
		MUST(blank && blank > text && blank + 1 < end);
		MUST(strspn(blank + 1, "0123456789") == (size_t)(end - blank - 1));
		MUST(*text != ';' && blank[-1] != ';');
	}
}

static const char *metric_name(const char *at)
{
	MUST(isalpha(*at) || *at == '_');
	while (isalnum(*at) || *at == '_' || *at == ':')
		at++;
	return at;
}

static const char *metric_labels(const char *at)
{
	do {
		at = metric_name(at + 1);
		MUST(at[0] == '=' && at[1] == '"');
		for (at += 2; *at != '"'; at++) {
			MUST(*at && *at != '\n');
			if (*at == '\\') {
				at++;
				MUST(*at == '\\' || *at == '"' || *at == 'n');
			}
		}
		at++;
	} while (*at == ',');
	MUST(*at == '}');
	return at + 1;
}

void must_be_prometheus(const char *text, size_t size)
{
	const char *end = text + size, *at;
	char *rest;

	must_be_clean(text, size, "\n");
	for (; text < end; text = at + 1) {
		if (*text == '#') {
			MUST(!strncmp(text, "# HELP ", 7) || !strncmp(text, "# TYPE ", 7) ||
			     !strcmp(text, "# EOF\n"));
			at = strchr(text, '\n');
			MUST(at);
			continue;
		}
		at = metric_name(text);
		if (*at == '{')
			at = metric_labels(at);
		MUST(*at == ' ');
		strtod(at + 1, &rest);
		MUST(rest > at + 1 && *rest == '\n');
		at = rest;
	}
}

static const uint8_t *varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	unsigned int shift;

	*value = 0;
	for (shift = 0; ; shift += 7) {
		MUST(at < end && shift < 70);
		if (shift < 64)
			*value |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80))
			return at;
	}
}

static void must_be_message(const uint8_t *at, const uint8_t *end, bool trace)
{
	uint64_t tag, n;

	while (at < end) {
		at = varint(at, end, &tag);
		MUST(tag >> 3);
		MUST(!trace || tag == (1 << 3 | 2));
		switch (tag & 7) {
		case 0:
			at = varint(at, end, &n);
			break;
		case 1:
			MUST(end - at >= 8);
			at += 8;
			break;
		case 2:
			at = varint(at, end, &n);
			MUST(n <= (uint64_t)(end - at));
			if (trace)
				must_be_message(at, at + n, false);
			at += n;
			break;
		default:
			MUST((tag & 7) == 5 && end - at >= 4);
			at += 4;
		}
	}
}

void must_be_perfetto(const char *text, size_t size)
{
	must_be_message((const uint8_t *)text, (const uint8_t *)text + size, true);
}

static bool is_void(const char *name, size_t n)
{
	static const char *const names[] = { "meta", "br", "hr", "link", "img", "input", "col" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], name, n))
			return true;
	return false;
}

/* Attributes of an element up to its end: values in quotes, no event handlers. */
static const char *html_attributes(const char *at, bool *closed)
{
	for (;;) {
		at += strspn(at, "\n ");
		*closed = *at == '/';
		if (*closed)
			at++;
		if (*at == '>')
			return at + 1;
		MUST(!*closed && isalpha(*at) && strncasecmp(at, "on", 2));
		while (isalnum(*at) || strchr("-:_", *at))
			at++;
		if (*at != '=')
			continue;
		MUST(at[1] == '"');
		at += 2 + strcspn(at + 2, "\"<");
		MUST(*at == '"');
		at++;
	}
}

void must_be_html(const char *text, size_t size)
{
	struct { const char *name; size_t n; } open[DEPTH];
	const char *at = text, *name;
	size_t depth = 0, n;
	bool end, closed;

	must_be_clean(text, size, "\n\t");
	MUST(!strncasecmp(at, "<!doctype html", 14));
	at = strchr(at, '>') + 1;
	while ((at = strchr(at, '<'))) {
		end = at[1] == '/';
		name = at + 1 + end;
		n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
		MUST(n && (n != 6 || memcmp(name, "script", 6)));
		at = name + n;
		if (end) {
			MUST(*at == '>' && depth--);
			MUST(open[depth].n == n && !memcmp(open[depth].name, name, n));
			continue;
		}
		at = html_attributes(at, &closed);
		if (closed || is_void(name, n))
			continue;
		MUST(depth < DEPTH);
		open[depth].name = name;
		open[depth++].n = n;
	}
	MUST(!depth);
}
