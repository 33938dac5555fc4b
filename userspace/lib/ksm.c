// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "ksm_parts.h"

#define CT_KSM_WORD_(name, word, sentence)	word,
#define CT_KSM_SENTENCE_(name, word, sentence)	sentence,
const char * const ct_ksm_how_words[] = { CT_KSM_HOWS(CT_KSM_WORD_) };
const char * const ct_ksm_how_sentences[] = { CT_KSM_HOWS(CT_KSM_SENTENCE_) };
const char * const ct_ksm_end_words[] = { CT_KSM_ENDS(CT_KSM_WORD_) };
const char * const ct_ksm_end_sentences[] = { CT_KSM_ENDS(CT_KSM_SENTENCE_) };

static unsigned int log2_of(uint64_t ns)
{
	return ns ? 63 - __builtin_clzll(ns) : 0;
}

/* --- ends ----------------------------------------------------------------------------- */

static void add_vain(struct ct_ksm_vain *v, uint64_t merge_ns, const struct ksm_seen *s)
{
	v->merges++;
	v->merge_ns += merge_ns;
	v->copy_ns += s->ns;
	v->example = s->seq;
}

static void zero_ends(struct ct_ksm *k, enum ct_ksm_end end)
{
	k->zero.live--;
	if (end < CT_KSM_COPIES)
		k->zero.copies++;
	else if (end == CT_KSM_EXIT)
		k->zero.exits++;
	else
		k->zero.unseen++;
}

/* A merge ends by an event; if that is a copy, when it began. */
static void ends(struct ct_ksm *k, struct ksm_entry *e, enum ct_ksm_end end,
		 const struct ksm_seen *s)
{
	struct ct_ksm_process *p = &k->processes[e->process];
	uint64_t time_ns = s->time_ns - (end < CT_KSM_COPIES ? s->ns : 0);
	uint64_t life = time_ns > e->time_ns ? time_ns - e->time_ns : 0;

	e->live = false;
	if (e->zero) {
		zero_ends(k, end);
		return;
	}
	k->live--;
	k->pages[e->page].live--;
	k->ended[end].merges++;
	k->ended[end].lives[log2_of(life)]++;
	p->ended[end]++;
	if (end >= CT_KSM_ACCESSES || life >= k->in_vain)
		return;
	k->pages[e->page].vain++;
	add_vain(&k->vain, e->merge_ns, s);
	add_vain(&p->vain, e->merge_ns, s);
}

/* --- events ------------------------------------------------------------------------------ */

static int merged(struct ct_ksm *k, const struct ksm_seen *s, enum ct_ksm_how how)
{
	struct ksm_entry *e = ksm_entry(k, s);

	if (!e)
		return -ENOMEM;
	if (e->live)
		ends(k, e, CT_KSM_GONE, s);
	e->zero = s->zero;
	if (!s->zero) {
		e->page = ksm_page(k, s, how == CT_KSM_FIRST);
		if (e->page == KSM_NOBODY)
			return -ENOMEM;
	}
	e->time_ns = s->time_ns;
	e->merge_ns = s->ns;
	e->process = s->process;
	e->live = true;
	if (s->zero) {
		k->zero.merges++;
		k->zero.live++;
		k->zero.merge_ns += s->ns;
		return 0;
	}
	k->how[how]++;
	k->live++;
	k->merge_ns += s->ns;
	k->processes[s->process].merges++;
	k->pages[e->page].merges++;
	k->pages[e->page].live++;
	if (s->users_told && s->users > k->pages[e->page].most)
		k->pages[e->page].most = s->users;
	return 0;
}

static void count_copy(struct ct_ksm *k, const struct ksm_seen *s, struct ct_ksm_page *page)
{
	page->copies++;
	k->copies++;
	if (!s->users_told)
		return;
	if (s->users > page->most)
		page->most = s->users;
	if (s->users != 1)
		return;
	k->one_user++;
	k->one_user_example = s->seq;
	k->one_reference += s->refs == 1;
	k->processes[s->process].one_user++;
}

static int copied(struct ct_ksm *k, const struct ksm_seen *s, enum ct_ksm_end cause)
{
	struct ct_ksm_process *p = &k->processes[s->process];
	struct ksm_entry *e = ksm_find(k, s);
	uint32_t page;

	if (!s->zero) {
		page = ksm_page(k, s, false);
		if (page == KSM_NOBODY)
			return -ENOMEM;
		count_copy(k, s, &k->pages[page]);
		k->ended[cause].copy_ns += s->ns;
	}
	if (e && e->live && e->zero == s->zero) {
		ends(k, e, cause, s);
	} else if (s->zero) {
		k->zero.copies++;
	} else {
		k->ended[cause].others++;
		p->others++;
	}
	return 0;
}

static enum ct_ksm_end word_of(const char *const *words, unsigned int nr, const char *text)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(words[i], text))
			break;
	return i;
}

static int take_break(struct ct_ksm *k, const struct ct_group_event *e, const struct ksm_seen *s)
{
	char cause[16], result[16];
	enum ct_ksm_end end;

	if (!ct_group_text(e, "cause", cause, sizeof(cause)) ||
	    !ct_group_text(e, "result", result, sizeof(result)))
		return 0;
	end = word_of(ct_ksm_end_words, CT_KSM_COPIES, cause);
	if (!strcmp(result, "copy"))
		return end < CT_KSM_COPIES ? copied(k, s, end) : 0;
	if (!s->zero) {
		k->raced += !strcmp(result, "raced");
		k->oom += !strcmp(result, "oom");
		k->retried += !strcmp(result, "retried");
	}
	return 0;
}

static int take_merge(struct ct_ksm *k, const struct ct_group_event *e, const struct ksm_seen *s)
{
	unsigned int how;
	char word[16];

	if (!ct_group_text(e, "how", word, sizeof(word)))
		return 0;
	how = word_of(ct_ksm_how_words, CT_NR_KSM_HOWS, word);
	return how < CT_NR_KSM_HOWS ? merged(k, s, how) : 0;
}

static void space_ends(struct ct_ksm *k, const struct ksm_seen *s)
{
	struct ct_ksm_books *b = k->books;
	uint32_t at = ct_map_find(&b->space_at, s->mm, 0);

	if (at == CT_MAP_NONE)
		return;
	for (at = b->spaces[at].first; at != KSM_NOBODY; at = b->entries[at].next)
		if (b->entries[at].live)
			ends(k, &b->entries[at], CT_KSM_EXIT, s);
}

static void removed(struct ct_ksm *k, const struct ct_group_event *event,
		    const struct ksm_seen *s)
{
	struct ksm_entry *e = ksm_find(k, s);
	uint64_t dead = 0;

	/* Mostly the end was seen when it came. */
	ct_group_number(event, "dead", &dead);
	if (e && e->live && !e->zero)
		ends(k, e, dead ? CT_KSM_EXIT : CT_KSM_GONE, s);
}

int ct_ksm_take(struct ct_ksm *k, const struct ct_group_event *e)
{
	struct ksm_seen s = { .time_ns = e->time_ns, .seq = e->seq };

	if (!ct_group_number(e, "mm", &s.mm))
		return 0;
	if (!strcmp(e->word, "exit")) {
		space_ends(k, &s);
		return 0;
	}
	if (!ct_group_number(e, "addr", &s.address))
		return 0;
	if (!strcmp(e->word, "remove")) {
		removed(k, e, &s);
		return 0;
	}
	s.process = ksm_process(k, e);
	if (s.process == KSM_NOBODY)
		return -ENOMEM;
	s.zero = !ct_group_number(e, "pfn", &s.pfn);
	ct_group_number(e, "ns", &s.ns);
	ct_group_number(e, "refs", &s.refs);
	s.users_told = ct_group_number(e, "users", &s.users);
	if (!strcmp(e->word, "merge"))
		return take_merge(k, e, &s);
	if (!strcmp(e->word, "zero"))
		return merged(k, &s, CT_KSM_JOINED);
	return strcmp(e->word, "break") ? 0 : take_break(k, e, &s);
}

static int take(void *arg, const struct ct_group_event *e)
{
	return ct_ksm_take(arg, e);
}

int ct_ksm_load(struct ct_reader *reader, uint64_t in_vain, struct ct_ksm **ksm)
{
	struct ct_ksm *k = ct_ksm_new(in_vain);
	int ret = k ? ct_group_walk(reader, "ksm", &k->info, take, k) : -ENOMEM;

	if (ret) {
		ct_ksm_free(k);
		return ret;
	}
	*ksm = k;
	return 0;
}

uint64_t ct_ksm_merges(const struct ct_ksm *k)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < CT_NR_KSM_HOWS; i++)
		sum += k->how[i];
	return sum;
}

uint64_t ct_ksm_ended(const struct ct_ksm *k)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < CT_NR_KSM_ENDS; i++)
		sum += k->ended[i].merges;
	return sum;
}
