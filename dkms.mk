# SPDX-License-Identifier: GPL-2.0-only
#
# How dkms builds the module, in its own copy of the sources, for the kernel
# whose headers are in KDIR.
#
# Where the guard does not compile, a module that only says so is built instead.
# A build that fails would leave the kernel's package half configured and stop
# each later run of the package manager. make.log keeps the compiler's errors,
# and loading fails with the reason (module/refuse.c).

# A kernel that clang built needs clang. dkms adds LLVM=1 since 3.0.11.
CLANG := $(if $(shell grep -s '^CONFIG_CC_IS_CLANG=y' $(KDIR)/.config $(KDIR)/include/config/auto.conf),LLVM=1)
BUILD = $(MAKE) -C $(KDIR) M=$(CURDIR) $(CLANG)

# +: make sees no $(MAKE) here, and would keep its -j to itself.
modules:
	+$(BUILD) modules || $(BUILD) KNG_REFUSE=build modules

clean:
	+$(BUILD) clean

.PHONY: modules clean
