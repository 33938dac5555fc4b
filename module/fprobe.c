// SPDX-License-Identifier: GPL-2.0
/* The backend of kernels with CONFIG_FPROBE whose handlers give the return address. */
#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/string.h>

#include "caller.h"
#include "compat/compat.h"
#include "fgraph.h"
#include "points.h"
#include "register.h"

#if defined(COW_HAVE_FPROBE) || defined(COW_HAVE_FPROBE_FTRACE_REGS)

#ifdef COW_HAVE_FPROBE_FTRACE_REGS
#define cow_regs	struct ftrace_regs
/* Of its registers arguments, stack and return value are set, and nothing else is read. */
#define cow_pt_regs(regs)	(&arch_ftrace_regs(regs)->regs)
#else
#define cow_regs	struct pt_regs
#define cow_pt_regs(regs)	(regs)
#endif

/**
 * struct group - the points of one kind, armed by one probe
 * @fp: the probe: each costs RCU grace periods to take away, so there are two.
 * @points: what it calls, the most frequent first.
 * @nr: how many; 0 when it is not armed.
 *
 * They never change places: 7.2 knows the probe of a task that sleeps since an
 * earlier session by its address alone, and calls the exit handler of whatever
 * probe is there now, also of one that has none.
 */
static struct group {
	struct fprobe		fp;
	const struct cow_point	*points[COW_NR_POINTS];
	int			nr;
} pairs, witnesses;

/* The point whose function has its ftrace location at @ip. */
static const struct cow_point *point_at(struct fprobe *fp, unsigned long ip)
{
	const struct group *g = container_of(fp, struct group, fp);
	int i;

	for (i = 0; i < g->nr - 1; i++)
		if (cow_symbol_covers(g->points[i]->symbol, ip))
			break;
	return g->points[i];
}

static int on_entry(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, cow_regs *regs,
		    void *data)
{
	/* Nearly all of them; a call through a pointer costs what half of the work does. */
	if (likely(cow_symbol_covers(COW_SYM_WP, ip)))
		return cow_wp_enter(data, cow_pt_regs(regs), ip);
	return point_at(fp, ip)->enter(data, cow_pt_regs(regs), ip);
}

static void on_return(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, cow_regs *regs,
		      void *data)
{
	cow_leave(data, regs_return_value(cow_pt_regs(regs)), ret_ip);
}

static int on_hit(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, cow_regs *regs,
		  void *data)
{
	point_at(fp, ip)->hit(cow_pt_regs(regs), ip);
	return 0;
}

static int arm(struct group *g, unsigned long points)
{
	unsigned long locations[COW_NR_POINTS];
	bool paired = g == &pairs;
	int id, err, nr = 0;

	if (g->nr)
		return -EBUSY;
	memset(&g->fp, 0, sizeof(g->fp));
	for_each_set_bit(id, &points, COW_NR_POINTS) {
		if (!cow_points[id].enter == paired)
			continue;
		locations[nr] = cow_symbol_location(cow_points[id].symbol);
		if (!locations[nr])
			return -ENOENT;
		g->points[nr++] = &cow_points[id];
	}
	if (!nr)
		return 0;
	if (paired) {
		g->fp.entry_handler = on_entry;
		g->fp.exit_handler = on_return;
		g->fp.entry_data_size = sizeof(struct cow_entry);
#ifdef COW_HAVE_FPROBE_MAXACTIVE
		g->fp.nr_maxactive = cow_maxactive;
#endif
	} else {
		g->fp.entry_handler = on_hit;
	}
	g->nr = nr;
	err = cow_register_fprobe(&g->fp, locations, nr);
	if (err)
		g->nr = 0;
	return err;
}

static u64 group_missed(const struct group *g)
{
	return g->nr ? READ_ONCE(g->fp.nmissed) : 0;
}

/* One counter serves both causes: no free storage, and recursion. */
static struct cow_missed fprobe_missed(void)
{
	return (struct cow_missed) {
		.entry		= group_missed(&pairs),
		.witness	= group_missed(&witnesses),
	};
}

/* Return: the calls it missed. */
static u64 disarm(struct group *g)
{
	u64 missed;

	if (!g->nr)
		return 0;
	/*
	 * Tracing is off by now. Until 6.13 an fprobe that goes lets go of its storage before
	 * ftrace of the function, and the calls between count as missed too.
	 */
	missed = group_missed(g);
	if (WARN_ON_ONCE(unregister_fprobe(&g->fp))) {
		/* ftrace has shut itself down: its list still has the probe. */
		__module_get(THIS_MODULE);
		return missed;
	}
	/* Handlers run with preemption off: none is left after this. */
	synchronize_rcu();
	g->nr = 0;
	return missed;
}

static struct cow_missed fprobe_detach(void)
{
	struct cow_missed missed = { 0 };

	missed.witness = disarm(&witnesses);
	missed.entry = disarm(&pairs);
	return missed;
}

static int arm_both(unsigned long points)
{
	int err = arm(&pairs, points);

	if (err)
		return err;
	err = arm(&witnesses, points);
	if (err)
		disarm(&pairs);
	return err;
}

static int fprobe_attach(unsigned long points)
{
	int err = cow_fgraph_hold();

	if (!err)
		err = arm_both(points);
	cow_fgraph_release();
	return err;
}

const struct cow_backend cow_fprobe = {
	.name	= "fprobe",
	.attach	= fprobe_attach,
	.detach	= fprobe_detach,
	.missed	= fprobe_missed,
};

#else

const struct cow_backend cow_fprobe = {
	.name		= "fprobe",
	.missing	= "this kernel is built without CONFIG_FPROBE",
};

#endif
