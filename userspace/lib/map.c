// SPDX-License-Identifier: GPL-2.0
#include "map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define FIRST_SIZE	64

/* Random for each process, so that no trace can choose keys that collide. */
static uint64_t seed(void)
{
	static uint64_t value;

	if (!value) {
		const void *random = (const void *)getauxval(AT_RANDOM);

		if (random)
			memcpy(&value, random, sizeof(value));
		value |= 1;
	}
	return value;
}

/* The finaliser of MurmurHash3. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

static struct ct_map_slot *probe(const struct ct_map *map, uint64_t a, uint64_t b)
{
	size_t i = mix(mix(a ^ seed()) + b);
	struct ct_map_slot *slot;

	for (;; i++) {
		slot = &map->slots[i & (map->size - 1)];
		if (slot->value == CT_MAP_NONE || (slot->a == a && slot->b == b))
			return slot;
	}
}

static int grow(struct ct_map *map)
{
	struct ct_map bigger = { .size = map->size ? map->size * 2 : FIRST_SIZE };
	size_t i;

	bigger.slots = malloc(bigger.size * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (i = 0; i < bigger.size; i++)
		bigger.slots[i].value = CT_MAP_NONE;
	for (i = 0; i < map->size; i++) {
		struct ct_map_slot *slot = &map->slots[i];

		if (slot->value == CT_MAP_NONE)
			continue;
		*probe(&bigger, slot->a, slot->b) = *slot;
		bigger.used++;
	}
	free(map->slots);
	*map = bigger;
	return 0;
}

uint32_t *ct_map_slot(struct ct_map *map, uint64_t a, uint64_t b)
{
	struct ct_map_slot *slot;

	if (map->used >= map->size / 4 * 3 && grow(map))
		return NULL;
	slot = probe(map, a, b);
	if (slot->value == CT_MAP_NONE) {
		/* Counts as used although the caller may leave it empty. */
		map->used++;
		slot->a = a;
		slot->b = b;
	}
	return &slot->value;
}

uint32_t ct_map_find(const struct ct_map *map, uint64_t a, uint64_t b)
{
	return map->size ? probe(map, a, b)->value : CT_MAP_NONE;
}

void ct_map_free(struct ct_map *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}

void *ct_grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	if (nr > SIZE_MAX / 2 / size)
		return NULL;
	return realloc(array, (nr ? nr * 2 : 1) * size);
}

void *ct_map_element(struct ct_map *map, uint64_t a, uint64_t b, void **array, size_t *nr,
		     size_t size)
{
	uint32_t *slot = ct_map_slot(map, a, b);
	void *grown;

	if (!slot)
		return NULL;
	if (*slot == CT_MAP_NONE) {
		grown = ct_grow(*array, *nr, size);
		if (!grown)
			return NULL;
		*array = grown;
		memset((char *)grown + *nr * size, 0, size);
		*slot = (*nr)++;
	}
	return (char *)*array + *slot * size;
}
