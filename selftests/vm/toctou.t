#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One CPU keeps storing kptrs into the slots that NMIs tear down on two others:
# what the teardown door alone misses, and slots that somebody else emptied first.

. "$(dirname "$0")/tap.sh"

for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel-bare" "$kernel: stores against NMI teardown, bare" \
		--kernel "$kernel" --scenario program --args toctou,--expect-nmi,some --guard no --timeout 240
	boot "$kernel-guarded" "$kernel: stores against NMI teardown, guarded" \
		--kernel "$kernel" --scenario toctou --smp 3 --timeout 240
	boot "$kernel-mixed" "$kernel: the same, values with a timer, a workqueue and a lock" \
		--kernel "$kernel" --scenario toctou --smp 3 --timeout 240 \
		--args --variant,mixed,--dtors,50000
done
plan
