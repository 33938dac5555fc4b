// SPDX-License-Identifier: GPL-2.0
/* Taking pages and giving them back. */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "hold-internal.h"

/* The head of the folio, with a reference. The caller maps the page meanwhile. */
static struct page *page_of(unsigned long frame)
{
	struct page *page;

	if (!pfn_valid(frame))
		return ERR_PTR(-EINVAL);
	page = compound_head(pfn_to_page(frame));
	return get_page_unless_zero(page) ? page : ERR_PTR(-EFAULT);
}

int page_count_of(unsigned long frame)
{
	struct page *page = page_of(frame);
	int count;

	if (IS_ERR(page))
		return PTR_ERR(page);
	/* Not our own. */
	count = page_count(page) - 1;
	put_page(page);
	return count;
}

static int take_references(struct holding *h, unsigned int count)
{
	/* More than some pins' worth is a mistake of the test. */
	if (!count || count > 4 * GUP_PIN_COUNTING_BIAS)
		return -EINVAL;
	for (; h->references < count; h->references++)
		get_page(h->page);
	return 0;
}

static void give_references(struct holding *h)
{
	for (; h->references; h->references--)
		put_page(h->page);
}

static int take_pin(struct holding *h, unsigned long address, unsigned int flags)
{
	int got = pin_user_pages_fast(address, 1, flags, &h->page);

	return got == 1 ? 0 : got < 0 ? got : -EFAULT;
}

static int take_lock(struct holding *h, unsigned long address)
{
	int err = watch_start(&h->watch, address, h->page, false);

	if (err)
		return err;
	/* The watch keeps the page from now on, whoever unmaps it. */
	lock_page(h->page);
	give_references(h);
	return 0;
}

static int take_writeback(struct holding *h)
{
	bool cached;

	lock_page(h->page);
	wait_on_page_writeback(h->page);
	cached = cow_test(h->page, swapcache, SwapCache);
	if (cached)
		set_page_writeback(h->page);
	unlock_page(h->page);
	if (!cached)
		return -EINVAL;
	/* It cannot leave the swap cache, which has a reference, before it is written. */
	give_references(h);
	return 0;
}

/* About as long as a sample takes. cpu_relax() is far longer where it leaves the guest. */
static void linger(void)
{
	int i;

	for (i = 0; i < 64; i++)
		barrier();
}

static int hammer_thread(void *data)
{
	struct page *page = data;

	while (!kthread_should_stop()) {
		get_page(page);
		linger();
		put_page(page);
		/* As long with it as without: half of all samples see each. */
		linger();
		cond_resched();
	}
	return 0;
}

static int start_hammer(struct holding *h, unsigned int cpu)
{
	struct task_struct *task;

	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	task = kthread_create(hammer_thread, h->page, "cowtrace-hammer");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	h->hammer = task;
	wake_up_process(task);
	return 0;
}

static int take_as_asked(struct holding *h, const struct hold_request *request)
{
	switch (h->kind) {
	case HOLD_REFERENCE:
		return take_references(h, request->arg);
	case HOLD_BIAS:
		return take_references(h, GUP_PIN_COUNTING_BIAS);
	case HOLD_LOCK:
		return take_lock(h, request->address);
	case HOLD_WRITEBACK:
		return take_writeback(h);
	case HOLD_HAMMER:
		return start_hammer(h, request->arg);
	default:
		return -EINVAL;
	}
}

struct holding *holding_take(const struct hold_request *request)
{
	struct holding *h = kzalloc(sizeof(*h), GFP_KERNEL);
	int err;

	if (!h)
		return ERR_PTR(-ENOMEM);
	h->kind = request->kind;
	if (h->kind == HOLD_PIN) {
		err = take_pin(h, request->address, FOLL_WRITE);
	} else if (h->kind == HOLD_PIN_READ) {
		err = take_pin(h, request->address, FOLL_LONGTERM);
	} else if (h->kind == HOLD_STALL) {
		err = watch_start(&h->watch, request->address, NULL, true);
	} else {
		h->page = page_of(request->frame);
		if (IS_ERR(h->page)) {
			err = PTR_ERR(h->page);
		} else {
			h->references = 1;
			err = take_as_asked(h, request);
			if (err)
				give_references(h);
		}
	}
	if (!err)
		return h;
	kfree(h);
	return ERR_PTR(err);
}

void holding_release(struct holding *h)
{
	switch (h->kind) {
	case HOLD_PIN:
	case HOLD_PIN_READ:
		unpin_user_page(h->page);
		break;
	case HOLD_LOCK:
		watch_end(&h->watch);
		unlock_page(h->page);
		put_page(h->page);
		break;
	case HOLD_WRITEBACK:
		end_page_writeback(h->page);
		break;
	case HOLD_STALL:
		watch_end(&h->watch);
		break;
	case HOLD_HAMMER:
		kthread_stop(h->hammer);
		break;
	default:
		break;
	}
	give_references(h);
	kfree(h);
}
