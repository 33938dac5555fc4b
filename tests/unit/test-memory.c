// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that runs out while a trace is read: each allocation of ours fails once, in
 * turn. The linker leads them here (--wrap); those inside of libraries are not ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "expression.h"
#include "forks.h"
#include "generate.h"
#include "ksm.h"
#include "reader.h"
#include "report_html.h"
#include "stacks.h"
#include "tap.h"
#include "whatif_view.h"
#include "wrapped.h"
#include "writer.h"

/* Allocations until one fails, 0 for none; and how many there were. */
static uint64_t left, made;

static bool fails(void)
{
	made++;
	if (!left || --left)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

static char *path;

/* A trace of a bit of everything that takes memory. */
static void make(void)
{
	static const char ksm[] =
		"ksm\n1.000000007 [001] merge seq=1 pid=3 tgid=2 mm=0x1 owner=7 name=a addr=0x1000 pfn=0x5 "
		"ns=1 how=first users=2 comm=k\n"
		"1.000000009 [001] break seq=2 pid=3 tgid=2 mm=0x1 owner=7 name=a addr=0x1000 pfn=0x5 "
		"ns=3 users=2 refs=2 cause=write result=copy comm=k\n";
	struct ct_stack stack = {
		.size = sizeof(stack), .asked = 64, .abi = 2, .seq = 1, .pid = 100, .tgid = 100,
		.time_ns = 1000, .regs[16] = 0x400100,
	};
	struct ct_writer *w = begin_trace(path, COWTRACE_TRAIT_EXCLUSIVE);
	struct bytes sideband = { 0 };
	uint32_t i;

	add_server_and_child(&sideband, "/nowhere/server");
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	for (i = 1; i <= 6; i++) {
		struct cowtrace_record r = server_or_child_record(i);

		ct_writer_chunk(w, CT_CHUNK_RECORDS, i % 2, &r, sizeof(r));
	}
	ct_writer_chunk(w, CT_CHUNK_STACKS, 0, &stack, sizeof(stack));
	ct_writer_chunk(w, CT_CHUNK_GROUP, UINT32_MAX, ksm, strlen(ksm));
	ct_writer_state(w, "lost", "full 0\n");
	ct_writer_close(w);
	free(sideband.data);
}

static int report(FILE *out)
{
	return ct_report_print(out, path, &(struct ct_report_opts){ .json = true });
}

static int forks(FILE *out)
{
	return ct_forks_print(out, path, &(struct ct_forks_opts){ .report.json = true });
}

static int whatif(FILE *out)
{
	return ct_whatif_print(out, path, &(struct ct_whatif_opts){ .report.json = true });
}

static int page(FILE *out)
{
	return ct_report_html(out, path, &(struct ct_report_opts){ .json = false });
}

static int export(FILE *out, const char *format)
{
	char name[16], *argv[] = { "export", "--format", name, path, NULL };
	FILE *was = stdout;
	int status;

	snprintf(name, sizeof(name), "%s", format);
	stdout = out;
	status = ct_cmd_export(4, argv);
	stdout = was;
	return status;
}

static int folded(FILE *out)
{
	return export(out, "folded");
}

static int perfetto(FILE *out)
{
	return export(out, "perfetto");
}

/* One run of @print with the @n-th allocation failing. Return: what is wrong, or NULL. */
static const char *try(int (*print)(FILE *out), uint64_t n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int status;

	memset(&last_complaint, 0, sizeof(last_complaint));
	made = 0;
	left = n;
	status = print(out);
	left = 0;
	fclose(out);
	free(text);
	/* What is exported goes out as it is made: -o takes half of it back. */
	if (status == CT_REPORT_FAILED && size && print != perfetto && print != folded)
		return "an error after half of it";
	if (status == CT_REPORT_FAILED)
		return strstr(last_complaint.text, "memory") ? NULL : "an error of something else";
	return last_complaint.code ? "an error, and a status of success" : NULL;
}

static void runs_out(const char *name, int (*print)(FILE *out), uint64_t from)
{
	const char *wrong = NULL;
	uint64_t n, all;

	try(print, 0);
	all = made;
	for (n = from + 1; !wrong && n <= all; n++)
		wrong = try(print, n);
	if (!ok(!wrong && all > from, "%s: each of %lu allocations that fails is one line of error",
		name, (unsigned long)(all - from)))
		note("allocation %lu of %lu: %s: %s", (unsigned long)n - 1, (unsigned long)all,
		     wrong ?: "none", last_complaint.text);
}

/* Opening is part of all: how many allocations it is. */
static uint64_t opening(void)
{
	struct ct_reader *r = NULL;
	struct ct_error err = { 0 };
	uint64_t n, all = 0;
	bool good = true;
	int ret = -ENOMEM;

	for (n = 1; good && ret; n++) {
		made = 0;
		left = n;
		ret = ct_reader_open(path, &r, &err);
		all = made;
		left = 0;
		good = !ret || (ret == -ENOMEM && strstr(err.text, "memory"));
	}
	if (!ok(good && n > 2,
		"each of %lu allocations that fails ends opening a trace with -ENOMEM",
		(unsigned long)all))
		note("allocation %lu: %d: %s", (unsigned long)n - 1, ret, err.text);
	if (!ret)
		ct_reader_close(r);
	return all;
}

static void expression(void)
{
	struct ct_expression *e = NULL;
	struct ct_expression_error err;
	uint64_t n;
	int ret = -ENOMEM;

	for (n = 1; ret == -ENOMEM; n++) {
		left = n;
		ret = ct_expression_parse("refcount == 1 + swapcache && !ksm", &e, &err);
		left = 0;
	}
	ok(!ret && n > 2, "an expression without memory is -ENOMEM, %lu times",
	   (unsigned long)n - 2);
	ct_expression_free(e);
}

/* The ledgers that are made beside a report. */
static void ledgers(void)
{
	struct ct_processes *p = NULL;
	struct ct_stacks stacks;
	struct ct_reader *r;
	struct ct_error err;
	struct ct_ksm *k;
	uint64_t n;
	int ret;

	if (ct_reader_open(path, &r, &err) || ct_processes_load(r, &p, &err))
		abort();
	for (n = 1, ret = -ENOMEM; ret == -ENOMEM; n++) {
		left = n;
		ret = ct_ksm_load(r, 1000, &k);
		left = 0;
	}
	ok(!ret && n > 2 && ct_ksm_merges(k) == 1, "the ledger of KSM without memory is -ENOMEM");
	ct_ksm_free(k);
	for (n = 1, ret = -ENOMEM; ret == -ENOMEM; n++) {
		left = n;
		ret = ct_stacks_load(&stacks, r, p);
		left = 0;
		if (ret)
			ct_stacks_free(&stacks);
	}
	ok(!ret && n > 2 && stacks.there == 1, "stacks without memory are -ENOMEM");
	ct_stacks_free(&stacks);
	ct_processes_free(p);
	ct_reader_close(r);
}

int main(void)
{
	uint64_t opened;

	path = temporary_file();
	make();
	/* What is told beside what is printed. Sanitizers write elsewhere. */
	stderr = fopen("/dev/null", "w");
	if (!stderr)
		return 1;
	opened = opening();
	runs_out("report", report, opened);
	runs_out("forks", forks, opened);
	runs_out("whatif", whatif, opened);
	runs_out("a page", page, opened);
	runs_out("folded stacks", folded, opened);
	runs_out("a Perfetto trace", perfetto, opened);
	expression();
	ledgers();
	remove(path);
	free(path);
	return tap_end();
}
