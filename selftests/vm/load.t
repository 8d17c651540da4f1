#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loading and unloading, and where loading refuses.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel-load" "$kernel: modprobe, stats, rmmod" --kernel "$kernel" --scenario load
	boot "$kernel-debugfs" "$kernel: the files in debugfs" --kernel "$kernel" --scenario debugfs
	boot "$kernel-refuse" "$kernel: refusals" --kernel "$kernel" --scenario refuse
done
boot old 'Linux 6.1 has nothing to guard: refuses' --kernel deb12-6.1 --scenario old
plan
