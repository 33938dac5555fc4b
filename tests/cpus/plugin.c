// SPDX-License-Identifier: GPL-2.0
/*
 * A TCG plugin that shows what a kernel module does as CPUs are added: how many
 * instructions of its own each CPU executes, and which cache lines more than one
 * CPU writes.
 *
 *   -plugin plugin.so,out=FILE[,stores=on]
 *
 * The guest tells what to look at, and when (tell.h); until then it runs as fast as
 * without a plugin. At each stop FILE is
 * appended:
 *
 *   run NAME
 *   cpu CPU INSTRUCTIONS		of the code told
 *   insn ADDRESS COUNT			by all CPUs
 *   read NUMBER LINE COUNT WRITERS ADDRESS LOAD	by the code told, of the module's data
 *   area NUMBER LINES SHARED		written at all; by more than one CPU
 *   shared NUMBER LINE CPU ADDRESS STORE
 *   other LINE CPU ADDRESS STORE
 *   end
 *
 * Watched are all stores of the kernel, whoever makes them, to the areas told
 * ("shared"), and those of the code told to anything else ("other"). Only lines
 * that more than one CPU wrote are listed: the first byte of the line that each of
 * these CPUs wrote, and the instruction that was first. A line that
 * the code told reads is listed with how many CPUs wrote it, the first ADDRESS read,
 * and by which LOAD.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu-plugin-api.h"
#include "seen.h"
#include "tell.h"

/* The kernel's half of the addresses. */
#define KERNEL		0xffff800000000000ul

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static uint64_t pending, run;
static bool awake, active, with_stores;
static qemu_plugin_id_t self;
static const char *out = "cpus.out";

static bool is_active(void)
{
	return __atomic_load_n(&active, __ATOMIC_RELAXED);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

/* Nothing is translated any more. */
static void wake(qemu_plugin_id_t id)
{
	awake = true;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
}

/* Told by one program of the guest, one thing after the other. */
static void on_telling(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	uint64_t value = qemu_plugin_mem_get_value(info).data.u64;

	switch ((enum telling)(uintptr_t)data) {
	case TELL_FORGET:
		if (!awake)
			qemu_plugin_reset(self, wake);
		seen_forget();
		break;
	case TELL_CODE_FROM:
	case TELL_AREA_FROM:
		pending = value;
		break;
	case TELL_CODE_TO:
		seen_add_code(pending, value);
		break;
	case TELL_AREA_TO:
		seen_add_area(pending, value);
		break;
	case TELL_START:
		seen_clear();
		run = value;
		__atomic_store_n(&active, true, __ATOMIC_SEQ_CST);
		break;
	case TELL_STOP:
		__atomic_store_n(&active, false, __ATOMIC_SEQ_CST);
		seen_print(out, run);
		break;
	}
}

static void on_instruction(unsigned int cpu, void *data)
{
	if (is_active())
		seen_instruction(cpu, (uintptr_t)data);
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	uint64_t address = (uintptr_t)data;

	if (!is_active())
		return;
	if (qemu_plugin_mem_is_store(info))
		seen_store(cpu, vaddr, 1ul << qemu_plugin_mem_size_shift(info), address);
	else if (seen_is_code(address))
		seen_load(vaddr, address);
}

/* Return: enum telling, or -1. */
static int telling(const struct qemu_plugin_insn *insn)
{
	unsigned char bytes[7];
	uint32_t disp;

	if (qemu_plugin_insn_size(insn) != sizeof(bytes))
		return -1;
	qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
	memcpy(&disp, bytes + 3, sizeof(disp));
	if (memcmp(bytes, "\x48\x89\x82", 3) || (disp & ~0xffu) != TELL_MAGIC)
		return -1;
	return disp & 0xff;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		void *data = (void *)(uintptr_t)address;
		int what;

		if (awake && address >= SEEN_MODULES)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction,
							       QEMU_PLUGIN_CB_NO_REGS, data);
		if (address >= KERNEL) {
			if (awake && with_stores)
				qemu_plugin_register_vcpu_mem_cb(insn, on_access,
								 QEMU_PLUGIN_CB_NO_REGS,
								 address >= SEEN_MODULES ?
								 QEMU_PLUGIN_MEM_RW :
								 QEMU_PLUGIN_MEM_W, data);
			continue;
		}
		what = telling(insn);
		if (what >= 0)
			qemu_plugin_register_vcpu_mem_cb(insn, on_telling, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_W,
							 (void *)(uintptr_t)what);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	int i;

	if (strcmp(info->target_name, "x86_64") || info->system.max_vcpus > SEEN_MAX_CPUS) {
		fprintf(stderr, "plugin: made for x86_64 with up to %d CPUs\n", SEEN_MAX_CPUS);
		return -1;
	}
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			out = argv[i] + 4;
		} else if (!strcmp(argv[i], "stores=on")) {
			with_stores = true;
		} else {
			fprintf(stderr, "plugin: out=FILE or stores=on, not '%s'\n", argv[i]);
			return -1;
		}
	}
	self = id;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
