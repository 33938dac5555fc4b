// SPDX-License-Identifier: GPL-2.0
#include "generate.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cowtrace/classify.h>
#include <cowtrace/vocab.h>

#include "format.h"
#include "units.h"
#include "writer.h"

uint64_t next_random(struct random_state *random)
{
	/* xorshift64* */
	random->x ^= random->x >> 12;
	random->x ^= random->x << 25;
	random->x ^= random->x >> 27;
	return random->x * 0x2545f4914f6cdd1dull;
}

uint64_t below(struct random_state *random, uint64_t limit)
{
	return limit ? (next_random(random) >> 11) % limit : 0;
}

#define FIELD_LINE(member, type, format, unit, absent, sentence)		\
	fprintf(f, "field %s %s %zu %zu %s %s %#x %s\n", #member, #type,	\
		offsetof(struct cowtrace_record, member),			\
		sizeof(((struct cowtrace_record *)0)->member), format, unit,	\
		(unsigned int)(absent), sentence);
#define WORD_LINE(vocab, value, n, s)	fprintf(f, "word %s %#x %s %s\n", vocab, value, n, s);
#define PATH_LINE(id, v, n, s)		WORD_LINE("path", v, n, s)
#define ORIGIN_LINE(id, v, n, s)	WORD_LINE("origin", v, n, s)
#define KIND_LINE(id, v, n, s)		WORD_LINE("kind", v, n, s)
#define OUTCOME_LINE(id, v, n, s)	WORD_LINE("outcome", v, n, s)
#define REASON_LINE(id, v, n, s)	WORD_LINE("reason", v, n, s)
#define STATE_LINE(id, v, n, s)		WORD_LINE("state", 1u << (v), n, s)
#define EVIDENCE_LINE(id, v, n, s)	WORD_LINE("evidence", 1u << (v), n, s)
#define PRESENT_LINE(id, v, n, s)	WORD_LINE("present", 1u << (v), n, s)
#define TRAIT_LINE(id, v, n, s)		WORD_LINE("trait", 1u << (v), n, s)

char *schema_text_of(const struct ct_schema *like)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fprintf(f, "cowtrace schema %d.%d\n", COWTRACE_SCHEMA_MAJOR, COWTRACE_SCHEMA_MINOR);
	fprintf(f, "module %s\nkernel %s\nbackend %s\nclock monotonic\n", like->module ?: "?",
		like->kernel ?: "?", like->backend ?: "?");
	fprintf(f, "page_size %u\nrecord_size %zu\ntraits %#x\n", like->page_size,
		sizeof(struct cowtrace_record), like->traits);
	COWTRACE_FIELDS(FIELD_LINE)
	COWTRACE_PATHS(PATH_LINE)
	COWTRACE_ORIGINS(ORIGIN_LINE)
	COWTRACE_KINDS(KIND_LINE)
	COWTRACE_OUTCOMES(OUTCOME_LINE)
	COWTRACE_REASONS(REASON_LINE)
	COWTRACE_STATES(STATE_LINE)
	COWTRACE_EVIDENCE(EVIDENCE_LINE)
	COWTRACE_PRESENT(PRESENT_LINE)
	COWTRACE_TRAITS(TRAIT_LINE)
	fclose(f);
	return text;
}

char *schema_text(uint32_t traits)
{
	const struct ct_schema like = {
		.module = "0.1.0",
		.kernel = "6.1.0-50-amd64",
		.backend = "kretprobe",
		.page_size = 4096,
		.traits = traits,
	};

	return schema_text_of(&like);
}

struct ct_schema *schema_of(uint32_t traits)
{
	char *text = schema_text(traits);
	struct ct_schema *schema;
	struct ct_error err;

	if (ct_schema_parse(text, strlen(text), &schema, &err))
		abort();
	free(text);
	return schema;
}

struct cowtrace_record plain_record(uint32_t seq, uint64_t time_ns)
{
	struct cowtrace_record r = {
		.seq = seq,
		.type = COWTRACE_TYPE_FAULT,
		.magic = COWTRACE_RECORD_MAGIC,
		.time_ns = time_ns,
		.duration_ns = 500,
		.pid = 100,
		.tgid = 100,
		.comm = "writer",
		.address = 0x7f0000001000,
		.ip = 0x400100,
		.vm_flags = COWTRACE_VM_WRITE,
		.pfn = 0x1000,
		.new_pfn = 0x1000,
		.refcount = 1,
		.mapcount = 1,
		.state = COWTRACE_PG_ANON | COWTRACE_PG_LRU | COWTRACE_EXIT_PRESENT |
			 COWTRACE_EXIT_WRITE | COWTRACE_EXIT_DIRTY,
		.evidence = COWTRACE_EV_PTE,
		.present = COWTRACE_HAS_PAGE | COWTRACE_HAS_FOLIO_MAPCOUNT |
			   COWTRACE_HAS_NEW_PFN | COWTRACE_HAS_IP,
		.origin = COWTRACE_ORIGIN_USER,
		.kind = COWTRACE_KIND_ANON,
		.outcome = COWTRACE_OUTCOME_REUSE,
		.reason = COWTRACE_REASON_SOLE_REF,
	};

	return r;
}

struct cowtrace_record server_or_child_record(uint32_t seq)
{
	struct cowtrace_record r = plain_record(seq, 1000 * seq);

	r.tgid = 100 + seq % 2;
	r.pid = r.tgid;
	r.outcome = seq % 3 ? COWTRACE_OUTCOME_COPY : COWTRACE_OUTCOME_REUSE;
	r.reason = seq % 3 ? COWTRACE_REASON_MAPPED : COWTRACE_REASON_SOLE_REF;
	return r;
}

/* Room for so many bytes: a power of two, so that it grows rarely. */
static size_t room_for(size_t size)
{
	size_t room = 64;

	while (room < size)
		room *= 2;
	return room;
}

void append_bytes(struct bytes *bytes, const void *data, size_t size)
{
	size_t room = room_for(bytes->size + size + 1);

	if (!bytes->data || room > room_for(bytes->size + 1))
		bytes->data = realloc(bytes->data, room);
	if (!bytes->data)
		abort();
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

struct sample_id {
	uint32_t	pid, tid;
	uint64_t	time;
	uint32_t	cpu, res;
};

static void add_perf(struct bytes *to, uint32_t type, uint16_t misc, const void *body,
		     size_t size, const char *text, uint64_t time, uint32_t tgid)
{
	size_t length = text ? strlen(text) + 1 : 0, padding = -length & 7;
	struct perf_event_header h = { type, misc, sizeof(h) + size + length + padding +
						   sizeof(struct sample_id) };
	struct sample_id id = { tgid, tgid, time, 0, 0 };

	append_bytes(to, &h, sizeof(h));
	append_bytes(to, body, size);
	append_bytes(to, text, length);
	append_bytes(to, "\0\0\0\0\0\0\0", padding);
	append_bytes(to, &id, sizeof(id));
}

void add_comm(struct bytes *to, uint64_t time, uint32_t tgid, const char *name, int exec)
{
	uint32_t body[] = { tgid, tgid };

	add_perf(to, PERF_RECORD_COMM, exec ? PERF_RECORD_MISC_COMM_EXEC : 0, body,
		 sizeof(body), name, time, tgid);
}

struct task_body {
	uint32_t	pid, ppid, tid, ptid;
	uint64_t	time;
};

void add_fork(struct bytes *to, uint64_t time, uint32_t tgid, uint32_t parent)
{
	struct task_body body = { tgid, parent, tgid, parent, time };

	add_perf(to, PERF_RECORD_FORK, 0, &body, sizeof(body), NULL, time, parent);
}

void add_newtask(struct bytes *to, uint64_t time, uint32_t tgid, uint32_t parent, uint64_t flags)
{
	struct {
		struct perf_event_header h;
		struct sample_id id;
		uint32_t	size;
		uint8_t		raw[CT_NEWTASK_SIZE + 12];
	} body = {
		{ PERF_RECORD_SAMPLE, 0, sizeof(body) }, { parent, parent, time, 0, 0 },
		sizeof(body.raw), { 0 }
	};

	memcpy(body.raw + CT_NEWTASK_PID, &tgid, sizeof(tgid));
	memcpy(body.raw + CT_NEWTASK_FLAGS, &flags, sizeof(flags));
	append_bytes(to, &body, sizeof(body));
}

void add_memory(struct bytes *to, uint64_t time, uint32_t tgid, uint64_t anon, uint64_t swapped)
{
	uint64_t body[] = { tgid, anon, swapped };

	add_perf(to, CT_RECORD_MEMORY, PERF_RECORD_MISC_USER, body, sizeof(body), NULL, time, tgid);
}

void add_exit(struct bytes *to, uint64_t time, uint32_t tgid)
{
	struct task_body body = { tgid, 1, tgid, 1, time };

	add_perf(to, PERF_RECORD_EXIT, 0, &body, sizeof(body), NULL, time, tgid);
}

void add_lost(struct bytes *to, uint64_t time, uint64_t lost)
{
	uint64_t body[] = { 1, lost };

	add_perf(to, PERF_RECORD_LOST, 0, body, sizeof(body), NULL, time, 0);
}

void add_map(struct bytes *to, uint64_t time, uint32_t tgid, uint64_t address, uint64_t length,
	     uint64_t offset, const uint8_t *id, const char *path)
{
	struct {
		uint32_t	pid, tid;
		uint64_t	address, length, offset;
		uint8_t		id_size, reserved[3], id[20];
		uint32_t	prot, flags;
	} body = { tgid, tgid, address, length, offset, 0, { 0 }, { 0 }, 5, 2 };

	if (id) {
		body.id_size = 20;
		memcpy(body.id, id, 20);
	}
	add_perf(to, PERF_RECORD_MMAP2, id ? 1 << 14 : 0, &body, sizeof(body), path, time, tgid);
}

void add_server_and_child(struct bytes *to, const char *file)
{
	add_comm(to, 10, 100, "server", 1);
	add_map(to, 11, 100, 0x400000, 0x10000, 0, NULL, file);
	add_fork(to, 20, 101, 100);
	add_newtask(to, 21, 101, 100, 0);
	add_memory(to, 22, 101, 1 << 20, 0);
	add_exit(to, 5000, 101);
}

static void make_sideband(struct bytes *to)
{
	static const uint8_t id[20] = { 1, 2, 3 };
	uint32_t child;

	add_comm(to, 10, 100, "server", 1);
	add_map(to, 11, 100, 0x400000, 0x10000, 0, id, "/usr/bin/server");
	add_map(to, 12, 100, 0x7f0000000000, 0x100000, 0x2000, NULL, "/usr/lib/libc.so.6");
	for (child = 101; child < 104; child++) {
		add_fork(to, 1000 * child, child, 100);
		add_newtask(to, 1000 * child + 1, child, 100, child == 103 ? 0x4100 : 0);
		add_memory(to, 1000 * child + 2, child, 1 << 20, 0);
	}
	add_comm(to, 102500, 102, "helper", 1);
	add_map(to, 102501, 102, 0x400000, 0x10000, 0x1000, id, "/usr/bin/helper");
	add_exit(to, 900000, 101);
	add_lost(to, 950000, 2);
}

/* Each outcome and reason that a kernel of these traits can give, and more. */
static struct cowtrace_record random_record(struct random_state *random, uint32_t seq,
					    uint64_t time, uint32_t traits)
{
	struct cowtrace_record r = plain_record(seq, time);
	struct cowtrace_verdict v;

	r.tgid = 100 + below(random, 4);
	r.pid = r.tgid;
	r.duration_ns = 200 + below(random, 5000);
	r.ip += 16 * below(random, 8);
	r.refcount = 1 + below(random, 4);
	r.mapcount = 1 + below(random, 3);
	r.folio_mapcount = r.mapcount;
	r.kind = below(random, COWTRACE_KIND_THP);
	r.path = below(random, 8) ? COWTRACE_PATH_PTE : below(random, COWTRACE_NR_PATHS);
	if (r.path != COWTRACE_PATH_PTE) {
		r.kind = r.path == COWTRACE_PATH_PMD ? COWTRACE_KIND_THP : COWTRACE_KIND_HUGETLB;
		r.order = COWTRACE_PMD_ORDER;
	}
	r.origin = below(random, COWTRACE_NR_ORIGINS);
	r.state = next_random(random);
	/* KSM splits what it merges. */
	if (r.path != COWTRACE_PATH_PTE)
		r.state &= ~COWTRACE_PG_KSM;
	r.evidence = next_random(random) & 0xfff;
	r.new_pfn += below(random, 2);
	r.ret = below(random, 4) ? COWTRACE_FAULT_WRITE : 0;
	if (r.path == COWTRACE_PATH_PMD && below(random, 2))
		r.ret = COWTRACE_FAULT_FALLBACK;
	v = cowtrace_classify(&r, traits);
	r.outcome = v.outcome;
	r.reason = v.reason;
	r.evidence = v.evidence;
	return r;
}

static void text_chunk(struct ct_writer *w, uint32_t type, const char *text)
{
	ct_writer_chunk(w, type, UINT32_MAX, text, strlen(text));
}

int make_trace(const char *path, const struct trace_shape *shape)
{
	struct random_state random = { shape->seed * 2 + 1 };
	uint32_t traits = COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE;
	char *schema = schema_text(traits);
	struct bytes sideband = { 0 };
	struct ct_writer *w;
	uint32_t cpu, seq;
	int err;

	err = ct_writer_open(path, &w);
	if (err)
		abort();
	text_chunk(w, CT_CHUNK_META,
		   "{\"target\":{\"argv\":[\"server\",\"-v\"]},\"sideband\":{\"sample_type\":134}}");
	text_chunk(w, CT_CHUNK_SCHEMA, schema);
	make_sideband(&sideband);
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	for (cpu = 0; cpu < shape->cpus; cpu++) {
		uint64_t time = 1000;
		struct bytes chunk = { 0 };

		for (seq = 1; seq <= shape->records; seq++) {
			struct cowtrace_record r;

			time += 6000 + below(&random, 1000);
			r = random_record(&random, seq, time, traits);
			r.cpu = cpu;
			append_bytes(&chunk, &r, sizeof(r));
			if (seq % shape->chunk_records && seq < shape->records)
				continue;
			ct_writer_chunk(w, CT_CHUNK_RECORDS, cpu, chunk.data, chunk.size);
			chunk.size = 0;
		}
		free(chunk.data);
	}
	text_chunk(w, CT_CHUNK_STATE, "stats\nstate off\nentries 100\nfiltered_entry 3\n");
	text_chunk(w, CT_CHUNK_STATE, "lost\nfull 0\nmissed_no_instance 1\nasleep 0\n");
	err = ct_writer_close(w);
	free(sideband.data);
	free(schema);
	return err;
}

struct ct_writer *begin_trace(const char *path, uint32_t traits)
{
	char *schema = schema_text(traits);
	struct ct_writer *w;

	if (ct_writer_open(path, &w))
		abort();
	text_chunk(w, CT_CHUNK_SCHEMA, schema);
	free(schema);
	return w;
}

struct ct_processes *make_processes(const char *path, struct bytes sideband)
{
	struct ct_writer *w = begin_trace(path, 0);
	struct ct_processes *p = NULL;
	struct ct_reader *r;
	struct ct_error err;

	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	ct_writer_close(w);
	if (ct_reader_open(path, &r, &err))
		abort();
	if (ct_processes_load(r, &p, &err))
		abort();
	ct_reader_close(r);
	free(sideband.data);
	return p;
}

int64_t number(struct json_object *o, const char *where)
{
	char names[128], *name, *save = NULL;

	snprintf(names, sizeof(names), "%s", where);
	for (name = strtok_r(names, ".", &save); name && o; name = strtok_r(NULL, ".", &save)) {
		if (json_object_is_type(o, json_type_array))
			o = json_object_array_get_idx(o, atoi(name));
		else if (!json_object_object_get_ex(o, name, &o))
			o = NULL;
	}
	return o ? json_object_get_int64(o) : -1;
}

size_t widest_line(char *text)
{
	char *line, *save = NULL;
	size_t widest = 0;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (ct_text_width(line) > widest)
			widest = ct_text_width(line);
	return widest;
}

char *temporary_file(void)
{
	const char *dir = getenv("TMPDIR") ?: "/tmp";
	char *name;
	int fd;

	if (asprintf(&name, "%s/cowtrace-unit-XXXXXX", dir) < 0)
		abort();
	fd = mkstemp(name);
	if (fd < 0)
		abort();
	close(fd);
	return name;
}

struct bytes read_file(const char *path)
{
	struct bytes b = { 0 };
	char block[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		abort();
	while ((n = fread(block, 1, sizeof(block), f)))
		append_bytes(&b, block, n);
	fclose(f);
	return b;
}

void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
}
