/* SPDX-License-Identifier: GPL-2.0 */
/* How the groups of events beside the core are shown: one entry a group. */
#ifndef COWTRACE_GROUP_VIEW_H
#define COWTRACE_GROUP_VIEW_H

#include "group.h"
#include "json.h"
#include "page.h"

/**
 * struct ct_group_view - how a group is shown
 * @name: of the group, as in debugfs, and its member in the JSON of the report.
 * @text: its section of the report; not called where the trace does not have the group.
 * @json: the same as JSON.
 * @explain: NULL, or one event in plain sentences, printed to @out.
 * @explain_json: NULL, or the same as JSON.
 */
struct ct_group_view {
	const char	*name;
	void		(*text)(struct page *p);
	struct json_object *(*json)(const struct ct_report *r);
	void		(*explain)(FILE *out, const struct ct_group_event *event,
				   const struct ct_state *state);
	struct json_object *(*explain_json)(const struct ct_group_event *event,
					    const struct ct_state *state);
};

extern const struct ct_group_view ct_group_views[];
extern const size_t ct_nr_group_views;

#endif /* COWTRACE_GROUP_VIEW_H */
