// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"

const char *backend = "auto";
const char *suite_name = "";
unsigned int *failed_claims;

static void count_failed(void)
{
	if (failed_claims)
		__atomic_fetch_add(failed_claims, 1, __ATOMIC_RELAXED);
}

bool check(bool good, const char *name, const char *claim, const char *fmt, ...)
{
	va_list args;

	printf("%s %s/%s - %s", good ? "ok" : "not ok", suite_name, name, claim);
	if (!good) {
		count_failed();
		printf(" (");
		va_start(args, fmt);
		vprintf(fmt, args);
		va_end(args);
		printf(")");
	}
	printf("\n");
	fflush(stdout);
	return good;
}

void skip(const char *name, const char *why)
{
	printf("skip %s/%s - %s\n", suite_name, name, why);
	fflush(stdout);
}

void note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void unmet(const char *fmt, ...)
{
	va_list args;

	count_failed();
	printf("not ok %s/setup - the test can be set up (", suite_name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(")\n");
	fflush(stdout);
	/* From a child as well: the suite's own process leads the group. */
	if (getpid() != getpgrp())
		kill(getpgrp(), SIGTERM);
	_exit(1);
}

ssize_t file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) != 0) {
		if (got < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		n += got;
	}
	buf[n] = '\0';
	close(fd);
	return n;
}

static int write_as(const char *path, int flags, const char *text)
{
	size_t size = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	int err = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, size);
	if (n < 0)
		err = -errno;
	else if ((size_t)n != size)
		err = -EIO;
	close(fd);
	return err;
}

int file_append(const char *path, const char *text)
{
	return write_as(path, O_APPEND, text);
}

int file_write(const char *path, const char *text)
{
	return write_as(path, 0, text);
}

static const char *cow_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), COW_DIR "/%s", name);
	return path;
}

ssize_t cow_read(const char *name, char *buf, size_t size)
{
	return file_read(cow_path(name), buf, size);
}

int cow_write(const char *name, const char *text)
{
	return file_write(cow_path(name), text);
}

int cow_open(const char *name, int flags)
{
	int fd = open(cow_path(name), flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Static, so that reading a file faults nothing anew. */
static char text[1 << 20];

long long value_in(const char *path, const char *name)
{
	size_t len = strlen(name);
	char *line, *rest = text;

	if (file_read(path, text, sizeof(text)) < 0)
		return -1;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoll(line + len + 1, NULL, 10);
	return -1;
}

bool file_has(const char *path, const char *what)
{
	return file_read(path, text, sizeof(text)) >= 0 && strstr(text, what);
}

bool ext4_on_mnt(void)
{
	struct statfs f;

	return !statfs("/mnt", &f) && f.f_type == EXT4_SUPER_MAGIC;
}

bool disk_of(const char *where, char *device, size_t size)
{
	char word[128], *line, *end;

	snprintf(word, sizeof(word), " %s ", where);
	if (!file_has("/proc/mounts", word))
		return false;
	end = strstr(text, word);
	for (line = end; line > text && line[-1] != '\n'; line--)
		;
	snprintf(device, size, "%.*s", (int)(end - line), line);
	return true;
}

int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	need(fd >= 0, "/dev/kmsg: %s", strerror(errno));
	lseek(fd, 0, SEEK_END);
	return fd;
}

const char *log_read(int fd)
{
	static char lines[1 << 16];
	char record[8192], *message;
	size_t n = 0;
	ssize_t got;

	lines[0] = '\0';
	while ((got = read(fd, record, sizeof(record) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		if (got < 0)
			continue;
		record[got] = '\0';
		message = strchr(record, ';');
		if (message && n + got < sizeof(lines))
			n += sprintf(lines + n, "%s", message + 1);
	}
	return lines;
}

int module_load(const char *variant, const char *parameters)
{
	struct utsname u;
	char path[256];
	int fd, err;

	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/cowtrace%s.ko", u.release, variant);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0, "%s: %s", path, strerror(errno));
	err = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return err;
}

int module_unload_as(const char *name, int flags)
{
	return syscall(SYS_delete_module, name, flags) ? -errno : 0;
}

int module_unload(int flags)
{
	return module_unload_as("cowtrace", flags);
}

bool module_loaded_as(const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "%s ", name);
	return file_has("/proc/modules", word);
}

bool module_loaded(void)
{
	return module_loaded_as("cowtrace");
}

void module_start(unsigned int kb)
{
	char parameters[64];
	int err;

	snprintf(parameters, sizeof(parameters), "backend=%s buffer_kb=%u", backend, kb);
	err = module_load("", parameters);
	need(!err, "loading the module: %s", strerror(-err));
}

unsigned int kernel_traits(void)
{
	const char *line;

	need(cow_read("schema", text, sizeof(text)) > 0, "no schema");
	line = strstr(text, "\ntraits ");
	need(line, "no traits in the schema");
	return strtoul(line + 8, NULL, 0);
}

bool kernel_unwinds(void)
{
	struct utsname u;

	uname(&u);
	return atoi(u.release) >= 6;
}

void enable(void)
{
	int err = cow_write("enabled", "1");

	need(!err, "writing 1 to enabled: %s", strerror(-err));
}

void disable(void)
{
	int err = cow_write("enabled", "0");

	need(!err, "writing 0 to enabled: %s", strerror(-err));
}

#define NAMED(member)	{ #member, offsetof(struct counters, member) }

static const struct {
	const char	*name;
	size_t		offset;
} counter_names[] = {
	NAMED(entries), NAMED(proofs), NAMED(filtered_entry), NAMED(sampled_out), NAMED(nested),
	NAMED(handed_on), NAMED(exits), NAMED(recorded), NAMED(filtered_exit),
	NAMED(dropped_full), NAMED(pmd_entries), NAMED(hugetlb_entries), NAMED(unread),
};

static void set_counter(struct counters *c, const char *name, unsigned long long value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counter_names); i++)
		if (!strcmp(name, counter_names[i].name))
			*(unsigned long long *)((char *)c + counter_names[i].offset) = value;
}

#define COUNT_NAME(id, v, n, s)	[v] = n,
static const char * const outcome_names[] = { COWTRACE_OUTCOMES(COUNT_NAME) };
static const char * const reason_names[] = { COWTRACE_REASONS(COUNT_NAME) };
static const char * const kind_names[] = { COWTRACE_KINDS(COUNT_NAME) };
static const char * const origin_names[] = { COWTRACE_ORIGINS(COUNT_NAME) };
static const char * const path_names[] = { COWTRACE_PATHS(COUNT_NAME) };

static unsigned int index_of(const char * const *names, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return i;
	unmet("stats has the unknown word '%s'", name);
}

static void parse_cpu(struct stats *s, char *line)
{
	char *save, *word = strtok_r(line, " ", &save);
	unsigned int cpu;
	char *name;

	word = strtok_r(NULL, " ", &save);
	cpu = atoi(word);
	need(cpu < MAX_CPUS, "stats has a line for CPU %u", cpu);
	if (cpu >= s->cpus)
		s->cpus = cpu + 1;
	while ((name = strtok_r(NULL, " ", &save)) && (word = strtok_r(NULL, " ", &save)))
		set_counter(&s->cpu[cpu], name, strtoull(word, NULL, 10));
}

void stats_read(struct stats *s)
{
	char *line, *save, name[64], outcome[32], reason[32];
	ssize_t n = cow_read("stats", text, sizeof(text));
	unsigned long long value;

	need(n > 0, "reading stats: %s", strerror(-n));
	memset(s, 0, sizeof(*s));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "cpu ", 4)) {
			parse_cpu(s, line);
		} else if (sscanf(line, "fault %31s %31s %llu", outcome, reason, &value) == 3) {
			s->faults[index_of(outcome_names, COWTRACE_NR_OUTCOMES, outcome)]
				 [index_of(reason_names, COWTRACE_NR_REASONS, reason)] = value;
			s->tally += value;
		} else if (sscanf(line, "%63s %llu", name, &value) == 2) {
			set_counter(&s->sum, name, value);
			if (!strcmp(name, "skipped_exits"))
				s->skipped_exits = value;
			else if (!strcmp(name, "asleep"))
				s->asleep = value;
			else if (!strcmp(name, "events_dropped"))
				s->events_dropped = value;
		}
	}
}

void faults_seen(unsigned long long faults)
{
	struct stats s;

	for (stats_read(&s); s.sum.entries < faults; stats_read(&s))
		sleep_ms(5);
}

static const char *counters_broken(const struct counters *c, const char *where)
{
	static char what[256];

	if (c->entries !=
	    c->filtered_entry + c->sampled_out + c->nested + c->unread + c->handed_on)
		snprintf(what, sizeof(what),
			 "%s: entries %llu, but filtered_entry %llu + sampled_out %llu + nested %llu + unread %llu + handed_on %llu",
			 where, c->entries, c->filtered_entry, c->sampled_out, c->nested,
			 c->unread, c->handed_on);
	else if (c->exits != c->recorded + c->filtered_exit + c->dropped_full)
		snprintf(what, sizeof(what),
			 "%s: exits %llu, but recorded %llu + filtered_exit %llu + dropped_full %llu",
			 where, c->exits, c->recorded, c->filtered_exit, c->dropped_full);
	else
		return NULL;
	return what;
}

const char *stats_broken(const struct stats *s)
{
	static char what[256];
	struct counters sum = { 0 };
	const char *broken = counters_broken(&s->sum, "sum");
	unsigned int cpu;
	size_t i;

	for (cpu = 0; cpu < s->cpus && !broken; cpu++) {
		char where[16];

		snprintf(where, sizeof(where), "cpu %u", cpu);
		broken = counters_broken(&s->cpu[cpu], where);
		for (i = 0; i < sizeof(sum) / sizeof(long long); i++)
			((unsigned long long *)&sum)[i] +=
				((const unsigned long long *)&s->cpu[cpu])[i];
	}
	if (broken)
		return broken;
	for (i = 0; i < ARRAY_SIZE(counter_names); i++) {
		unsigned long long cpus, all;

		cpus = *(unsigned long long *)((char *)&sum + counter_names[i].offset);
		all = *(const unsigned long long *)((const char *)&s->sum + counter_names[i].offset);
		if (cpus == all)
			continue;
		snprintf(what, sizeof(what), "%s: the CPUs have %llu, the sum %llu",
			 counter_names[i].name, cpus, all);
		return what;
	}
	if (s->sum.handed_on != s->sum.exits + s->skipped_exits + s->asleep)
		snprintf(what, sizeof(what),
			 "handed_on %llu, but exits %llu + skipped_exits %llu + asleep %llu",
			 s->sum.handed_on, s->sum.exits, s->skipped_exits, s->asleep);
	else if (s->tally != s->sum.recorded + s->sum.dropped_full)
		snprintf(what, sizeof(what),
			 "the lines fault add up to %llu, but recorded %llu + dropped_full %llu",
			 s->tally, s->sum.recorded, s->sum.dropped_full);
	else
		return NULL;
	return what;
}

unsigned long long missed(void)
{
	return value_in(COW_DIR "/lost", "missed_no_instance") +
	       value_in(COW_DIR "/lost", "missed_recursion");
}

const char *outcome_name(unsigned int outcome)
{
	return outcome < COWTRACE_NR_OUTCOMES ? outcome_names[outcome] : "?";
}

const char *reason_name(unsigned int reason)
{
	return reason < COWTRACE_NR_REASONS ? reason_names[reason] : "?";
}

unsigned int cpus_online(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

int records_open(unsigned int cpu)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "cpu%u", cpu);
	fd = cow_open(name, O_RDONLY | O_NONBLOCK);
	need(fd >= 0, "opening %s: %s", name, strerror(-fd));
	return fd;
}

size_t records_take(int fd, unsigned int cpu,
		    void (*fn)(const struct cowtrace_record *r, void *arg), void *arg)
{
	static struct cowtrace_record buf[1024];
	size_t i, n = 0;
	ssize_t got;

	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		need(!(got % sizeof(*buf)), "cpu%u gave %zd bytes", cpu, got);
		for (i = 0; i < got / sizeof(*buf); i++) {
			need(buf[i].magic == COWTRACE_RECORD_MAGIC && buf[i].cpu == cpu &&
			     buf[i].type == COWTRACE_TYPE_FAULT,
			     "cpu%u gave something that is no record of it", cpu);
			fn(&buf[i], arg);
		}
		n += i;
	}
	need(!got || errno == EAGAIN, "reading cpu%u: %s", cpu, strerror(errno));
	return n;
}

void *with_room(void *at, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return at;
	*room = *room ? 2 * *room : 1024;
	at = realloc(at, *room * size);
	need(at, "no memory for %zu times %zu bytes", *room, size);
	return at;
}

static void append(const struct cowtrace_record *r, void *arg)
{
	struct trace *t = arg;

	t->r = with_room(t->r, t->n, &t->room, sizeof(*r));
	t->r[t->n++] = *r;
}

void trace_read(struct trace *t)
{
	unsigned int cpu;
	int fd;

	memset(t, 0, sizeof(*t));
	t->cpus = cpus_online();
	for (cpu = 0; cpu < t->cpus; cpu++) {
		t->cpu[cpu] = t->n;
		fd = records_open(cpu);
		records_take(fd, cpu, append, t);
		close(fd);
	}
	t->cpu[cpu] = t->n;
}

void trace_free(struct trace *t)
{
	free(t->r);
	memset(t, 0, sizeof(*t));
}

static bool is_of(const struct cowtrace_record *r, uint32_t tgid, const void *page)
{
	return r->tgid == tgid && (r->address & ~(PAGE - 1)) == ((uintptr_t)page & ~(PAGE - 1));
}

size_t records_of(const struct trace *t, uint32_t tgid, const void *page)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += is_of(&t->r[i], tgid, page);
	return n;
}

const struct cowtrace_record *record_of(const struct trace *t, uint32_t tgid, const void *page)
{
	size_t i;

	if (records_of(t, tgid, page) != 1)
		return NULL;
	for (i = 0; !is_of(&t->r[i], tgid, page); i++)
		;
	return &t->r[i];
}

const char *record_text(const struct cowtrace_record *r)
{
	static char line[512];

	if (!r)
		return "not exactly one record of that page";
	snprintf(line, sizeof(line),
		 "%s %s path %s kind %s origin %s order %u refcount %d mapcount %d of the folio %d state %#x evidence %#x present %#x ret %#x flags %#x pid %u tgid %u comm %.16s uid %u address %#llx ip %#llx pfn %#llx new_pfn %#llx",
		 outcome_names[r->outcome], reason_names[r->reason], path_names[r->path],
		 kind_names[r->kind], origin_names[r->origin], r->order, r->refcount, r->mapcount,
		 r->folio_mapcount, r->state, r->evidence, r->present, r->ret, r->fault_flags,
		 r->pid, r->tgid, r->comm, r->uid, (unsigned long long)r->address,
		 (unsigned long long)r->ip, (unsigned long long)r->pfn,
		 (unsigned long long)r->new_pfn);
	return line;
}

char *map_pages(size_t pages)
{
	char *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	need(mem != MAP_FAILED, "mapping %zu pages: %s", pages, strerror(errno));
	madvise(mem, pages * PAGE, MADV_NOHUGEPAGE);
	return mem;
}

void *map_shared(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(mem != MAP_FAILED, "mapping %zu bytes: %s", size, strerror(errno));
	return mem;
}

void touch(char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		poke(mem + i * PAGE, 1);
}

/* The one instruction of the program that writes to measured pages. */
asm(".text\n"
    ".globl poke\n"
    ".type poke, @function\n"
    "poke:\n"
    "	movb %sil, (%rdi)\n"
    "	ret\n"
    ".size poke, . - poke\n");

static uint64_t word_at(const char *path, uint64_t nr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	need(fd >= 0, "%s: %s", path, strerror(errno));
	need(pread(fd, &value, sizeof(value), nr * sizeof(value)) == sizeof(value),
	     "reading %s: %s", path, strerror(errno));
	close(fd);
	return value;
}

uint64_t pagemap(const void *at)
{
	return word_at("/proc/self/pagemap", (uintptr_t)at / PAGE);
}

uint64_t pfn_of(const void *at)
{
	uint64_t entry = pagemap(at);

	return entry >> 63 ? entry & ((1ull << 55) - 1) : 0;
}

uint64_t kpage(const char *file, uint64_t pfn)
{
	return word_at(file, pfn);
}

bool page_flag(const void *at, int bit)
{
	return kpage("/proc/kpageflags", pfn_of(at)) >> bit & 1;
}

bool in_swap(const void *at)
{
	return pagemap(at) >> 62 & 1;
}

void lru_drain(void)
{
	int nodes = 0;

	/* Before it moves any page, here none, move_pages() drains all CPUs. */
	need(!syscall(SYS_move_pages, 0, 0, NULL, &nodes, NULL, 0), "move_pages: %s",
	     strerror(errno));
}

void pin_pages(char *mem, size_t pages, char *to)
{
	struct iovec here = { to, pages * PAGE }, there = { mem, pages * PAGE };

	need(process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)here.iov_len,
	     "process_vm_readv: %s", strerror(errno));
}

#define KSM	"/sys/kernel/mm/ksm/"
/*
 * The first scan takes checksums, the second merges; a page that is locked or
 * has a reference more has to wait for another, and smart_scan passes up to
 * eight scans over a page that was not merged before.
 */
#define SCANS	100

/* How many pages, from the first on, are the same page. */
static size_t same_frame(const char *mem, size_t pages)
{
	uint64_t first = pfn_of(mem);
	size_t n;

	/* KPF_KSM of /proc/kpageflags will not do: 6.12 sets it on every anonymous page. */
	for (n = 0; n < pages && first && pfn_of(mem + n * PAGE) == first; n++)
		;
	return n;
}

static long long ksm_scans(void)
{
	char value[32] = "";

	need(file_read(KSM "full_scans", value, sizeof(value)) > 0, "no " KSM "full_scans");
	return strtoll(value, NULL, 10);
}

bool ksm_merge(char *mem, size_t pages)
{
	long long scans, first;
	size_t merged;

	if (access(KSM "run", F_OK))
		return false;
	need(!madvise(mem, pages * PAGE, MADV_MERGEABLE), "MADV_MERGEABLE: %s", strerror(errno));
	need(!file_write(KSM "sleep_millisecs", "1") && !file_write(KSM "run", "1"),
	     "KSM cannot be started");
	first = ksm_scans();
	do {
		sleep_ms(1);
		/* Before the pages: what these scans have done can be seen below. */
		scans = ksm_scans() - first;
		merged = same_frame(mem, pages);
	} while (merged < pages && scans < SCANS);
	/* Comes back when ksmd is at rest. */
	need(!file_write(KSM "run", "0"), "KSM cannot be stopped");
	need(merged == pages, "KSM did not merge: %zu of %zu pages are one after %lld scans",
	     merged, pages, scans);
	return true;
}

int asked(const char *name, int otherwise)
{
	const char *value = getenv(name);

	return value ? atoi(value) : otherwise;
}

uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

int slowness(void)
{
	const char *text = getenv("SLOW");

	return text ? atoi(text) : 1;
}

void on_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % cpus_online(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

pid_t child(void (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	need(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		fn(arg);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

void child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	child_wait(pid);
}

void child_sleeps(pid_t pid)
{
	char path[64], line[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (;;) {
		need(file_read(path, line, sizeof(line)) > 0, "no %s", path);
		/* Behind the name, which may hold anything. */
		state = strrchr(line, ')');
		if (state && strchr("SZ", state[2]))
			return;
		sleep_ms(1);
	}
}

struct held_child child_held(void (*fn)(void *), void *arg)
{
	struct held_child c;
	int fds[2];
	char byte;

	need(!pipe2(fds, O_CLOEXEC), "pipe: %s", strerror(errno));
	fflush(stdout);
	c.pid = fork();
	need(c.pid >= 0, "fork: %s", strerror(errno));
	if (!c.pid) {
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			_exit(1);
		close(fds[0]);
		fn(arg);
		fflush(stdout);
		_exit(0);
	}
	close(fds[0]);
	c.go = fds[1];
	return c;
}

void child_go(struct held_child *c)
{
	need(write(c->go, "", 1) == 1, "the child is gone");
	close(c->go);
}

void turn_init(struct turn *t)
{
	need(!pipe2(t->fds, O_CLOEXEC), "pipe: %s", strerror(errno));
}

void turn_give(struct turn *t)
{
	if (write(t->fds[1], "", 1) != 1)
		_exit(1);
}

void turn_wait(struct turn *t)
{
	char byte;

	if (read(t->fds[0], &byte, 1) != 1)
		_exit(1);
}

static void sleeper(void *turn)
{
	turn_wait(turn);
}

struct partner partner_start(void)
{
	struct partner p;

	turn_init(&p.end);
	p.pid = child(sleeper, &p.end);
	/* What it does before that is not to be counted. */
	child_sleeps(p.pid);
	return p;
}

void partner_end(struct partner *p)
{
	turn_give(&p->end);
	need(!child_wait(p->pid), "a child that slept has failed");
}

static void nothing(void *unused)
{
	(void)unused;
}

void fork_and_forget(void)
{
	need(!child_wait(child(nothing, NULL)), "a child that does nothing has failed");
}

struct memory {
	char	*mem;
	size_t	pages;
};

static void write_all(void *arg)
{
	struct memory *m = arg;

	touch(m->mem, m->pages);
}

void fork_write(char *mem, size_t pages)
{
	struct memory m = { mem, pages };

	if (child_wait(child(write_all, &m)))
		_exit(1);
	touch(mem, pages);
}
