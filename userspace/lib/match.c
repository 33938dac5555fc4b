// SPDX-License-Identifier: GPL-2.0
#include "match.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

#define ACCEPTED \
	"pid, tgid, uid, comm, outcome, reason, kind, origin, path, min_duration_ns"

enum ct_match_number { PID, TGID, UID, DURATION, NR_NUMBERS };

static const char * const numbers[NR_NUMBERS] = { "pid", "tgid", "uid", "min_duration_ns" };

static const char * const sets[CT_NR_MATCH_SETS] = {
	[CT_MATCH_OUTCOME] = "outcome", [CT_MATCH_REASON] = "reason", [CT_MATCH_KIND] = "kind",
	[CT_MATCH_ORIGIN] = "origin", [CT_MATCH_PATH] = "path",
};

static size_t find(const char * const *names, size_t nr, const char *name, size_t length)
{
	size_t i = 0;

	while (i < nr && (strncmp(names[i], name, length) || names[i][length]))
		i++;
	return i;
}

static int add_number(struct ct_match *m, size_t i, const char *text, struct ct_error *err)
{
	uint64_t max = i == DURATION ? UINT64_MAX : UINT32_MAX, n;

	if (!ct_number(text, &n) || n > max)
		return ct_error_set(err, -EINVAL,
				    "%s is a number up to %" PRIu64 ", not \"%.64s\"",
				    numbers[i], max, text);
	m->number[i] = n;
	m->given |= 1u << i;
	return 0;
}

/* The names that a trace has for a field, as one line. */
static const char *names_of(const struct ct_schema *schema, const char *vocab)
{
	static char list[512];
	size_t n = 0;

	list[0] = '\0';
	for (size_t i = 0; i < schema->nr_words && n < sizeof(list); i++)
		if (!strcmp(schema->words[i].vocab, vocab))
			n += snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
				      schema->words[i].name);
	return list;
}

static int add_set(struct ct_match *m, const struct ct_schema *schema, size_t i, const char *text,
		   struct ct_error *err)
{
	uint64_t bits = 0;

	do {
		size_t length = strcspn(text, ",");
		const struct ct_word *w = ct_schema_named(schema, sets[i], text, length);

		if (!w || w->value >= 64)
			return ct_error_set(err, -EINVAL,
					    "the trace knows no %s \"%.*s\": it has %s", sets[i],
					    length < 64 ? (int)length : 64, text,
					    names_of(schema, sets[i]));
		bits |= 1ull << w->value;
		text += length;
	} while (*text++);
	m->set[i] = bits;
	return 0;
}

int ct_match_add(struct ct_match *m, const struct ct_schema *schema, const char *setting,
		 struct ct_error *err)
{
	const char *equals = strchr(setting, '=');
	size_t length = equals ? (size_t)(equals - setting) : strlen(setting);
	size_t i;

	if (!equals)
		return ct_error_set(err, -EINVAL, "a filter is NAME=VALUE, not \"%.64s\"", setting);
	i = find(numbers, NR_NUMBERS, setting, length);
	if (i < NR_NUMBERS)
		return add_number(m, i, equals + 1, err);
	i = find(sets, CT_NR_MATCH_SETS, setting, length);
	if (i < CT_NR_MATCH_SETS)
		return add_set(m, schema, i, equals + 1, err);
	if (length != strlen("comm") || strncmp(setting, "comm", length))
		return ct_error_set(err, -EINVAL, "there is no filter \"%.*s\": give one of " ACCEPTED,
				    length < 64 ? (int)length : 64, setting);
	if (!equals[1] || strlen(equals + 1) >= sizeof(m->comm))
		return ct_error_set(err, -EINVAL, "comm has 1 to %zu bytes, not \"%.64s\"",
				    sizeof(m->comm) - 1, equals + 1);
	memset(m->comm, 0, sizeof(m->comm));
	strcpy(m->comm, equals + 1);
	return 0;
}

static bool in_set(uint64_t set, uint8_t value)
{
	return !set || (value < 64 && set & 1ull << value);
}

static bool is(const struct ct_match *m, enum ct_match_number which, uint64_t value)
{
	return !(m->given & 1u << which) || m->number[which] == value;
}

bool ct_match_fits(const struct ct_match *m, const struct cowtrace_record *r)
{
	return is(m, PID, r->pid) && is(m, TGID, r->tgid) && is(m, UID, r->uid) &&
	       (!(m->given & 1u << DURATION) || r->duration_ns >= m->number[DURATION]) &&
	       (!m->comm[0] || !strncmp(m->comm, r->comm, sizeof(r->comm))) &&
	       in_set(m->set[CT_MATCH_OUTCOME], r->outcome) &&
	       in_set(m->set[CT_MATCH_REASON], r->reason) &&
	       in_set(m->set[CT_MATCH_KIND], r->kind) &&
	       in_set(m->set[CT_MATCH_ORIGIN], r->origin) &&
	       in_set(m->set[CT_MATCH_PATH], r->path);
}
