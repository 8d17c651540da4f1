#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The calls that ftrace itself drops.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: each way to take ftrace's recursion bits, what is dropped and what that does" \
		--kernel "$kernel" --scenario dropped --timeout 240
done
plan
