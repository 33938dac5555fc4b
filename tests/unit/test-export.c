// SPDX-License-Identifier: GPL-2.0
/* Exports: a line a fault, as JSON and as CSV, and files that are whole or not there. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cowtrace/vocab.h>

#include "csv.h"
#include "event_print.h"
#include "exported.h"
#include "reader.h"
#include "reported.h"
#include "writer.h"

static char *path;

/* --- against `cowtrace events --json` ------------------------------------------------- */

static struct json_object *event_of(const struct ct_schema *schema, const struct ct_event *event,
				    const struct ct_split *split)
{
	struct ct_fault fault = { schema, event->record, event->raw, split };
	struct json_object *o;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ct_fault_json(f, &fault);
	fclose(f);
	o = json_tokener_parse(text);
	free(text);
	return o;
}

static struct json_object *member(struct json_object *o, const char *name, const char *inner)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(o, name, &found);
	if (inner && found)
		json_object_object_get_ex(found, inner, &found);
	return found;
}

/* What events puts into objects of their own stands in columns. */
static bool same_columns(struct json_object *line, struct json_object *event)
{
	static const char *const pairs[][3] = {
		{ "decision", "decision", "test" }, { "decision_value", "decision", "value" },
		{ "decision_limit", "decision", "limit" },
		{ "continues_cpu", "continues", "cpu" }, { "continues_seq", "continues", "seq" },
	};
	bool same = true;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		same &= json_object_equal(member(line, pairs[i][0], NULL),
					  member(event, pairs[i][1], pairs[i][2]));
		same &= json_object_object_get_ex(line, pairs[i][0], NULL);
	}
	return same;
}

static bool same_fields(struct json_object *line, struct json_object *event,
			const struct ct_schema *schema)
{
	bool same = same_columns(line, event);

	for (size_t i = 0; i < schema->nr_fields; i++) {
		const char *name = schema->fields[i].name;

		if (json_object_object_get_ex(line, name, NULL) &&
		    json_object_equal(member(line, name, NULL), member(event, name, NULL)))
			continue;
		note("%s", name);
		same = false;
	}
	return same;
}

/* The text of a value as CSV has it; NULL for null. */
static char *as_cell(struct json_object *value)
{
	char *text = NULL;
	size_t size, i;
	FILE *f;

	if (!value)
		return NULL;
	if (!json_object_is_type(value, json_type_array))
		return strdup(json_object_get_string(value));
	f = open_memstream(&text, &size);
	for (i = 0; i < json_object_array_length(value); i++)
		fprintf(f, "%s%s", i ? "|" : "",
			json_object_get_string(json_object_array_get_idx(value, i)));
	fclose(f);
	return text;
}

static bool same_cells(const struct csv *csv, size_t row, struct json_object *line)
{
	bool same = true;

	json_object_object_foreach(line, name, value) {
		char *text = as_cell(value);

		same &= is(csv, row, name, text);
		free(text);
	}
	return same && json_object_object_length(line) == (int)csv->columns;
}

static void check_random(void)
{
	struct trace_shape shape = { 7, 3, 400, 100 };
	struct bytes jsonl, text;
	bool fields = true, cells = true;
	struct ct_splits splits = { 0 };
	struct ct_reader *reader;
	struct ct_event event;
	struct ct_error err;
	struct ct_split split;
	int status[2];
	struct csv csv;
	char *line, *save = NULL;
	size_t n = 0;

	make_trace(path, &shape);
	jsonl = EXPORTED(&status[0], "--format", "jsonl", path);
	text = EXPORTED(&status[1], "--format", "csv", path);
	csv = parse_csv(text.data);
	if (ct_reader_open(path, &reader, &err))
		abort();
	line = strtok_r(jsonl.data, "\n", &save);
	while (ct_reader_next(reader, &event)) {
		bool linked = ct_splits_take(&splits, event.record, &split);
		struct json_object *o = line ? json_tokener_parse(line) : NULL;
		struct json_object *expected = event_of(ct_reader_schema(reader), &event,
							linked ? &split : NULL);

		fields &= o && same_fields(o, expected, ct_reader_schema(reader));
		cells &= o && ++n < csv.rows && same_cells(&csv, n, o);
		json_object_put(expected);
		json_object_put(o);
		line = strtok_r(NULL, "\n", &save);
	}
	ok(!status[0] && fields && !line, "jsonl has each fault with the fields of events --json");
	ok(!status[1] && csv.even && csv.rows == n + 1, "each line of csv has all columns");
	ok(cells, "csv has in its columns what jsonl has by the same names");
	ct_reader_close(reader);
	free(csv.cell);
	free(text.data);
	free(jsonl.data);
}

/* --- sums ----------------------------------------------------------------------------- */

static void check_sums(void)
{
	char *json, *wanted[] = { "faults.faults", "faults.copies", "faults.bytes_copied",
				  "faults.time_ns" };
	int64_t sums[4] = { 0 };
	struct json_object *o;
	struct bytes text;
	bool same = true;
	struct csv csv;
	int status;

	text = EXPORTED(&status, "--format", "csv", path);
	csv = parse_csv(text.data);
	for (size_t i = 1; i < csv.rows; i++) {
		const char *outcome = cell(&csv, i, "outcome");

		sums[0] += atoi(cell(&csv, i, "weight"));
		sums[1] += !strcmp(outcome, "copy") || !strcmp(outcome, "unshare");
		sums[2] += atoll(cell(&csv, i, "bytes_copied"));
		sums[3] += atoll(cell(&csv, i, "duration_ns"));
	}
	json = report(path, true, &status);
	o = json_tokener_parse(json);
	for (size_t i = 0; i < 4; i++) {
		if (number(o, wanted[i]) == sums[i])
			continue;
		note("%s: %ld and %ld", wanted[i], (long)number(o, wanted[i]), (long)sums[i]);
		same = false;
	}
	ok(same, "faults, copies, bytes and time of csv are those of the report");
	json_object_put(o);
	free(json);
	free(csv.cell);
	free(text.data);
}

/* --- single faults -------------------------------------------------------------------- */

static const char meta[] =
	"{\"kernel\":{\"host\":\"a,\\\"b\\\"\\n\"},"
	"\"start\":{\"realtime_ns\":1700000000000000000,\"monotonic_ns\":1000000000}}";

static void write_trace(const struct cowtrace_record *records, size_t n)
{
	struct ct_writer *w = begin_trace(path, 0);

	ct_writer_chunk(w, CT_CHUNK_META, UINT32_MAX, meta, sizeof(meta) - 1);
	for (size_t i = 0; i < n; i++)
		ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &records[i], sizeof(*records));
	ct_writer_state(w, "lost", "full 3\n");
	ct_writer_close(w);
}

/* Names that end a string, a line or a cell, or are no text at all. */
static void check_names(void)
{
	static const struct {
		const char	*comm;
		const char	*clean;
	} names[] = {
		{ "a\"b\\\",c", "a\"b\\\",c" },
		{ "x\r\ny\tz", "x??y?z" },
		{ "\x1b[31m", "?[31m" },
		{ "\xff\xc3(\xe2\x80\xae", "?" "?(???" },
		{ "\xc3\xa9,'", "\xc3\xa9,'" },
		{ "\",\"\r\n\"", "\",\"??\"" },
		{ "", "" },
	};
	enum { NR = sizeof(names) / sizeof(*names) };
	struct cowtrace_record records[NR];
	bool json = true, cells = true;
	char *line, *save = NULL;
	struct bytes text;
	struct csv csv;
	int status;
	size_t i;

	for (i = 0; i < NR; i++) {
		records[i] = plain_record(i + 1, 2000000000 + i);
		memset(records[i].comm, 0, sizeof(records[i].comm));
		strcpy(records[i].comm, names[i].comm);
	}
	write_trace(records, NR);
	text = EXPORTED(&status, "--format", "jsonl", path);
	for (i = 0, line = strtok_r(text.data, "\n", &save); line;
	     i++, line = strtok_r(NULL, "\n", &save)) {
		struct json_object *o = json_tokener_parse(line);
		const char *comm = json_object_get_string(member(o, "comm", NULL));

		json &= i < NR && comm && !strcmp(comm, names[i].clean);
		json_object_put(o);
	}
	ok(json && i == NR, "no name of a process breaks out of its JSON string");
	free(text.data);
	text = EXPORTED(&status, "--format", "csv", path);
	csv = parse_csv(text.data);
	for (i = 0; i < NR; i++)
		cells &= is(&csv, i + 1, "comm", names[i].clean);
	ok(cells && csv.even && csv.rows == NR + 1, "nor out of its cell of csv");
	ok(is(&csv, 1, "host", "a,\"b\"?"), "the host is the one of the trace, clean");
	ok(is(&csv, 1, "kernel", "6.1.0-50-amd64"), "the kernel is the one of the trace");
	ok(is(&csv, 1, "time_utc", "2023-11-14 22:13:21.000000"),
	   "the time is that of the wall when the fault began");
	free(csv.cell);
	free(text.data);
	text = EXPORTED(&status, "--format", "csv", "--host", "web,7", path);
	csv = parse_csv(text.data);
	ok(is(&csv, 1, "host", "web,7"), "--host gives it another name");
	free(csv.cell);
	free(text.data);
}

static void check_values(void)
{
	struct cowtrace_record r[2] = { plain_record(1, 5000), plain_record(7, 6000) };
	struct bytes text;
	struct csv csv;
	int status;

	r[0].present = 0;
	r[0].outcome = 77;
	r[0].evidence = COWTRACE_EV_PTE | 1u << 15;
	r[0].address = UINT64_MAX;
	r[1].state = 0;
	write_trace(r, 2);
	text = EXPORTED(&status, "--format", "csv", path);
	csv = parse_csv(text.data);
	ok(is(&csv, 1, "refcount", NULL) && is(&csv, 1, "ip", NULL) &&
	   is(&csv, 2, "refcount", "1"), "what is absent is empty, and not 0");
	ok(is(&csv, 1, "outcome", "?77"), "a value without a word is shown as unknown");
	ok(is(&csv, 1, "evidence", "pte|?32768"), "so is a flag");
	ok(is(&csv, 2, "state", ""), "no flags are no absence");
	ok(is(&csv, 1, "address", "0xffffffffffffffff"), "addresses have all their 64 bits");
	ok(is(&csv, 1, "lost_before", "0") && is(&csv, 2, "lost_before", "5"),
	   "what is lost before a record stands with it");
	free(csv.cell);
	free(text.data);
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void leaves(const char *claim, size_t expected, const char *option, const char *value)
{
	struct bytes text;
	int status;

	text = EXPORTED(&status, "--format", "jsonl", option, value, path);
	if (!ok(!status && lines(text.data) == expected, "%s", claim))
		note("%zu lines", lines(text.data));
	free(text.data);
}

static void check_filters(void)
{
	struct cowtrace_record r[3] = { plain_record(1, 1000), plain_record(2, 2000),
					plain_record(3, 3000) };
	struct json_object *o;
	struct bytes text;
	int status;

	r[1].tgid = 7;
	r[2].outcome = COWTRACE_OUTCOME_COPY;
	r[2].reason = COWTRACE_REASON_MAPPED;
	strcpy(r[2].comm, "other");
	write_trace(r, 3);
	leaves("-p chooses a process", 1, "-p", "7");
	leaves("--comm chooses a name", 1, "--comm", "other");
	leaves("a filter chooses by what the trace knows", 2, "-f", "outcome=reuse");
	text = EXPORTED(&status, "--format", "jsonl", "-f", "outcome=nonsense", path);
	ok(status == 2 && !text.size, "a filter that makes no sense leaves no file behind");
	free(text.data);
	text = EXPORTED(&status, "--format", "jsonl", "--header", path);
	o = json_tokener_parse(text.data);
	ok(lines(text.data) == 4 && o &&
	   !strcmp(json_object_get_string(member(o, "trace", "kernel")) ?: "", "6.1.0-50-amd64"),
	   "--header adds a first object that tells of the trace");
	ok(number(o, "lost.full") == 3, "and of what it lost");
	json_object_put(o);
	free(text.data);
}

/* --- traces that do not have all ---------------------------------------------------------- */

static void check_partial(void)
{
	static const char stats[] = "sampled_out 30\nhanded_on 10\n";
	struct cowtrace_record r = plain_record(1, 1000);
	struct ct_writer *w = begin_trace(path, 0);
	struct bytes text, whole;
	struct csv csv;
	int status;

	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, &r, sizeof(r));
	ct_writer_state(w, "stats", stats);
	ct_writer_close(w);
	text = EXPORTED(&status, "--format", "csv", path);
	csv = parse_csv(text.data);
	ok(!status && is(&csv, 1, "weight", "4"), "of a sample each fault has its weight");
	free(csv.cell);
	free(text.data);

	/* Cut off behind its records: the last chunks are states and the end. */
	whole = read_file(path);
	write_file(path, whole.data, whole.size - 30);
	free(whole.data);
	text = EXPORTED(&status, "--format", "csv", path);
	csv = parse_csv(text.data);
	ok(status == 1 && csv.rows == 2, "what is whole of a trace that was cut off is exported");
	free(csv.cell);
	free(text.data);
}

/* --- the file --------------------------------------------------------------------------- */

static int export_to(const char *file)
{
	char *argv[] = { "export", "--format", "csv", "-o", (char *)file, path, NULL };

	return ct_cmd_export(6, argv);
}

static void check_file(void)
{
	struct cowtrace_record r = plain_record(1, 1000);
	char *dir = temporary_file(), *file, *link;
	struct bytes b;
	struct stat st;

	write_trace(&r, 1);
	unlink(dir);
	if (mkdir(dir, 0755) || asprintf(&file, "%s/out", dir) < 0 ||
	    asprintf(&link, "%s/link", dir) < 0)
		abort();
	write_file(file, "before", 6);
	symlink("out", link);
	umask(027);
	chmod(file, 0604);
	ok(!export_to(link) && !lstat(link, &st) && S_ISLNK(st.st_mode),
	   "a link is followed, not replaced");
	ok(!stat(file, &st) && (st.st_mode & 0777) == 0604, "what is replaced keeps its mode");
	unlink(file);
	ok(!export_to(file) && !stat(file, &st) && (st.st_mode & 0777) == 0640,
	   "a new file has the mode of any other");
	write_file(file, "before", 6);
	b = read_file(path);
	write_file(path, b.data, 100);
	ok(export_to(file) == 2, "a trace that cannot be read makes no file");
	free(b.data);
	b = read_file(file);
	ok(b.size == 6 && !memcmp(b.data, "before", 6), "what was there stays");
	free(b.data);
	unlink(link);
	unlink(file);
	ok(!rmdir(dir), "and no unfinished file");
	free(link);
	free(file);
	free(dir);
}

static void check_trace(void)
{
	struct cowtrace_record r = plain_record(1, 1000);
	struct bytes before, after;

	write_trace(&r, 1);
	before = read_file(path);
	last_complaint.text[0] = '\0';
	ok(export_to(path) == 2 && strstr(last_complaint.text, "is a trace"),
	   "a trace is not overwritten by an export");
	after = read_file(path);
	ok(before.size == after.size && !memcmp(before.data, after.data, before.size),
	   "and is as it was");
	free(before.data);
	free(after.data);
}

static void check_full(void)
{
	struct cowtrace_record r = plain_record(1, 1000);
	struct stat st;

	write_trace(&r, 1);
	last_complaint.text[0] = '\0';
	ok(export_to("/dev/full") == 2 && strstr(last_complaint.text, "No space left"),
	   "a full disk is told");
	ok(!export_to("/dev/null") && !stat("/dev/null", &st) && S_ISCHR(st.st_mode),
	   "a device is written to, not replaced");
}

int main(void)
{
	path = temporary_file();
	check_random();
	check_sums();
	check_names();
	check_values();
	check_filters();
	check_partial();
	check_file();
	check_trace();
	check_full();
	unlink(path);
	free(path);
	return tap_end();
}
