// SPDX-License-Identifier: GPL-2.0
#include "cover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pages.h"
#include "report.h"

/* Places that KCOV has room for; what is asked about here runs through far fewer. */
#define PLACES	(64u << 10)
#define KCOV	"/sys/kernel/debug/kcov"
#define EDGES	(64u << 10)

static unsigned long *places;
static unsigned long long text_begin, text_end;

static struct {
	unsigned int	edges;
	unsigned char	bit[EDGES / 8];
} *seen;

void cover_init(const char *module)
{
	unsigned long long size, at;
	char name[64], line[512];
	FILE *f = fopen("/proc/modules", "re");

	need(f, "/proc/modules: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", name, &size, &at) == 3 &&
		    !strcmp(name, module)) {
			text_begin = at;
			text_end = at + size;
		}
	fclose(f);
	seen = map_shared(sizeof(*seen));
}

void cover_begin(void)
{
	int fd = open(KCOV, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	need(!ioctl(fd, KCOV_INIT_TRACE, (unsigned long)PLACES), "KCOV: %s", strerror(errno));
	places = mmap(NULL, PLACES * sizeof(*places), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(places != MAP_FAILED, "mmap of KCOV: %s", strerror(errno));
	need(!ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), "KCOV: %s", strerror(errno));
}

void cover_reset(void)
{
	if (places)
		__atomic_store_n(places, 0, __ATOMIC_RELAXED);
}

bool cover_new(void)
{
	unsigned long long last = 0, place, edge;
	unsigned long n, i;
	bool fresh = false;

	if (!places)
		return false;
	n = __atomic_load_n(places, __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < PLACES; i++) {
		place = places[i];
		if (place < text_begin || place >= text_end)
			continue;
		edge = ((place ^ last << 1) * 0x9e3779b97f4a7c15ull >> 32) % EDGES;
		last = place;
		if (seen->bit[edge / 8] >> edge % 8 & 1)
			continue;
		seen->bit[edge / 8] |= 1 << edge % 8;
		seen->edges++;
		fresh = true;
	}
	return fresh;
}

bool cover_there(void)
{
	return !access(KCOV, F_OK);
}

unsigned int cover_edges(void)
{
	return seen->edges;
}
