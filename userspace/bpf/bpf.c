// SPDX-License-Identifier: GPL-2.0
/* The source: switched on and off, and asked by the names of the module's files. */
#include "bpf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpus.h"
#include "parts.h"
#include "skeleton.h"

/* How long a stop waits for faults that are inside do_wp_page(), in ms. */
#define GRACE_MS	100

/* --- on and off ------------------------------------------------------------------------ */

static void pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static int start(struct ct_bpf *b, struct ct_error *err)
{
	int ret;

	if (b->enabled)
		return 0;
	ret = ct_bpf_attach(b, err);
	if (ret)
		return ret;
	ct_bpf_prove(b);
	if (b->blind) {
		ct_bpf_detach(b);
		return ct_error_set(err, -ENODATA,
				    "the BPF programs are in place but a provoked fault was not seen: write 1 to /proc/sys/kernel/ftrace_enabled and to /sys/kernel/debug/kprobes/enabled");
	}
	b->settings.enabled = 1;
	b->skel->bss->settings = b->settings;
	b->enabled = true;
	return 0;
}

/* Faults that are on their way get a moment to end. */
static void stop(struct ct_bpf *b)
{
	struct cow_bpf_counters sum;

	if (!b->enabled)
		return;
	/* Were they seen to the end? */
	ct_bpf_prove(b);
	b->settings.enabled = 0;
	b->skel->bss->settings.enabled = 0;
	for (int ms = 0; ms < GRACE_MS; ms++) {
		ct_bpf_sum(b, &sum);
		if (sum.handed_on == sum.exits + sum.skipped_exits)
			break;
		pause_ms(1);
	}
	ct_bpf_detach(b);
	b->enabled = false;
}

static int switch_on(struct ct_bpf *b, const char *value, struct ct_error *err)
{
	if (!strcmp(value, "1"))
		return start(b, err);
	if (strcmp(value, "0"))
		return ct_error_set(err, -EINVAL, "enabled accepts 0 or 1, not \"%s\"", value);
	stop(b);
	return 0;
}

/* --- the source --------------------------------------------------------------------------- */

/* Settings that the programs look at in each fault. */
static void hand_over(struct ct_bpf *b)
{
	if (b->skel && b->attached)
		b->skel->bss->settings = b->settings;
}

static int bpf_set(struct ct_source *source, const char *what, const char *value,
		   struct ct_error *err)
{
	struct ct_bpf *b = to_bpf(source);
	int ret;

	if (!strcmp(what, "enabled"))
		return switch_on(b, value, err);
	ret = ct_bpf_change(b, what, value, err);
	if (!ret)
		hand_over(b);
	return ret;
}

static int bpf_get(struct ct_source *source, const char *what, char **text, struct ct_error *err)
{
	struct ct_bpf *b = to_bpf(source);
	size_t size;
	FILE *to;
	bool is;

	/* Read on the way: has anybody switched the probes off since? */
	if (b->enabled && (!strcmp(what, "lost") || !strcmp(what, "probes")))
		ct_bpf_prove(b);
	to = open_memstream(text, &size);
	if (!to)
		return ct_error_set(err, -ENOMEM, "no memory for %s", what);
	is = ct_bpf_print(b, what, to);
	if (fclose(to)) {
		free(*text);
		return ct_error_set(err, -ENOMEM, "no memory for %s", what);
	}
	if (is)
		return 0;
	free(*text);
	return ct_error_set(err, -ENOENT, "the bpf backend has no %s: load the module", what);
}

static int bpf_open_lines(struct ct_source *source, const char *what, struct ct_error *err)
{
	(void)source;
	return ct_error_set(err, -ENOENT, "the bpf backend has no %s: load the module", what);
}

/* Each has programs of its own: nobody is in the way. */
static int bpf_claim(struct ct_source *source, struct ct_error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void bpf_close(struct ct_source *source)
{
	struct ct_bpf *b = to_bpf(source);

	ct_bpf_unload(b);
	ct_bpf_forget(&b->kernel);
	for (unsigned int i = 0; i < b->nr_cpus; i++)
		free(b->cpus[i].data);
	free(b->cpus);
	free(b);
}

int ct_bpf_open(struct ct_source **source, struct ct_error *err)
{
	struct ct_bpf *b;
	int ret;

	*source = NULL;
	ret = ct_source_permitted(err);
	if (ret)
		return ret;
	b = calloc(1, sizeof(*b));
	if (!b)
		return ct_error_set(err, -ENOMEM, "no memory for the bpf backend");
	ct_bpf_listen();
	b->source = (struct ct_source){
		.name = "bpf",
		.get = bpf_get,
		.set = bpf_set,
		.open_cpu = ct_bpf_open_cpu,
		.open_lines = bpf_open_lines,
		.read_cpu = ct_bpf_read_cpu,
		.claim = bpf_claim,
		.close = bpf_close,
	};
	b->settings.pid = COW_BPF_ANY;
	b->settings.tgid = COW_BPF_ANY;
	b->settings.uid = COW_BPF_ANY;
	b->settings.sample_below = COW_BPF_ANY;
	b->sample_every = 1;
	b->outcomes = ~0u;
	b->reasons = ~0u;
	/* As the module's. */
	b->buffer_kb = 1024;
	b->nr_cpus = ct_cpus_possible();
	b->cpus = calloc(b->nr_cpus, sizeof(*b->cpus));
	for (unsigned int i = 0; b->cpus && i < b->nr_cpus; i++)
		b->cpus[i].fd = -1;
	ret = b->cpus ? ct_bpf_look(&b->kernel, err) :
			ct_error_set(err, -ENOMEM, "no memory for the bpf backend");
	if (ret) {
		bpf_close(&b->source);
		return ret;
	}
	*source = &b->source;
	return 0;
}
