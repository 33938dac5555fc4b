// SPDX-License-Identifier: GPL-2.0
/* The programs: loaded. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "module_load.h"
#include "programs.h"
#include "skeleton.h"

/* libbpf's last complaint: the reason, behind the error number of a load. */
static char said[256];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[256];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	/* The first names the cause, those after it what follows from it. */
	if (!*said)
		snprintf(said, sizeof(said), "%s", line);
	return 0;
}

void ct_bpf_listen(void)
{
	*said = '\0';
	libbpf_set_print(keep_complaint);
}

const char *ct_bpf_libbpf_said(void)
{
	return said;
}

static int explain_load(int code, struct ct_error *err)
{
	char mode[32];

	if (code == EPERM && !ct_lockdown("", mode, sizeof(mode)) &&
	    !strcmp(mode, "confidentiality"))
		return ct_error_set(err, -code,
				    "the kernel is locked down (confidentiality), and lets no BPF program read its memory: boot with lockdown=integrity or none");
	if (code == EPERM)
		return ct_error_set(err, -code,
				    "the kernel does not let this process load BPF programs: run cowtrace as root, on the host and not in a container without CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE");
	return ct_error_set(err, -code, "the kernel refused the BPF programs: %s%s%s%s",
			    strerror(code), *said ? " (libbpf: " : "", said, *said ? ")" : "");
}

size_t ct_bpf_ring_bytes(const struct ct_bpf *b)
{
	size_t want = (size_t)b->buffer_kb * 1024 * sysconf(_SC_NPROCESSORS_ONLN), size = 65536;

	while (size < want && size < 1ul << 30)
		size *= 2;
	return size;
}

static int choose_programs(struct ct_bpf *b)
{
	struct bpf_program *prog;

	for (size_t i = 0; i < ct_bpf_nr_programs; i++) {
		const struct ct_bpf_program *p = &ct_bpf_programs[i];
		enum ct_bpf_probe probe = ct_bpf_probe_of(b, p);

		prog = bpf_object__find_program_by_name(b->skel->obj, p->name);
		if (bpf_program__set_autoload(prog, probe != CT_BPF_ABSENT))
			return -errno;
		if (probe == CT_BPF_TRAMPOLINE &&
		    bpf_program__set_attach_target(prog, 0, b->kernel.symbol[p->point]))
			return -errno;
		if (probe == CT_BPF_MULTI &&
		    bpf_program__set_expected_attach_type(prog, BPF_TRACE_KPROBE_MULTI))
			return -errno;
	}
	return 0;
}

/* The kernel's addresses: without them the programs would read at none. */
static bool addresses_hidden(void)
{
	unsigned long long address = 0;
	FILE *f = fopen("/proc/kallsyms", "re");

	if (f && fscanf(f, "%llx %*s %*s", &address) == 1 && !address &&
	    fscanf(f, " %llx", &address) == 1 && address) {
		fclose(f);
		return false;
	}
	/* On some kernels the first symbol, of CPU data, stands at 0: look at more. */
	for (int i = 0; f && !address && i < 10000; i++)
		if (fscanf(f, " %llx %*s %*[^\n]", &address) != 1)
			break;
	if (f)
		fclose(f);
	return !address;
}

static int map_members(struct ct_bpf *b)
{
	void *at = mmap(NULL, COW_BPF_PIDS, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(b->skel->maps.members), 0);

	if (at == MAP_FAILED)
		return -errno;
	b->members = at;
	return 0;
}

int ct_bpf_load(struct ct_bpf *b, struct ct_error *err)
{
	struct bpf_object_open_opts opts = {
		.sz = sizeof(opts),
		.btf_custom_path = ct_bpf_btf_path(),
	};
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int ret;

	if (b->skel)
		return 0;
	if (addresses_hidden())
		return ct_error_set(err, -EPERM,
				    "/proc/kallsyms shows no addresses: write 1 to /proc/sys/kernel/kptr_restrict, and run cowtrace as root");
	/* Until 5.11 maps count as locked memory. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	ct_bpf_listen();
	b->skel = cow_bpf__open_opts(&opts);
	if (!b->skel)
		return explain_load(errno, err);
	ret = choose_programs(b);
	if (!ret)
		ret = bpf_map__set_max_entries(b->skel->maps.ring, ct_bpf_ring_bytes(b));
	if (!ret)
		ret = cow_bpf__load(b->skel);
	if (!ret)
		ret = map_members(b);
	if (!ret)
		ret = ct_bpf_open_ring(b);
	if (ret) {
		explain_load(-ret, err);
		ct_bpf_unload(b);
	}
	return ret;
}

void ct_bpf_unload(struct ct_bpf *b)
{
	ct_bpf_detach(b);
	ct_bpf_detach_tree(b);
	if (b->members)
		munmap(b->members, COW_BPF_PIDS);
	b->members = NULL;
	ring_buffer__free(b->rings);
	b->rings = NULL;
	cow_bpf__destroy(b->skel);
	b->skel = NULL;
	memset(&b->missed, 0, sizeof(b->missed));
}
