/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two backends on the same faults: records paired as they come, and held against each
 * other. Records of one call are those of a thread, a path and an address whose spans
 * overlap; of several, the one that ended nearest. A record waits for its partner until
 * all that the other side saw by then is known to have come: what is kept grows with what
 * only one side saw, never with the faults.
 */
#ifndef COWTRACE_CROSSCHECK_H
#define COWTRACE_CROSSCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

/* Records of one side that wait at most: 36 MiB. */
#define CT_CROSS_WAITING_MAX	(256u << 10)

/**
 * enum ct_cross_class - what a difference means
 * @CT_CROSS_VERDICT: outcome or page frame: one of the two is wrong.
 * @CT_CROSS_FIXED: likewise: nothing that changes while the fault lasts.
 * @CT_CROSS_RACING: the two samples are not taken in the same instant.
 */
enum ct_cross_class {
	CT_CROSS_VERDICT,
	CT_CROSS_FIXED,
	CT_CROSS_RACING,
	CT_CROSS_NR_CLASSES
};

/**
 * enum ct_cross_form - how a value is shown
 * @CT_CROSS_NUMBER: decimal.
 * @CT_CROSS_HEX: hexadecimal.
 * @CT_CROSS_WORD: by the word that the schema has for it.
 * @CT_CROSS_FLAGS: by the words for its bits.
 * @CT_CROSS_NAME: text of eight bytes at most, the first in the lowest byte.
 */
enum ct_cross_form {
	CT_CROSS_NUMBER,
	CT_CROSS_HEX,
	CT_CROSS_WORD,
	CT_CROSS_FLAGS,
	CT_CROSS_NAME,
};

/**
 * struct ct_cross_field - what is compared
 * @name: of it; of the field of a record, or of a part of one.
 * @vocab: of the schema, for words and flags; else NULL.
 * @class: of a difference.
 * @form: how its values are shown.
 * @held: fixed by the page-table lock, which nobody holds at the entry of a huge PMD's
 *	fault: it may race there.
 */
struct ct_cross_field {
	const char		*name;
	const char		*vocab;
	enum ct_cross_class	class;
	enum ct_cross_form	form;
	bool			held;
};

#define CT_CROSS_FIELDS_MAX	40
/* The value of a field that is absent. */
#define CT_CROSS_ABSENT		UINT64_MAX

extern const struct ct_cross_field ct_cross_fields[];
extern const size_t ct_cross_nr_fields;

/* All values of a record, in the order of ct_cross_fields. */
void ct_cross_values(const struct cowtrace_record *r, uint64_t *values);

/* The fields in which two records of one call differ, a bit each. */
uint64_t ct_cross_compare(const struct cowtrace_record *a, const struct cowtrace_record *b);

/* What a difference in the field means, for faults of a path (enum cowtrace_path). */
enum ct_cross_class ct_cross_class(size_t field, uint8_t path);

/* The most serious class among fields that differ, CT_CROSS_NR_CLASSES for none. */
enum ct_cross_class ct_cross_worst(uint64_t fields, uint8_t path);

/**
 * struct ct_cross_pair - a fault that is listed
 * @side: records of both; of a fault that one side saw alone only that one's.
 * @fields: as of ct_cross_compare().
 * @seen: by whom, a bit each side.
 */
struct ct_cross_pair {
	struct cowtrace_record	side[2];
	uint64_t		fields;
	unsigned int		seen;
};

struct ct_cross_waiting;

/**
 * struct ct_cross - the comparison so far; all zero at first, but for the limits
 * @begin_ns: faults that began before are not missed by a side that lacks them.
 * @end_ns: likewise those that ended after; 0: none.
 * @late_ns: how long a record may take to come.
 * @list_max: of the faults in which only races differ, and of those that one side saw
 *	alone, so many are listed each. Of the others, a hundred thousand.
 * @pairs: faults that both saw.
 * @alone: faults that only one of them saw.
 * @given_up: records that waited, and had to make room.
 * @edge: faults that only one saw, for it alone watched.
 * @differ: pairs by field in which they differ.
 * @worst: pairs that differ, by the most serious class of that.
 * @listed: faults that are listed: by class, and those that one side saw alone.
 * @list: them, in the order in which they were found.
 * @nr_list: number of them.
 * @waiting: records whose partner has not come yet.
 */
struct ct_cross {
	uint64_t		begin_ns;
	uint64_t		end_ns;
	uint64_t		late_ns;
	uint64_t		list_max;
	uint64_t		pairs;
	uint64_t		alone[2];
	uint64_t		given_up[2];
	uint64_t		edge[2];
	uint64_t		differ[CT_CROSS_FIELDS_MAX];
	uint64_t		worst[CT_CROSS_NR_CLASSES];
	uint64_t		listed[CT_CROSS_NR_CLASSES + 1];
	struct ct_cross_pair	*list;
	size_t			nr_list;
	struct ct_cross_waiting	*waiting;
};

/**
 * ct_cross_add() - take a record
 * @c: the comparison.
 * @side: 0 or 1, whose it is.
 * @r: the record; those of a side may come in any order.
 * Return: 0 or -ENOMEM.
 */
int ct_cross_add(struct ct_cross *c, int side, const struct cowtrace_record *r);

/**
 * ct_cross_known() - all that a side saw has come
 * @c: the comparison.
 * @side: 0 or 1.
 * @ns: faults that ended before this, but for @late_ns; UINT64_MAX at the end.
 *
 * Records of the other side that ended before have no partner.
 * Return: 0 or -ENOMEM.
 */
int ct_cross_known(struct ct_cross *c, int side, uint64_t ns);

void ct_cross_free(struct ct_cross *c);

#endif /* COWTRACE_CROSSCHECK_H */
