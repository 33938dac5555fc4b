// SPDX-License-Identifier: GPL-2.0
/*
 * User stacks: unwound, joined with their records, folded. The stack is one of this
 * program's own, taken by a signal in a chain of functions without frame pointers;
 * beside it stands what backtrace(3), of another unwinder, finds there.
 */
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "exported.h"
#include "reported.h"
#include "sideband_build_id.h"
#include "sideband_proc.h"
#include "stacks.h"
#include "writer.h"

#define COPY	(16u << 10)
#define BEGIN	1000
#define WHEN	2000
#define SP	7
#define IP	16
#define PLAIN	__attribute__((noinline, noclone, no_sanitize("address", "undefined"), \
			       optimize("omit-frame-pointer")))

/* A stack as it stands in a trace. */
struct copied {
	struct ct_stack	head;
	uint8_t		copy[COPY];
};

static struct copied taken;
static void *callers[CT_FRAMES_MAX];
static int nr_callers;
static uint64_t stack_end;

static PLAIN void take(int signal, siginfo_t *info, void *context)
{
	static const int order[CT_STACK_REGS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
		REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};
	const ucontext_t *u = context;
	uint64_t sp;
	size_t i;

	(void)signal;
	(void)info;
	for (i = 0; i < CT_STACK_REGS; i++)
		taken.head.regs[i] = u->uc_mcontext.gregs[order[i]];
	sp = taken.head.regs[SP];
	taken.head.copied = stack_end - sp < COPY ? stack_end - sp : COPY;
	for (i = 0; i < taken.head.copied; i++)
		taken.copy[i] = ((volatile uint8_t *)sp)[i];
	nr_callers = backtrace(callers, CT_FRAMES_MAX);
}

/* They stand in the symbol table, and do not call each other last. */
PLAIN void chain_c(void)
{
	volatile char room[100] = "c";

	__asm__ volatile("int3" : : "r"(room) : "memory");
}

PLAIN void chain_b(int rounds)
{
	volatile char room[300] = "b";

	chain_c();
	__asm__ volatile("" : : "r"(room), "r"(rounds) : "memory");
}

PLAIN void chain_a(void)
{
	chain_b(3);
	__asm__ volatile("" : : : "memory");
}

static PLAIN void take_own(void)
{
	struct sigaction action = { .sa_sigaction = take, .sa_flags = SA_SIGINFO };
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long end;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[stack]") && sscanf(line, "%*x-%lx", &end) == 1)
			stack_end = end;
	if (maps)
		fclose(maps);
	sigaction(SIGTRAP, &action, NULL);
	chain_a();
	taken.head.size = sizeof(taken);
	taken.head.asked = COPY;
	taken.head.abi = 2;
	taken.head.seq = 1;
	taken.head.pid = taken.head.tgid = getpid();
	taken.head.time_ns = WHEN;
}

static int keep(void *arg, uint32_t cpu, const void *data, size_t size)
{
	(void)cpu;
	append_bytes(arg, data, size);
	return 0;
}

/* This program as a process of a trace. */
static struct bytes own_sideband(void)
{
	struct ct_build_ids *ids = ct_build_ids_new();
	struct bytes b = { 0 };
	pid_t self = getpid();

	ct_sideband_proc(ids, BEGIN, &self, 1, keep, &b);
	ct_build_ids_free(ids);
	return b;
}

/* --- unwinding --------------------------------------------------------------------- */

struct found {
	uint32_t	frames[CT_FRAMES_MAX];
	size_t		nr;
	enum ct_unwound	how;
	int		ret;
};

static struct found unwind(struct ct_unwinder *u, const struct copied *c)
{
	struct found f;

	f.ret = ct_unwind(u, &c->head, c->copy, f.frames, &f.nr, &f.how);
	return f;
}

static bool begins(struct ct_unwinder *u, const struct found *f)
{
	static const char * const chain[] = { "chain_c", "chain_b", "chain_a", "take_own" };
	size_t i;

	for (i = 0; i < f->nr && i < 4; i++)
		if (strcmp(ct_unwinder_frame(u, f->frames[i])->name, chain[i]))
			break;
	if (i < 4 && f->nr)
		note("%zu frames, %zu is %s, %s", f->nr, i, i < f->nr ?
		     ct_unwinder_frame(u, f->frames[i])->name : "missing",
		     ct_unwound_sentence(f->how));
	return i == 4;
}

/* As many as backtrace(3) finds from the interrupted instruction on. */
static size_t expected(void)
{
	int i = 0;

	while (i < nr_callers && (uint64_t)callers[i] != taken.head.regs[IP])
		i++;
	return nr_callers - i;
}

static void check_whole(struct ct_unwinder *u)
{
	struct found f = unwind(u, &taken), again = unwind(u, &taken);

	ok(!f.ret && begins(u, &f), "a chain of functions without frame pointers is unwound");
	ok(f.nr == expected() && f.nr > 4, "as many functions as backtrace(3) finds");
	note("%zu and %zu, of %u bytes", f.nr, expected(), taken.head.copied);
	ok(f.how == CT_UNWOUND_WHOLE, "it ends with the first function");
	ok(again.nr == f.nr && again.how == f.how &&
	   !memcmp(again.frames, f.frames, f.nr * sizeof(*f.frames)),
	   "the same stack gives the same frames again");
}

/* Never passed off as whole, whatever is missing. */
static void check_cut(struct ct_unwinder *u)
{
	uint32_t whole = taken.head.copied, at;
	size_t wrong = 0, cut = 0, unread = 0;
	static struct copied c;

	c = taken;
	for (at = 0; at < whole; at += 8) {
		struct found f;

		c.head.copied = c.head.asked = at;
		f = unwind(u, &c);
		cut += f.how == CT_UNWOUND_TRUNCATED;
		wrong += f.how == CT_UNWOUND_WHOLE ? f.nr != expected() :
						     f.how != CT_UNWOUND_TRUNCATED || !f.nr;
		c.head.asked = COPY;
		f = unwind(u, &c);
		unread += f.how == CT_UNWOUND_UNREADABLE;
	}
	ok(cut > 50 && !wrong, "a copy that ends too early makes a stack that is truncated");
	ok(unread == cut, "and unreadable where the kernel could not read on");
	note("%zu of %u lengths truncated, %zu wrong, %zu unreadable", cut, whole / 8, wrong,
	     unread);
}

static void check_others(struct ct_unwinder *u)
{
	static struct copied c;
	struct found f;

	c = taken;
	c.head.abi = 0;
	f = unwind(u, &c);
	ok(!f.ret && !f.nr && f.how == CT_UNWOUND_NOTHING, "a kernel thread has no stack");
	c.head.abi = 1;
	f = unwind(u, &c);
	ok(f.nr == 1 && f.how == CT_UNWOUND_OTHER_ABI,
	   "of a 32-bit process there is the place alone");
	c.head.abi = 2;
	c.head.regs[IP] = 0x10;
	f = unwind(u, &c);
	ok(f.nr == 1 && f.how == CT_UNWOUND_NO_FILE &&
	   !strcmp(ct_unwinder_frame(u, f.frames[0])->name, "[unknown]"),
	   "what is mapped nowhere is unknown");
}

static void check_random(struct ct_unwinder *u)
{
	struct random_state random = { 7 };
	static struct copied c;
	size_t i, k, long_ones = 0;

	for (i = 0; i < 2000; i++) {
		struct found f;

		c = taken;
		for (k = 0; k < CT_STACK_REGS; k++)
			if (k != IP && below(&random, 2))
				c.head.regs[k] = next_random(&random);
		for (k = 0; k < COPY; k += 8)
			if (below(&random, 2))
				/* Addresses in this program, mostly. */
				*(uint64_t *)(c.copy + k) = taken.head.regs[IP] +
					below(&random, 1 << 16) - (1 << 15);
		c.head.copied = below(&random, COPY);
		f = unwind(u, &c);
		long_ones += f.ret || f.nr > CT_FRAMES_MAX || !f.nr;
	}
	ok(!long_ones, "registers and stacks without sense end somewhere");
}

/* The file that was traced is another one than that of its path. */
static void check_changed(const char *path)
{
	uint8_t id[20] = "another one";
	struct bytes b = { 0 };
	struct ct_processes *p;
	struct ct_unwinder *u;
	struct found f;

	add_map(&b, BEGIN, getpid(), taken.head.regs[IP] & ~0xfffull, 4096, 0x5000, id,
		"/proc/self/exe");
	p = make_processes(path, b);
	u = ct_unwinder_new(p);
	f = unwind(u, &taken);
	ok(f.nr == 1 && f.how == CT_UNWOUND_NO_FILE &&
	   !strncmp(ct_unwinder_frame(u, f.frames[0])->name, "[exe+0x5", 8),
	   "a file that has changed is not used");
	ct_unwinder_free(u);
	ct_processes_free(p);
}

/* --- in a trace ---------------------------------------------------------------------- */

static struct cowtrace_record fault(uint32_t seq, uint64_t time)
{
	struct cowtrace_record r = plain_record(seq, time);

	r.pid = r.tgid = getpid();
	memcpy(r.comm, "a;b", 4);
	r.ip = taken.head.regs[IP];
	r.present |= COWTRACE_HAS_IP;
	return r;
}

static struct bytes stacks_of(const uint32_t *seq, size_t nr)
{
	static struct copied c;
	struct bytes b = { 0 };

	c = taken;
	for (size_t i = 0; i < nr; i++) {
		c.head.seq = seq[i];
		append_bytes(&b, &c, sizeof(c));
	}
	return b;
}

/* A trace of three faults, and what stands in its chunk of stacks. */
static void make(const char *path, struct bytes stacks, const char *state)
{
	struct ct_writer *w = begin_trace(path, 0);
	struct bytes sideband = own_sideband();
	struct cowtrace_record r[3];

	for (int i = 0; i < 3; i++)
		r[i] = fault(i + 1, WHEN);
	/* Its stack is that of another fault with its number. */
	r[2].time_ns++;
	ct_writer_chunk(w, CT_CHUNK_SIDEBAND, 0, sideband.data, sideband.size);
	ct_writer_chunk(w, CT_CHUNK_STACKS, 0, stacks.data, stacks.size);
	ct_writer_chunk(w, CT_CHUNK_RECORDS, 0, r, sizeof(r));
	if (state)
		ct_writer_state(w, "stacks", state);
	ct_writer_state(w, "lost", "full 0\n");
	ct_writer_close(w);
	free(sideband.data);
	free(stacks.data);
}

static void check_join(const char *path)
{
	static const uint32_t seq[] = { 1, 1, 3, 0 };
	struct cowtrace_record r = fault(1, WHEN);
	struct ct_processes *p;
	struct ct_stacks s;
	struct ct_reader *reader;
	struct ct_error err;
	uint32_t chain;

	make(path, stacks_of(seq, 4), NULL);
	if (ct_reader_open(path, &reader, &err) || ct_processes_load(reader, &p, &err))
		abort();
	ok(!ct_stacks_load(&s, reader, p) && s.there == 2 && s.repeated == 1 && !s.bad,
	   "stacks are read back; one of a fault that had one before, or was not recorded, is left out");
	chain = ct_stacks_find(&s, &r);
	ok(chain != CT_MAP_NONE && !strcmp(ct_stacks_name(&s, chain), "chain_c") &&
	   !strcmp(ct_stacks_name(&s, s.chains[chain].caller), "chain_b"),
	   "a fault finds its stack by CPU and number");
	r.time_ns++;
	ok(ct_stacks_find(&s, &r) == CT_MAP_NONE, "but not one of another time");
	r = fault(2, WHEN);
	ok(ct_stacks_find(&s, &r) == CT_MAP_NONE, "a fault without a stack has none");
	ct_stacks_free(&s);
	ct_processes_free(p);
	ct_reader_close(reader);
}

static int nothing(void *arg, const struct ct_stack *stack, const void *copy)
{
	uint64_t *sum = arg;

	for (uint32_t i = 0; i < stack->copied; i++)
		*sum += ((const uint8_t *)copy)[i];
	return 0;
}

/* Each number of the head set to what it must not be. */
static void check_hostile(const char *path)
{
	static const uint32_t values[] = { 0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xfffffff8,
					   0xffffffff };
	static const uint32_t seq[] = { 1, 2 };
	struct ct_reader *reader;
	struct ct_error err;
	size_t n = 0, told = 0;

	for (size_t field = 0; field < 3; field++)
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
			struct bytes b = stacks_of(seq, 2);
			uint64_t sum = 0, bad = 0;

			((uint32_t *)b.data)[field] = values[i];
			make(path, b, NULL);
			if (ct_reader_open(path, &reader, &err))
				abort();
			n += !ct_stacks_walk(reader, &bad, nothing, &sum);
			told += !field && bad == 1;
			ct_reader_close(reader);
		}
	ok(n == 3 * sizeof(values) / sizeof(*values) && told == sizeof(values) / sizeof(*values),
	   "lengths that are wrong are noticed and lead nowhere");
}

static bool has_line(const struct bytes *b, const char *begin, const char *end)
{
	const char *at = b->data;

	for (; *at; at += strcspn(at, "\n") + 1) {
		size_t length = strcspn(at, "\n");

		if (!strncmp(at, begin, strlen(begin)) && length > strlen(end) &&
		    !strncmp(at + length - strlen(end), end, strlen(end)))
			return true;
	}
	note("no line \"%s...%s\" in:\n%.600s", begin, end, b->data);
	return false;
}

static void check_folded(const char *path)
{
	static const uint32_t seq[] = { 1, 2, 3 };
	struct bytes b;
	int status;

	make(path, stacks_of(seq, 3), "bytes 16384\nevery 1\ntaken 3\nstacks_lost 5\n");
	b = EXPORTED(&status, "--format", "folded", path);
	ok(!status && has_line(&b, "a:b;", ";take_own;chain_a;chain_b;chain_c 2"),
	   "folded, the first function comes first, and the chain has the faults that it led to");
	ok(has_line(&b, "a:b;[no stack];chain_c", " 1"),
	   "a fault whose stack is missing is marked, and so is a ; in a name");
	free(b.data);
	b = EXPORTED(&status, "--format", "folded", "--weight", "ns", path);
	ok(!status && has_line(&b, "a:b;", ";chain_b;chain_c 1000"), "or the time that they took");
	free(b.data);
	b = EXPORTED(&status, "--format", "folded", "--weight", "bytes", path);
	ok(!status && !b.size, "and no bytes where nothing was copied");
	free(b.data);
	make(path, (struct bytes){ 0 }, NULL);
	b = EXPORTED(&status, "--format", "folded", path);
	ok(!status && !strcmp(b.data, "a:b;chain_c 3\n"),
	   "without stacks there is the place that faulted");
	free(b.data);
}

static void check_report(const char *path)
{
	static const uint32_t seq[] = { 1, 2, 3 };
	char *text;
	int status;

	make(path, stacks_of(seq, 3), "bytes 16384\nevery 1\ntaken 3\nstacks_lost 5\n");
	text = report(path, false, &status);
	ok(strstr(text, "5  user stacks that did not fit"), "the report says how many were lost");
	free(text);
}

int main(void)
{
	char *path = temporary_file();
	struct ct_processes *p;
	struct ct_unwinder *u;

	take_own();
	p = make_processes(path, own_sideband());
	u = ct_unwinder_new(p);
	check_whole(u);
	check_cut(u);
	check_others(u);
	check_random(u);
	ct_unwinder_free(u);
	ct_processes_free(p);
	check_changed(path);
	check_join(path);
	check_hostile(path);
	check_folded(path);
	check_report(path);
	unlink(path);
	free(path);
	return tap_end();
}
