// SPDX-License-Identifier: GPL-2.0
/* The reader of traces: all that it hands out, twice, and what is read chunk by chunk. */
#include <string.h>

#include "fuzz.h"
#include "group.h"
#include "process.h"
#include "reader.h"
#include "stacks.h"
#include "state.h"

static uint64_t sum;

/* ASan looks at each byte that is copied, and quickly. */
static void add(const void *data, size_t size)
{
	static uint8_t scratch[1 << 16];
	const uint8_t *at = data;
	size_t n;

	for (; size; size -= n, at += n) {
		n = size < sizeof(scratch) ? size : sizeof(scratch);
		memcpy(scratch, at, n);
	}
}

static int take_chunk(void *arg, uint32_t cpu, const void *data, size_t length)
{
	(void)arg;
	(void)cpu;
	add(data, length);
	return 0;
}

static int take_event(void *arg, const struct ct_group_event *e)
{
	uint32_t *last = arg;
	uint64_t n;
	char text[32];

	MUST(e->seq > *last);
	*last = e->seq;
	add(e->comm, strlen(e->comm));
	add(e->word, strlen(e->word));
	if (ct_group_number(e, "addr", &n))
		sum += n;
	if (ct_group_text(e, "how", text, sizeof(text)))
		add(text, strlen(text));
	return 0;
}

static int take_stack(void *arg, const struct ct_stack *stack, const void *copy)
{
	(void)arg;
	MUST(stack->copied <= stack->size - sizeof(*stack));
	add(copy, stack->copied);
	return 0;
}

/* Reads all records. Return: how many there are. */
static uint64_t read_records(struct ct_reader *r)
{
	const struct ct_schema *schema = ct_reader_schema(r);
	const struct ct_trace_info *info = ct_reader_info(r);
	struct ct_event e;
	uint64_t n = 0, lost = 0;

	while (ct_reader_next(r, &e)) {
		add(e.raw, schema->record_size);
		add(e.record, sizeof(*e.record));
		lost += e.lost;
		n++;
	}
	MUST(!ct_reader_next(r, &e));
	MUST(info->records == n && info->lost == lost);
	return n;
}

static void read_streams(struct ct_reader *r)
{
	const struct ct_trace_info *info = ct_reader_info(r);
	const struct ct_cpu_info *cpu;
	uint64_t n = 0;
	size_t i;

	for (i = 0; (cpu = ct_reader_cpu(r, i)); i++)
		n += cpu->records;
	MUST(n == info->records);
	for (i = 0; i < info->damages && i < CT_DAMAGE_LISTED; i++) {
		MUST(ct_damage_sentence(info->listed[i].kind));
		MUST(!i || info->listed[i].offset >= info->listed[i - 1].offset);
	}
}

static void read_processes(struct ct_reader *r)
{
	struct ct_processes *p = NULL;
	struct ct_error err;
	uint32_t i, at;

	MUST(!ct_processes_load(r, &p, &err));
	for (i = 0; i < ct_processes_nr(p); i++) {
		const struct ct_process *one = ct_processes_get(p, i);
		const char *name = ct_processes_name(p, i, UINT64_MAX);
		struct ct_mapping m;

		MUST(one->parent == CT_MAP_NONE || one->parent < i);
		at = ct_processes_find(p, one->tgid, one->start);
		MUST(at == CT_MAP_NONE || at < ct_processes_nr(p));
		if (name)
			add(name, strlen(name));
		if (ct_processes_map(p, i, 0x400123, UINT64_MAX, &m))
			add(ct_processes_object(p, m.object)->path, 1);
		sum += ct_processes_space(p, i, UINT64_MAX) + ct_processes_execs(p, i, 0);
	}
	ct_processes_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const groups[] = { "ksm", "khugepaged", "files" };
	struct ct_group_info info;
	struct ct_state state;
	struct ct_reader *r;
	struct ct_error err;
	uint64_t n, bad;
	uint32_t i;

	if (ct_reader_open(fuzz_file(data, size), &r, &err)) {
		MUST(err.code < 0 && *err.text && !strchr(err.text, '\n'));
		return 0;
	}
	for (i = 0; i <= CT_CHUNK_STACKS + 1; i++)
		MUST(!ct_reader_chunks(r, i, take_chunk, NULL));
	n = read_records(r);
	read_streams(r);
	ct_reader_rewind(r);
	MUST(read_records(r) == n);
	read_streams(r);
	for (i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		uint32_t last = 0;

		MUST(!ct_group_walk(r, groups[i], &info, take_event, &last));
	}
	MUST(!ct_stacks_walk(r, &bad, take_stack, NULL));
	MUST(!ct_state_load(r, &state));
	ct_state_free(&state);
	read_processes(r);
	ct_reader_close(r);
	return 0;
}
