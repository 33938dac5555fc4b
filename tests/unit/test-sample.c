// SPDX-License-Identifier: GPL-2.0
/* What is said of a trace in which 1 fault in N was recorded. */
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>
#include <json-c/json.h>

#include "forks.h"
#include "generate.h"
#include "numbers.h"
#include "report.h"
#include "sample.h"
#include "tap.h"
#include "whatif_view.h"
#include "writer.h"

#define META(every)	"{\"settings\":{\"sample_every\":\"" every "\"}}"
#define COPIES		12
#define REUSES		6

static char *path;

/* Twelve copies and six reuses, of which the module says @stats. */
static void make(const char *meta, const char *stats)
{
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_EXCLUSIVE);
	struct cowtrace_record r;
	uint32_t i;

	ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, meta, strlen(meta));
	for (i = 1; i <= COPIES + REUSES; i++) {
		r = plain_record(i, 1000 * i);
		r.outcome = i <= COPIES ? COWTRACE_OUTCOME_COPY : COWTRACE_OUTCOME_REUSE;
		r.reason = i <= COPIES ? COWTRACE_REASON_MAPPED : COWTRACE_REASON_SOLE_REF;
		ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
	ct_writer_chunk(w, CT_CHUNK_STATE, UINT32_MAX, "lost\nfull 0\n", 12);
	if (stats)
		ct_writer_chunk(w, CT_CHUNK_STATE, UINT32_MAX, stats, strlen(stats));
	ct_writer_close(w);
}

enum command { REPORT, FORKS, WHATIF };

static char *output(enum command command, bool json)
{
	struct ct_report_opts report = { .json = json };
	struct ct_forks_opts forks = { .report = report };
	struct ct_whatif_opts whatif = { .report = report };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (command == REPORT)
		ct_report_print(f, path, &report);
	else if (command == FORKS)
		ct_forks_print(f, path, &forks);
	else
		ct_whatif_print(f, path, &whatif);
	fclose(f);
	return text;
}

static void says(enum command command, const char *expected, bool wanted, const char *claim)
{
	char *text = output(command, false);

	if (!ok(!strstr(text, expected) == !wanted, "%s", claim))
		note("%s", text);
	free(text);
}

#define NUMBERS(command, list)							\
	do {									\
		char *text_ = output(command, true);				\
		check_numbers_in(text_, #command " ", list, sizeof(list) / sizeof(*(list))); \
		free(text_);							\
	} while (0)

static void check_estimates(void)
{
	static const struct expected_number report[] = {
		{ "trace.sampling.every", 10, "says what was asked for" },
		{ "trace.sampling.recorded", 18, "says how many were recorded" },
		{ "trace.sampling.all", 198, "says of how many" },
		{ "trace.sampling.factor", 11, "says what a record stands for" },
		{ "faults.faults", 198, "estimates all faults" },
		{ "faults.copies", 132, "estimates copies" },
		{ "faults.bytes_copied", 132 * 4096, "estimates bytes" },
		{ "faults.time_ns", 198 * 500, "estimates time" },
		{ "faults.last_ns", 18500, "leaves times of day alone" },
		{ "reasons.0.faults", 132, "estimates reasons" },
		{ "reasons.0.duration.p50_ns", 500, "leaves medians alone" },
		{ "reasons.0.held.total", 132, "estimates references" },
		/* The root of 132 * (1 - 132 / 198) * 10. */
		{ "reasons.0.standard_error", 20, "says how far an estimate can be relied on" },
		{ "processes.0.faults", 198, "estimates processes" },
		{ "evidence.0.faults", 198, "estimates evidence" },
	};
	static const struct expected_number forks[] = {
		{ "trace.sampling.factor", 11, "says what a record stands for" },
		{ "faults.copies", 132, "estimates copies" },
	};
	static const struct expected_number whatif[] = {
		{ "trace.sampling.factor", 11, "says what a record stands for" },
		{ "faults", 198, "estimates all faults" },
		{ "happened.reuse", 66, "estimates what happened" },
		{ "happened.bytes_copied", 132 * 4096, "estimates bytes" },
	};

	/* 18 of 198 are 1 in 11: one that a rate of 1 in 10 may well bring about. */
	make(META("10"), "stats\nsampled_out 180\nhanded_on 18\n");
	NUMBERS(REPORT, report);
	NUMBERS(FORKS, forks);
	NUMBERS(WHATIF, whatif);
	says(REPORT, "18 of 198 faults were recorded, 1 in 11", true,
	     "the report says that it estimates, and from what");
	says(REPORT, "132 +/- 21 copied it", true, "and how far its sums can be relied on");
	says(REPORT, "not estimates", false, "without contention there is no word about it");
	says(FORKS, "1 in 11, each by chance", true, "the ledger says that it estimates");
	says(WHATIF, "1 in 11, each by chance", true, "and so does whatif");
	says(REPORT, "changed under way", false, "a rate that chance explains has not changed");
}

static void check_others(void)
{
	make(META("1"), "stats\nsampled_out 0\nhanded_on 18\n");
	says(REPORT, "sampled", false, "a trace of all faults says nothing of samples");
	says(REPORT, "+/-", false, "and has no errors");
	make(META("1"), "stats\nsampled_out 180\nhanded_on 18\n");
	says(REPORT, "sample_every was 1 when tracing began and changed", true,
	     "sampling that was switched on under way is told");
	make(META("2"), "stats\nsampled_out 180\nhanded_on 18\n");
	says(REPORT, "sample_every was 2 when tracing began and changed", true,
	     "a rate that changed under way is told");
	make(META("10"), NULL);
	says(REPORT, "180 write-protect faults", true,
	     "a trace without its end is estimated by what was asked for");
	make(META("10"), "stats\nsampled_out 0\nhanded_on 0\n");
	says(REPORT, "18 write-protect faults", true, "no fault chosen is no reason to divide by 0");
	make("{\"settings\":7}", "stats\nsampled_out 18446744073709551615\nhanded_on 18\n");
	says(REPORT, "changed under way", false, "settings that make no sense are none");
}

/* Of @n faults, @k of the kind that is estimated; what a sample of 1 in @every says of it. */
static double error_of_sample(struct random_state *dice, unsigned int n, unsigned int k,
			      unsigned int every, double *estimate)
{
	struct ct_sample s = { .every = every, .all = n };
	unsigned int i, kind = 0;

	for (i = 0; i < n; i++) {
		if (below(dice, every))
			continue;
		s.recorded++;
		kind += i < k;
	}
	s.factor = (double)s.all / s.recorded;
	*estimate = kind * s.factor;
	return ct_sample_error(&s, *estimate + 0.5);
}

/* As often as a normal distribution has it: 68.3 %, 95.4 % and 99.99 %. */
static void check_errors(void)
{
	enum { SAMPLES = 2000, FAULTS = 3000, KIND = 1000 };
	struct random_state dice = { 7 };
	unsigned int i, in[5] = { 0 };
	double sum = 0;

	for (i = 0; i < SAMPLES; i++) {
		double estimate, error = error_of_sample(&dice, FAULTS, KIND, 10, &estimate);
		double off = estimate < KIND ? KIND - estimate : estimate - KIND;
		int k;

		sum += estimate;
		for (k = 1; k <= 4; k++)
			in[k] += off <= k * error;
	}
	note("of %d samples %u, %u, %u within 1, 2, 4 errors; on average %.1f of %d", SAMPLES,
	     in[1], in[2], in[4], sum / SAMPLES, KIND);
	ok(in[1] > SAMPLES * 0.65 && in[1] < SAMPLES * 0.715 && in[2] > SAMPLES * 0.94 &&
	   in[2] < SAMPLES * 0.97 && in[4] > SAMPLES * 0.998,
	   "estimates are as far off as their standard error says");
	ok(sum / SAMPLES > KIND - 5 && sum / SAMPLES < KIND + 5, "and not off on average");
}

int main(void)
{
	path = temporary_file();
	check_estimates();
	check_others();
	check_errors();
	remove(path);
	free(path);
	return tap_end();
}
