// SPDX-License-Identifier: GPL-2.0
/* A traced redis-server gives the replies and the exit status of an untraced one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

/*
 * $1: name of this run; the rest: what to put before redis-server. Replies go to
 * /tmp/redis-$1. Only commands whose replies depend on nothing but the data,
 * before, during and after a snapshot, then a digest of all data.
 */
static const char session[] =
	"name=$1; shift; socket=/tmp/redis-$name.sock\n"
	"\"$@\" redis-server --port 0 --unixsocket $socket --save '' --dir /tmp \\\n"
	"	--dbfilename $name.rdb --rdb-key-save-delay 500 \\\n"
	"	--enable-debug-command yes >/tmp/redis-$name.log 2>&1 &\n"
	"server=$!\n"
	"until redis-cli -s $socket ping >/dev/null 2>&1; do\n"
	"	kill -0 $server || exit 99; sleep 0.1\n"
	"done\n"
	"commands() {\n"
	"	i=0\n"
	"	while [ $i -lt 200 ]; do\n"
	"		echo \"SET key:$i $1-$i\"; echo \"APPEND key:$i tail\"\n"
	"		echo \"INCRBY counter $i\"; echo \"LPUSH list $i\"\n"
	"		echo \"GETRANGE key:$((i / 2)) 0 -1\"; i=$((i + 1))\n"
	"	done\n"
	"}\n"
	"{ commands before; echo BGSAVE; commands during; } | redis-cli -s $socket >/tmp/redis-$name\n"
	"while redis-cli -s $socket info persistence | grep -q rdb_bgsave_in_progress:1; do\n"
	"	sleep 0.2\n"
	"done\n"
	"{ commands after; echo DEBUG DIGEST; } | redis-cli -s $socket >>/tmp/redis-$name\n"
	"redis-cli -s $socket shutdown nosave\n"
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

void run_redis(void)
{
	static char plain[1 << 18], traced[1 << 18], json[1 << 20];
	ssize_t n, m;

	module_start(1024);
	converse("plain", "env");
	converse("traced", "cowtrace run --output-report /tmp/redis.txt --json /tmp/redis.json --");
	n = file_read("/tmp/redis-plain", plain, sizeof(plain));
	m = file_read("/tmp/redis-traced", traced, sizeof(traced));
	need(n > 0 && m > 0, "there are no replies");
	check(strstr(plain, "exit status 0"), "untraced", "redis-server alone ends with 0", "%s",
	      plain + (n > 100 ? n - 100 : 0));
	check(n == m && !memcmp(plain, traced, n), "same",
	      "the traced redis-server gives the same replies and exit status",
	      "%zd bytes against %zd", m, n);
	need(file_read("/tmp/redis.json", json, sizeof(json)) > 0, "cowtrace run left no JSON");
	check(strstr(json, "\"reason\":\"mapped\""), "traced",
	      "and its faults under the snapshot were seen", "%.300s", json);
}
