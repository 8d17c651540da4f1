#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The reserve: maps are charged, jobs come and go with them.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	boot "$kernel-charge" "$kernel: what each kind of map is charged" \
		--kernel "$kernel" --scenario reserve --smp 4 --cmdline maxcpus=2 --args spare
	boot "$kernel-churn" "$kernel: maps by the thousand, and nothing is left of them" \
		--kernel "$kernel" --scenario churn --timeout 240
	boot "$kernel-nomem" "$kernel: no memory, and then some" \
		--kernel "$kernel" --scenario nomem
	boot "$kernel-memory" "$kernel: maps that want more jobs than there is memory for" \
		--kernel "$kernel" --scenario memory --mem 256M
	# Its own table takes 2 GB.
	[ -z "${KNG_SLOW:-}" ] || boot "$kernel-huge" "$kernel: a map of 100 million entries" \
		--kernel "$kernel" --scenario huge --mem 4G --timeout 240
done
for kernel in $TEARDOWN_KERNELS; do
	boot "$kernel-window" "$kernel: a map that is torn down before the workers knew of it" \
		--kernel "$kernel" --scenario window
done
unless_slow 'a map of 100 million entries'
plan
