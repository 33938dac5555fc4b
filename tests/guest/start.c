// SPDX-License-Identifier: GPL-2.0
/* Loading and switching on: refused with a sentence when no fault would be seen. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define KPROBES	"/sys/kernel/debug/kprobes/enabled"
#define FTRACE	"/proc/sys/kernel/ftrace_enabled"
#define MAN_PAGE "/usr/share/man/man5/cowtrace-debugfs.5"
#define DOCUMENTED_MAX	64

static bool nothing_left(void)
{
	return !module_loaded() && access(COW_DIR, F_OK) &&
	       !file_has("/sys/kernel/debug/kprobes/list", "cowtrace") &&
	       !file_has("/sys/kernel/debug/kprobes/list", "do_wp_page");
}

static void refused(const char *name, const char *variant, const char *parameters, int want,
		    const char *says, const char *claim)
{
	int log = log_open(), err = module_load(variant, parameters);
	const char *lines = log_read(log);
	char label[64];

	check(err == want && strstr(lines, says), name, claim, "%d instead of %d, log: %s", err,
	      want, lines);
	snprintf(label, sizeof(label), "%s-clean", name);
	check(nothing_left(), label, "and leaves no module, no directory and no probe",
	      "module %d, directory %d", module_loaded(), !access(COW_DIR, F_OK));
	close(log);
}

static void refused_loads(void)
{
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "backend=%s", backend);
	refused("nosymbol", "-nosymbol", parameters, -ENOENT, "this kernel has no ",
		"a kernel without the function: the load fails with ENOENT and a sentence");
	refused("blacklisted", "-blacklisted", parameters, -EINVAL, "it is blacklisted",
		"a function that must not be probed: the load fails with EINVAL and a sentence");
	refused("bogus", "", "backend=bogus", -EINVAL, "use auto, fprobe or kretprobe",
		"an unknown backend: EINVAL and a sentence that names the known ones");
	refused("odd-buffer", "", "buffer_kb=100", -EINVAL, "use a power of two from 64",
		"a bad buffer size: EINVAL and a sentence that names the good ones");
	refused("no-active", "", "maxactive=0", -EINVAL, "use 1 to ",
		"nothing to keep calls in: EINVAL and a sentence that names the good numbers");
}

/* The switch that makes this backend blind. */
static const char *blinder(void)
{
	return strcmp(backend, "fprobe") ? KPROBES : FTRACE;
}

static bool probes_say(const char *word)
{
	char line[64];

	snprintf(line, sizeof(line), "do_wp_page %s %s", backend, word);
	return file_has(COW_DIR "/probes", line);
}

static void blind_at_start(void)
{
	int log = log_open(), err;
	const char *lines;

	check(probes_say("off"), "off", "probes says off while tracing is off", "see the log");
	need(!file_write(blinder(), "0"), "%s cannot be switched off", blinder());
	err = cow_write("enabled", "1");
	lines = log_read(log);
	check(err == -ENODATA && strstr(lines, "the probes see no fault") &&
	      strstr(lines, strcmp(backend, "fprobe") ? "kprobes/enabled" : "ftrace_enabled"),
	      "blind", "disarmed from outside: enabling fails with ENODATA and a sentence with the remedy",
	      "%d, log: %s", err, lines);
	check(value_in(COW_DIR "/stats", "state") == 0 && file_has(COW_DIR "/enabled", "0") &&
	      probes_say("off"), "blind-off", "and tracing stays off", "enabled is on");
	need(!file_write(blinder(), "1"), "%s cannot be switched on", blinder());
	err = cow_write("enabled", "1");
	check(!err && probes_say("armed"), "armed", "armed again, it starts, and probes says armed",
	      "%d", err);
	close(log);
}

/* --- who cannot prove the probes ------------------------------------------------- */

static void lock_all(void)
{
	need(!mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall: %s", strerror(errno));
}

static void enable_locked(void *unused)
{
	(void)unused;
	lock_all();
	_exit(-cow_write("enabled", "1"));
}

static void enable_cramped(void *unused)
{
	struct rlimit none = { 0, 0 };

	(void)unused;
	need(!setrlimit(RLIMIT_AS, &none), "RLIMIT_AS: %s", strerror(errno));
	_exit(-cow_write("enabled", "1"));
}

static void unprovable(const char *name, void (*enable)(void *), int want, const char *says,
		       const char *claim)
{
	int log = log_open(), status = child_wait(child(enable, NULL));
	const char *lines = log_read(log);
	char label[64];

	check(WIFEXITED(status) && WEXITSTATUS(status) == want && strstr(lines, says), name, claim,
	      "status %#x, log: %s", status, lines);
	snprintf(label, sizeof(label), "%s-off", name);
	check(!value_in(COW_DIR "/stats", "state") && probes_say("off"), label,
	      "and tracing stays off", "it is on");
	close(log);
}

static void unproved(void)
{
	unprovable("locked", enable_locked, EDEADLK, "locks all its memory",
		   "from a process that locks all its memory: EDEADLK and a sentence with the remedy");
	unprovable("cramped", enable_cramped, ENOMEM, "no fault could be provoked",
		   "from a process that may map nothing: ENOMEM and a sentence");
}

/* Who reads lost proves the probes again. */
static void read_locked(void *unused)
{
	(void)unused;
	lock_all();
	_exit(!file_has(COW_DIR "/lost", "disarmed -"));
}

static void groups_blind(void)
{
	static const char * const groups[] = {
		"groups/ksm/enabled", "groups/khugepaged/enabled", "groups/files/enabled",
	};
	const char *wrong = NULL;
	size_t i, blind = 0;
	int log, err;

	need(!file_write(KPROBES, "0"), KPROBES " cannot be switched off");
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		log = log_open();
		err = cow_write(groups[i], "1");
		if (err == -EIO && strstr(log_read(log), "kprobes do not work"))
			blind++;
		/* What this kernel does not have at all. */
		else if (err != -EOPNOTSUPP)
			wrong = groups[i];
		close(log);
	}
	need(!file_write(KPROBES, "1"), KPROBES " cannot be switched on");
	check(!wrong && blind, "groups-blind",
	      "kprobes are off: no group can be switched on, EIO and a sentence with the remedy",
	      "%s", wrong ?: "none of them");
}

/* --- disarmed while it runs -------------------------------------------------------- */

static void blind_later(void)
{
	long long before, during, after, checks;

	before = value_in(COW_DIR "/lost", "disarmed");
	need(!file_write(blinder(), "0"), "%s cannot be switched off", blinder());
	during = value_in(COW_DIR "/lost", "disarmed");
	check(!before && during == 1, "later", "disarmed later: lost says so", "%lld, then %lld",
	      before, during);
	check(probes_say("disarmed"), "later-probes", "and probes says disarmed", "it does not");
	checks = value_in(COW_DIR "/lost", "disarmed_checks");
	need(!file_write(blinder(), "1"), "%s cannot be switched on", blinder());
	after = value_in(COW_DIR "/lost", "disarmed");
	check(!after && checks >= 2 && value_in(COW_DIR "/lost", "disarmed_checks") == checks,
	      "again", "armed again: lost says so, and keeps how often it was not", "%lld, %lld",
	      after, checks);
}

/* The proof is no fault of the trace. */
static void proofs_apart(void)
{
	struct stats s;
	struct trace t;
	size_t i, proofs = 0;

	need(!cow_write("reset", "1"), "reset");
	enable();
	for (i = 0; i < 10; i++)
		value_in(COW_DIR "/lost", "full");
	disable();
	stats_read(&s);
	trace_read(&t);
	for (i = 0; i < t.n; i++)
		proofs += t.r[i].kind == COWTRACE_KIND_ZERO;
	check(s.sum.proofs == 12 && !proofs, "proofs",
	      "proofs are counted, and are no records: 1 at start, 10 by lost, 1 at the stop",
	      "%llu, %zu records", s.sum.proofs, proofs);
	trace_free(&t);
}

/* Files that the man page lists, as patterns: N is the number of a CPU, NAME a group. */
static struct {
	char		pattern[64];
	unsigned int	mode;
	bool		found;
} documented[DOCUMENTED_MAX];
static size_t nr_documented;

static void read_man_page(void)
{
	char line[256], name[64], *n;
	FILE *page = fopen(MAN_PAGE, "re");
	unsigned int mode;

	need(page, "no %s", MAN_PAGE);
	while (fgets(line, sizeof(line), page)) {
		if (sscanf(line, ".It Pa %63s Pq %o", name, &mode) != 2)
			continue;
		need(nr_documented < DOCUMENTED_MAX, "more files than expected");
		n = strstr(name, "NAME");
		if (!n && !strcmp(name, "cpuN"))
			n = name + 3;
		snprintf(documented[nr_documented].pattern, sizeof(documented->pattern), "%.*s%s%s",
			 n ? (int)(n - name) : -1, name, !n ? "" : *(n + 1) ? "*" : "[0-9]*",
			 n ? n + (*(n + 1) ? 4 : 1) : "");
		documented[nr_documented++].mode = mode;
	}
	fclose(page);
}

static char undocumented[128];

static int look_up(const char *path, const struct stat *st, int type, struct FTW *where)
{
	const char *name = path + strlen(COW_DIR "/");
	bool found = false;
	size_t i;

	(void)where;
	if (type != FTW_F)
		return 0;
	for (i = 0; i < nr_documented; i++)
		if (!fnmatch(documented[i].pattern, name, FNM_PATHNAME) &&
		    documented[i].mode == (st->st_mode & 07777)) {
			documented[i].found = true;
			found = true;
		}
	if (!found)
		snprintf(undocumented, sizeof(undocumented), "%s, mode %o", name,
			 st->st_mode & 07777);
	return 0;
}

static void man_page(void)
{
	const char *missing = "";
	size_t i;

	read_man_page();
	need(!nftw(COW_DIR, look_up, 8, FTW_PHYS), "%s cannot be walked", COW_DIR);
	check(!*undocumented, "documented", "each file is in cowtrace-debugfs(5), with its mode",
	      "%s is not", undocumented);
	for (i = 0; i < nr_documented; i++)
		if (!documented[i].found)
			missing = documented[i].pattern;
	check(nr_documented && !*missing, "exists",
	      "and each file that it lists is there, with that mode", "%s of %zu", missing,
	      nr_documented);
}

void run_start(void)
{
	refused_loads();
	module_start(256);
	man_page();
	unproved();
	groups_blind();
	blind_at_start();
	check(!child_wait(child(read_locked, NULL)), "locked-lost",
	      "lost is unknown, and not 0, to who locks all memory", "it is not");
	blind_later();
	disable();
	proofs_apart();
	need(!module_unload(O_NONBLOCK), "rmmod");
	check(nothing_left(), "unloaded", "unloaded, nothing is left", "see the log");
}
