// SPDX-License-Identifier: GPL-2.0
#include "summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/classify.h>

#include "bytes.h"

static void count_holders(struct ct_held *held, const struct cowtrace_record *r, uint32_t traits)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);

	if (!h.known)
		return;
	held->known++;
	held->large += r->order && r->path == COWTRACE_PATH_PTE;
	held->total += h.total;
	held->mappings += h.mappings;
	held->swapcache += h.swapcache;
	held->pagecache += h.pagecache;
	held->lru += h.lru;
	held->pins += h.pins;
	held->fault += h.fault;
	held->unattributed += h.unattributed;
}

static int count_process(struct ct_summary *s, const struct cowtrace_record *r,
			 uint32_t process, uint64_t bytes, uint32_t *number)
{
	struct ct_process_count *p = CT_ELEMENT(&s->process_of, process, r->tgid,
						s->by_process, &s->nr_processes);

	if (!p)
		return -ENOMEM;
	*number = p - s->by_process;
	if (!p->count.faults) {
		p->number = *number;
		p->process = process;
		p->tgid = r->tgid;
	}
	/* The record names the thread; the first one names the process. */
	if (!p->count.faults ||
	    (r->pid == r->tgid && memcmp(p->raw_comm, r->comm, sizeof(r->comm)))) {
		memcpy(p->raw_comm, r->comm, sizeof(r->comm));
		ct_clean_text(p->comm, sizeof(p->comm), r->comm, sizeof(r->comm));
	}
	ct_count_add(&p->count, r, bytes);
	return 0;
}

static int count_site(struct ct_summary *s, const struct cowtrace_record *r,
		      uint32_t process, uint64_t bytes, uint32_t *site)
{
	struct ct_site_count *counts;
	int err;

	*site = CT_MAP_NONE;
	if (!(r->present & COWTRACE_HAS_IP)) {
		s->no_ip++;
		return 0;
	}
	err = ct_sites_find(&s->sites, s->processes, process, r, site);
	if (err)
		return err;
	/* A new place is the last one. */
	if (*site == s->nr_sites) {
		counts = ct_grow(s->by_site, s->nr_sites, sizeof(*counts));
		if (!counts)
			return -ENOMEM;
		s->by_site = counts;
		counts[s->nr_sites++] = (struct ct_site_count){ s->sites.list[*site], { 0 } };
	}
	ct_count_add(&s->by_site[*site].count, r, bytes);
	return 0;
}

static int count_pair(struct ct_summary *s, const struct cowtrace_record *r, uint64_t bytes)
{
	uint32_t traits = ct_reader_schema(s->reader)->traits;
	struct ct_histogram **time = &s->outcome_time[r->outcome];
	struct ct_pair *p = CT_ELEMENT(&s->pair_of, r->outcome, r->reason, s->pairs,
				       &s->nr_pairs);

	if (!*time)
		*time = calloc(1, sizeof(**time));
	if (!p || !*time)
		return -ENOMEM;
	p->outcome = r->outcome;
	p->reason = r->reason;
	p->bytes = ct_add(p->bytes, bytes);
	ct_histogram_add(&p->time, r->duration_ns);
	ct_histogram_add(*time, r->duration_ns);
	if (ct_took_away(r->outcome))
		count_holders(&p->held, r, traits);
	return 0;
}

static int count_evidence(struct ct_summary *s, const struct cowtrace_record *r)
{
	struct ct_doubt *d;
	unsigned int bit;

	for (bit = 0; bit < 16; bit++)
		s->evidence[bit] += r->evidence >> bit & 1;
	if (r->outcome != COWTRACE_OUTCOME_UNKNOWN && r->outcome != COWTRACE_OUTCOME_RACED)
		return 0;
	d = CT_ELEMENT(&s->doubt_of, r->outcome << 8 | r->path, r->evidence, s->doubts,
		       &s->nr_doubts);
	if (!d)
		return -ENOMEM;
	d->outcome = r->outcome;
	d->path = r->path;
	d->evidence = r->evidence;
	d->faults++;
	return 0;
}

int ct_summary_take(struct ct_summary *s, const struct cowtrace_record *r)
{
	uint64_t end = ct_add(r->time_ns, r->duration_ns);
	uint64_t page_size = ct_reader_schema(s->reader)->page_size;
	uint64_t bytes = cowtrace_copied_pages(r) * page_size;
	uint32_t process = ct_processes_find(s->processes, r->tgid, r->time_ns);
	uint32_t number, site;
	int err;

	if (!s->total.faults || r->time_ns < s->first_ns)
		s->first_ns = r->time_ns;
	if (end > s->last_ns)
		s->last_ns = end;
	ct_count_add(&s->total, r, bytes);
	ct_count_add(&s->outcomes[r->outcome], r, bytes);
	ct_count_add(&s->origins[r->origin], r, bytes);
	ct_count_add(&s->kinds[r->kind], r, bytes);
	ct_count_add(&s->paths[r->path], r, bytes);
	if (r->state & COWTRACE_AFTER_SPLIT)
		ct_count_add(&s->after_split, r, bytes);
	ct_folios_take(s->folios, r);
	err = count_evidence(s, r);
	if (!err)
		err = count_pair(s, r, bytes);
	if (!err)
		err = count_process(s, r, process, bytes, &number);
	if (!err)
		err = count_site(s, r, process, bytes, &site);
	if (!err)
		err = ct_contention_take(s->contention, r, number, site);
	return err;
}

static int pair_order(const void *a, const void *b)
{
	const struct ct_pair *x = a, *y = b;

	if (x->time.count != y->time.count)
		return x->time.count > y->time.count ? -1 : 1;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	return (int)x->reason - y->reason;
}

static int doubt_order(const void *a, const void *b)
{
	const struct ct_doubt *x = a, *y = b;

	if (x->faults != y->faults)
		return x->faults > y->faults ? -1 : 1;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	return x->path != y->path ? (int)x->path - y->path : (int)x->evidence - y->evidence;
}

static int process_order(const void *a, const void *b)
{
	const struct ct_process_count *x = a, *y = b;
	int order = ct_count_order(&x->count, &y->count);

	if (order || x->tgid == y->tgid)
		return order ? order : (x->process > y->process) - (x->process < y->process);
	return x->tgid < y->tgid ? -1 : 1;
}

static int site_order(const void *a, const void *b)
{
	const struct ct_site_count *x = a, *y = b;
	int order = ct_count_order(&x->count, &y->count);

	if (order || x->place.object == y->place.object)
		return order ? order : (x->place.offset > y->place.offset) -
				       (x->place.offset < y->place.offset);
	return x->place.object < y->place.object ? -1 : 1;
}

static void sort(void *array, size_t n, size_t size, int (*order)(const void *, const void *))
{
	if (n)
		qsort(array, n, size, order);
}

void ct_summary_sort(struct ct_summary *s)
{
	sort(s->doubts, s->nr_doubts, sizeof(*s->doubts), doubt_order);
	sort(s->pairs, s->nr_pairs, sizeof(*s->pairs), pair_order);
	sort(s->by_process, s->nr_processes, sizeof(*s->by_process), process_order);
	sort(s->by_site, s->nr_sites, sizeof(*s->by_site), site_order);
}

/* Where the processes stand by now that had these numbers when they were made. */
static int find_numbers(struct ct_summary *s)
{
	size_t i;

	s->process_at = calloc(s->nr_processes + 1, sizeof(*s->process_at));
	if (!s->process_at)
		return -ENOMEM;
	for (i = 0; i < s->nr_processes; i++)
		s->process_at[s->by_process[i].number] = i;
	return 0;
}

static void free_maps(struct ct_summary *s)
{
	ct_map_free(&s->pair_of);
	ct_map_free(&s->doubt_of);
	ct_map_free(&s->process_of);
}

int ct_summary_new(struct ct_reader *reader, struct ct_summary **out, struct ct_error *err)
{
	struct ct_summary *s = calloc(1, sizeof(*s));
	int ret;

	*out = s;
	if (!s)
		return ct_error_set(err, -ENOMEM, "out of memory");
	s->reader = reader;
	s->contention = ct_contention_new(ct_reader_schema(reader)->page_size);
	s->folios = ct_folios_new(ct_reader_schema(reader)->page_size);
	if (!s->contention || !s->folios)
		return ct_error_set(err, -ENOMEM, "out of memory");
	ret = ct_processes_load(reader, &s->processes, err);
	ct_reader_rewind(reader);
	return ret;
}

int ct_summary_end(struct ct_summary *s)
{
	int ret = ct_contention_end(s->contention);

	ct_folios_end(s->folios);
	/* The maps hold places in the arrays: useless once these are sorted. */
	free_maps(s);
	ct_summary_sort(s);
	return ret ?: find_numbers(s);
}

int ct_summary_make(struct ct_reader *reader, struct ct_summary **out, struct ct_error *err)
{
	struct ct_event event;
	int ret;

	ret = ct_summary_new(reader, out, err);
	while (!ret && ct_reader_next(reader, &event))
		ret = ct_summary_take(*out, event.record);
	if (!ret)
		ret = ct_summary_end(*out);
	if (!ret)
		return 0;
	ct_summary_free(*out);
	*out = NULL;
	return ct_error_set(err, ret, "out of memory");
}

void ct_summary_free(struct ct_summary *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < 256; i++)
		free(s->outcome_time[i]);
	free_maps(s);
	free(s->doubts);
	free(s->pairs);
	free(s->by_process);
	free(s->by_site);
	free(s->process_at);
	ct_counts_free(s->counts);
	ct_contention_free(s->contention);
	ct_folios_free(s->folios);
	ct_sites_free(&s->sites);
	ct_processes_free(s->processes);
	free(s);
}
