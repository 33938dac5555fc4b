/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scripted fault experiments: what a file of them says. A file is a list of
 *
 *	experiment NAME
 *	title	what is set up, in one line
 *	needs	cpus 2					what the machine must have
 *	area	NAME KIND COUNT				memory of the first process, p
 *	do	[ACTOR:] OPERATION [ARGUMENT...]	preparation
 *	step	NAME [ACTOR:] OPERATION [ARGUMENT...] [& [ACTOR:] OPERATION ...]
 *		KERNEL[,KERNEL...]  ANSWER  why: the kernel's function, a commit
 *
 * A step is watched: below it stands what each kernel must answer on each page.
 *
 *	ANSWER	SEQUENCE[|SEQUENCE...]	any of them, or "absent": this kernel has no such thing
 *	SEQUENCE	none, or FAULT[+FAULT...] in the order in which they began
 *	FAULT	OUTCOME[:REASON], words of the vocabulary; without a reason any will do
 *
 * Of a step that lets khugepaged scan the scan is watched: see experiment_scan.h.
 *
 * '#' begins a comment. This is about the text alone; stage.h acts it.
 */
#ifndef COWTRACE_EXPERIMENT_H
#define COWTRACE_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "error.h"

#define CT_EXP_WORD	32
#define CT_EXP_TEXT	256
#define CT_EXP_AREAS	4
#define CT_EXP_ACTORS	16
#define CT_EXP_OPS	64
#define CT_EXP_STEPS	12
#define CT_EXP_ARGS	4
#define CT_EXP_FAULTS	4
#define CT_EXP_SEQUENCES 6
#define CT_EXP_ESTIMATES 3
#define CT_EXP_PARTIES	2

/*
 * Generations of the kernel's policy, each by the kernel on which it is tested.
 * X(id, name, which kernels it stands for)
 */
#define CT_EXP_KERNELS(X)						\
	X(5_10, "5.10", "5.9 to 5.17: page_count() == 1 decides (09854ba94c6a)") \
	X(6_1, "6.1", "5.19 to 6.1: PageAnonExclusive first (6c287605fd56)") \
	X(6_12, "6.12", \
	  "6.2 to 6.14: as 6.1, but large folios are always copied; swap-in maps writable from 6.11") \
	X(7_2, "7.2", "6.15 on: a large folio that one process maps is reused (1da190f4d0a6)")

#define CT_EXP_KERNEL_ENUM_(id, n, s)	CT_EXP_KERNEL_##id,
enum ct_exp_kernel { CT_EXP_KERNELS(CT_EXP_KERNEL_ENUM_) CT_EXP_NR_KERNELS };

/* What an area is made of. X(id, name, sentence) */
#define CT_EXP_KINDS(X)							\
	X(ANON, "anon", "private anonymous pages of 4 KiB")		\
	X(THP, "thp", "transparent huge pages of 2 MiB")		\
	X(MTHP_16K, "mthp-16k", "large folios of 16 KiB, mapped by PTEs") \
	X(MTHP_64K, "mthp-64k", "large folios of 64 KiB, mapped by PTEs") \
	X(MTHP_512K, "mthp-512k", "large folios of 512 KiB, mapped by PTEs") \
	X(HUGETLB, "hugetlb", "a private mapping of hugetlb pages of 2 MiB") \
	X(FILE, "file", "a private mapping of a temporary file")	\
	X(DISK, "disk", "a shared mapping of a block device with writeback") \
	X(MEMFD, "memfd", "a private mapping of a memfd")		\
	X(SHMEM, "shmem", "a shared mapping of a memfd")

#define CT_EXP_KIND_ENUM_(id, n, s)	CT_EXP_KIND_##id,
enum ct_exp_kind { CT_EXP_KINDS(CT_EXP_KIND_ENUM_) CT_EXP_NR_KINDS };

/*
 * What an actor can do. X(id, name, areas, further words, sentence)
 * Words: the least number and the greatest.
 */
#define CT_EXP_VERBS(X)							\
	X(WRITE, "write", 1, 0, 1, "write a byte to each unit of AREA; all: to each 4 KiB of it") \
	X(READ, "read", 1, 0, 1, "read a byte of each unit of AREA; all: of each 4 KiB") \
	X(FORK, "fork", 0, 1, 1, "fork a process that is called ACTOR from now on") \
	X(THREAD, "thread", 0, 1, 1, "start a thread that is called ACTOR from now on") \
	X(EXIT, "exit", 0, 0, 0, "end this process")			\
	X(CPU, "cpu", 0, 1, 1, "stay on that CPU")			\
	X(WAIT, "wait", 0, 1, 1, "wait that many milliseconds, at most 60000") \
	X(DRAIN, "drain", 0, 0, 0, "empty the LRU batches of all CPUs")	\
	X(SETTLE, "settle", 0, 0, 0, "wait until nothing is being written back, and drain") \
	X(PAGEOUT, "pageout", 1, 0, 0, "send all of AREA to swap")	\
	X(MERGE, "merge", 1, 0, 0, \
	  "make all pages of AREA equal and wait until KSM has merged them") \
	X(UNMERGE, "unmerge", 1, 0, 0, "take AREA back from KSM")	\
	X(HOLD, "hold", 1, 1, 1, \
	  "pipe: vmsplice() AREA into pipes; uring: register it as fixed buffers; " \
	  "direct: read into it by O_DIRECT from a slow disk") \
	X(RELEASE, "release", 1, 0, 0, "undo hold")			\
	X(PROTECT, "protect", 1, 0, 0, "mprotect() AREA read-only, and back") \
	X(SOFT_DIRTY, "soft-dirty", 1, 0, 0, "clear the soft-dirty bits") \
	X(UFFD, "uffd", 1, 1, 1, "write-protect AREA by userfaultfd: sync, async") \
	X(SPLIT, "split", 1, 0, 0, "let PTEs map the huge pages of AREA") \
	X(PUNCH, "punch", 1, 0, 0, "unmap the second half of each unit of AREA") \
	X(DISCARD, "discard", 1, 0, 0, \
	  "give the memory of AREA back: what is read then is the zero page") \
	X(UNMAP, "unmap", 1, 0, 0, "unmap AREA from this process")	\
	X(KERNEL_WRITE, "kernel-write", 1, 0, 0, "let read() write to each unit of AREA") \
	X(MEM_WRITE, "mem-write", 1, 1, 1, "write to each unit of AREA of ACTOR by /proc/PID/mem") \
	X(PTRACE_WRITE, "ptrace-write", 1, 1, 1, \
	  "write to each unit of AREA of ACTOR by ptrace()") \
	X(PIN_READ, "pin-read", 1, 0, 0, "pin AREA for reading, for a moment: process_vm_readv()") \
	X(POKE, "poke", 1, 1, 1, "write a byte to one 4 KiB page of each unit of AREA, by its number") \
	X(KEEP, "keep", 1, 1, 1, \
	  "unmap all of each unit of AREA but the 4 KiB pages FIRST-LAST") \
	X(COLLAPSE, "collapse", 1, 1, 1, \
	  "let khugepaged scan AREA, with max_ptes_shared as given and max_ptes_none 511")

#define CT_EXP_VERB_ENUM_(id, n, a, l, g, s)	CT_EXP_VERB_##id,
enum ct_exp_verb { CT_EXP_VERBS(CT_EXP_VERB_ENUM_) CT_EXP_NR_VERBS };

/**
 * struct ct_exp_area - memory of the first process, which forks inherit
 * @name: as used in operations.
 * @kind: enum ct_exp_kind.
 * @units: number of pages, folios or huge pages.
 */
struct ct_exp_area {
	char			name[CT_EXP_WORD];
	enum ct_exp_kind	kind;
	unsigned int		units;
};

/**
 * struct ct_exp_op - one operation of one actor
 * @actor: number of the actor, 0 for the first process.
 * @verb: enum ct_exp_verb.
 * @area: number of the area, -1 when the verb takes none.
 * @other: number of the actor that the verb names, -1 for none.
 * @number: of "cpu", "wait", "poke" and "collapse"; of "keep" the first page.
 * @last: of "keep", the last page.
 * @word: further word, empty when none was given.
 * @line: in the text.
 */
struct ct_exp_op {
	int			actor;
	enum ct_exp_verb	verb;
	int			area;
	int			other;
	unsigned int		number;
	unsigned int		last;
	char			word[CT_EXP_WORD];
	unsigned int		line;
};

/**
 * struct ct_exp_fault - one fault of a sequence
 * @outcome: enum cowtrace_outcome.
 * @reason: enum cowtrace_reason, -1 for any.
 */
struct ct_exp_fault {
	int	outcome;
	int	reason;
};

/**
 * struct ct_exp_sequence - the faults of one page in one step
 * @n: number of @fault, 0 for none.
 */
struct ct_exp_sequence {
	unsigned int		n;
	struct ct_exp_fault	fault[CT_EXP_FAULTS];
};

/* In place of a number: any will do. */
#define CT_EXP_ANY	(-2)

/**
 * struct ct_exp_scan - what khugepaged must answer
 * @verdict: as the kernel's event calls it.
 * @shared: PTEs by enum ct_estimate, -1 for one that cannot be known, CT_EXP_ANY.
 */
struct ct_exp_scan {
	char	verdict[CT_EXP_WORD];
	int	shared[CT_EXP_ESTIMATES];
};

/**
 * struct ct_exp_answer - what a kernel must answer
 * @given: the text says it.
 * @absent: the kernel has no such thing: the operation fails.
 * @n: number of @sequence, any of which is right on a page; of @scan in a step of scans.
 * @text: as written.
 * @why: the kernel's reason, with its source.
 */
struct ct_exp_answer {
	bool			given;
	bool			absent;
	unsigned int		n;
	struct ct_exp_sequence	sequence[CT_EXP_SEQUENCES];
	struct ct_exp_scan	scan[CT_EXP_SEQUENCES];
	char			text[CT_EXP_TEXT];
	char			why[CT_EXP_TEXT];
};

/**
 * struct ct_exp_step - operations that are watched
 * @name: unique in the experiment.
 * @first: the first of its operations.
 * @n: how many there are; more than one at the same time, page by page.
 * @answer: by enum ct_exp_kernel.
 */
struct ct_exp_step {
	char			name[CT_EXP_WORD];
	unsigned int		first, n;
	struct ct_exp_answer	answer[CT_EXP_NR_KERNELS];
};

/**
 * enum ct_exp_need - what the machine must have, by what an experiment uses
 * @CT_EXP_NEED_SWAP: swap on a device that is no RAM disk.
 * @CT_EXP_NEED_ZRAM: swap on zram, which is set up for the experiment.
 * @CT_EXP_NEED_SLOW_SWAP: swap on a slow disk, which is set up likewise.
 * @CT_EXP_NEED_SLOW_DISK: a slow disk, likewise.
 */
enum ct_exp_need {
	CT_EXP_NEED_SWAP	= 1 << 0,
	CT_EXP_NEED_ZRAM	= 1 << 1,
	CT_EXP_NEED_SLOW_SWAP	= 1 << 2,
	CT_EXP_NEED_SLOW_DISK	= 1 << 3,
};

/**
 * struct ct_experiment - one experiment
 * @name: as given on the command line.
 * @title: one line for people.
 * @needs: enum ct_exp_need, or'ed.
 * @cpus: least number of online CPUs.
 * @area: memory.
 * @actor: names; the first is "p".
 * @op: in their order; those of steps stand among them.
 * @step: in their order.
 */
struct ct_experiment {
	char			name[CT_EXP_WORD];
	char			title[CT_EXP_TEXT];
	unsigned int		needs;
	unsigned int		cpus;
	unsigned int		nr_areas, nr_actors, nr_ops, nr_steps;
	struct ct_exp_area	area[CT_EXP_AREAS];
	char			actor[CT_EXP_ACTORS][CT_EXP_WORD];
	struct ct_exp_op	op[CT_EXP_OPS];
	struct ct_exp_step	step[CT_EXP_STEPS];
};

/**
 * struct ct_experiments - those of a file
 * @n: number of @list.
 * @list: in the order of the text.
 */
struct ct_experiments {
	size_t			n;
	struct ct_experiment	*list;
};

/**
 * ct_experiments_parse() - read a text
 * @text: the text.
 * @length: bytes of it.
 * @file: its name, for errors.
 * @all: what was read is added here.
 * @err: names file and line.
 * Return: 0, -EINVAL or -ENOMEM; on failure nothing was added.
 */
int ct_experiments_parse(const char *text, size_t length, const char *file,
			 struct ct_experiments *all, struct ct_error *err);

void ct_experiments_free(struct ct_experiments *all);

/**
 * ct_exp_kernel() - which generation a kernel belongs to
 * @traits: COWTRACE_TRAIT_* of it.
 */
enum ct_exp_kernel ct_exp_kernel(uint32_t traits);

/* Its name, such as "6.12". */
const char *ct_exp_kernel_name(enum ct_exp_kernel kernel);

/**
 * ct_exp_matches() - whether an answer allows what one page has seen
 * @answer: given, and not absent.
 * @fault: the faults of the page in the order in which they began.
 * @n: number of them.
 */
bool ct_exp_matches(const struct ct_exp_answer *answer, const struct ct_exp_fault *fault,
		    unsigned int n);

/* Bytes of one unit of an area: what "write" touches once. */
size_t ct_exp_unit(enum ct_exp_kind kind);

const char *ct_exp_verb_name(enum ct_exp_verb verb);

/* Words of the vocabulary, for known values. */
const char *ct_exp_outcome(int outcome);
const char *ct_exp_reason(int reason);

#endif /* COWTRACE_EXPERIMENT_H */
