// SPDX-License-Identifier: GPL-2.0
/* What is told of the kernel's addresses and of what is in pages. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"
#include "security.h"

#define TRACING	"/sys/kernel/tracing"
#define EVENT	TRACING "/events/cowtrace/wp_fault"
#define KSM	"/sys/kernel/mm/ksm/"
#define KHUGEPAGED "/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define GROUPS	"groups/"
#define SCANS	GROUPS "khugepaged/stats"
#define HUGE	(2ul << 20)
#define PAGES	64
#define LOAD	" -- /usr/libexec/cowtrace/cowtest load security"
/* Put together where it is used, so that no program has it but in these pages. */
#define SECRET	"cowtest: nobody"
#define LENGTH	16

static char bytes[8 << 20];

/* --- the load ---------------------------------------------------------------------- */

static void make_secret(char *to)
{
	size_t i;

	snprintf(to, LENGTH, SECRET);
	for (i = 0; i < LENGTH; i++)
		to[i] ^= 0x5a;
}

/* On its stack, too, when it faults. */
static __attribute__((noinline)) void write_secrets(void *arg)
{
	char room[512], *mem = arg;
	size_t i;

	for (i = 0; i < sizeof(room); i += LENGTH)
		make_secret(room + i);
	__asm__ volatile("" : : "r"(room) : "memory");
	for (i = 0; i < PAGES; i++)
		mem[i * PAGE] = room[0];
	__asm__ volatile("" : : "r"(room) : "memory");
}

static void fill(char *mem, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += LENGTH)
		make_secret(mem + i);
}

void security_load(void)
{
	char *mem = map_pages(PAGES);

	fill(mem, PAGES * PAGE);
	need(!child_wait(child(write_secrets, mem)), "the writer failed");
	write_secrets(mem);
}

/* Pages of KSM's, and what is below a range that khugepaged looks at. */
static void groups_load(void)
{
	long long before = value_in(COW_DIR "/" SCANS, "tracepoint");
	uint64_t end = now_ns() + slowness() * 60000000000ull;
	char *merged = map_pages(4), *mem, ms[16] = "";

	fill(merged, 4 * PAGE);
	/* It makes ksmd pass over pages for some scans. */
	file_write(KSM "smart_scan", "0");
	need(ksm_merge(merged, 4), "no KSM");
	poke(merged, '\0');
	munmap(merged, 4 * PAGE);
	mem = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	/* Before it is asked for, pages are small. */
	need(!madvise(mem, 2 * HUGE, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE: %s", strerror(errno));
	fill(mem, 2 * HUGE);
	need(file_read(KHUGEPAGED "scan_sleep_millisecs", ms, sizeof(ms)) > 0 &&
	     !file_write(KHUGEPAGED "scan_sleep_millisecs", "10") &&
	     !madvise(mem, 2 * HUGE, MADV_HUGEPAGE), "no khugepaged");
	while (value_in(COW_DIR "/" SCANS, "tracepoint") == before && now_ns() < end)
		sleep_ms(5);
	file_write(KHUGEPAGED "scan_sleep_millisecs", ms);
	munmap(mem, 2 * HUGE);
}

/* --- looking ------------------------------------------------------------------------ */

/*
 * Behind what is there, from where a number of 8 bytes may begin: between two that stand
 * elsewhere, the low bytes of a time may look like the high ones of an address.
 */
static size_t load_fd(int fd, const char *path, size_t at)
{
	ssize_t got;

	while (at % sizeof(uint64_t))
		bytes[at++] = '\0';
	while (at + PAGE < sizeof(bytes) &&
	       (got = read(fd, bytes + at, (sizeof(bytes) - at) & ~(PAGE - 1))) > 0)
		at += got;
	need(at + PAGE < sizeof(bytes), "%s is too long", path);
	close(fd);
	return at;
}

static size_t load_file(const char *path, size_t at)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	need(fd >= 0, "%s: %s", path, strerror(errno));
	return load_fd(fd, path, at);
}

/* The first MiB, of what may be longer than there is room for. */
static size_t head_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	need(fd >= 0, "%s: %s", path, strerror(errno));
	while (n < 1 << 20 && (got = read(fd, bytes + n, (1 << 20) - n)) > 0)
		n += got;
	close(fd);
	return n;
}

static bool is_kernel(unsigned long long value)
{
	/* Negative numbers are no addresses. */
	return value >= 0xffff800000000000ull && value < 0xffffffffff000000ull;
}

/* An address of the kernel's half, as text or as a number of 8 bytes. Return: 0 for none. */
static unsigned long long address_in(size_t n)
{
	unsigned long long value;
	size_t i, k;

	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&value, bytes + i, sizeof(value));
		if (is_kernel(value))
			return value;
	}
	for (i = 0; i + 16 <= n; i++) {
		char digits[17];

		memcpy(digits, bytes + i, 16);
		digits[16] = '\0';
		for (k = 0; k < 16 && isxdigit((unsigned char)digits[k]); k++)
			;
		value = k == 16 ? strtoull(digits, NULL, 16) : 0;
		if (is_kernel(value))
			return value;
	}
	return 0;
}

static bool has_secret(size_t n)
{
	char secret[LENGTH];

	make_secret(secret);
	return memmem(bytes, n, secret, LENGTH);
}

/* Its texts of events hold what comes while they are open. */
static bool is_events(const struct cow_file *f)
{
	return !strcmp(basename(f->path), "events");
}

static int texts[COW_FILES];

static void open_texts(void)
{
	size_t i;

	for (i = 0; i < nr_cow_files; i++) {
		if (!is_events(&cow_files[i]))
			continue;
		texts[i] = open(cow_files[i].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		need(texts[i] >= 0, "%s: %s", cow_files[i].path, strerror(errno));
	}
}

/* Closes them. @silent: one that told nothing, none if all did. */
static size_t load_texts(size_t at, char *silent, size_t size)
{
	size_t i, end;

	for (i = 0; i < nr_cow_files; i++) {
		if (!is_events(&cow_files[i]))
			continue;
		end = load_fd(texts[i], cow_files[i].path, at);
		if (end - at < LENGTH)
			snprintf(silent, size, "%s", cow_files[i].name);
		at = end;
	}
	return at;
}

/* All that the module tells of a load, in all ways that it has; its words in the log too. */
static size_t all_told(int log, char *silent, size_t size)
{
	size_t i, n;

	*silent = '\0';
	n = load_texts(0, silent, size);
	for (i = 0; i < nr_cow_files; i++)
		if (!cow_file_set(&cow_files[i]) && !is_events(&cow_files[i]))
			n = load_file(cow_files[i].path, n);
	n = load_file(TRACING "/trace", n);
	n = load_file(EVENT "/format", n);
	n += snprintf(bytes + n, sizeof(bytes) - n, "%s", log_read(log));
	return n;
}

/* --- claims --------------------------------------------------------------------------- */

/* With complaints, which name what they are about. */
static void trace_load(void)
{
	static const char * const groups[] = {
		GROUPS "ksm/enabled", GROUPS "files/enabled", GROUPS "khugepaged/enabled",
	};
	size_t i;

	file_write(TRACING "/trace", "");
	cow_write("reset", "1");
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		need(!cow_write(groups[i], "1"), "%s cannot be set", groups[i]);
	open_texts();
	enable();
	need(!file_write(EVENT "/enable", "1"), "the event cannot be enabled");
	security_load();
	groups_load();
	file_write(EVENT "/enable", "0");
	disable();
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		cow_write(groups[i], "0");
	cow_write("enabled", "perhaps");
}

static void addresses(void)
{
	char level[8], silent[64], found[160] = "";
	size_t n;
	int i;

	need(!file_write("/proc/sys/kernel/kptr_restrict", "0"), "no kptr_restrict");
	n = head_of("/proc/kallsyms");
	check(n && address_in(n), "kallsyms", "addresses of the kernel are found where they are",
	      "none in /proc/kallsyms");
	for (i = 0; i < 3; i++) {
		int log = log_open();
		unsigned long long at;

		snprintf(level, sizeof(level), "%d", i);
		need(!file_write("/proc/sys/kernel/kptr_restrict", level), "kptr_restrict %s", level);
		trace_load();
		n = all_told(log, silent, sizeof(silent));
		close(log);
		at = address_in(n);
		if (at || n < 10000 || *silent)
			snprintf(found, sizeof(found), "kptr_restrict %d: %#llx in %zu bytes, silent: %s",
				 i, at, n, silent);
	}
	check(!*found, "addresses",
	      "no file, event or message tells an address of the kernel, whatever kptr_restrict says",
	      "%s", found);
}

static void contents(void)
{
	int log = log_open();
	char silent[64];
	size_t n;

	trace_load();
	n = all_told(log, silent, sizeof(silent));
	check(n > 10000 && !*silent && !has_secret(n), "contents",
	      "no file, event or message tells what is in a page", "it is in %zu bytes; silent: %s",
	      n, silent);
	close(log);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_mode & 07777;
}

static void traces(void)
{
	char text[1 << 14];
	size_t n;
	int status;

	umask(0);
	status = said("cowtrace record -q -o /tmp/plain.data" LOAD, text, sizeof(text));
	n = load_file("/tmp/plain.data", 0);
	check(!status && mode_of("/tmp/plain.data") == 0600, "trace-mode",
	      "a trace is for who recorded it alone", "%d, mode %#o, %s", status,
	      mode_of("/tmp/plain.data"), text);
	check(n > 1000 && !has_secret(n), "trace-contents", "nor does it hold what is in pages",
	      "it is in %zu bytes", n);
	check(n > 1000 && !address_in(n), "trace-addresses", "nor addresses of the kernel", "%#llx",
	      address_in(n));
	status = said("cowtrace record -q --stacks -o /tmp/stack.data" LOAD, text, sizeof(text));
	if (status) {
		skip("stacks", "user stacks cannot be copied here");
		return;
	}
	n = load_file("/tmp/stack.data", 0);
	check(has_secret(n) && mode_of("/tmp/stack.data") == 0600, "stacks",
	      "with --stacks it holds what was on the stack, and is the recorder's alone",
	      "%zu bytes, mode %#o", n, mode_of("/tmp/stack.data"));
	umask(022);
}

/* A link of nobody's in a directory for all leads to a file of root's. */
static void planted_link(void)
{
	char text[1 << 14];
	int status;

	need(!file_write("/proc/sys/fs/protected_symlinks", "1"), "protected_symlinks");
	need(!said("mkdir -m 1777 /tmp/all && echo precious >/tmp/precious && "
		   "/usr/bin/setpriv --reuid 65534 --clear-groups ln -s /tmp/precious /tmp/all/page.html",
		   text, sizeof(text)), "%.300s", text);
	status = said("cowtrace report --html /tmp/all/page.html /tmp/plain.data", text,
		      sizeof(text));
	check(status && strstr(text, "Permission denied") && file_has("/tmp/precious", "precious\n"),
	      "planted-link", "a page is not written where a stranger's link leads", "%d, %.300s",
	      status, text);
}

void secrets(void)
{
	addresses();
	contents();
	traces();
	planted_link();
}
