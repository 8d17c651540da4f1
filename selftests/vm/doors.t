#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# When the teardown door opens.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: teardown=auto, always, needed" \
		--kernel "$kernel" --scenario doors --timeout 240
done
plan
