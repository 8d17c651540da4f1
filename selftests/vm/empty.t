#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No job left: what the parameter on_empty says is what happens.

. "$(dirname "$0")/tap.sh"

for kernel in $TEARDOWN_KERNELS; do
	for policy in leak inline; do
		boot "$kernel-$policy" "$kernel: on_empty=$policy" --kernel "$kernel" --scenario empty --args $policy
	done
done
plan
