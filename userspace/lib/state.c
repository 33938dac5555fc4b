// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static int take(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct ct_state *state = arg;
	const char *end = memchr(data, '\n', length), *at;
	char name[CT_STATE_NAME];
	unsigned int i;
	char *text, *to;

	(void)cpu;
	if (!end || length > CT_STATE_TEXT)
		return 0;
	ct_clean_text(name, sizeof(name), data, end - (const char *)data);
	for (i = 0; i < state->nr && strcmp(state->file[i].name, name); i++)
		;
	if (i == CT_STATE_FILES)
		return 0;

	length -= ++end - (const char *)data;
	text = malloc(length + 1);
	if (!text)
		return -ENOMEM;
	/* Line by line, so that the newlines stay. */
	for (at = end, to = text; at < end + length; ) {
		const char *stop = memchr(at, '\n', end + length - at);
		size_t n = (stop ? stop : end + length) - at;

		ct_clean_text(to, n + 1, at, n);
		to += strlen(to);
		if (stop)
			*to++ = '\n';
		at += n + !!stop;
	}
	*to = '\0';

	if (i == state->nr) {
		memcpy(state->file[i].name, name, sizeof(name));
		state->nr++;
	} else {
		free(state->file[i].text);
	}
	state->file[i].text = text;
	return 0;
}

int ct_state_load(struct ct_reader *reader, struct ct_state *state)
{
	int err;

	memset(state, 0, sizeof(*state));
	err = ct_reader_chunks(reader, CT_CHUNK_STATE, take, state);
	if (err)
		ct_state_free(state);
	return err;
}

void ct_state_free(struct ct_state *state)
{
	unsigned int i;

	for (i = 0; i < state->nr; i++)
		free(state->file[i].text);
	state->nr = 0;
}

const char *ct_state_text(const struct ct_state *state, const char *file)
{
	unsigned int i;

	for (i = 0; i < state->nr; i++)
		if (!strcmp(state->file[i].name, file))
			return state->file[i].text;
	return NULL;
}

bool ct_text_number(const char *text, const char *name, uint64_t *value)
{
	unsigned long long number;
	size_t n = strlen(name);
	const char *line;
	char *end;

	for (line = text; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		if (strncmp(line, name, n) || line[n] != ' ' ||
		    line[n + 1] < '0' || line[n + 1] > '9')
			continue;
		errno = 0;
		number = strtoull(line + n + 1, &end, 10);
		if (errno || (*end && *end != '\n'))
			continue;
		*value = number;
		return true;
	}
	return false;
}

bool ct_state_number(const struct ct_state *state, const char *file, const char *name,
		     uint64_t *value)
{
	const char *text = ct_state_text(state, file);

	return text && ct_text_number(text, name, value);
}
