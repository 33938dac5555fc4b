// SPDX-License-Identifier: GPL-2.0
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture_settings.h"
#include "module.h"

static int configure(struct ct_settings *s, char *const *settings, size_t nr,
		     struct ct_error *err)
{
	static const char *const counting[] = {
		"durations=1", "processes=1", "policies=0", "mode=counts",
	};
	int ret = ct_settings_clear(s, err);

	for (size_t i = 0; !ret && i < nr; i++)
		ret = ct_settings_assign(s, settings[i], err);
	for (size_t i = 0; !ret && i < sizeof(counting) / sizeof(*counting); i++)
		ret = ct_settings_assign(s, counting[i], err);
	return ret;
}

static int switch_on(struct ct_module *m, struct ct_settings **saved, char *const *settings,
		     size_t nr, struct ct_error *err)
{
	int ret = ct_module_claim(m, err);

	if (!ret)
		ret = ct_settings_save(saved, &m->source, err);
	if (!ret)
		ret = configure(*saved, settings, nr, err);
	if (!ret)
		ret = m->source.set(&m->source, "reset", "1", err);
	return ret ? ret : m->source.set(&m->source, "enabled", "1", err);
}

/* What is written to a terminal or a pipe is not ours, but for complaints. */
static void leave_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
}

/* Whatever ends the one who looks must not end this too: a terminal, a killall. */
static void outlive(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

	setsid();
	prctl(PR_SET_NAME, "cowtrace-keeper");
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_IGN);
}

static void keep(int fd, char *const *settings, size_t nr)
{
	struct ct_settings *saved = NULL;
	struct ct_error err = { 0 }, ignored;
	struct ct_module m;
	char end;
	int ret;

	outlive();
	leave_output();
	ret = ct_module_open(&m, &err);
	if (ret) {
		send(fd, &err, sizeof(err), MSG_NOSIGNAL);
		return;
	}
	ret = switch_on(&m, &saved, settings, nr, &err);
	err.code = ret;
	/* Nobody to take the answer is nobody to keep it for. */
	if (send(fd, &err, sizeof(err), MSG_NOSIGNAL) == sizeof(err) && !ret)
		while (read(fd, &end, 1) < 0 && errno == EINTR)
			;
	if (!ret)
		m.source.set(&m.source, "enabled", "0", &ignored);
	ct_settings_restore(saved);
	ct_module_close(&m);
}

int ct_keeper_start(struct ct_keeper *k, char *const *settings, size_t nr, struct ct_error *err)
{
	int fds[2];
	ssize_t n;

	*k = (struct ct_keeper){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return ct_error_set(err, -errno, "cannot make a pair of sockets: %s",
				    strerror(errno));
	k->pid = fork();
	if (!k->pid) {
		close(fds[0]);
		keep(fds[1], settings, nr);
		_exit(0);
	}
	close(fds[1]);
	k->fd = fds[0];
	if (k->pid < 0) {
		n = errno;
		k->pid = 0;
		close(k->fd);
		return ct_error_set(err, -n, "cannot fork: %s", strerror(n));
	}
	do {
		n = read(k->fd, err, sizeof(*err));
	} while (n < 0 && errno == EINTR);
	if (n == sizeof(*err) && !err->code)
		return 0;
	ct_keeper_stop(k);
	return n == sizeof(*err) ? err->code :
	       ct_error_set(err, -ESRCH, "the process that was to switch counting on was killed: try again");
}

void ct_keeper_stop(struct ct_keeper *k)
{
	if (!k->pid)
		return;
	close(k->fd);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*k = (struct ct_keeper){ .fd = -1 };
}
