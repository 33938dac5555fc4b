// SPDX-License-Identifier: GPL-2.0
/* usage: replay-TARGET DIR: each input of a corpus once, without libFuzzer. */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "fuzz.h"
#include "generate.h"
#include "tap.h"

static char path[4096];

static void tell_input(void)
{
	static const char says[] = "the input: ";

	if (write(STDERR_FILENO, says, sizeof(says) - 1) < 0 ||
	    write(STDERR_FILENO, path, strlen(path)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(1);
}

static void aborted(int signal)
{
	(void)signal;
	tell_input();
	_exit(1);
}

int main(int argc, char **argv)
{
	unsigned int n = 0;
	struct dirent *e;
	DIR *dir;

	dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (!dir) {
		fprintf(stderr, "usage: replay-TARGET DIR\n");
		return 2;
	}
	fuzz_replay = true;
	__sanitizer_set_death_callback(tell_input);
	signal(SIGABRT, aborted);
	while ((e = readdir(dir))) {
		struct bytes b;

		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		b = read_file(path);
		LLVMFuzzerTestOneInput((const uint8_t *)b.data, b.size);
		free(b.data);
		n++;
	}
	closedir(dir);
	ok(n, "none of %u inputs, all that is known, finds a fault", n);
	return tap_end();
}
