// SPDX-License-Identifier: GPL-2.0
/*
 * Each registration and each allocation of the module fails once, in turn, in its init and
 * in each setting; then so do all from the nth on. Whatever comes of it, an error or success
 * by another way: nothing is left behind by the one, and nothing is missing after the other.
 * PASSES (default 3) times over, for a search for leaks, which is only made from 3 on.
 *
 * Of failures from the nth on in a load, every fifth n is tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "injection.h"
#include "lib.h"
#include "memory.h"

#define INJECT		"/sys/module/cowtrace_inject/parameters/"
/* More than any act takes. */
#define MOST		4000
/* The guest's own work may take half as many objects a pass; measured were none or one. */
#define LEAST_LEAK	10
/* The kernel leaves out what one place says more than ten times in five seconds. */
#define TOLD		9
#define TOLD_MS		5100

/* --- how it is made to fail --------------------------------------------------------------- */

/**
 * struct way - to make a call fail
 * @name: of what fails.
 * @aim: at the nth from now on, none for 0; @load: counted from the module's init on.
 * @hit: was there one? Its name, NULL for none; no more of them fail after this.
 * @step: of the failures of a load, and of what is done but once a load, which have
 *	hundreds, every how manieth is tried.
 * @told: each error has its line in the log, if what was done logs at all.
 * @refused: the errno by which functions are refused to it. It may be done without one then,
 *	but no error may say that the value was wrong, or that it has to be set back first.
 */
struct way {
	const char	*name;
	void		(*aim)(unsigned int nth, bool load);
	const char	*(*hit)(void);
	unsigned int	step;
	bool		told;
	unsigned int	refused;
};

static void inject_write(const char *parameter, unsigned int value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), INJECT "%s", parameter);
	snprintf(text, sizeof(text), "%u", value);
	need(!file_write(path, text), "%s does not take %s", path, text);
}

static unsigned int calls_made(void)
{
	char text[16] = "";

	need(file_read(INJECT "calls", text, sizeof(text)) > 0, "no injector");
	return atoi(text);
}

static void aim_call(unsigned int nth, bool load)
{
	(void)load;
	inject_write("nth", nth);
}

static const char *call_hit(void)
{
	static char name[64];

	need(file_read(INJECT "failed", name, sizeof(name)) > 0, "no injector");
	aim_call(0, false);
	name[strcspn(name, "\n")] = '\0';
	return *name ? name : NULL;
}

/* Of this task; kept open, as opening allocates too. */
static int nth_file = -1;

static void nth_write(unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	need(pwrite(nth_file, text, n, 0) == n, "fail-nth does not take %s", text);
}

/* First of all not this: what follows allocates. */
static void aim_task(unsigned int nth, bool load)
{
	nth_write(0);
	inject_write("task_nth", load ? nth : 0);
	if (!load)
		nth_write(nth);
}

/* What is left of the number says whether it came to that. */
static const char *task_hit(void)
{
	char text[16] = "";

	need(pread(nth_file, text, sizeof(text) - 1, 0) > 0, "fail-nth cannot be read");
	aim_task(0, false);
	return atoi(text) ? NULL : "kernel";
}

/* --- what came of it ---------------------------------------------------------------------- */

/**
 * struct tale - failures that ended alike
 * @act: what was done.
 * @failed: the function that failed, or the first of them.
 * @err: what was said, 0 when it was done all the same.
 * @text: what was logged first, empty for nothing.
 * @times: how many there were.
 */
static struct tale {
	char		act[32], failed[40], text[112];
	int		err;
	unsigned int	times;
} tales[256];
static size_t nr_tales;
static unsigned int injected;

static void remember(const char *act, const char *failed, int err, const char *text)
{
	struct tale *t = tales;
	struct tale new = { .err = -err, .times = 1 };

	snprintf(new.act, sizeof(new.act), "%s", act);
	snprintf(new.failed, sizeof(new.failed), "%s", failed);
	snprintf(new.text, sizeof(new.text), "%.*s", (int)strcspn(text, "\n"), text);
	injected++;
	while (t < tales + nr_tales && (t->err != new.err || strcmp(t->act, new.act) ||
					strcmp(t->failed, new.failed) || strcmp(t->text, new.text)))
		t++;
	if (t < tales + nr_tales) {
		t->times++;
	} else if (nr_tales < ARRAY_SIZE(tales)) {
		*t = new;
		nr_tales++;
	}
}

static void tell(const struct way *w)
{
	const struct tale *t;

	for (t = tales; t < tales + nr_tales; t++)
		note("%s: %s: %s %u times: %s%s%s%s", w->name, t->act, t->failed, t->times,
		     t->err ? strerrorname_np(t->err) : "done all the same",
		     *t->text ? ", \"" : "", t->text, *t->text ? "\"" : "");
	note("%s: %u failures injected", w->name, injected);
	nr_tales = 0;
	injected = 0;
}

/* --- the claims --------------------------------------------------------------------------- */

static struct visible before, good, now;

/* The first line of ours. */
static const char *logged(int log)
{
	const char *text = strstr(log_read(log), "cowtrace: ");

	return text ?: "";
}

/* Where the kernel's own allocations fail, which are far more, it would take too long. */
static bool is_anew(const struct act *a, const struct way *w)
{
	return a->once && w->told;
}

static void load_anew(void)
{
	act_undo(&injection_load);
	need(!act_do(&injection_load), "the module cannot be loaded");
}

/* What is wrong after it, NULL for nothing; all is as it was before then. */
static const char *after(const struct act *a, const struct way *w, int err, const char *what)
{
	const char *left = NULL;

	if (err && a->again)
		act_undo(a);
	visible_look(&now);
	if (err || !w->refused || !what)
		left = visible_differs(&now, err ? &before : &good);
	if (err && !left && !what)
		left = "an error without a failure";
	if (err && !left && w->refused == (unsigned int)-err && a != &injection_load)
		left = "an error of the value, or of a setting in the way";
	if (err && !left && is_anew(a, w) && !w->refused) {
		/* What was made of it by halves does for nothing. */
		if (act_do(a))
			return "it cannot be done any more";
		visible_look(&now);
		left = visible_differs(&now, &good);
		err = 0;
	}
	if (!err)
		act_undo(a);
	if (!err && !left && w->refused) {
		visible_look(&now);
		left = visible_differs(&now, &before);
	}
	return left;
}

/* Return: the function that failed, NULL for none. @wrong: what was wrong, for the first time. */
static const char *attempt(const struct act *a, const struct way *w, unsigned int nth,
			   char *wrong, size_t size)
{
	static unsigned int told;
	const char *left, *text, *what;
	int err, log;

	if (is_anew(a, w))
		load_anew();
	log = log_open();
	w->aim(nth, a == &injection_load);
	err = act_do(a);
	what = w->hit();
	text = logged(log);
	close(log);
	if (what)
		remember(a->name, what, err, text);
	left = after(a, w, err, what);
	if (err && !left && w->told && !a->silent && !*text)
		left = "nothing was said";
	if (left && !*wrong)
		snprintf(wrong, size, "%s: %s %u (%s), then %s, \"%.*s\"", left, w->name, nth,
			 what ?: "none", err ? strerror(-err) : "done",
			 (int)strcspn(text, "\n"), text);
	if ((err || w->refused) && w->told && a != &injection_load && !a->once &&
	    ++told % TOLD == 0)
		sleep_ms(TOLD_MS);
	return what;
}

static void inject(const struct act *a, const struct way *w, bool claim)
{
	const char *what = "nothing";
	char name[64], wrong[384] = "";
	unsigned int nth, step = a == &injection_load || is_anew(a, w) ? w->step : 1;
	int err;

	visible_look(&before);
	err = act_do(a);
	if (err) {
		note("%s: not on this kernel, %s", a->name, strerror(-err));
		return;
	}
	visible_look(&good);
	act_undo(a);
	for (nth = 1; nth < MOST * step && what; nth += step) {
		what = attempt(a, w, nth, wrong, sizeof(wrong));
		if (!what && nth == 1 && w->refused && !*wrong)
			return;
		if (!what && nth == 1 && !*wrong)
			snprintf(wrong, sizeof(wrong), "nothing in it was made to fail");
	}
	snprintf(name, sizeof(name), "%s-%s", a->name, w->name);
	/* One that nothing failed in has to end the row. */
	if (claim || *wrong || what)
		check(!*wrong && !what, name,
		      "whichever fails, the error is clean and nothing is left, or all is there",
		      "%s", *wrong ? wrong : "there is no end of them");
}

static void inject_all(const struct way *w, bool claim)
{
	const struct act *a;

	inject(&injection_load, w, claim);
	need(!act_do(&injection_load), "the module cannot be loaded");
	for (a = injection_acts; a->name; a++)
		inject(a, w, claim);
	act_undo(&injection_load);
}

/* As the kernel refuses some functions, one at a time. */
static void refusals(void)
{
	static const struct way ways[] = {
		{ "refused", aim_call, call_hit, 1, true, EINVAL },
		{ "in-the-way", aim_call, call_hit, 1, true, EBUSY },
	};
	const struct way *w;

	for (w = ways; w < ways + ARRAY_SIZE(ways); w++) {
		inject_write("refused", w->refused);
		inject_all(w, true);
		check(injected, w->name, "functions are refused", "none");
		tell(w);
	}
	inject_write("refused", 0);
}

/* A buffer for which there is no memory, nor for the old one again. */
static void without_buffer(void)
{
	unsigned int nth, lost = 0, told = 0;
	int err = -ENOMEM, log;

	need(!act_do(&injection_load), "the module cannot be loaded");
	inject_write("on", 1);
	for (nth = 1; nth < MOST && err; nth++) {
		aim_call(nth, false);
		err = cow_write("buffer_kb", "128");
		call_hit();
		if (!err)
			break;
		log = log_open();
		if (!cow_write("enabled", "1")) {
			disable();
		} else {
			lost++;
			told += !!strstr(log_read(log), "there is no buffer");
		}
		close(log);
		need(!cow_write("buffer_kb", "64"), "buffer_kb does not take 64");
	}
	inject_write("on", 0);
	enable();
	disable();
	act_undo(&injection_load);
	check(lost && told == lost, "no-buffer",
	      "without a buffer tracing does not begin, and says so, until there is one again",
	      "%u times, told %u times", lost, told);
}

static void calls(bool claim)
{
	static const struct way once = { "once", aim_call, call_hit, 1, true, 0 };
	static const struct way on = { "from-then-on", aim_call, call_hit, 5, true, 0 };

	inject_write("on", 0);
	inject_all(&once, claim);
	if (claim)
		tell(&once);
	inject_write("on", 1);
	inject_all(&on, claim);
	if (claim)
		tell(&on);
}

/* --- who has a file open meanwhile -------------------------------------------------------- */

#define LOADS		20
#define MOST_LOADS	500

static struct tried {
	volatile bool		over;
	volatile unsigned int	opened, refused;
} *tried;

static void try_to_open(void *unused)
{
	int fd;

	(void)unused;
	on_cpu(1);
	while (!tried->over) {
		fd = cow_open("stats", O_RDONLY);
		tried->refused += fd == -EAGAIN;
		if (fd < 0)
			continue;
		tried->opened++;
		sleep_ms(20);
		close(fd);
	}
}

/* The last call that makes a load fail; those behind it are made up for. */
static unsigned int last_call(void)
{
	unsigned int nth;
	int err;

	aim_call(MOST, true);
	need(!act_do(&injection_load), "the module cannot be loaded");
	act_undo(&injection_load);
	for (nth = calls_made(); nth; nth--) {
		aim_call(nth, true);
		err = act_do(&injection_load);
		call_hit();
		if (err)
			break;
		act_undo(&injection_load);
	}
	return nth;
}

/* A load that fails frees the module, whoever has a file of it open. */
static void opened_meanwhile(void)
{
	unsigned int nth = last_call(), loads;
	pid_t pid;

	tried = map_shared(sizeof(*tried));
	pid = child(try_to_open, NULL);
	for (loads = 0; loads < LOADS || (!tried->refused && loads < MOST_LOADS); loads++) {
		aim_call(nth, true);
		need(act_do(&injection_load), "the load does not fail at call %u any more", nth);
		call_hit();
	}
	tried->over = true;
	child_wait(pid);
	check(nth && tried->refused && !tried->opened, "load-opened",
	      "no file can be opened while a load may still fail",
	      "in %u loads that failed at call %u: %u times, refused %u times", loads, nth,
	      tried->opened, tried->refused);
}

/* What is allocated in the functions that the module calls too. */
static void allocations(void)
{
	struct way way = { "fail-nth", aim_task, task_hit, 1, false, 0 };

	nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_file < 0) {
		skip("fail-nth", "this kernel has no /proc/thread-self/fail-nth (FAULT_INJECTION)");
		return;
	}
	way.step = asked("INJECT_STEP", 1);
	file_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	file_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	file_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	file_write("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	/*
	 * When an event is enabled without memory to record the names of tasks, the kernel goes
	 * on without, and warns when it is disabled (tracing_stop_cmdline_record()).
	 */
	file_write("/sys/kernel/tracing/options/record-cmd", "0");
	/* Else each is told with its stack. */
	file_write("/sys/kernel/debug/failslab/verbose", "0");
	file_write("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	nr_tales = 0;
	injected = 0;
	inject_all(&way, true);
	tell(&way);
	close(nth_file);
}

static void with_injector(void)
{
	/* Static: they are larger than a stack. */
	static struct memory memory[3];
	int passes = asked("PASSES", 3), pass, rounds = (passes - 1) / 2;

	memory_begin();
	for (pass = 0; pass < passes; pass++) {
		calls(!pass);
		if (!pass) {
			refusals();
			without_buffer();
		}
		if (pass == 0)
			memory_measure(&memory[0]);
		else if (pass == rounds)
			memory_measure(&memory[1]);
	}
	if (passes < 3 || passes % 2 == 0) {
		skip("leak", "a search for leaks takes PASSES=3, 5, ...");
	} else {
		memory_measure(&memory[2]);
		/* The rarest leak: of a call that a pass makes once. */
		if (rounds < LEAST_LEAK)
			rounds = LEAST_LEAK;
		memory_claims(memory, ARRAY_SIZE(memory), rounds);
	}
	inject_write("on", 0);
	opened_meanwhile();
	allocations();
}

unsigned int injection_seconds(void)
{
	return 600 * asked("PASSES", 3);
}

void run_injection(void)
{
	struct utsname u;
	char command[256];

	uname(&u);
	snprintf(command, sizeof(command), "insmod /lib/modules/%s/updates/cowtrace-inject.ko",
		 u.release);
	need(!system(command), "no injector");
	with_injector();
	need(!module_unload_as("cowtrace_inject", O_NONBLOCK), "the injector cannot be unloaded");
}
