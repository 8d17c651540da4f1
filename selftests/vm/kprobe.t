#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hook=kprobe: what it guards, and what it misses.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: hook=kprobe defers, and misses calls inside other kprobes" \
		--kernel "$kernel" --scenario kprobe --timeout 240
done
plan
