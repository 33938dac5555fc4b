// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "cpus.h"
#include "format.h"
#include "perf_ring.h"
#include "sideband.h"
#include "sideband_build_id.h"
#include "sideband_memory.h"
#include "sideband_proc.h"
#include "tracefs.h"

/* Data of one ring; a burst of 5000 mappings fits. Power of two times the page size. */
#define RING_BYTES	CT_SIDEBAND_MAX

/* New processes that are looked at after one reading: who forks more has other worries. */
#define YOUNG_MAX	64

/* What is of one CPU; newtask is -1 where there is no such event. */
struct ring {
	struct ct_perf_ring perf;
	int		newtask;
};

struct ct_sideband {
	struct ct_build_ids *ids;
	uint64_t	start_ns;
	uint64_t	lost;
	char		*copy;
	int		epoll;
	bool		kernel_ids;
	/* Number of the tracepoint task:task_newtask, 0 without it. */
	uint64_t	newtask;
	pid_t		young[YOUNG_MAX];
	unsigned int	nr_young;
	unsigned int	nr;
	struct ring	rings[];
};

/* PERF_RECORD_LOST. */
struct lost_record {
	struct perf_event_header header;
	uint64_t	id;
	uint64_t	lost;
};

/* PERF_RECORD_FORK. */
struct fork_record {
	struct perf_event_header header;
	uint32_t	pid, ppid;
	uint32_t	tid, ptid;
	uint64_t	time;
};

static int event_open(struct ct_perf_ring *ring, bool build_id, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = CT_SIDEBAND_SAMPLE_TYPE,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.task = 1,
		.comm = 1,
		.comm_exec = 1,
		.mmap = 1,
		.mmap2 = 1,
		.build_id = build_id,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return ct_perf_ring_open(ring, &attr, cpu, RING_BYTES);
}

#define NEWTASK	"task/task_newtask"

/* 0 where the kernel puts the fields elsewhere than where readers look for them. */
static uint64_t newtask_number(void)
{
	unsigned int pid, flags;

	if (!ct_tracefs_field(NEWTASK, "pid", 4, &pid) || pid != CT_NEWTASK_PID ||
	    !ct_tracefs_field(NEWTASK, "clone_flags", 8, &flags) || flags != CT_NEWTASK_FLAGS)
		return 0;
	return ct_tracefs_number(NEWTASK);
}

/* Without it nothing tells a fork() from a vfork(): readers say so. */
static int newtask_open(uint64_t number, int cpu, int ring)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = number,
		.sample_period = 1,
		.sample_type = CT_SIDEBAND_SAMPLE_TYPE | PERF_SAMPLE_RAW,
		/* A LOST record has the form of the event that came next. */
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = RING_BYTES / 4,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -1;
	/* Threads are no processes: their records would only fill the ring. */
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "!(clone_flags & 0x10000)") ||
	    ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void ring_close(struct ring *ring)
{
	if (ring->newtask >= 0)
		close(ring->newtask);
	ring->newtask = -1;
	ct_perf_ring_close(&ring->perf);
}

static int ring_open(struct ct_sideband *sb, unsigned int cpu)
{
	struct ring *ring = &sb->rings[cpu];
	int ret = event_open(&ring->perf, sb->kernel_ids, cpu);

	/* Before 5.12 (88a16a130933) the kernel knows no build-ids: we read the files. */
	if (ret == -EINVAL && sb->kernel_ids) {
		sb->kernel_ids = false;
		ret = event_open(&ring->perf, false, cpu);
	}
	if (ret)
		return ret;
	if (sb->newtask)
		ring->newtask = newtask_open(sb->newtask, cpu, ring->perf.fd);
	if (sb->epoll >= 0)
		ct_perf_ring_poll(&ring->perf, sb->epoll, UINT64_MAX);
	return 0;
}

static int explain(int code, struct ct_error *err)
{
	if (code == -EACCES || code == -EPERM)
		return ct_error_set(err, code,
				    "no side-band: perf events are refused here: set kernel.perf_event_paranoid to 2 or less, or give CAP_PERFMON; until then processes that end during the trace lose their names and symbols");
	if (code == -ENOSYS || code == -ENOENT)
		return ct_error_set(err, code,
				    "no side-band: this kernel has no perf events (CONFIG_PERF_EVENTS): processes that end during the trace lose their names and symbols");
	return ct_error_set(err, code,
			    "no side-band: perf_event_open: %s: processes that end during the trace lose their names and symbols",
			    strerror(-code));
}

int ct_sideband_open(struct ct_sideband **out, struct ct_error *err)
{
	unsigned int nr = ct_cpus_possible();
	struct ct_sideband *sb;
	int ret = 0;

	*out = NULL;
	sb = calloc(1, sizeof(*sb) + nr * sizeof(*sb->rings));
	if (!sb)
		return ct_error_set(err, -ENOMEM, "no memory for the side-band");
	sb->ids = ct_build_ids_new();
	sb->copy = malloc(RING_BYTES);
	sb->epoll = -1;
	sb->kernel_ids = true;
	sb->nr = nr;
	for (unsigned int i = 0; i < sb->nr; i++)
		sb->rings[i].perf.fd = sb->rings[i].newtask = -1;
	sb->newtask = newtask_number();
	if (!sb->ids || !sb->copy) {
		ct_sideband_close(sb);
		return ct_error_set(err, -ENOMEM, "no memory for the side-band");
	}
	/* Before the first event, so that an event always overrules what /proc said. */
	sb->start_ns = ct_now_ns();
	for (unsigned int i = 0; i < sb->nr && !ret; i++) {
		ret = ring_open(sb, i);
		if (ret == -ENODEV)	/* offline */
			ret = 0;
	}
	*out = sb;
	return ret ? explain(ret, err) : 0;
}

void ct_sideband_poll(struct ct_sideband *sb, int epoll)
{
	sb->epoll = epoll;
	for (unsigned int i = 0; i < sb->nr; i++)
		if (sb->rings[i].perf.fd >= 0)
			ct_perf_ring_poll(&sb->rings[i].perf, epoll, UINT64_MAX);
}

void ct_sideband_rescan(struct ct_sideband *sb)
{
	for (unsigned int i = 0; i < sb->nr; i++) {
		struct ring *ring = &sb->rings[i];

		/* Its last records were read before: what is left here came in between. */
		if (ring->perf.fd >= 0 && !ct_perf_ring_alive(&ring->perf) &&
		    ct_perf_ring_empty(&ring->perf))
			ring_close(ring);
		if (ring->perf.fd < 0)
			ring_open(sb, i);
	}
}

void ct_sideband_renew(struct ct_sideband *sb, unsigned int cpu)
{
	if (cpu >= sb->nr)
		return;
	ring_close(&sb->rings[cpu]);
	ring_open(sb, cpu);
}

static void remember_young(struct ct_sideband *sb, const struct fork_record *fork)
{
	if (fork->pid != fork->ppid && sb->nr_young < YOUNG_MAX)
		sb->young[sb->nr_young++] = fork->pid;
}

static void look_through(struct ct_sideband *sb, char *data, size_t size)
{
	struct perf_event_header *h;

	for (size_t at = 0; at + sizeof(*h) <= size; at += h->size) {
		h = (struct perf_event_header *)(data + at);
		if (h->size < sizeof(*h))
			break;
		if (h->type == PERF_RECORD_LOST)
			sb->lost += ((struct lost_record *)h)->lost;
		if (h->type == PERF_RECORD_FORK && h->size >= sizeof(struct fork_record))
			remember_young(sb, (struct fork_record *)h);
		/* The kernel gives up where it would have to read a page of the file. */
		if (h->type == PERF_RECORD_MMAP2 && !(h->misc & PERF_RECORD_MISC_MMAP_BUILD_ID))
			ct_build_ids_apply(sb->ids, (struct ct_mmap2 *)h);
	}
}

static int ring_read(struct ct_sideband *sb, unsigned int cpu, ct_sideband_sink *sink, void *arg)
{
	size_t size = ct_perf_ring_take(&sb->rings[cpu].perf, sb->copy, RING_BYTES);

	if (!size)
		return 0;
	look_through(sb, sb->copy, size);
	return sink(arg, cpu, sb->copy, size);
}

static int look_at_young(struct ct_sideband *sb, ct_sideband_sink *sink, void *arg)
{
	struct ct_memory_record found[YOUNG_MAX];
	size_t nr = 0;

	for (unsigned int i = 0; i < sb->nr_young; i++)
		nr += ct_memory_read(sb->young[i], &found[nr]);
	sb->nr_young = 0;
	return nr ? sink(arg, UINT32_MAX, found, nr * sizeof(*found)) : 0;
}

bool ct_sideband_filled(const struct ct_sideband *sb)
{
	for (unsigned int i = 0; i < sb->nr; i++)
		if (ct_perf_ring_filled(&sb->rings[i].perf))
			return true;
	return false;
}

int ct_sideband_read(struct ct_sideband *sb, ct_sideband_sink *sink, void *arg)
{
	int ret = 0;

	for (unsigned int i = 0; i < sb->nr && !ret; i++)
		ret = ring_read(sb, i, sink, arg);
	return ret ?: look_at_young(sb, sink, arg);
}

int ct_sideband_synthesize(struct ct_sideband *sb, const pid_t *pids, size_t n,
			   ct_sideband_sink *sink, void *arg)
{
	return ct_sideband_proc(sb->ids, sb->start_ns, pids, n, sink, arg);
}

uint64_t ct_sideband_lost(const struct ct_sideband *sb)
{
	return sb->lost;
}

void ct_sideband_close(struct ct_sideband *sb)
{
	if (!sb)
		return;
	for (unsigned int i = 0; i < sb->nr; i++)
		ring_close(&sb->rings[i]);
	ct_build_ids_free(sb->ids);
	free(sb->copy);
	free(sb);
}
