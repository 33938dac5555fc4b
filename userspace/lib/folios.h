/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Large folios that are mapped page by page: how much of each a process had copied
 * before it was through. Found while records stream by, in memory that does not grow.
 */
#ifndef COWTRACE_FOLIOS_H
#define COWTRACE_FOLIOS_H

#include <stdint.h>

#include <cowtrace/record.h>

#include "count.h"

/* That of a huge page on x86-64: faults on larger folios are counted, the folios are not. */
#define CT_FOLIO_MAX_ORDER	9u
#define CT_FOLIO_ORDERS		32u

/* X(name, word, sentence): how much of a folio was copied. */
#define CT_FOLIO_SHARES(X)					\
	X(NONE,		"none",		"nothing")		\
	X(QUARTER,	"quarter",	"up to a quarter")	\
	X(HALF,		"half",		"up to half")		\
	X(PART,		"part",		"more, but not all")	\
	X(WHOLE,	"whole",	"each page")

#define CT_FOLIO_SHARE_(name, word, sentence)	CT_FOLIO_##name,
enum ct_folio_share {
	CT_FOLIO_SHARES(CT_FOLIO_SHARE_)
	CT_NR_FOLIO_SHARES
};

extern const char * const ct_folio_share_names[CT_NR_FOLIO_SHARES];
extern const char * const ct_folio_share_sentences[CT_NR_FOLIO_SHARES];

/**
 * struct ct_folio_order - the large folios of one size
 * @count: faults of one page of such a folio.
 * @folios: folios, each once for each process that mapped it so and faulted on it.
 * @split: of these, whose PMD a fault of that process had split.
 * @shares: of @folios, by how much of it the process had copied.
 */
struct ct_folio_order {
	struct ct_count	count;
	uint64_t	folios;
	uint64_t	split;
	uint64_t	shares[CT_NR_FOLIO_SHARES];
};

/**
 * struct ct_folios - all of them
 * @orders: by order; those above CT_FOLIO_MAX_ORDER have no folios.
 * @table: those that may go on.
 */
struct ct_folios {
	struct ct_folio_order orders[CT_FOLIO_ORDERS];
	struct ct_folio_table *table;
};

/* Return: all zero, or NULL without memory. */
struct ct_folios *ct_folios_new(uint64_t page_size);

/**
 * ct_folios_take() - look at the next record
 * @folios: what was found so far.
 * @r: a fault, in the order of time.
 *
 * A folio ends when its process copies a page of it for the second time, when its place
 * in memory stands elsewhere in the process, or when thousands of others came after it.
 */
void ct_folios_take(struct ct_folios *folios, const struct cowtrace_record *r);

/* No record follows: what was not through is counted as it stands. */
void ct_folios_end(struct ct_folios *folios);

void ct_folios_free(struct ct_folios *folios);

#endif /* COWTRACE_FOLIOS_H */
