#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The bug, and that it is gone: an NMI inside a function that runs with a lock
# held which the destructors want. Each place hangs the bare kernel.

. "$(dirname "$0")/tap.sh"

sites=('rcu_segcblist_enqueue,--kptr,task' 'insert_work,--kptr,cgroup,--rounds,64')
[ -z "${KNG_SLOW:-}" ] || sites+=('rcu_cblist_enqueue,--kptr,task')

for kernel in $TEARDOWN_KERNELS; do
	for site in "${sites[@]}"; do
		site=$(site_on "$kernel" "$site")
		at=${site%%,*}
		with=(--kernel "$kernel" --scenario hang --args "$site" --cmdline "$NOCB")
		boot_hung "$kernel-$at-bare" "$kernel: NMI in $at hangs the bare kernel" \
			"${with[@]}" --guard no
		boot "$kernel-$at-guarded" "$kernel: NMI in $at, guarded: lives, unloads" \
			"${with[@]}" --guard yes --timeout 240
	done
done
unless_slow 'NMI in rcu_cblist_enqueue'
plan
