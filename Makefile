# SPDX-License-Identifier: GPL-2.0-only
#
# Entry points only; each is a script. The kernel module is built by Kbuild
# through dkms, never from here.

# Tests side by side: guests wait as much as they compute.
JOBS ?= 3
KERNEL ?= $(shell scripts/kernels list | head -n 1)


help:
	@sed -n 's/^## //p' Makefile

## make demo       stock kernel hangs without the guard and lives with it
## make check      all tests: host, boots, install, lint (ends with prove's summary)
## make check-all  the same on every kernel of scripts/kernels.conf
## make check-arm64  arm64 kernels, emulated: what hangs bare and lives guarded
## make check-debug  boots with lockdep, KASAN, kmemleak, KCSAN (builds two kernels, once)
## make check-flavours  kernels as nobody ships them: clang with LTO and kCFI, 64 possible CPUs (builds two)
## make check-kernel  the kernel's own BPF selftests, without and with the guard (builds them, once)
## make bench      what the guard costs, and its peers: table, CSV, plot (docs/performance.md)
## make check-mutants  breaks the sources in many ways: the tests notice each
## make exposure   which loaded BPF programs could hang this machine? (builds the tool)
## make tool       the command kptr-nmi-guard, into build/tools
## make lint       checkpatch, sparse, W=1, shellcheck, the docs' tables
## make lint-selftest  each check of lint finds what it should
## make all        builds the module (dkms), test modules and programs for KERNEL
## make install    as root: module (dkms add, build, install; modprobe) and command
## make uninstall  as root: takes all of it back
## make deb        Debian packages, into build/deb/trixie (built in a Debian root, checked by lintian)
## make rpm        RPMs, into build/rpm
## make dist       the tarball that they are built from, with its checksum, into build/dist
## make doctor     whether this machine can run the guard, and why not
## make clean      what was built; downloads and roots stay
## make distclean  everything generated
## Variables: KERNEL=deb13 (see scripts/kernels.conf; make check KERNEL=newest: of backports), JOBS=3

all: prepare

prepare:
	@scripts/prepare $(KERNEL)

demo:
	@scripts/demo $(KERNEL)

check:
	@scripts/check -j $(JOBS) $(if $(filter newest,$(KERNEL)),--newest)

check-all:
	@scripts/check -j $(JOBS) --all

check-arm64:
	@scripts/check-arm64 -j $(JOBS)

check-debug:
	@scripts/check-debug -j $(JOBS)

check-flavours:
	@scripts/check-flavours

check-kernel: prepare
	@KNG_PREPARED=1 KNG_KERNELS=$(KERNEL) prove --exec '' --timer selftests/kernel/kernel.t

check-mutants:
	@scripts/check-mutants -j 2

bench:
	@scripts/bench $(KERNEL)

lint:
	@scripts/lint

exposure:
	@scripts/exposure

tool:
	@scripts/build-command

# What docs show of a run of the demo, and what scripts draw.
recording:
	@env -u MAKEFLAGS -u MAKELEVEL scripts/record docs/demo.cast make demo
	@scripts/record --svg docs/demo.cast >docs/demo.svg

pictures:
	@scripts/job-path >docs/job-path.svg
	@scripts/record --svg docs/demo.cast >docs/demo.svg

lint-selftest:
	@scripts/lint-selftest

install:
	@scripts/install

uninstall:
	@scripts/uninstall

deb rpm dist:
	@scripts/package $@

# 1 is a warning: not guarded yet.
doctor:
	@scripts/doctor || test $$? -eq 1

clean:
	@scripts/clean

distclean:
	@scripts/clean --all

.PHONY: help all prepare demo check check-all check-arm64 check-debug check-flavours check-kernel \
	check-mutants bench \
	lint lint-selftest exposure tool recording pictures install uninstall deb rpm dist doctor \
	clean distclean
