// SPDX-License-Identifier: GPL-2.0
#include "group_view.h"

#include <errno.h>
#include <string.h>

#include "json.h"
#include "page.h"
#include "report_files.h"
#include "report_khugepaged.h"
#include "report_ksm.h"

const struct ct_group_view ct_group_views[] = {
	{ "ksm", ksm_text, ksm_json, ksm_explain, ksm_explain_json },
	{ "khugepaged", khugepaged_text, khugepaged_json, khugepaged_explain,
	  khugepaged_explain_json },
	{ "files", files_text, files_json, NULL, NULL },
	{ 0 }
};

void groups_text(struct page *p)
{
	const struct ct_group_view *v;

	for (v = ct_group_views; v->name; v++)
		if (ct_group_there(p->r->reader, &p->r->state, v->name))
			v->text(p);
}

struct json_object *groups_json(const struct ct_report *r)
{
	struct json_object *o = json_object_new_object();
	const struct ct_group_view *v;

	for (v = ct_group_views; v->name; v++)
		if (ct_group_there(r->reader, &r->state, v->name))
			json_object_object_add(o, v->name, v->json(r));
	return o;
}

const struct ct_group_view *ct_group_view(const char *name, size_t length)
{
	const struct ct_group_view *v;

	for (v = ct_group_views; v->name; v++)
		if (v->explain && strlen(v->name) == length && !memcmp(v->name, name, length))
			return v;
	return NULL;
}

struct wanted {
	const struct ct_group_view *view;
	uint32_t		seq;
	bool			json;
	const struct ct_state	*state;
	FILE			*out;
};

static int explain(void *arg, const struct ct_group_event *event)
{
	struct wanted *w = arg;

	if (event->seq != w->seq)
		return 0;
	if (w->json)
		return json_print(w->out, w->view->explain_json(event, w->state)) ?: 1;
	w->view->explain(w->out, event, w->state);
	return ferror(w->out) ? -EIO : 1;
}

int ct_group_explain(FILE *out, struct ct_reader *reader, const struct ct_group_view *view,
		     uint32_t seq, bool json, struct ct_error *err)
{
	struct wanted w = { .view = view, .seq = seq, .json = json, .out = out };
	struct ct_group_info info;
	struct ct_state state;
	int ret = ct_state_load(reader, &state);

	if (!ret) {
		w.state = &state;
		ret = ct_group_walk(reader, view->name, &info, explain, &w);
		ct_state_free(&state);
	}
	if (ret > 0)
		return 0;
	if (ret)
		return ct_error_set(err, ret, "cannot write the explanation: %s", strerror(-ret));
	return info.there ?
		ct_error_set(err, -ENOENT,
			     "there is no event %s:%u in the trace: cowtrace report --json lists them",
			     view->name, seq) :
		ct_error_set(err, -ENOENT,
			     "the trace has no group %s: record it by --group %s", view->name,
			     view->name);
}
