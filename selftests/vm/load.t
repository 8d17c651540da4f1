#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loading and unloading, and where loading refuses.

. "$(dirname "$0")/tap.sh"

# `make check' lets one allocation in twelve fail.
step=(--args 12)
[ -z "${KNG_SLOW:-}" ] || step=()

for kernel in $KERNELS; do
	boot "$kernel-load" "$kernel: modprobe, stats, rmmod" --kernel "$kernel" --scenario load
	boot "$kernel-debugfs" "$kernel: the files in debugfs" --kernel "$kernel" --scenario debugfs
	boot "$kernel-refuse" "$kernel: refusals" --kernel "$kernel" --scenario refuse --timeout 300
	boot "$kernel-nomem" "$kernel: no memory for hooks: refused, and nothing stays" \
		--kernel "$kernel" --scenario nomem_load "${step[@]}" --timeout 400
done
boot old 'Linux 6.1 has nothing to guard: refuses' --kernel deb12-6.1 --scenario old
unless_slow 'eleven of twelve allocations that fail while loading'
plan
