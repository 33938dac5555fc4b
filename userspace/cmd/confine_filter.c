// SPDX-License-Identifier: GPL-2.0
/* Written by hand: libseccomp would be a dependency for these eighty lines alone. */
#include "confine_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE	AUDIT_ARCH_AARCH64
#endif

/* A sanitizer looks for leaks by a thread that stops the others. */
#if defined(ARCHITECTURE) && !defined(__SANITIZE_ADDRESS__)

/* What isatty() asks by in newer C libraries; its header cannot stand beside sys/ioctl.h. */
#define GET_TERMINAL	0x802c542a
/* All that opens a file otherwise than for reading. */
#define WRITES		(O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/**
 * struct rule - a call that is allowed
 * @nr: its number.
 * @arg: an argument of it.
 * @mask: bits of the argument, of which the lower 32 are looked at.
 * @value: what these bits have to be.
 */
struct rule {
	uint32_t	nr;
	uint32_t	arg;
	uint32_t	mask;
	uint32_t	value;
};

#define ANY(name)			{ __NR_##name, 0, 0, 0 }
#define WITHOUT(name, arg, bits)	{ __NR_##name, arg, bits, 0 }
#define WITH(name, arg, value)		{ __NR_##name, arg, UINT32_MAX, value }

static const struct rule rules[] = {
	ANY(read), ANY(pread64), ANY(readv), ANY(write), ANY(writev), ANY(lseek), ANY(close),
	ANY(fstat), ANY(newfstatat), ANY(statx), ANY(faccessat), ANY(readlinkat),
#ifdef __NR_stat /* and the like, which newer architectures never had */
	ANY(stat), ANY(lstat), ANY(access), ANY(readlink), ANY(time),
#endif
	WITHOUT(openat, 2, WRITES),
	ANY(fadvise64),
	WITHOUT(mmap, 2, PROT_EXEC), WITHOUT(mprotect, 2, PROT_EXEC),
	ANY(munmap), ANY(mremap), ANY(madvise), ANY(brk), ANY(sysinfo),
	WITH(ioctl, 1, TCGETS), WITH(ioctl, 1, GET_TERMINAL), WITH(ioctl, 1, TIOCGWINSZ),
	WITH(fcntl, 1, F_GETFD), WITH(fcntl, 1, F_SETFD), WITH(fcntl, 1, F_GETFL),
	WITH(fcntl, 1, F_DUPFD_CLOEXEC),
	ANY(clock_gettime), ANY(gettimeofday), ANY(getrandom),
	ANY(getpid), ANY(gettid), ANY(getppid), ANY(getuid), ANY(geteuid), ANY(uname),
	ANY(futex), ANY(sched_getaffinity), ANY(sched_yield), ANY(restart_syscall),
	ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(rt_sigreturn), ANY(sigaltstack),
	ANY(exit), ANY(exit_group),
};

#define NR_RULES	(sizeof(rules) / sizeof(*rules))

#define LOAD(field)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what)	BPF_STMT(BPF_RET | BPF_K, (what))
#define UNLESS(value, skip)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define REFUSE		RETURN(SECCOMP_RET_ERRNO | EPERM)
#define PER_RULE	6

static size_t add(struct sock_filter *to, const struct sock_filter *from, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		to[i] = from[i];
	return nr;
}

/* With the number of the call loaded, before and, if it goes on, after. */
static size_t add_rule(struct sock_filter *to, const struct rule *r)
{
	const struct sock_filter always[] = {
		UNLESS(r->nr, 1),
		RETURN(SECCOMP_RET_ALLOW),
	};
	/* Little endian: the lower half of an argument is its first. */
	const struct sock_filter asked[PER_RULE] = {
		UNLESS(r->nr, 5),
		LOAD(args[r->arg]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask),
		UNLESS(r->value, 1),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(nr),
	};

	return r->mask ? add(to, asked, PER_RULE) : add(to, always, 2);
}

int ct_confine_calls(void)
{
	static const struct sock_filter head[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		REFUSE,
		LOAD(nr),
	};
	const struct rule abort_self = WITH(tgkill, 0, getpid());
	struct sock_filter code[(NR_RULES + 1) * PER_RULE + 8];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;

	n += add(code, head, sizeof(head) / sizeof(*head));
	for (size_t i = 0; i < NR_RULES; i++)
		n += add_rule(code + n, &rules[i]);
	n += add_rule(code + n, &abort_self);
	code[n++] = (struct sock_filter)REFUSE;
	program.len = n;
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) || errno == EINVAL ||
	    errno == ENOSYS)
		return 0;
	return -errno;
}

#else

int ct_confine_calls(void)
{
	return 0;
}

#endif
