// SPDX-License-Identifier: GPL-2.0
#include "merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "clock.h"

#define ROOM	(64u << 10)
/* A fault ends a little before its record can be read: an interrupt may come between. */
#define SLACK_NS	10000000u

/**
 * struct stream - one CPU
 * @fd: its descriptor.
 * @data: records that were read.
 * @at: of them taken, in bytes.
 * @size: bytes of them.
 * @known_ns: all that ended before was read.
 * @ended: there will be no more.
 */
struct stream {
	int		fd;
	char		*data;
	size_t		at;
	size_t		size;
	uint64_t	known_ns;
	bool		ended;
};

struct ct_merge {
	struct ct_source *source;
	const struct ct_schema *schema;
	struct stream	*streams;
	size_t		nr;
	size_t		room;
};

static int add_stream(struct ct_merge *m, unsigned int cpu, struct ct_error *err)
{
	struct stream *s = &m->streams[m->nr];

	s->fd = m->source->open_cpu(m->source, cpu, err);
	if (s->fd == -ENOENT)
		return 0;
	if (s->fd < 0)
		return s->fd;
	m->nr++;
	s->data = malloc(m->room);
	return s->data ? 0 : ct_error_set(err, -ENOMEM, "no memory for the records");
}

int ct_merge_open(struct ct_source *source, const struct ct_schema *schema,
		  struct ct_merge **out, struct ct_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct ct_merge *m = calloc(1, sizeof(*m));
	int ret = 0;

	if (m)
		m->streams = calloc(cpus, sizeof(*m->streams));
	if (!m || !m->streams) {
		ct_merge_close(m);
		return ct_error_set(err, -ENOMEM, "no memory for the records");
	}
	m->source = source;
	m->schema = schema;
	m->room = ROOM - ROOM % schema->record_size;
	for (long cpu = 0; cpu < cpus && !ret; cpu++)
		ret = add_stream(m, cpu, err);
	if (ret)
		ct_merge_close(m);
	else
		*out = m;
	return ret;
}

void ct_merge_close(struct ct_merge *m)
{
	if (!m)
		return;
	while (m->nr) {
		struct stream *s = &m->streams[--m->nr];

		close(s->fd);
		free(s->data);
	}
	free(m->streams);
	free(m);
}

static bool empty(const struct stream *s)
{
	return s->at == s->size;
}

static int fill(struct ct_merge *m, struct stream *s)
{
	uint64_t now = ct_now_ns();
	ssize_t n = m->source->read_cpu(m->source, s->fd, s->data, m->room);

	s->at = 0;
	s->size = n > 0 ? n - n % m->schema->record_size : 0;
	if (n == -EAGAIN) {
		s->known_ns = now - SLACK_NS;
		return 0;
	}
	s->ended = n <= 0;
	return n < 0 ? n : 0;
}

int ct_merge_read(struct ct_merge *m, struct ct_error *err)
{
	for (size_t i = 0; i < m->nr; i++) {
		struct stream *s = &m->streams[i];
		int ret = empty(s) && !s->ended ? fill(m, s) : 0;

		if (ret)
			return ct_error_set(err, ret, "reading the events failed: %s",
					    strerror(-ret));
	}
	return 0;
}

const void *ct_merge_next(struct ct_merge *m, struct cowtrace_record *record)
{
	uint64_t known = UINT64_MAX, first = UINT64_MAX;
	struct stream *best = NULL;
	struct cowtrace_record r;
	const void *raw;

	for (size_t i = 0; i < m->nr; i++) {
		struct stream *s = &m->streams[i];
		uint64_t end;

		if (empty(s)) {
			if (!s->ended && s->known_ns < known)
				known = s->known_ns;
			continue;
		}
		ct_schema_decode(m->schema, s->data + s->at, &r);
		end = ct_add(r.time_ns, r.duration_ns);
		if (!best || end < first) {
			best = s;
			first = end;
			*record = r;
		}
	}
	if (!best || first >= known)
		return NULL;
	raw = best->data + best->at;
	best->at += m->schema->record_size;
	return raw;
}

bool ct_merge_ended(const struct ct_merge *m)
{
	for (size_t i = 0; i < m->nr; i++)
		if (!empty(&m->streams[i]) || !m->streams[i].ended)
			return false;
	return true;
}
