#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A great many references given back in one NMI.

. "$(dirname "$0")/tap.sh"

sizes=100000
[ -z "${KNG_SLOW:-}" ] || sizes+=' 1000000'
for kernel in $TEARDOWN_KERNELS; do
	for size in $sizes; do
		boot "$kernel-$size" "$kernel: $size destructors out of one NMI" --kernel "$kernel" \
			--scenario burst --args "$size" --cmdline watchdog_thresh=60 --mem 2G --timeout 400
	done
done
unless_slow '1,000,000 destructors out of one NMI'
plan
