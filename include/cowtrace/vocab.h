/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the vocabulary. Every outcome, reason, kind, origin, flag and field
 * is one line of a list here: its enumerator, its name, and the sentence that
 * explains it. Enumerations, name tables, the schema file, the tracepoint's
 * print format, help texts and JSON all come from these lists.
 *
 * Numbers are part of the record layout: append only, never renumber.
 */
#ifndef COWTRACE_VOCAB_H
#define COWTRACE_VOCAB_H

#include <linux/types.h>

/* Which function of the kernel handled the fault. X(id, value, name, sentence) */
#define COWTRACE_PATHS(X)						\
	X(PTE,	   0, "pte",	"one page-table entry: do_wp_page()")	\
	X(PMD,	   1, "pmd",	"one huge PMD: do_huge_pmd_wp_page()")	\
	X(HUGETLB, 2, "hugetlb", "one hugetlb page: hugetlb_wp(), on 5.10 hugetlb_cow()")

/* Where the access came from. */
#define COWTRACE_ORIGINS(X)						\
	X(UNKNOWN, 0, "unknown", "the return address names neither caller of do_wp_page()") \
	X(USER,	   1, "user",	"a write by user code to a present, read-only PTE") \
	X(SWAPIN,  2, "swapin",	"a write that first had to swap the page in: do_swap_page()") \
	X(UNSHARE, 3, "unshare", "a read-only pin that must not share: FAULT_FLAG_UNSHARE") \
	X(REMOTE,  4, "remote",	"another task's access: ptrace, /proc/PID/mem, ksmd") \
	X(KERNEL,  5, "kernel",	"the kernel wrote to user memory for a system call")

/* What kind of page the PTE pointed to. */
#define COWTRACE_KINDS(X)						\
	X(UNKNOWN, 0, "unknown", "the page was not sampled")		\
	X(ANON,	   1, "anon",	"anonymous memory")			\
	X(KSM,	   2, "ksm",	"a page merged by KSM")			\
	X(ZERO,	   3, "zero",	"the shared zero page")			\
	X(FILE,	   4, "file",	"the page cache: a file, shmem or memfd") \
	X(SPECIAL, 5, "special", "a mapping without struct page (PFN map, device)") \
	X(THP,	   6, "thp",	"a transparent huge page mapped by a PMD") \
	X(HUGETLB, 7, "hugetlb", "a hugetlb page")

/* What the kernel did. */
#define COWTRACE_OUTCOMES(X)						\
	X(UNKNOWN, 0, "unknown", "the evidence does not settle what happened") \
	X(REUSE,   1, "reuse",	"the same page was kept and made writable") \
	X(COPY,	   2, "copy",	"a new page was filled and mapped instead") \
	X(MKWRITE, 3, "mkwrite", "a shared file page or PFN was made writable") \
	X(UNSHARE, 4, "unshare", "a private copy was mapped and left read-only") \
	X(SPLIT,   5, "split",	"a huge PMD was split, the fault goes on page by page") \
	X(UFFD,	   6, "uffd",	"userfaultfd write protection took the fault") \
	X(RETRY,   7, "retry",	"nothing done, the kernel asked for the fault again") \
	X(RACED,   8, "raced",	"another thread or the kernel changed the PTE first") \
	X(NOOP,	   9, "noop",	"nothing had to be done")		\
	X(OOM,	  10, "oom",	"no memory for the copy")		\
	X(POISON, 11, "poison",	"the source page has a hardware memory error") \
	X(ERROR,  12, "error",	"the access ended in SIGBUS or SIGSEGV")

/*
 * Why: of a copy, the first test of the running kernel that failed; of a
 * reuse, the test that allowed it.
 */
#define COWTRACE_REASONS(X)						\
	X(NONE,		 0, "none",	"the outcome needs no reason")	\
	X(KSM,		 1, "ksm",	"merged by KSM: always copied")	\
	X(MAPPED,	 2, "mapped",	"other mappings of the page exist") \
	X(SWAPCACHE,	 3, "swapcache", \
	  "the swap cache holds the page and its slot was not freed") \
	X(WRITEBACK,	 4, "writeback", "in the swap cache and being written to swap") \
	X(LRU,		 5, "lru",	"an LRU-add batch still holds a reference") \
	X(PINNED,	 6, "pinned",	"pinned for DMA (FOLL_PIN)")	\
	X(LOCKED,	 7, "locked",	"somebody else held the page lock") \
	X(LARGE,	 8, "large",	"part of a large folio")	\
	X(ZERO,		 9, "zero",	"the zero page is never writable") \
	X(FILE,		10, "file",	"private mapping of a file page") \
	X(SPECIAL,	11, "special",	"no struct page to reuse")	\
	X(UNATTRIBUTED,	12, "unattributed", "a reference that no holder explains") \
	X(EXCLUSIVE,	13, "exclusive", "PageAnonExclusive: this process owns it alone") \
	X(SOLE_REF,	14, "sole-ref",	"the mapping held the only reference") \
	X(SWAPCACHE_FREED, 15, "swapcache-freed", \
	  "only the swap cache held it too, and let it go") \
	X(LARGE_EXCLUSIVE, 16, "large-exclusive", \
	  "one process maps and holds the whole large folio") \
	X(MAPCOUNT_ONE,	17, "mapcount-one", "mapped once; other references were not looked at")

/* What a generation of the kernel's logic decides (policy.h). X(id, value, name, sentence) */
#define COWTRACE_POLICIES(X)						\
	X(MAPCOUNT,  0, "mapcount", \
	  "until 5.8: mappings and swap entries decide, references do not (before 09854ba94c6a)") \
	X(REFCOUNT,  1, "refcount", \
	  "5.9 to 5.17: one reference, or a copy (09854ba94c6a)") \
	X(SWAPCACHE, 2, "swapcache", \
	  "5.18: as refcount, after LRU batch and swap cache let go (53a05ad9f21d, d4c470970d45)") \
	X(EXCLUSIVE, 3, "exclusive", \
	  "5.19 to 6.14: PageAnonExclusive first, then as swapcache (6c287605fd56)") \
	X(LARGE_EXCLUSIVE, 4, "large-exclusive", \
	  "6.15 on: and large folios that one mm maps and holds (1da190f4d0a6)") \
	X(MINIMAL,   5, "minimal", \
	  "no kernel: a copy only where another user could see the write")

/* What a policy answers. */
#define COWTRACE_ANSWERS(X)						\
	X(NONE,	 0, "not-asked", "no policy decides such a fault")	\
	X(REUSE, 1, "reuse",	"the page is kept")			\
	X(COPY,	 2, "copy",	"a copy; of a huge page mapped by a PMD, a split") \
	X(UNDETERMINED, 3, "undetermined", "the sample does not settle it")

/* Why an answer is undetermined: what would have to be known. */
#define COWTRACE_CAUSES(X)						\
	X(NONE,	     0, "none",	"the answer is settled")		\
	X(EXCLUSIVE, 1, "exclusive-unknown", \
	  "whether the page was this process's alone: the kernel has no PageAnonExclusive") \
	X(SWAPCOUNT, 2, "swapcount-unknown", "how many swap entries share its slot") \
	X(STABLE,    3, "stable-writes", \
	  "whether the swap device wants pages unchanged while it writes them") \
	X(BATCH,     4, "lru-batch", "whether the LRU batch that holds it is this CPU's") \
	X(LOCK,	     5, "page-lock", "whether its lock would have been free") \
	X(MAPPINGS,  6, "other-pages", "how often the other pages of the folio are mapped") \
	X(MMS,	     7, "other-mms", "whether another mm maps pages of the folio") \
	X(RELEASE,   8, "release", \
	  "5.19 to 6.7 count the references of a large folio, 6.8 to 6.14 copy it") \
	X(PINNED,    9, "pinned-shared", "whether a pin was taken while the page was shared") \
	X(REFERENCE, 10, "reference", "whose the unattributed references are") \
	X(MOVED,     11, "moved", "the counts moved while they were sampled")

/* Bits of cowtrace_record.state. X(id, bit, name, sentence) */
#define COWTRACE_STATES(X)						\
	X(PG_ANON,	 0, "anon",	"entry: PageAnon")		\
	X(PG_KSM,	 1, "ksm",	"entry: PageKsm")		\
	X(PG_SWAPCACHE,	 2, "swapcache", "entry: PageSwapCache")	\
	X(PG_LRU,	 3, "lru",	"entry: PageLRU, on an LRU list") \
	X(PG_WRITEBACK,	 4, "writeback", "entry: PageWriteback")	\
	X(PG_LOCKED,	 5, "locked",	"entry: PageLocked")		\
	X(PG_DIRTY,	 6, "dirty",	"entry: PageDirty")		\
	X(PG_EXCLUSIVE,	 7, "exclusive", "entry: PageAnonExclusive of this page") \
	X(PG_PINNED,	 8, "maybe-pinned", "entry: page_maybe_dma_pinned()") \
	X(PG_MLOCKED,	 9, "mlocked",	"entry: PageMlocked")		\
	X(PG_PRIVATE,	10, "private",	"entry: PagePrivate, buffers hold a reference") \
	X(PG_MM_SHARED,	11, "mm-shared", "entry: the folio may be mapped by several mms (7.x)") \
	X(PTE_DIRTY,	16, "pte-dirty", "entry: dirty bit of the PTE")	\
	X(PTE_YOUNG,	17, "pte-young", "entry: accessed bit of the PTE") \
	X(PTE_SOFT_DIRTY, 18, "pte-soft-dirty", "entry: soft-dirty bit of the PTE") \
	X(PTE_UFFD_WP,	19, "pte-uffd-wp", "entry: userfaultfd write-protect bit of the PTE") \
	X(PTE_SPECIAL,	20, "pte-special", "entry: special bit of the PTE") \
	X(AFTER_SPLIT,	21, "after-split", \
	  "entry: this access has just split its huge PMD, see the record before it") \
	X(EXIT_UNCACHED, 23, "exit-uncached", \
	  "exit: the page that was in the swap cache has left it")	\
	X(EXIT_PRESENT,	24, "exit-present", "exit: the PTE is present")	\
	X(EXIT_WRITE,	25, "exit-write", "exit: the PTE is writable")	\
	X(EXIT_DIRTY,	26, "exit-dirty", "exit: dirty bit of the PTE")	\
	X(EXIT_EXCLUSIVE, 27, "exit-exclusive", "exit: PageAnonExclusive of the page now mapped") \
	X(EXIT_TABLE,	28, "exit-table", "exit: a page table stands where the huge PMD was") \
	X(EXIT_UFFD_ASYNC, 29, "exit-uffd-async", "exit: userfaultfd let the write pass") \
	X(EXIT_LRU,	30, "exit-lru",	"exit: the page has come from a batch to an LRU list") \
	X(EXIT_SWAPCACHE, 31, "exit-swapcache", \
	  "exit: the page that was in the swap cache still is")

/* Bits of cowtrace_record.evidence. */
#define COWTRACE_EVIDENCE(X)						\
	X(EV_RET,	0, "ret",	"the return code settles the outcome") \
	X(EV_PTE,	1, "pte",	"the PTE was read again at exit") \
	X(EV_WITNESS,	2, "witness",	"a witness probe saw the copy being mapped") \
	X(EV_WATCHED,	3, "watched",	"the witness probe was armed: its silence counts") \
	X(EV_UNSTABLE,	4, "unstable",	"the reference count moved while it was sampled") \
	X(EV_DRAINED,	5, \
	  "drained",	"the kernel may have drained an LRU batch between sample and decision") \
	X(EV_SHIFTED,	6, \
	  "shifted",	"the sampled counts allow the other outcome: they moved since") \
	X(EV_UNLOCKED,	7, "unlocked",	"the fault dropped its locks: the PTE was not read again") \
	X(EV_ALONE,	8, "alone",	"no other thread or process used the address space") \
	X(EV_COUNTED,	9, \
	  "counted",	"the CPU ran nothing else: its pgreuse event tells if this reused") \
	X(EV_REUSED,	10, "reused",	"the pgreuse event or a witness probe saw the reuse") \
	X(EV_TRIED,	11, \
	  "tried",	"decided by a trylock or by freeing the swap slot, after the sample")

/* Bits of cowtrace_record.present. */
#define COWTRACE_PRESENT(X)						\
	X(HAS_PAGE,	0, "page",	"refcount, mapcount, order, node and page states") \
	X(HAS_FOLIO_MAPCOUNT, 1, "folio_mapcount", "folio_mapcount")	\
	X(HAS_NEW_PFN,	2, "new_pfn",	"new_pfn")			\
	X(HAS_IP,	3, "ip",	"ip")				\
	X(HAS_EXCLUSIVE, 4, "exclusive", "the kernel knows PageAnonExclusive") \
	X(HAS_PINCOUNT,	5, "pincount",	"pincount")			\
	X(HAS_SWAPCOUNT, 6, "swapcount", "swapcount")			\
	X(HAS_MAPPED_HERE, 7, "mapped_here", "mapped_here")

/*
 * What the running kernel's do_wp_page() does, as bits. They are written into
 * the schema, so that a trace explains itself on any machine. module/compat/
 * derives them from features of the kernel's headers.
 */
#define COWTRACE_TRAITS(X)						\
	X(TRAIT_RET_WRITE, 0, "ret-write",				\
	  "success returns VM_FAULT_WRITE (until 6.1, removed by cb8d8633344f)") \
	X(TRAIT_EXCLUSIVE, 1, "exclusive",				\
	  "PageAnonExclusive is tested first, then the swap cache is freed (5.19, 6c287605fd56)") \
	X(TRAIT_SHARED_FIRST, 2, "shared-first",			\
	  "VM_SHARED or VM_MAYSHARE is tested before anon (6.2)")	\
	X(TRAIT_LARGE_COPY, 3, "large-copy",				\
	  "a large folio that is not exclusive is always copied")	\
	X(TRAIT_LARGE_EXCLUSIVE, 4, "large-exclusive",			\
	  "a large folio is reused when one mm maps and holds all of it (6.15, 1da190f4d0a6)")

#define COWTRACE_ENUM_(prefix, id, value)	prefix##id = (value),
#define COWTRACE_PATH_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_PATH_, id, v)
#define COWTRACE_ORIGIN_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_ORIGIN_, id, v)
#define COWTRACE_KIND_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_KIND_, id, v)
#define COWTRACE_OUTCOME_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_OUTCOME_, id, v)
#define COWTRACE_REASON_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_REASON_, id, v)
#define COWTRACE_POLICY_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_POLICY_, id, v)
#define COWTRACE_ANSWER_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_ANSWER_, id, v)
#define COWTRACE_CAUSE_ENUM_(id, v, n, s)	COWTRACE_ENUM_(COWTRACE_CAUSE_, id, v)
#define COWTRACE_BIT_ENUM_(id, v, n, s)		COWTRACE_ENUM_(COWTRACE_, id, 1u << (v))

enum cowtrace_path { COWTRACE_PATHS(COWTRACE_PATH_ENUM_) COWTRACE_NR_PATHS };
enum cowtrace_origin { COWTRACE_ORIGINS(COWTRACE_ORIGIN_ENUM_) COWTRACE_NR_ORIGINS };
enum cowtrace_kind { COWTRACE_KINDS(COWTRACE_KIND_ENUM_) COWTRACE_NR_KINDS };
enum cowtrace_outcome { COWTRACE_OUTCOMES(COWTRACE_OUTCOME_ENUM_) COWTRACE_NR_OUTCOMES };
enum cowtrace_reason { COWTRACE_REASONS(COWTRACE_REASON_ENUM_) COWTRACE_NR_REASONS };
enum cowtrace_policy { COWTRACE_POLICIES(COWTRACE_POLICY_ENUM_) COWTRACE_NR_POLICIES };
enum cowtrace_answer { COWTRACE_ANSWERS(COWTRACE_ANSWER_ENUM_) COWTRACE_NR_ANSWERS };
enum cowtrace_cause { COWTRACE_CAUSES(COWTRACE_CAUSE_ENUM_) COWTRACE_NR_CAUSES };
enum cowtrace_state { COWTRACE_STATES(COWTRACE_BIT_ENUM_) };
enum cowtrace_evidence { COWTRACE_EVIDENCE(COWTRACE_BIT_ENUM_) };
enum cowtrace_present { COWTRACE_PRESENT(COWTRACE_BIT_ENUM_) };
enum cowtrace_trait { COWTRACE_TRAITS(COWTRACE_BIT_ENUM_) };

/**
 * struct cowtrace_word - one word of the vocabulary
 * @value: the enumerator, or the bit as a mask.
 * @name: lower case, no spaces; the name used in every output and filter.
 * @sentence: what it means, one clause without a final stop.
 */
struct cowtrace_word {
	__u32		value;
	const char	*name;
	const char	*sentence;
};

#define COWTRACE_WORD_(id, v, n, s)	{ (v), (n), (s) },
#define COWTRACE_FLAG_(id, v, n, s)	{ 1u << (v), (n), (s) },

/*
 * Fields of the record, in the order of the layout.
 * X(member, C type, format, unit, presence bit or 0, sentence)
 * format: dec, hex, str, or the name of a vocabulary (enum:NAME, flags:NAME).
 */
#define COWTRACE_FIELDS(X)						\
	X(seq,		u32, "dec", "-", 0, \
	  "number of the record on its CPU, dropped ones counted") \
	X(cpu,		u16, "dec", "-", 0, "CPU that wrote the record")	\
	X(type,		u8, "dec", "-", 0, "1: one write-protect fault")	\
	X(magic,	u8, "hex", "-", 0, "0xc7 in each record")		\
	X(time_ns,	u64, "dec", "ns", 0, "entry of the fault, CLOCK_MONOTONIC") \
	X(duration_ns,	u32, "dec", "ns", 0, "exit minus entry, 4294967295 when longer") \
	X(pid,		u32, "dec", "-", 0, "thread id")			\
	X(tgid,		u32, "dec", "-", 0, "process id")			\
	X(uid,		u32, "dec", "-", 0, "real user id")			\
	X(comm,		char16, "str", "-", 0, "command name")			\
	X(address,	u64, "hex", "-", 0, "faulting user address")		\
	X(ip,		u64, "hex", "-", COWTRACE_HAS_IP, "user instruction pointer") \
	X(vm_flags,	u64, "hex", "-", 0, "vm_area_struct.vm_flags")		\
	X(pfn,		u64, "hex", "-", 0, "page frame in the PTE at entry")	\
	X(new_pfn,	u64, "hex", "-", COWTRACE_HAS_NEW_PFN, "page frame in the PTE at exit") \
	X(fault_flags,	u16, "hex", "-", 0, "FAULT_FLAG_*")			\
	X(ret,		u16, "hex", "-", 0, "VM_FAULT_* returned by the kernel") \
	X(swapcount,	u16, "dec", "entries", COWTRACE_HAS_SWAPCOUNT, \
	  "swap entries that name the page's slot, 63 when more") \
	X(mapped_here,	u16, "dec", "pages", COWTRACE_HAS_MAPPED_HERE, \
	  "pages of the large folio that this page table maps") \
	X(refcount,	s32, "dec", "references", COWTRACE_HAS_PAGE, "page_count() of the folio") \
	X(mapcount,	s32, "dec", "mappings", COWTRACE_HAS_PAGE, "mappings of this page") \
	X(folio_mapcount, s32, "dec", "mappings", COWTRACE_HAS_FOLIO_MAPCOUNT, \
	  "mappings of all pages of the folio") \
	X(pincount,	u32, "dec", "pins", COWTRACE_HAS_PINCOUNT, \
	  "FOLL_PIN pins of a large folio")	\
	X(state,	u32, "flags:state", "-", 0, \
	  "states of page and PTE at entry and at exit") \
	X(evidence,	u16, "flags:evidence", "-", 0, "what the outcome rests on") \
	X(present,	u16, "flags:present", "-", 0, "which absent-able fields are given") \
	X(path,		u8, "enum:path", "-", 0, "function of the kernel that handled the fault") \
	X(origin,	u8, "enum:origin", "-", 0, "where the access came from") \
	X(kind,		u8, "enum:kind", "-", 0, "kind of page")		\
	X(outcome,	u8, "enum:outcome", "-", 0, "what the kernel did")	\
	X(reason,	u8, "enum:reason", "-", 0, "why")			\
	X(order,	u8, "dec", "log2-pages", COWTRACE_HAS_PAGE, "order of the folio") \
	X(node,		u16, "dec", "-", COWTRACE_HAS_PAGE, "NUMA node")

#endif /* COWTRACE_VOCAB_H */
