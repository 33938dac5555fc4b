// SPDX-License-Identifier: GPL-2.0
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "meet.h"
#include "process.h"

/* Loops by which a writer may come later than the other. */
#define SKEW		64
/* Looks at the other's place before it is thought not to run. */
#define SPINS		65536
/* An answer that takes longer was not given at once; how many of these until they begin anyway. */
#define PROMPT_NS	10000
#define LATE_ANSWERS	16

static unsigned int look(const unsigned int *at)
{
	return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}

static bool has_come(const unsigned int *at, unsigned int round)
{
	return (int)(look(at) - round) >= 0;
}

/*
 * A CPU of a guest is a thread of its host, which may not run now: one who only
 * begins writes alone. Both run when a question is answered at once.
 */
static void ask(struct writer *self, const struct writer *other, unsigned int round)
{
	unsigned int i, late = 0;
	uint64_t begin, took;

	do {
		begin = now_ns();
		__atomic_store_n(&self->call, self->call + 1, __ATOMIC_SEQ_CST);
		/* A host that runs them in turns would go on so: give way. */
		for (i = 1; look(&other->call) != self->call; i++)
			if (!(i % SPINS))
				sleep_ms(1);
		took = now_ns() - begin;
	} while (took > PROMPT_NS && ++late < LATE_ANSWERS);
	__atomic_store_n(&self->start, round, __ATOMIC_SEQ_CST);
}

static void answer(struct writer *self, const struct writer *other, unsigned int round)
{
	while (!has_come(&other->start, round))
		__atomic_store_n(&self->call, look(&other->call), __ATOMIC_SEQ_CST);
}

/*
 * The other's CPU may be one that the host does not run now: who waits long
 * sleeps, so that it does. Then both spin, to begin at once.
 */
static void rendezvous(struct writer *self, struct writer *other, unsigned int round)
{
	unsigned int i = 0;

	__atomic_store_n(&self->at, round, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&other->asleep, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &self->at, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (!has_come(&other->at, round) && i < SPINS)
		i++;
	if (i == SPINS) {
		__atomic_store_n(&self->asleep, 1, __ATOMIC_SEQ_CST);
		while (!has_come(&other->at, round))
			syscall(SYS_futex, &other->at, FUTEX_WAIT, round - 1, NULL, NULL, 0);
		__atomic_store_n(&self->asleep, 0, __ATOMIC_SEQ_CST);
	}
}

void meet(struct writer *both, unsigned int me, unsigned int round)
{
	struct writer *self = &both[me], *other = &both[!me];
	volatile unsigned int skew = next_random(&self->random) % SKEW;

	rendezvous(self, other, round);
	if (me)
		answer(self, other, round);
	else
		ask(self, other, round);
	while (skew)
		skew--;
}
