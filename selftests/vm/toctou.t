#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One CPU keeps storing kptrs into the slots that NMIs tear down on another:
# what the teardown door alone misses.

. "$(dirname "$0")/tap.sh"

for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel-bare" "$kernel: stores against NMI teardown, bare" \
		--kernel "$kernel" --scenario program --args toctou,--expect-nmi,some --guard no --timeout 240
	boot "$kernel-guarded" "$kernel: stores against NMI teardown, guarded" \
		--kernel "$kernel" --scenario program --args toctou,--expect-nmi,stub --timeout 240
	boot "$kernel-mixed" "$kernel: the same, values with a timer, a workqueue and a lock" \
		--kernel "$kernel" --scenario program --timeout 240 \
		--args toctou,--variant,mixed,--expect-nmi,stub,--dtors,50000
done
plan
