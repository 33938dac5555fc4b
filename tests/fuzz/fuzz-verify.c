// SPDX-License-Identifier: GPL-2.0
/* What an experiment has left, as JSON, held against itself; its trace is always the same. */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "generate.h"
#include "verify.h"

static char trace[64];

static void forget(void)
{
	unlink(trace);
}

static void make(void)
{
	struct trace_shape shape = { 3, 2, 40, 16 };

	snprintf(trace, sizeof(trace), "/tmp/fuzz-verify-%d", (int)getpid());
	make_trace(trace, &shape);
	atexit(forget);
}

/* "TRACE" in the input is its path. */
static char *with_trace(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *at = strstr(text, "TRACE"), *all;

	if (!at)
		return text;
	*at = '\0';
	if (asprintf(&all, "%s%s%s", text, trace, at + 5) < 0)
		abort();
	free(text);
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_verify_run run;
	struct ct_verify_pair pair;
	struct ct_error err;
	char *text;
	size_t i;

	if (!*trace)
		make();
	text = with_trace(data, size);
	if (ct_verify_load(fuzz_file(text, strlen(text)), &run, &err)) {
		MUST(err.code < 0 && *err.text);
	} else if (!ct_verify(&run, &run, CT_VERIFY_Q_OWN, &pair, &err)) {
		for (i = 0; i < pair.nr_classes; i++)
			MUST(pair.class[i].verdict < CT_NR_VERIFY_VERDICTS);
		free(pair.class);
	}
	ct_verify_free(&run);
	free(text);
	return 0;
}
