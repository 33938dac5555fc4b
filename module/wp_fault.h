/* SPDX-License-Identifier: GPL-2.0 */
/* The event cowtrace:wp_fault: the fields of the record, by the lists of vocab.h. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cowtrace

#if !defined(COW_WP_FAULT_H) || defined(TRACE_HEADER_MULTI_READ)
#define COW_WP_FAULT_H

#include <linux/tracepoint.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

#ifndef COW_TP_HELPERS
#define COW_TP_HELPERS
#define COW_TP_FIELD_u8(name)		__field(u8, name)
#define COW_TP_FIELD_u16(name)		__field(u16, name)
#define COW_TP_FIELD_u32(name)		__field(u32, name)
#define COW_TP_FIELD_s32(name)		__field(s32, name)
#define COW_TP_FIELD_u64(name)		__field(u64, name)
#define COW_TP_FIELD_char16(name)	__array(char, name, COWTRACE_COMM_LEN)
#define COW_TP_FIELD(name, type, format, unit, absent, sentence)	\
	COW_TP_FIELD_##type(name)
#define COW_TP_ASSIGN(name, type, format, unit, absent, sentence)	\
	memcpy(&__entry->name, &r->name, sizeof(__entry->name));
#define COW_TP_WORD(id, value, name, sentence)	{ value, name },
#define COW_TP_FLAG(id, bit, name, sentence)	{ 1ul << bit, name },
#endif

TRACE_EVENT_FN(wp_fault,
	TP_PROTO(const struct cowtrace_record *r),
	TP_ARGS(r),
	TP_STRUCT__entry(
		COWTRACE_FIELDS(COW_TP_FIELD)
	),
	TP_fast_assign(
		COWTRACE_FIELDS(COW_TP_ASSIGN)
	),
	TP_printk("%s-%u %s %s kind=%s origin=%s addr=%#llx ip=%#llx refcount=%d mapcount=%d order=%u pfn=%#llx new_pfn=%#llx ret=%#x ns=%u state=%s evidence=%s present=%s",
		  __entry->comm, __entry->pid,
		  __print_symbolic(__entry->outcome, COWTRACE_OUTCOMES(COW_TP_WORD) { 255, "?" }),
		  __print_symbolic(__entry->reason, COWTRACE_REASONS(COW_TP_WORD) { 255, "?" }),
		  __print_symbolic(__entry->kind, COWTRACE_KINDS(COW_TP_WORD) { 255, "?" }),
		  __print_symbolic(__entry->origin, COWTRACE_ORIGINS(COW_TP_WORD) { 255, "?" }),
		  __entry->address, __entry->ip, __entry->refcount, __entry->mapcount,
		  __entry->order, __entry->pfn, __entry->new_pfn, __entry->ret,
		  __entry->duration_ns,
		  __print_flags(__entry->state, "|", COWTRACE_STATES(COW_TP_FLAG)
				{ 1ul << 32, "?" }),
		  __print_flags(__entry->evidence, "|", COWTRACE_EVIDENCE(COW_TP_FLAG)
				{ 1ul << 31, "?" }),
		  __print_flags(__entry->present, "|", COWTRACE_PRESENT(COW_TP_FLAG)
				{ 1ul << 31, "?" })),
	cow_trace_reg,
	cow_trace_unreg
);

#endif /* COW_WP_FAULT_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE wp_fault
#include <trace/define_trace.h>
