/* SPDX-License-Identifier: GPL-2.0 */
/* What `cowtrace export` writes, in memory. */
#ifndef EXPORTED_H
#define EXPORTED_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "generate.h"
#include "tap.h"

#define EXPORT_ARGS	16

/**
 * exported() - run the command
 * @status: receives its exit status.
 * @words: what stands behind "export", NULL at the end.
 * Return: what it wrote, to be freed by its data.
 */
static inline struct bytes exported(int *status, const char *const *words)
{
	char *file = temporary_file(), *argv[EXPORT_ARGS + 4] = { "export", "-o", file };
	int argc = 3;
	struct bytes b;

	/* Its options are cut where they stand. */
	while (*words && argc < EXPORT_ARGS + 3)
		argv[argc++] = strdup(*words++);
	*status = ct_cmd_export(argc, argv);
	while (argc > 3)
		free(argv[--argc]);
	b = read_file(file);
	/* As a text. */
	append_bytes(&b, "", 1);
	b.size--;
	unlink(file);
	free(file);
	return b;
}

#define EXPORTED(status, ...) exported(status, (const char *const []){ __VA_ARGS__, NULL })

#endif /* EXPORTED_H */
