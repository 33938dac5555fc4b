// SPDX-License-Identifier: GPL-2.0
/* Which functions led to the faults: those of a known chain, and those of redis-server. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"

#define PLAIN	__attribute__((noinline, noclone, optimize("omit-frame-pointer", \
							     "no-optimize-sibling-calls")))
/* Pages that each chain writes. */
#define BY_ABC	300
#define BY_DC	100
#define EVERY	4
#define LOAD	"stacked"
#define RECORD	"cowtrace record -q --json -f comm=" LOAD " "
#define COMMAND	" -- /usr/libexec/cowtrace/cowtest load stacks"

/* --- a chain that is known ---------------------------------------------------------- */

PLAIN void stack_c(char *mem, size_t pages)
{
	char room[200];
	size_t i;

	__asm__ volatile("" : : "r"(room) : "memory");
	for (i = 0; i < pages; i++)
		mem[i * PAGE] = 2;
}

PLAIN void stack_b(char *mem)
{
	char room[500];

	__asm__ volatile("" : : "r"(room) : "memory");
	stack_c(mem, BY_ABC);
}

PLAIN void stack_a(char *mem)
{
	stack_b(mem);
	__asm__ volatile("" : : : "memory");
}

PLAIN void stack_d(char *mem)
{
	stack_c(mem, BY_DC);
	__asm__ volatile("" : : : "memory");
}

static void write_both(void *mem)
{
	on_cpu(0);
	prctl(PR_SET_NAME, LOAD);
	stack_a(mem);
	stack_d((char *)mem + BY_ABC * PAGE);
}

void stacks_load(void)
{
	char *mem = map_pages(BY_ABC + BY_DC);

	touch(mem, BY_ABC + BY_DC);
	lru_drain();
	need(!child_wait(child(write_both, mem)), "the writer failed");
}

/* --- what was folded ---------------------------------------------------------------- */

static char folded[1 << 20];

/* Weight of all lines that end with a chain; of all lines for "". */
static unsigned long long weight(const char *chain)
{
	unsigned long long sum = 0;
	char *line, *rest, *text = strdup(folded);

	for (rest = text; (line = strsep(&rest, "\n"));) {
		char *space = strrchr(line, ' ');

		if (!space)
			continue;
		*space = '\0';
		if (strlen(line) >= strlen(chain) &&
		    !strcmp(line + strlen(line) - strlen(chain), chain))
			sum += strtoull(space + 1, NULL, 10);
	}
	free(text);
	return sum;
}

static void known_chain(void)
{
	static char json[1 << 14];
	unsigned long long abc, dc, all, records, lost, missed;

	output_of(RECORD "--stacks -o /tmp/stacks.trace" COMMAND, json, sizeof(json));
	records = json_number(json, "records");
	lost = json_number(json, "stacks_lost");
	missed = json_number(json, "missed_recursion");
	output_of("cowtrace export --format folded -f outcome=copy /tmp/stacks.trace", folded,
		  sizeof(folded));
	abc = weight(";stack_a;stack_b;stack_c");
	dc = weight(";stack_d;stack_c");
	check(abc == BY_ABC && dc == BY_DC && weight(";stack_c") == BY_ABC + BY_DC, "chain",
	      "each copy has the chain of functions without frame pointers that led to it",
	      "%llu by a, b and c, %llu by d and c, %llu by c; lost %llu:\n%.2000s", abc, dc,
	      weight(";stack_c"), lost, folded);
	check(strstr(folded, LOAD ";_start;") && strstr(folded, ";main;"), "whole",
	      "from the first function on", "%.2000s", folded);
	check(!missed, "missed", "no fault counts as missed for a read beyond the end of a stack",
	      "%llu missed", missed);
	output_of("cowtrace export --format folded /tmp/stacks.trace", folded, sizeof(folded));
	all = weight("");
	check(all == records && !lost && !strstr(folded, "[no stack]"), "all",
	      "all faults together have as many stacks as there are records",
	      "%llu of %llu records, %llu lost", all, records, lost);
}

static void one_in_some(void)
{
	static char json[1 << 14];
	unsigned long long records, all, off = cpus_online();
	char text[256];

	snprintf(text, sizeof(text), RECORD "--stacks=1024 --stacks-every %d -o /tmp/stacks.trace"
		 COMMAND, EVERY);
	output_of(text, json, sizeof(json));
	records = json_number(json, "records");
	output_of("cowtrace export --format folded /tmp/stacks.trace", folded, sizeof(folded));
	all = weight("");
	check(all <= records / EVERY && all + off >= records / EVERY, "every",
	      "one fault in so many has a stack if that is asked for",
	      "%llu stacks of %llu records, 1 in %d", all, records, EVERY);
	remove("/tmp/stacks.trace");
}

/* --- redis-server ------------------------------------------------------------------- */

/* $1: the trace; prints nothing. Values of a page each, written under a BGSAVE. */
static const char session[] =
	"redis-server --port 0 --unixsocket /tmp/s.sock --save '' --dir /tmp \\\n"
	"	--enable-debug-command yes >/tmp/s.log 2>&1 &\n"
	"server=$!\n"
	"redis() { redis-cli -s /tmp/s.sock \"$@\"; }\n"
	"until redis ping >/dev/null 2>&1; do\n"
	"	kill -0 $server || exit 99; sleep 0.1\n"
	"done\n"
	"redis debug populate 4000 key 4000 >/dev/null\n"
	"cowtrace record -q --stacks=16384 -p $server -o /tmp/stacks.trace &\n"
	"recorder=$!\n"
	"until [ \"$(cat /sys/kernel/debug/cowtrace/enabled)\" = 1 ]; do\n"
	"	kill -0 $recorder || exit 98; sleep 0.1\n"
	"done\n"
	"redis config set rdb-key-save-delay 1000 >/dev/null\n"
	"redis bgsave >/dev/null\n"
	"i=0; while [ $i -lt 2000 ]; do\n"
	"	echo \"SETRANGE key:$i 0 x\"; echo \"LPUSH list $i\"; i=$((i + 1))\n"
	"done | redis >/dev/null\n"
	"while redis info persistence | grep -q rdb_bgsave_in_progress:1; do sleep 0.2; done\n"
	"kill -INT $recorder; wait $recorder || exit 97\n"
	"redis shutdown nosave; wait $server\n";

/* The names of functions that the file itself exports, as ";NAME;" each. */
static char *exports(const char *path)
{
	int fd = open(path, O_RDONLY);
	const Elf64_Shdr *sections;
	const Elf64_Ehdr *file;
	struct stat st;
	size_t size;
	char *names;
	FILE *f;

	need(fd >= 0 && !fstat(fd, &st), "no %s", path);
	file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	need(file != MAP_FAILED, "%s cannot be read", path);
	sections = (const void *)((const char *)file + file->e_shoff);
	f = open_memstream(&names, &size);
	putc(';', f);
	for (int i = 0; i < file->e_shnum; i++) {
		const Elf64_Sym *s = (const void *)((const char *)file + sections[i].sh_offset);
		const char *text = (const char *)file + sections[sections[i].sh_link].sh_offset;

		if (sections[i].sh_type != SHT_DYNSYM)
			continue;
		for (size_t k = 0; k < sections[i].sh_size / sizeof(*s); k++)
			if (s[k].st_shndx && ELF64_ST_TYPE(s[k].st_info) == STT_FUNC)
				fprintf(f, "%s;", text + s[k].st_name);
	}
	fclose(f);
	return names;
}

/* Does one of the functions of a line, which is cut, stand among @names? */
static bool has_one_of(char *line, const char *names)
{
	char *frame, key[512];

	while ((frame = strsep(&line, ";"))) {
		snprintf(key, sizeof(key), ";%s;", frame);
		if (strstr(names, key))
			return true;
	}
	return false;
}

/* Where callers are missing, a mark stands in their place. */
static bool is_cut(const char *line)
{
	static const char * const marks[] = {
		"[truncated]", "[unreadable]", "[no unwind info]", "[no file]", "[too deep]",
		"[32-bit]", "[no stack]",
	};
	size_t n = strcspn(line, ";");

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (n == strlen(marks[i]) && !strncmp(line, marks[i], n))
			return true;
	return false;
}

static void redis(void)
{
	unsigned long long whole = 0, named = 0, all = 0;
	char told[2048], *names, *line, *rest = folded;
	int status;

	setenv("SESSION", session, 1);
	status = system("sh -c \"$SESSION\"");
	need(!status, "the session with redis-server ended with %#x", status);
	output_of("cowtrace export --format folded /tmp/stacks.trace 2>/tmp/stacks.told", folded,
		  sizeof(folded));
	names = exports("/usr/bin/redis-server");
	while ((line = strsep(&rest, "\n"))) {
		char *space = strrchr(line, ' ');
		unsigned long long n;

		if (!space)
			continue;
		n = strtoull(space + 1, NULL, 10);
		*space = '\0';
		all += n;
		if (is_cut(strchr(line, ';') + 1))
			continue;
		whole += n;
		named += has_one_of(line, names) ? n : 0;
	}
	free(names);
	note("redis-server: %llu faults, %llu unwound, %llu of them with a symbol of its own", all,
	     whole, named);
	if (file_read("/tmp/stacks.told", told, sizeof(told)) > 0)
		for (rest = told; (line = strsep(&rest, "\n"));)
			note("%s", line);
	check(whole >= 1000 && 2 * whole > all && 100 * named >= 95 * whole, "redis",
	      "in 95 of 100 unwound stacks of redis-server a symbol of its own stands",
	      "%llu of %llu, of %llu faults", named, whole, all);
	remove("/tmp/stacks.trace");
}

void run_stacks(void)
{
	module_start(1024);
	known_chain();
	one_in_some();
	redis();
}
