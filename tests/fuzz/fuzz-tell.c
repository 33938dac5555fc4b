// SPDX-License-Identifier: GPL-2.0
/*
 * All that is told of a trace: reports, the ledger of forks, other policies, each in
 * text and JSON, the page, and what is exported. Whatever the trace is, what comes out is
 * of the form that it claims, or there is one line of error. The input chooses which.
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

static int export_as(FILE *out, const char *path, const char *format)
{
	char name[16], file[64], *argv[] = {
		"export", "--processes", "9", "--format", name, file, NULL
	};
	FILE *was = stdout;
	int status;

	snprintf(name, sizeof(name), "%s", format);
	snprintf(file, sizeof(file), "%s", path);
	stdout = out;
	status = ct_cmd_export(6, argv);
	stdout = was;
	return status;
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
