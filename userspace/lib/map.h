/* SPDX-License-Identifier: GPL-2.0 */
/* A hash table from a pair of numbers to a number. Nothing is ever removed. */
#ifndef COWTRACE_MAP_H
#define COWTRACE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define CT_MAP_NONE	UINT32_MAX

struct ct_map_slot {
	uint64_t	a;
	uint64_t	b;
	uint32_t	value;
};

/**
 * struct ct_map - the table; all zero is an empty one
 * @slots: power of two of them, CT_MAP_NONE where free.
 * @size: number of slots.
 * @used: number of keys.
 */
struct ct_map {
	struct ct_map_slot *slots;
	size_t		size;
	size_t		used;
};

/**
 * ct_map_slot() - the value of a key, to be read or set
 * @map: the table.
 * @a: first half of the key.
 * @b: second half.
 *
 * Return: where the value stands until the next call, CT_MAP_NONE in it for a
 * key that is new; NULL without memory.
 */
uint32_t *ct_map_slot(struct ct_map *map, uint64_t a, uint64_t b);

/* The value of a key, CT_MAP_NONE for none. */
uint32_t ct_map_find(const struct ct_map *map, uint64_t a, uint64_t b);

void ct_map_free(struct ct_map *map);

/**
 * ct_grow() - make room for one more element at the end of an array
 * @array: the array, NULL when empty.
 * @nr: elements in it.
 * @size: bytes of an element.
 *
 * Capacity doubles: it is the power of two at or above @nr.
 *
 * Return: the array, NULL without memory (the old one stands then).
 */
void *ct_grow(void *array, size_t nr, size_t size);

/**
 * ct_map_element() - find or make the element of a growing array that a key stands for
 * @map: from keys to places in the array.
 * @a: first half of the key.
 * @b: second half.
 * @array: the array; moves when it grows.
 * @nr: elements in it.
 * @size: bytes of an element.
 *
 * Return: the element, all zero when it is new; NULL without memory.
 */
void *ct_map_element(struct ct_map *map, uint64_t a, uint64_t b, void **array, size_t *nr,
		     size_t size);

/* The same for a typed array, which goes through a void pointer as aliasing wants it. */
#define CT_ELEMENT(map, a, b, array, nr) ({				\
	void *array_ = array;						\
	void *element_ = ct_map_element(map, a, b, &array_, nr, sizeof(*(array))); \
									\
	array = array_;							\
	element_;							\
})

#endif /* COWTRACE_MAP_H */
