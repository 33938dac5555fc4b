// SPDX-License-Identifier: GPL-2.0
/* The backend of kernels with CONFIG_FPROBE whose handlers give the return address. */
#include <linux/slab.h>

#include "compat/compat.h"
#include "points.h"

#if defined(COW_HAVE_FPROBE) || defined(COW_HAVE_FPROBE_FTRACE_REGS)

#ifdef COW_HAVE_FPROBE_FTRACE_REGS
#define cow_regs		struct ftrace_regs
#define cow_regs_argument	ftrace_regs_get_argument
#define cow_regs_return		ftrace_regs_get_return_value
#else
#define cow_regs		struct pt_regs
#define cow_regs_argument	regs_get_kernel_argument
#define cow_regs_return		regs_return_value
#endif

/**
 * struct attachment - one armed point
 * @fp: the probe.
 * @point: what it calls.
 */
struct attachment {
	struct fprobe		fp;
	const struct cow_point	*point;
};

static struct attachment *attachments[COW_NR_POINTS];

static struct cow_args args_of(cow_regs *regs, unsigned long ret_ip)
{
	return (struct cow_args) {
		.arg0	= cow_regs_argument(regs, 0),
		.arg1	= cow_regs_argument(regs, 1),
		.ret_ip	= ret_ip,
	};
}

static int on_entry(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, cow_regs *regs,
		    void *data)
{
	struct attachment *a = container_of(fp, struct attachment, fp);
	struct cow_args args = args_of(regs, ret_ip);

	return a->point->enter(data, &args);
}

static void on_return(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, cow_regs *regs,
		      void *data)
{
	container_of(fp, struct attachment, fp)->point->leave(data, cow_regs_return(regs), ret_ip);
}

static int on_hit(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, cow_regs *regs,
		  void *data)
{
	struct attachment *a = container_of(fp, struct attachment, fp);
	struct cow_args args = args_of(regs, ret_ip);

	a->point->hit(&args);
	return 0;
}

static int fprobe_attach(enum cow_point_id id)
{
	const struct cow_point *point = &cow_points[id];
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);
	const char *symbol = point->symbol;
	int err;

	if (!a)
		return -ENOMEM;
	a->point = point;
	if (point->leave) {
		a->fp.entry_handler = on_entry;
		a->fp.exit_handler = on_return;
		a->fp.entry_data_size = sizeof(struct cow_entry);
#ifdef COW_HAVE_FPROBE_MAXACTIVE
		a->fp.nr_maxactive = cow_maxactive;
#endif
	} else {
		a->fp.entry_handler = on_hit;
	}
	err = register_fprobe_syms(&a->fp, &symbol, 1);
	if (err)
		kfree(a);
	else
		attachments[id] = a;
	return err;
}

static void fprobe_detach(enum cow_point_id id)
{
	struct attachment *a = attachments[id];

	/* Refused when ftrace has shut itself down: its list still has the probe. */
	if (WARN_ON_ONCE(unregister_fprobe(&a->fp)))
		return;
	/* Handlers run with preemption off: none is left after this. */
	synchronize_rcu();
	attachments[id] = NULL;
	kfree(a);
}

/* One counter serves both causes: no free storage, and recursion. */
static u64 fprobe_missed_entry(enum cow_point_id id)
{
	return READ_ONCE(attachments[id]->fp.nmissed);
}

static u64 fprobe_missed_nested(enum cow_point_id id)
{
	return 0;
}

const struct cow_backend cow_fprobe = {
	.name		= "fprobe",
	.attach		= fprobe_attach,
	.detach		= fprobe_detach,
	.missed_entry	= fprobe_missed_entry,
	.missed_nested	= fprobe_missed_nested,
};

#else

const struct cow_backend cow_fprobe = {
	.name		= "fprobe",
	.missing	= "this kernel is built without CONFIG_FPROBE",
};

#endif
