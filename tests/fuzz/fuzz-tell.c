// SPDX-License-Identifier: GPL-2.0
/*
 * All that is told of a trace: reports, the ledger of forks, other policies, patterns, a
 * fault, and all faults, each in text and JSON, the page, and what is exported. Whatever the
 * trace is, what comes out is of the form that it claims, or there is one line of error. The
 * input chooses which.
 */
#include <libdeflate.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "forks.h"
#include "fuzz.h"
#include "generate.h"
#include "oracle.h"
#include "report_html.h"
#include "whatif_view.h"

static int print_report(FILE *out, const char *path, bool json)
{
	const struct ct_report_opts opts = { .json = json };

	return ct_report_print(out, path, &opts);
}

static int print_forks(FILE *out, const char *path, bool json)
{
	const struct ct_forks_opts opts = { .report.json = json };

	return ct_forks_print(out, path, &opts);
}

static int print_whatif(FILE *out, const char *path, bool json)
{
	const struct ct_whatif_opts opts = {
		.report.json = json, .policy = { "one=refcount == 1" }, .nr = json,
	};

	return ct_whatif_print(out, path, &opts);
}

static int print_html(FILE *out, const char *path, bool json)
{
	const struct ct_report_opts opts = { .json = json };

	return ct_report_html(out, path, &opts);
}

static int run_to(FILE *out, int (*command)(int argc, char **argv), int argc, char **argv)
{
	FILE *was = stdout;
	int status;

	stdout = out;
	status = command(argc, argv);
	stdout = was;
	return status;
}

/* What is whole is printed, then there is an error too. */
static int print_by(int (*command)(int argc, char **argv), FILE *out, const char *path,
		    const char *fault, bool json)
{
	char name[8] = "told", file[64], which[16], option[] = "--json";
	char *argv[5] = { name, file };
	int argc = 2, status;

	snprintf(file, sizeof(file), "%s", path);
	snprintf(which, sizeof(which), "%s", fault ?: "");
	if (fault)
		argv[argc++] = which;
	if (json)
		argv[argc++] = option;
	status = run_to(out, command, argc, argv);
	if (status == CT_EXIT_OK)
		return CT_REPORT_OK;
	if (!ftell(out))
		return CT_REPORT_FAILED;
	MUST(last_complaint.code);
	memset(&last_complaint, 0, sizeof(last_complaint));
	return CT_REPORT_DAMAGED;
}

#define EXPLAIN(what, fault)							\
	static int explain_##what(FILE *out, const char *path, bool json)	\
	{									\
		return print_by(ct_cmd_explain, out, path, fault, json);	\
	}
EXPLAIN(patterns, NULL)
EXPLAIN(fault, "0:1")
EXPLAIN(ksm, "ksm:1")
EXPLAIN(khugepaged, "khugepaged:1")

static int print_events(FILE *out, const char *path, bool json)
{
	return print_by(ct_cmd_events, out, path, NULL, json);
}

static int export_as(FILE *out, const char *path, const char *format)
{
	char name[16], file[64], *argv[] = {
		"export", "--processes", "9", "--format", name, file, NULL
	};

	snprintf(name, sizeof(name), "%s", format);
	snprintf(file, sizeof(file), "%s", path);
	return run_to(out, ct_cmd_export, 6, argv);
}

#define EXPORT(format)								\
	static int export_##format(FILE *out, const char *path, bool json)	\
	{									\
		(void)json;							\
		return export_as(out, path, #format);				\
	}
EXPORT(jsonl)
EXPORT(csv)
EXPORT(perfetto)
EXPORT(prometheus)
EXPORT(folded)

static const struct {
	int	(*print)(FILE *out, const char *path, bool json);
	void	(*must)(const char *text, size_t size);
	bool	json;
} forms[] = {
	{ print_report,		must_be_text,	false },
	{ print_report,		must_be_json,	true },
	{ print_forks,		must_be_text,	false },
	{ print_forks,		must_be_json,	true },
	{ print_whatif,		must_be_text,	false },
	{ print_whatif,		must_be_json,	true },
	{ print_html,		must_be_html,	false },
	{ explain_patterns,	must_be_text,	false },
	{ explain_patterns,	must_be_json,	true },
	{ explain_fault,	must_be_text,	false },
	{ explain_fault,	must_be_json,	true },
	{ explain_ksm,		must_be_text,	false },
	{ explain_ksm,		must_be_json,	true },
	{ explain_khugepaged,	must_be_text,	false },
	{ explain_khugepaged,	must_be_json,	true },
	{ print_events,		must_be_text,	false },
	{ print_events,		must_be_jsonl,	true },
	{ export_jsonl,		must_be_jsonl,	false },
	{ export_csv,		must_be_csv,	false },
	{ export_perfetto,	must_be_perfetto, false },
	{ export_prometheus,	must_be_prometheus, false },
	{ export_folded,	must_be_folded,	false },
};

#define FORMS	(sizeof(forms) / sizeof(*forms))

static void tell(const char *path, size_t form)
{
	static FILE *null;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length), *was = stderr;
	int status;

	if (!null)
		null = fopen("/dev/null", "w");
	MUST(out && null);
	memset(&last_complaint, 0, sizeof(last_complaint));
	/* What is lost is told beside it. */
	stderr = null;
	status = forms[form].print(out, path, forms[form].json);
	stderr = was;
	fclose(out);
	if (status == CT_REPORT_FAILED) {
		MUST(*last_complaint.text && !strchr(last_complaint.text, '\n'));
		must_be_text(last_complaint.text, strlen(last_complaint.text));
	} else {
		MUST(status == CT_REPORT_OK || status == CT_REPORT_DAMAGED);
		MUST(!last_complaint.code);
		forms[form].must(text, length);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	size_t i;

	if (fuzz_replay)
		for (i = 0; i < FORMS; i++)
			tell(path, i);
	else
		tell(path, libdeflate_crc32(0, data, size) % FORMS);
	return 0;
}
