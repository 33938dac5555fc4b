// SPDX-License-Identifier: GPL-2.0
/* Who reads a trace, and what that process may still do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../userspace/cmd/confine_filter.h"
#include "lib.h"
#include "security.h"

#define TRACE	"/tmp/plain.data"
#define NOBODY	"65534\t65534\t65534\t65534"
#define AS_NOBODY	"/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups "
#define EVENTS		"events /tmp/long.data"
#define VERIFY		"whatif --verify /tmp/run.json /tmp/run.json"

/* --- a reader, looked at ------------------------------------------------------------- */

/* Its output is read by nobody, and there is no room for it: it stops at its first line. */
static pid_t stopped_reader(const char *as, const char *what, pid_t *parent)
{
	static const char full[PAGE];
	char children[128] = "", path[64], command[256];
	pid_t pid, last = 0;
	int out[2], tries;

	need(!pipe2(out, O_NONBLOCK), "pipe: %s", strerror(errno));
	while (write(out[1], full, sizeof(full)) > 0)
		;
	fcntl(out[1], F_SETFL, 0);
	snprintf(command, sizeof(command), "exec %s cowtrace %s", as, what);
	*parent = fork();
	if (!*parent) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(out[1]);
	for (tries = 0; tries < 3000; tries++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", *parent, *parent);
		pid = file_read(path, children, sizeof(children)) > 0 ? atoi(children) : 0;
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		if (!pid || !file_has(path, "Seccomp:\t2") || !file_has(path, "State:\tS"))
			pid = 0;
		/* One that only parses a run comes before that of the traces, and is soon gone. */
		if (pid && pid == last)
			return pid;
		last = pid;
		sleep_ms(10);
	}
	return 0;
}

static bool has_become(const char *as, const char *what, const char *uids, const char *gids)
{
	char path[64], line[128];
	bool good;
	pid_t parent, reader = stopped_reader(as, what, &parent);

	snprintf(path, sizeof(path), "/proc/%d/status", reader);
	snprintf(line, sizeof(line), "Uid:\t%s\n", uids);
	good = reader && file_has(path, line);
	snprintf(line, sizeof(line), "Gid:\t%s\n", gids);
	good = good && file_has(path, line) && file_has(path, "Groups:\t \n") &&
	       file_has(path, "CapPrm:\t0000000000000000\n") &&
	       file_has(path, "CapEff:\t0000000000000000\n") &&
	       file_has(path, "NoNewPrivs:\t1\n") &&
	       file_has(path, "Seccomp:\t2\n");
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	/* It is not to outlive who asked for it. */
	while (reader && !kill(reader, 0) && !file_has(path, "State:\tZ"))
		sleep_ms(10);
	return good;
}

static void become(void)
{
	static const char run[] =
		"{\"version\":\"1.0\",\"trace\":\"long.data\",\"experiments\":[]}";
	char text[4096];
	int fd;

	need(!said("cowtrace record -q -o /tmp/long.data -- /usr/libexec/cowtrace/cowtest load",
		   text, sizeof(text)), "%.300s", text);
	fd = open("/tmp/run.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && write(fd, run, strlen(run)) > 0, "run.json: %s", strerror(errno));
	close(fd);
	check(has_become("env COWTEST=1", EVENTS, NOBODY, NOBODY), "drop",
	      "root's reader is nobody, without capabilities and new privileges", "it is not");
	check(has_become("env COWTEST=1", VERIFY, NOBODY, NOBODY), "drop-verify",
	      "so is who verifies root's runs", "it is not");
	/* The group that sudo names must come with it: without one it is nobody's. */
	check(has_become("env SUDO_UID=1234", EVENTS, "1234\t1234\t1234\t1234", NOBODY), "sudo",
	      "under sudo it is the user who called that", "it is not");
	check(has_become(AS_NOBODY "--inh-caps +dac_read_search --ambient-caps +dac_read_search",
			 EVENTS, NOBODY, NOBODY), "drop-capabilities",
	      "a reader that has capabilities without being root gives them up", "it does not");
}

/* --- what is left to it ---------------------------------------------------------------- */

static bool refused(long ret)
{
	return ret == -1 && errno == EPERM;
}

#define TRY(what, call)								\
	do {									\
		errno = 0;							\
		if (!refused((long)(call))) {					\
			note("%s is let through: %s", what, strerror(errno));	\
			_exit(1);						\
		}								\
	} while (0)

static void try_calls(void *unused)
{
	char *argv[] = { "true", NULL };
	char byte = '\n';
	int fd, pair[2];

	(void)unused;
	need(!ct_confine_calls(), "no filter: %s", strerror(errno));
	TRY("a file to write", open("/tmp/planted", O_WRONLY | O_CREAT, 0600));
	TRY("a file to cut", open(TRACE, O_RDONLY | O_TRUNC));
	TRY("a file without a name", open("/tmp", O_TMPFILE | O_RDWR, 0600));
	TRY("creat", syscall(SYS_creat, "/tmp/planted", 0600));
	TRY("unlink", unlink(TRACE));
	TRY("rename", rename(TRACE, "/tmp/planted"));
	TRY("link", link(TRACE, "/tmp/planted"));
	TRY("chmod", chmod(TRACE, 0666));
	TRY("truncate", truncate(TRACE, 0));
	TRY("execve", execve("/bin/true", argv, NULL));
	TRY("fork", fork());
	TRY("socket", socket(AF_INET, SOCK_STREAM, 0));
	TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY("ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	TRY("kill", kill(getppid(), 0));
	TRY("setuid", setuid(0));
	TRY("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
	TRY("bpf", syscall(SYS_bpf, 0, NULL, 0));
	TRY("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	TRY("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	TRY("memory with code", mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
				     -1, 0));
	TRY("typing on the terminal", ioctl(STDOUT_FILENO, TIOCSTI, &byte));
	/* A number of the other table of calls. */
	TRY("x32", syscall(0x40000000 | SYS_getpid));
	fd = open(TRACE, O_RDONLY);
	if (fd < 0 || read(fd, &byte, 1) != 1)
		_exit(2);
}

static void calls(void)
{
	int status = child_wait(child(try_calls, NULL));

	check(!status && access("/tmp/planted", F_OK), "calls",
	      "it reads, and makes, changes, runs, sends and maps nothing", "status %#x", status);
}

/* --- without root ------------------------------------------------------------------------ */

static void unprivileged(void)
{
	static const char * const reading[] = {
		"report", "report --html /tmp/nobody/page.html", "forks", "whatif", "events",
		"explain", "export --format jsonl -o /tmp/nobody/x.jsonl", "export --format csv",
		"export --format perfetto", "export --format prometheus", "export --format folded",
	};
	char line[256], text[1 << 16], wrong[512] = "";
	size_t i;
	int status;

	need(!said("mkdir /tmp/nobody; cp " TRACE " /tmp/nobody/a.data; "
		   "chown -R 65534:65534 /tmp/nobody", text, sizeof(text)), "%s", text);
	for (i = 0; i < ARRAY_SIZE(reading); i++) {
		snprintf(line, sizeof(line), AS_NOBODY "cowtrace %s /tmp/nobody/a.data",
			 reading[i]);
		status = said(line, text, sizeof(text));
		if (status)
			snprintf(wrong, sizeof(wrong), "%s: %d, %.200s", reading[i], status, text);
	}
	check(!*wrong && !access("/tmp/nobody/x.jsonl", F_OK) &&
	      !access("/tmp/nobody/page.html", F_OK), "unprivileged",
	      "all that read traces do so for nobody", "%s", wrong);
	/* A table of nothing has not passed: 1. */
	status = said("sed s/long/a/ /tmp/run.json >/tmp/nobody/run.json; "
		      "chown 65534:65534 /tmp/nobody/run.json; cd /tmp/nobody; "
		      AS_NOBODY "cowtrace whatif --verify run.json run.json", text, sizeof(text));
	check(status == 1, "verify", "so does who verifies runs", "%d, %.200s", status, text);
	status = said(AS_NOBODY "cowtrace report " TRACE, text, sizeof(text));
	check(status && strstr(text, "Permission denied"), "theirs",
	      "and not a trace that is another's", "%d, %.200s", status, text);
}

/* Whose functions it names: those of files that it may read. */
static void names(void)
{
	static const char make[] =
		"mkdir -m 700 /root/own; cp /usr/libexec/cowtrace/cowtest /root/own/secluded; "
		"cowtrace record -q -o /root/own.data -- /root/own/secluded load";
	char text[1 << 16];
	int status;

	need(!said(make, text, sizeof(text)), "%.300s", text);
	status = said("cowtrace report /root/own.data", text, sizeof(text));
	check(!status && strstr(text, "/root/own/secluded") &&
	      strstr(text, "COWTRACE_KEEP_RIGHTS") && !strstr(text, "poke"), "refused",
	      "a program that it may not read is told, with the way to have it read", "%d, %.300s",
	      status, strstr(text, "cowtrace: ") ?: text);
	status = said("COWTRACE_KEEP_RIGHTS=1 cowtrace report --top 50 /root/own.data", text,
		      sizeof(text));
	check(!status && strstr(text, "secluded") && !strstr(text, "KEEP_RIGHTS"), "kept",
	      "which root can choose", "%d", status);
}

void readers(void)
{
	become();
	calls();
	unprivileged();
	names();
}
