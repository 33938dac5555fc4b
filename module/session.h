/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session: when the probes are armed, and for whom. The file enabled and the
 * tracepoint arm them independently; the first arms, the last disarms.
 */
#ifndef COW_SESSION_H
#define COW_SESSION_H

#include <linux/types.h>

#include "count.h"
#include "points.h"

struct cow_ring;
struct dentry;
struct seq_file;

/**
 * enum cow_user - who wants faults, a bit each
 * @COW_USER_FILES: the file enabled: records go to the ring and to events.
 * @COW_USER_TRACE: the tracepoint cowtrace:wp_fault.
 * @COW_USER_COUNT: the file enabled in the mode counts, instead of FILES: there is no
 *	record but for events, while that is open.
 */
enum cow_user {
	COW_USER_FILES = 1,
	COW_USER_TRACE = 2,
	COW_USER_COUNT = 4,
};

/**
 * struct cow_hot - what the handlers read on each fault, all of it rarely written
 * @generation: of the session whose exits count, 0 for none.
 * @users: enum cow_user bits: whose entries count, 0 for nobody's.
 * @watched: a bit for each enum cowtrace_path whose witnesses are armed.
 * @sample_below: a fault is taken when its random number is below, U64_MAX for all.
 * @ring: records for the files cpuN.
 * @events: records for the file events, NULL while it is closed.
 */
struct cow_hot {
	u32		generation;
	u32		users;
	u32		watched;
	u64		sample_below;
	struct cow_ring	*ring;
	struct cow_ring	*events;
};

extern struct cow_hot cow_hot;

/**
 * enum cow_witness_mode - the setting witness
 * @COW_WITNESS_AUTO: where the return code leaves a question: everywhere but on
 *	5.10's faults of one PTE. As ON, but a witness that fails is left out.
 * @COW_WITNESS_ON: always.
 * @COW_WITNESS_OFF: never: what only they can settle is then raced.
 */
enum cow_witness_mode {
	COW_WITNESS_AUTO,
	COW_WITNESS_ON,
	COW_WITNESS_OFF,
};

/* Create the ring in @dir and try the probes. Return: 0 or a negative errno, with a log line. */
int cow_session_init(struct dentry *dir, const char *backend, unsigned int buffer_kb);
/* All else stands: from now on files may be opened, and faults asked for. */
void cow_session_open(void);
/* Until then a load may fail, and would free under its feet who has a file open. */
bool cow_session_is_open(void);
/* Disarm whoever wants faults, and free all. */
void cow_session_exit(void);

/**
 * cow_session_enable() - the file enabled
 * @on: wanted.
 *
 * Switching on provokes a fault and fails when it is not seen.
 * Return: 0 or a negative errno, with a line in the kernel log.
 */
int cow_session_enable(bool on);

/*
 * The tracepoint was switched. Called under the kernel's tracepoint locks. Where an
 * fprobe needs these locks itself (7.2) the probes follow a moment later.
 */
int cow_session_trace(bool on);

/* Does the file enabled say 1? */
bool cow_session_running(void);
/* Name of the backend in use. */
const char *cow_session_backend(void);
/* Sums over all sessions since the last reset. */
struct cow_missed cow_session_missed(void);

/**
 * enum cow_sight - what the last provoked fault showed
 * @COW_SIGHT_UNKNOWN: none was provoked in this session.
 * @COW_SIGHT_SEEN: the probes saw it.
 * @COW_SIGHT_UNSEEN: they did not: kprobes are disarmed or ftrace is off.
 */
enum cow_sight {
	COW_SIGHT_UNKNOWN,
	COW_SIGHT_SEEN,
	COW_SIGHT_UNSEEN,
};

/* Provoke a fault in a running session. Context: as cow_prove(). */
enum cow_sight cow_session_check(void);
/* What the last check found, and how many checks failed since the last reset. */
enum cow_sight cow_session_sight(void);
unsigned int cow_session_blind_checks(void);

/* Text of the file probes. */
int cow_session_probes_show(struct seq_file *m, void *v);

/* Settings. Return: 0, -EBUSY in a session or while a file is open, or another errno. */
int cow_session_reset(void);
int cow_session_set_buffer_kb(unsigned int kb);
unsigned int cow_session_buffer_kb(void);
int cow_session_set_witness(enum cow_witness_mode mode);
enum cow_witness_mode cow_session_witness(void);
/* Count the answers of the policies (policies.h), from zero on. */
int cow_session_set_policies(bool on);
/*
 * What is counted (count.h). A change begins at zero, as a reset does, when it changes
 * what is counted now.
 */
int cow_session_set_counting(enum cow_counting what, bool on);

#endif /* COW_SESSION_H */
