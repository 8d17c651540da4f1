#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Diverted functions whose originals run all the same.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: originals run behind the guard's back, nothing is dropped twice" \
		--kernel "$kernel" --scenario bypass --timeout 240
done
plan
