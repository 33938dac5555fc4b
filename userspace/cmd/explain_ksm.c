// SPDX-License-Identifier: GPL-2.0
/* One event of KSM in sentences. */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "json.h"
#include "report_ksm.h"
#include "units.h"

#define MAX_SENTENCES	4

/**
 * struct told - what is said of an event
 * @nr: how many.
 * @text: of each.
 */
struct told {
	size_t	nr;
	char	text[MAX_SENTENCES][320];
};

__attribute__((format(printf, 2, 3)))
static void tell(struct told *t, const char *format, ...)
{
	char *text = t->text[t->nr++];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(t->text[0]), format, args);
	va_end(args);
	text[0] = toupper((unsigned char)text[0]);
}

/* "the page at ADDRESS of NAME (NUMBER)" */
static const char *whose(const struct ct_group_event *e, char *to, size_t size)
{
	char address[24] = "?", name[24] = "-", owner[16] = "-";

	ct_group_text(e, "addr", address, sizeof(address));
	ct_group_text(e, "name", name, sizeof(name));
	ct_group_text(e, "owner", owner, sizeof(owner));
	if (!strcmp(owner, "-"))
		snprintf(to, size, "the page at %s of a process that is no more", address);
	else
		snprintf(to, size, "the page at %s of %s (%s)", address, name, owner);
	return to;
}

static const char *sentence_of(const char *const *words, const char *const *sentences, size_t nr,
			       const char *word)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(words[i], word))
			return sentences[i];
	return word;
}

static void tell_merge(struct told *t, const struct ct_group_event *e)
{
	char page[96], pfn[24] = "?", how[16] = "?";
	uint64_t users = 0;

	ct_group_text(e, "pfn", pfn, sizeof(pfn));
	ct_group_text(e, "how", how, sizeof(how));
	ct_group_number(e, "users", &users);
	tell(t, "ksmd merged %s into the KSM page %s: %s.", whose(e, page, sizeof(page)), pfn,
	     sentence_of(ct_ksm_how_words, ct_ksm_how_sentences, CT_NR_KSM_HOWS, how));
	tell(t, "After it %" PRIu64 " page table entr%s map%s that page.", users,
	     users == 1 ? "y" : "ies", users == 1 ? "s" : "");
}

/* The references of a KSM page: there is none of the stable tree among them. */
static void tell_holders(struct told *t, const struct ct_group_event *e)
{
	uint64_t users, refs;

	if (!ct_group_number(e, "users", &users) || !ct_group_number(e, "refs", &refs))
		return;
	tell(t, "Held by: %" PRIu64 " mapping%s of %" PRIu64 " reference%s. The stable tree holds "
	     "none: it peeps at the page through a keyhole, the page's own pointer back to it.",
	     users, plural(users), refs, plural(refs));
	if (refs > users)
		tell(t, "%" PRIu64 " reference%s more than mappings: swap cache, an LRU batch, a "
		     "pin, or break_ksm() itself, which until 6.1 holds one during its own fault.",
		     refs - users, plural(refs - users));
	else if (users == 1)
		tell(t, "Nobody else had it: until 5.8 the kernel would have kept the page for "
		     "a write; since then KSM pages are always copied.");
}

static void tell_break(struct told *t, const struct ct_group_event *e)
{
	char page[96], pfn[24] = "?", cause[16] = "?", result[16] = "?";

	ct_group_text(e, "pfn", pfn, sizeof(pfn));
	ct_group_text(e, "cause", cause, sizeof(cause));
	ct_group_text(e, "result", result, sizeof(result));
	if (strcmp(result, "copy"))
		tell(t, "A fault on %s, which %s maps, came to nothing: %s.",
		     strcmp(pfn, "-") ? "a KSM page" : "a zero page of KSM",
		     whose(e, page, sizeof(page)), result);
	else
		tell(t, "%s, %s%s, was taken apart: %s.", whose(e, page, sizeof(page)),
		     strcmp(pfn, "-") ? "the KSM page " : "a zero page of KSM",
		     strcmp(pfn, "-") ? pfn : "",
		     sentence_of(ct_ksm_end_words, ct_ksm_end_sentences, CT_NR_KSM_ENDS, cause));
	tell_holders(t, e);
}

static void tell_all(struct told *t, const struct ct_group_event *e)
{
	char page[96], name[24] = "-", owner[16] = "-";
	uint64_t dead = 0;

	if (!strcmp(e->word, "merge")) {
		tell_merge(t, e);
	} else if (!strcmp(e->word, "zero")) {
		tell(t, "ksmd gave %s the zero page: it held nothing but zeros.",
		     whose(e, page, sizeof(page)));
	} else if (!strcmp(e->word, "break")) {
		tell_break(t, e);
	} else if (!strcmp(e->word, "remove")) {
		ct_group_number(e, "dead", &dead);
		tell(t, "%s left the stable tree: pages_shared or pages_sharing fell by one. %s, "
		     "and ksmd came by only now.", whose(e, page, sizeof(page)), dead ?
		     "Its process has ended" :
		     "It had been copied, unmapped or swapped out before");
	} else if (!strcmp(e->word, "exit")) {
		ct_group_text(e, "name", name, sizeof(name));
		ct_group_text(e, "owner", owner, sizeof(owner));
		tell(t, "%s (%s) ended or called exec(): all its merged pages are given up.", name,
		     owner);
	} else {
		tell(t, "%s %s: this version does not know that event.", e->word, e->fields);
	}
}

void ksm_explain(FILE *out, const struct ct_group_event *e, const struct ct_state *state)
{
	struct page p = { .out = out };
	char took[CT_UNIT_TEXT];
	struct told t = { 0 };
	uint64_t ns;
	size_t i;

	(void)state;
	fprintf(out, "ksm:%u  %s at %" PRIu64 ".%09" PRIu64 " s on CPU %u by %s (%u)\n", e->seq,
		e->word, e->time_ns / 1000000000, e->time_ns % 1000000000, e->cpu, e->comm, e->pid);
	tell_all(&t, e);
	for (i = 0; i < t.nr; i++) {
		spaces(&p, 5);
		say(&p, "%s", t.text[i]);
	}
	if (ct_group_number(e, "ns", &ns))
		fprintf(out, "     It took %s.\n", ct_format_ns(took, ns));
}

struct json_object *ksm_explain_json(const struct ct_group_event *e, const struct ct_state *state)
{
	static const char *const numbers[] = { "addr", "pfn", "users", "refs", "ns", "owner" };
	static const char *const texts[] = { "mm", "name", "how", "cause", "result" };
	struct json_object *o = json_object_new_object(), *said = json_object_new_array();
	struct told t = { 0 };
	char text[64];
	uint64_t n;
	size_t i;

	(void)state;
	add_text(o, "group", "ksm");
	add_number(o, "seq", e->seq);
	add_number(o, "time_ns", e->time_ns);
	add_number(o, "cpu", e->cpu);
	add_number(o, "pid", e->pid);
	add_number(o, "tgid", e->tgid);
	add_text(o, "comm", e->comm);
	add_text(o, "event", e->word);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (ct_group_text(e, texts[i], text, sizeof(text)))
			add_text(o, texts[i], text);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		add(o, numbers[i], ct_group_number(e, numbers[i], &n) ?
		    json_object_new_uint64(n) : NULL);
	tell_all(&t, e);
	for (i = 0; i < t.nr; i++)
		json_object_array_add(said, json_object_new_string(t.text[i]));
	add(o, "sentences", said);
	return o;
}
