// SPDX-License-Identifier: GPL-2.0
/* How far reading has come is told on a terminal, after a second, and nowhere else. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "generate.h"
#include "progress.h"
#include "reader.h"
#include "tap.h"

static char *path;

/* What the program that is looked at does with the trace. */
static void read_it(const char *from, unsigned int pause_ms)
{
	struct ct_reader *reader;
	struct ct_event event;
	struct ct_error err;

	if (ct_reader_open(from, &reader, &err))
		_exit(1);
	if (ct_reader_next(reader, &event))
		usleep(pause_ms * 1000);
	while (ct_reader_next(reader, &event))
		;
	/* Before the trace is closed: a command prints what it found. */
	fputs("the report\n", stderr);
	ct_reader_close(reader);
}

/*
 * Runs it with standard error at @slave and standard input at @input, and gathers from
 * @master what it writes. To be freed.
 */
static char *written_by(int master, int slave, int input, const char *from,
			unsigned int pause_ms)
{
	struct bytes all = { 0 };
	char block[512];
	pid_t pid = fork();
	int status;
	ssize_t n;

	if (!pid) {
		dup2(slave, STDERR_FILENO);
		if (input >= 0)
			dup2(input, STDIN_FILENO);
		close(master);
		ct_progress_start();
		read_it(from, pause_ms);
		_exit(0);
	}
	close(slave);
	/* A terminal that nobody has open any more is an error, not an end. */
	while ((n = read(master, block, sizeof(block))) > 0)
		append_bytes(&all, block, n);
	append_bytes(&all, "", 1);
	close(master);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		abort();
	return all.data;
}

static char *on_terminal(int input, const char *from, unsigned int pause_ms)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios mode;

	if (master < 0 || grantpt(master) || unlockpt(master))
		abort();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &mode))
		abort();
	/* As it is written: no \r before \n. */
	cfmakeraw(&mode);
	tcsetattr(slave, TCSANOW, &mode);
	return written_by(master, slave, input, from, pause_ms);
}

static char *into_pipe(unsigned int pause_ms)
{
	int ends[2];

	if (pipe(ends))
		abort();
	return written_by(ends[0], ends[1], -1, path, pause_ms);
}

/* A pipe into which a child puts the trace, the last byte after a pause. */
static int slow_pipe(unsigned int pause_ms)
{
	struct bytes b = read_file(path);
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		abort();
	pid = fork();
	if (!pid) {
		close(ends[0]);
		if (write(ends[1], b.data, b.size - 1) != (ssize_t)b.size - 1)
			_exit(1);
		usleep(pause_ms * 1000);
		_exit(write(ends[1], b.data + b.size - 1, 1) != 1);
	}
	close(ends[1]);
	free(b.data);
	return ends[0];
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && !strcmp(text + n - k, end);
}

/* The text that is taken away is covered by as many spaces. */
static bool erased(const char *text)
{
	const char *last = strrchr(text, '%');

	return last && ends_with(text, " \rthe report\n");
}

int main(void)
{
	struct trace_shape shape = { 7, 1, 3000, 20 };
	char *text;

	path = temporary_file();
	make_trace(path, &shape);

	text = on_terminal(-1, path, 1100);
	if (!ok(strstr(text, "\rcowtrace: reading the trace, ") && strstr(text, " %"),
		"who reads for more than a second tells on a terminal how far it is"))
		note("%s", text);
	ok(erased(text), "the line is gone before anything else is printed");
	free(text);

	text = on_terminal(-1, path, 300);
	ok(!strcmp(text, "the report\n"), "who reads for less than a second tells nothing");
	free(text);

	text = into_pipe(1100);
	ok(!strcmp(text, "the report\n"), "nothing is told where standard error is no terminal");
	free(text);

	text = on_terminal(slow_pipe(1100), "-", 0);
	ok(strstr(text, "\rcowtrace: storing the trace, "),
	   "who waits for a pipe is told how much has come");
	free(text);

	remove(path);
	free(path);
	return tap_end();
}
