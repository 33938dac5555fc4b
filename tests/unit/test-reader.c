// SPDX-License-Identifier: GPL-2.0
/* The reader of traces: whole ones, damaged ones, and files that are none. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bytes.h"
#include "generate.h"
#include "reader_parts.h"
#include "tap.h"
#include "writer.h"

static char *path;

struct count {
	uint64_t	records, lost;
	bool		ordered;
};

/* Reads all that is left in a trace. */
static struct count read_all(struct ct_reader *r)
{
	struct count c = { .ordered = true };
	struct ct_event event;
	uint64_t last = 0;

	while (ct_reader_next(r, &event)) {
		uint64_t end = event.record->time_ns + event.record->duration_ns;

		c.ordered &= end >= last;
		last = end;
		c.records++;
		c.lost += event.lost;
	}
	return c;
}

/* Opens @path; NULL with a note when that fails. */
static struct ct_reader *open_it(void)
{
	struct ct_reader *r = NULL;
	struct ct_error err = { 0 };

	if (ct_reader_open(path, &r, &err)) {
		note("%s", err.text);
		return NULL;
	}
	return r;
}

static void check_whole(void)
{
	struct trace_shape shape = { 7, 3, 100, 16 };
	const struct ct_cpu_info *cpu;
	struct ct_reader *r;
	struct count c;

	make_trace(path, &shape);
	r = open_it();
	if (!ok(r, "a whole trace opens"))
		return;
	c = read_all(r);
	ok(c.records == 300, "each record of each CPU is read once");
	ok(c.ordered, "the records of all CPUs come in the order in which faults ended");
	ok(!c.lost && !ct_reader_info(r)->lost, "no loss is seen where there is none");
	ok(!ct_reader_info(r)->damages && ct_reader_info(r)->ended, "a whole trace is whole");
	cpu = ct_reader_cpu(r, 2);
	ok(cpu && cpu->cpu == 2 && cpu->records == 100 && cpu->first_seq == 1,
	   "each CPU has its own count");
	ok(!ct_reader_cpu(r, 3), "there is no CPU beyond the last");
	ct_reader_rewind(r);
	ok(read_all(r).records == 300 && ct_reader_info(r)->records == 300,
	   "a trace can be read again");
	ct_reader_close(r);
}

/* A trace of one CPU with these sequence numbers, @per_chunk in a chunk. */
static void trace_of(const uint32_t *seq, size_t n, size_t per_chunk, uint32_t cpu)
{
	struct ct_writer *w = begin_trace(path, 0);
	size_t i;

	for (i = 0; i < n; i += per_chunk) {
		struct bytes chunk = { 0 };
		size_t k;

		for (k = i; k < n && k < i + per_chunk; k++) {
			struct cowtrace_record r = plain_record(seq[k], 1000000 + seq[k]);

			append_bytes(&chunk, &r, sizeof(r));
		}
		ct_writer_chunk(w, CT_CHUNK_RECORDS, cpu, chunk.data, chunk.size);
		free(chunk.data);
	}
	ct_writer_close(w);
}

#define SEQ(...) (const uint32_t []){ __VA_ARGS__ }, \
		 sizeof((uint32_t []){ __VA_ARGS__ }) / sizeof(uint32_t)

static void expect(const char *claim, uint64_t records, uint64_t lost, uint64_t gaps,
		   uint64_t repeated)
{
	struct ct_reader *r = open_it();
	const struct ct_trace_info *i;
	struct count c;

	if (!r) {
		ok(false, "%s", claim);
		return;
	}
	c = read_all(r);
	i = ct_reader_info(r);
	if (!ok(c.records == records && i->lost == lost && i->gaps == gaps &&
		i->repeated == repeated && c.lost == lost, "%s", claim))
		note("%lu records, %lu lost in %lu gaps, %lu repeated", (unsigned long)c.records,
		     (unsigned long)i->lost, (unsigned long)i->gaps, (unsigned long)i->repeated);
	ct_reader_close(r);
}

static void check_sequences(void)
{
	trace_of(SEQ(1, 2, 5, 6, 9), 2, 0);
	expect("a gap in the sequence is a loss of that many records", 5, 4, 2, 0);
	trace_of(SEQ(4294967294, 4294967295, 0, 1), 2, 0);
	expect("a sequence that wraps has no gap", 4, 0, 0, 0);
	trace_of(SEQ(4294967295, 2), 1, 0);
	expect("a gap over the wrap is counted", 2, 2, 1, 0);
	trace_of(SEQ(1, 2, 5, 6, 3, 4), 2, 0);
	expect("chunks in the wrong order are put right", 6, 0, 0, 0);
	trace_of(SEQ(1, 2, 1, 2, 3, 4), 2, 0);
	expect("a chunk that stands there twice counts once", 4, 0, 0, 2);
	trace_of(SEQ(500, 501), 2, 0);
	expect("what was before the first record is no loss", 2, 0, 0, 0);
	trace_of(SEQ(1), 1, 70000);
	expect("a CPU that no kernel has is damage", 0, 0, 0, 0);
}

/* Changes a file and opens it. */
static struct ct_reader *with(struct bytes b)
{
	write_file(path, b.data, b.size);
	return open_it();
}

/* Where the @n-th chunk of that type begins. */
static size_t chunk_of(const struct bytes *b, uint32_t type, unsigned int n)
{
	size_t at = sizeof(struct ct_file_header);

	while (ct_le32(b->data + at + 4) != type || n--)
		at += sizeof(struct ct_chunk_header) + (ct_le32(b->data + at + 12) + 7) / 8 * 8;
	return at;
}

static void check_damage(void)
{
	struct trace_shape shape = { 7, 2, 64, 16 };
	const struct ct_trace_info *info;
	struct bytes whole, b;
	struct ct_reader *r;
	size_t at;

	make_trace(path, &shape);
	whole = read_file(path);
	b = (struct bytes){ malloc(whole.size), whole.size };

	memcpy(b.data, whole.data, whole.size);
	at = chunk_of(&b, CT_CHUNK_RECORDS, 1);
	b.data[at + 100] ^= 4;
	r = with(b);
	ok(r && read_all(r).records == 128 - 16, "one flipped bit costs its chunk and no other");
	info = ct_reader_info(r);
	ok(info->damages == 1 && info->listed[0].kind == CT_DAMAGE_PAYLOAD &&
	   info->listed[0].cpu == 0 && info->listed[0].offset == at,
	   "a damaged chunk is named with its place and CPU");
	ok(info->lost == 16 && info->gaps == 1, "the records of a damaged chunk are missing");
	ct_reader_close(r);

	memcpy(b.data, whole.data, whole.size);
	b.data[at + 12] ^= 4;
	r = with(b);
	ok(r && read_all(r).records == 128 - 16,
	   "a flipped length costs its chunk: the next header is found");
	ct_reader_close(r);

	memcpy(b.data, whole.data, whole.size);
	b.size = chunk_of(&b, CT_CHUNK_RECORDS, 5) + 200;
	r = with(b);
	ok(r && read_all(r).records == 5 * 16, "a trace that was cut is read up to the cut");
	info = ct_reader_info(r);
	ok(!info->ended && info->damages == 1 && info->listed[0].kind == CT_DAMAGE_CUT &&
	   info->listed[0].bytes == 200, "a cut is told apart from damage");
	ct_reader_close(r);

	b.size = chunk_of(&whole, CT_CHUNK_RECORDS, 5);
	r = with(b);
	ok(r && !ct_reader_info(r)->ended && !ct_reader_info(r)->damages,
	   "a trace that was cut between chunks has no end and no damage");
	ct_reader_close(r);

	b.size = whole.size;
	memcpy(b.data, whole.data, whole.size);
	memmove(b.data + at + 500, b.data + at + 507, b.size - at - 507);
	b.size -= 7;
	r = with(b);
	ok(r && read_all(r).records == 128 - 16,
	   "after bytes that fell out the next chunk is found");
	ct_reader_close(r);

	b.size = whole.size;
	memcpy(b.data, whole.data, whole.size);
	at = chunk_of(&whole, CT_CHUNK_SCHEMA, 0);
	b.data[at + 100] ^= 1;
	r = with(b);
	ok(r && read_all(r).records == 128, "a damaged schema is replaced by the one at the end");
	ct_reader_close(r);

	memcpy(b.data, whole.data, whole.size);
	memset(b.data, 0, sizeof(struct ct_file_header));
	r = with(b);
	ok(r && read_all(r).records == 128 && ct_reader_info(r)->damages == 1,
	   "a trace without its header is read by its chunks");
	ct_reader_close(r);
	free(b.data);
	free(whole.data);
}

/* Chunks of records are checked when they are read: what that must not change. */
static void check_late(void)
{
	struct trace_shape shape = { 7, 2, 64, 16 };
	const struct ct_trace_info *info;
	struct ct_reader *r;
	struct bytes b;
	uint64_t chunks;
	size_t at;

	make_trace(path, &shape);
	b = read_file(path);
	at = chunk_of(&b, CT_CHUNK_RECORDS, 2);
	b.data[at + sizeof(struct ct_chunk_header) + 3] ^= 0x80;
	r = with(b);
	ok(r && read_all(r).records == 128 - 16 && !ct_reader_info(r)->repeated,
	   "a damaged sequence number puts no chunk in another place");
	ct_reader_rewind(r);
	ok(read_all(r).records == 128 - 16 && ct_reader_info(r)->damages == 1,
	   "what is read again is not damaged again");
	ct_reader_close(r);

	b.data[at + sizeof(struct ct_chunk_header) + 3] ^= 0x80;
	b.data[at + 100] ^= 1;
	b.size = chunk_of(&b, CT_CHUNK_RECORDS, 6) + 100;
	r = with(b);
	info = ct_reader_info(r);
	chunks = info->chunks;
	ok(r && read_all(r).records == 5 * 16 && info->damages == 2 &&
	   info->listed[0].offset == at && info->listed[0].kind == CT_DAMAGE_PAYLOAD &&
	   info->listed[1].kind == CT_DAMAGE_CUT,
	   "damage is listed in the order of the file, whenever it was found");
	ok(info->chunks == chunks - 1 && info->record_bytes == 5 * 16 * 128,
	   "a chunk that was found to be damaged counts as whole no longer");
	ct_reader_close(r);
	free(b.data);
}

static void check_long_chunk(void)
{
	enum { LONG = 10000 };
	struct cowtrace_record *records = calloc(LONG, sizeof(*records));
	struct ct_writer *w = begin_trace(path, 0);
	struct ct_reader *r;
	struct bytes b;
	uint32_t i;

	for (i = 0; i < LONG; i++)
		records[i] = plain_record(i + 1, i);
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, records, LONG * sizeof(*records));
	ct_writer_close(w);
	r = open_it();
	ok(r && read_all(r).records == LONG, "a chunk that fits in no buffer is read");
	ct_reader_close(r);
	b = read_file(path);
	b.data[chunk_of(&b, CT_CHUNK_RECORDS, 0) + LONG * sizeof(*records)] ^= 1;
	r = with(b);
	ok(r && !read_all(r).records && ct_reader_info(r)->damages == 1,
	   "of such a chunk no record is read when its end is damaged");
	ct_reader_close(r);
	free(b.data);
	free(records);
}

static void refuses(const char *claim, const void *data, size_t size, int error,
		    const char *says)
{
	struct ct_reader *r = NULL;
	struct ct_error err = { 0 };
	int got;

	write_file(path, data, size);
	got = ct_reader_open(path, &r, &err);
	if (!ok(got == error && strstr(err.text, says) && !strchr(err.text, '\n'), "%s", claim))
		note("%d: %s", got, err.text);
	if (!got)
		ct_reader_close(r);
}

static void check_foreign(void)
{
	static const char elf[4096] = "\177ELF\2\1\1";
	struct ct_file_header newer = { .magic = "COWTRAC", .major = CT_FILE_MAJOR + 1 };
	struct ct_file_header bare = { .magic = "COWTRAC", .major = CT_FILE_MAJOR,
				       .size = sizeof(bare) };
	struct ct_reader *r;
	struct ct_error err = { 0 };

	newer.magic[7] = 'E';
	bare.magic[7] = 'E';
	refuses("an empty file is refused", "", 0, -EINVAL, "is empty");
	refuses("an ELF file is refused", elf, sizeof(elf), -EINVAL, "no cowtrace trace");
	refuses("a text is refused", "hello\n", 6, -EINVAL, "no cowtrace trace");
	refuses("a newer format asks for a newer cowtrace", &newer, sizeof(newer), -EPROTO,
		"newer cowtrace");
	refuses("a trace without a schema is refused", &bare, sizeof(bare), -EINVAL, "schema");
	ok(ct_reader_open("/nowhere/trace", &r, &err) == -ENOENT &&
	   strstr(err.text, "cowtrace record"),
	   "a trace that is not there is an error that says how to make one");
	ok(ct_reader_open("/", &r, &err) == -EISDIR, "a directory is refused");
	ok(ct_reader_open("/dev/zero", &r, &err) == -EINVAL,
	   "an endless device is refused at once");
}

static int waiting;

static int note_waiting(int fd, struct ct_error *err)
{
	(void)fd;
	(void)err;
	return ioctl(STDIN_FILENO, FIONREAD, &waiting);
}

static int refuse(int fd, struct ct_error *err)
{
	(void)fd;
	return ct_error_set(err, -EPERM, "refused");
}

/* A pipe that holds the trace is standard input. */
static int fill_pipe(void)
{
	struct trace_shape shape = { 7, 2, 64, 16 };
	struct bytes trace;
	int ends[2];

	make_trace(path, &shape);
	trace = read_file(path);
	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, trace.size) < (int)trace.size ||
	    write(ends[1], trace.data, trace.size) != (ssize_t)trace.size ||
	    dup2(ends[0], STDIN_FILENO) < 0)
		abort();
	close(ends[0]);
	close(ends[1]);
	free(trace.data);
	return trace.size;
}

static void check_opened(void)
{
	struct ct_reader *r = NULL;
	struct ct_error err = { 0 };
	int size = fill_pipe();

	ct_reader_opened = note_waiting;
	ok(!ct_reader_open("-", &r, &err) && waiting == size && read_all(r).records == 128,
	   "rights can be given up before the first byte of a pipe is read");
	ct_reader_close(r);
	size = fill_pipe();
	ct_reader_opened = refuse;
	ok(ct_reader_open("-", &r, &err) == -EPERM && !note_waiting(-1, &err) && waiting == size,
	   "and where they cannot be none is read");
	ct_reader_opened = NULL;
}

static void check_pipe(void)
{
	struct trace_shape shape = { 7, 2, 64, 16 };
	struct ct_reader *r = NULL;
	struct ct_error err = { 0 };
	char *command;
	FILE *f;

	make_trace(path, &shape);
	if (asprintf(&command, "cat %s", path) < 0)
		abort();
	f = popen(command, "r");
	if (dup2(fileno(f), STDIN_FILENO) < 0)
		abort();
	ok(!ct_reader_open("-", &r, &err) && read_all(r).records == 128,
	   "a trace is read from a pipe");
	ct_reader_close(r);
	pclose(f);
	free(command);
}

static void check_full_disk(void)
{
	struct rlimit limit = { 40000, RLIM_INFINITY };
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct cowtrace_record records[64];
	struct ct_reader *r;
	struct ct_writer *w;
	uint32_t i, whole = 0;
	int err = 0, again;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	w = begin_trace(path, 0);
	while (!err && whole < 1000) {
		for (i = 0; i < 64; i++)
			records[i] = plain_record(whole * 64 + i + 1, whole * 64 + i);
		err = ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, records, sizeof(records));
		whole += !err;
	}
	again = ct_writer_chunk(w, CT_CHUNK_META, 0, "{}", 2);
	ok(err == -EFBIG && again == err, "the first error of a writer stays");
	ok(ct_writer_close(w) == err, "closing tells the first error");
	setrlimit(RLIMIT_FSIZE, &unlimited);
	r = open_it();
	ok(r && !ct_reader_info(r)->damages && !ct_reader_info(r)->ended,
	   "a full disk leaves whole chunks only, and no end");
	ok(r && read_all(r).records == whole * 64, "what was written before it was full is read");
	ct_reader_close(r);
	ok(ct_writer_open("/dev/full", &w) == -ENOSPC, "a full device is told at once");
}

int main(void)
{
	path = temporary_file();
	check_whole();
	check_sequences();
	check_damage();
	check_late();
	check_long_chunk();
	check_foreign();
	check_pipe();
	check_opened();
	check_full_disk();
	remove(path);
	free(path);
	return tap_end();
}
