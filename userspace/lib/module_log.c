// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "module_log.h"

/* Longest entry that /dev/kmsg gives: PRINTK_MESSAGE_MAX of the newest kernels. */
#define ENTRY_MAX	8192

/*
 * What a line must contain to be about us. Lines of the module loader that do
 * not name the module come here too: they are looked at only around our own
 * attempt to load it. The two notices come with every module from outside the
 * kernel's tree and explain nothing.
 */
static const char *const about[] = { "cowtrace", "Lockdown:", "unsigned module" };
static const char *const noise[] = { "taints kernel", "tainting kernel", "module verification" };

int ct_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	ct_log_mark(fd);
	return fd;
}

void ct_log_mark(int fd)
{
	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
}

void ct_log_rewind(int fd)
{
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
}

static bool contains_one(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

bool ct_log_last(int fd, char *line, size_t size)
{
	char entry[ENTRY_MAX + 1];
	bool found = false;

	line[0] = '\0';
	while (fd >= 0) {
		ssize_t n = read(fd, entry, ENTRY_MAX);
		char *text;

		/* EPIPE: the entry was overwritten meanwhile, the next one stands. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		entry[n] = '\0';
		text = strchr(entry, ';');
		if (!text)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		if (!contains_one(text, about, sizeof(about) / sizeof(*about)) ||
		    contains_one(text, noise, sizeof(noise) / sizeof(*noise)))
			continue;
		snprintf(line, size, "%s", text);
		found = true;
	}
	return found;
}
