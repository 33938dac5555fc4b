// SPDX-License-Identifier: GPL-2.0
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/sched.h>

#include "compat/compat.h"
#include "fgraph.h"
#include "register.h"
#include "symbols.h"

#ifdef COW_HAVE_FPROBE_FTRACE_REGS

/* The word above a user's data on a task's shadow stack: kernel/trace/fgraph.c. */
#define WORD_TYPE	GENMASK(11, 10)
#define WORD_NUMBER	GENMASK(20, 17)
#define TYPE_DATA	2

static int number;

static notrace int on_entry(struct fprobe *fp, unsigned long ip, unsigned long ret_ip,
			    struct ftrace_regs *regs, void *data)
{
	unsigned long word = current->ret_stack[current->curr_ret_stack - 1];
	bool ours = FIELD_GET(WORD_TYPE, word) == TYPE_DATA;

	WRITE_ONCE(number, ours ? FIELD_GET(WORD_NUMBER, word) : -1);
	/* Nothing to do at its exit. */
	return 1;
}

/* That there is one makes the fprobe a user of the function graph. */
static notrace void on_exit(struct fprobe *fp, unsigned long ip, unsigned long ret_ip,
			    struct ftrace_regs *regs, void *data)
{
}

static struct fprobe scout = {
	.entry_handler		= on_entry,
	.exit_handler		= on_exit,
	.entry_data_size	= sizeof(long),
};

/* What the scout probes. */
static noinline void cow_fgraph_scouted(void)
{
	/* A call of an empty function could be left out. */
	barrier();
}

static bool scouting;

static notrace int look(void)
{
	unsigned long location = cow_symbol_location(COW_SYM_SCOUTED);
	int err;

	if (!location)
		return -ENOENT;
	WRITE_ONCE(number, -1);
	err = cow_register_fprobe(&scout, &location, 1);
	scouting = !err;
	if (scouting)
		cow_fgraph_scouted();
	return err;
}

notrace int cow_fgraph_hold(void)
{
	int err = look();

	if (err || READ_ONCE(number))
		return err;
	/* The number that was had last is given last. */
	cow_fgraph_release();
	return look();
}

notrace void cow_fgraph_release(void)
{
	if (scouting)
		WARN_ON_ONCE(unregister_fprobe(&scout));
	scouting = false;
}

#endif
