// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "devices.h"
#include "host.h"

#define ZRAM		"/sys/class/zram-control"
#define CONFIGFS	"/sys/kernel/config"
#define NULLB		CONFIGFS "/nullb"
#define SLOW		"cowtrace-slow"
#define SIZE_MB		64
#define PAGE		4096ul

/* As mkswap(8): version, last page, name of the format at the end of the first page. */
static int make_swap(const char *device, struct ct_error *err)
{
	unsigned char page[PAGE] = { 0 };
	uint32_t version = 1, last = (SIZE_MB << 20) / PAGE - 1;
	int fd = open(device, O_WRONLY | O_CLOEXEC), code = 0;

	memcpy(page + 1024, &version, sizeof(version));
	memcpy(page + 1028, &last, sizeof(last));
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	if (fd < 0 || pwrite(fd, page, PAGE, 0) != PAGE || fsync(fd))
		code = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	return code ? ct_error_set(err, code, "cannot write to %s: %s", device,
				   strerror(-code)) : 0;
}

static int swap_on(const char *device, struct ct_error *err)
{
	int ret = make_swap(device, err);

	if (!ret)
		ret = ct_host_note(err, "swapoff %s", device);
	if (ret)
		return ret;
	/*
	 * Until 6.14 each CPU keeps slots of the swap that was preferred before;
	 * swapoff() of any device gives them back (disable_swap_slots_cache_lock()).
	 */
	if (swapon(device, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK) || swapoff(device) ||
	    swapon(device, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK))
		return ct_error_set(err, -errno, "swapon %s: %s", device, strerror(errno));
	return 0;
}

static bool in_memory(const char *device)
{
	return !strncmp(device, "/dev/zram", 9) || !strncmp(device, "/dev/ram", 8) ||
	       !strncmp(device, "/dev/pmem", 9);
}

static bool half_free(void)
{
	unsigned long total = 0, idle = 0;
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "SwapTotal: %lu", &total);
		sscanf(line, "SwapFree: %lu", &idle);
	}
	if (f)
		fclose(f);
	/* With room for an experiment's own pages. */
	return idle > total / 2 + (16 << 10);
}

/* The kernel fills the swap of the highest priority first. */
int ct_swap_there(struct ct_error *err)
{
	char line[512], device[256], best[256] = "";
	FILE *f = fopen("/proc/swaps", "re");
	int priority, highest = INT_MIN;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%255s %*s %*s %*s %d", device, &priority) == 2 &&
		    priority > highest) {
			highest = priority;
			strcpy(best, device);
		}
	if (f)
		fclose(f);
	if (*best && !in_memory(best))
		return half_free() ? 0 :
		       ct_error_set(err, -ENODEV,
				    "swap is more than half full, so that the kernel empties the swap cache by itself (vm_swap_full()): swapoff and swapon it, or add some");
	if (*best)
		return ct_error_set(err, -ENODEV,
				    "swap goes to %s, in memory, which passes the swap cache by: swapoff %s, or swapon -p %d of a disk",
				    best, best, highest + 1);
	return ct_error_set(err, -ENODEV,
			    "no swap: fallocate -l 512M /var/cowtrace.swap && chmod 600 /var/cowtrace.swap && mkswap /var/cowtrace.swap && swapon /var/cowtrace.swap");
}

int ct_zram_swap(struct ct_error *err)
{
	char number[32], path[128], device[64], size[32];
	int ret = ct_host_module("zram", "num_devices=1", ZRAM, err);

	if (ret)
		return ret;
	ret = ct_host_read(ZRAM "/hot_add", number, sizeof(number));
	if (ret)
		return ct_error_set(err, ret, "no further zram device: %s", strerror(-ret));
	ret = ct_host_note(err, "write " ZRAM "/hot_remove %s", number);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/block/zram%s/disksize", number);
	snprintf(device, sizeof(device), "/dev/zram%s", number);
	snprintf(size, sizeof(size), "%dM", SIZE_MB);
	ret = ct_host_put(path, size, err);
	return ret ? ret : swap_on(device, err);
}

static int have_configfs(struct ct_error *err)
{
	int ret;

	if (!access(NULLB, F_OK))
		return 0;
	ret = ct_host_note(err, "umount %s", CONFIGFS);
	if (ret)
		return ret;
	if (mount("configfs", CONFIGFS, "configfs", 0, NULL)) {
		int code = -errno;

		/* Somebody else has, and it is theirs. */
		ct_host_forget();
		if (code != -EBUSY)
			return ct_error_set(err, code, "cannot mount configfs on %s: %s", CONFIGFS,
					    strerror(-code));
	}
	return access(NULLB, F_OK) ? ct_error_set(err, -ENODEV, "null_blk has no %s", NULLB) : 0;
}

static int slow_setting(const char *name, const char *value, struct ct_error *err)
{
	char path[128];

	snprintf(path, sizeof(path), NULLB "/" SLOW "/%s", name);
	return ct_host_put(path, value, err);
}

int ct_slow_disk(char *path, size_t size, struct ct_error *err)
{
	static const char *const settings[][2] = {
		{ "blocksize", "4096" },
		{ "memory_backed", "1" },
		{ "irqmode", "2" },	/* completed by a timer */
		{ "hw_queue_depth", "1024" },
	};
	char value[32], index[32];
	size_t i;
	int ret;

	ret = ct_host_module("null_blk", "nr_devices=0", "/sys/module/null_blk", err);
	if (!ret)
		ret = have_configfs(err);
	if (!ret)
		ret = ct_host_note(err, "rmdir %s/%s", NULLB, SLOW);
	if (ret)
		return ret;
	if (mkdir(NULLB "/" SLOW, 0700))
		return ct_error_set(err, -errno, "mkdir %s/%s: %s", NULLB, SLOW, strerror(errno));
	for (i = 0; !ret && i < sizeof(settings) / sizeof(*settings); i++)
		ret = slow_setting(settings[i][0], settings[i][1], err);
	snprintf(value, sizeof(value), "%d", SIZE_MB);
	if (!ret)
		ret = slow_setting("size", value, err);
	snprintf(value, sizeof(value), "%llu", CT_SLOW_MS * 1000000ull);
	if (!ret)
		ret = slow_setting("completion_nsec", value, err);
	if (!ret)
		ret = ct_host_note(err, "write %s/%s/power 0", NULLB, SLOW);
	if (!ret)
		ret = slow_setting("power", "1", err);
	if (!ret)
		ret = ct_host_read(NULLB "/" SLOW "/index", index, sizeof(index));
	if (ret)
		return ret;
	/* Newer kernels call it by the name of the directory. */
	snprintf(path, size, "/dev/" SLOW);
	if (access(path, F_OK))
		snprintf(path, size, "/dev/nullb%s", index);
	return access(path, F_OK) ? ct_error_set(err, -ENODEV, "null_blk made no %s", path) : 0;
}

int ct_slow_swap(struct ct_error *err)
{
	char path[64];
	int ret = ct_slow_disk(path, sizeof(path), err);

	return ret ? ret : swap_on(path, err);
}

int ct_loop_module(struct ct_error *err)
{
	return ct_host_module("loop", NULL, "/sys/module/loop", err);
}

int ct_loop_disk(size_t bytes, struct ct_error *err)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int file = memfd_create("cowtrace-disk", MFD_CLOEXEC), fd = -1, number = -1;
	char path[64];

	if (control >= 0 && file >= 0 && !ftruncate(file, bytes))
		number = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	if (number >= 0)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && (ioctl(fd, LOOP_SET_FD, file) || ioctl(fd, LOOP_SET_STATUS64, &info))) {
		int code = ct_error_set(err, -errno, "cannot set up %s: %s", path, strerror(errno));

		close(fd);
		fd = code;
	} else if (fd < 0) {
		fd = ct_error_set(err, errno ? -errno : -ENODEV, "no loop device: %s",
				  strerror(errno));
	}
	if (control >= 0)
		close(control);
	if (file >= 0)
		close(file);
	return fd;
}
