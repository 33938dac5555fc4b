// SPDX-License-Identifier: GPL-2.0
#include "reader.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "bytes.h"
#include "map.h"

/* CONFIG_NR_CPUS of the largest kernels. A greater number is damage. */
#define CPU_LIMIT		8192
/* What is read at once while the file is checked. */
#define WINDOW			(256u << 10)
#define WINDOW_MIN		4096
/* All streams together read so much ahead. */
#define STREAM_BUDGET		(8u << 20)
#define STREAM_BUFFER_MAX	(128u << 10)
/* A trace whose header is damaged must show a chunk this early. */
#define SEARCH_WITHOUT_HEADER	(1u << 20)
#define CHUNK_HEADER		sizeof(struct ct_chunk_header)

struct chunk {
	uint64_t	offset;
	uint32_t	length;
	uint32_t	first_seq;
};

struct other_chunk {
	uint64_t	offset;
	uint32_t	length;
	uint32_t	type;
	uint32_t	cpu;
};

struct stream {
	struct ct_cpu_info info;
	struct chunk	*chunks;
	size_t		nr_chunks;
	/* Next to read: chunk, and bytes of it that are read. */
	size_t		chunk;
	uint32_t	done;
	uint8_t		*buffer;
	uint32_t	filled;
	uint32_t	used;
	bool		started;
	uint32_t	last_seq;
	uint32_t	lost_before;
	/* End of the fault of @record; never goes back on one CPU. */
	uint64_t	key;
	const uint8_t	*raw;
	struct cowtrace_record record;
};

struct ct_reader {
	int		fd;
	struct ct_schema *schema;
	struct ct_trace_info info;
	struct other_chunk *others;
	size_t		nr_others;
	struct stream	*streams;
	size_t		nr_streams;
	uint16_t	stream_of_cpu[CPU_LIMIT];
	uint32_t	buffer_size;
	uint32_t	magic_offset;
	uint32_t	type_offset;
	/* Streams that have a record, the earliest on top. */
	struct stream	**heap;
	size_t		nr_heap;
	bool		rewound;
	/* The window on the file that is being checked. */
	uint8_t		*window;
	size_t		window_size;
	uint64_t	window_at;
	size_t		window_len;
	/* Bytes that may still be spent on checksums that turn out wrong. */
	uint64_t	patience;
	/* Damage found while records are read is found again after a rewind. */
	bool		counted_records;
};

static const char * const damage_sentences[] = {
	[CT_DAMAGE_HEADER]	= "the file header is damaged",
	[CT_DAMAGE_LOST_CHUNK]	= "bytes that belong to no chunk",
	[CT_DAMAGE_PAYLOAD]	= "a chunk with a wrong checksum",
	[CT_DAMAGE_CUT]		= "a chunk cut off by the end of the file",
	[CT_DAMAGE_RECORD]	= "bytes that are no record",
	[CT_DAMAGE_SCHEMA]	= "a schema that does not belong to the trace",
};

const char *ct_damage_sentence(enum ct_damage_kind kind)
{
	return damage_sentences[kind];
}

static void damage(struct ct_reader *r, enum ct_damage_kind kind, uint64_t offset,
		   uint64_t bytes, uint32_t type, uint32_t cpu)
{
	struct ct_trace_info *info = &r->info;

	if (info->damages < CT_DAMAGE_LISTED)
		info->listed[info->damages] = (struct ct_damage){ kind, offset, bytes, type, cpu };
	info->damages++;
	info->damaged_bytes += bytes;
}

static size_t read_at(int fd, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)to + done, size - done, offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += got;
	}
	return done;
}

/* @size bytes at @offset, at most the window's size; NULL after the end. */
static const uint8_t *look(struct ct_reader *r, uint64_t offset, size_t size)
{
	if (offset < r->window_at || offset + size > r->window_at + r->window_len) {
		r->window_at = offset;
		r->window_len = read_at(r->fd, r->window, r->window_size, offset);
		if (r->window_len < size)
			return NULL;
	}
	return r->window + (offset - r->window_at);
}

/* Are these bytes a chunk header? In host byte order then. */
static bool parse_header(const uint8_t *p, struct ct_chunk_header *h)
{
	if (!p || ct_le32(p) != CT_CHUNK_MAGIC)
		return false;
	memcpy(h, p, sizeof(*h));
	h->header_crc = le32toh(h->header_crc);
	if (crc32(0, p, offsetof(struct ct_chunk_header, header_crc)) != h->header_crc)
		return false;
	h->type = le32toh(h->type);
	h->cpu = le32toh(h->cpu);
	h->length = le32toh(h->length);
	h->payload_crc = le32toh(h->payload_crc);
	return h->length <= CT_CHUNK_MAX;
}

static bool header_at(struct ct_reader *r, uint64_t offset, struct ct_chunk_header *h)
{
	return parse_header(look(r, offset, sizeof(*h)), h);
}

/* The same far ahead, without moving the window there. */
static bool header_ahead(struct ct_reader *r, uint64_t offset)
{
	struct ct_chunk_header h;
	uint8_t raw[sizeof(h)];

	return read_at(r->fd, raw, sizeof(raw), offset) == sizeof(raw) && parse_header(raw, &h);
}

static bool payload_whole(struct ct_reader *r, uint64_t offset, const struct ct_chunk_header *h)
{
	uint32_t left = h->length;
	uLong crc = 0;

	while (left) {
		uint32_t n = left < r->window_size ? left : r->window_size;
		const uint8_t *p = look(r, offset, n);

		if (!p)
			return false;
		crc = crc32(crc, p, n);
		offset += n;
		left -= n;
	}
	return crc == h->payload_crc;
}

/* The first chunk header from @offset on and before @end; @end for none. */
static uint64_t find_header(struct ct_reader *r, uint64_t offset, uint64_t end)
{
	static const uint8_t magic[] = { 'C', 'W', 'C', 'K' };
	struct ct_chunk_header h;

	while (offset + CHUNK_HEADER <= end) {
		uint64_t left = end - offset;
		size_t n = left < r->window_size / 2 ? left : r->window_size / 2;
		const uint8_t *p = look(r, offset, n), *hit;

		if (!p)
			break;
		hit = memmem(p, n, magic, sizeof(magic));
		if (!hit) {
			offset += n - (sizeof(magic) - 1);
			continue;
		}
		offset += hit - p;
		if (header_at(r, offset, &h))
			return offset;
		offset++;
	}
	return end;
}

static struct stream *stream_of(struct ct_reader *r, uint32_t cpu)
{
	uint16_t *slot = &r->stream_of_cpu[cpu];

	if (*slot == UINT16_MAX) {
		struct stream *streams = ct_grow(r->streams, r->nr_streams, sizeof(*streams));

		if (!streams)
			return NULL;
		r->streams = streams;
		memset(&streams[r->nr_streams], 0, sizeof(*streams));
		streams[r->nr_streams].info.cpu = cpu;
		*slot = r->nr_streams++;
	}
	return &r->streams[*slot];
}

static int add_records(struct ct_reader *r, uint64_t offset, const struct ct_chunk_header *h)
{
	struct chunk *chunks;
	struct stream *s;

	if (!h->length)
		return 0;
	if (h->cpu >= CPU_LIMIT) {
		damage(r, CT_DAMAGE_PAYLOAD, offset, h->length, h->type, h->cpu);
		return 0;
	}
	s = stream_of(r, h->cpu);
	if (!s)
		return -ENOMEM;
	chunks = ct_grow(s->chunks, s->nr_chunks, sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	s->chunks = chunks;
	chunks[s->nr_chunks++] = (struct chunk){ offset, h->length, 0 };
	r->info.record_bytes += h->length;
	return 0;
}

static int add_chunk(struct ct_reader *r, uint64_t offset, const struct ct_chunk_header *h)
{
	struct other_chunk *others;

	r->info.chunks++;
	r->info.ended = h->type == CT_CHUNK_END;
	if (h->type == CT_CHUNK_RECORDS)
		return add_records(r, offset, h);
	if (h->type < CT_CHUNK_META || h->type >= CT_CHUNK_END)
		return 0;
	others = ct_grow(r->others, r->nr_others, sizeof(*others));
	if (!others)
		return -ENOMEM;
	r->others = others;
	others[r->nr_others++] = (struct other_chunk){ offset, h->length, h->type, h->cpu };
	return 0;
}

/* Leaves out what stands at @at, of which @h is the header if there is one. */
static uint64_t skip_damage(struct ct_reader *r, uint64_t at, const struct ct_chunk_header *h)
{
	uint64_t size = r->info.size;
	uint64_t after, next;

	if (!h) {
		next = find_header(r, at + 1, size);
		damage(r, CT_DAMAGE_LOST_CHUNK, at, next - at, 0, UINT32_MAX);
		return next;
	}
	after = at + CHUNK_HEADER + (((uint64_t)h->length + 7) & ~7ull);
	if (after < size && header_ahead(r, after)) {
		damage(r, CT_DAMAGE_PAYLOAD, at, after - at, h->type, h->cpu);
		return after;
	}
	/* Its length may span what was moved into it: look inside. */
	next = find_header(r, at + CHUNK_HEADER, size);
	damage(r, next == size && after > size ? CT_DAMAGE_CUT : CT_DAMAGE_PAYLOAD, at,
	       next - at, h->type, h->cpu);
	return next;
}

static int scan(struct ct_reader *r, uint64_t at)
{
	uint64_t size = r->info.size;
	int err;

	r->patience = 4 * size + CT_CHUNK_MAX;
	while (at < size) {
		struct ct_chunk_header h;
		bool found = header_at(r, at, &h);
		bool fits = found && h.length <= size - at - CHUNK_HEADER;

		if (fits && payload_whole(r, at + CHUNK_HEADER, &h)) {
			err = add_chunk(r, at + CHUNK_HEADER, &h);
			if (err)
				return err;
			at += CHUNK_HEADER + (((uint64_t)h.length + 7) & ~7ull);
			continue;
		}
		/* Headers made to overlap could have each byte summed up a thousand times. */
		if (fits && h.length >= r->patience) {
			damage(r, CT_DAMAGE_LOST_CHUNK, at, size - at, 0, UINT32_MAX);
			break;
		}
		if (fits)
			r->patience -= h.length;
		at = skip_damage(r, at, found ? &h : NULL);
	}
	return 0;
}

static int check_header(struct ct_reader *r, const char *path, uint64_t *first,
			struct ct_error *err)
{
	struct ct_file_header h;
	uint64_t end = r->info.size < SEARCH_WITHOUT_HEADER ? r->info.size :
							      SEARCH_WITHOUT_HEADER;
	const uint8_t *p = look(r, 0, sizeof(h));

	if (!r->info.size)
		return ct_error_set(err, -EINVAL,
				    "%s is empty: no trace was written; record it again", path);
	if (p)
		memcpy(&h, p, sizeof(h));
	if (p && !memcmp(h.magic, CT_FILE_MAGIC, sizeof(h.magic))) {
		if (le16toh(h.major) > CT_FILE_MAJOR)
			return ct_error_set(err, -EPROTO,
					    "%s has format %u.%u, this cowtrace reads up to %u.x: use a newer cowtrace",
					    path, le16toh(h.major), le16toh(h.minor),
					    CT_FILE_MAJOR);
		*first = le32toh(h.size);
		if (*first >= sizeof(h) && *first <= r->info.size && *first <= 4096)
			return 0;
	}
	*first = find_header(r, 0, end);
	if (*first == end)
		return ct_error_set(err, -EINVAL,
				    "%s is no cowtrace trace: neither its header nor a chunk was found; name a file that cowtrace record wrote",
				    path);
	damage(r, CT_DAMAGE_HEADER, 0, *first, 0, UINT32_MAX);
	return 0;
}

/* Copies what can be read only once into a file without a name. */
static int spool(int from, const char *path, struct ct_error *err)
{
	const char *dir = ct_temporary_dir();
	size_t total = 0;
	char *buffer;
	int fd, ret = 0;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return ct_error_set(err, -errno, "cannot store %s in %s: %s; set TMPDIR",
				    path, dir, strerror(errno));
	buffer = malloc(WINDOW);
	if (!buffer)
		ret = ct_error_set(err, -ENOMEM, "out of memory");
	while (!ret) {
		ssize_t got = read(from, buffer, WINDOW), put;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			ret = ct_error_set(err, -errno, "cannot read %s: %s", path,
					   strerror(errno));
		if (got <= 0)
			break;
		/* An endless device must not fill the disk. */
		if (!total && *buffer != *CT_FILE_MAGIC) {
			ret = ct_error_set(err, -EINVAL,
					   "%s is no cowtrace trace: its header is missing; pipe in what cowtrace record wrote",
					   path);
			break;
		}
		put = write(fd, buffer, got);
		if (put != got)
			ret = ct_error_set(err, put < 0 ? -errno : -ENOSPC,
					   "cannot store %s in %s: %s; set TMPDIR", path, dir,
					   strerror(put < 0 ? errno : ENOSPC));
		total += got;
	}
	free(buffer);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static int open_file(struct ct_reader *r, const char *path, struct ct_error *err)
{
	bool standard = !strcmp(path, "-");
	struct stat st;

	r->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
			   open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0)
		return ct_error_set(err, -errno, "cannot open %s: %s%s", path, strerror(errno),
				    errno == ENOENT ? "; record one with cowtrace record" : "");
	if (fstat(r->fd, &st))
		return ct_error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return ct_error_set(err, -EISDIR, "%s is a directory; name a trace file", path);
	if (!S_ISREG(st.st_mode)) {
		int fd = spool(r->fd, standard ? "standard input" : path, err);

		if (fd < 0)
			return fd;
		close(r->fd);
		r->fd = fd;
		if (fstat(fd, &st))
			return ct_error_set(err, -errno, "cannot read %s: %s", path,
					    strerror(errno));
	}
	r->info.size = st.st_size;
	return 0;
}

/* State of reading the schema chunks. */
struct schema_walk {
	struct ct_reader *r;
	char		*text;
	size_t		length;
	struct ct_error	*err;
};

static int take_schema(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct schema_walk *w = arg;
	int err;

	if (w->text) {
		if (length != w->length || memcmp(data, w->text, length))
			damage(w->r, CT_DAMAGE_SCHEMA, 0, length, CT_CHUNK_SCHEMA, cpu);
		return 0;
	}
	err = ct_schema_parse(data, length, &w->r->schema, w->err);
	if (err == -EINVAL) {
		damage(w->r, CT_DAMAGE_SCHEMA, 0, length, CT_CHUNK_SCHEMA, cpu);
		return 0;
	}
	if (err)
		return err;
	w->text = malloc(length);
	if (!w->text)
		return ct_error_set(w->err, -ENOMEM, "out of memory");
	w->length = length;
	memcpy(w->text, data, length);
	return 0;
}

static int load_schema(struct ct_reader *r, const char *path, struct ct_error *err)
{
	struct schema_walk walk = { .r = r, .err = err };
	char why[CT_ERROR_TEXT / 2];
	int ret;

	*err->text = '\0';
	ret = ct_reader_chunks(r, CT_CHUNK_SCHEMA, take_schema, &walk);
	free(walk.text);
	if (!ret && r->schema)
		return 0;
	if (!ret && !*err->text)
		return ct_error_set(err, -EINVAL,
				    "%s: the chunk with the schema is missing or damaged, so records cannot be read; use another copy of the trace",
				    path);
	ct_clean_text(why, sizeof(why), err->text, sizeof(err->text));
	return ct_error_set(err, ret ? ret : -EINVAL, "%s: %s", path, why);
}

struct sort_key {
	int64_t		seq;
	size_t		index;
};

static int by_seq(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* Chunks that damage moved about go back into the order of their sequence. */
static int order_chunks(struct ct_reader *r, struct stream *s, const struct ct_field *seq)
{
	bool ordered = true;
	struct sort_key *keys = calloc(s->nr_chunks, sizeof(*keys));
	struct chunk *sorted = calloc(s->nr_chunks, sizeof(*sorted));
	uint8_t raw[8] = { 0 };
	size_t i;

	if (!keys || !sorted) {
		free(keys);
		free(sorted);
		return -ENOMEM;
	}
	for (i = 0; i < s->nr_chunks; i++) {
		struct chunk *c = &s->chunks[i];
		size_t n = c->length >= r->schema->record_size ?
			   read_at(r->fd, raw, 4, c->offset + seq->offset) : 0;

		c->first_seq = n == 4 ? ct_le32(raw) : i ? s->chunks[i - 1].first_seq : 0;
		keys[i].index = i;
		/* The number wraps at 2^32: distances are signed. */
		keys[i].seq = i ? keys[i - 1].seq +
				  (int32_t)(c->first_seq - s->chunks[i - 1].first_seq) :
				  c->first_seq;
		ordered &= !i || keys[i].seq >= keys[i - 1].seq;
	}
	if (!ordered) {
		qsort(keys, s->nr_chunks, sizeof(*keys), by_seq);
		for (i = 0; i < s->nr_chunks; i++)
			sorted[i] = s->chunks[keys[i].index];
		memcpy(s->chunks, sorted, s->nr_chunks * sizeof(*sorted));
	}
	free(keys);
	free(sorted);
	return 0;
}

static int by_cpu(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;

	return x->info.cpu < y->info.cpu ? -1 : 1;
}

static int prepare_streams(struct ct_reader *r, struct ct_error *err)
{
	uint32_t record = r->schema->record_size;
	uint32_t size = STREAM_BUFFER_MAX;
	size_t i;

	r->magic_offset = ct_schema_field(r->schema, "magic")->offset;
	r->type_offset = ct_schema_field(r->schema, "type")->offset;
	if (r->info.record_bytes < size)
		size = r->info.record_bytes;
	if (r->nr_streams && STREAM_BUDGET / r->nr_streams < size)
		size = STREAM_BUDGET / r->nr_streams;
	r->buffer_size = size < record ? record : size / record * record;
	/* qsort() takes no NULL */
	if (r->nr_streams)
		qsort(r->streams, r->nr_streams, sizeof(*r->streams), by_cpu);
	r->heap = calloc(r->nr_streams + 1, sizeof(*r->heap));
	if (!r->heap)
		return ct_error_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < r->nr_streams; i++) {
		struct stream *s = &r->streams[i];

		s->buffer = malloc(r->buffer_size);
		if (!s->buffer ||
		    order_chunks(r, s, ct_schema_field(r->schema, "seq")))
			return ct_error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

int ct_reader_open(const char *path, struct ct_reader **out, struct ct_error *err)
{
	struct ct_reader *r = calloc(1, sizeof(*r));
	uint64_t first = 0;
	int ret;

	if (!r)
		return ct_error_set(err, -ENOMEM, "out of memory");
	r->fd = -1;
	memset(r->stream_of_cpu, 0xff, sizeof(r->stream_of_cpu));
	ret = open_file(r, path, err);
	if (ret)
		goto fail;
	/* From here on only for messages. */
	if (!strcmp(path, "-"))
		path = "standard input";
	r->window_size = r->info.size < WINDOW_MIN ? WINDOW_MIN :
			 r->info.size < WINDOW ? r->info.size : WINDOW;
	r->window = malloc(r->window_size);
	if (!r->window) {
		ret = ct_error_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	ret = check_header(r, path, &first, err);
	if (ret)
		goto fail;
	ret = scan(r, first);
	if (ret) {
		ct_error_set(err, ret, "cannot read %s: %s", path, strerror(-ret));
		goto fail;
	}
	free(r->window);
	r->window = NULL;
	ret = load_schema(r, path, err);
	if (!ret)
		ret = prepare_streams(r, err);
	if (ret)
		goto fail;
	ct_reader_rewind(r);
	*out = r;
	return 0;
fail:
	ct_reader_close(r);
	return ret;
}

void ct_reader_close(struct ct_reader *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->nr_streams; i++) {
		free(r->streams[i].chunks);
		free(r->streams[i].buffer);
	}
	free(r->streams);
	free(r->others);
	free(r->heap);
	free(r->window);
	ct_schema_free(r->schema);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

const struct ct_schema *ct_reader_schema(const struct ct_reader *r)
{
	return r->schema;
}

const struct ct_trace_info *ct_reader_info(const struct ct_reader *r)
{
	return &r->info;
}

const struct ct_cpu_info *ct_reader_cpu(const struct ct_reader *r, size_t i)
{
	return i < r->nr_streams ? &r->streams[i].info : NULL;
}

static void record_damage(struct ct_reader *r, const struct stream *s, uint64_t offset,
			  uint64_t bytes)
{
	if (!r->counted_records)
		damage(r, CT_DAMAGE_RECORD, offset, bytes, CT_CHUNK_RECORDS, s->info.cpu);
}

/* The next bytes of the stream into its buffer; false at its end. */
static bool refill(struct ct_reader *r, struct stream *s)
{
	uint32_t record = r->schema->record_size;

	for (; s->chunk < s->nr_chunks; s->chunk++, s->done = 0) {
		const struct chunk *c = &s->chunks[s->chunk];
		uint32_t left = c->length - s->done;
		uint32_t want = left < r->buffer_size ? left / record * record : r->buffer_size;

		if (want) {
			s->used = 0;
			s->filled = read_at(r->fd, s->buffer, want, c->offset + s->done) /
				    record * record;
			s->done += s->filled;
			if (s->filled)
				return true;
			/* The file became shorter since it was checked. */
			left = c->length - s->done;
		}
		if (left)
			record_damage(r, s, c->offset + s->done, left);
	}
	return false;
}

/* Is the record in order? Counts what its sequence number says is missing. */
static bool follows(struct ct_reader *r, struct stream *s)
{
	int32_t step = s->record.seq - s->last_seq;

	s->lost_before = 0;
	if (!s->started) {
		s->started = true;
		s->info.first_seq = s->record.seq;
	} else if (step <= 0) {
		s->info.repeated++;
		r->info.repeated++;
		return false;
	} else if (step > 1) {
		s->lost_before = step - 1;
		s->info.gaps++;
		s->info.lost += s->lost_before;
		r->info.gaps++;
		r->info.lost += s->lost_before;
	}
	s->last_seq = s->record.seq;
	return true;
}

/* Moves the stream to its next record; false at its end. */
static bool advance(struct ct_reader *r, struct stream *s)
{
	uint32_t record = r->schema->record_size;
	uint64_t end;

	for (;;) {
		if (s->used == s->filled && !refill(r, s))
			return false;
		s->raw = s->buffer + s->used;
		s->used += record;
		if (s->raw[r->magic_offset] != COWTRACE_RECORD_MAGIC) {
			record_damage(r, s, s->chunks[s->chunk].offset + s->done -
					    (s->filled - s->used) - record, record);
			continue;
		}
		/* Types of later versions. */
		if (s->raw[r->type_offset] != COWTRACE_TYPE_FAULT)
			continue;
		ct_schema_decode(r->schema, s->raw, &s->record);
		if (!follows(r, s))
			continue;
		end = ct_add(s->record.time_ns, s->record.duration_ns);
		if (end > s->key)
			s->key = end;
		s->info.records++;
		return true;
	}
}

static bool earlier(const struct stream *a, const struct stream *b)
{
	return a->key != b->key ? a->key < b->key : a->info.cpu < b->info.cpu;
}

static void sift_down(struct ct_reader *r, size_t i)
{
	struct stream *moved = r->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < r->nr_heap) {
		if (child + 1 < r->nr_heap && earlier(r->heap[child + 1], r->heap[child]))
			child++;
		if (!earlier(r->heap[child], moved))
			break;
		r->heap[i] = r->heap[child];
		i = child;
	}
	r->heap[i] = moved;
}

static void fill_heap(struct ct_reader *r)
{
	size_t i;

	r->nr_heap = 0;
	for (i = 0; i < r->nr_streams; i++)
		if (advance(r, &r->streams[i]))
			r->heap[r->nr_heap++] = &r->streams[i];
	for (i = r->nr_heap / 2; i--; )
		sift_down(r, i);
}

bool ct_reader_next(struct ct_reader *r, struct ct_event *event)
{
	struct stream *s;

	if (r->rewound) {
		r->rewound = false;
		fill_heap(r);
	} else if (r->nr_heap) {
		/* Only now: the caller was still using the record on top. */
		if (!advance(r, r->heap[0]))
			r->heap[0] = r->heap[--r->nr_heap];
		if (r->nr_heap)
			sift_down(r, 0);
	}
	if (!r->nr_heap) {
		r->counted_records = true;
		return false;
	}
	s = r->heap[0];
	r->info.records++;
	event->record = &s->record;
	event->raw = s->raw;
	event->cpu = s->info.cpu;
	event->lost = s->lost_before;
	return true;
}

void ct_reader_rewind(struct ct_reader *r)
{
	size_t i;

	for (i = 0; i < r->nr_streams; i++) {
		struct stream *s = &r->streams[i];

		s->chunk = 0;
		s->done = 0;
		s->filled = 0;
		s->used = 0;
		s->started = false;
		s->key = 0;
		s->info = (struct ct_cpu_info){ .cpu = s->info.cpu };
	}
	r->info.records = 0;
	r->info.lost = 0;
	r->info.gaps = 0;
	r->info.repeated = 0;
	r->nr_heap = 0;
	r->rewound = true;
}

int ct_reader_chunks(struct ct_reader *r, uint32_t type, ct_chunk_fn *fn, void *arg)
{
	uint32_t room = 0;
	char *data = NULL;
	size_t i;
	int ret = 0;

	for (i = 0; i < r->nr_others && !ret; i++) {
		const struct other_chunk *c = &r->others[i];

		if (c->type != type)
			continue;
		if (!data || c->length > room) {
			char *bigger = realloc(data, c->length + 1);

			if (!bigger) {
				ret = -ENOMEM;
				break;
			}
			data = bigger;
			room = c->length;
		}
		ret = fn(arg, c->cpu, data, read_at(r->fd, data, c->length, c->offset));
	}
	free(data);
	return ret;
}
