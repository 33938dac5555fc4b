/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From an offset in a file to a symbol, by the file's own symbol table or that
 * of its debug file below /usr/lib/debug/.build-id. A file of the same path
 * that is not the traced one (another build-id, or without one another inode)
 * is not asked: no name is better than a wrong one.
 */
#ifndef COWTRACE_SYMBOL_H
#define COWTRACE_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

#include "process.h"

struct ct_symbols;

struct ct_symbols *ct_symbols_new(void);

void ct_symbols_free(struct ct_symbols *symbols);

/**
 * ct_symbols_find() - the symbol that covers a place in a file
 * @symbols: the symbol tables read so far; each file is opened once.
 * @key: a number for the object, the same for each call with it.
 * @object: the file.
 * @offset: bytes from its start.
 * @past: receives the distance from the symbol.
 *
 * Return: its name, valid as long as @symbols, or NULL when there is none.
 */
const char *ct_symbols_find(struct ct_symbols *symbols, uint32_t key,
			    const struct ct_object *object, uint64_t offset, uint64_t *past);

#endif /* COWTRACE_SYMBOL_H */
