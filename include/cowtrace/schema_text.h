/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the text "schema", which describes records to any reader, from the lists of
 * vocab.h. The module prints it into its file of that name, the BPF backend into traces.
 */
#ifndef COWTRACE_SCHEMA_TEXT_H
#define COWTRACE_SCHEMA_TEXT_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#include "record.h"
#include "vocab.h"

/**
 * struct cowtrace_vocabulary - words that a field may have
 * @name: of the vocabulary.
 * @words: its words.
 * @nr: number of them.
 */
struct cowtrace_vocabulary {
	const char			*name;
	const struct cowtrace_word	*words;
	size_t				nr;
};

/* A field of the record, as of COWTRACE_FIELDS. */
struct cowtrace_field {
	const char	*name;
	const char	*type;
	size_t		offset;
	size_t		size;
	const char	*format;
	const char	*unit;
	__u32		absent_bit;
	const char	*sentence;
};

#define COWTRACE_FIELD_(member, type, format, unit, absent, sentence)		\
	{ #member, #type, offsetof(struct cowtrace_record, member),		\
	  sizeof(((struct cowtrace_record *)0)->member), format, unit, absent, sentence },

/**
 * COWTRACE_SCHEMA_PRINT() - print the whole text
 * @print: a function as printf(), after @to.
 * @to: its first argument.
 * @version: of who prints.
 * @release: of the kernel.
 * @backend: how faults are probed.
 * @page_size: of the kernel, unsigned long.
 * @traits: COWTRACE_TRAIT_* of the kernel.
 * @vocabularies: an array, with the names path, origin, kind, outcome, reason, state,
 *	evidence, present, trait.
 */
#define COWTRACE_SCHEMA_PRINT(print, to, version, release, backend, page_size, traits,		\
			      vocabularies)							\
do {												\
	static const struct cowtrace_field fields_[] = { COWTRACE_FIELDS(COWTRACE_FIELD_) };	\
	const struct cowtrace_vocabulary *v_;							\
	const struct cowtrace_field *f_;							\
	const struct cowtrace_word *w_;								\
												\
	print(to, "cowtrace schema %d.%d\n", COWTRACE_SCHEMA_MAJOR, COWTRACE_SCHEMA_MINOR);	\
	print(to, "module %s\nkernel %s\nbackend %s\n", version, release, backend);		\
	print(to, "clock monotonic\npage_size %lu\nrecord_size %zu\ntraits %#x\n", page_size,	\
	      sizeof(struct cowtrace_record), traits);						\
	for (f_ = fields_; f_ < fields_ + sizeof(fields_) / sizeof(*fields_); f_++)		\
		print(to, "field %s %s %zu %zu %s %s %#x %s\n", f_->name, f_->type,		\
		      f_->offset, f_->size, f_->format, f_->unit, f_->absent_bit, f_->sentence); \
	for (v_ = vocabularies; v_ < vocabularies + sizeof(vocabularies) / sizeof(*v_); v_++)	\
		for (w_ = v_->words; w_ < v_->words + v_->nr; w_++)				\
			print(to, "word %s %#x %s %s\n", v_->name, w_->value, w_->name,		\
			      w_->sentence);							\
} while (0)

#endif /* COWTRACE_SCHEMA_TEXT_H */
