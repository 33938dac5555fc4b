// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "clock.h"
#include "compat/compat.h"
#include "count.h"
#include "counters.h"
#include "points.h"
#include "policies.h"
#include "proof.h"
#include "register.h"
#include "ring.h"
#include "session.h"

/* How long a stop waits for faults that are inside do_wp_page(), in ms. */
#define GRACE_MS	100

struct cow_hot cow_hot __read_mostly = { .sample_below = U64_MAX };

/*
 * control_mutex: one change of the session or of a setting at a time. Taken
 * before mmap_lock, because a session is proved by a fault.
 * probe_mutex: arming and disarming. Innermost, because the tracepoint's
 * switch comes with the kernel's tracepoint locks held.
 */
static DEFINE_MUTEX(control_mutex);
static DEFINE_MUTEX(probe_mutex);

static const struct cow_backend *backend;
static struct dentry *directory;
static unsigned int buffer_kb;
static enum cow_witness_mode witness_mode;
/* For whom the probes are armed; the users in cow_hot follow later. */
static u32 holders;
/* The armed points, BIT(enum cow_point_id). */
static unsigned long attached;
static u32 last_generation;
/* Trace events can be enabled before init has ended and after exit has begun. */
static bool ready;
/* Of probes that were detached since the last reset. */
static struct cow_missed missed_before;
static enum cow_sight sight;
static unsigned int blind_checks;

static void complain(enum cow_point_id id, int err)
{
	const char *name = cow_symbol_name(cow_points[id].symbol);

	if (err == -ENOENT)
		pr_err_ratelimited("this kernel has no %s() for a %s\n", name, backend->name);
	else if (err == -EINVAL)
		pr_err_ratelimited("no %s on %s(): it is blacklisted, see /sys/kernel/debug/kprobes/blacklist\n",
				   backend->name, name);
	else
		pr_err_ratelimited("no %s on %s(): error %d\n", backend->name, name, err);
}

static void add_missed(struct cow_missed *sum, struct cow_missed more)
{
	sum->entry += more.entry;
	sum->nested += more.nested;
	sum->witness += more.witness;
}

static void detach_all(void)
{
	add_missed(&missed_before, backend->detach());
	attached = 0;
	WRITE_ONCE(cow_hot.watched, 0);
}

static bool is_witness(enum cow_point_id id)
{
	return !cow_points[id].enter;
}

/*
 * Until 5.18 the return code of a PTE's fault leaves no question, until 6.1 that
 * of a PMD's. A reuse is told by the pgreuse event unless the task can be preempted
 * before it returns.
 */
static bool auto_wanted(enum cow_point_id id)
{
	switch (id) {
	case COW_POINT_WP_COPY:
		return !(COW_TRAITS & COWTRACE_TRAIT_RET_WRITE) ||
		       COW_TRAITS & COWTRACE_TRAIT_EXCLUSIVE;
	case COW_POINT_WP_REUSE:
		return !(COW_TRAITS & COWTRACE_TRAIT_RET_WRITE) && cow_preemptible();
	case COW_POINT_PMD_REUSE:
	case COW_POINT_PMD_COPY:
		return !(COW_TRAITS & COWTRACE_TRAIT_RET_WRITE);
	default:
		return true;
	}
}

static bool wanted(enum cow_point_id id)
{
	if (!cow_symbol_exists(cow_points[id].symbol))
		return false;
	if (!is_witness(id) || witness_mode == COW_WITNESS_ON)
		return true;
	if (witness_mode == COW_WITNESS_OFF)
		return false;
	return auto_wanted(id);
}

/* Can a session do without the point? */
static bool needed(enum cow_point_id id)
{
	return id == COW_POINT_WP || (is_witness(id) && witness_mode == COW_WITNESS_ON);
}

/* Which points of the set can be armed at all? Return: 0, or why a needed one cannot. */
static int try_each(unsigned long *points)
{
	int id, err;

	for_each_set_bit(id, points, COW_NR_POINTS) {
		err = backend->attach(BIT(id));
		if (!err) {
			backend->detach();
			continue;
		}
		complain(id, err);
		/* That there was no memory (EIO too) says nothing about a function. */
		if (needed(id) || err == -ENOMEM || err == -EIO)
			return cow_as_told(err);
		*points &= ~BIT(id);
	}
	return 0;
}

/* A path is watched when none of its witnesses is missing. */
static u32 watched_paths(void)
{
	u32 watched = 0, blind = 0;
	int id;

	for (id = 0; id < COW_NR_POINTS; id++) {
		if (!cow_points[id].silence)
			continue;
		if (attached & BIT(id))
			watched |= BIT(cow_points[id].path);
		else
			blind |= BIT(cow_points[id].path);
	}
	return watched & ~blind;
}

static int attach_all(void)
{
	unsigned long points = 0;
	int id, err;

	for (id = 0; id < COW_NR_POINTS; id++)
		if (wanted(id))
			points |= BIT(id);
		else if (witness_mode == COW_WITNESS_ON && needed(id))
			complain(id, -ENOENT);
	err = backend->attach(points);
	if (err) {
		err = try_each(&points);
		if (err)
			return err;
		err = backend->attach(points);
		if (err) {
			pr_err_ratelimited("no %s on all of its functions together: error %d\n",
					   backend->name, err);
			return cow_as_told(err);
		}
	}
	attached = points;
	WRITE_ONCE(cow_hot.watched, watched_paths());
	return 0;
}

/* 0 means that no exit counts. */
static u32 next_generation(void)
{
	if (!++last_generation)
		last_generation = 1;
	return last_generation;
}

/* Arm the probes for @user; nothing is recorded for it before admit(). */
static int hold(u32 user)
{
	int err = 0;

	mutex_lock(&probe_mutex);
	if (!ready) {
		err = -ENODEV;
	} else if (!holders) {
		WRITE_ONCE(sight, COW_SIGHT_UNKNOWN);
		cow_clock_init();
		cow_witness_forget();
		err = attach_all();
		if (!err)
			WRITE_ONCE(cow_hot.generation, next_generation());
	}
	if (!err)
		holders |= user;
	mutex_unlock(&probe_mutex);
	return err;
}

static void admit(u32 user)
{
	mutex_lock(&probe_mutex);
	WRITE_ONCE(cow_hot.users, cow_hot.users | user);
	mutex_unlock(&probe_mutex);
}

/* Faults that are on their way get a moment to end. */
static void release(u32 user)
{
	int waited;

	mutex_lock(&probe_mutex);
	WRITE_ONCE(cow_hot.users, cow_hot.users & ~user);
	holders &= ~user;
	if (cow_hot.generation) {
		synchronize_rcu();
		for (waited = 0; cow_asleep() && waited < GRACE_MS; waited++)
			usleep_range(1000, 1500);
	}
	if (cow_hot.generation && !holders) {
		WRITE_ONCE(cow_hot.generation, 0);
		detach_all();
		cow_skip_asleep();
	}
	mutex_unlock(&probe_mutex);
}

static u64 missed_faults(void)
{
	struct cow_missed m = cow_session_missed();

	return m.entry + m.nested;
}

/* A proof that was missed for want of storage says nothing about the probes. */
static int prove(void)
{
	u64 before = missed_faults();
	int err = cow_prove();

	return err == -ENODATA && missed_faults() != before ? -EAGAIN : err;
}

static enum cow_sight look(void)
{
	switch (prove()) {
	case 0:
		return COW_SIGHT_SEEN;
	case -ENODATA:
		return COW_SIGHT_UNSEEN;
	default:
		return COW_SIGHT_UNKNOWN;
	}
}

/* The witness of PTEs, the only one that a proof calls, stayed silent. */
static bool blind(void)
{
	return (READ_ONCE(cow_hot.watched) & BIT(COWTRACE_PATH_PTE)) && !cow_proof_witnessed();
}

/* Silence of a witness that sees nothing must not count. */
static void distrust(void)
{
	/* The tracepoint's switch arms and disarms without the control_mutex. */
	mutex_lock(&probe_mutex);
	WRITE_ONCE(cow_hot.watched, cow_hot.watched & ~BIT(COWTRACE_PATH_PTE));
	mutex_unlock(&probe_mutex);
}

static int prove_start(void)
{
	int err = prove();

	if (err == -ENODATA)
		pr_err_ratelimited("the probes see no fault: kprobes are disarmed (echo 1 > /sys/kernel/debug/kprobes/enabled) or ftrace is off (sysctl kernel.ftrace_enabled=1)\n");
	else if (err == -EAGAIN)
		pr_err_ratelimited("the proof of the probes was missed: too many tasks sleep in %s(), load with a larger maxactive\n",
				   cow_symbol_name(COW_SYM_WP));
	else if (err == -EDEADLK)
		pr_err_ratelimited("this process locks all its memory (mlockall), so the probes cannot be proved by a fault of it: enable from another process\n");
	else if (err)
		pr_err_ratelimited("no fault could be provoked for a proof: error %d\n", err);
	if (!err && blind()) {
		pr_err_ratelimited("the witness on %s() does not see copies of this kernel%s\n",
				   cow_symbol_name(COW_SYM_PTE_FLUSH),
				   witness_mode == COW_WITNESS_ON ? "" :
				   ": copies will show as raced");
		if (witness_mode == COW_WITNESS_ON)
			err = -ENODATA;
		else
			distrust();
	}
	if (!err)
		WRITE_ONCE(sight, COW_SIGHT_SEEN);
	return err;
}

/* The user that the file enabled stands for, in either mode. */
#define ENABLED	(COW_USER_FILES | COW_USER_COUNT)

static int start(void)
{
	u32 user = cow_counting() & COW_COUNTING ? COW_USER_COUNT : COW_USER_FILES;
	int err;

	if (user == COW_USER_FILES && !cow_hot.ring) {
		pr_err_ratelimited("there is no buffer since buffer_kb could not be set: set it again\n");
		return -ENOMEM;
	}
	err = hold(user);
	if (err)
		return err;
	err = prove_start();
	if (err) {
		release(user);
		return err;
	}
	if (user == COW_USER_FILES)
		cow_ring_live(cow_hot.ring, true);
	admit(user);
	return 0;
}

static void check_locked(void)
{
	u32 generation = READ_ONCE(cow_hot.generation);
	enum cow_sight now;

	if (!generation)
		return;
	now = look();
	/* The tracepoint may have been switched off under the fault. */
	if (now == COW_SIGHT_UNSEEN && generation != READ_ONCE(cow_hot.generation))
		return;
	if (now == COW_SIGHT_UNSEEN)
		WRITE_ONCE(blind_checks, blind_checks + 1);
	if (now == COW_SIGHT_SEEN && blind())
		distrust();
	WRITE_ONCE(sight, now);
}

enum cow_sight cow_session_check(void)
{
	mutex_lock(&control_mutex);
	check_locked();
	mutex_unlock(&control_mutex);
	return cow_session_sight();
}

enum cow_sight cow_session_sight(void)
{
	return READ_ONCE(sight);
}

unsigned int cow_session_blind_checks(void)
{
	return READ_ONCE(blind_checks);
}

int cow_session_enable(bool on)
{
	int err = 0;

	mutex_lock(&control_mutex);
	if (on && !cow_session_running()) {
		err = start();
	} else if (!on && cow_session_running()) {
		/* Were they armed to the end? */
		check_locked();
		release(ENABLED);
		if (cow_hot.ring)
			cow_ring_live(cow_hot.ring, false);
	}
	mutex_unlock(&control_mutex);
	return err;
}

static int switch_trace(bool on)
{
	int err;

	if (!on) {
		release(COW_USER_TRACE);
		return 0;
	}
	err = hold(COW_USER_TRACE);
	if (!err)
		admit(COW_USER_TRACE);
	return err;
}

#ifdef COW_HAVE_FPROBE_FTRACE_REGS

/*
 * An fprobe is a user of the function graph there, whose first and last user
 * take tracepoints_mutex, which our caller holds: follow it from a work item.
 */
static DEFINE_SPINLOCK(trace_lock);
static bool trace_wanted, trace_open;

static void follow_trace(struct work_struct *work)
{
	static bool held;
	bool wanted = READ_ONCE(trace_wanted);

	if (wanted != held)
		held = !switch_trace(wanted) && wanted;
}

static DECLARE_WORK(trace_work, follow_trace);

int cow_session_trace(bool on)
{
	int err = 0;

	if (backend != &cow_fprobe)
		return switch_trace(on);
	spin_lock(&trace_lock);
	WRITE_ONCE(trace_wanted, on);
	if (trace_open)
		schedule_work(&trace_work);
	else
		err = -ENODEV;
	spin_unlock(&trace_lock);
	return err;
}

static void open_trace(bool open)
{
	spin_lock(&trace_lock);
	trace_open = open;
	spin_unlock(&trace_lock);
	if (!open)
		cancel_work_sync(&trace_work);
}

#else

int cow_session_trace(bool on)
{
	return switch_trace(on);
}

static void open_trace(bool open)
{
}

#endif

bool cow_session_running(void)
{
	return READ_ONCE(cow_hot.users) & ENABLED;
}

const char *cow_session_backend(void)
{
	return backend->name;
}

struct cow_missed cow_session_missed(void)
{
	struct cow_missed sum;

	mutex_lock(&probe_mutex);
	sum = missed_before;
	if (attached)
		add_missed(&sum, backend->missed());
	mutex_unlock(&probe_mutex);
	return sum;
}

static const char *probe_state(enum cow_point_id id)
{
	if (!cow_symbol_exists(cow_points[id].symbol))
		return "absent";
	if (!(attached & BIT(id)))
		return "off";
	if (READ_ONCE(sight) == COW_SIGHT_UNSEEN)
		return "disarmed";
	if (cow_points[id].silence && !(cow_hot.watched & BIT(cow_points[id].path)))
		return "blind";
	return "armed";
}

int cow_session_probes_show(struct seq_file *m, void *v)
{
	int id;

	seq_puts(m, "# symbol backend state hits\n");
	mutex_lock(&probe_mutex);
	for (id = 0; id < COW_NR_POINTS; id++)
		seq_printf(m, "%s %s %s %llu\n", cow_symbol_name(cow_points[id].symbol),
			   backend->name, probe_state(id), cow_points[id].hits());
	mutex_unlock(&probe_mutex);
	return 0;
}

/* Run @change while no session runs and no file of the ring is open. */
static int change_at_rest(int (*change)(unsigned int arg), unsigned int arg)
{
	int err = -EBUSY;

	mutex_lock(&control_mutex);
	mutex_lock(&probe_mutex);
	if (!holders && (!cow_hot.ring || cow_ring_shut(cow_hot.ring))) {
		err = change(arg);
		if (cow_hot.ring)
			cow_ring_reopen(cow_hot.ring);
	}
	mutex_unlock(&probe_mutex);
	mutex_unlock(&control_mutex);
	return err;
}

static int reset(unsigned int unused)
{
	if (cow_hot.ring)
		cow_ring_clear(cow_hot.ring);
	cow_counters_reset();
	cow_count_reset();
	cow_policies_reset();
	missed_before = (struct cow_missed) { 0 };
	WRITE_ONCE(blind_checks, 0);
	return 0;
}

int cow_session_reset(void)
{
	return change_at_rest(reset, 0);
}

/* The old ring goes first: both would want the same file names. */
static int resize(unsigned int kb)
{
	struct cow_ring *ring;

	if (cow_hot.ring)
		cow_ring_destroy(cow_hot.ring);
	ring = cow_ring_create(kb, directory, true);
	if (!IS_ERR(ring)) {
		cow_hot.ring = ring;
		WRITE_ONCE(buffer_kb, kb);
		return 0;
	}
	/* The memory that was just freed should serve the old size again. */
	cow_hot.ring = cow_ring_create(buffer_kb, directory, true);
	if (IS_ERR(cow_hot.ring))
		cow_hot.ring = NULL;
	return PTR_ERR(ring);
}

int cow_session_set_buffer_kb(unsigned int kb)
{
	if (kb < COW_RING_MIN_KB || kb > COW_RING_MAX_KB || kb & (kb - 1))
		return -EINVAL;
	return change_at_rest(resize, kb);
}

unsigned int cow_session_buffer_kb(void)
{
	return READ_ONCE(buffer_kb);
}

static int set_witness(unsigned int mode)
{
	WRITE_ONCE(witness_mode, mode);
	return 0;
}

int cow_session_set_witness(enum cow_witness_mode mode)
{
	return change_at_rest(set_witness, mode);
}

enum cow_witness_mode cow_session_witness(void)
{
	return READ_ONCE(witness_mode);
}

static int switch_policies(unsigned int on)
{
	return cow_policies_switch(on);
}

int cow_session_set_policies(bool on)
{
	return change_at_rest(switch_policies, on);
}

/* @what_on: enum cow_counting, and behind it whether it is wanted. */
static int switch_counting(unsigned int what_on)
{
	unsigned int before = cow_counting(), what = what_on >> 1;
	unsigned int after = what_on & 1 ? before | what : before & ~what;
	int err;

	if (after == before)
		return 0;
	err = cow_count_switch(after);
	if (!err && (before | after) & COW_COUNTING)
		reset(0);
	return err;
}

int cow_session_set_counting(enum cow_counting what, bool on)
{
	return change_at_rest(switch_counting, what << 1 | on);
}

static const struct cow_backend *choose_backend(const char *name)
{
	/*
	 * The cheaper pair first, by "make bench": empty ones cost 442 instructions with
	 * fprobe and 450 with kretprobe on 6.12; but 644 and 480 on 7.2, whose fprobe
	 * goes by way of the function graph tracer.
	 */
#ifdef COW_HAVE_FPROBE_FTRACE_REGS
	static const struct cow_backend * const backends[] = { &cow_kretprobe, &cow_fprobe };
#else
	static const struct cow_backend * const backends[] = { &cow_fprobe, &cow_kretprobe };
#endif
	bool any = !strcmp(name, "auto");
	int i;

	for (i = 0; i < ARRAY_SIZE(backends); i++) {
		const struct cow_backend *b = backends[i];

		if (any ? !b->missing : !strcmp(name, b->name)) {
			if (!b->missing)
				return b;
			pr_err("backend=%s: %s; use backend=kretprobe\n", name, b->missing);
			return ERR_PTR(-EOPNOTSUPP);
		}
	}
	pr_err("backend=%s is not known: use auto, fprobe or kretprobe\n", name);
	return ERR_PTR(-EINVAL);
}

int cow_session_init(struct dentry *dir, const char *name, unsigned int kb)
{
	struct cow_ring *ring;
	int err;

	backend = choose_backend(name);
	if (IS_ERR(backend))
		return PTR_ERR(backend);
	if (kb < COW_RING_MIN_KB || kb > COW_RING_MAX_KB || kb & (kb - 1)) {
		pr_err("buffer_kb=%u: use a power of two from %u to %u\n", kb, COW_RING_MIN_KB,
		       COW_RING_MAX_KB);
		return -EINVAL;
	}
	/* What cannot be attached later is better refused now. */
	mutex_lock(&probe_mutex);
	err = attach_all();
	if (!err)
		detach_all();
	mutex_unlock(&probe_mutex);
	if (err)
		return err;

	ring = cow_ring_create(kb, dir, true);
	if (IS_ERR(ring)) {
		pr_err("no memory for %u KiB of buffer a CPU\n", kb);
		return PTR_ERR(ring);
	}
	cow_hot.ring = ring;
	buffer_kb = kb;
	directory = dir;
	last_generation = get_random_u32();
	return 0;
}

void cow_session_open(void)
{
	mutex_lock(&probe_mutex);
	WRITE_ONCE(ready, true);
	mutex_unlock(&probe_mutex);
	open_trace(true);
}

bool cow_session_is_open(void)
{
	return READ_ONCE(ready);
}

void cow_session_exit(void)
{
	open_trace(false);
	mutex_lock(&probe_mutex);
	WRITE_ONCE(ready, false);
	mutex_unlock(&probe_mutex);
	release(ENABLED | COW_USER_TRACE);
	if (cow_hot.ring)
		cow_ring_destroy(cow_hot.ring);
	cow_hot.ring = NULL;
}
