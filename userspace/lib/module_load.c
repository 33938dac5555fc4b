// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "module_load.h"
#include "module_log.h"
#include "tool.h"

/* An unload right after the last close may still find a reference. */
#define UNLOAD_TRIES	20
#define UNLOAD_PAUSE_NS	(50 * 1000 * 1000L)

#define SIGN	"sign cowtrace.ko with a key that this machine trusts (sign-file, mokutil --import)"
#define REBUILD	"rebuild and install it for this kernel: make && make install"

/*
 * In the order in which they are tried: what names its cause before what only
 * repeats an errno. Words are those of kmod and busybox in the C locale.
 */
static const struct ct_load_cause causes[] = {
	{ EPERM, NULL, "unsigned module loading is restricted",
	  "lockdown lets signed modules in only", SIGN },
	{ EKEYREJECTED, "Key was rejected", "module is rejected",
	  "the kernel accepts only modules signed by a key it trusts", SIGN },
	{ EKEYREJECTED, NULL, "is rejected",
	  "the kernel accepts only modules signed by a key it trusts", SIGN },
	{ ENOKEY, "Required key not available", "PKCS#7 signature not signed with a trusted key",
	  "the module is unsigned or its key is unknown here", SIGN },
	{ ENOEXEC, "Invalid module format", "version magic",
	  "it was built for another kernel", REBUILD },
	{ ENOEXEC, "Exec format error", "module_layout",
	  "it was built for another kernel", REBUILD },
	{ ESRCH, "wrong symbol version", "disagrees about version of symbol",
	  "it was built against other headers", REBUILD },
	{ ENOENT, NULL, "Unknown symbol",
	  "this kernel lacks a symbol that it needs", REBUILD },
	{ ENOENT, NULL, "unknown parameter",
	  "it does not know a parameter that modprobe.d gives it", "see /etc/modprobe.d" },
	/* kmod says the same of a file that is gone. */
	{ ENOENT, "Unknown symbol", NULL,
	  "its file is gone, or this kernel lacks a symbol that it needs", REBUILD },
	{ 0, "not found", NULL,
	  "it is not installed for this kernel",
	  "build and install it (make && make install && depmod), or insmod cowtrace.ko" },
	{ 0, "can't change directory", NULL,
	  "this kernel has no directory below /lib/modules",
	  "insmod cowtrace.ko built for this kernel" },
	{ ENODEV, "No such device", NULL,
	  "this kernel has no function to probe", "cowtrace doctor lists what is missing" },
	{ EOPNOTSUPP, "Operation not supported", NULL,
	  "this kernel refused the probe", "cowtrace doctor lists what is missing" },
	{ EPERM, "Operation not permitted", NULL,
	  "this process may not load modules (no CAP_SYS_MODULE, or kernel.modules_disabled is 1)",
	  "load it on the host: modprobe cowtrace" },
	{ ENOMEM, "Cannot allocate memory", NULL,
	  "the kernel has no memory for it", "free some memory and try again" },
	{ EINVAL, "nvalid", NULL,
	  "the kernel refused its parameters or its contents", REBUILD },
};

#define NR_CAUSES	(sizeof(causes) / sizeof(*causes))

bool ct_module_is_loaded(void)
{
	return !access("/sys/module/cowtrace", F_OK);
}

const struct ct_load_cause *ct_load_cause_of_log(const char *line)
{
	for (size_t i = 0; i < NR_CAUSES; i++)
		if (causes[i].log && strstr(line, causes[i].log))
			return &causes[i];
	return NULL;
}

static const struct ct_load_cause *cause_of_words(const char *words)
{
	for (size_t i = 0; i < NR_CAUSES; i++)
		if (causes[i].words && strcasestr(words, causes[i].words))
			return &causes[i];
	return NULL;
}

int ct_module_load(int log, struct ct_error *err)
{
	static char *const argv[] = { "modprobe", "cowtrace", NULL };
	const struct ct_load_cause *cause = NULL;
	char said[256], line[256];
	bool logged;
	int ret;

	ct_log_mark(log);
	ret = ct_tool_run("", argv, said, sizeof(said));
	said[strcspn(said, "\n")] = '\0';
	if (ret == -ENOENT)
		return ct_error_set(err, -ENOENT,
				    "the module is not loaded and there is no modprobe here: insmod cowtrace.ko first");
	if (ret < 0)
		return ct_error_set(err, ret, "cannot run modprobe: %s", strerror(-ret));
	if (ct_module_is_loaded())
		return 0;

	logged = ct_log_last(log, line, sizeof(line));
	if (logged)
		cause = ct_load_cause_of_log(line);
	if (!cause)
		cause = cause_of_words(said);
	return ct_error_set(err, cause && cause->code ? -cause->code : -ENOENT,
			    "modprobe cowtrace failed: %s: %s (%s%s)",
			    cause ? cause->cause : "the kernel refused it",
			    cause ? cause->next : "cowtrace doctor lists what is missing",
			    logged ? "kernel: " : "", logged ? line : said);
}

int ct_module_unload(void)
{
	static const struct timespec pause = { .tv_nsec = UNLOAD_PAUSE_NS };

	for (int i = 0; i < UNLOAD_TRIES; i++) {
		if (!syscall(SYS_delete_module, "cowtrace", O_NONBLOCK))
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int ct_lockdown(const char *root, char *mode, size_t size)
{
	char text[128], path[512], *open_at, *end;
	bool read;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/kernel/security/lockdown", root);
	f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	read = fgets(text, sizeof(text), f);
	fclose(f);
	open_at = read ? strchr(text, '[') : NULL;
	end = open_at ? strchr(open_at, ']') : NULL;
	if (!end)
		return -ENOENT;
	*end = '\0';
	snprintf(mode, size, "%s", open_at + 1);
	return 0;
}
