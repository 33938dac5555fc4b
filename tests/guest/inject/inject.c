// SPDX-License-Identifier: GPL-2.0
/*
 * Has calls of cowtrace fail: the nth of its registrations and allocations that it makes
 * from now on, in its init too. The kernel's own ways, fail_function and fail-nth, are
 * in no kernel of Debian, and count what the kernel itself allocates to load a module.
 *
 * Parameters:
 *	nth	which call fails, 0 for none. Writing it begins to count.
 *	on	whether all after it fail as well (Y or N).
 *	refused	an errno by which what it registered for is refused now and ever after, as
 *		the kernel does for one function: nothing but registrations fails then. 0,
 *		as at first: each call says that there is no memory.
 *	calls	how many were made since.
 *	failed	the function whose call failed, the first of them; empty for none.
 *	task_nth	where the kernel has fail-nth: given to the task that loads cowtrace
 *		when its init is about to begin; 0 for not.
 *
 * Where the kernel has fail-nth, it stands still where the kernel itself would not be what it
 * was: see quiets.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/objtool.h>
#include <linux/sched.h>
#include <linux/string.h>

/* Returns to the caller of the function that was to begin, whatever its arguments are. */
void cow_inject_return(void);
asm(".pushsection .text\n"
	".type cow_inject_return, @function\n"
	".globl cow_inject_return\n"
	"cow_inject_return:\n"
#ifdef ANNOTATE_NOENDBR
	/* No call comes here: the end of a breakpoint does, or that of ftrace's own. */
	ANNOTATE_NOENDBR "\n"
#endif
#ifdef ASM_RET
	ASM_RET
#else
	"ret\n"
#endif
	".size cow_inject_return, .-cow_inject_return\n"
	".popsection\n");

/**
 * struct site - a function that can fail
 * @name: of it; of the kernel's own, calls from cowtrace count alone.
 * @null: it says NULL on failure, and otherwise an errno.
 * @registers: what it is given, if it registers one.
 * @kp: on its entry.
 * @armed: @kp is registered.
 */
struct site {
	const char	*name;
	bool		null;
	enum { NOTHING, A_KPROBE, A_KRETPROBE, AN_FPROBE, A_TRACEPOINT } registers;
	struct kprobe	kp;
	bool		armed;
};

/* No kernel has all of them. */
static struct site sites[] = {
	{ "cowtrace:cow_register_kprobe", .registers = A_KPROBE },
	{ "cowtrace:cow_register_kretprobe", .registers = A_KRETPROBE },
	{ "cowtrace:cow_register_fprobe", .registers = AN_FPROBE },
	{ "cowtrace:cow_register_tracepoint", .registers = A_TRACEPOINT },
	{ "cowtrace:cow_create_dir" },
	{ "cowtrace:cow_create_file" },
	{ "cowtrace:cow_open_channel", true },
	{ "__alloc_percpu", true },
	{ "pcpu_alloc_noprof", true },
	{ "__kmalloc", true },
	{ "__kmalloc_noprof", true },
	{ "kmem_cache_alloc_trace", true },
	{ "kmalloc_trace", true },
	{ "__kmalloc_cache_noprof", true },
	{ "kvmalloc_node", true },
	{ "__kvmalloc_node_noprof", true },
	{ "vzalloc", true },
	{ "vzalloc_noprof", true },
	{ "vzalloc_node", true },
	{ "vzalloc_node_noprof", true },
	{ "kmemdup", true },
	{ "kmemdup_noprof", true },
	{ "kstrdup", true },
	{ "memdup_user_nul" },
};

/* While it is there: cowtrace. */
static struct module *target;
static unsigned int nth, calls, task_nth;
static bool on;
static unsigned int refused;
/* For what the nth registration was. */
static const void *refused_target;
static char failed[64];

static int set_nth(const char *text, const struct kernel_param *param)
{
	WRITE_ONCE(nth, 0);
	calls = 0;
	failed[0] = '\0';
	return param_set_uint(text, param);
}

static const struct kernel_param_ops nth_ops = {
	.set = set_nth,
	.get = param_get_uint,
};

module_param_cb(nth, &nth_ops, &nth, 0600);
module_param(on, bool, 0600);
module_param(refused, uint, 0600);
module_param(calls, uint, 0400);
module_param(task_nth, uint, 0600);
module_param_string(failed, failed, sizeof(failed), 0400);

static bool is_ours(const struct site *s, const struct pt_regs *regs)
{
	const struct module *module = READ_ONCE(target);

	return strchr(s->name, ':') ||
	       (module && within_module(*(unsigned long *)regs->sp, module));
}

/* What is registered for: cowtrace gives the same name, or place, each time. */
static const void *target_of(const struct site *s, const struct pt_regs *regs)
{
	if (s->registers == A_KPROBE)
		return ((struct kprobe *)regs->di)->symbol_name;
	if (s->registers == A_KRETPROBE)
		return ((struct kretprobe *)regs->di)->kp.symbol_name;
	if (s->registers == AN_FPROBE)
		return (const void *)*(unsigned long *)regs->si;
	return (const void *)regs->di;
}

static bool fails(const struct site *s, const struct pt_regs *regs)
{
	if (!READ_ONCE(nth) || !is_ours(s, regs) || (refused && !s->registers) || ++calls < nth)
		return false;
	if (calls == nth && refused)
		refused_target = target_of(s, regs);
	return calls == nth || (refused ? target_of(s, regs) == refused_target : on);
}

/* The tests have one call made at a time. */
static int on_call(struct kprobe *kp, struct pt_regs *regs)
{
	struct site *s = container_of(kp, struct site, kp);

	if (!fails(s, regs))
		return 0;
	if (calls == nth)
		strscpy(failed, strchr(s->name, ':') ? strchr(s->name, ':') + 1 : s->name,
			sizeof(failed));
	regs->ax = s->null ? 0 : -(long)(refused ?: ENOMEM);
	regs->ip = (unsigned long)cow_inject_return;
	return 1;
}

NOKPROBE_SYMBOL(on_call);

/* That there is one lets the other change where the call goes. */
static void after(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(after);

static bool in_cowtrace(const struct site *s)
{
	return strchr(s->name, ':');
}

#ifdef CONFIG_FAULT_INJECTION
static int on_quiet(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(unsigned int *)ri->data = current->fail_nth;
	current->fail_nth = 0;
	return 0;
}

NOKPROBE_SYMBOL(on_quiet);

static int on_loud(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	current->fail_nth = *(unsigned int *)ri->data;
	return 0;
}

NOKPROBE_SYMBOL(on_loud);

/* Functions in which fail-nth stands still. */
static struct quiet {
	const char		*name;
	struct kretprobe	rp;
	bool			armed;
} quiets[] = {
	/*
	 * __disarm_kprobe_ftrace() counts its users down before it may fail, and once more when
	 * it is tried again: then the first kprobe on an empty list is never called.
	 */
	{ "cowtrace:cow_disarm_kprobe" },
#if __has_include("asm/fprobe.h")
	/*
	 * Here fprobes go by the function graph. register_ftrace_graph() leaves its flag when
	 * it fails, and from then on refuses with EBUSY. Without memory an fprobe that goes
	 * leaves its functions on ftrace's list, as long as there is another.
	 */
	{ "cowtrace:cow_register_fprobe" },
	{ "unregister_fprobe" },
#endif
};

static void arm_quiets(void)
{
	struct quiet *q;

	for (q = quiets; q < quiets + ARRAY_SIZE(quiets); q++) {
		q->rp = (struct kretprobe) {
			.kp.symbol_name	= q->name,
			.entry_handler	= on_quiet,
			.handler	= on_loud,
			.data_size	= sizeof(unsigned int),
		};
		q->armed = !register_kretprobe(&q->rp);
		if (!q->armed)
			pr_warn("%s(): fail-nth does not stand still there\n", q->name);
	}
}

static void disarm_quiets(void)
{
	struct quiet *q;

	for (q = quiets; q < quiets + ARRAY_SIZE(quiets); q++) {
		if (q->armed)
			unregister_kretprobe(&q->rp);
		q->armed = false;
	}
}
#else
static void arm_quiets(void) {}
static void disarm_quiets(void) {}
#endif

/* Those of cowtrace, which comes and goes, or those of the kernel. */
static void arm(bool cowtrace)
{
	struct site *s;

	for (s = sites; s < sites + ARRAY_SIZE(sites); s++) {
		if (in_cowtrace(s) != cowtrace)
			continue;
		s->kp = (struct kprobe) {
			.symbol_name	= s->name,
			.pre_handler	= on_call,
			.post_handler	= after,
		};
		s->armed = !register_kprobe(&s->kp);
	}
}

static void disarm(bool cowtrace)
{
	struct kprobe *kps[ARRAY_SIZE(sites)];
	struct site *s;
	int nr = 0;

	for (s = sites; s < sites + ARRAY_SIZE(sites); s++) {
		if (in_cowtrace(s) != cowtrace || !s->armed)
			continue;
		kps[nr++] = &s->kp;
		s->armed = false;
	}
	unregister_kprobes(kps, nr);
}

static int on_module(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *module = data;

	if (strcmp(module->name, "cowtrace"))
		return NOTIFY_DONE;
	if (state == MODULE_STATE_COMING) {
		WRITE_ONCE(target, module);
		arm(true);
		arm_quiets();
#ifdef CONFIG_FAULT_INJECTION
		current->fail_nth = task_nth;
#endif
	} else if (state == MODULE_STATE_GOING) {
		disarm_quiets();
		disarm(true);
		WRITE_ONCE(target, NULL);
	}
	return NOTIFY_DONE;
}

/* After kprobes' own, which lets the code of a module be probed. */
static struct notifier_block notifier = {
	.notifier_call	= on_module,
	.priority	= -1,
};

static int __init inject_init(void)
{
	int err = register_module_notifier(&notifier);

	if (!err)
		arm(false);
	return err;
}

static void __exit inject_exit(void)
{
	unregister_module_notifier(&notifier);
	disarm_quiets();
	disarm(true);
	disarm(false);
}

module_init(inject_init);
module_exit(inject_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Has registrations and allocations of cowtrace fail");
