#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All kinds of maps and kptrs: with the guard no destructor runs in NMI, and the
# same boot without it shows that they would have.

. "$(dirname "$0")/tap.sh"

for kernel in $TEARDOWN_KERNELS; do
	for guard in no yes; do
		boot "$kernel-$guard" "$kernel: seven kinds of maps, three kinds of kptrs, guard: $guard" \
			--kernel "$kernel" --scenario maps --args task,cgroup,cpumask --guard $guard --timeout 240
	done
done
plan
