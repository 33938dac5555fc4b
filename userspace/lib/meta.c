// SPDX-License-Identifier: GPL-2.0
#include "meta.h"

struct json_object *ct_meta_member(struct json_object *meta, const char *section,
				   const char *name)
{
	struct json_object *o, *value;

	return json_object_object_get_ex(meta, section, &o) &&
	       json_object_object_get_ex(o, name, &value) ? value : NULL;
}

const char *ct_meta_text(struct json_object *meta, const char *section, const char *name)
{
	return json_object_get_string(ct_meta_member(meta, section, name));
}
