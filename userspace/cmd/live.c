// SPDX-License-Identifier: GPL-2.0
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "module.h"
#include "module_load.h"
#include "temporary.h"
#include "writer.h"

/* One file of the module as a chunk; the writer keeps its first error. */
static int take(struct ct_module *m, struct ct_writer *w, const char *name, struct ct_error *err)
{
	char *text;
	int ret = m->source.get(&m->source, name, &text, err);

	if (ret)
		return ret;
	if (!strcmp(name, "schema"))
		ct_writer_chunk(w, CT_CHUNK_SCHEMA, UINT32_MAX, text, strlen(text));
	else
		ret = ct_writer_state(w, name, text);
	free(text);
	return ret == -ENOMEM ? ct_error_set(err, ret, "out of memory") : 0;
}

/* A trace without records, as cowtrace run makes it. */
static int snapshot(struct ct_module *m, const char *path, struct ct_error *err)
{
	static const char *const files[] = { "schema", "counts", "stats", "lost" };
	struct ct_writer *w;
	int ret = ct_writer_open(path, &w), end;

	if (!ret) {
		for (size_t i = 0; !ret && i < sizeof(files) / sizeof(*files); i++)
			ret = take(m, w, files[i], err);
		end = ct_writer_close(w);
		if (ret || !end)
			return ret;
		ret = end;
	}
	return ct_error_set(err, ret, "cannot write %s: %s: make room, or set TMPDIR", path,
			    strerror(-ret));
}

/* Loaded by us it would have counted nothing. */
static int open_loaded(struct ct_module *m, struct ct_error *err)
{
	if (!geteuid() && !ct_module_is_loaded())
		return ct_error_set(err, -ENOENT,
				    "the module is not loaded, so nothing has been counted: modprobe cowtrace, then " CT_LIVE_BY_HAND);
	return ct_module_open(m, err);
}

int ct_live_trace(char *path, size_t size, struct ct_error *err)
{
	struct ct_module m;
	int ret, fd;

	ret = open_loaded(&m, err);
	if (ret)
		return ret;
	fd = ct_temporary_open(path, size);
	/* Not closed: it is all that keeps the file. */
	ret = fd < 0 ? ct_error_set(err, fd, "cannot create %s: %s: set TMPDIR", path,
				    strerror(-fd)) : snapshot(&m, path, err);
	ct_module_close(&m);
	return ret;
}
