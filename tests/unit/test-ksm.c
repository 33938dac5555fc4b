// SPDX-License-Identifier: GPL-2.0
/* The ledger of KSM, event by event. */
#include <stdlib.h>
#include <string.h>

#include "ksm.h"
#include "tap.h"

#define SECOND	1000000000ull

static struct ct_ksm *k;
static uint32_t seq;

static void event(uint64_t time_ns, const char *word, const char *fields)
{
	struct ct_group_event e = {
		.time_ns = time_ns, .seq = ++seq, .word = word, .fields = fields, .comm = "ksmd",
	};

	if (ct_ksm_take(k, &e))
		abort();
}

static void begin(void)
{
	ct_ksm_free(k);
	k = ct_ksm_new(SECOND);
	if (!k)
		abort();
	seq = 0;
}

#define MERGE(t, at, frame, way)							\
	event(t, "merge", "mm=0x1 owner=7 name=a addr=" at " pfn=" frame " ns=100 how=" way " users=2")
#define BREAK(t, at, frame, why, what)							\
	event(t, "break", "mm=0x1 owner=7 name=a addr=" at " pfn=" frame		\
	      " ns=30 users=2 refs=2 cause=" why " result=" what)

static bool balanced(void)
{
	return ct_ksm_merges(k) - ct_ksm_ended(k) == k->live;
}

static void ended_merges(void)
{
	begin();
	MERGE(SECOND, "0x1000", "0x5", "first");
	MERGE(SECOND, "0x2000", "0x5", "joined");
	MERGE(SECOND, "0x3000", "0x5", "inherited");
	ok(k->how[CT_KSM_FIRST] == 1 && k->how[CT_KSM_JOINED] == 1 &&
	   k->how[CT_KSM_INHERITED] == 1 && k->live == 3 && k->merge_ns == 300, "three merges, each by its way, live");
	BREAK(SECOND + 1054, "0x1000", "0x5", "write", "copy");
	ok(k->ended[CT_KSM_WRITE].merges == 1 && k->live == 2 && balanced(),
	   "a copy for a write ends one");
	ok(k->ended[CT_KSM_WRITE].lives[10] == 1,
	   "it lasted from the end of the merge to the begin of the copy: 1024 ns");
	event(SECOND + 2000, "remove", "mm=0x1 owner=7 name=a addr=0x1000 pfn=0x5");
	ok(k->live == 2 && !k->ended[CT_KSM_GONE].merges,
	   "what ksmd finds later does not end it again");
	event(SECOND + 2000, "remove", "mm=0x1 owner=7 name=a addr=0x2000 pfn=0x5");
	ok(k->ended[CT_KSM_GONE].merges == 1 && balanced(),
	   "what ends without a copy is seen when ksmd comes by");
	MERGE(SECOND + 2100, "0x4000", "0x5", "joined");
	event(SECOND + 2200, "remove", "mm=0x1 owner=7 name=a addr=0x4000 pfn=0x5 dead=1");
	ok(k->ended[CT_KSM_EXIT].merges == 1 && k->ended[CT_KSM_GONE].merges == 1 && balanced(),
	   "of a process that has ended it is the end, not an unmapping");
	event(SECOND + 3000, "exit", "mm=0x2 owner=8 name=b");
	ok(k->live == 1, "another process that ends is nothing to it");
	event(SECOND + 3000, "exit", "mm=0x1 owner=- name=-");
	ok(k->ended[CT_KSM_EXIT].merges == 2 && !k->live && balanced(),
	   "a process that ends takes its merges with it");
	ok(k->nr_processes == 1 && k->processes[0].tgid == 7 && k->processes[0].merges == 4,
	   "all are of one process");
}

static void others(void)
{
	begin();
	BREAK(SECOND, "0x1000", "0x5", "unshare", "copy");
	ok(k->ended[CT_KSM_UNSHARE].others == 1 && !k->ended[CT_KSM_UNSHARE].merges && balanced() &&
	   !k->live, "a copy of a merge that was not seen ends none");
	MERGE(SECOND, "0x1000", "0x5", "joined");
	BREAK(SECOND, "0x1000", "0x5", "write", "raced");
	BREAK(SECOND, "0x1000", "0x5", "write", "oom");
	BREAK(SECOND, "0x1000", "0x5", "write", "retried");
	ok(k->raced == 1 && k->oom == 1 && k->retried == 1 && k->live == 1 && k->copies == 1,
	   "a fault that did not copy ends none");
	BREAK(SECOND, "0x1000", "0x5", "new-cause", "copy");
	ok(k->live == 1, "a cause that is not known is left out");
	MERGE(2 * SECOND, "0x1000", "0x6", "joined");
	ok(k->ended[CT_KSM_GONE].merges == 1 && k->live == 1 && balanced(),
	   "a second merge of the same PTE ends the first");
}

static void too_short(void)
{
	begin();
	MERGE(SECOND, "0x1000", "0x5", "first");
	MERGE(SECOND, "0x2000", "0x5", "joined");
	MERGE(SECOND, "0x3000", "0x5", "joined");
	BREAK(2 * SECOND + 29, "0x1000", "0x5", "write", "copy");
	ok(k->vain.merges == 1 && k->vain.merge_ns == 100 && k->vain.copy_ns == 30 &&
	   k->vain.example == 4, "one ns less than the limit is in vain, with what it cost");
	BREAK(2 * SECOND + 30, "0x2000", "0x5", "write", "copy");
	ok(k->vain.merges == 1, "the limit itself is not");
	BREAK(SECOND + 50, "0x3000", "0x5", "unmerge", "copy");
	ok(k->vain.merges == 1, "what was asked to be taken apart was not in vain");
	ok(k->processes[0].vain.merges == 1 && k->pages[0].vain == 1,
	   "it is told of the process and of the content");
}

static void contents(void)
{
	begin();
	MERGE(SECOND, "0x1000", "0x5", "first");
	MERGE(SECOND, "0x2000", "0x5", "joined");
	MERGE(SECOND, "0x3000", "0x6", "first");
	ok(k->nr_pages == 2 && k->pages[0].merges == 2 && k->pages[0].most == 2,
	   "each frame is a content");
	BREAK(SECOND, "0x1000", "0x5", "write", "copy");
	event(SECOND, "break", "mm=0x1 owner=7 name=a addr=0x2000 pfn=0x5 ns=30 users=1 refs=1 "
	      "cause=write result=copy");
	ok(k->one_user == 1 && k->one_reference == 1 && k->copies == 2,
	   "the copy of the last user is counted");
	event(SECOND, "break", "mm=0x1 owner=7 name=a addr=0x3000 pfn=0x6 ns=30 users=1 refs=2 "
	      "cause=write result=copy");
	ok(k->one_user == 2 && k->one_reference == 1, "one with another reference by itself");
	MERGE(SECOND, "0x1000", "0x5", "first");
	ok(k->nr_pages == 3 && k->pages[2].pfn == 5 && k->pages[2].merges == 1 &&
	   k->pages[0].merges == 2, "a frame that begins again is another content");
}

static void zero_pages(void)
{
	begin();
	event(SECOND, "zero", "mm=0x1 owner=7 name=a addr=0x1000 pfn=- ns=50");
	event(SECOND, "zero", "mm=0x1 owner=7 name=a addr=0x2000 pfn=- ns=50");
	event(SECOND, "zero", "mm=0x1 owner=7 name=a addr=0x3000 pfn=- ns=50");
	ok(k->zero.merges == 3 && k->zero.live == 3 && k->zero.merge_ns == 150 &&
	   !ct_ksm_merges(k) && !k->live, "zero pages are apart");
	event(SECOND, "break", "mm=0x1 owner=7 name=a addr=0x1000 pfn=- ns=30 "
	      "cause=write result=copy");
	ok(k->zero.copies == 1 && k->zero.live == 2 && !k->copies && !k->ended[CT_KSM_WRITE].merges,
	   "their copies too");
	MERGE(SECOND, "0x2000", "0x5", "joined");
	ok(k->zero.unseen == 1 && k->zero.live == 1 && k->live == 1,
	   "a zero page that is merged again had ended unseen");
	event(SECOND, "exit", "mm=0x1 owner=7 name=a");
	ok(k->zero.exits == 1 && !k->zero.live && !k->live && balanced(),
	   "a process that ends takes both with it");
}

int main(void)
{
	ended_merges();
	others();
	too_short();
	contents();
	zero_pages();
	ct_ksm_free(k);
	return tap_end();
}
