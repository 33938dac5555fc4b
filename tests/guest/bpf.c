// SPDX-License-Identifier: GPL-2.0
/*
 * The bpf backend, without the module: its records of a load whose calls and copies the
 * kernel's own probe events count at the same time, by perf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib.h"
#include "outside.h"

#define TRACE	"/tmp/bpf.data"
#define COUNTED	"/tmp/bpf.counted"
#define RECORD	"cowtrace record --backend bpf "
#define OWN_TYPES	"/sys/kernel/btf/vmlinux"
#define TYPES		"/tmp/bpf.btf"
#define OTHER_TYPES	"/tmp/bpf.other.btf"
#define PAGES	1024

/* Both ways to end, and a page that is never reused. */
static void counted(void *arg)
{
	char *mem = map_pages(PAGES), *zero = map_pages(64);
	volatile char sum = 0;
	int i;

	(void)arg;
	touch(mem, PAGES);
	lru_drain();
	fork_write(mem, PAGES);
	for (i = 0; i < 64; i++)
		sum += zero[i * PAGE];
	touch(zero, 64);
}

/* "cowtest load bpf": the load in a child, the counts and when they began in a file. */
void bpf_load(void)
{
	int calls_fd, attempts_fd = -1;
	struct held_child load;
	uint64_t began;
	FILE *f;

	outside_init();
	load = child_held(counted, NULL);
	child_sleeps(load.pid);
	calls_fd = outside_count("wp", load.pid);
	if (outside_attempts())
		attempts_fd = outside_count("attempt", load.pid);
	began = now_ns();
	child_go(&load);
	need(!child_wait(load.pid), "the load failed");
	f = fopen(COUNTED, "w");
	need(f, "cannot write " COUNTED);
	fprintf(f, "%d %llu %lld %lld\n", getpid(), (unsigned long long)began,
		outside_counted(calls_fd), attempts_fd < 0 ? -1 : outside_counted(attempts_fd));
	fclose(f);
	outside_exit();
}

struct seen {
	long long records, reuses, copies, others, zero, gaps;
};

static long long number(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? atoll(at + strlen(name)) : -1;
}

/* The records of the load: those of other processes than its parent, from @began on. */
static void read_records(struct seen *s, int parent, uint64_t began)
{
	long long last[MAX_CPUS] = { 0 };
	char line[4096];
	FILE *f = popen("cowtrace events --json " TRACE, "r");

	need(f, "cowtrace events does not start");
	while (fgets(line, sizeof(line), f)) {
		long long cpu = number(line, "\"cpu\":"), seq = number(line, "\"seq\":");

		need(cpu >= 0 && cpu < MAX_CPUS, "a record of CPU %lld", cpu);
		s->gaps += seq != last[cpu] + 1;
		last[cpu] = seq;
		if (number(line, "\"tgid\":") == parent ||
		    (uint64_t)number(line, "\"time_ns\":") < began)
			continue;
		s->records++;
		s->zero += !!strstr(line, "\"reason\":\"zero\"");
		if (strstr(line, "\"outcome\":\"reuse\""))
			s->reuses++;
		else if (strstr(line, "\"outcome\":\"copy\""))
			s->copies++;
		else
			s->others++;
	}
	need(!pclose(f), "cowtrace events failed");
}

/**
 * struct traced - the load under cowtrace
 * @seen: its records.
 * @calls: of do_wp_page(), as perf counted them.
 * @attempts: to copy, likewise, -1 where nothing can count them.
 * @summary: of cowtrace.
 */
struct traced {
	struct seen	seen;
	long long	calls, attempts;
	char		summary[1 << 16];
};

static void trace_load(const char *options, struct traced *t)
{
	unsigned long long began;
	char text[512];
	int status, parent;

	memset(t, 0, sizeof(*t));
	snprintf(text, sizeof(text), RECORD "%s --json -o " TRACE
		 " -- /usr/libexec/cowtrace/cowtest load bpf >/tmp/bpf.json", options);
	status = system(text);
	need(!status, "%s ended with %#x", text, status);
	need(file_read(COUNTED, text, sizeof(text)) > 0 &&
	     sscanf(text, "%d %llu %lld %lld", &parent, &began, &t->calls, &t->attempts) == 4,
	     "the load left no counts");
	need(file_read("/tmp/bpf.json", t->summary, sizeof(t->summary)) > 0, "no summary");
	read_records(&t->seen, parent, began);
	note("records %lld: copies %lld, reuses %lld, others %lld; calls %lld, copies begun %lld",
	     t->seen.records, t->seen.copies, t->seen.reuses, t->seen.others, t->calls,
	     t->attempts);
}

static bool nothing_lost(const struct traced *t)
{
	const char *lost = strstr(t->summary, "\"lost\"");

	need(lost, "the summary lacks lost");
	return !number(lost, "\"full\":") && !number(lost, "\"missed_recursion\":") &&
	       !number(lost, "\"missed_no_instance\":") && !number(lost, "\"skipped_exits\":") &&
	       !number(lost, "\"disarmed\":");
}

/* --- the kernel's types by a file ----------------------------------------------------- */

/* Refused with both of these in what it says. */
static void refused(const char *name, const char *claim, const char *options, const char *why)
{
	char command[256], said[1024] = "";
	int status;

	snprintf(command, sizeof(command), RECORD "%s -o " TRACE " -- true 2>/tmp/bpf.said",
		 options);
	status = system(command);
	file_read("/tmp/bpf.said", said, sizeof(said));
	check(status && strstr(said, why) && strstr(said, "--btf"), name, claim, "%#x: %s", status,
	      said);
}

/* A copy in which struct page has a member of another name. */
static void write_other(void)
{
	static const char name[] = "\0_refcount";
	static char types[32 << 20];
	FILE *f = fopen(TYPES, "r");
	size_t n = f ? fread(types, 1, sizeof(types), f) : 0;
	char *at = n ? memmem(types, n, name, sizeof(name)) : NULL;

	need(at && n < sizeof(types), "a copy of " OWN_TYPES " has no _refcount");
	fclose(f);
	at[1] = 'x';
	f = fopen(OTHER_TYPES, "w");
	need(f && fwrite(types, 1, n, f) == n && !fclose(f), "cannot write " OTHER_TYPES);
}

static void given_types(struct traced *t)
{
	need(!system("cp " OWN_TYPES " " TYPES), "cannot copy " OWN_TYPES);
	refused("btf-missing", "a file of types that is not there is refused",
		"--btf /tmp/bpf.none", "cannot read /tmp/bpf.none: No such file");
	refused("btf-unreadable", "so is one that cannot be read", "--btf /proc/self/mem",
		"cannot read /proc/self/mem: Input/output error");
	refused("btf-none", "one without types", "--btf /bin/busybox",
		"/bin/busybox holds no BTF");
	write_other();
	refused("btf-other", "and one of a kernel whose struct page is another",
		"--btf " OTHER_TYPES, "is of another kernel than this one");

	need(!mount("/dev/null", OWN_TYPES, NULL, MS_BIND, NULL), "cannot hide " OWN_TYPES);
	refused("btf-hidden", "a kernel that hides its types is told what would help", "",
		"this kernel's BTF is not to be had");
	trace_load("--btf " TYPES, t);
	umount(OWN_TYPES);
	check(t->seen.records == t->calls && t->seen.copies > PAGES && t->seen.reuses >= PAGES &&
	      !t->seen.others && t->seen.zero == 64 && !t->seen.gaps && nothing_lost(t), "btf",
	      "with a file of these it sees by kprobes what it sees by trampolines",
	      "%lld records of %lld calls: %lld copies, %lld reuses, %lld others; %.600s",
	      t->seen.records, t->calls, t->seen.copies, t->seen.reuses, t->seen.others,
	      t->summary);
	remove(TYPES);
	remove(OTHER_TYPES);
}

void run_bpf(void)
{
	static struct traced t;
	const struct seen *s = &t.seen;

	if (!kernel_has_types()) {
		skip("types", "this kernel has no BTF");
		return;
	}
	trace_load("", &t);
	check(!module_loaded(), "alone", "the module is not loaded for it", "it is");
	check(!system("cowtrace doctor | grep -q '^ok *BPF backend *built with libbpf v1'"),
	      "doctor", "cowtrace doctor tells that it is there", "it does not");
	check(s->records == t.calls, "calls",
	      "the load has as many records as perf counts calls of do_wp_page", "%lld, %lld",
	      s->records, t.calls);
	if (t.attempts < 0)
		skip("copies", "this kernel has no function that each copy calls");
	else
		check(s->copies == t.attempts && s->copies > PAGES, "copies",
		      "and as many copies as delay accounting, or wp_page_copy, has calls",
		      "%lld, %lld", s->copies, t.attempts);
	check(s->reuses >= PAGES && !s->others, "reuses", "all others are reuses",
	      "%lld reuses, %lld of other outcomes", s->reuses, s->others);
	check(s->zero == 64, "zero", "64 of the copies are of the zero page", "%lld", s->zero);
	check(!s->gaps, "sequence", "the records of each CPU are numbered without a gap",
	      "%lld gaps", s->gaps);
	check(nothing_lost(&t), "lost", "nothing is lost or missed", "%.400s",
	      strstr(t.summary, "\"lost\""));
	given_types(&t);
}
