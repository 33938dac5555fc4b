// SPDX-License-Identifier: GPL-2.0
#include "khugepaged.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"

#define FORMAT	"groups/" CT_KHUGE_GROUP "/format"

const char * const ct_estimate_names[] = {
#define NAME_(id, w, f, k)	w,
	CT_ESTIMATES(NAME_)
};

const char * const ct_estimate_functions[] = {
#define FUNCTION_(id, w, f, k)	f,
	CT_ESTIMATES(FUNCTION_)
};

const char * const ct_estimate_kernels[] = {
#define KERNELS_(id, w, f, k)	k,
	CT_ESTIMATES(KERNELS_)
};

const char * const ct_khuge_finding_names[] = {
#define WORD_(id, w, s)	w,
	CT_KHUGE_FINDINGS(WORD_)
};

const char * const ct_khuge_finding_sentences[] = {
#define SENTENCE_(id, w, s)	s,
	CT_KHUGE_FINDINGS(SENTENCE_)
};

/* Where the numbers of a scan stand. */
static const struct {
	const char	*key;
	size_t		scan, sum;
} numbers[] = {
#define NUMBER_(member, key, sentence)					\
	{ key, offsetof(struct ct_khuge_scan, member), offsetof(struct ct_khugepaged, sum.member) },
	CT_KHUGE_NUMBERS(NUMBER_)
};

#define NR_NUMBERS	(sizeof(numbers) / sizeof(*numbers))

/* --- names of verdicts ------------------------------------------------------------ */

/* One "{ NUMBER, "NAME" }" of a list; NULL behind the last. */
static const char *next_pair(const char *at, long long *number, const char **name, size_t *length)
{
	char *end;

	at += strcspn(at, "{)");
	if (*at != '{')
		return NULL;
	*number = strtoll(at + 1, &end, 0);
	end += strcspn(end, "\"}");
	if (*end != '"')
		return NULL;
	*name = end + 1;
	*length = strcspn(*name, "\"");
	return *name + *length;
}

bool ct_khuge_verdict(const char *format, int64_t status, char *to, size_t size)
{
	const char *at = format ? strstr(format, "__print_symbolic(REC->status") : NULL, *name;
	long long number;
	size_t length;

	while (at && (at = next_pair(at, &number, &name, &length)))
		if (number == status && length && length < size) {
			memcpy(to, name, length);
			to[length] = '\0';
			return true;
		}
	return false;
}

/* --- one scan ----------------------------------------------------------------------- */

static int64_t number(const struct ct_group_event *e, const char *key)
{
	uint64_t n;

	return ct_group_number(e, key, &n) && n <= INT64_MAX ? (int64_t)n : -1;
}

static void text(const struct ct_group_event *e, const char *key, char *to, size_t size)
{
	if (!ct_group_text(e, key, to, size))
		snprintf(to, size, "-");
}

static enum ct_estimate own_estimate(const struct ct_group_event *e)
{
	enum ct_estimate i;
	char word[16];

	text(e, "estimate", word, sizeof(word));
	for (i = 0; i < CT_NR_ESTIMATES && strcmp(word, ct_estimate_names[i]); i++)
		;
	return i;
}

int ct_khuge_over(const struct ct_khuge_scan *s, enum ct_estimate estimate)
{
	/* MADV_COLLAPSE has no limit. */
	if (s->madvise || estimate >= CT_NR_ESTIMATES || s->max_shared < 0 ||
	    s->shared[estimate] < 0)
		return -1;
	/* Who stops at the first page too many has not seen the others: over is over. */
	return s->shared[estimate] > s->max_shared;
}

static void judge(struct ct_khuge_scan *s, uint64_t page_size)
{
	int own = ct_khuge_over(s, s->own), precise = ct_khuge_over(s, CT_ESTIMATE_PRECISE);

	s->collapsed = !strcmp(s->verdict, "succeeded");
	if (own < 0 || precise < 0)
		s->finding = CT_KHUGE_OPEN;
	else if (own == precise)
		s->finding = CT_KHUGE_RIGHT;
	else
		s->finding = own ? CT_KHUGE_FALSE_SHARED : CT_KHUGE_FALSE_EXCLUSIVE;
	if (s->finding == CT_KHUGE_FALSE_EXCLUSIVE && s->collapsed) {
		s->shared_bytes = s->shared[CT_ESTIMATE_PRECISE] * page_size;
		s->filled_bytes = ((s->none > 0 ? (uint64_t)s->none : 0) +
				   (s->zero > 0 ? (uint64_t)s->zero : 0)) * page_size;
	}
	if (s->finding == CT_KHUGE_FALSE_SHARED && !strcmp(s->verdict, "exceed_shared_pte"))
		s->missed_bytes = s->ptes * page_size;
}

void ct_khuge_read(const struct ct_group_event *e, const struct ct_state *state,
		   uint64_t page_size, struct ct_khuge_scan *s)
{
	char word[16];
	int64_t n;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->seq = e->seq;
	text(e, "origin", word, sizeof(word));
	s->madvise = !strcmp(word, "madvise");
	text(e, "seen", word, sizeof(word));
	s->before = !strcmp(word, "before");
	n = number(e, "addr");
	s->address = n < 0 ? 0 : n;
	n = number(e, "owner");
	s->owner = n < 0 ? 0 : n;
	text(e, "owner_comm", s->owner_comm, sizeof(s->owner_comm));
	text(e, "table", s->table, sizeof(s->table));
	for (i = 0; i < NR_NUMBERS; i++)
		*(int64_t *)((char *)s + numbers[i].scan) = number(e, numbers[i].key);
	s->own = own_estimate(e);
	for (i = 0; i < CT_NR_ESTIMATES; i++)
		s->shared[i] = number(e, ct_estimate_names[i]);
	s->status = number(e, "status");
	if (!ct_khuge_verdict(ct_state_text(state, FORMAT), s->status, s->verdict,
			      sizeof(s->verdict)))
		snprintf(s->verdict, sizeof(s->verdict), "status %lld", (long long)s->status);
	judge(s, page_size);
}

/* --- all of them -------------------------------------------------------------------- */

static void add_verdict(struct ct_khugepaged *sum, const struct ct_khuge_scan *s)
{
	unsigned int i;

	for (i = 0; i < sum->nr_verdicts && sum->verdicts[i].status != s->status; i++)
		;
	if (i == CT_KHUGE_VERDICTS)
		i--;
	if (i == sum->nr_verdicts) {
		strcpy(sum->verdicts[i].name, s->verdict);
		sum->verdicts[i].status = s->status;
		sum->nr_verdicts++;
	}
	sum->verdicts[i].scans[s->madvise]++;
}

static void add_false(struct ct_khuge_false *f, const struct ct_khuge_scan *s, bool acted)
{
	if (!f->scans++)
		f->first = s->seq;
	f->acted += acted;
	f->shared_bytes += s->shared_bytes;
	f->filled_bytes += s->filled_bytes;
	f->missed_bytes += s->missed_bytes;
}

void ct_khugepaged_add(struct ct_khugepaged *sum, const struct ct_khuge_scan *s)
{
	size_t i;

	sum->scans[s->madvise]++;
	add_verdict(sum, s);
	if (s->own < CT_NR_ESTIMATES)
		sum->own = s->own;
	if (s->ptes <= 0)
		return;
	sum->read++;
	sum->before += s->before;
	sum->limited += !s->madvise && s->max_shared >= 0;
	for (i = 0; i < NR_NUMBERS; i++) {
		int64_t n = *(const int64_t *)((const char *)s + numbers[i].scan);

		*(uint64_t *)((char *)sum + numbers[i].sum) += n > 0 ? n : 0;
	}
	for (i = 0; i < CT_NR_ESTIMATES; i++) {
		if (s->shared[i] < 0)
			continue;
		sum->estimates[i].known++;
		sum->estimates[i].ptes += s->shared[i];
		sum->estimates[i].over += ct_khuge_over(s, i) > 0;
	}
	if (s->finding == CT_KHUGE_FALSE_EXCLUSIVE)
		add_false(&sum->false_exclusive, s, s->collapsed);
	else if (s->finding == CT_KHUGE_FALSE_SHARED)
		add_false(&sum->false_shared, s, s->missed_bytes);
}

struct walk {
	const struct ct_state	*state;
	uint64_t		page_size;
	struct ct_khugepaged	*sum;
};

static int take(void *arg, const struct ct_group_event *e)
{
	struct walk *w = arg;
	struct ct_khuge_scan scan;

	ct_khuge_read(e, w->state, w->page_size, &scan);
	ct_khugepaged_add(w->sum, &scan);
	return 0;
}

int ct_khugepaged_sum(struct ct_reader *reader, const struct ct_state *state,
		      struct ct_khugepaged *sum)
{
	struct walk w = { state, ct_reader_schema(reader)->page_size, sum };

	memset(sum, 0, sizeof(*sum));
	sum->own = CT_NR_ESTIMATES;
	return ct_group_walk(reader, CT_KHUGE_GROUP, &sum->info, take, &w);
}
