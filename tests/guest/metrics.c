// SPDX-License-Identifier: GPL-2.0
/* What cowtrace export says of the running module, against the module's own files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"
#include "metrics.h"

#define COMMAND	"cowtrace export --format prometheus"

static char metrics[1 << 20];

/* The value of a series, -1 if there is none. */
static long long series(const char *name)
{
	size_t n = strlen(name);
	const char *at = metrics;

	while ((at = strstr(at, name))) {
		if ((at == metrics || at[-1] == '\n') && at[n] == ' ')
			return strtoll(at + n, NULL, 10);
		at += n;
	}
	return -1;
}

static long long series_of(const char *metric, const char *outcome, const char *reason)
{
	char name[160];

	snprintf(name, sizeof(name), "%s{outcome=\"%s\",reason=\"%s\"}", metric, outcome, reason);
	return series(name);
}

/* Faults of all series of outcome and reason. */
static unsigned long long all_faults(void)
{
	static const char name[] = "\ncowtrace_faults_total{";
	unsigned long long sum = 0;
	const char *at = metrics;

	while ((at = strstr(at, name))) {
		at = strstr(at, "} ") + 1;
		sum += strtoull(at, NULL, 10);
	}
	return sum;
}

/* The first line of stats that is another number in the metrics. */
static const char *differ(char *stats, unsigned long long *sum)
{
	static char text[160];
	unsigned long long faults, bytes;
	char outcome[32], reason[32], *line, *save;

	for (line = strtok_r(stats, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "fault %31s %31s %llu %llu", outcome, reason, &faults,
			   &bytes) != 4)
			continue;
		*sum += faults;
		if (series_of("cowtrace_faults_total", outcome, reason) == (long long)faults &&
		    (!bytes || series_of("cowtrace_copied_bytes_total", outcome, reason) ==
			       (long long)bytes))
			continue;
		snprintf(text, sizeof(text), "%s", line);
		return text;
	}
	return NULL;
}

static bool told(const char *name, const char *cause)
{
	char lost[512], wanted[96], *at;

	need(cow_read("lost", lost, sizeof(lost)) > 0, "lost is empty");
	snprintf(wanted, sizeof(wanted), "cowtrace_missed_faults_total{cause=\"%s\"}", cause);
	at = strstr(lost, name);
	return at && series(wanted) == atoll(at + strlen(name));
}

void check_metrics(const char *mode)
{
	static char stats[1 << 16];
	unsigned long long sum = 0;
	char name[64];
	const char *wrong;

	output_of(COMMAND, metrics, sizeof(metrics));
	need(cow_read("stats", stats, sizeof(stats)) > 0, "stats is empty");
	wrong = differ(stats, &sum);
	snprintf(name, sizeof(name), "metrics-%s", mode);
	check(!wrong && sum && all_faults() == sum, name,
	      "the metrics of the running module have faults and bytes of each outcome and reason as stats has them",
	      "%s; %llu of %llu faults", wrong, all_faults(), sum);
	snprintf(name, sizeof(name), "metrics-missed-%s", mode);
	check(told("missed_no_instance ", "no_instance") && told("missed_recursion ", "recursion"),
	      name, "and what was missed as lost has it", "they differ");
}

void check_metrics_enabled(bool enabled)
{
	output_of(COMMAND, metrics, sizeof(metrics));
	check(series("cowtrace_enabled") == enabled, enabled ? "metrics-on" : "metrics-off",
	      "the metrics say whether faults are counted", "%lld", series("cowtrace_enabled"));
}
