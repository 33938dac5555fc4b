/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace file: a header, then chunks, each with its own checksum, so that a
 * file cut off by a full disk or a crash is readable up to the cut, and damage
 * in one chunk costs that chunk only. All numbers are little-endian.
 *
 * The file explains itself: it carries the module's schema text, and what is
 * needed to name processes and code on another machine after they are gone.
 */
#ifndef COWTRACE_FORMAT_H
#define COWTRACE_FORMAT_H

#include <stdint.h>

#define CT_FILE_MAGIC		"COWTRACE"
/* Raised when an old reader would misread the container. */
#define CT_FILE_MAJOR		1
#define CT_FILE_MINOR		0

/**
 * struct ct_file_header - first bytes of a trace
 * @magic: CT_FILE_MAGIC without its NUL.
 * @major: CT_FILE_MAJOR of the writer; a reader refuses a greater one.
 * @minor: CT_FILE_MINOR of the writer; unknown chunk types are skipped.
 * @size: bytes of this header; the first chunk follows it.
 */
struct ct_file_header {
	char		magic[8];
	uint16_t	major;
	uint16_t	minor;
	uint32_t	size;
};

#define CT_CHUNK_MAGIC		0x4b435743u	/* "CWCK" */

/**
 * enum ct_chunk_type - what a chunk's payload is
 * @CT_CHUNK_META: one JSON object: kernel, machine, command, settings, times.
 * @CT_CHUNK_SCHEMA: text of the module's schema file. Written at the start and
 *	once more before the end, so that damage to one costs nothing.
 * @CT_CHUNK_RECORDS: records of one CPU in the order in which it wrote them.
 * @CT_CHUNK_SIDEBAND: perf_event records (COMM, FORK, EXIT, MMAP2, LOST) with
 *	sample_id_all, as one perf ring buffer gave them, or synthesised from
 *	/proc at the start, in the same layout. SAMPLE records are those of the
 *	tracepoint task:task_newtask, see CT_NEWTASK_PID. CT_RECORD_MEMORY is a
 *	record of our own; readers skip types that they do not know.
 * @CT_CHUNK_STATE: a debugfs file of the module at the end of the trace: its
 *	name, a newline, then its text (stats, lost, probes).
 * @CT_CHUNK_END: empty; the writer ended in order. A trace without it was cut.
 * @CT_CHUNK_GROUP: events of a group beside the core: its name, a newline, then
 *	lines of its file groups/NAME/events, see group.h.
 * @CT_CHUNK_STACKS: copies of user stacks, struct ct_stack each, that one CPU took.
 */
enum ct_chunk_type {
	CT_CHUNK_META = 1,
	CT_CHUNK_SCHEMA,
	CT_CHUNK_RECORDS,
	CT_CHUNK_SIDEBAND,
	CT_CHUNK_STATE,
	CT_CHUNK_END,
	CT_CHUNK_GROUP,
	CT_CHUNK_STACKS,
};

/**
 * struct ct_chunk_header - before each payload
 * @magic: CT_CHUNK_MAGIC.
 * @type: enum ct_chunk_type.
 * @cpu: CPU of the payload, UINT32_MAX where that means nothing.
 * @length: bytes of the payload, which is padded with zeros to 8 bytes.
 * @payload_crc: the CRC-32 of zlib and gzip of the payload without padding.
 * @header_crc: the same of the header before this field.
 */
struct ct_chunk_header {
	uint32_t	magic;
	uint32_t	type;
	uint32_t	cpu;
	uint32_t	length;
	uint32_t	payload_crc;
	uint32_t	header_crc;
};

/*
 * Raw data of task:task_newtask, native to x86-64: where the new task's number
 * (s32) and its CLONE_* flags (u64) stand, and how much that takes. A writer
 * whose kernel has them elsewhere leaves the event out.
 */
#define CT_NEWTASK_PID		8
#define CT_NEWTASK_FLAGS	32
#define CT_NEWTASK_SIZE		40

/*
 * Type of a side-band record beyond the kernel's and perf's own, struct
 * ct_memory_record.
 */
#define CT_RECORD_MEMORY	0x43570001u

#define CT_STACK_REGS	17

/**
 * struct ct_stack - a copy of the user stack of a fault
 * @size: bytes of it all, copy and padding to 8 bytes included.
 * @copied: bytes of the stack behind this struct, from the stack pointer up; fewer
 *	than @asked where the kernel could not read on.
 * @asked: bytes asked for.
 * @abi: 0 without registers (a kernel thread), 1 for 32-bit, 2 for 64-bit: the
 *	PERF_SAMPLE_REGS_ABI_* of linux/perf_event.h.
 * @cpu: of the record.
 * @seq: of the record; 0 for a fault that was not recorded.
 * @pid: of the record.
 * @tgid: of the record.
 * @time_ns: of the record.
 * @regs: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15 and rip, the order of their
 *	numbers in DWARF.
 */
struct ct_stack {
	uint32_t	size;
	uint32_t	copied;
	uint32_t	asked;
	uint32_t	abi;
	uint32_t	cpu;
	uint32_t	seq;
	uint32_t	pid;
	uint32_t	tgid;
	uint64_t	time_ns;
	uint64_t	regs[CT_STACK_REGS];
};

/* A chunk longer than this is damage: writers stay far below. */
#define CT_CHUNK_MAX		(64u << 20)

#endif /* COWTRACE_FORMAT_H */
