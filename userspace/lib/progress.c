// SPDX-License-Identifier: GPL-2.0
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "units.h"

/* Who waits for less does not wonder. */
#define PATIENCE_NS	1000000000u
#define BETWEEN_NS	100000000u

static bool wanted;
static uint64_t began;
static uint64_t shown;
static int width;

void ct_progress_start(void)
{
	wanted = isatty(STDERR_FILENO);
}

void ct_progress_stop(void)
{
	ct_progress_erase();
	wanted = false;
}

void ct_progress_erase(void)
{
	if (!width)
		return;
	fprintf(stderr, "\r%*s\r", width, "");
	fflush(stderr);
	width = 0;
}

static void show(const char *doing, uint64_t done, uint64_t total)
{
	char text[64], amount[32];
	int n;

	if (total)
		snprintf(amount, sizeof(amount), "%llu %%",
			 (unsigned long long)(done < total ? done * 100.0 / total : 100));
	else
		ct_format_bytes(amount, done);
	n = snprintf(text, sizeof(text), "cowtrace: %s, %s", doing, amount);
	/* A shorter text has to cover the one before it. */
	fprintf(stderr, "\r%-*s", width, text);
	fflush(stderr);
	if (n > width)
		width = n;
}

void ct_progress(const char *doing, uint64_t done, uint64_t total)
{
	uint64_t now;

	if (!wanted)
		return;
	now = ct_now_ns();
	if (!began)
		began = now;
	if (now - began < PATIENCE_NS || now - shown < BETWEEN_NS)
		return;
	shown = now;
	show(doing, done, total);
}
