#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All kinds of maps and kptrs: with the guard no destructor runs in NMI, and the
# same boot without it shows that they would have.

. "$(dirname "$0")/tap.sh"

# (On a bare kernel one kind of kptr in each kind of map shows for `make check' what the
# guarded boot could miss: a destructor is called from the same place for each.)
bare=task
[ -z "${KNG_SLOW:-}" ] || bare=task,cgroup,cpumask

for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel-no" "$kernel: seven kinds of maps, kptrs: ${bare//,/, }, bare" \
		--kernel "$kernel" --scenario maps --args $bare --guard no --timeout 240
	boot "$kernel-yes" "$kernel: seven kinds of maps, three kinds of kptrs, guarded" \
		--kernel "$kernel" --scenario maps --args task,cgroup,cpumask --guard yes --timeout 240
done
unless_slow 'cgroups and cpumasks in all kinds of maps without the guard'
plan
