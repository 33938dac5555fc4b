// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"

unsigned int life_below(struct life *l, unsigned int n)
{
	return next_random(&l->random) % n;
}

void life_write(struct life *l, unsigned int percent)
{
	unsigned int i, first = life_below(l, l->pages), n = 1 + life_below(l, l->pages);

	for (i = 0; i < n; i++)
		if (life_below(l, 100) < percent)
			poke(l->mem + (first + i) % l->pages * PAGE, l->random);
}

void life_read(struct life *l)
{
	unsigned int i, first = life_below(l, l->pages), n = 1 + life_below(l, l->pages);
	volatile char sum = 0;

	for (i = 0; i < n; i++)
		sum += l->mem[(first + i) % l->pages * PAGE];
}

pid_t life_fork(struct life *l, void (*fn)(struct life *l))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* Not what the parent does next. */
	l->random = ~next_random(&l->random);
	l->depth++;
	fn(l);
	_exit(0);
}

void life_reap(pid_t pid)
{
	int status;

	if (pid < 0)
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		_exit(2);
}

void life_live(const struct actor *a, uint64_t seed, bool (*goes_on)(void),
	       unsigned long long *steps)
{
	struct life l = { .pages = a->pages, .mem = map_pages(a->pages), .random = seed };

	prctl(PR_SET_NAME, a->name);
	if (a->prepare)
		a->prepare(&l);
	touch(l.mem, l.pages);
	while (goes_on()) {
		a->step(&l);
		++*steps;
	}
}

void *life_touch(void *life)
{
	struct life *l = life;

	touch(l->mem, l->pages);
	return NULL;
}

void life_ksm(bool on)
{
	file_write("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	file_write("/sys/kernel/mm/ksm/pages_to_scan", "500");
	file_write("/sys/kernel/mm/ksm/run", on ? "1" : "0");
}

unsigned int life_seconds(void)
{
	return asked("STORM_SECONDS", 60);
}
