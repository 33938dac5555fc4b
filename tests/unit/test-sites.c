// SPDX-License-Identifier: GPL-2.0
/* Places in the code: however many addresses come by, each keeps its number. */
#include <stdlib.h>

#include "generate.h"
#include "sites.h"
#include "tap.h"

/* A program that is started again and again, and faults at the same places. */
#define EXECS	2000u
#define PLACES	100u

static uint32_t site_of(struct ct_sites *sites, const struct ct_processes *p, uint32_t exec,
			uint32_t place)
{
	struct cowtrace_record r = plain_record(1, 1000 * exec + 500);
	uint32_t site;

	r.ip = 0x400000 + 16 * place;
	if (ct_sites_find(sites, p, ct_processes_find(p, 100, r.time_ns), &r, &site))
		abort();
	return site;
}

int main(void)
{
	char *path = temporary_file();
	struct ct_sites sites = { 0 };
	struct bytes sideband = { 0 };
	uint32_t exec, place, wrong = 0;
	struct ct_processes *p;

	for (exec = 1; exec <= EXECS; exec++) {
		add_comm(&sideband, 1000 * exec, 100, "server", 1);
		add_map(&sideband, 1000 * exec + 1, 100, 0x400000, 0x10000, 0, NULL,
			"/nowhere/server");
	}
	p = make_processes(path, sideband);
	for (exec = 1; exec <= EXECS; exec++)
		for (place = 0; place < PLACES; place++)
			wrong += site_of(&sites, p, exec, place) != place;
	ok(!wrong && sites.nr == PLACES, "a place has one number in all %u execs of a program",
	   EXECS);
	ok(sites.by_ip.size <= 1 << 17,
	   "what was looked up is not kept for all %u addresses of all execs", EXECS * PLACES);
	ct_sites_free(&sites);
	ct_processes_free(p);
	remove(path);
	free(path);
	return tap_end();
}
