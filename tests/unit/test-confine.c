// SPDX-License-Identifier: GPL-2.0
/* Who parses what others wrote when root asks for it: seen where root runs this. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "confine.h"
#include "generate.h"
#include "tap.h"
#include "wrapped.h"
#include "writer.h"

#define NOBODY	65534

/**
 * struct seen - what happened in any of the processes
 * @json: texts that were parsed.
 * @traces: traces that were opened by a reader.
 * @as_root: how many of both by root.
 */
struct seen {
	int	json, traces, as_root;
};

static struct seen *seen;

int __wrap_ct_json_text(const char *text, size_t length, struct json_object **object)
{
	seen->json++;
	seen->as_root += !geteuid();
	return __real_ct_json_text(text, length, object);
}

int __wrap_ct_reader_open_fd(int fd, const char *path, struct ct_reader **reader,
			     struct ct_error *err)
{
	seen->traces++;
	seen->as_root += !geteuid();
	return __real_ct_reader_open_fd(fd, path, reader, err);
}

/* --- a process without rights ------------------------------------------------------------ */

static int has_become(void *line)
{
	struct bytes status = read_file("/proc/self/status");
	bool has = memmem(status.data, status.size, line, strlen(line));

	free(status.data);
	return has ? 7 : 8;
}

static bool becomes(char *line)
{
	return ct_confined_at_once(has_become, line, CT_EXIT_FAIL) == 7;
}

static int open_own(void *path)
{
	int fd = open(path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EACCES ? 7 : 8;
}

static int die(void *unused)
{
	(void)unused;
	return raise(SIGKILL);
}

static void check_rights(void)
{
	char *own = temporary_file();

	ok(becomes("\nUid:\t65534\t65534\t65534\t65534\n"), "root's process is nobody's at once");
	ok(becomes("\nGid:\t65534\t65534\t65534\t65534\n"), "of nobody's group");
	ok(becomes("\nCapPrm:\t0000000000000000\n"), "without capabilities");
	ok(becomes("\nNoNewPrivs:\t1\n"), "that gets none by a program");
	chmod(own, 0600);
	ok(ct_confined_at_once(open_own, own, CT_EXIT_FAIL) == 7,
	   "what is root's alone it cannot open");
	setenv("SUDO_UID", "1234", 1);
	ok(becomes("\nUid:\t1234\t1234\t1234\t1234\n"), "under sudo it is the caller's");
	unsetenv("SUDO_UID");
	setenv(CT_KEEP_RIGHTS, "1", 1);
	ok(becomes("\nUid:\t0\t0\t0\t0\n"), "root can keep it");
	unsetenv(CT_KEEP_RIGHTS);
	fflush(stdout);
	ok(ct_confined_at_once(die, NULL, 9) == 9, "one that is killed has failed");
	unlink(own);
	free(own);
}

/* --- whatif --verify --------------------------------------------------------------------- */

/* Of root alone, with a run and its trace in it. */
static char *dir;

static char *in_dir(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return path;
}

static void put_run(const char *trace)
{
	char *path = in_dir("run.json"), text[512];

	snprintf(text, sizeof(text),
		 "{\"version\":\"1.1\",\"generation\":\"6.1\",\"trace\":\"%s\",\"experiments\":[]}",
		 trace);
	write_file(path, text, strlen(text));
	chmod(path, 0600);
	free(path);
}

/* Return: the exit status. What is printed goes to @out. */
static int verify(const char *out)
{
	char *run = in_dir("run.json"), *argv[] = { "whatif", run, run, NULL };
	int was = dup(STDOUT_FILENO), status;

	memset(seen, 0, sizeof(*seen));
	fflush(stdout);
	if (was < 0 || !freopen(out, "w", stdout))
		abort();
	status = ct_cmd_whatif_verify(3, argv);
	fflush(stdout);
	dup2(was, STDOUT_FILENO);
	close(was);
	free(run);
	return status;
}

static void check_verify(void)
{
	char *trace = in_dir("trace"), *table = in_dir("table"), *other = in_dir("other");
	struct trace_shape shape = { 3, 1, 16, 16 };
	struct bytes printed;

	make_trace(trace, &shape);
	put_run("/nowhere/trace");
	ok(verify(table) == CT_EXIT_FAIL && seen->json == 4 && seen->traces == 2,
	   "runs that only root may read are verified for root, with the traces beside them");
	ok(!seen->as_root, "by nobody: root parses neither a run nor a trace");
	printed = read_file(table);
	ok(printed.size && memmem(printed.data, printed.size, "6.1", 3), "the table is printed");
	free(printed.data);

	if (rename(trace, other))
		abort();
	put_run(other);
	ok(verify("/dev/null") == CT_EXIT_FAIL && seen->traces == 2 && !seen->as_root,
	   "so are traces that stand where they were written");
	put_run("trace");
	ok(verify("/dev/null") == CT_EXIT_USAGE && !seen->traces,
	   "a trace that is nowhere is an error");
	write_file(trace, "secret:$6$", 10);
	ok(verify("/dev/null") == CT_EXIT_USAGE && !seen->traces,
	   "what does not begin as a trace is handed to nobody");
	unlink(trace);
	if (mkfifo(trace, 0600))
		abort();
	alarm(60);
	ok(verify("/dev/null") == CT_EXIT_USAGE && !seen->traces, "a FIFO is not waited for");
	alarm(0);
	put_run("");
	ok(verify("/dev/null") == CT_EXIT_USAGE && seen->json == 1 && !seen->as_root,
	   "a run that is none is found to be so by nobody");
	unlink(trace);
	unlink(table);
	unlink(other);
	free(trace);
	free(table);
	free(other);
}

/* Root of a container may not be able to become anybody. */
static bool is_root(void)
{
	pid_t child = fork();
	int status = 1;

	if (!child)
		_exit(geteuid() || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		      setresuid(NOBODY, NOBODY, NOBODY));
	waitpid(child, &status, 0);
	return !status;
}

int main(void)
{
	char *run;

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	dir = temporary_file();
	unlink(dir);
	if (seen == MAP_FAILED || mkdir(dir, 0700))
		abort();
	/* Of who called the tests by sudo. */
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	unsetenv("COWTRACE_KEEP_RIGHTS");
	if (is_root()) {
		check_rights();
		check_verify();
	} else {
		ok(true, "root's rights are given up # SKIP needs root that can become nobody");
	}
	run = in_dir("run.json");
	unlink(run);
	rmdir(dir);
	free(run);
	free(dir);
	munmap(seen, sizeof(*seen));
	return tap_end();
}
