// SPDX-License-Identifier: GPL-2.0
#include "schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* How a field of the trace becomes a member of struct cowtrace_record. */
struct move {
	uint16_t	from;
	uint16_t	to;
	uint16_t	size;
};

/* The members that this reader knows. */
#define MEMBER_TYPE_u8		CT_TYPE_UNSIGNED
#define MEMBER_TYPE_u16		CT_TYPE_UNSIGNED
#define MEMBER_TYPE_u32		CT_TYPE_UNSIGNED
#define MEMBER_TYPE_u64		CT_TYPE_UNSIGNED
#define MEMBER_TYPE_s32		CT_TYPE_SIGNED
#define MEMBER_TYPE_char16	CT_TYPE_TEXT
#define MEMBER(member, ctype, f, u, present, s)				\
	{ #member, MEMBER_TYPE_##ctype, offsetof(struct cowtrace_record, member), \
	  sizeof(((struct cowtrace_record *)0)->member), present },

static const struct member {
	const char	*name;
	enum ct_type	type;
	uint16_t	offset;
	uint16_t	size;
	uint32_t	present;
} members[] = { COWTRACE_FIELDS(MEMBER) };

/* Words whose numbers this reader's own code relies on. */
#define KNOWN_PATH(id, v, n, s)		{ "path", v, n },
#define KNOWN_ORIGIN(id, v, n, s)	{ "origin", v, n },
#define KNOWN_KIND(id, v, n, s)		{ "kind", v, n },
#define KNOWN_OUTCOME(id, v, n, s)	{ "outcome", v, n },
#define KNOWN_REASON(id, v, n, s)	{ "reason", v, n },
#define KNOWN_STATE(id, v, n, s)	{ "state", 1u << (v), n },
#define KNOWN_EVIDENCE(id, v, n, s)	{ "evidence", 1u << (v), n },
#define KNOWN_PRESENT(id, v, n, s)	{ "present", 1u << (v), n },
#define KNOWN_TRAIT(id, v, n, s)	{ "trait", 1u << (v), n },

static const struct {
	const char	*vocab;
	uint32_t	value;
	const char	*name;
} known_words[] = {
	COWTRACE_PATHS(KNOWN_PATH)
	COWTRACE_ORIGINS(KNOWN_ORIGIN)
	COWTRACE_KINDS(KNOWN_KIND)
	COWTRACE_OUTCOMES(KNOWN_OUTCOME)
	COWTRACE_REASONS(KNOWN_REASON)
	COWTRACE_STATES(KNOWN_STATE)
	COWTRACE_EVIDENCE(KNOWN_EVIDENCE)
	COWTRACE_PRESENT(KNOWN_PRESENT)
	COWTRACE_TRAITS(KNOWN_TRAIT)
};

/* Without these nothing can be said about a trace. */
static const char * const mandatory[] = {
	"seq", "type", "magic", "time_ns", "duration_ns", "pid", "tgid", "address",
	"present", "outcome", "reason",
};

struct schema {
	struct ct_schema pub;
	char		*text;
	struct ct_field	*fields;
	struct ct_word	*words;
	uint16_t	present_mask;
	/* The layout is that of struct cowtrace_record. */
	bool		native;
	size_t		nr_moves;
	struct move	moves[ARRAY_SIZE(members)];
};

struct parser {
	struct schema	*s;
	struct ct_error	*err;
	unsigned int	line;
	bool		opened;
};

__attribute__((format(printf, 2, 3)))
static int bad(struct parser *p, const char *format, ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return ct_error_set(p->err, -EINVAL,
			    "schema, line %u: %s; the trace cannot be read without it",
			    p->line, why);
}

/* Takes the next word off @line, NULL if there is none. */
static char *next_word(char **line)
{
	char *word;

	while (**line == ' ')
		(*line)++;
	word = *line;
	while (**line && **line != ' ')
		(*line)++;
	if (word == *line)
		return NULL;
	if (**line)
		*(*line)++ = '\0';
	return word;
}

static char *rest_of(char *line)
{
	while (*line == ' ')
		line++;
	return line;
}

static bool parse_u32(const char *word, uint32_t *value)
{
	unsigned long long v;
	char *end;

	if (!word || *word < '0' || *word > '9')
		return false;
	errno = 0;
	v = strtoull(word, &end, 0);
	if (errno || *end || v > UINT32_MAX)
		return false;
	*value = v;
	return true;
}

static bool parse_type(const char *word, enum ct_type *type, uint32_t *size)
{
	uint32_t n;

	if (!strncmp(word, "char", 4)) {
		*type = CT_TYPE_TEXT;
		return parse_u32(word + 4, size) && *size && *size <= CT_SCHEMA_RECORD_MAX;
	}
	*type = *word == 's' ? CT_TYPE_SIGNED : CT_TYPE_UNSIGNED;
	if ((*word != 's' && *word != 'u') || !parse_u32(word + 1, &n))
		return false;
	*size = n / 8;
	return n == 8 || n == 16 || n == 32 || n == 64;
}

static int parse_head(struct parser *p, char *line)
{
	char *name = next_word(&line);
	char *word = next_word(&line);
	char *version = next_word(&line);
	char *dot = version ? strchr(version, '.') : NULL;

	if (!name || strcmp(name, "cowtrace") || !word || strcmp(word, "schema") || !dot)
		return bad(p, "is not \"cowtrace schema MAJOR.MINOR\"");
	*dot = '\0';
	if (!parse_u32(version, &p->s->pub.major) || !parse_u32(dot + 1, &p->s->pub.minor))
		return bad(p, "the version is not MAJOR.MINOR");
	if (p->s->pub.major > COWTRACE_SCHEMA_MAJOR)
		return ct_error_set(p->err, -EPROTO,
				    "the trace has schema %u.%u, this cowtrace reads up to %u.x: use a newer cowtrace",
				    p->s->pub.major, p->s->pub.minor, COWTRACE_SCHEMA_MAJOR);
	p->opened = true;
	return 0;
}

static int parse_field(struct parser *p, char *line)
{
	struct ct_field f = { 0 }, *fields;
	struct ct_schema *s = &p->s->pub;
	char *type, *offset, *size, *absent, *colon;
	uint32_t type_size;

	f.name = next_word(&line);
	type = next_word(&line);
	offset = next_word(&line);
	size = next_word(&line);
	f.format = next_word(&line);
	f.unit = next_word(&line);
	absent = next_word(&line);
	if (!absent || !parse_u32(absent, &f.present_bit))
		return bad(p, "a field needs name, type, offset, size, format, unit, mask");
	f.sentence = rest_of(line);

	if (!parse_u32(offset, &f.offset) || !parse_u32(size, &f.size))
		return bad(p, "offset or size of field %s is no number", f.name);
	/* A type of later versions: the field cannot be read, the rest can. */
	if (!parse_type(type, &f.type, &type_size))
		return 0;
	if (type_size != f.size)
		return bad(p, "field %s has type %s and size %s", f.name, type, size);
	if (ct_schema_field(s, f.name))
		return bad(p, "field %s stands there twice", f.name);
	if (s->nr_fields == CT_SCHEMA_FIELDS_MAX)
		return bad(p, "more than %d fields", CT_SCHEMA_FIELDS_MAX);
	colon = strchr(f.format, ':');
	if (colon) {
		*colon = '\0';
		f.vocab = colon + 1;
	}

	fields = realloc(p->s->fields, (s->nr_fields + 1) * sizeof(*fields));
	if (!fields)
		return ct_error_set(p->err, -ENOMEM, "out of memory");
	fields[s->nr_fields++] = f;
	p->s->fields = fields;
	s->fields = fields;
	return 0;
}

static int parse_word(struct parser *p, char *line)
{
	struct ct_schema *s = &p->s->pub;
	struct ct_word w = { 0 }, *words;
	char *value;
	size_t i;

	w.vocab = next_word(&line);
	value = next_word(&line);
	w.name = next_word(&line);
	if (!w.name || !parse_u32(value, &w.value))
		return bad(p, "a word needs vocabulary, value and name");
	w.sentence = rest_of(line);
	for (i = 0; i < s->nr_words; i++) {
		if (strcmp(s->words[i].vocab, w.vocab))
			continue;
		if (s->words[i].value == w.value || !strcmp(s->words[i].name, w.name))
			return bad(p, "%s %u %s was given another meaning before", w.vocab, w.value,
				   w.name);
	}
	for (i = 0; i < ARRAY_SIZE(known_words); i++) {
		if (known_words[i].value == w.value && !strcmp(known_words[i].vocab, w.vocab) &&
		    strcmp(known_words[i].name, w.name))
			return bad(p, "%s %u is %s, not %s", w.vocab, w.value, known_words[i].name,
				   w.name);
	}
	if (s->nr_words == CT_SCHEMA_WORDS_MAX)
		return bad(p, "more than %d words", CT_SCHEMA_WORDS_MAX);

	words = realloc(p->s->words, (s->nr_words + 1) * sizeof(*words));
	if (!words)
		return ct_error_set(p->err, -ENOMEM, "out of memory");
	words[s->nr_words++] = w;
	p->s->words = words;
	s->words = words;
	return 0;
}

static int parse_setting(struct parser *p, const char *name, char *line)
{
	struct ct_schema *s = &p->s->pub;
	const struct { const char *name; const char **text; } texts[] = {
		{ "module", &s->module },
		{ "kernel", &s->kernel },
		{ "backend", &s->backend },
		{ "clock", &s->clock },
	};
	const struct { const char *name; uint32_t *number; } numbers[] = {
		{ "page_size", &s->page_size },
		{ "record_size", &s->record_size },
		{ "traits", &s->traits },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!strcmp(name, texts[i].name)) {
			*texts[i].text = rest_of(line);
			return 0;
		}
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!strcmp(name, numbers[i].name))
			return parse_u32(next_word(&line), numbers[i].number) ? 0 :
			       bad(p, "%s is no number", name);
	}
	/* Settings of later versions. */
	return 0;
}

static int parse_line(struct parser *p, char *line)
{
	char *name;

	if (!p->opened)
		return parse_head(p, line);
	name = next_word(&line);
	if (!name)
		return 0;
	if (!strcmp(name, "field"))
		return parse_field(p, line);
	if (!strcmp(name, "word"))
		return parse_word(p, line);
	return parse_setting(p, name, line);
}

/* Everything that only the whole text can tell. */
static int check_whole(struct parser *p)
{
	struct schema *s = p->s;
	size_t i;

	if (!p->opened)
		return ct_error_set(p->err, -EINVAL,
				    "the schema is empty; the trace cannot be read");
	if (s->pub.record_size < 8 || s->pub.record_size > CT_SCHEMA_RECORD_MAX)
		return ct_error_set(p->err, -EINVAL,
				    "schema: record_size is %u, not 8 to %d; the trace cannot be read",
				    s->pub.record_size, CT_SCHEMA_RECORD_MAX);
	if (s->pub.page_size < 512 || s->pub.page_size > 1u << 30 ||
	    s->pub.page_size & (s->pub.page_size - 1))
		return ct_error_set(p->err, -EINVAL,
				    "schema: page_size is %u, not a power of two; the trace cannot be read",
				    s->pub.page_size);
	for (i = 0; i < s->pub.nr_fields; i++) {
		const struct ct_field *f = &s->fields[i];

		if (f->offset > s->pub.record_size ||
		    f->size > s->pub.record_size - f->offset)
			return ct_error_set(p->err, -EINVAL,
					    "schema: field %s ends outside the record; the trace cannot be read",
					    f->name);
	}
	for (i = 0; i < ARRAY_SIZE(mandatory); i++) {
		if (!ct_schema_field(&s->pub, mandatory[i]))
			return ct_error_set(p->err, -EINVAL,
					    "schema: field %s is missing; the trace cannot be read",
					    mandatory[i]);
	}
	return 0;
}

/* Numbers that an older layout gave more bytes: the lower ones stand first. */
static bool was_wider(const struct schema *s, const struct ct_field *f, const struct member *m)
{
	return s->pub.major < COWTRACE_SCHEMA_MAJOR && f->type == CT_TYPE_UNSIGNED &&
	       f->size > m->size;
}

/* Where each member of struct cowtrace_record comes from. */
static int resolve(struct parser *p)
{
	struct schema *s = p->s;
	size_t i;

	s->native = s->pub.record_size >= sizeof(struct cowtrace_record) &&
		    htole16(1) == 1;
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];
		const struct ct_field *f = ct_schema_field(&s->pub, m->name);

		if (!f) {
			s->native = false;
			continue;
		}
		if (f->type != m->type || f->present_bit != m->present ||
		    (f->size != m->size && !was_wider(s, f, m)))
			return ct_error_set(p->err, -EINVAL,
					    "schema: field %s is not what version %d says; the trace cannot be read",
					    f->name, COWTRACE_SCHEMA_MAJOR);
		if (f->offset != m->offset || f->size != m->size)
			s->native = false;
		s->moves[s->nr_moves++] = (struct move){ f->offset, m->offset, m->size };
		s->present_mask |= m->present;
	}
	/* One bit that guards no field of its own. */
	s->present_mask |= COWTRACE_HAS_EXCLUSIVE;
	return 0;
}

/* Names and sentences go to terminals as they are. */
static bool is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

int ct_schema_parse(const char *text, size_t length, struct ct_schema **out,
		    struct ct_error *err)
{
	struct schema *s = calloc(1, sizeof(*s));
	struct parser p = { .s = s, .err = err };
	char *line, *next;
	size_t i;
	int ret;

	if (!s)
		return ct_error_set(err, -ENOMEM, "out of memory");
	if (length > CT_SCHEMA_TEXT_MAX) {
		ret = ct_error_set(err, -EINVAL,
				   "the schema is longer than %u bytes; the trace cannot be read",
				   CT_SCHEMA_TEXT_MAX);
		goto fail;
	}
	s->text = strndup(text, length);
	if (!s->text) {
		ret = ct_error_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	for (i = 0; i < length; i++) {
		if (text[i] != '\n' && !is_plain(text[i])) {
			ret = ct_error_set(err, -EINVAL,
					   "the schema is no plain text; the trace cannot be read");
			goto fail;
		}
	}
	for (line = s->text; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		p.line++;
		ret = parse_line(&p, line);
		if (ret)
			goto fail;
	}
	ret = check_whole(&p);
	if (!ret)
		ret = resolve(&p);
	if (ret)
		goto fail;
	*out = &s->pub;
	return 0;
fail:
	ct_schema_free(&s->pub);
	return ret;
}

void ct_schema_free(struct ct_schema *schema)
{
	struct schema *s = (struct schema *)schema;

	if (!s)
		return;
	free(s->text);
	free(s->fields);
	free(s->words);
	free(s);
}

const struct ct_field *ct_schema_field(const struct ct_schema *schema, const char *name)
{
	size_t i;

	for (i = 0; i < schema->nr_fields; i++)
		if (!strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	return NULL;
}

const struct ct_word *ct_schema_word(const struct ct_schema *schema, const char *vocab,
				     uint32_t value)
{
	size_t i;

	for (i = 0; i < schema->nr_words; i++)
		if (schema->words[i].value == value && !strcmp(schema->words[i].vocab, vocab))
			return &schema->words[i];
	return NULL;
}

const struct ct_word *ct_schema_named(const struct ct_schema *schema, const char *vocab,
				      const char *name, size_t length)
{
	for (size_t i = 0; i < schema->nr_words; i++) {
		const struct ct_word *w = &schema->words[i];

		if (!strcmp(w->vocab, vocab) && !strncmp(w->name, name, length) && !w->name[length])
			return w;
	}
	return NULL;
}

uint64_t ct_field_number(const struct ct_field *field, const void *raw)
{
	const uint8_t *from = (const uint8_t *)raw + field->offset;
	bool sign = field->type == CT_TYPE_SIGNED;

	switch (field->size) {
	case 1:
		return sign ? (uint64_t)(int8_t)*from : *from;
	case 2:
		return sign ? (uint64_t)(int16_t)ct_le16(from) : ct_le16(from);
	case 4:
		return sign ? (uint64_t)(int32_t)ct_le32(from) : ct_le32(from);
	case 8:
		return ct_le64(from);
	default:
		return 0;
	}
}

void ct_schema_decode(const struct ct_schema *schema, const void *raw,
		      struct cowtrace_record *record)
{
	const struct schema *s = (const struct schema *)schema;
	size_t i;

	if (s->native) {
		memcpy(record, raw, sizeof(*record));
	} else {
		memset(record, 0, sizeof(*record));
		for (i = 0; i < s->nr_moves; i++) {
			const struct move *m = &s->moves[i];
			const uint8_t *from = (const uint8_t *)raw + m->from;
			char *to = (char *)record + m->to;

			switch (m->size) {
			case 1:
				*to = *from;
				break;
			case 2:
				*(uint16_t *)to = ct_le16(from);
				break;
			case 4:
				*(uint32_t *)to = ct_le32(from);
				break;
			case 8:
				*(uint64_t *)to = ct_le64(from);
				break;
			default:
				memcpy(to, from, m->size);
			}
		}
	}
	record->present &= s->present_mask;
	record->comm[COWTRACE_COMM_LEN - 1] = '\0';
}
