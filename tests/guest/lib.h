/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests inside a guest share: reporting, the module, its debugfs
 * files, its records, and the kernel's own view of pages.
 */
#ifndef COWTEST_LIB_H
#define COWTEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

#define PAGE		4096ul
#define COW_DIR		"/sys/kernel/debug/cowtrace"
#define MAX_CPUS	8
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* --- reporting --------------------------------------------------------- */

/* The backend that this run is about, and where the modules to load are. */
extern const char *backend;
extern const char *suite_name;
/* Claims that failed, in memory that all processes share; NULL where nobody asks. */
extern unsigned int *failed_claims;

/**
 * check() - report one claim
 * @good: whether it holds.
 * @name: short, without the suite's name.
 * @claim: what was claimed, one clause.
 * @fmt: what was found instead; printed only when @good is false.
 * Return: @good.
 */
bool check(bool good, const char *name, const char *claim, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void skip(const char *name, const char *why);
/* A line that is no claim: figures for the log. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What the suite cannot go on without: fails the suite. Only then are the words made. */
#define need(good, ...) ((good) ? (void)0 : unmet(__VA_ARGS__))
_Noreturn void unmet(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- files ------------------------------------------------------------- */

/* All of these return a length or 0, or a negative errno. */
ssize_t file_read(const char *path, char *buf, size_t size);
int file_write(const char *path, const char *text);
int file_append(const char *path, const char *text);
/* The same below COW_DIR. */
ssize_t cow_read(const char *name, char *buf, size_t size);
int cow_write(const char *name, const char *text);
int cow_open(const char *name, int flags);
/* The number behind "NAME " in a file of "name value" lines, -1 without one. */
long long value_in(const char *path, const char *name);
bool file_has(const char *path, const char *text);
/* Is a disk on /mnt, with a file system that write-protects clean pages? */
bool ext4_on_mnt(void);
/* The device that is mounted at @where; false when nothing is. */
bool disk_of(const char *where, char *device, size_t size);

/* --- the kernel log ---------------------------------------------------- */

/* From now on. */
int log_open(void);
/* What was logged since: all lines, each with its newline. */
const char *log_read(int fd);

/* --- the module -------------------------------------------------------- */

/* File name of a variant of the module: "", "-nosymbol", "-blacklisted". */
int module_load(const char *variant, const char *parameters);
/* @flags: O_NONBLOCK, as rmmod does. */
int module_unload(int flags);
bool module_loaded(void);
/* The same of another module, by the name the kernel has for it. */
int module_unload_as(const char *name, int flags);
bool module_loaded_as(const char *name);
/* Load with the backend of this run, a buffer of @kb a CPU; fails the suite. */
void module_start(unsigned int kb);
/* enabled: fails the suite when it is refused. */
void enable(void);
void disable(void);

/* COWTRACE_TRAIT_* of this kernel, as the schema has them. */
unsigned int kernel_traits(void);
/* Of what no trait says: does its unwinder know what a return probe of any kind replaced? */
bool kernel_unwinds(void);

/* --- statistics -------------------------------------------------------- */

struct counters {
	unsigned long long proofs, entries, filtered_entry, sampled_out, nested, handed_on;
	unsigned long long pmd_entries, hugetlb_entries, unread;
	unsigned long long exits, recorded, filtered_exit, dropped_full;
};

struct stats {
	struct counters		sum;
	struct counters		cpu[MAX_CPUS];
	unsigned int		cpus;
	unsigned long long	skipped_exits, asleep, events_dropped;
	unsigned long long	faults[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
	unsigned long long	tally;
};

void stats_read(struct stats *s);
/* Wait until @faults have been counted since the counters were zero. */
void faults_seen(unsigned long long faults);
/* Which accounting identity does not hold, NULL when all do. */
const char *stats_broken(const struct stats *s);
/* The sum of what the kernel did not show to the probes. */
unsigned long long missed(void);
const char *outcome_name(unsigned int outcome);
const char *reason_name(unsigned int reason);

/* --- records ----------------------------------------------------------- */

struct trace {
	struct cowtrace_record	*r;
	size_t			n, room;
	/* Where the records of each CPU begin; cpu[cpus] is the end. */
	size_t			cpu[MAX_CPUS + 1];
	unsigned int		cpus;
};

unsigned int cpus_online(void);
/* The file cpuN, not blocking; fails the suite. */
int records_open(unsigned int cpu);
/*
 * Hand what the file holds now to @fn, one by one; fails the suite on anything
 * that is no record of that CPU. Return: how many there were.
 */
size_t records_take(int fd, unsigned int cpu,
		    void (*fn)(const struct cowtrace_record *r, void *arg), void *arg);
/* All that the files cpuN hold now; fails the suite on anything that is no record. */
void trace_read(struct trace *t);
void trace_free(struct trace *t);
/* The only record of that page by that process; NULL when there is none or more. */
const struct cowtrace_record *record_of(const struct trace *t, uint32_t tgid, const void *page);
size_t records_of(const struct trace *t, uint32_t tgid, const void *page);
const char *record_text(const struct cowtrace_record *r);

/* The array @at of @n elements, with room for one more. */
void *with_room(void *at, size_t n, size_t *room, size_t size);

/* --- pages ------------------------------------------------------------- */

/* Private anonymous memory of small pages, untouched. */
char *map_pages(size_t pages);
/* Memory that children share, zeroed. */
void *map_shared(size_t size);
/* Write one byte of each page. */
void touch(char *mem, size_t pages);
/* One byte, by the one instruction at poke(). */
void poke(volatile char *at, char value);
uint64_t pagemap(const void *at);
uint64_t pfn_of(const void *at);
uint64_t kpage(const char *file, uint64_t pfn);
/* KPF_* of /proc/kpageflags. */
bool page_flag(const void *at, int bit);
bool in_swap(const void *at);
/* Take all pages off the LRU-add batches of all CPUs, where each has a reference more. */
void lru_drain(void);
/* Pin pages for reading, copy them to @to, and let go. */
void pin_pages(char *mem, size_t pages, char *to);
/**
 * ksm_merge() - have KSM make one page of @pages pages that are alike
 * Takes as long as ksmd takes; fails the suite when ksmd has scanned a hundred
 * times and they are still several.
 * Return: false in a kernel without KSM.
 */
bool ksm_merge(char *mem, size_t pages);

/* --- numbers and time -------------------------------------------------- */

/* What the environment says of @name, a number. */
int asked(const char *name, int otherwise);
/* The next of a row of random numbers that begins with any @state. */
uint64_t next_random(uint64_t *state);
uint64_t now_ns(void);
void sleep_ms(unsigned int ms);
/* How many times slower than Debian's kernels this one may be. */
int slowness(void);

/* --- processes --------------------------------------------------------- */

void on_cpu(unsigned int cpu);
/* Fork a child that runs @fn and exits; fails the suite when it cannot. */
pid_t child(void (*fn)(void *), void *arg);
/* 0 when it exited with 0, else its status. */
int child_wait(pid_t pid);
void child_kill(pid_t pid);
/* Wait until a child sleeps in the kernel, or has ended. */
void child_sleeps(pid_t pid);
/*
 * A child that waits: released by child_go(), so that its pid can be made a
 * filter before it does anything.
 */
struct held_child {
	pid_t	pid;
	int	go;
};
struct held_child child_held(void (*fn)(void *), void *arg);
void child_go(struct held_child *c);
/* Give a line from one process to another, both ways. */
struct turn {
	int fds[2];
};
void turn_init(struct turn *t);
void turn_give(struct turn *t);
void turn_wait(struct turn *t);

/* A child that maps what this process maps, and sleeps until partner_end(). */
struct partner {
	struct turn	end;
	pid_t		pid;
};

struct partner partner_start(void);
void partner_end(struct partner *p);
/*
 * Write-protect the process's pages without changing who owns them: fork, and
 * let the child go. No page is marked as its owner's alone after that.
 */
void fork_and_forget(void);

/* Fork, let the child write @pages shared pages, then write them alone. */
void fork_write(char *mem, size_t pages);

/* --- suites ------------------------------------------------------------ */

struct suite {
	const char	*name;
	void		(*run)(void);
	const char	*sentence;
};

/* What the suite pattern traces. */
void pattern(void *unused);

void run_pattern(void);
void run_accounting(void);
void run_reconcile(void);
void run_truth_anon(void);
void run_truth_file(void);
void run_truth_held(void);
void run_truth_holders(void);
void run_truth_outcome(void);
void run_truth_thp(void);
void run_truth_large(void);
void run_truth_hugetlb(void);
void run_truth_origin(void);
void run_events(void);
void run_input(void);
void run_start(void);
void run_tracepoint(void);
void run_asleep(void);
void run_redis(void);
void run_race(void);
void run_storm(void);
/* How much longer than another suite they may take. */
unsigned int race_seconds(void);
unsigned int storm_seconds(void);
unsigned int beside_seconds(void);
unsigned int unload_seconds(void);
void run_unload(void);
void run_beside_bpftrace(void);
void run_beside_graph(void);
void run_beside_kprobes(void);
void run_beside_fprobes(void);

#endif /* COWTEST_LIB_H */
