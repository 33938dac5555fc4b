// SPDX-License-Identifier: GPL-2.0
/* A traced redis-server gives the replies and the exit status of an untraced one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

/* Values of two pages each, so that no page has a part of two of them. */
#define VALUES	"200"

/*
 * $1: name of this run; the rest: what to put before redis-server. Replies go to
 * /tmp/redis-$1. Only commands whose replies depend on nothing but the data,
 * before, during and after a snapshot, then a digest of all data. Beside them,
 * the server's pid, and whether the snapshot was not at its end when a byte in
 * the middle of each value had been written.
 */
static const char session[] =
	"name=$1; shift; socket=/tmp/redis-$name.sock\n"
	"\"$@\" redis-server --port 0 --unixsocket $socket --save '' --dir /tmp \\\n"
	"	--dbfilename $name.rdb --rdb-key-save-delay 10000 \\\n"
	"	--enable-debug-command yes >/tmp/redis-$name.log 2>&1 &\n"
	"server=$!\n"
	"redis() { redis-cli -s $socket \"$@\"; }\n"
	"until redis ping >/dev/null 2>&1; do\n"
	"	kill -0 $server || exit 99; sleep 0.1\n"
	"done\n"
	"redis info server | tr -d '\\r' | sed -n 's/^process_id://p' >/tmp/redis-$name.pid\n"
	"commands() {\n"
	"	i=0\n"
	"	while [ $i -lt 200 ]; do\n"
	"		echo \"SET key:$i $1-$i\"; echo \"APPEND key:$i tail\"\n"
	"		echo \"INCRBY counter $i\"; echo \"LPUSH list $i\"\n"
	"		echo \"GETRANGE key:$((i / 2)) 0 -1\"; i=$((i + 1))\n"
	"	done\n"
	"}\n"
	"values() {\n"
	"	i=0\n"
	"	while [ $i -lt " VALUES " ]; do\n"
	"		echo \"SETRANGE value:$i $1 x\"; i=$((i + 1))\n"
	"	done\n"
	"}\n"
	"{ commands before; values 8192; echo BGSAVE; values 4096; } | redis >/tmp/redis-$name\n"
	"redis info persistence | grep -o rdb_bgsave_in_progress:1 >/tmp/redis-$name.saving\n"
	"commands during | redis >>/tmp/redis-$name\n"
	"while redis info persistence | grep -q rdb_bgsave_in_progress:1; do\n"
	"	sleep 0.2\n"
	"done\n"
	"{ commands after; echo DEBUG DIGEST; } | redis >>/tmp/redis-$name\n"
	"redis shutdown nosave\n"
	"wait $server; echo \"exit status $?\" >>/tmp/redis-$name\n";

static void converse(const char *name, const char *before)
{
	char command[sizeof(session) + 256];
	int status;

	setenv("SESSION", session, 1);
	snprintf(command, sizeof(command), "sh -c \"$SESSION\" sh %s %s", name, before);
	status = system(command);
	need(!status, "redis-server %s ended with %#x", name, status);
}

/* What the traced server itself did. */
static void faults_of_server(unsigned long long *copies, unsigned long long *reuses)
{
	FILE *events = popen("cowtrace events /tmp/redis.trace", "r");
	char pid[16] = "", copy[64], reuse[64], line[2048];
	int status;

	need(file_read("/tmp/redis-traced.pid", pid, sizeof(pid)) > 1, "redis-server has no pid");
	snprintf(copy, sizeof(copy), " redis-server-%d copy mapped ", atoi(pid));
	snprintf(reuse, sizeof(reuse), " redis-server-%d reuse sole-ref ", atoi(pid));
	need(events, "no pipe");
	*copies = *reuses = 0;
	while (fgets(line, sizeof(line), events)) {
		*copies += !!strstr(line, copy);
		*reuses += !!strstr(line, reuse);
	}
	status = pclose(events);
	need(!status, "cowtrace events ended with %#x", status);
}

/* The child gives the pages of a value back when it has saved it: dismissObject(). */
static void snapshot_was_seen(void)
{
	unsigned long long copies, reuses;

	if (!file_has("/tmp/redis-traced.saving", "1")) {
		skip("traced", "the snapshot was at its end before the values were written");
		return;
	}
	faults_of_server(&copies, &reuses);
	note("redis-server: %llu copies of pages that the snapshot maps too, %llu reuses of others",
	     copies, reuses);
	check(copies && copies + reuses >= strtoull(VALUES, NULL, 10), "traced",
	      "and each page that it writes under the snapshot is seen: copied, or given back and reused",
	      "%llu and %llu of " VALUES, copies, reuses);
}

void run_redis(void)
{
	static char plain[1 << 18], traced[1 << 18];
	ssize_t n, m;

	module_start(1024);
	converse("plain", "env");
	converse("traced", "cowtrace run -o /tmp/redis.trace --output-report /tmp/redis.txt --");
	n = file_read("/tmp/redis-plain", plain, sizeof(plain));
	m = file_read("/tmp/redis-traced", traced, sizeof(traced));
	need(n > 0 && m > 0, "there are no replies");
	check(strstr(plain, "exit status 0"), "untraced", "redis-server alone ends with 0", "%s",
	      plain + (n > 100 ? n - 100 : 0));
	check(n == m && !memcmp(plain, traced, n), "same",
	      "the traced redis-server gives the same replies and exit status",
	      "%zd bytes against %zd", m, n);
	snapshot_was_seen();
}
