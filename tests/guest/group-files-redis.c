// SPDX-License-Identifier: GPL-2.0
/*
 * redis with AOF and RDB on ext4: the pages that its writes reach, as the group files
 * counts them, against the offsets and lengths that strace has seen.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "group-files.h"
#include "lib.h"

#define PLACE	"/mnt/redis/"
#define LOG	"/tmp/redis.strace"

static const char session[] =
	"rm -rf " PLACE "; mkdir -p " PLACE "\n"
	"strace -f -y -s 0 -e trace=write,writev,pwrite64,pwritev -o " LOG " redis-server \\\n"
	"	--port 0 --unixsocket /tmp/reach.sock --save '' --dir " PLACE " \\\n"
	"	--appendonly yes --appendfsync always >/tmp/redis.out 2>&1 &\n"
	"server=$!\n"
	"redis() { redis-cli -s /tmp/reach.sock \"$@\"; }\n"
	"until redis ping 2>/dev/null | grep -q PONG; do\n"
	"	kill -0 $server || exit 99; sleep 0.2\n"
	"done\n"
	"values() {\n"
	"	i=0\n"
	"	while [ $i -lt 100 ]; do\n"
	"		echo \"SETRANGE value:$i $1 x\"; i=$((i + 1))\n"
	"	done\n"
	"}\n"
	"values 5000 | redis >/dev/null\n"
	"redis bgsave >/dev/null\n"
	"values 9000 | redis >/dev/null\n"
	"while redis info persistence | grep -q rdb_bgsave_in_progress:1; do sleep 0.2; done\n"
	"redis shutdown nosave\n"
	"wait $server\n";

/* A file that redis wrote, from its beginning to its end. */
struct written {
	char		path[128];
	uint64_t	at;
	long long	pages;
};

static struct written files[32];
static size_t nr;

static struct written *file_at(const char *path)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(files[i].path, path))
			return &files[i];
	need(nr < ARRAY_SIZE(files), "redis writes more files than expected");
	snprintf(files[nr].path, sizeof(files[nr].path), "%s", path);
	return &files[nr++];
}

/* "PID write(FD<PATH>, ""..., LENGTH) = LENGTH", or "LENGTH <unfinished ...>". */
static void take(const char *line)
{
	const char *path = strstr(line, "<" PLACE), *end = path ? strchr(path, '>') : NULL;
	const char *call = strstr(line, "write"), *length;
	struct written *f;
	char name[128];
	long long n;

	if (!end || !call || call > path)
		return;
	need(!strncmp(call, "write(", 6), "redis has written otherwise than by write(2): %s", line);
	length = strstr(end, "..., ");
	need(length && sscanf(length, "..., %lld", &n) == 1, "what is this: %s", line);
	snprintf(name, sizeof(name), "%.*s", (int)(end - path - 1), path + 1);
	f = file_at(name);
	f->pages += (f->at % PAGE + n + PAGE - 1) / PAGE;
	f->at += n;
}

static long long known(void)
{
	FILE *log = fopen(LOG, "re");
	static char line[4096];
	long long sum = 0;
	size_t i;

	need(log, LOG ": %s", strerror(errno));
	while (fgets(line, sizeof(line), log))
		take(line);
	fclose(log);
	for (i = 0; i < nr; i++)
		sum += files[i].pages;
	return sum;
}

void reach_redis(void)
{
	static struct reached table;
	long long pages, counted = 0;
	const char *wrong = NULL;
	bool aof = false, rdb = false;
	size_t i;

	setenv("SESSION", session, 1);
	need(!cow_write("groups/files/seconds", "600"), "seconds refuses 600");
	need(!cow_write("groups/files/enabled", "1"), "the group stays off");
	need(!system("sh -c \"$SESSION\""), "redis does not come to its end");
	need(!cow_write("groups/files/enabled", "0"), "the group stays on");
	reached_read(&table);
	pages = known();
	for (i = 0; i < nr; i++) {
		const char *name = strrchr(files[i].path, '/') + 1;
		long long n = reached_by_name(&table, name, "write");

		aof |= !!strstr(name, ".incr.aof");
		rdb |= !strncmp(name, "temp-", 5) && !!strstr(name, ".rdb");
		counted += n;
		note("redis: %s: %llu bytes, %lld pages written, %lld counted", name,
		     (unsigned long long)files[i].at, files[i].pages, n);
		if (n != files[i].pages)
			wrong = files[i].path;
	}
	check(aof && rdb && !wrong, "redis",
	      "pages that redis writes to AOF and RDB are those that strace tells, of each file",
	      "%lld counted, %lld written, not alike: %s", counted, pages,
	      wrong ?: aof ? "no RDB" : "no AOF");
}
