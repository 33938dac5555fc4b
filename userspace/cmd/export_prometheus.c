// SPDX-License-Identifier: GPL-2.0
/*
 * A textfile for node_exporter: counters of the module as it runs, or of a trace.
 * Names are kept: who watches a fleet has queries and alerts that name them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/classify.h>

#include "bytes.h"
#include "export.h"
#include "map.h"

/*
 * Buckets of durations: up to 2^i - 1 ns, so that each fault is at most what its
 * bucket says. Fewer do not differ in their cause, and the last power of two has those
 * too that took longer than a record can tell.
 */
#define FIRST_BUCKET	8
#define LAST_BUCKET	31

/**
 * struct line - a line of one of the module's files that is a metric
 * @file: stats or lost.
 * @name: of the line.
 * @metric: the metric; rows of one stand together.
 * @cause: value of its label cause, NULL for none.
 * @type: counter or gauge.
 * @help: what it is.
 */
static const struct line {
	const char	*file;
	const char	*name;
	const char	*metric;
	const char	*cause;
	const char	*type;
	const char	*help;
} lines[] = {
	{ "lost", "full", "cowtrace_lost_records_total", "full", "counter",
	  "Records that did not fit into a buffer." },
	{ "lost", "missed_no_instance", "cowtrace_missed_faults_total", "no_instance", "counter",
	  "Faults that were not seen." },
	{ "lost", "missed_recursion", "cowtrace_missed_faults_total", "recursion", "counter",
	  NULL },
	{ "stats", "unread", "cowtrace_missed_faults_total", "unread", "counter", NULL },
	{ "lost", "skipped_exits", "cowtrace_missed_faults_total", "skipped_exit", "counter",
	  NULL },
	{ "lost", "missed_witness", "cowtrace_missed_witnesses_total", NULL, "counter",
	  "Copies that were perhaps not witnessed." },
	{ "stats", "filtered_entry", "cowtrace_left_out_faults_total", "filtered_entry",
	  "counter", "Faults that a filter or sampling left out." },
	{ "stats", "filtered_exit", "cowtrace_left_out_faults_total", "filtered_exit",
	  "counter", NULL },
	{ "stats", "sampled_out", "cowtrace_left_out_faults_total", "sampled_out", "counter",
	  NULL },
	{ "lost", "asleep", "cowtrace_asleep_faults", NULL, "gauge",
	  "Faults that have begun and not ended." },
	{ "lost", "disarmed", "cowtrace_disarmed", NULL, "gauge",
	  "Whether the probes are without effect: 1 if they are." },
	{ "lost", "disarmed_checks", "cowtrace_disarmed_checks_total", NULL, "counter",
	  "Checks that found the probes without effect." },
};

static void put_head(FILE *f, const char *metric, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}

/* The value of a label, of clean text. */
static void put_value(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

static void put_label(FILE *f, const char *name, const char *text)
{
	char clean[256];

	ct_clean_text(clean, sizeof(clean), text ?: "", strlen(text ?: ""));
	fprintf(f, "%s=", name);
	put_value(f, clean);
}

static void put_seconds(FILE *f, uint64_t ns)
{
	fprintf(f, " %" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

/* --- the faults of a trace --------------------------------------------------------- */

static int count_process(struct ct_counts *c, struct ct_map *places,
			 const struct cowtrace_record *r, uint64_t bytes)
{
	struct ct_counted_process *p = CT_ELEMENT(places, r->tgid, 1, c->processes,
						  &c->nr_processes);

	if (!p)
		return -ENOMEM;
	p->tgid = r->tgid;
	/* The first thread names the process. */
	if (!p->count.faults || r->pid == r->tgid)
		ct_clean_text(p->comm, sizeof(p->comm), r->comm, sizeof(r->comm));
	ct_count_add(&p->count, r, bytes);
	return 0;
}

static int count_pair(struct ct_counts *c, struct ct_map *places, const struct cowtrace_record *r,
		      uint64_t bytes)
{
	struct ct_counted *p = CT_ELEMENT(places, r->outcome << 8 | r->reason, 0, c->pairs,
					  &c->nr_pairs);

	if (!p)
		return -ENOMEM;
	p->outcome = r->outcome;
	p->reason = r->reason;
	p->faults++;
	p->bytes = ct_add(p->bytes, bytes);
	p->ns += r->duration_ns;
	p->log2[31 - __builtin_clz(r->duration_ns | 1)]++;
	return 0;
}

static int by_copies(const void *a, const void *b)
{
	const struct ct_counted_process *x = a, *y = b;
	int order = ct_count_order(&x->count, &y->count);

	return order ? order : (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

/* As the module would have counted them. */
static int count_records(struct ct_export *e, struct ct_counts **counts)
{
	uint64_t page_size = e->report->schema->page_size;
	struct ct_map pairs = { 0 }, processes = { 0 };
	struct ct_counts *c = calloc(1, sizeof(*c));
	const struct ct_split *split;
	struct ct_event event;
	int ret = c ? 0 : -ENOMEM;

	*counts = c;
	while (!ret && ct_export_next(e, &event, &split)) {
		uint64_t bytes = cowtrace_copied_pages(event.record) * page_size;

		ret = count_pair(c, &pairs, event.record, bytes);
		if (!ret && e->processes)
			ret = count_process(c, &processes, event.record, bytes);
	}
	if (!ret) {
		c->timed = true;
		c->durations = true;
		c->by_process = e->processes;
		if (c->nr_processes)
			qsort(c->processes, c->nr_processes, sizeof(*c->processes), by_copies);
	}
	ct_map_free(&pairs);
	ct_map_free(&processes);
	return ret;
}

/* --- metrics ------------------------------------------------------------------------- */

static void put_about(FILE *f, const struct ct_export *e)
{
	const struct ct_schema *s = e->report->schema;

	put_head(f, "cowtrace_info", "gauge", "The module and the kernel that it is in: 1.");
	fputs("cowtrace_info{", f);
	put_label(f, "version", s->module);
	fputc(',', f);
	put_label(f, "kernel", s->kernel);
	fputc(',', f);
	put_label(f, "backend", s->backend);
	fputs("} 1\n", f);
	if (e->live) {
		put_head(f, "cowtrace_enabled", "gauge",
			 "Whether faults are counted: 1 if they are.");
		fprintf(f, "cowtrace_enabled %d\n", ct_report_running(e->report));
	}
	put_head(f, "cowtrace_sample_factor", "gauge",
		 "Faults that each one in these metrics stands for: 1 where none is left out.");
	fprintf(f, "cowtrace_sample_factor %.17g\n", e->report->sample.factor);
}

static void put_pair(FILE *f, const char *metric, const struct ct_export *e,
		     const struct ct_counted *p, uint64_t n)
{
	fprintf(f, "%s{", metric);
	put_label(f, "outcome", ct_report_word(e->report, "outcome", p->outcome));
	fputc(',', f);
	put_label(f, "reason", ct_report_word(e->report, "reason", p->reason));
	fprintf(f, "} %" PRIu64 "\n", n);
}

static void put_pairs(FILE *f, const struct ct_export *e, const struct ct_counts *c)
{
	size_t i;

	put_head(f, "cowtrace_faults_total", "counter",
		 "Write-protect faults by what the kernel did, and why.");
	for (i = 0; i < c->nr_pairs; i++)
		put_pair(f, "cowtrace_faults_total", e, &c->pairs[i], c->pairs[i].faults);
	put_head(f, "cowtrace_copied_bytes_total", "counter",
		 "Bytes that were copied, by outcome and reason.");
	for (i = 0; i < c->nr_pairs; i++)
		if (ct_copied(c->pairs[i].outcome))
			put_pair(f, "cowtrace_copied_bytes_total", e, &c->pairs[i],
				 c->pairs[i].bytes);
}

static void put_bucket(FILE *f, const char *outcome, const char *le, uint64_t n)
{
	fputs("cowtrace_fault_duration_seconds_bucket{", f);
	put_label(f, "outcome", outcome);
	fprintf(f, ",le=\"%s\"} %" PRIu64 "\n", le, n);
}

static void put_histogram(FILE *f, const char *outcome, const struct ct_counts *c,
			  const struct ct_counted *all)
{
	uint64_t n = 0;
	unsigned int i;
	char le[32];

	for (i = 0; c->durations && i < LAST_BUCKET; i++) {
		n += all->log2[i];
		if (i + 1 < FIRST_BUCKET)
			continue;
		snprintf(le, sizeof(le), "%.10g", ((2ull << i) - 1) / 1e9);
		put_bucket(f, outcome, le, n);
	}
	put_bucket(f, outcome, "+Inf", all->faults);
	fputs("cowtrace_fault_duration_seconds_sum{", f);
	put_label(f, "outcome", outcome);
	fputc('}', f);
	put_seconds(f, all->ns);
	fputs("cowtrace_fault_duration_seconds_count{", f);
	put_label(f, "outcome", outcome);
	fprintf(f, "} %" PRIu64 "\n", all->faults);
}

/* All reasons of an outcome together: a series for each bucket of each is too many. */
static void put_durations(FILE *f, const struct ct_export *e, const struct ct_counts *c)
{
	struct ct_counted all;
	unsigned int outcome, i;
	size_t k;

	if (!c->timed)
		return;
	put_head(f, "cowtrace_fault_duration_seconds", "histogram",
		 "Time that faults took, sleeping included, by outcome.");
	for (outcome = 0; outcome <= UINT8_MAX; outcome++) {
		memset(&all, 0, sizeof(all));
		for (k = 0; k < c->nr_pairs; k++) {
			if (c->pairs[k].outcome != outcome)
				continue;
			all.faults += c->pairs[k].faults;
			all.ns += c->pairs[k].ns;
			for (i = 0; i < CT_COUNTS_BUCKETS; i++)
				all.log2[i] += c->pairs[k].log2[i];
		}
		if (all.faults)
			put_histogram(f, ct_report_word(e->report, "outcome", outcome), c, &all);
	}
}

static void put_process(FILE *f, const char *metric, const struct ct_counted_process *p,
			const char *outcome, uint64_t n)
{
	fprintf(f, "%s{pid=\"%u\",", metric, p->tgid);
	put_label(f, "comm", p->comm);
	if (outcome)
		fprintf(f, ",outcome=\"%s\"", outcome);
	fprintf(f, "} %" PRIu64 "\n", n);
}

/* Those with the most copies. Of outcomes that processes are not counted by: other. */
static void put_processes(FILE *f, const struct ct_export *e, const struct ct_counts *c)
{
	static const char faults[] = "cowtrace_process_faults_total";
	static const char bytes[] = "cowtrace_process_copied_bytes_total";
	size_t i, n = e->processes < c->nr_processes ? e->processes : c->nr_processes;

	if (!n)
		return;
	put_head(f, faults, "counter",
		 "Faults of the processes with the most copies; copy has unshare in it.");
	for (i = 0; i < n; i++) {
		const struct ct_counted_process *p = &c->processes[i];
		uint64_t known = p->count.copies + p->count.reuses + p->count.splits;

		put_process(f, faults, p, "copy", p->count.copies);
		put_process(f, faults, p, "reuse", p->count.reuses);
		put_process(f, faults, p, "split", p->count.splits);
		put_process(f, faults, p, "other",
			    known < p->count.faults ? p->count.faults - known : 0);
	}
	put_head(f, bytes, "counter", "Bytes that were copied for these processes.");
	for (i = 0; i < n; i++)
		put_process(f, bytes, &c->processes[i], NULL, c->processes[i].count.bytes);
}

/* Calls of the traced functions; the trace's end tells of all of them in one number. */
static void put_paths(FILE *f, const struct ct_state *state)
{
	static const char metric[] = "cowtrace_calls_total";
	uint64_t all, pmd, hugetlb;

	if (!ct_state_number(state, "stats", "entries", &all) ||
	    !ct_state_number(state, "stats", "pmd_entries", &pmd) ||
	    !ct_state_number(state, "stats", "hugetlb_entries", &hugetlb) ||
	    ct_add(pmd, hugetlb) > all)
		return;
	put_head(f, metric, "counter",
		 "Calls that were seen of the kernel's function for each kind of mapping, before any filter.");
	fprintf(f, "%s{path=\"pte\"} %" PRIu64 "\n", metric, all - pmd - hugetlb);
	fprintf(f, "%s{path=\"pmd\"} %" PRIu64 "\n", metric, pmd);
	fprintf(f, "%s{path=\"hugetlb\"} %" PRIu64 "\n", metric, hugetlb);
}

static void put_lines(FILE *f, const struct ct_state *state)
{
	const char *last = "";
	const char *help = "";
	uint64_t n;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const struct line *l = &lines[i];

		if (l->help)
			help = l->help;
		if (!ct_state_number(state, l->file, l->name, &n))
			continue;
		if (strcmp(last, l->metric))
			put_head(f, l->metric, l->type, help);
		last = l->metric;
		if (l->cause)
			fprintf(f, "%s{cause=\"%s\"} %" PRIu64 "\n", l->metric, l->cause, n);
		else
			fprintf(f, "%s %" PRIu64 "\n", l->metric, n);
	}
}

int ct_export_prometheus(struct ct_export *e, struct ct_error *err)
{
	const struct ct_state *state = &e->report->state;
	const char *text = ct_state_text(state, "counts");
	struct ct_counts *c = NULL;
	int ret;

	ret = text ? ct_counts_parse(text, e->report->schema, &c, err) : count_records(e, &c);
	if (!ret && e->processes && !c->by_process)
		fputs("cowtrace: processes were not counted: write 1 to processes below cowtrace/ in debugfs, before enabled\n",
		      stderr);
	if (!ret) {
		put_about(e->out, e);
		put_pairs(e->out, e, c);
		put_durations(e->out, e, c);
		put_processes(e->out, e, c);
		put_paths(e->out, state);
		put_lines(e->out, state);
	} else if (ret == -ENOMEM) {
		ct_error_set(err, ret, "out of memory");
	}
	ct_counts_free(c);
	return ret;
}
