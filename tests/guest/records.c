// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "pages.h"
#include "process.h"
#include "records.h"
#include "report.h"
#include "stats.h"

#define WORD(id, v, n, s)	[v] = n,
static const char * const kind_names[] = { COWTRACE_KINDS(WORD) };
static const char * const origin_names[] = { COWTRACE_ORIGINS(WORD) };
static const char * const path_names[] = { COWTRACE_PATHS(WORD) };

int records_open(unsigned int cpu)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "cpu%u", cpu);
	fd = cow_open(name, O_RDONLY | O_NONBLOCK);
	need(fd >= 0, "opening %s: %s", name, strerror(-fd));
	return fd;
}

size_t records_take(int fd, unsigned int cpu,
		    void (*fn)(const struct cowtrace_record *r, void *arg), void *arg)
{
	static struct cowtrace_record buf[1024];
	size_t i, n = 0;
	ssize_t got;

	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		need(!(got % sizeof(*buf)), "cpu%u gave %zd bytes", cpu, got);
		for (i = 0; i < got / sizeof(*buf); i++) {
			need(buf[i].magic == COWTRACE_RECORD_MAGIC && buf[i].cpu == cpu &&
			     buf[i].type == COWTRACE_TYPE_FAULT,
			     "cpu%u gave something that is no record of it", cpu);
			fn(&buf[i], arg);
		}
		n += i;
	}
	need(!got || errno == EAGAIN, "reading cpu%u: %s", cpu, strerror(errno));
	return n;
}

void *with_room(void *at, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return at;
	*room = *room ? 2 * *room : 1024;
	at = realloc(at, *room * size);
	need(at, "no memory for %zu times %zu bytes", *room, size);
	return at;
}

static void append(const struct cowtrace_record *r, void *arg)
{
	struct trace *t = arg;

	t->r = with_room(t->r, t->n, &t->room, sizeof(*r));
	t->r[t->n++] = *r;
}

void trace_read(struct trace *t)
{
	unsigned int cpu;
	int fd;

	memset(t, 0, sizeof(*t));
	t->cpus = cpus_online();
	for (cpu = 0; cpu < t->cpus; cpu++) {
		t->cpu[cpu] = t->n;
		fd = records_open(cpu);
		records_take(fd, cpu, append, t);
		close(fd);
	}
	t->cpu[cpu] = t->n;
}

void trace_free(struct trace *t)
{
	free(t->r);
	memset(t, 0, sizeof(*t));
}

static bool is_of(const struct cowtrace_record *r, uint32_t tgid, const void *page)
{
	return r->tgid == tgid && (r->address & ~(PAGE - 1)) == ((uintptr_t)page & ~(PAGE - 1));
}

size_t records_of(const struct trace *t, uint32_t tgid, const void *page)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += is_of(&t->r[i], tgid, page);
	return n;
}

const struct cowtrace_record *record_of(const struct trace *t, uint32_t tgid, const void *page)
{
	size_t i;

	if (records_of(t, tgid, page) != 1)
		return NULL;
	for (i = 0; !is_of(&t->r[i], tgid, page); i++)
		;
	return &t->r[i];
}

uint64_t fault_end(const struct cowtrace_record *r)
{
	return r->duration_ns == UINT32_MAX ? UINT64_MAX : r->time_ns + r->duration_ns;
}

const char *record_text(const struct cowtrace_record *r)
{
	static char line[512];

	if (!r)
		return "not exactly one record of that page";
	snprintf(line, sizeof(line),
		 "%s %s path %s kind %s origin %s order %u refcount %d mapcount %d of the folio %d swapcount %u mapped_here %u state %#x evidence %#x present %#x ret %#x flags %#x pid %u tgid %u comm %.16s uid %u address %#llx ip %#llx pfn %#llx new_pfn %#llx",
		 outcome_name(r->outcome), reason_name(r->reason), path_names[r->path],
		 kind_names[r->kind], origin_names[r->origin], r->order, r->refcount, r->mapcount,
		 r->folio_mapcount, r->swapcount, r->mapped_here, r->state, r->evidence,
		 r->present, r->ret, r->fault_flags, r->pid, r->tgid, r->comm, r->uid,
		 (unsigned long long)r->address, (unsigned long long)r->ip,
		 (unsigned long long)r->pfn, (unsigned long long)r->new_pfn);
	return line;
}
