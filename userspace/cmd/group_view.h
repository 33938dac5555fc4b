/* SPDX-License-Identifier: GPL-2.0 */
/* How the groups of events beside the core are shown: one entry a group. */
#ifndef COWTRACE_GROUP_VIEW_H
#define COWTRACE_GROUP_VIEW_H

#include <stdio.h>

#include "error.h"
#include "group.h"

struct ct_report;
struct json_object;
struct page;

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

/* Ends with an empty one. */
extern const struct ct_group_view ct_group_views[];

/* The view of a group whose events can be explained, NULL for none of that name. */
const struct ct_group_view *ct_group_view(const char *name, size_t length);

/* The sections of the groups that the trace has, as text and as the member "groups". */
void groups_text(struct page *p);
struct json_object *groups_json(const struct ct_report *r);

/**
 * ct_group_explain() - say one event of a group in sentences
 * @out: where they go.
 * @reader: the trace.
 * @view: of the group.
 * @seq: number of the event.
 * @json: as JSON instead.
 * @err: filled in on failure.
 * Return: 0 or a negative errno, -ENOENT when there is no such event.
 */
int ct_group_explain(FILE *out, struct ct_reader *reader, const struct ct_group_view *view,
		     uint32_t seq, bool json, struct ct_error *err);

#endif /* COWTRACE_GROUP_VIEW_H */
