/* SPDX-License-Identifier: GPL-2.0 */
/* Claims about numbers in JSON that a command prints. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <json-c/json.h>

#include "generate.h"
#include "tap.h"

/**
 * struct expected_number - one claim
 * @where: as of number().
 * @value: what must stand there.
 * @claim: what that says.
 */
struct expected_number {
	const char	*where;
	int64_t		value;
	const char	*claim;
};

/* Each is a claim of its own, with @prefix before it. Returns whether @text is JSON. */
static inline bool check_numbers_in(const char *text, const char *prefix,
				    const struct expected_number *list, size_t n)
{
	struct json_object *o = json_tokener_parse(text);
	bool parsed = o;
	size_t i;

	for (i = 0; i < n; i++)
		if (!ok(number(o, list[i].where) == list[i].value, "%s%s", prefix, list[i].claim))
			note("%s is %ld", list[i].where, (long)number(o, list[i].where));
	json_object_put(o);
	return parsed;
}

#endif /* NUMBERS_H */
