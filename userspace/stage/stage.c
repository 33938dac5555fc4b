// SPDX-License-Identifier: GPL-2.0
/* The director: sets the scene of each experiment, and tells its actors what to do. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "devices.h"
#include "host.h"
#include "scene.h"

#define THP		"/sys/kernel/mm/transparent_hugepage/"
#define HUGEPAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define KSM		"/sys/kernel/mm/ksm/"
#define DAMON		"/sys/module/damon_stat/parameters/enabled"
/* An operation that takes longer hangs; the slow disk takes seconds. */
#define PATIENCE_S	120

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* --- what the host must have ------------------------------------------------------ */

/* A setting that not every kernel has. */
static int set_if_there(const char *path, const char *value, struct ct_error *err)
{
	return access(path, F_OK) ? 0 : ct_host_set(path, value, err);
}

static int have_thp(struct ct_error *err)
{
	char now[64];
	int ret;

	if (ct_host_read(THP "enabled", now, sizeof(now)))
		return ct_error_set(err, -ENODEV, "this kernel has no transparent huge pages");
	ret = strstr(now, "[never]") ? ct_host_set(THP "enabled", "madvise", err) : 0;
	/* From 6.8 on the size has a switch of its own. */
	if (!ret)
		ret = set_if_there(THP "hugepages-2048kB/enabled", "madvise", err);
	return ret ? ret : set_if_there(THP "use_zero_page", "1", err);
}

static int have_mthp(enum ct_exp_kind kind, struct ct_error *err)
{
	size_t size = ct_exp_unit(kind) >> 10;
	char path[128];

	snprintf(path, sizeof(path), THP "hugepages-%zukB/enabled", size);
	if (access(path, F_OK))
		return ct_error_set(err, -ENOSYS, "this kernel has no large folios of %zu KiB: no %s",
				    size, path);
	return ct_host_set(path, "madvise", err);
}

static unsigned long huge_count(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), HUGEPAGES "%s", name);
	return ct_host_read(path, text, sizeof(text)) ? 0 : strtoul(text, NULL, 10);
}

/* What is reserved is free, but not to be had. */
static unsigned long huge_idle(void)
{
	unsigned long idle = huge_count("free_hugepages"), kept = huge_count("resv_hugepages");

	return idle > kept ? idle - kept : 0;
}

static int have_hugetlb(unsigned int pages, struct ct_error *err)
{
	/* The file counts surplus pages too, but what is written to it is without them. */
	unsigned long now = huge_count("nr_hugepages") - huge_count("surplus_hugepages");
	char text[32];
	int ret;

	if (access(HUGEPAGES "nr_hugepages", F_OK))
		return ct_error_set(err, -ENODEV, "this kernel has no hugetlb pages of 2 MiB");
	if (huge_idle() >= pages)
		return 0;
	ret = ct_host_note(err, "write " HUGEPAGES "nr_hugepages %lu", now);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%lu", now + pages);
	ret = ct_host_put(HUGEPAGES "nr_hugepages", text, err);
	if (ret)
		return ret;
	return huge_idle() >= pages ? 0 :
	       ct_error_set(err, -ENODEV,
			    "only %lu of %u hugetlb pages are to be had: echo 1 > /proc/sys/vm/compact_memory, then echo %lu > " HUGEPAGES "nr_hugepages",
			    huge_idle(), pages, now + pages);
}

static int have_ksm(struct ct_error *err)
{
	int ret;

	if (access(KSM "run", F_OK))
		return ct_error_set(err, -ENODEV, "this kernel has no KSM");
	ret = ct_host_set(KSM "run", "0", err);
	if (!ret)
		ret = ct_host_set(KSM "sleep_millisecs", "1", err);
	return ret;
}

static bool uses(const struct ct_experiment *e, enum ct_exp_verb verb)
{
	unsigned int i;

	for (i = 0; i < e->nr_ops; i++)
		if (e->op[i].verb == verb)
			return true;
	return false;
}

static bool wants_thp(const struct ct_experiment *e)
{
	unsigned int i;

	for (i = 0; i < e->nr_areas; i++)
		if (e->area[i].kind == CT_EXP_KIND_THP || e->area[i].kind == CT_EXP_KIND_MTHP_16K ||
		    e->area[i].kind == CT_EXP_KIND_MTHP_64K ||
		    e->area[i].kind == CT_EXP_KIND_MTHP_512K)
			return true;
	return false;
}

/*
 * It empties the LRU batches of all CPUs whenever it begins to scan. With the last size
 * switched off the kernel waits until it has ended.
 */
static int stop_khugepaged(struct ct_error *err)
{
	int ret = set_if_there(THP "hugepages-2048kB/enabled", "never", err);

	return ret ? ret : set_if_there(THP "enabled", "never", err);
}

static int have_areas(const struct ct_experiment *e, struct ct_error *err)
{
	unsigned int i, huge = 0;
	/* Batches of another CPU matter to those that want one. Started again it scans at once. */
	int ret = e->cpus < 2 || wants_thp(e) ? 0 : stop_khugepaged(err);

	for (i = 0; !ret && i < e->nr_areas; i++)
		switch (e->area[i].kind) {
		case CT_EXP_KIND_THP:
			ret = have_thp(err);
			break;
		case CT_EXP_KIND_MTHP_16K:
		case CT_EXP_KIND_MTHP_64K:
		case CT_EXP_KIND_MTHP_512K:
			ret = have_mthp(e->area[i].kind, err);
			break;
		case CT_EXP_KIND_DISK:
			ret = ct_loop_module(err);
			break;
		case CT_EXP_KIND_HUGETLB:
			/* As many for the copies of parent and child. */
			huge += 3 * e->area[i].units;
			break;
		default:
			break;
		}
	return !ret && huge ? have_hugetlb(huge, err) : ret;
}

static int have(const struct ct_experiment *e, struct ct_scene *scene, struct ct_error *err)
{
	int cpus = CPU_COUNT(scene->cpus);
	unsigned int i;
	int ret = 0;

	if (cpus < (int)e->cpus)
		return ct_error_set(err, -ENODEV,
				    "it wants %u CPUs, this process may use %d: taskset -p, or echo 1 > /sys/devices/system/cpu/cpuN/online",
				    e->cpus, cpus);
	/* A page in zswap is neither written nor in the swap cache for long. */
	if (e->needs & (CT_EXP_NEED_SWAP | CT_EXP_NEED_ZRAM | CT_EXP_NEED_SLOW_SWAP))
		ret = set_if_there("/sys/module/zswap/parameters/enabled", "N", err);
	if (!ret && (e->needs & CT_EXP_NEED_SWAP))
		ret = ct_swap_there(err);
	if (!ret && (e->needs & CT_EXP_NEED_ZRAM))
		ret = ct_zram_swap(err);
	if (!ret && (e->needs & CT_EXP_NEED_SLOW_SWAP))
		ret = ct_slow_swap(err);
	if (!ret && (e->needs & CT_EXP_NEED_SLOW_DISK))
		ret = ct_slow_disk(scene->slow_disk, sizeof(scene->slow_disk), err);
	if (!ret && uses(e, CT_EXP_VERB_MERGE))
		ret = have_ksm(err);
	if (!ret)
		ret = have_areas(e, err);
	for (i = 0; !ret && i < e->nr_ops; i++)
		if (e->op[i].verb == CT_EXP_VERB_COLLAPSE)
			ret = ct_khugepaged_set(&e->op[i], err);
	return ret;
}

/* --- actors --------------------------------------------------------------------- */

static bool gone(pid_t pid)
{
	char state = ct_task_state(pid);

	return state == 'Z' || state == 'X';
}

static int wait_gone(pid_t pid, struct ct_error *err)
{
	uint64_t end = ct_now_ns() + PATIENCE_S * 1000000000ull;

	while (!gone(pid)) {
		if (interrupted || ct_now_ns() > end)
			return ct_error_set(err, -ETIMEDOUT, "a process does not end");
		usleep(1000);
	}
	return 0;
}

static int hear(struct ct_scene *scene, int actor, struct ct_reply *reply, struct ct_error *err)
{
	struct pollfd fd = { .fd = scene->socket[actor][0], .events = POLLIN };
	uint64_t end = ct_now_ns() + PATIENCE_S * 1000000000ull;
	const char *name = scene->e->actor[actor];
	pid_t pid;

	while (poll(&fd, 1, 200) <= 0) {
		pid = scene->gate->pid[actor];
		if (interrupted)
			return ct_error_set(err, -EINTR, "interrupted");
		if (pid && gone(pid) && poll(&fd, 1, 0) <= 0)
			return ct_error_set(err, -ESRCH, "actor %s was killed", name);
		if (ct_now_ns() > end)
			return ct_error_set(err, -ETIMEDOUT, "actor %s gives no answer for %d s", name,
					    PATIENCE_S);
	}
	if (recv(fd.fd, reply, sizeof(*reply), 0) != sizeof(*reply))
		return ct_error_set(err, -EIO, "actor %s gives no answer", name);
	return reply->code ? ct_error_set(err, reply->code, "%s", reply->text) : 0;
}

static int say(struct ct_scene *scene, unsigned int op, unsigned int parties,
	       struct ct_error *err)
{
	struct ct_order order = { op, parties };
	int actor = scene->e->op[op].actor;

	if (send(scene->socket[actor][0], &order, sizeof(order), MSG_NOSIGNAL) == sizeof(order))
		return 0;
	return ct_error_set(err, -errno, "actor %s cannot be reached: %s", scene->e->actor[actor],
			    strerror(errno));
}

/* Operations of the same time. */
static int perform(struct ct_scene *scene, unsigned int first, unsigned int n,
		   struct ct_stage_part *part, struct ct_error *err)
{
	const struct ct_exp_op *op = &scene->e->op[first];
	pid_t pid = scene->gate->pid[op->actor];
	struct ct_reply reply;
	int first_code = 0, ret;
	unsigned int i;

	scene->gate->arrived = 0;
	for (i = 0; i < n; i++) {
		ret = say(scene, first + i, n, err);
		if (ret)
			return ret;
	}
	for (i = 0; i < n; i++) {
		ret = hear(scene, op[i].actor, &reply, err);
		if (ret && !first_code)
			first_code = ret;
		if (part)
			part[i] = reply.part;
	}
	if (!first_code && op->verb == CT_EXP_VERB_EXIT) {
		first_code = wait_gone(pid, err);
		/* A thread's number is used again. */
		if (!first_code)
			scene->gate->pid[op->actor] = 0;
	}
	/* The new one says itself that it is there. */
	if (!first_code && (op->verb == CT_EXP_VERB_FORK || op->verb == CT_EXP_VERB_THREAD))
		first_code = hear(scene, op->other, &reply, err);
	return first_code;
}

static int play(struct ct_scene *scene, struct ct_stage_log *log, struct ct_error *err)
{
	const struct ct_experiment *e = scene->e;
	unsigned int op = 0, step = 0;
	int ret;

	while (op < e->nr_ops) {
		const struct ct_exp_step *s = &e->step[step];
		struct ct_stage_step *l = &log->step[step];

		if (interrupted)
			return ct_error_set(err, -EINTR, "interrupted");
		if (step == e->nr_steps || op < s->first) {
			ret = perform(scene, op, 1, NULL, err);
			op++;
		} else {
			l->state = CT_STAGE_RUNNING;
			l->began = ct_now_ns();
			ret = perform(scene, op, s->n, l->part, err);
			l->ended = ct_now_ns();
			l->state = ret ? CT_STAGE_FAILED : CT_STAGE_DONE;
			op += s->n;
			step++;
		}
		if (ret) {
			struct ct_error why = *err;

			return ct_error_set(err, ret, "line %u, %s: %s", e->op[op - 1].line,
					    ct_exp_verb_name(e->op[op - 1].verb), why.text);
		}
	}
	return 0;
}

/* --- scenes --------------------------------------------------------------------- */

static int open_scene(struct ct_scene *scene, struct ct_error *err)
{
	struct ct_reply reply;
	unsigned int i;
	pid_t pid, director;

	scene->gate = mmap(NULL, sizeof(*scene->gate), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (scene->gate == MAP_FAILED)
		return ct_error_set(err, -errno, "mmap: %s", strerror(errno));
	for (i = 0; i < scene->e->nr_actors; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene->socket[i]))
			return ct_error_set(err, -errno, "socketpair: %s", strerror(errno));
	fflush(NULL);
	director = getpid();
	pid = fork();
	if (pid < 0)
		return ct_error_set(err, -errno, "fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != director)
			_exit(1);
		/* Without these ends every actor hears that the director has gone. */
		for (i = 0; i < scene->e->nr_actors; i++)
			close(scene->socket[i][0]);
		/* What ends the director from a terminal ends its actors by that. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_DFL);
		sched_setaffinity(0, sizeof(*scene->cpus), scene->cpus);
		ct_actor_serve(scene, 0);
	}
	scene->gate->pid[0] = pid;
	return hear(scene, 0, &reply, err);
}

static void close_scene(struct ct_scene *scene)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < scene->e->nr_actors; i++) {
		close(scene->socket[i][0]);
		close(scene->socket[i][1]);
	}
	/* The last first: nobody is left to fork. */
	for (i = scene->e->nr_actors; scene->gate != MAP_FAILED && i--;) {
		pid = scene->gate->pid[i];
		if (pid > 0)
			kill(pid, SIGKILL);
	}
	/* Orphans come to this process. */
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	if (scene->gate != MAP_FAILED)
		munmap(scene->gate, sizeof(*scene->gate));
}

static void act_out(const struct ct_experiment *e, struct ct_stage_log *log,
		    const cpu_set_t *cpus)
{
	struct ct_scene scene = { .e = e, .cpus = cpus, .gate = MAP_FAILED };
	struct ct_error err = { .code = 0 };
	size_t mark = ct_host_mark();
	int ret;

	log->state = CT_STAGE_RUNNING;
	ret = have(e, &scene, &err);
	log->state = ret ? CT_STAGE_REFUSED : CT_STAGE_DONE;
	/* What no command provides is no refusal. */
	if (ret == -ENOSYS)
		log->state = CT_STAGE_FAILED;
	if (!ret) {
		ret = open_scene(&scene, &err);
		if (ret == -ENODEV)
			log->state = CT_STAGE_REFUSED;
		else if (ret)
			log->state = CT_STAGE_FAILED;
		if (!ret) {
			ret = play(&scene, log, &err);
			if (ret)
				log->state = ret == -ENODEV ? CT_STAGE_REFUSED : CT_STAGE_FAILED;
		}
		close_scene(&scene);
	}
	log->code = ret;
	snprintf(log->text, sizeof(log->text), "%s", ret ? err.text : "");
	ret = ct_host_undo_to(mark, &err);
	if (ret) {
		log->state = CT_STAGE_FAILED;
		snprintf(log->text, sizeof(log->text), "%s", err.text);
	}
}

int ct_stage_run(const struct ct_experiments *all, struct ct_stage_log *log,
		 const cpu_set_t *cpus, const char *recovery,
		 void (*tell)(const struct ct_experiments *all, size_t number),
		 struct ct_error *err)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct ct_error later;
	int ret, undone;
	size_t i;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ret = ct_host_begin(recovery, err);
	if (ret)
		return ret;
	/* It takes references to pages, and who takes them is not what is shown here. */
	ret = set_if_there(DAMON, "N", err);
	if (!ret)
		ret = set_if_there("/proc/sys/kernel/numa_balancing", "0", err);
	for (i = 0; !ret && i < all->n && !interrupted; i++) {
		if (log[i].state == CT_STAGE_UNSEEN)
			continue;
		if (tell)
			tell(all, i);
		act_out(&all->list[i], &log[i], cpus);
	}
	/* The first error is told. */
	undone = ct_host_end(ret ? &later : err);
	ret = ret ?: undone;
	return !ret && interrupted ? ct_error_set(err, -EINTR, "interrupted") : ret;
}
