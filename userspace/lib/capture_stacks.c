// SPDX-License-Identifier: GPL-2.0
#include "capture_stacks.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cpus.h"
#include "format.h"
#include "perf_ring.h"
#include "tracefs.h"

#define EVENT		"cowtrace/wp_fault"
/* Of each CPU: a thousand stacks of up to 16 KiB, but not less than the first. */
#define RING_MIN	(4u << 20)
#define RING_MAX	(16u << 20)

/* Fields of the tracepoint by which a stack finds its record. */
enum field { FIELD_SEQ, FIELD_CPU, FIELD_PID, FIELD_TGID, FIELD_TIME, NR_FIELDS };

static const struct {
	const char	*name;
	unsigned int	size;
} fields[NR_FIELDS] = {
	{ "seq", 4 }, { "cpu", 2 }, { "pid", 4 }, { "tgid", 4 }, { "time_ns", 8 },
};

/* In the order of struct ct_stack, which is that of DWARF's numbers. */
static const uint8_t registers[CT_STACK_REGS] = {
	PERF_REG_X86_AX, PERF_REG_X86_DX, PERF_REG_X86_CX, PERF_REG_X86_BX,
	PERF_REG_X86_SI, PERF_REG_X86_DI, PERF_REG_X86_BP, PERF_REG_X86_SP,
	PERF_REG_X86_R8, PERF_REG_X86_R9, PERF_REG_X86_R10, PERF_REG_X86_R11,
	PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14, PERF_REG_X86_R15,
	PERF_REG_X86_IP,
};

/**
 * struct cpu - event of a CPU
 * @perf: the event and its ring.
 * @taken: stacks read from this ring since it was opened.
 */
struct cpu {
	struct ct_perf_ring perf;
	uint64_t	taken;
};

struct ct_capture_stacks {
	struct perf_event_attr attr;
	unsigned int	offsets[NR_FIELDS];
	uint64_t	mask;
	size_t		ring_bytes;
	bool		on;
	int		epoll;
	uint64_t	tag;
	uint64_t	taken;
	uint64_t	cut;
	uint64_t	bad;
	/* Of events that were closed. */
	uint64_t	lost;
	char		*raw;
	char		*out;
	unsigned int	nr;
	struct cpu	cpus[];
};

static int open_cpu(struct ct_capture_stacks *s, unsigned int cpu)
{
	struct cpu *c = &s->cpus[cpu];
	int ret = ct_perf_ring_open(&c->perf, &s->attr, cpu, s->ring_bytes);

	if (ret)
		return ret;
	c->taken = 0;
	if (s->epoll >= 0)
		ct_perf_ring_poll(&c->perf, s->epoll, s->tag);
	if (s->on)
		ioctl(c->perf.fd, PERF_EVENT_IOC_ENABLE, 0);
	return 0;
}

/* What the event has counted and nobody has read. */
static uint64_t missing(const struct ct_capture_stacks *s, const struct cpu *c)
{
	uint64_t due = ct_perf_ring_count(&c->perf) / s->attr.sample_period;

	return due > c->taken ? due - c->taken : 0;
}

static void close_cpu(struct ct_capture_stacks *s, struct cpu *c)
{
	if (c->perf.fd >= 0)
		s->lost += missing(s, c);
	ct_perf_ring_close(&c->perf);
}

static int explain(int code, struct ct_error *err)
{
	if (code == -EACCES || code == -EPERM)
		return ct_error_set(err, code,
				    "cannot copy stacks: perf events are refused here: set kernel.perf_event_paranoid to -1, or give CAP_PERFMON");
	if (code == -ENOSYS)
		return ct_error_set(err, code,
				    "cannot copy stacks: this kernel has no perf events (CONFIG_PERF_EVENTS): record without --stacks");
	return ct_error_set(err, code, "cannot copy stacks: perf_event_open of " EVENT ": %s",
			    strerror(-code));
}

static int find_event(struct ct_capture_stacks *s, struct ct_error *err)
{
	s->attr.config = ct_tracefs_number(EVENT);
	if (!s->attr.config)
		return ct_error_set(err, -ENOENT,
				    "cannot copy stacks: there is no event " EVENT ": mount -t tracefs tracefs /sys/kernel/tracing");
	for (size_t i = 0; i < NR_FIELDS; i++)
		if (!ct_tracefs_field(EVENT, fields[i].name, fields[i].size, &s->offsets[i]))
			return ct_error_set(err, -EPROTO,
					    "cannot copy stacks: the event " EVENT " has no field %s of %u bytes: install module and command of one version",
					    fields[i].name, fields[i].size);
	return 0;
}

int ct_capture_stacks_open(struct ct_capture_stacks **out, uint32_t bytes, uint32_t every,
			   struct ct_error *err)
{
	unsigned int nr = ct_cpus_possible();
	struct ct_capture_stacks *s = calloc(1, sizeof(*s) + nr * sizeof(*s->cpus));
	int ret = 0;

	if (!s)
		return ct_error_set(err, -ENOMEM, "no memory for stacks");
	s->nr = nr;
	for (s->ring_bytes = RING_MIN; s->ring_bytes < RING_MAX && s->ring_bytes < bytes * 1024ul;)
		s->ring_bytes *= 2;
	s->epoll = -1;
	for (unsigned int i = 0; i < nr; i++)
		s->cpus[i].perf.fd = -1;
	for (size_t i = 0; i < CT_STACK_REGS; i++)
		s->mask |= 1ull << registers[i];
	s->attr = (struct perf_event_attr){
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(s->attr),
		.sample_period = every,
		.sample_type = PERF_SAMPLE_RAW | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_regs_user = s->mask,
		.sample_stack_user = bytes,
		.disabled = 1,
	};
	s->raw = malloc(CT_STACKS_MAX);
	s->out = malloc(CT_STACKS_MAX);
	if (!s->raw || !s->out)
		ret = ct_error_set(err, -ENOMEM, "no memory for stacks");
	if (!ret)
		ret = find_event(s, err);
	for (unsigned int i = 0; i < nr && !ret; i++) {
		ret = open_cpu(s, i);
		if (ret == -ENODEV)	/* offline */
			ret = 0;
		if (ret)
			explain(ret, err);
	}
	if (ret) {
		ct_capture_stacks_close(s);
		return ret;
	}
	*out = s;
	return 0;
}

void ct_capture_stacks_poll(struct ct_capture_stacks *s, int epoll, uint64_t tag)
{
	s->epoll = epoll;
	s->tag = tag;
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->cpus[i].perf.fd >= 0)
			ct_perf_ring_poll(&s->cpus[i].perf, epoll, tag);
}

static void switch_all(struct ct_capture_stacks *s, bool on)
{
	s->on = on;
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->cpus[i].perf.fd >= 0)
			ioctl(s->cpus[i].perf.fd, on ? PERF_EVENT_IOC_ENABLE :
						       PERF_EVENT_IOC_DISABLE, 0);
}

void ct_capture_stacks_start(struct ct_capture_stacks *s)
{
	switch_all(s, true);
}

void ct_capture_stacks_stop(struct ct_capture_stacks *s)
{
	switch_all(s, false);
}

void ct_capture_stacks_rescan(struct ct_capture_stacks *s)
{
	for (unsigned int i = 0; i < s->nr; i++) {
		struct cpu *c = &s->cpus[i];

		if (c->perf.fd >= 0 && s->on && !ct_perf_ring_alive(&c->perf) &&
		    ct_perf_ring_empty(&c->perf))
			close_cpu(s, c);
		if (c->perf.fd < 0)
			open_cpu(s, i);
	}
}

void ct_capture_stacks_renew(struct ct_capture_stacks *s, unsigned int cpu)
{
	if (cpu >= s->nr)
		return;
	close_cpu(s, &s->cpus[cpu]);
	open_cpu(s, cpu);
}

/* A sample's bytes that are left to read. */
struct rest {
	const char	*at;
	size_t		size;
};

static const char *take(struct rest *rest, size_t size)
{
	const char *at = rest->at;

	if (size > rest->size)
		return NULL;
	rest->at += size;
	rest->size -= size;
	return at;
}

static bool take_number(struct rest *rest, uint64_t *number)
{
	const char *at = take(rest, sizeof(*number));

	if (at)
		memcpy(number, at, sizeof(*number));
	return at;
}

static bool take_fields(const struct ct_capture_stacks *s, struct rest *rest, struct ct_stack *to)
{
	const char *at = take(rest, sizeof(uint32_t)), *raw;
	uint32_t size;
	uint16_t cpu;

	if (!at)
		return false;
	memcpy(&size, at, sizeof(size));
	raw = take(rest, size);
	for (size_t i = 0; raw && i < NR_FIELDS; i++)
		if (s->offsets[i] + fields[i].size > size)
			return false;
	if (!raw)
		return false;
	memcpy(&to->seq, raw + s->offsets[FIELD_SEQ], sizeof(to->seq));
	memcpy(&cpu, raw + s->offsets[FIELD_CPU], sizeof(cpu));
	to->cpu = cpu;
	memcpy(&to->pid, raw + s->offsets[FIELD_PID], sizeof(to->pid));
	memcpy(&to->tgid, raw + s->offsets[FIELD_TGID], sizeof(to->tgid));
	memcpy(&to->time_ns, raw + s->offsets[FIELD_TIME], sizeof(to->time_ns));
	return true;
}

/* They come in the order of perf's own numbers. */
static bool take_registers(const struct ct_capture_stacks *s, struct rest *rest,
			   struct ct_stack *to)
{
	uint64_t abi;

	if (!take_number(rest, &abi))
		return false;
	to->abi = abi;
	if (abi == PERF_SAMPLE_REGS_ABI_NONE)
		return true;
	for (size_t i = 0; i < CT_STACK_REGS; i++) {
		size_t before = __builtin_popcountll(s->mask & ((1ull << registers[i]) - 1));

		if (rest->size < (before + 1) * sizeof(*to->regs))
			return false;
		memcpy(&to->regs[i], rest->at + before * sizeof(*to->regs), sizeof(*to->regs));
	}
	return take(rest, sizeof(to->regs));
}

/* The stack goes behind @to, which has as much room as the sample is long. */
static bool take_stack(struct rest *rest, struct ct_stack *to)
{
	uint64_t asked, copied = 0;
	const char *bytes = NULL;

	if (!take_number(rest, &asked))
		return false;
	if (asked) {
		bytes = take(rest, asked);
		if (!bytes || !take_number(rest, &copied) || copied > asked)
			return false;
	}
	to->asked = asked;
	to->copied = copied;
	to->size = sizeof(*to) + ((copied + 7) & ~7ull);
	memset((char *)to + to->size - 8, 0, 8);
	if (copied)
		memcpy(to + 1, bytes, copied);
	return true;
}

/* Return: bytes of the stack that was made of a sample, 0 for none. */
static size_t convert(struct ct_capture_stacks *s, const struct perf_event_header *h,
		      struct ct_stack *to)
{
	struct rest rest = { (const char *)(h + 1), h->size - sizeof(*h) };

	/* What was lost is counted by the event itself, the last ones too. */
	if (h->type != PERF_RECORD_SAMPLE)
		return 0;
	memset(to, 0, sizeof(*to));
	s->taken++;
	if (!take_fields(s, &rest, to) || !take_registers(s, &rest, to) ||
	    !take_stack(&rest, to)) {
		s->bad++;
		return 0;
	}
	s->cut += to->copied < to->asked;
	return to->size;
}

static void read_cpu(struct ct_capture_stacks *s, unsigned int cpu, ct_stacks_sink *sink,
		     void *arg)
{
	const struct perf_event_header *h;
	uint64_t before;
	size_t size;

	while ((size = ct_perf_ring_take(&s->cpus[cpu].perf, s->raw, CT_STACKS_MAX))) {
		size_t made = 0;

		before = s->taken;
		for (size_t at = 0; at + sizeof(*h) <= size; at += h->size) {
			h = (const void *)(s->raw + at);
			if (h->size < sizeof(*h) || h->size > size - at)
				break;
			made += convert(s, h, (struct ct_stack *)(s->out + made));
		}
		s->cpus[cpu].taken += s->taken - before;
		if (made)
			sink(arg, cpu, s->out, made);
	}
}

bool ct_capture_stacks_filled(const struct ct_capture_stacks *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (ct_perf_ring_filled(&s->cpus[i].perf))
			return true;
	return false;
}

void ct_capture_stacks_read(struct ct_capture_stacks *s, ct_stacks_sink *sink, void *arg)
{
	for (unsigned int i = 0; i < s->nr; i++)
		read_cpu(s, i, sink, arg);
}

uint64_t ct_capture_stacks_lost(const struct ct_capture_stacks *s)
{
	uint64_t lost = s->lost;

	for (unsigned int i = 0; i < s->nr; i++)
		if (s->cpus[i].perf.fd >= 0)
			lost += missing(s, &s->cpus[i]);
	return lost;
}

void ct_capture_stacks_state(const struct ct_capture_stacks *s, struct ct_writer *writer)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "bytes %u\nevery %llu\ntaken %llu\nstacks_lost %llu\nstacks_short %llu\nstacks_bad %llu\n",
		 s->attr.sample_stack_user, (unsigned long long)s->attr.sample_period,
		 (unsigned long long)s->taken, (unsigned long long)ct_capture_stacks_lost(s),
		 (unsigned long long)s->cut, (unsigned long long)s->bad);
	ct_writer_state(writer, "stacks", text);
}

void ct_capture_stacks_close(struct ct_capture_stacks *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < s->nr; i++)
		close_cpu(s, &s->cpus[i]);
	free(s->raw);
	free(s->out);
	free(s);
}
