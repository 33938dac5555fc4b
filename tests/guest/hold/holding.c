// SPDX-License-Identifier: GPL-2.0
/* Taking pages and giving them back. */
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/perf_event.h>
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
	cached = cow_in_swapcache(cow_page_flags(cow_head(h->page)));
	if (cached)
		set_page_writeback(h->page);
	unlock_page(h->page);
	if (!cached)
		return -EINVAL;
	/* It cannot leave the swap cache, which has a reference, before it is written. */
	give_references(h);
	return 0;
}

/* Debug exceptions are off meanwhile: it does not meet itself. */
static void hammer(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	struct holding *h = event->overflow_handler_context;

	if (atomic_inc_return(&h->blows) & 1)
		get_page(h->page);
	else
		put_page(h->page);
}

/* After each access to the count, so that no two of a sample find the same. */
static int start_hammer(struct holding *h)
{
	struct perf_event * __percpu *events;
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)&h->page->_refcount;
	attr.bp_len = HW_BREAKPOINT_LEN_4;
	attr.bp_type = HW_BREAKPOINT_RW;
	events = register_wide_hw_breakpoint(&attr, hammer, h);
	if (IS_ERR_VALUE((__force unsigned long)events))
		return (__force unsigned long)events;
	h->hammer = events;
	return 0;
}

static void stop_hammer(struct holding *h)
{
	unregister_wide_hw_breakpoint(h->hammer);
	if (atomic_read(&h->blows) & 1)
		put_page(h->page);
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
		return start_hammer(h);
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
		stop_hammer(h);
		break;
	default:
		break;
	}
	give_references(h);
	kfree(h);
}
