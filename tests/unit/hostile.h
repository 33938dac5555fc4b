/* SPDX-License-Identifier: GPL-2.0 */
/* A trace that is as bad for a page as can be: names, numbers, times and their number. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "writer.h"

/* What is left to an attacker: to close what it stands in, and to begin something else. */
static const char * const hostile_names[] = {
	"<script>x()", "</title><b a=\"", "'\"><img src=x", "&lt;&amp;&#0;", "a\xff\xfe\xc0\x80<",
	"\xef\xbf\xbf\xef\xbf\xbe-->", "]]>\x01\x1b[31m\n", "\xe2\x80\xae\xf0\x9f\x98\x80</td>",
};

#define HOSTILE_NAMES	(sizeof(hostile_names) / sizeof(*hostile_names))

/* Name and path of the @i-th process, its memory, and who forked it. */
static inline void hostile_process(struct bytes *to, uint32_t i)
{
	char path[512];

	memset(path, "<&\"'"[i % 4], sizeof(path));
	snprintf(path, 32, "/%.20s%u", hostile_names[i % HOSTILE_NAMES], i);
	path[strlen(path)] = '/';
	path[sizeof(path) - 1] = '\0';
	add_fork(to, 10 + i, 1000 + i, 999 + i);
	add_comm(to, 11 + i, 1000 + i, hostile_names[i % HOSTILE_NAMES], 0);
	add_map(to, 12 + i, 1000 + i, 0x400000, 0x100000, 0, NULL, path);
}

/* Words that no schema has, places and times all over. */
static inline struct cowtrace_record hostile_record(struct random_state *random, uint32_t seq,
						    uint32_t processes, uint64_t time)
{
	struct cowtrace_record r = plain_record(seq, time);
	uint32_t process = below(random, processes);

	r.tgid = 1000 + process;
	r.pid = r.tgid;
	memset(r.comm, 0, sizeof(r.comm));
	strncpy(r.comm, hostile_names[process % HOSTILE_NAMES], sizeof(r.comm));
	r.ip = 0x400000 + below(random, 0x100000);
	r.outcome = below(random, 256);
	r.reason = below(random, 256);
	r.kind = below(random, 256);
	r.origin = below(random, 256);
	r.evidence = next_random(random);
	r.duration_ns = next_random(random) >> below(random, 32);
	r.refcount = below(random, 1000000);
	return r;
}

/* What says what a word means may be anything too. */
static inline char *hostile_schema(void)
{
	static const char with[] = "<b onclick=\"x()\">";
	char *text = schema_text(0), *at = strstr(text, "other mappings of the page");

	memcpy(at, with, strlen(with));
	return text;
}

/**
 * make_hostile_trace() - write it
 * @path: file.
 * @processes: how many, each forked by the one before it.
 * @records: how many faults; they end 2^60 ns after they began.
 */
static inline void make_hostile_trace(const char *path, uint32_t processes, uint32_t records)
{
	struct random_state random = { 3 };
	struct bytes sideband = { 0 }, meta = { 0 };
	char *schema = hostile_schema();
	struct ct_writer *w;
	uint32_t i;

	if (ct_writer_open(path, &w))
		abort();
	append_bytes(&meta, "{\"target\":{\"argv\":[\"<script>x()</script>\",\"", 43);
	for (i = 0; i < 100000; i++)
		append_bytes(&meta, "<'&", 3);
	append_bytes(&meta, "\"]},\"kernel\":{\"host\":\"\\u202e</p><i>\\uffff\"}}", 44);
	ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, meta.data, meta.size);
	ct_writer_chunk(w, CT_CHUNK_SCHEMA, UINT32_MAX, schema, strlen(schema));
	for (i = 0; i < processes; i++)
		hostile_process(&sideband, i);
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	for (i = 0; i < records; i++) {
		struct cowtrace_record r = hostile_record(&random, 2 * i + 1, processes,
							  (1ull << 60) / records * i);

		ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	}
	ct_writer_state(w, "lost", "full 18446744073709551615\n");
	ct_writer_close(w);
	free(sideband.data);
	free(meta.data);
	free(schema);
}

#endif /* HOSTILE_H */
