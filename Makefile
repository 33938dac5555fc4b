# SPDX-License-Identifier: GPL-2.0
# cowtrace: `make help` lists the targets.

# Kernel to build the module for: its headers.
KDIR ?= /lib/modules/$(shell uname -r)/build
# All output goes below this directory.
O ?= build
PREFIX ?= /usr/local
DESTDIR ?=

out := $(abspath $(O))
# The release of the kernel whose headers KDIR holds.
krelease = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
mdir = $(out)/module/$(krelease)$(VARIANT)
modules_dir = $(DESTDIR)/lib/modules/$(krelease)/updates

.PHONY: all module command install uninstall clean help guest vm demo check
.PHONY: unit matrix bench bench-reader cpus story verify check-debug check-selftests planted
.PHONY: dist deb check-deb fuzz fuzz-settings coverage storm check-injection check-cycles
.PHONY: module-coverage lint

all: module command

help:
	@echo 'On your own host:'
	@echo '  make              the module (for KDIR, default the running kernel) and the command'
	@echo '  make module       the module alone: $$O/module/RELEASE/cowtrace.ko'
	@echo '  make command      the command alone: $$O/userspace/cowtrace'
	@echo '  make install      both, with man pages, completion and the reader library, below'
	@echo '                    DESTDIR and PREFIX=$(PREFIX)'
	@echo '  make uninstall    take them away again'
	@echo '  make clean        remove what was built and the results of tests and demo, but'
	@echo '                    not the prepared VM (build/vm)'
	@echo '  make dist         the source as $$O/dist/cowtrace-VERSION.tar.gz'
	@echo '  make deb          Debian packages for DKMS, command and reader library: $$O/deb'
	@echo
	@echo 'In virtual machines, which prepare themselves (root or sudo, about 2 GB):'
	@echo '  make demo         trace a real redis-server on real kernels, print the reports;'
	@echo '                    CROSSCHECK=1: by module and BPF at once, and in what they differ'
	@echo '  make check        all tests: unit tests, then the kernels of the matrix'
	@echo '  make story        what each kernel does in each experiment, side by side'
	@echo '  make verify       predictions of each policy against the kernels that have it'
	@echo '  make check-debug  the module on kernels with KASAN, lockdep, kmemleak, KCSAN'
	@echo '  make module-coverage  lines of the module that run on the debug kernels'
	@echo '  make check-injection  each registration and allocation of the module fails once; tasks'
	@echo '                    asleep in a fault wake under other modules'
	@echo '  make check-cycles  10,000 cycles of load and unload under faults on 6.12, 1,000 on'
	@echo '                    each other kernel: hours'
	@echo "  make check-selftests  the kernel's own tests of copy on write, under cowtrace"
	@echo '  make lint         static analysis of all C and all scripts, with nothing run'
	@echo '  make unit         the unit tests alone'
	@echo '  make fuzz         mutated input for all that reads what somebody else wrote: RUNS=,'
	@echo '                    SECONDS= and SEED= for each target, TARGETS='
	@echo '  make fuzz-settings  a million mutated values (WRITES=, WRITES_SEED=) to all files of'
	@echo '                    the module, on each kernel (KERNELS=, BACKENDS=)'
	@echo '  make coverage     lines of the reader library that unit tests and corpora run'
	@echo '  make matrix       the tests of the module on the kernels alone'
	@echo '  make storm        an hour of all that happens to memory, CPUs, settings and the module'
	@echo '  make bench        what a fault costs more under cowtrace, and under other tracers'
	@echo '  make bench-reader  how fast a trace of 10 million records is read (RECORDS=), made'
	@echo '                    of real ones (TRACES=, default those of make demo on 6.12)'
	@echo '  make cpus         what CPUs share, and what a fault takes of cowtrace on 1 and on 8'
	@echo '  make check-deb    the Debian packages: built, installed, upgraded and removed in roots'
	@echo '                    of Debian 12 and 13'
	@echo '  make vm           prepare the virtual machines and nothing else'
	@echo
	@echo 'Variables: KDIR, CC, O, PREFIX, DESTDIR, and for what boots kernels:'
	@echo '  KERNELS="5.10 6.1 6.12 7.2" (the default; demo takes 6.1 and 6.12, bench all but 5.10),'
	@echo '  JOBS=2, how many guests run at the same time'

module:
	@test -n '$(krelease)' || { \
		echo 'no kernel headers in $(KDIR): install linux-headers-'"$$(uname -r)"', or name others by KDIR=' >&2; \
		exit 1; }
	@mkdir -p $(mdir)
	@# Links, so that each kernel gets objects of its own from the same sources.
	@cp -rsfT $(CURDIR)/include $(mdir)/include
	@cp -rsfT $(CURDIR)/module $(mdir)/module
	@ln -sf $(CURDIR)/Kbuild $(mdir)/Kbuild
	@find $(mdir) -xtype l -delete
	$(MAKE) -C $(KDIR) M=$(mdir) $(if $(MODULE_CC),CC=$(MODULE_CC)) modules
	@module/check-calls $(mdir)/cowtrace.ko

command:
	$(MAKE) -C userspace O=$(out)/userspace all

install: all
	install -D -m 644 $(mdir)/cowtrace.ko $(modules_dir)/cowtrace.ko
	$(if $(DESTDIR),,depmod -a $(krelease))
	$(MAKE) -C userspace O=$(out)/userspace PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) install

uninstall:
	rm -f $(modules_dir)/cowtrace.ko
	$(if $(DESTDIR),,depmod -a $(krelease))
	$(MAKE) -C userspace O=$(out)/userspace PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) uninstall

clean:
	rm -rf $(addprefix $(out)/,module userspace guest tests unit bench cpus demo dist deb)

dist:
	userspace/packaging/dist $(out)/dist

deb:
	userspace/packaging/deb $(out)/deb

# What a guest of the VM harness needs, built inside its root (tests/vm/in-root).
KERNEL_RELEASE ?= $(krelease)
GUEST_CC ?= $(CC)
guest_dir = $(out)/guest/$(KERNEL_RELEASE)
hold_dir = $(out)/module/$(KERNEL_RELEASE)-hold
inject_dir = $(out)/module/$(KERNEL_RELEASE)-inject
jobs := -j$(shell nproc)
# What a guest has to unpack at each boot goes without DWARF, as Debian's own modules do.
lean = strip --strip-debug -o $(2) $(1)
features := module/compat/features.h

guest:
	$(MAKE) $(jobs) module KDIR=/lib/modules/$(KERNEL_RELEASE)/build MODULE_CC=$(GUEST_CC)
	@mkdir -p $(guest_dir)
	$(call lean,$(out)/module/$(KERNEL_RELEASE)/cowtrace.ko,$(guest_dir)/cowtrace.ko)
	$(MAKE) $(jobs) -C userspace O=$(out)/guest/userspace all
	$(MAKE) -C userspace O=$(out)/guest/userspace PREFIX=/usr DESTDIR=$(out)/guest/root install
	@# Modules that have to refuse to load, and the tests' programs.
	for variant in nosymbol blacklisted; do \
		install -D -p $(out)/module/$(KERNEL_RELEASE)/$(features) \
			$(out)/module/$(KERNEL_RELEASE)-$$variant/$(features) && \
		$(MAKE) $(jobs) module KDIR=/lib/modules/$(KERNEL_RELEASE)/build MODULE_CC=$(GUEST_CC) \
			VARIANT=-$$variant \
			COW_CFLAGS='-include $(CURDIR)/tests/guest/variants/'$$variant.h && \
		$(call lean,$(out)/module/$(KERNEL_RELEASE)-$$variant/cowtrace.ko, \
			$(guest_dir)/cowtrace-$$variant.ko) || exit 1; \
	done
	@# The tests' own module.
	@mkdir -p $(hold_dir)
	@cp -rsfT $(CURDIR)/tests/guest/hold $(hold_dir)
	@find $(hold_dir) -xtype l -delete
	$(MAKE) $(jobs) -C /lib/modules/$(KERNEL_RELEASE)/build M=$(hold_dir) CC=$(GUEST_CC) \
		COW_MODULE=$(out)/module/$(KERNEL_RELEASE) modules
	$(call lean,$(hold_dir)/cowtrace-hold.ko,$(guest_dir)/cowtrace-hold.ko)
	@# What has its registrations fail.
	@mkdir -p $(inject_dir)
	@cp -rsfT $(CURDIR)/tests/guest/inject $(inject_dir)
	@find $(inject_dir) -xtype l -delete
	$(MAKE) $(jobs) -C /lib/modules/$(KERNEL_RELEASE)/build M=$(inject_dir) CC=$(GUEST_CC) modules
	$(call lean,$(inject_dir)/cowtrace-inject.ko,$(guest_dir)/cowtrace-inject.ko)
	$(MAKE) -C tests O=$(out)/guest/tests DESTDIR=$(out)/guest/root install
	$(if $(filter %-debug %-kcsan,$(KERNEL_RELEASE)),$(MAKE) $(jobs) planted)

# Faults on purpose, for the kernels that have to report them.
planted_dir = $(out)/module/$(KERNEL_RELEASE)-planted
planted:
	@mkdir -p $(planted_dir) $(guest_dir)
	@cp -rsfT $(CURDIR)/tests/guest/planted $(planted_dir)
	$(MAKE) -C /lib/modules/$(KERNEL_RELEASE)/build M=$(planted_dir) CC=$(GUEST_CC) modules
	cp $(planted_dir)/planted.ko $(guest_dir)/

# KERNELS, if it is given, reaches these by the environment or as arguments.
vm:
	tests/vm/prepare $(KERNELS)

demo:
	tests/demo/run $(KERNELS)

# What each kernel does in each experiment, side by side.
story:
	tests/experiments --table

# What the policy of each kernel predicts for each other, against what that does.
verify:
	tests/verify

check:
	tests/check

check-debug:
	tests/check-debug

module-coverage:
	tests/coverage

check-injection:
	tests/matrix injection stale

# cycles ROUNDS,KERNELS: on those that KERNELS of the caller names, or on all of them.
cycles = $(if $(cycled),LIGHT=1 ROUNDS=$(1) KERNELS="$(cycled)" tests/matrix unload)
cycled = $(filter $(or $(KERNELS),%),$(2))

# Half of them by each backend that a kernel has.
check-cycles:
	$(call cycles,5000,6.12)
	$(call cycles,500,7.2)
	$(call cycles,1000,5.10 6.1)

lint:
	tests/lint/run

check-selftests:
	tests/selftests/run

check-deb:
	tests/packaging/run

unit:
	tests/vm/prepare --root
	tests/vm/in-root make -C tests/unit O=/cowtrace/build/unit check

fuzz:
	tests/vm/prepare --root
	tests/vm/in-root make -C tests/fuzz O=/cowtrace/build/fuzz fuzz RUNS=$(RUNS) \
		SECONDS=$(SECONDS) SEED=$(SEED) TARGETS="$(TARGETS)"

fuzz-settings:
	WRITES=$(or $(WRITES),1000000) tests/matrix mutated

coverage:
	tests/vm/prepare --root
	tests/vm/in-root make -C tests/unit O=/cowtrace/build/unit coverage

matrix:
	tests/matrix

storm:
	tests/storm

bench:
	tests/bench/cost

TRACES ?= $(wildcard $(addprefix $(out)/demo/6.12/,a.data b.data c.data))
bench-reader:
	$(MAKE) -C tests/bench O=$(out)/bench TRACES='$(TRACES)' bench

# Which cache lines CPUs share, and what a fault takes of cowtrace on one and on eight.
cpus:
	tests/cpus/run
