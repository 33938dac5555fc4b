// SPDX-License-Identifier: GPL-2.0
/* Numbers as text, histograms, text that may be shown. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "histogram.h"
#include "tap.h"
#include "units.h"

static const struct {
	char		*(*format)(char *to, uint64_t n);
	uint64_t	n;
	const char	*text;
} cases[] = {
	{ ct_format_count, 0, "0" },
	{ ct_format_count, 999, "999" },
	{ ct_format_count, 1000, "1,000" },
	{ ct_format_count, UINT64_MAX, "18,446,744,073,709,551,615" },
	{ ct_format_bytes, 1023, "1023 B" },
	{ ct_format_bytes, 1024, "1.00 KiB" },
	{ ct_format_bytes, 10 << 20, "10.0 MiB" },
	{ ct_format_bytes, 1023 << 20, "1.00 GiB" },
	{ ct_format_bytes, UINT64_MAX, "16.0 EiB" },
	{ ct_format_ns, 999, "999 ns" },
	{ ct_format_ns, 1000, "1.00 µs" },
	{ ct_format_ns, 999499, "999 µs" },
	{ ct_format_ns, 999999, "1.00 ms" },
	{ ct_format_ns, 59000000000, "59.0 s" },
	{ ct_format_ns, 3600000000000, "60.0 min" },
	{ ct_format_ns, UINT64_MAX, "5124095.6 h" },
};

static void check_histogram(void)
{
	static struct ct_histogram h;
	bool covered = true, close = true;
	uint64_t ns;
	uint32_t i;

	for (ns = 0; ns <= UINT32_MAX; ns += 1 + ns / 1000) {
		unsigned int b = ct_histogram_bucket(ns);

		covered &= b < CT_HISTOGRAM_BUCKETS && ct_histogram_limit(b) >= ns &&
			   (!b || ct_histogram_limit(b - 1) < ns);
		close &= ct_histogram_limit(b) <= ns + ns / 8 + 1;
	}
	ok(covered, "each duration is within the limits of its bucket");
	ok(close, "the limit of a bucket is at most an eighth above what is in it");
	ok(ct_histogram_limit(ct_histogram_bucket(UINT32_MAX)) == UINT32_MAX,
	   "the longest duration has a bucket");
	ok(!ct_histogram_percentile(&h, 50), "an empty histogram has no median");
	for (i = 1; i <= 1000; i++)
		ct_histogram_add(&h, i);
	ok(ct_histogram_percentile(&h, 50) >= 500 && ct_histogram_percentile(&h, 50) <= 576,
	   "the median of 1 to 1000 is about 500");
	ok(ct_histogram_percentile(&h, 100) == 1000, "all are within the longest");
}

static void cleans(const char *from, const char *to, const char *claim)
{
	char text[32];

	ct_clean_text(text, sizeof(text), from, strlen(from));
	if (!ok(!strcmp(text, to), "%s", claim))
		note("%s", text);
}

int main(void)
{
	char text[CT_UNIT_TEXT], tiny[4];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cases[i].format(text, cases[i].n);
		if (!ok(!strcmp(text, cases[i].text), "%lu is written as %s",
			(unsigned long)cases[i].n, cases[i].text))
			note("%s", text);
	}
	ok(!strcmp(ct_format_share(text, 0, 0), "-"), "a share of nothing is absent");
	ok(!strcmp(ct_format_share(text, 1, 100000), "<0.1 %"), "little is not rounded to nothing");
	ok(!strcmp(ct_format_share(text, 99999, 100000), ">99.9 %"), "most is not rounded to all");
	ok(!strcmp(ct_format_share(text, 1, 1), "100.0 %"), "all is all");
	ok(ct_text_width("1.00 µs") == 7, "a width counts characters, not bytes");
	cleans("redis-server", "redis-server", "plain text stays");
	cleans("z\xc3\xbcri", "z\xc3\xbcri", "UTF-8 stays");
	cleans("\033[31m", "?[31m", "escapes go");
	cleans("\xc2\x9b" "31m", "??31m", "8-bit escapes in UTF-8 go");
	cleans("\xe2\x80\xae" "evil", "???evil", "marks that turn the text around go");
	cleans("\xc0\xaf\xff", "???", "bytes that are no UTF-8 go");
	ct_clean_text(tiny, sizeof(tiny), "ab\xc3\xbc", 4);
	ok(!strcmp(tiny, "ab"), "a character that does not fit is not cut in two");
	check_histogram();
	return tap_end();
}
