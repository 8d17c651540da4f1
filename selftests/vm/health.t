#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the guard says of itself without root: health, the files of the stats; and the
# tracepoints.

. "$(dirname "$0")/tap.sh"

for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel" "$kernel: health, stats in sysfs, tracepoints" --kernel "$kernel" --scenario health
done
plan
