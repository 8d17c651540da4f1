#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Functions that a livepatch holds: the guard says so and does without.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: another user diverts what the guard wants, and the other way round" \
		--kernel "$kernel" --scenario ipmodify --timeout 240
done
plan
