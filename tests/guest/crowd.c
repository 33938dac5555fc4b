// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"

/* Of each task; a fork for every twice as many faults. */
#define PAGES	256

/* --- the reader ------------------------------------------------------------ */

void follow_init(struct follow *f)
{
	unsigned int cpu;

	memset(f, 0, sizeof(*f));
	for (cpu = 0; cpu < MAX_CPUS; cpu++)
		f->fd[cpu] = -1;
}

static void follow(const struct cowtrace_record *r, void *arg)
{
	struct follow *f = arg;

	f->gaps[r->cpu] += (uint32_t)(r->seq - f->seq[r->cpu] - 1);
	f->seq[r->cpu] = r->seq;
	f->read[r->cpu]++;
}

void follow_read(struct follow *f)
{
	unsigned int cpu;
	char name[16];

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		snprintf(name, sizeof(name), "cpu%u", cpu);
		if (f->fd[cpu] < 0)
			f->fd[cpu] = cow_open(name, O_RDONLY | O_NONBLOCK);
		if (f->fd[cpu] >= 0)
			records_take(f->fd[cpu], cpu, follow, f);
		else
			need(f->fd[cpu] == -ENOENT, "%s: %s", name, strerror(-f->fd[cpu]));
	}
}

void follow_close(struct follow *f)
{
	unsigned int cpu;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (f->fd[cpu] >= 0)
			close(f->fd[cpu]);
		f->fd[cpu] = -1;
	}
}

const char *follow_differs(const struct follow *f, const struct stats *s)
{
	static char what[128];
	unsigned int cpu;

	for (cpu = 0; cpu < s->cpus; cpu++) {
		const struct counters *c = &s->cpu[cpu];

		if (f->read[cpu] == c->recorded && f->gaps[cpu] == c->dropped_full)
			continue;
		snprintf(what, sizeof(what),
			 "cpu %u: read %llu of %llu, %llu numbers missing, %llu dropped", cpu,
			 f->read[cpu], c->recorded, f->gaps[cpu], c->dropped_full);
		return what;
	}
	return NULL;
}

/* --- the tasks -------------------------------------------------------------- */

/* In memory that all share. */
static volatile bool *stop;

static void fault(void *arg)
{
	char *mem = map_pages(PAGES);
	intptr_t cpu = (intptr_t)arg;

	if (cpu >= 0)
		on_cpu(cpu);
	touch(mem, PAGES);
	while (!*stop)
		fork_write(mem, PAGES);
}

static void sign(void *arg)
{
	fork_write_on((uintptr_t)arg, 1);
}

void crowd_init(struct crowd *c, unsigned int n, unsigned int pinned)
{
	intptr_t i;

	if (!stop)
		stop = map_shared(sizeof(*stop));
	*stop = false;
	memset(c, 0, sizeof(*c));
	for (i = 0; i < n; i++)
		c->task[c->n++] = child_held(fault, (void *)(i < pinned ? i : -1));
	for (i = 0; i < cpus_online(); i++)
		c->sign[c->signs++] = child_held(sign, (void *)i);
}

void crowd_go(struct crowd *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		child_go(&c->task[i]);
}

void read_until_gone(pid_t pid, struct follow *f)
{
	int status;
	pid_t gone;

	while (!(gone = waitpid(pid, &status, WNOHANG))) {
		follow_read(f);
		sleep_ms(5);
	}
	need(gone == pid && !status, "a task of the load ended with %#x", status);
}

void crowd_end(struct crowd *c, unsigned int n)
{
	unsigned int i;

	*stop = true;
	for (i = 0; i < n; i++)
		need(!child_wait(c->task[i].pid), "a task of the load has failed");
	for (; i < c->n; i++)
		child_drop(&c->task[i]);
	for (i = 0; i < c->signs; i++)
		child_drop(&c->sign[i]);
}

void crowd_stop(struct crowd *c, struct follow *f)
{
	unsigned int i;

	*stop = true;
	for (i = 0; i < c->n; i++)
		read_until_gone(c->task[i].pid, f);
	follow_read(f);
}

void crowd_sign(struct crowd *c, struct follow *f)
{
	unsigned int i;

	for (i = 0; i < c->signs; i++) {
		child_go(&c->sign[i]);
		read_until_gone(c->sign[i].pid, f);
	}
}

/* --- the kernel's own counts -------------------------------------------------- */

void beside_open(struct beside *b)
{
	outside_begin(&b->before);
}

void beside_close(struct beside *b, struct follow *f)
{
	outside_end(&b->after);
	follow_read(f);
	stats_read(&b->s);
	b->missed = missed();
}

static const char *named(const char *phase, const char *what)
{
	static char full[64];

	snprintf(full, sizeof(full), "%s-%s", phase, what);
	return full;
}

void crowd_check(const struct beside *b, const struct follow *f, const char *phase)
{
	const struct counters *c = &b->s.sum;
	unsigned long long calls = b->after.calls - b->before.calls;
	unsigned long long read = 0, gaps = 0;
	const char *broken = stats_broken(&b->s), *differs = follow_differs(f, &b->s);
	long long full = value_in(COW_DIR "/lost", "full");
	unsigned int cpu;

	for (cpu = 0; cpu < b->s.cpus; cpu++) {
		read += f->read[cpu];
		gaps += f->gaps[cpu];
		note("%s: cpu %u: entries %llu exits %llu recorded %llu dropped %llu", phase, cpu,
		     b->s.cpu[cpu].entries, b->s.cpu[cpu].exits, b->s.cpu[cpu].recorded,
		     b->s.cpu[cpu].dropped_full);
	}
	note("%s: calls %llu = entries %llu + proofs %llu + missed %llu; read %llu, numbers missing %llu, dropped %llu; filtered %llu and %llu, sampled out %llu, asleep %llu, skipped %llu",
	     phase, calls, c->entries, c->proofs, b->missed, read, gaps, c->dropped_full,
	     c->filtered_entry, c->filtered_exit, c->sampled_out, b->s.asleep,
	     b->s.skipped_exits);
	check(!broken, named(phase, "identities"),
	      "the accounting identities hold on each CPU and over all", "%s", broken);
	check(calls == c->entries + c->proofs + b->missed, named(phase, "calls"),
	      "calls of do_wp_page, by its kprobe event = entries + proofs + missed",
	      "%llu, %llu + %llu + %llu", calls, c->entries, c->proofs, b->missed);
	check(!differs && gaps == (unsigned long long)full, named(phase, "gaps"),
	      "on each CPU all that is recorded is read, and the gaps in the numbers are the drops",
	      "%s; %llu missing, lost says %lld", differs ?: "", gaps, full);
}

void crowd_check_reuses(const struct stats *s, long long pgreuse, const char *phase,
			unsigned int every)
{
	unsigned long long seen = stats_outcome(s, COWTRACE_OUTCOME_REUSE) +
				  stats_outcome(s, COWTRACE_OUTCOME_MKWRITE);
	unsigned long long raced = stats_outcome(s, COWTRACE_OUTCOME_RACED);
	double off = (double)seen * every - pgreuse;

	note("%s: pgreuse %lld, reuse and mkwrite %llu, 1 in %u, raced %llu", phase, pgreuse, seen,
	     every, raced);
	if (every > 1)
		check(off * off <= STANDARD_ERRORS * STANDARD_ERRORS * (every - 1.0) * pgreuse,
		      named(phase, "reuses"),
		      "pgreuse is what the sample estimates, within 6 standard errors",
		      "%lld, estimated %llu", pgreuse, seen * every);
	else
		check(off <= 0 && -off <= raced, named(phase, "reuses"),
		      "pgreuse = reuse + mkwrite, but for those called raced",
		      "%lld, %llu and %llu raced", pgreuse, seen, raced);
}
