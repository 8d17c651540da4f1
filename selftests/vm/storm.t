#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# NMIs anywhere on all CPUs, and the guard coming and going under them.

. "$(dirname "$0")/tap.sh"

for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel" "$kernel: storms; load and unload under them" \
		--kernel "$kernel" --scenario storm --timeout 240
done
plan
