// SPDX-License-Identifier: GPL-2.0
/*
 * Cuts a trace down to what a fuzzer begins with: a schema without sentences, and of
 * all else a little.
 *
 * usage: seeds OUT [TRACE]	without TRACE a made one, that has something of everything
 */
#include <linux/perf_event.h>
#include <string.h>
#include <unistd.h>

#include "chunks.h"
#include "generate.h"
#include "writer.h"

#define RECORDS		4
#define SIDEBAND	1400
#define LINES		8
#define COPY		64
/* One word of so many. */
#define WORDS		16
/* Chunks of one type. */
#define OF_TYPE		3

/* Of a line "field …" seven words stay, of "word …" three, and not many of these. */
static void cut_schema(struct piece *p)
{
	size_t from, to = 0, words = 0, most = SIZE_MAX, of_words = 0;

	for (from = 0; from < p->size; from++) {
		if (!from || p->data[from - 1] == '\n') {
			words = 0;
			most = !memcmp(p->data + from, "field", 5) ? 8 :
			       !memcmp(p->data + from, "word", 4) ? 4 : SIZE_MAX;
			if (most == 4 && of_words++ % WORDS)
				most = 0;
		}
		if (p->data[from] == '\n')
			words = 0;
		else if (p->data[from] == ' ')
			words++;
		if (words < most && (most || p->data[from] != '\n'))
			p->data[to++] = p->data[from];
	}
	p->size = to;
}

static void cut_sideband(struct piece *p)
{
	size_t at = 0;
	uint16_t size;

	while (at + sizeof(struct perf_event_header) <= p->size) {
		memcpy(&size, p->data + at + offsetof(struct perf_event_header, size), 2);
		if (!size || at + size > SIDEBAND)
			break;
		at += size;
	}
	p->size = at;
}

static void cut_lines(struct piece *p)
{
	size_t at = 0, lines = 0;

	while (at < p->size && lines < LINES)
		lines += p->data[at++] == '\n';
	p->size = at;
}

static void cut_stack(struct piece *p)
{
	struct ct_stack s;

	if (p->size < sizeof(s) + COPY)
		return;
	memcpy(&s, p->data, sizeof(s));
	s.copied = COPY;
	s.asked = COPY;
	s.size = sizeof(s) + COPY;
	p->size = s.size;
	memcpy(p->data, &s, sizeof(s));
}

static void cut_piece(struct piece *p)
{
	size_t most = RECORDS * sizeof(struct cowtrace_record);

	switch (p->header.type) {
	case CT_CHUNK_SCHEMA:
		return cut_schema(p);
	case CT_CHUNK_RECORDS:
		p->size = p->size < most ? p->size : most;
		return;
	case CT_CHUNK_SIDEBAND:
		return cut_sideband(p);
	case CT_CHUNK_GROUP:
	case CT_CHUNK_STATE:
		return cut_lines(p);
	case CT_CHUNK_STACKS:
		return cut_stack(p);
	}
}

static void add_text(struct ct_writer *w, uint32_t type, const char *text)
{
	ct_writer_chunk(w, type, UINT32_MAX, text, strlen(text));
}

static void add_groups(struct ct_writer *w)
{
	add_text(w, CT_CHUNK_GROUP,
		 "ksm\n12.000000007 [001] merge seq=1 pid=3 tgid=2 mm=0x1 owner=7 name=a addr=0x1000 pfn=0x5 ns=100 how=first users=2 comm=ksmd\n"
		 "12.000000009 [001] break seq=4 pid=3 tgid=2 mm=0x1 owner=7 name=a addr=0x1000 pfn=0x5 ns=30 users=2 refs=2 cause=write result=copy comm=a b\n"
		 "13.000000000 [000] remove seq=5 pid=1 tgid=1 mm=0x1 owner=7 name=a addr=0x1000 pfn=0x5 comm=\n");
	add_text(w, CT_CHUNK_GROUP,
		 "khugepaged\n1.000000001 [000] scan seq=1 pid=9 tgid=9 origin=khugepaged addr=0x200000 owner=5 owner_comm=x seen=before table=pte ptes=512 mapped=3 estimate=likely limit=256 status=1 comm=khugepaged\n");
	ct_writer_state(w, "groups/ksm/stats", "state off\nevents 9\ndropped 6\nzero_told 1\n");
	ct_writer_state(w, "groups/khugepaged/format",
			"name: mm_khugepaged_scan_pmd\nID: 500\nformat:\n\n"
			"print fmt: \"%s\", __print_symbolic(REC->status, "
			"{0, \"failed\"}, {1, \"succeeded\"})\n");
	ct_writer_state(w, "groups/files/stats", "state off\nran_ns 2500000000\nlimited 1\nwrite 21\n");
	ct_writer_state(w, "groups/files/table",
			"site c write counted pages\nfs 254:0 ext4 vda 5\nno-file 0\nothers 1\nmade-room 7\nfile 254:0 12 3 exact 5 a name\n");
	ct_writer_state(w, "stats", "state off\nentries 100\nsample_every 2\nsampled_out 50\n");
	ct_writer_state(w, "session", "elapsed_ns 5000000\n");
	ct_writer_state(w, "lost", "full 3\nmissed_no_instance 1\nasleep 0\n");
}

static void make(const char *path)
{
	struct bytes sideband = { 0 }, records = { 0 };
	struct ct_stack stack = {
		.size = sizeof(stack) + COPY, .copied = COPY, .asked = COPY, .abi = 2, .seq = 1,
		.pid = 100, .tgid = 100, .time_ns = 1000, .regs[7] = 0x7ffe00000000,
		.regs[16] = 0x400100,
	};
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_EXCLUSIVE);
	uint32_t i;

	add_text(w, CT_CHUNK_META,
		 "{\"kernel\":{\"release\":\"6.1\",\"host\":\"h\"},\"target\":{\"argv\":[\"a\"]},\"start\":{\"realtime_ns\":1700000000000000000,\"monotonic_ns\":5},\"sideband\":{\"sample_type\":134}}");
	add_server_and_child(&sideband, "/bin/true");
	add_lost(&sideband, 6000, 2);
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	for (i = 0; i < 2 * RECORDS; i++) {
		struct cowtrace_record r = server_or_child_record(i + 1);

		append_bytes(&records, &r, sizeof(r));
	}
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, records.data, records.size / 2);
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 1, records.data + records.size / 2, records.size / 2);
	append_bytes(&sideband, &stack, sizeof(stack));
	memset(sideband.data, 7, COPY);
	memmove(sideband.data + sizeof(stack), sideband.data, COPY);
	memcpy(sideband.data, &stack, sizeof(stack));
	ct_writer_chunk(w, CT_CHUNK_STACKS, 0, sideband.data, stack.size);
	add_groups(w);
	ct_writer_close(w);
	free(sideband.data);
	free(records.data);
}

int main(int argc, char **argv)
{
	static struct chunks c;
	size_t of_type[CT_CHUNK_STACKS + 1] = { 0 }, i;
	uint32_t type;
	struct bytes b;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: seeds OUT [TRACE]\n");
		return 2;
	}
	if (argc == 2)
		make(argv[1]);
	b = read_file(argv[argc - 1]);
	chunks_parse(&c, (uint8_t *)b.data, b.size);
	for (i = 1; i < c.nr; ) {
		type = c.piece[i].chunk ? c.piece[i].header.type : 0;
		cut_piece(&c.piece[i]);
		/* What the module tells at the end is short, and each tells something else. */
		if (type > CT_CHUNK_STACKS ||
		    (of_type[type]++ == OF_TYPE && type != CT_CHUNK_STATE))
			chunks_remove(&c, i);
		else
			i++;
	}
	b.size = chunks_write(&c, (uint8_t *)b.data, b.size);
	write_file(argv[1], b.data, b.size);
	free(b.data);
	chunks_free(&c);
	return 0;
}
