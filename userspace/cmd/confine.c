// SPDX-License-Identifier: GPL-2.0
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "command.h"
#include "confine_filter.h"
#include "object_file.h"
#include "progress.h"
#include "reader_parts.h"

#define NOBODY	65534

static pid_t parent;
/* Whom the reader has become, 0 for nobody else. */
static uid_t reader;

static uid_t id_of(const char *name)
{
	const char *text = getenv(name);
	uint64_t id;

	return text && ct_number(text, &id) && id && id < UINT32_MAX ? id : NOBODY;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

/* A container may have no such user, or not the right to become another. */
static int leave_root(void)
{
	uid_t uid = id_of("SUDO_UID");
	gid_t gid = id_of("SUDO_GID");

	if (getenv(CT_KEEP_RIGHTS))
		return 0;
	/* A service may have been given some without being root. */
	if (geteuid())
		return drop_capabilities();
	if (!setgroups(0, NULL) && !setresgid(gid, gid, gid) && !setresuid(uid, uid, uid))
		reader = uid;
	else if (errno != EPERM && errno != EINVAL)
		return -errno;
	return drop_capabilities();
}

/* What is read is open. */
static int confine(int fd, struct ct_error *err)
{
	static bool confined;
	int ret;

	(void)fd;
	if (confined)
		return 0;
	confined = true;
	ret = leave_root();
	if (!ret && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		ret = -errno;
	/* After the change of user, which forgets it. */
	if (!ret && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		ret = -ESRCH;
	if (!ret)
		ret = ct_confine_calls();
	return ret ? ct_error_set(err, ret,
				  "cannot give up rights before a trace is read: %s: run cowtrace as a user other than root",
				  strerror(-ret)) : 0;
}

/* Why functions have no names that root would have given them. */
static void tell_refused(void)
{
	const char *first;
	unsigned int n = ct_object_files_refused(&first);

	if (!reader || !n)
		return;
	ct_progress_erase();
	fprintf(stderr,
		"cowtrace: %u of the traced programs could not be opened, the first is %s: a trace is read as user %u, who may not, so its functions have no names here: %s=1 in the environment reads it as root\n",
		n, first, reader, CT_KEEP_RIGHTS);
}

static int ended(pid_t child, int failed)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return failed;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	fprintf(stderr, "cowtrace: reading the trace was ended by signal %d (%s)\n",
		WTERMSIG(status), strsignal(WTERMSIG(status)));
	return failed;
}

/* @failed: the exit status when there is none of @run. @at_once: it opens no trace. */
static int confined(int (*run)(void *arg), void *arg, int failed, bool at_once)
{
	struct ct_error err;
	pid_t child;
	int status;

	parent = getpid();
	/* What is buffered must not be written twice. */
	fflush(NULL);
	child = fork();
	if (child < 0) {
		ct_error_set(&err, -errno, "cannot start a process to read the trace in: %s",
			     strerror(errno));
		ct_complain(&err);
		return failed;
	}
	if (child)
		return ended(child, failed);
	ct_reader_opened = confine;
	if (at_once && confine(-1, &err)) {
		ct_complain(&err);
		exit(failed);
	}
	status = run(arg);
	tell_refused();
	exit(status);
}

/* What ct_confined() is given. */
struct task {
	int	(*run)(void *arg, struct ct_error *err);
	void	*arg;
};

static int run_task(void *arg)
{
	const struct task *task = arg;
	struct ct_error err;

	if (!task->run(task->arg, &err))
		return CT_EXIT_OK;
	ct_complain(&err);
	return CT_EXIT_FAIL;
}

int ct_confined(int (*run)(void *arg, struct ct_error *err), void *arg)
{
	struct task task = { run, arg };

	return confined(run_task, &task, CT_EXIT_FAIL, false);
}

int ct_confined_at_once(int (*run)(void *arg), void *arg, int failed)
{
	return confined(run, arg, failed, true);
}

/* What ct_report_on() is to be given. */
struct report {
	FILE		*out;
	const char	*trace_path;
	ct_report_fn	*print;
	const void	*arg;
};

static int report_on(void *arg)
{
	const struct report *r = arg;

	return ct_report_on(r->out, r->trace_path, r->print, r->arg);
}

int ct_confined_report(FILE *out, const char *trace_path, ct_report_fn *print, const void *arg)
{
	struct report r = { out, trace_path, print, arg };

	return confined(report_on, &r, CT_REPORT_FAILED, false);
}
