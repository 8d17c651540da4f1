#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# BPF tracers on the functions that the guard hooks.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: BPF tracers on every hooked function, in both orders" \
		--kernel "$kernel" --scenario tracers --timeout 300
done
plan
