/* SPDX-License-Identifier: GPL-2.0 */
/* What a trace says about itself, read: one JSON object of sections. */
#ifndef COWTRACE_META_H
#define COWTRACE_META_H

#include <json-c/json.h>

/**
 * ct_meta_member() - a member of a section
 * @meta: of the trace, NULL for none; whatever else it is, it may be hostile.
 * @section: name of the section.
 * @name: of the member.
 * Return: the member, which @meta keeps, of any type; NULL where there is none.
 */
struct json_object *ct_meta_member(struct json_object *meta, const char *section,
				   const char *name);

/* The same as text, whatever its type. */
const char *ct_meta_text(struct json_object *meta, const char *section, const char *name);

#endif /* COWTRACE_META_H */
