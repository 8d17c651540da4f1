#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A million references taken and given back in NMI, none the last: no job.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: 1,000,000 pairs of from_pid and release in NMI use no job" \
		--kernel "$kernel" --scenario pairs --timeout 240
done
plan
