// SPDX-License-Identifier: GPL-2.0
/* What is drawn beside the faults: forks, calls of exec, events of groups, what is missing. */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "export_perfetto_parts.h"
#include "group.h"

/* Flows of forks, beside those of splits, which have the CPU there. */
#define FORK_FLOWS	0x8000000000000000ull
#define TEXT_MAX	4096

void px_note(struct px *x, uint64_t time, uint64_t track, const char *name, const char *key,
	     uint64_t value)
{
	struct ct_perfetto_event e;

	e = ct_perfetto_event(&x->p, time, CT_PERFETTO_INSTANT, track);
	ct_perfetto_name(&x->p, 0, name);
	ct_perfetto_arg_number(&x->p, key, value);
	ct_perfetto_event_end(&x->p, e);
}

/* --- forks -------------------------------------------------------------------------- */

/* One end of the arrow from a parent to its child. */
static void put_fork(struct px *x, uint64_t track, uint64_t time, const char *name,
		     const char *key, uint32_t pid, uint32_t child)
{
	struct ct_perfetto_event e;

	e = ct_perfetto_event(&x->p, time, CT_PERFETTO_INSTANT, track);
	ct_perfetto_name(&x->p, 0, name);
	ct_perfetto_arg_number(&x->p, key, pid);
	ct_perfetto_flow(&x->p, FORK_FLOWS | child, key[0] == 'p');
	ct_perfetto_event_end(&x->p, e);
}

static int forks(struct px *x, uint32_t i)
{
	const struct ct_process *child = ct_processes_get(x->processes, i), *parent;
	bool shared = child->memory == CT_MEMORY_SHARED;
	struct px_owner *o;

	if (!child->start || child->parent == CT_MAP_NONE)
		return 0;
	parent = ct_processes_get(x->processes, child->parent);
	o = px_owner(x, child->parent, parent->tgid, child->start, NULL);
	if (!o)
		return -ENOMEM;
	put_fork(x, o->track, child->start, shared ? "fork, sharing memory" : "fork", "child",
		 child->tgid, i);
	o = px_owner(x, i, child->tgid, child->start, NULL);
	if (!o)
		return -ENOMEM;
	put_fork(x, o->track, child->start, "forked", "parent", parent->tgid, i);
	return 0;
}

static int execs(struct px *x, uint32_t i)
{
	const struct ct_process *p = ct_processes_get(x->processes, i);
	struct ct_perfetto_event e;
	struct px_owner *o;
	const char *name;
	uint64_t time;

	for (size_t k = 0; (time = ct_processes_exec(x->processes, i, k)) != UINT64_MAX; k++) {
		o = px_owner(x, i, p->tgid, time, NULL);
		if (!o)
			return -ENOMEM;
		name = ct_processes_name(x->processes, i, time);
		e = ct_perfetto_event(&x->p, time, CT_PERFETTO_INSTANT, o->track);
		ct_perfetto_name(&x->p, 0, "exec");
		ct_perfetto_arg_text(&x->p, "comm", name ?: "?");
		ct_perfetto_event_end(&x->p, e);
	}
	return 0;
}

/* --- groups ------------------------------------------------------------------------- */

/**
 * struct group - a group that is drawn
 * @x: where.
 * @track: its track.
 */
struct group {
	struct px	*x;
	uint64_t	track;
};

static void put_clean(struct px *x, const char *key, const char *text)
{
	char clean[TEXT_MAX];

	ct_clean_text(clean, sizeof(clean), text, strlen(text));
	ct_perfetto_arg_text(&x->p, key, clean);
}

static int put_event(void *arg, const struct ct_group_event *event)
{
	struct group *g = arg;
	struct ct_perfetto_event e;
	char name[128];

	if (event->lost)
		px_note(g->x, event->time_ns, g->track, "lost", "events", event->lost);
	ct_clean_text(name, sizeof(name), event->word, strlen(event->word));
	e = ct_perfetto_event(&g->x->p, event->time_ns, CT_PERFETTO_INSTANT, g->track);
	ct_perfetto_name(&g->x->p, 0, name);
	ct_perfetto_arg_number(&g->x->p, "pid", event->pid);
	put_clean(g->x, "comm", event->comm);
	put_clean(g->x, "fields", event->fields);
	ct_perfetto_event_end(&g->x->p, e);
	return 0;
}

static int groups(struct px *x)
{
	static const char *const names[] = { "khugepaged", "ksm" };
	struct ct_reader *reader = x->export->report->reader;
	struct ct_group_info info;
	struct group g = { .x = x };
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(names) / sizeof(*names); i++) {
		if (!ct_group_there(reader, &x->export->report->state, names[i]))
			continue;
		g.track = ct_perfetto_track(&x->p, names[i]);
		ret = ct_group_walk(reader, names[i], &info, put_event, &g);
	}
	return ret;
}

int px_beside(struct px *x)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < ct_processes_nr(x->processes); i++) {
		ret = forks(x, i);
		if (!ret)
			ret = execs(x, i);
	}
	return ret ? ret : groups(x);
}

/* --- what is missing ------------------------------------------------------------------ */

void px_lost(struct px *x, const struct ct_event *event)
{
	char name[64];

	snprintf(name, sizeof(name), "lost records of CPU %u", event->cpu);
	px_note(x, event->record->time_ns, x->lost, name, "records", event->lost);
}

void px_lost_end(struct px *x, uint64_t time)
{
	uint64_t n;

	for (const struct ct_loss *loss = ct_losses; loss->name; loss++)
		if (ct_state_number(&x->export->report->state, loss->file, loss->name, &n) && n)
			px_note(x, time, x->lost, loss->sentence, loss->name, n);
}
