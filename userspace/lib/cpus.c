// SPDX-License-Identifier: GPL-2.0
#include "cpus.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The group of the kernel's own events; udev has others. */
#define KERNEL_GROUP	1

unsigned int ct_cpus_possible(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	long nr = sysconf(_SC_NPROCESSORS_CONF);
	char list[256], *last;
	long n;

	if (!f)
		return nr;
	/* "0-3" or "0,2-7": older C libraries count what is there now. */
	if (fgets(list, sizeof(list), f)) {
		last = list + strcspn(list, "\n");
		while (last > list && last[-1] >= '0' && last[-1] <= '9')
			last--;
		n = strtol(last, NULL, 10) + 1;
		if (n > nr && n < 1 << 16)
			nr = n;
	}
	fclose(f);
	return nr;
}

int ct_cpus_watch(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&kernel, sizeof(kernel))) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

int ct_cpus_came(int fd)
{
	struct sockaddr_nl from = { 0 };
	socklen_t length = sizeof(from);
	char text[4096];
	ssize_t n;
	int cpu;

	for (;;) {
		n = recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &length);
		/* Events that did not fit are found by looking, later. */
		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n <= 0)
			return -1;
		text[n] = '\0';
		/* Anybody may send to anybody: the kernel is number 0. */
		if (!from.nl_pid && sscanf(text, "online@/devices/system/cpu/cpu%d", &cpu) == 1 &&
		    cpu >= 0)
			return cpu;
		length = sizeof(from);
	}
}
